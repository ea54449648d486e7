// The option `hosts`: which Host headers are those of the application.
import t from 'tap'
import { compileHosts } from '../../lib/origins/hosts'
import type { CorsProblem } from '../../lib/messages/errors'

t.test('a Host is matched by name and port, in any case, and nothing else is', async (t) => {
  const matches = compileHosts(['api.example.com', '*.example.org', 'localhost:*', '[::1]:3000', '192.0.2.1:8080'], '/hosts', [])
  for (const host of ['api.example.com', 'API.Example.com', 'api.example.com:443', 'api.example.com:80', 'a.b.example.org', 'localhost', 'localhost:3000', '[::1]:3000', '192.0.2.1:8080']) t.equal(matches(host), true, host)
  for (const host of ['', '*', 'evil.com', 'api.example.com:8080', 'api.example.com.', 'example.org', 'xexample.org', 'localhost.evil.com', 'evil.com#localhost', 'localhost@evil.com', 'localhost:3000/evil', '[::1]', '::1', '192.0.2.1', 'api.example.com:443:443', ' localhost', 'localhost:0', 'localhost:99999']) t.equal(matches(host), false, host)
})

t.test('what is not a host as browsers send it is refused with the host to write', async (t) => {
  const REFUSED: ReadonlyArray<readonly [unknown, string, string]> = [
    ['https://api.example.com', 'not-canonical', 'api.example.com'], ['api.example.com/path', 'not-canonical', 'api.example.com'], ['API.example.com', 'not-canonical', 'api.example.com'], ['api.example.com:443', 'not-canonical', 'api.example.com'],
    ['api.example.com:80', 'not-canonical', 'api.example.com'], ['*', 'invalid', 'api.example.com'], ['', 'invalid', 'api.example.com'], ['a b', 'invalid', 'api.example.com'], [5, 'type', 'api.example.com'], [Object.create(null), 'type', 'api.example.com'], ['::1', 'not-canonical', '[::1]']
  ]
  const problems: CorsProblem[] = []
  compileHosts(REFUSED.map(([value]) => value), '/hosts', problems)
  for (const [index, [value, reason, instead]] of REFUSED.entries()) t.match(problems[index], { pointer: `/hosts/${index}`, reason, message: `is not a host as browsers send it; write "${instead}"` }, typeof value === 'string' ? value : 'no text')
})
