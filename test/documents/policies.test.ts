// docs/policies.md: of every line of its tables, what it says to write is accepted, and what it says not to write is refused with its reason; its programs run.
import { runInThisContext } from 'node:vm'
import t from 'tap'
import cors from '../../lib/index'
import { Examples, run } from '../support/run-examples'
import { accessControl, application, approves, EVIL, ok, preflight, refusal, request } from '../support'

const examples = new Examples('docs/policies.md')
const { text } = examples
const APP = 'https://app.example.com'

interface Row { readonly line: string, readonly write: unknown, readonly not: unknown, readonly reason: string }

/** The cells of the tables that compare; a `|` inside a cell is written `\|` in Markdown. */
const rows: Row[] = text.split('\n').filter((line) => /^\| `/.test(line)).map((line) => {
  const [write, not, reason] = line.split(/(?<!\\)\|/).slice(1).map((cell) => cell.trim().replace(/^`|`$/g, '').replaceAll('\\|', '|'))
  return { line, write: value(write), not: value(not), reason: reason as string }
})

/** RegExps of another realm would be no RegExps to the plugin, nor would its arrays be arrays: evaluated in this one. */
function value (code: string | undefined): unknown {
  return runInThisContext(`(originList) => (${code})`)(cors.originList)
}

const policies = cors.definePolicies({ public: { origin: '*' }, partner: { origin: 'https://app.example.com', credentials: true } })

t.test('every row of the tables names a value that is accepted, and one that is refused for its reason', async (t) => {
  const app = await application(t, { policies })
  for (const [index, { line, write, not, reason }] of rows.entries()) {
    t.doesNotThrow(() => app.get(`/${index}`, { config: { cors: write as cors.RouteCors } }, ok), line)
    const error = refusal(() => app.put(`/${index}`, { config: { cors: not as cors.RouteCors } }, ok))
    t.ok(error.problems?.some((problem) => problem.reason === reason), `${line}: ${error.message}`)
  }
})

t.test('docs/policies.md has a heading for every field, and its tables give 14 reasons', async (t) => {
  t.ok(rows.length > 60)
  for (const field of ['origin', 'credentials', 'allowedHeaders', 'exposedHeaders', 'maxAge', 'optionsSuccessStatus', 'enforceOrigin', 'timingOrigin', 'resourcePolicy', 'extends']) t.match(text, `## \`${field}\``)
  const reasons = new Set(rows.map(({ reason }) => reason))
  // Refused where the plugin is registered.
  t.match(text, '`cyclic-extends`')
  t.equal(reasons.size, 14)
})

t.test('every program of docs/policies.md compiles', async (t) => {
  t.same(examples.compileErrors(), [])
  t.equal(examples.programs.length, 3)
})

t.test('each route of the program about extends sends the headers that are listed for it', async (t) => {
  const app = await run(t, examples.under('`extends`'))
  const lines = [...text.matchAll(/^- from `(\/\w+)`: (.*)$/gm)]
  t.equal(lines.length, 3)
  for (const [, url = '', listed = ''] of lines) {
    const headers = [...listed.matchAll(/`([^`:]+): ([^`]+)`/g)].map(([, name = '', value]) => [name, value])
    t.same(accessControl(await request(app, 'GET', url, APP)), Object.fromEntries(headers), url)
  }
})

t.test('the child scope of the program about scopes has its own policy and default, and a 404 outside has the default policy', async (t) => {
  const app = await run(t, examples.under('Scopes'))
  const partner = 'https://www.example.com'
  t.match((await request(app, 'GET', '/admin/users', partner)).headers, { 'access-control-allow-origin': partner, 'access-control-allow-credentials': 'true' })
  t.equal((await request(app, 'GET', '/admin/secrets', partner)).headers['access-control-allow-origin'], undefined)
  const missing = await request(app, 'GET', '/nowhere', partner)
  t.equal(missing.statusCode, 404)
  t.equal(missing.headers['access-control-allow-origin'], partner)
})

t.test('the routes of the program about TypeScript have their policies, by value and by name', async (t) => {
  const app = await run(t, examples.under('Policies in TypeScript'))
  t.equal((await request(app, 'GET', '/status', EVIL)).headers['access-control-allow-origin'], '*')
  t.ok(approves(await preflight(app, 'PUT', '/items/1', { origin: APP }), 'PUT'))
  t.equal((await request(app, 'PUT', '/items/1', APP)).headers['access-control-expose-headers'], 'ETag')
})

t.test('definePolicies takes the policies of the JSON file, and a route extends one of them', async (t) => {
  const [, file = ''] = /^```json\n([^]*?)^```$/m.exec(text) as RegExpExecArray
  const app = await application(t, { policies: cors.definePolicies(JSON.parse(file)) as cors.CorsPluginOptions['policies'] & {} })
  app.get('/', { config: { cors: { extends: 'public' } } }, ok)
  t.equal((await request(app, 'GET', '/', EVIL)).headers['access-control-allow-origin'], '*')
})
