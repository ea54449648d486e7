// `verify`: an application against its deployment. Behind a real nginx (Debian's package), configured in five wrong ways and one right one; behind Node's own
// HTTP/2 server with TLS; and made-up answers for the rest. Needs the build (npm run build): the application is a program of its own.
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { run } from '../../lib/cli/run'
import { compareAnswers, type CorsDifference, type Question } from '../../lib/devtools/compare-answers'
import { fillUrl } from '../../lib/devtools/fill-url'
import type { CorsRoute } from '../../lib/index'
import type { Verification } from '../../lib/devtools/verify'
import { selfSigned } from '../browser/certificate'
import { HAS_NGINX, nginx } from '../support/nginx'

const A = 'https://app.example.com'
const B = 'https://b.example.com'

const directory = t.testdir({
  'app.cjs': `const cors = require('fastify-cors-policy')
module.exports = async (app) => {
  await app.register(cors, { policies: { partner: { origin: ['${A}', 'https://*.example.org:*', /^https:\\/\\/x\\.example$/], credentials: true }, public: { origin: '*' } } })
  const partner = { config: { cors: { extends: 'partner' } } }
  app.get('/items/:id', partner, async (request, reply) => { reply.header('cache-control', 'max-age=60'); return 'item' })
  app.put('/items/:id', partner, async () => { throw new Error('a handler ran that changes something') })
  app.get('/status', { config: { cors: { extends: 'public' } } }, async () => 'ok')
  app.get('/internal', { config: { cors: false } }, async () => 'internal')
  app.get('/files/*', partner, async () => 'file')
}
module.exports.options = { exposeHeadRoutes: false }`,
  'other.cjs': `const cors = require('fastify-cors-policy')
module.exports = async (app) => {
  await app.register(cors)
  app.get('/items/:id', { config: { cors: { origin: ['${A}', '${B}'], credentials: true } } }, async () => 'item')
  app.get('/status', { config: { cors: { origin: 'https://only.example' } } }, async () => 'ok')
  app.get('/internal', { config: { cors: { origin: '*' } } }, async () => 'internal')
}
module.exports.options = { exposeHeadRoutes: false }`,
  'parameters.cjs': "const cors = require('fastify-cors-policy')\nmodule.exports = async (app) => { await app.register(cors); app.get('/:a/:b', { config: { cors: { origin: '*' } } }, async () => 'ok') }"
})

interface Ran { readonly code: number, readonly out: string, readonly err: string, readonly result: Verification }

async function verify (file: string, url: string, ...args: string[]): Promise<Ran> {
  let [out, err] = ['', '']
  const code = await run(['verify', join(directory, file), url, ...args], { stdout: { write: (text) => { out += text } }, stderr: { write: (text) => { err += text }, isTTY: true }, env: {} })
  return { code, out, err, result: args.includes('--json') && out !== '' ? JSON.parse(out) : undefined as never }
}

/** The application, listening. */
async function deployed (options: object = {}): Promise<FastifyInstance> {
  const app = (require('fastify') as (options: object) => FastifyInstance)({ exposeHeadRoutes: false, forceCloseConnections: true, ...options })
  await app.register(require(join(directory, 'app.cjs')))
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  return app
}

const portOf = (app: Pick<FastifyInstance, 'server'>): number => (app.server.address() as AddressInfo).port
const PARAMS = ['--param', 'id=7', '--param', '*=a/b']

/** The reasons, each with the routes that it is given for. */
function byReason (differences: readonly CorsDifference[]): Record<string, string[]> {
  const found: Record<string, Set<string>> = {}
  for (const { reason, route } of differences) (found[reason] ??= new Set()).add(route)
  return Object.fromEntries(Object.entries(found).map(([reason, routes]) => [reason, [...routes].sort()]))
}

t.test('nginx in front of the application', { skip: HAS_NGINX || process.env['CORS_REQUIRE_NGINX'] !== undefined ? false : 'there is no nginx' }, async (t) => {
  const upstream = `http://127.0.0.1:${portOf(await deployed())}`
  const PROXY = 'location / { proxy_pass UPSTREAM; }'
  const PARTNER = ['GET /files/*', 'GET /items/:id']
  const ALL = ['GET /files/*', 'GET /items/:id', 'PUT /items/:id']
  const cases: ReadonlyArray<readonly [what: string, server: string, expected: Record<string, string[]>, says: RegExp | undefined]> = [
    ['right', PROXY, {}, undefined],
    ['a doubled header', 'location / { proxy_pass UPSTREAM; add_header Access-Control-Allow-Origin $http_origin always; }',
      { 'duplicate-header': [...ALL, 'GET /status'].sort(), 'extra-permission': ['GET /internal', ...PARTNER].sort() }, /access-control-allow-origin comes with "https:\/\/app\.example\.com" and "https:\/\/app\.example\.com"[^]*names "nginx/],
    ['OPTIONS that nginx answers', `if ($request_method = OPTIONS) { return 204; } ${PROXY}`, { 'missing-permission': [...ALL, 'GET /status'].sort() }, /the deployment not at all: answered with 204; the answer names "nginx/],
    ['a cache that ignores Vary', 'location / { proxy_pass UPSTREAM; proxy_cache one; proxy_cache_key $uri; proxy_cache_valid 200 1m; proxy_ignore_headers Vary; }',
      { 'cached-permission': PARTNER }, /it gets the answer for "https:\/\/app\.example\.com": a cache ignores Vary: Origin/],
    ['a redirect to a slash', `rewrite ^(/items/[^/]+)$ $1/ permanent; ${PROXY}`, { 'missing-permission': ['GET /items/:id', 'PUT /items/:id'] }, /answered with 301 to "http:.*\/items\/7\/"/],
    ['413 without headers', `client_max_body_size 1k; ${PROXY}`, { 'missing-permission': [...PARTNER, 'GET /status'] }, /the deployment not at all: answered with 413; the answer names "nginx/],
    ['a Vary that is taken away', 'location / { proxy_pass UPSTREAM; proxy_hide_header Vary; }', { 'vary-stripped': PARTNER }, /the answer depends on the origin, and Vary does not name it/]
  ]
  for (const [what, server, expected, says] of cases) {
    await t.test(what, async (t) => {
      const url = await nginx(t, upstream, server)
      const { code, result, err } = await verify('app.cjs', url, ...PARAMS, '--json')
      t.equal(code, says === undefined ? 0 : 1, err.slice(0, 200))
      t.ok(result.compared > 20, `${result.compared} answers`)
      t.strictSame(byReason(result.differences), expected)
      if (says !== undefined) t.match(result.differences.map(({ message }) => message).join('\n'), says)
      t.match(result.skipped, [{ url: '/files/*', why: '1 of its origins were not tried: RegExps' }, { url: '/items/:id' }, { url: '/items/:id' }])
    })
  }
})

t.test('Node\'s HTTP/2 server with TLS agrees', async (t) => {
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  t.teardown(() => { delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'] })
  const app = await deployed({ http2: true, https: selfSigned('localhost') })
  const { code, out, err } = await verify('app.cjs', `https://localhost:${portOf(app)}`, ...PARAMS)
  t.match(out, /^- GET \/files\/\* was not compared: 1 of its origins [^]*\n\d+ answers agree with the policies\n$/)
  t.equal(code, 0)
  const lines = err.split('\r\u001b[K')
  t.match(lines[1], /^1 of \d+ answers$/, 'progress on a terminal')
  t.equal(lines.at(-1), '', 'which is gone at the end')
})

t.test('a deployment of another version of the application differs', async (t) => {
  const url = `http://127.0.0.1:${portOf(await deployed())}`
  const { code, out } = await verify('other.cjs', url, '--param', 'id=7')
  t.equal(code, 1)
  t.match(out, /missing-permission\n {2}GET \/items\/:id\n {2}the preflight for GET of "https:\/\/b\.example\.com": the application allows it with credentials, the deployment not at all: answered with 403\n/)
  t.match(out, /extra-permission\n {2}GET \/status\n/)
  t.match(out, /\d+ of \d+ answers differ\n$/)
})

t.test('what cannot be verified ends with exit code 2', async (t) => {
  const url = `http://127.0.0.1:${portOf(await deployed())}`
  for (const [args, says] of [
    [['app.cjs'], /verify takes an application and the URL/],
    [['app.cjs', 'api.example.com'], /write verify app\.js https/],
    [['app.cjs', `${url}/items`], /the deployment is the server alone/],
    [['app.cjs', 'http://user@127.0.0.1/'], /the deployment is the server alone/],
    [['app.cjs', url, '--param', 'id'], /"id" is not a parameter; write --param id=7/],
    [['app.cjs', url, '--param', '=7'], /is not a parameter/],
    [['parameters.cjs', url], /nothing could be compared; GET \/:a\/:b: its parameter has no value; write --param a=…; HEAD/],
    [['other.cjs', 'http://127.0.0.1:1', '--param', 'id=7'], /does not answer OPTIONS "\/internal": connect ECONNREFUSED/]
  ] as const) {
    const [file, ...rest] = args
    let err = ''
    const code = await run(['verify', join(directory, file), ...rest], { stdout: { write: () => {} }, stderr: { write: (text) => { err += text } }, env: {} })
    t.equal(code, 2, String(args))
    t.match(err, says, String(args))
  }
})

const ROUTE: CorsRoute = { method: 'GET', url: '/', policy: null, declaration: 'policy', origin: '*', credentials: false, allowedHeaders: [], exposedHeaders: [], maxAge: null, enforceOrigin: false }

t.test('a URL takes the values of its parameters', async (t) => {
  const base = new URL('https://api.example.com')
  const params = new Map([['id', 'a b/c'], ['*', 'x/y'], ['n', '7']])
  for (const [url, expected] of [
    ['/', '/'], ['/items/:id', '/items/a%20b/c'], ['/:n(^\\d+$)/x', '/7/x'], ['/:n-:n', '/7-7'], ['/:n?', '/7'], ['/a::b', '/a:b'], ['/files/*', '/files/x/y'], ['/:n(^(a|b)$).json', '/7.json']
  ] as const) t.equal(fillUrl({ ...ROUTE, url }, base, params), `https://api.example.com${expected}`, url)
  t.match(fillUrl({ ...ROUTE, url: '/:other' }, base, params), { why: /write --param other=…/ })
  t.match(fillUrl({ ...ROUTE, url: '/*' }, base, new Map()), { why: /write --param "\*=…"/ })
  t.match(fillUrl({ ...ROUTE, host: 'other.example' }, base, params), { why: /it has the host other\.example/ })
  t.equal(fillUrl({ ...ROUTE, host: 'api.example.com' }, base, params), 'https://api.example.com/')
  t.match(fillUrl({ ...ROUTE, constraints: ['version'] }, base, params), { why: /the constraint version/ })
})

t.test('an answer differs for one reason, and an equal one for none', async (t) => {
  type Headers = Record<string, string>
  const response = (headers: Headers, status = 200) => ({ status, headers: Object.entries(headers) })
  const question = (expected: Headers, changes: Partial<Question> = {}): Question => ({
    route: 'GET /', method: 'GET', origin: A, isPreflight: false, expected: response(expected), request: { method: 'GET', url: `${A}/`, headers: [] }, ...changes
  })
  const allowed = { 'access-control-allow-origin': A, vary: 'Origin' }
  const reason = (expected: Headers, actual: Headers, changes: Partial<Question> = {}, status = 200): string | undefined => compareAnswers(question(expected, changes), response(actual, status))?.reason
  t.equal(reason(allowed, allowed), undefined)
  t.equal(reason(allowed, { ...allowed, vary: '*' }), undefined)
  t.equal(reason(allowed, { ...allowed, vary: 'Accept' }), 'vary-stripped')
  t.equal(reason(allowed, { ...allowed, vary: 'Accept' }, { origin: null }), 'vary-stripped', 'also without an origin')
  t.equal(reason({ vary: 'Origin' }, allowed, { origin: null }), 'cached-permission', 'without an origin, the answer for one')
  t.equal(reason(allowed, { vary: 'Origin', age: '3' }), 'cached-permission')
  t.equal(reason(allowed, { vary: 'Origin' }), 'missing-permission')
  t.equal(reason({}, { 'access-control-allow-origin': '*' }), 'extra-permission')
  t.equal(reason(allowed, { ...allowed, 'access-control-allow-credentials': 'true' }), 'extra-permission')
  t.equal(reason({ 'access-control-allow-origin': '*' }, allowed), undefined, 'an origin in place of * gives no more')
  t.equal(reason(allowed, {}, { isErrorProbe: true }, 200), undefined, 'an error that did not come')
  t.equal(reason(allowed, {}, { isErrorProbe: true }, 413), 'missing-permission')
  t.equal(reason(allowed, allowed, { isErrorProbe: true }, 413), undefined)
})
