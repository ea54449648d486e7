// The commands audit and migrate: what they print, and their exit codes.
import { join } from 'node:path'
import t from 'tap'
import { run } from '../../lib/cli/run'
import { isReadable } from '../support/terminal'

const APP = 'https://app.example.com'
const modules = join(__dirname, '../../node_modules')
const FASTIFY = `const Fastify = require(${JSON.stringify(join(modules, 'fastify'))})\nconst cors = require(${JSON.stringify(join(modules, '@fastify/cors'))})\n`
const ROUTES = "app.get('/items', { schema: { querystring: {} } }, async () => { console.log('HANDLED') })\napp.put('/items/:id', async () => { console.log('HANDLED') })\n"
const HEX = "app.get('/files/:name(^[a-f]{40}$)', async () => 1)\n"

const folder = t.testdir({
  'reflects.cjs': `${FASTIFY}const app = Fastify()\napp.register(cors, { origin: true, credentials: true })\n${ROUTES}${HEX}module.exports = app\n`,
  'plain.cjs': `${FASTIFY}const app = Fastify()\n${ROUTES}module.exports = app\n`,
  'empty.cjs': `${FASTIFY}module.exports = Fastify()\n`,
  'listens.cjs': `${FASTIFY}const app = Fastify()\napp.register(cors, { origin: '${APP}', methods: 'GET', allowedHeaders: ['X-One'], exposedHeaders: ['ETag'] })\n${ROUTES}app.listen({ port: 3000 })\n`,
  'closed.cjs': `${FASTIFY}const app = Fastify()\napp.register(cors, { origin: ['${APP}'], methods: 'GET, PUT', strictPreflight: true })\napp.register(async (scope) => { scope.get('/a', { config: { cors: false } }, async () => 1); scope.get('/b', { config: { cors: { origin: (origin, done) => done(null, true) } } }, async () => 1) })\nmodule.exports = app\n`,
  'fails.cjs': "throw new Error('no database')"
})

async function ran (...args: string[]): Promise<{ code: number, out: string, err: string }> {
  let [out, err] = ['', '']
  const code = await run(args.map((arg) => arg.endsWith('.cjs') ? join(folder, arg) : arg), {
    stdout: { write: (text) => { out += text }, columns: 80 },
    stderr: { write: (text) => { err += text } },
    env: {}
  })
  return { code, out, err }
}

t.test('audit prints findings with routes, exchanges and advice; 1 with findings, 0 without, 2 where it cannot tell', async (t) => {
  const found = await ran('audit', 'reflects.cjs', '--origin', APP)
  t.equal(found.code, 1, found.err)
  t.ok(isReadable(found.out))
  t.match(found.out, /^error: reflects-any-origin$/m)
  t.match(found.out, /on GET \/items\s+\(\S*reflects\.cjs:5:5\),\s+PUT/)
  t.match(found.out, 'access-control-allow-origin: https://attacker.example')
  t.match(found.out, 'No handler ran')
  t.match(found.out, /no request reached GET \/files/)
  t.notMatch(found.out + found.err, 'HANDLED')
  const nothing = await ran('audit', 'plain.cjs')
  t.match(nothing, { code: 0, out: /^nothing found$/m })
  t.match(nothing.out, 'no origin is known')
  t.match(await ran('audit', 'empty.cjs'), { code: 2, err: 'no route was reached' })
  t.match(await ran('audit', 'fails.cjs'), { code: 2, err: 'does not load: no database' })
})

t.test('audit prints JSON and SARIF', async (t) => {
  const json = await ran('audit', 'reflects.cjs', '--json')
  t.equal(json.code, 1)
  t.match(JSON.parse(json.out), { findings: [{ rule: 'reflects-any-origin', level: 'error' }], routes: 2 })
  const sarif = await ran('audit', 'reflects.cjs', '--sarif')
  t.equal(sarif.code, 1)
  t.match(JSON.parse(sarif.out), { version: '2.1.0', runs: [{ tool: { driver: { name: 'fastify-cors-policy audit' } } }] })
})

t.test('migrate prints registrations, then what changes, wider first; 1 where something is wider or stays to be written', async (t) => {
  const wider = await ran('migrate', 'listens.cjs', '--header', 'x-one: 1')
  t.equal(wider.code, 1, wider.err)
  t.match(wider.out, /In place of @fastify\/cors at .*listens\.cjs:4:5:/)
  t.match(wider.out, "exposedHeaders: ['ETag']")
  t.ok(wider.out.indexOf('Wider') > 0)
  t.match(wider.out, 'to keep PUT closed')
  t.notMatch(wider.out + wider.err, 'HANDLED')
  const json = await ran('migrate', 'closed.cjs', '--json', '--origin', APP)
  t.match(JSON.parse(json.out), { routes: [{ url: '/a', code: 'config: { cors: false }' }, { url: '/b', toWrite: [/the function isAllowed/] }] })
  t.equal(json.code, 1)
  t.match((await ran('migrate', 'closed.cjs')).out, 'The routes with a config.cors:')
  const open = await ran('migrate', 'reflects.cjs')
  t.match(open, { code: 1, out: 'not compared' })
  t.match(open.out, 'to be written: origin: true')
  t.match(await ran('migrate', 'plain.cjs'), { code: 2, err: 'does not register @fastify/cors' })
})

t.test('wrong arguments are refused with what to write', async (t) => {
  for (const [args, says] of [
    [['audit'], 'write audit app.js'],
    [['audit', 'a.cjs', 'b'], 'takes the application alone'],
    [['audit', 'plain.cjs', '--json', '--sarif'], 'write --json or --sarif'],
    [['audit', 'plain.cjs', '--origin', 'null'], '--origin null is not the origin of a site'],
    [['migrate'], 'write migrate app.js'],
    [['migrate', 'a.cjs', 'b'], 'takes the application alone'],
    [['routes', 'plain.cjs', '--sarif'], 'routes takes no --sarif']
  ] as const) t.match(await ran(...args), { code: 2, err: says })
})
