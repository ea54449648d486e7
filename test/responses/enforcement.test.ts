// enforceOrigin: requests from pages of refused origins end with 403 before body and handler, and nobody else's do.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import fc from 'fast-check'
import Fastify, { type FastifyInstance, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import t from 'tap'
import cors, { originList } from '../../lib/index'
import { portOf } from '../support/ports'
import { send } from '../support/raw-http'
import { logged } from '../support/log'
import { accessControl, application, approves, BAR, corsHeaders, EVIL, FOO, ok, preflight, refusal, request } from '../support'
import { greeting } from '../support/web-socket'

const VARY = 'Origin, Sec-Fetch-Site, Sec-Fetch-Mode'
const HOST = 'api.example'
const ENFORCED: cors.RouteCors = { origin: FOO, credentials: true, enforceOrigin: true }
const REFUSED = { statusCode: 403, code: 'FST_ERR_CORS_ORIGIN_REFUSED', error: 'Forbidden', message: 'Pages of this origin may not send this request' }

/** An application with an enforced route, and what its handler was given. */
async function enforced (t: Parameters<typeof application>[0], policy: cors.RouteCors = ENFORCED, server: FastifyServerOptions = {}): Promise<{ app: FastifyInstance, handled: unknown[] }> {
  const app = await application(t, {}, server)
  const handled: unknown[] = []
  app.route({ method: ['GET', 'POST', 'PUT', 'DELETE'], url: '/', config: { cors: policy }, handler: async ({ body }) => { handled.push(body); return 'ok' } })
  return { app, handled }
}

const status = async (app: FastifyInstance, origin: string | undefined, headers: Record<string, string> = {}): Promise<number> => {
  return (await request(app, 'POST', '/', origin, { headers: { host: HOST, ...headers } })).statusCode
}

t.test('a refused origin gets 403, and an allowed one its response', async (t) => {
  const { app, handled } = await enforced(t)
  for (const origin of [EVIL, 'null', `${FOO}:8443`, 'https://FOO.example', `${FOO}, ${EVIL}`, 'x', '']) {
    const response = await request(app, 'POST', '/', origin, { headers: { 'content-type': 'text/plain' }, payload: 'money=all' }) // a form's
    t.strictSame(response.json(), REFUSED, origin)
    t.equal(response.statusCode, 403)
    t.strictSame(corsHeaders(response), { vary: VARY }, 'and no permission')
  }
  t.strictSame(handled, [], 'no handler has run')
  const response = await request(app, 'POST', '/', FOO, { headers: { 'content-type': 'text/plain' }, payload: 'a' })
  t.equal(response.statusCode, 200)
  t.strictSame(corsHeaders(response), { vary: VARY, 'access-control-allow-origin': FOO, 'access-control-allow-credentials': 'true' })
  t.strictSame(handled, ['a'])
  t.equal((await request(app, 'POST', '/', BAR)).statusCode, 403)
  t.equal((await request(app, 'GET', '/', EVIL)).statusCode, 403, 'whatever the method')
})

t.test('without enforceOrigin, a refused origin reaches the handler', async (t) => {
  for (const enforceOrigin of [false, undefined]) {
    const { app, handled } = await enforced(t, { origin: FOO, ...(enforceOrigin !== undefined && { enforceOrigin }) })
    const response = await request(app, 'POST', '/', EVIL)
    t.equal(response.statusCode, 200)
    t.strictSame(corsHeaders(response), { vary: 'Origin' })
    t.equal(handled.length, 1)
  }
})

t.test('a refused request reaches no parser, no handler and no later hook but onSend and onResponse', async (t) => {
  const ran: string[] = []
  const app = await application(t)
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => { ran.push('parser'); done(null, body) })
  app.removeContentTypeParser('text/plain')
  app.addContentTypeParser('text/plain', (_request, payload, done) => { ran.push('parser'); payload.resume(); done(null, '') })
  app.post('/', {
    config: { cors: ENFORCED },
    onRequest: async () => { ran.push('onRequest') },
    preParsing: async () => { ran.push('preParsing') },
    preValidation: async () => { ran.push('preValidation') },
    preHandler: async () => { ran.push('preHandler') },
    onSend: async () => { ran.push('onSend') },
    onResponse: async () => { ran.push('onResponse') }
  }, async () => { ran.push('handler') })
  const options = { headers: { 'content-type': 'text/plain' }, payload: 'a' }
  t.equal((await request(app, 'POST', '/', EVIL, options)).statusCode, 403)
  await setTimeout(1)
  t.strictSame(ran, ['onSend', 'onResponse'])
  t.equal((await request(app, 'POST', '/', FOO, options)).statusCode, 200)
  t.ok(ran.includes('parser') && ran.includes('handler'))
})

t.test('a refused request is answered without waiting for its body', async (t) => {
  const { app, handled } = await enforced(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const port = portOf(app.server)
  const { statusLine } = await send(port, ['POST / HTTP/1.1', 'Host: a', `Origin: ${EVIL}`, 'Content-Type: text/plain', 'Content-Length: 1000000', 'Connection: close'])
  t.equal(statusLine, 'HTTP/1.1 403 Forbidden')
  t.strictSame(handled, [])
})

t.test('a request that is not from a page of another origin is never refused', async (t) => {
  const { app } = await enforced(t)
  t.equal(await status(app, undefined), 200, 'no Origin: no browser, or a navigation')
  t.equal(await status(app, undefined, { 'sec-fetch-site': 'cross-site' }), 200)
  for (const origin of [EVIL, 'null', `https://${HOST}`]) {
    t.equal(await status(app, origin, { 'sec-fetch-site': 'same-origin' }), 200, `same-origin: ${origin}`)
    t.equal(await status(app, origin, { 'sec-fetch-site': 'none' }), 200, `none: ${origin}`)
  }
  for (const site of ['same-site', 'cross-site', '', 'same-origin, cross-site', 'Same-Origin', 'anything']) {
    t.equal(await status(app, EVIL, { 'sec-fetch-site': site }), 403, site)
    t.equal(await status(app, `https://${HOST}`, { 'sec-fetch-site': site }), 403, 'the header has the last word')
    t.equal(await status(app, FOO, { 'sec-fetch-site': site }), 200, 'an allowed origin, wherever its page is')
  }
})

/** Without Sec-Fetch-Site: the Origin, the Host, whether that is the application's own page. */
const SAME: ReadonlyArray<readonly [origin: string, host: string, same: boolean]> = [
  [`https://${HOST}`, HOST, true], [`http://${HOST}`, HOST, true], [`https://${HOST}`, `${HOST}:443`, true], [`http://${HOST}`, `${HOST}:80`, true], [`http://${HOST}:3000`, `${HOST}:3000`, true],
  [`http://${HOST}`, 'API.Example', true], ['http://[::1]:3000', '[::1]:3000', true], ['http://[::1]', '[::1]', true], ['http://127.0.0.1:1', '127.0.0.1:1', true],
  [`https://${HOST}`, `${HOST}:80`, false], [`http://${HOST}`, `${HOST}:443`, false], [`http://${HOST}:3000`, HOST, false], [`http://${HOST}`, `${HOST}:3000`, false], [`http://${HOST}:3000`, `${HOST}:3001`, false],
  [`http://a.${HOST}`, HOST, false], [`http://${HOST}`, `a.${HOST}`, false], [`http://${HOST}`, `${HOST}.`, false], ['http://evil.test', HOST, false], ['null', HOST, false], ['null', 'null', false],
  [`capacitor://${HOST}`, HOST, false], [`ws://${HOST}`, HOST, false], [`http://${HOST}:80`, `${HOST}:80`, false], [`http://${HOST}/`, HOST, false], ['http://API.example', HOST, false], [`http://x@${HOST}`, HOST, false], ['http://', '', false], [`HTTP://${HOST}`, HOST, false]
]

t.test('without Sec-Fetch-Site, an Origin with the host and port of the request is not refused', async (t) => {
  const { app } = await enforced(t)
  for (const [origin, host, same] of SAME) t.equal(await status(app, origin, { host }), same ? 200 : 403, `${origin} at ${host}`)
})

t.test('X-Forwarded-Host counts as the host only if proxies are trusted', async (t) => {
  const forwarded = { 'x-forwarded-host': 'www.example', 'x-forwarded-proto': 'https' }
  const { app } = await enforced(t)
  t.equal(await status(app, 'https://www.example', forwarded), 403)
  t.equal(await status(app, `https://${HOST}`, forwarded), 200)
  for (const trustProxy of [true, '127.0.0.1', (address: string) => address === '127.0.0.1']) {
    const { app } = await enforced(t, ENFORCED, { trustProxy })
    t.equal(await status(app, 'https://www.example', forwarded), 200, `trustProxy: ${String(trustProxy)}`)
    t.equal(await status(app, `https://${HOST}`, forwarded), 403)
    t.equal(await status(app, 'http://www.example', forwarded), 403, 'with TLS, the port of http: is another')
    t.equal(await status(app, 'https://www.example', { ...forwarded, 'x-forwarded-proto': 'http' }), 200)
    t.equal(await status(app, 'https://www.example', { 'x-forwarded-host': 'evil.test, www.example' }), 200, 'the last one')
    t.equal(await status(app, 'https://evil.test', { 'x-forwarded-host': 'evil.test, www.example' }), 403)
    t.equal(await status(app, `https://${HOST}`), 200, 'without the header, Host')
  }
})

/** Older versions of Fastify believe the X-Forwarded-Host of everyone as soon as they trust anyone. */
async function believesAnyProxy (server: FastifyServerOptions, headers: Record<string, string>): Promise<boolean> {
  const app = Fastify(server)
  app.get('/', async (request) => request.host)
  const { body } = await app.inject({ url: '/', headers: { host: HOST, ...headers } })
  await app.close()
  return body !== HOST
}

t.test('X-Forwarded-Host of another proxy than the trusted one does not count', async (t) => {
  const [server, forwarded] = [{ trustProxy: '192.0.2.1' }, { 'x-forwarded-host': 'www.example', 'x-forwarded-proto': 'https' }]
  if (await believesAnyProxy(server, forwarded)) return t.plan(0, 'this Fastify believes the X-Forwarded-Host of proxies that it does not trust')
  const { app } = await enforced(t, ENFORCED, server)
  t.equal(await status(app, 'https://www.example', forwarded), 403)
  t.equal(await status(app, `https://${HOST}`, forwarded), 200)
})

t.test('every combination of Origin, Host and Sec-Fetch-Site is judged as by a naive reading', async (t) => {
  const { app } = await enforced(t)
  const hosts = fc.constantFrom('a.test', 'b.test', 'a.test:80', 'a.test:443', 'a.test:8080', 'b.test:8080')
  const origins = fc.oneof(fc.constantFrom(undefined, FOO, 'null', 'junk'), fc.tuple(fc.constantFrom('http', 'https', 'app'), fc.constantFrom('a.test', 'b.test', 'a.test:8080', 'a.test:443', 'a.test:80')).map(([scheme, host]) => `${scheme}://${host}`))
  const sites = fc.constantFrom(undefined, 'same-origin', 'same-site', 'cross-site', 'none')
  const seen = { 200: 0, 403: 0 }
  await fc.assert(fc.asyncProperty(origins, hosts, sites, async (origin, host, site) => {
    const url = origin !== undefined && URL.canParse(origin) ? new URL(origin) : undefined
    const isOwn = url !== undefined && origin === url.origin && (['http', 'https'].some((scheme) => new URL(`${scheme}://${host}`).host === url.host && (host.includes(':') ? Number(host.split(':')[1]) === Number(url.port || (url.protocol === 'https:' ? 443 : 80)) : true)))
    const goes = origin === undefined || origin === FOO || (site === undefined ? isOwn : site === 'same-origin' || site === 'none')
    const expected = goes ? 200 : 403
    seen[expected]++
    const actual = await status(app, origin, { host, ...(site !== undefined && { 'sec-fetch-site': site }) })
    if (actual !== expected) throw new Error(`${String(origin)} to ${host}, ${String(site)}: ${actual}`)
  }), { numRuns: 1000 })
  t.ok(seen[200] > 100 && seen[403] > 100, JSON.stringify(seen))
})

t.test('enforceOrigin does not change the answers to preflights', async (t) => {
  const { app } = await enforced(t)
  app.options('/own', { config: { cors: ENFORCED } }, ok)
  t.ok(approves(await preflight(app, 'PUT', '/'), 'PUT'))
  const refused = await preflight(app, 'PUT', '/', { origin: EVIL })
  t.equal(refused.statusCode, 403)
  t.equal(refused.body, '')
  t.equal((await preflight(app, 'PUT', '/', { origin: `https://${HOST}`, headers: { host: HOST } })).statusCode, 403)
  t.equal((await preflight(app, 'PUT', '/own', { origin: EVIL })).statusCode, 200, "the user's own OPTIONS route")
  t.equal((await request(app, 'OPTIONS', '/own', EVIL)).statusCode, 403, 'which is a route like any other for what is no preflight')
})

t.test('enforceOrigin works with origin functions, origin lists and credentials for some', async (t) => {
  const list = originList([FOO])
  const asked: string[] = []
  const app = await application(t)
  const declare = (url: string, policy: object): unknown => app.post(url, { config: { cors: { ...policy, enforceOrigin: true } as cors.RouteCors } }, ok)
  declare('/sync', { origin: (origin: string) => origin === FOO })
  declare('/async', { origin: async (origin: string) => { asked.push(origin); await setTimeout(1); return origin === FOO } })
  declare('/failing', { origin: async () => { throw new Error('out of order') } })
  declare('/list', { origin: list })
  declare('/some', { origin: FOO, credentials: [BAR] })
  const statusOf = async (url: string, origin: string, headers = {}): Promise<number> => (await request(app, 'POST', url, origin, { headers })).statusCode
  for (const url of ['/sync', '/async', '/list', '/some']) t.strictSame([await statusOf(url, FOO), await statusOf(url, EVIL)], [200, 403], url)
  t.strictSame(asked, [FOO, EVIL], 'a function is asked once')
  t.equal(await statusOf('/failing', FOO), 403, 'unknown means refused')
  t.equal(await statusOf('/async', EVIL, { 'sec-fetch-site': 'same-origin' }), 200)
  list.replace([BAR])
  t.strictSame([await statusOf('/list', FOO), await statusOf('/list', BAR)], [403, 200])
  t.equal(await statusOf('/some', BAR), 200)
})

t.test('enforceOrigin is inherited and replaced, refuses nobody where everyone may read, and makes policies unequal', async (t) => {
  const app = await application(t, { policies: { enforced: { origin: FOO, enforceOrigin: true }, open: { origin: '*' } } })
  app.post('/inherited', { config: { cors: { extends: 'enforced' } } }, ok)
  app.post('/lifted', { config: { cors: { extends: 'enforced', enforceOrigin: false } } }, ok)
  app.put('/', { config: { cors: { extends: 'enforced' } } }, ok)
  app.delete('/', { config: { cors: { origin: FOO } } }, ok)
  const problems = (policy: object): string[] => refusal(() => app.get('/', { config: { cors: policy as cors.RouteCors } }, ok)).problems.map(({ pointer, reason }) => `${pointer} ${reason}`)
  t.strictSame(problems({ origin: FOO, enforceOrigin: 'true' }), ['/enforceOrigin type'])
  t.strictSame(problems({ origin: FOO, enforceOrigin: 'log' }), ['/enforceOrigin type'])
  const open = Object.entries<cors.RouteCors>({ '/any': { origin: '*', enforceOrigin: true }, '/some': { origin: '*', credentials: [FOO], enforceOrigin: true }, '/extended': { extends: 'open', enforceOrigin: true }, '/opened': { extends: 'enforced', origin: '*' } })
  for (const [url, policy] of open) app.post(url, { config: { cors: policy } }, ok)
  for (const [url] of open) t.strictSame([(await request(app, 'POST', url, EVIL)).statusCode, (await request(app, 'POST', url, 'null')).statusCode], [200, 200], url)
  t.strictSame([(await request(app, 'POST', '/inherited', EVIL)).statusCode, (await request(app, 'POST', '/lifted', EVIL)).statusCode], [403, 200])
  t.equal((await preflight(app, 'PUT', '/')).headers['access-control-allow-methods'], 'PUT')
})

t.test('origin "*" with enforceOrigin means that everyone may call, and responses do not vary', async (t) => {
  const app = await application(t, { enforceOrigin: true })
  app.post('/open', { config: { cors: { origin: '*' } } }, ok)
  app.post('/declared', { config: { cors: { origin: '*', enforceOrigin: true } } }, ok)
  app.post('/some', { config: { cors: { origin: '*', credentials: [FOO], enforceOrigin: true } } }, ok)
  for (const origin of [FOO, EVIL, 'null', 'junk']) {
    for (const url of ['/open', '/declared']) {
      const response = await request(app, 'POST', url, origin)
      t.equal(response.statusCode, 200, `${url} from ${origin}`)
      t.strictSame(corsHeaders(response), { 'access-control-allow-origin': '*' })
    }
    t.equal((await request(app, 'POST', '/some', origin)).statusCode, 200)
  }
})

t.test('enforceOrigin of a registration holds for every route of the scope, those without a policy and 404s included; a policy overrides it', async (t) => {
  const app = await application(t, { enforceOrigin: true })
  const handled: string[] = []
  const handler = async ({ url }: FastifyRequest): Promise<string> => { handled.push(url); return 'ok' }
  app.post('/none', handler)
  app.post('/off', { config: { cors: false } }, handler)
  app.post('/one', { config: { cors: { origin: FOO } } }, handler)
  app.post('/lifted', { config: { cors: { origin: FOO, enforceOrigin: false } } }, handler)
  app.register(async (scope) => {
    await scope.register(cors, { enforceOrigin: false })
    scope.post('/child', handler)
  })
  app.register(async (scope) => {
    await scope.register(cors, {})
    scope.post('/inherits', handler)
  })
  const statusOf = async (url: string, origin?: string, headers = {}): Promise<number> => (await request(app, 'POST', url, origin, { headers })).statusCode
  for (const url of ['/none', '/off', '/one', '/nowhere', '/inherits']) {
    const response = await request(app, 'POST', url, EVIL)
    t.equal(response.statusCode, 403, url)
    t.match(response.json(), { code: 'FST_ERR_CORS_ORIGIN_REFUSED' })
    t.strictSame(corsHeaders(response), { vary: VARY })
  }
  t.strictSame(handled, [], 'no handler has run')
  for (const url of ['/none', '/off', '/inherits']) {
    t.equal(await statusOf(url, FOO), 403, 'nobody is allowed there')
    t.equal(await statusOf(url), 200)
    t.equal(await statusOf(url, EVIL, { 'sec-fetch-site': 'same-origin' }), 200)
    t.equal(await statusOf(url, `https://${HOST}`, { host: HOST }), 200)
  }
  t.equal(await statusOf('/one', FOO), 200)
  for (const url of ['/lifted', '/child']) t.equal(await statusOf(url, EVIL), 200, url)
})

t.test('enforceOrigin: "report" refuses nobody, and logs and publishes whom it would refuse', async (t) => {
  const { logger, lines } = logged('debug')
  const published: Array<Record<string, unknown>> = []
  const receive = (message: unknown): void => { published.push(message as Record<string, unknown>) }
  subscribe('fastify-cors-policy.refused', receive)
  t.teardown(() => unsubscribe('fastify-cors-policy.refused', receive))
  const app = await application(t, { enforceOrigin: 'report' }, { logger })
  app.post('/none', ok)
  app.post('/off', { config: { cors: false } }, ok)
  app.post('/one', { config: { cors: { origin: FOO } } }, ok)
  app.post('/all', { config: { cors: { origin: '*' } } }, ok)
  app.post('/enforced', { config: { cors: { origin: FOO, enforceOrigin: true } } }, ok)
  app.post('/lifted', { config: { cors: { origin: FOO, enforceOrigin: false } } }, ok)
  const refused = async (url: string, origin: string | undefined, headers = {}): Promise<unknown[]> => {
    published.length = 0
    const { statusCode } = await request(app, 'POST', url, origin, { headers: { host: HOST, ...headers } })
    return [statusCode, ...published.map(({ reason, enforced }) => [reason, enforced])]
  }
  t.strictSame(await refused('/none', EVIL), [200, ['no-policy', false]])
  t.strictSame(await refused('/off', EVIL), [200, ['off', false]])
  t.strictSame(await refused('/one', EVIL), [200, ['origin-not-allowed', false]])
  t.strictSame(await refused('/one', 'null'), [200, ['null-origin', false]])
  t.strictSame(await refused('/nowhere', EVIL), [404, ['no-route', false]])
  t.strictSame(await refused('/enforced', EVIL), [403, ['origin-not-allowed', true]])
  t.strictSame(await refused('/lifted', EVIL), [200, ['origin-not-allowed', undefined]], 'a refusal to read')
  t.strictSame(await refused('/all', EVIL), [200])
  t.strictSame(await refused('/one', FOO), [200])
  t.strictSame(await refused('/none', undefined), [200])
  t.strictSame(await refused('/none', EVIL, { 'sec-fetch-site': 'same-origin' }), [200])
  t.strictSame(await refused('/none', `https://${HOST}`), [200], "the application's own page")
  t.strictSame(corsHeaders(await request(app, 'POST', '/none', EVIL)), {}, 'a response that nobody changes')
  t.match(lines.find(({ cors }) => cors?.route === 'POST /one'), { level: 20, msg: 'CORS refuses a request: origin-not-allowed', cors: { enforced: false, origin: EVIL } })
})

t.test('GET and HEAD of an image or another response that pages embed pass, and nothing else with Sec-Fetch-Mode: no-cors does', async (t) => {
  const { app } = await enforced(t)
  const statusOf = async (method: string, mode: string): Promise<number> =>
    (await request(app, method, '/', EVIL, { headers: { 'sec-fetch-mode': mode, 'sec-fetch-site': 'cross-site', 'sec-fetch-storage-access': 'active' } })).statusCode
  for (const method of ['GET', 'HEAD']) t.equal(await statusOf(method, 'no-cors'), 200, method)
  for (const method of ['POST', 'PUT', 'DELETE']) t.equal(await statusOf(method, 'no-cors'), 403, method)
  for (const mode of ['cors', 'navigate', 'websocket', 'same-origin', 'No-Cors', '', 'no-cors, cors']) t.equal(await statusOf('GET', mode), 403, mode)
  t.strictSame(accessControl(await request(app, 'GET', '/', EVIL, { headers: { 'sec-fetch-mode': 'no-cors' } })), {}, 'and permit nothing')
})

t.test('hosts: a request to another host is answered 421 before any handler, on every route and 404, preflights included', async (t) => {
  const app = await application(t, { hosts: [HOST, 'localhost:*'], defaultPolicy: { origin: FOO } })
  const handled: string[] = []
  app.addHook('onRequest', async ({ url }) => { handled.push(url) })
  app.get('/', ok)
  app.put('/', ok)
  app.get('/off', { config: { cors: false } }, ok)
  app.register(async (scope) => {
    await scope.register(cors, { hosts: ['other.example'] })
    scope.get('/other', ok)
  })
  for (const host of ['evil.test', `${HOST}:8080`, `a.${HOST}`, `${HOST}.`]) {
    for (const url of ['/', '/off', '/nowhere']) {
      const response = await app.inject({ url, headers: { host } })
      t.equal(response.statusCode, 421, `${url} at ${host}`)
      t.match(response.json(), { code: 'FST_ERR_CORS_HOST_REFUSED' })
      t.notMatch(response.body, 'evil')
    }
    t.equal((await preflight(app, 'PUT', '/', { headers: { host } })).statusCode, 421)
    t.strictSame(accessControl(await preflight(app, 'PUT', '/', { headers: { host } })), {})
  }
  t.strictSame(handled, [])
  for (const host of [HOST, `${HOST}:80`, HOST.toUpperCase(), 'localhost:3000']) t.equal((await app.inject({ url: '/', headers: { host } })).statusCode, 200, host)
  t.equal((await preflight(app, 'PUT', '/', { headers: { host: HOST } })).statusCode, 204)
  t.equal((await app.inject({ url: '/other', headers: { host: 'other.example' } })).statusCode, 200)
  t.equal((await app.inject({ url: '/other', headers: { host: HOST } })).statusCode, 421)
})

t.test('a WebSocket upgrade to another host gets 421', async (t) => {
  const app = await application(t, { hosts: ['127.0.0.1:*'], enforceOrigin: true })
  await app.register(websocket)
  app.get('/events', { websocket: true, config: { cors: { origin: FOO } } }, (socket) => { socket.send('welcome') })
  app.get('/none', { websocket: true }, (socket) => { socket.send('welcome') })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const base = `ws://127.0.0.1:${portOf(app.server)}`
  t.equal(await greeting(`${base}/events`, FOO), 'welcome')
  for (const origin of [FOO, 'http://evil.test', undefined]) t.equal(await greeting(`${base}/events`, origin, { host: 'evil.test' }), 421, String(origin))
  t.equal(await greeting(`${base}/none`, EVIL), 403, 'a route without a policy')
  t.equal(await greeting(`${base}/none`, undefined), 'welcome')
})

t.test('error handlers get the error of a refused origin, and their response has no permission', async (t) => {
  const app = await application(t)
  app.setErrorHandler((error: Error & { code?: string, statusCode?: number }, _request, reply) => { reply.code(418).send({ code: error.code, status: error.statusCode }) })
  app.post('/', { config: { cors: ENFORCED } }, ok)
  app.post('/failing', { config: { cors: ENFORCED }, errorHandler: () => { throw new Error('the handler fails as well') } }, ok)
  const response = await request(app, 'POST', '/', EVIL)
  t.strictSame([response.statusCode, response.json()], [418, { code: 'FST_ERR_CORS_ORIGIN_REFUSED', status: 403 }])
  t.strictSame(corsHeaders(response), { vary: VARY })
  const failing = await request(app, 'POST', '/failing', EVIL)
  t.not(failing.statusCode, 200)
  t.strictSame(corsHeaders(failing), { vary: VARY })
})

t.test('a refused origin gets 403 in place of a 404 or for HEAD, where the default policy enforces origins', async (t) => {
  const ran: unknown[] = []
  const app = await application(t, { defaultPolicy: ENFORCED })
  app.setNotFoundHandler({ preValidation: async ({ body }: FastifyRequest) => { ran.push(body) } }, async (_request, reply) => { ran.push('handler'); return await reply.code(404).send('nothing') })
  app.get('/', ok)
  app.get('/off', { config: { cors: false } }, ok)
  t.strictSame([(await request(app, 'POST', '/nowhere', EVIL, { payload: { a: 1 } })).statusCode, ran], [403, []])
  t.equal((await request(app, 'POST', '/nowhere', FOO, { payload: { a: 1 } })).statusCode, 404)
  t.strictSame(ran, [{ a: 1 }, 'handler'])
  t.strictSame([(await request(app, 'HEAD', '/', EVIL)).statusCode, (await request(app, 'HEAD', '/', FOO)).statusCode], [403, 200])
  t.equal((await request(app, 'GET', '/off', EVIL)).statusCode, 200, 'a route without a policy is not concerned')
  t.equal((await preflight(app, 'GET', '/nowhere', { origin: EVIL })).statusCode, 403, 'nor is its preflight approved')
})

t.test('a WebSocket upgrade from a refused origin gets 403', async (t) => {
  const app = await application(t)
  await app.register(websocket)
  let opened = 0
  for (const [url, policy] of [
    ['/events', ENFORCED],
    ['/async', { origin: async (origin: string) => { await setTimeout(5); return origin === FOO }, enforceOrigin: true }],
    ['/open', { origin: FOO }]
  ] as const) {
    app.get(url, { websocket: true, config: { cors: policy } }, (socket) => { opened++; socket.send('welcome') })
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  const port = portOf(app.server)
  const greetingOf = (path: string, origin: string | undefined, headers = {}): Promise<unknown> => greeting(`ws://127.0.0.1:${port}${path}`, origin, headers)
  for (const url of ['/events', '/async']) {
    t.equal(await greetingOf(url, FOO), 'welcome', url)
    const before = opened
    for (const origin of [EVIL, 'null', `http://127.0.0.1:${port + 1}`]) t.equal(await greetingOf(url, origin), 403, `${url} from ${origin}`)
    t.equal(await greetingOf(url, EVIL, { 'sec-fetch-site': 'cross-site' }), 403)
    t.equal(opened, before, 'no handler has run')
    t.equal(await greetingOf(url, undefined), 'welcome', 'no browser')
    t.equal(await greetingOf(url, `http://127.0.0.1:${port}`), 'welcome', "the application's own page")
    t.equal(await greetingOf(url, EVIL, { 'sec-fetch-site': 'same-origin' }), 'welcome')
  }
  t.equal(await greetingOf('/open', EVIL), 'welcome', 'without enforceOrigin, nothing stands in the way')
})
