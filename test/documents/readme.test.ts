// README's examples: each one compiles, and runs as it is written. Also that its tables name exactly the options there are.
import t from 'tap'
import Fastify from 'fastify'
import cors from '../../lib/index'
import { ExtendingPolicySchema } from '../../lib/schema'
import { Examples, printed, run } from '../support/run-examples'
import { approves, EVIL, ok, preflight, refusal, request } from '../support'

const examples = new Examples('README.md')
const { text: readme, programs } = examples

t.test('the first example', async (t) => {
  const app = await run(t, programs[0] as string)
  t.ok(approves(await preflight(app, 'GET', '/prices', { origin: EVIL }), 'GET'))
  t.ok(approves(await preflight(app, 'PUT', '/prices', { origin: 'https://shop.example.com' }), 'PUT'))
  t.equal((await preflight(app, 'PUT', '/prices', { origin: EVIL })).statusCode, 403)
  t.equal((await preflight(app, 'DELETE', '/prices', { origin: 'https://shop.example.com' })).statusCode, 404)
})

t.test('the quick start', async (t) => {
  const app = await run(t, programs[1] as string)
  for (const url of ['/status', '/ping']) t.equal((await request(app, 'GET', url, EVIL)).headers['access-control-allow-origin'], '*')
  const response = await request(app, 'PUT', '/items/1', 'https://a.partners.example.com')
  t.match(response.headers, { 'access-control-allow-origin': 'https://a.partners.example.com', 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'ETag' })
  t.ok(approves(await preflight(app, 'POST', '/pay', { origin: 'https://shop.example.com' }), 'POST'))
  t.equal((await request(app, 'GET', '/internal', EVIL)).headers['access-control-allow-origin'], undefined)
})

t.test('the example of scopes', async (t) => {
  const app = await run(t, programs[2] as string)
  const partner = 'https://www.example.com'
  t.match((await request(app, 'GET', '/admin/users', partner)).headers, { 'access-control-allow-origin': partner, 'access-control-allow-credentials': 'true' })
  t.equal((await request(app, 'GET', '/admin/secrets', partner)).headers['access-control-allow-origin'], undefined)
  t.equal((await request(app, 'GET', '/nowhere', partner)).headers['access-control-allow-origin'], partner)
  t.equal(programs.length, 3, 'no program is left out here')
})

t.test('the blocked request is explained as README prints it', async (t) => {
  const code = examples.blocks.find((block) => block.includes('cors.explain(')) as string
  const [, output] = /```text\n([^]*?)^```$/m.exec(readme.slice(readme.indexOf(code))) as RegExpExecArray
  t.equal(await printed(t, code), output)
})

t.test('every example compiles', async (t) => {
  t.same(examples.compileErrors(), [])
  t.equal(examples.blocks.length, 5)
})

t.test('the refusal is printed as README shows it', async (t) => {
  const app = Fastify()
  await app.register(cors)
  const error = refusal(() => app.put('/items/:id', { config: { cors: { origin: ['https://App.Example.com:443/', 'https://*.github.io'], credentials: true, exposedHeader: [] } as never } }, ok))
  const lines = (readme.match(/^```text\n([^]*?)^```$/m) as RegExpMatchArray)[1]?.trim().split('\n').map((line) => line.trim()) as string[]
  t.same(new Set(error.message.split('\n').map((line) => line.trim())), new Set(lines))
})

t.test('the tables have every option, and no other', async (t) => {
  const named = (heading: string): string[] => {
    const section = readme.slice(readme.indexOf(heading)).split(/^## /m)[1] as string
    const table = section.slice(0, section.indexOf('\n\n', section.indexOf('|---')))
    return [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name as string)
  }
  t.same(named('## The policy of a route').sort(), Object.keys(ExtendingPolicySchema.properties).sort())
  t.same(named('## The plugin\'s options').sort(), Object.keys(cors.CorsPluginOptionsSchema.properties).sort())
})
