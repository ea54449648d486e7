// enforceOrigin as an option of a registration: it holds for every route of the scope, for 404s and upgrades, whatever a route declares.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import cors, { type CorsRefusalMessage } from '../../lib/index'
import { accessControl, application, approves, BAR, corsHeaders, EVIL, FOO, ok, preflight, request } from '../support'
import { logged } from '../support/log'
import { portOf } from '../support/ports'
import { exchange, send } from '../support/raw-http'
import { greeting } from '../support/web-socket'

const VARY = 'Origin, Sec-Fetch-Site, Sec-Fetch-Mode'

/** What is published on the channel until the test ends. */
function published (t: Test): CorsRefusalMessage[] {
  const messages: CorsRefusalMessage[] = []
  const listener = (message: unknown): void => { messages.push(message as CorsRefusalMessage) }
  subscribe('fastify-cors-policy.refused', listener)
  t.teardown(() => { unsubscribe('fastify-cors-policy.refused', listener) })
  return messages
}

t.test('enforceOrigin of a registration holds for routes with a policy, without one, with false, and for 404s', async (t) => {
  const handled: string[] = []
  const app = await application(t, { enforceOrigin: true })
  const handler = async ({ url }: FastifyRequest): Promise<string> => { handled.push(url); return 'ok' }
  app.setNotFoundHandler(async (request, reply) => await reply.code(404).send(await handler(request)))
  const route = (url: string, policy?: cors.RouteCors): unknown => app.route({ method: ['GET', 'POST', 'PUT', 'DELETE'], url, ...(policy !== undefined && { config: { cors: policy } }), handler })
  route('/policy', { origin: FOO })
  route('/none')
  route('/off', false)
  route('/lifted', { origin: FOO, enforceOrigin: false })
  route('/any', { origin: '*' })
  for (const url of ['/policy', '/none', '/off', '/nowhere']) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD'] as const) {
      for (const origin of [EVIL, 'null', 'x']) {
        const response = await request(app, method, url, origin)
        t.equal(response.statusCode, 403, `${method} ${url} from ${origin}`)
        t.strictSame(corsHeaders(response), { vary: VARY })
      }
    }
    const expected = url === '/nowhere' ? 404 : 200
    t.equal((await request(app, 'POST', url, undefined)).statusCode, expected, `${url} without an Origin`)
    t.equal((await request(app, 'POST', url, EVIL, { headers: { 'sec-fetch-site': 'same-origin' } })).statusCode, expected)
    t.equal((await request(app, 'GET', url, EVIL, { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } })).statusCode, expected, 'an image with storage access')
    t.equal((await request(app, 'POST', url, EVIL, { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } })).statusCode, 403, 'but not a beacon')
  }
  t.strictSame(handled.length, 12, 'no other handler has run')
  for (const url of ['/lifted', '/any']) t.equal((await request(app, 'POST', url, EVIL)).statusCode, 200, url)
  t.equal((await request(app, 'POST', '/policy', FOO)).statusCode, 200)
  t.strictSame(corsHeaders(await request(app, 'POST', '/any', EVIL)), { 'access-control-allow-origin': '*' })
})

t.test('a route that declares nothing keeps its own CORS headers, for what is not refused', async (t) => {
  const app = await application(t, { enforceOrigin: true })
  app.get('/own', async (_request, reply) => await reply.header('access-control-allow-origin', BAR).header('vary', 'Accept').send('x'))
  const response = await request(app, 'GET', '/own')
  t.strictSame(corsHeaders(response), { 'access-control-allow-origin': BAR, vary: `Accept, ${VARY}` })
  t.strictSame(accessControl(await request(app, 'GET', '/own', EVIL)), {}, 'which its handler never sets for what is')
})

t.test('enforceOrigin does not change preflights, nor what is no request of a page', async (t) => {
  const app = await application(t, { enforceOrigin: true })
  app.put('/', { config: { cors: { origin: FOO } } }, ok)
  app.options('/mine', async () => 'mine')
  t.ok(approves(await preflight(app, 'PUT', '/'), 'PUT'))
  t.equal((await preflight(app, 'PUT', '/', { origin: EVIL })).statusCode, 403)
  t.equal((await preflight(app, 'PUT', '/mine', { origin: EVIL })).body, 'mine', 'a preflight reaches an OPTIONS route of the application: it carries no credentials')
  t.equal((await request(app, 'OPTIONS', '/mine', EVIL)).statusCode, 403, 'another OPTIONS request does not')
})

t.test('"report" lets everything pass, and reports each refusal with enforced: false', async (t) => {
  const messages = published(t)
  const { logger, lines } = logged('debug')
  const app = await application(t, { enforceOrigin: 'report', refusalLogLevel: 'warn' }, { logger })
  app.post('/policy', { config: { cors: { origin: [FOO, BAR] } } }, ok)
  app.post('/none', ok)
  app.post('/off', { config: { cors: false } }, ok)
  app.post('/enforced', { config: { cors: { origin: FOO, enforceOrigin: true } } }, ok)
  app.post('/unenforced', { config: { cors: { origin: FOO, enforceOrigin: false } } }, ok)
  const expected = [['/policy', 200, 'origin-not-allowed', false], ['/none', 200, 'no-policy', false], ['/off', 200, 'off', false], ['/nowhere', 404, 'no-route', false], ['/enforced', 403, 'origin-not-allowed', true], ['/unenforced', 200, 'origin-not-allowed', undefined]] as const
  for (const [url, status, reason, enforced] of expected) {
    const before = messages.length
    t.equal((await request(app, 'POST', url, EVIL)).statusCode, status, url)
    t.strictSame(messages.slice(before).map(({ reason, enforced }) => [reason, enforced]), [[reason, enforced]])
    const line = lines.filter((line) => 'cors' in line).at(-1)
    t.match(line, { level: 40, cors: { reason, origin: EVIL, ...(enforced !== undefined && { enforced }) } })
  }
  const { length } = messages
  for (const headers of [{ 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none', origin: '' }]) await request(app, 'POST', '/none', EVIL, { headers })
  await request(app, 'POST', '/none')
  t.equal(messages.length, length, 'what would pass is not reported')
  t.equal((await request(app, 'POST', '/policy', EVIL)).headers.vary, 'Origin', 'and no response varies by it')
})

t.test('a nested registration inherits enforceOrigin, or replaces it', async (t) => {
  const app = await application(t, { enforceOrigin: true })
  app.register(async (child) => { child.post('/plain', ok) }, { prefix: '/plain' })
  app.register(async (child) => {
    await child.register(cors, { policies: { child: { origin: BAR } } })
    child.post('/', { config: { cors: { extends: 'child' } } }, ok)
    child.post('/none', ok)
  }, { prefix: '/inherits' })
  app.register(async (child) => {
    await child.register(cors, { enforceOrigin: false })
    child.post('/', ok)
    child.setNotFoundHandler((_request, reply) => { reply.code(404).send('child') })
  }, { prefix: '/lifts' })
  const statusOf = async (url: string, origin = EVIL): Promise<number> => (await request(app, 'POST', url, origin)).statusCode
  t.strictSame([await statusOf('/plain/plain'), await statusOf('/inherits'), await statusOf('/inherits', BAR), await statusOf('/inherits/none')], [403, 403, 200, 403])
  t.strictSame([await statusOf('/lifts'), await statusOf('/lifts/nowhere'), await statusOf('/nowhere')], [200, 404, 403])
})

t.test('nothing of a refused request reaches a parser, a handler or a later hook, over a socket', async (t) => {
  const ran: string[] = []
  const app = await application(t, { enforceOrigin: true })
  app.addContentTypeParser('*', (_request, payload, done) => { ran.push('parser'); payload.resume(); done(null, '') })
  for (const hook of ['onRequest', 'preValidation', 'preHandler'] as const) app.addHook(hook, async () => { ran.push(hook) })
  app.addHook('preParsing', async () => { ran.push('preParsing') })
  app.post('/', async () => { ran.push('handler') })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const lines = ['Host: a.test', `Origin: ${EVIL}`, 'Content-Type: text/plain', 'Content-Length: 1000000', 'Connection: close']
  for (const path of ['/', '/nowhere', 'http://a.test/']) t.equal((await send(portOf(app.server), [`POST ${path} HTTP/1.1`, ...lines])).statusLine, 'HTTP/1.1 403 Forbidden', path)
  t.strictSame(ran, [])
})

for (const order of ['before', 'after'] as const) {
  t.test(`upgrades of refused origins and hosts get 403 and 421, with @fastify/websocket registered ${order}`, async (t) => {
    const ran: string[] = []
    const app = Fastify()
    t.teardown(() => app.close())
    if (order === 'before') await app.register(websocket)
    await app.register(cors, { enforceOrigin: true, hosts: ['127.0.0.1:*', 'localhost:*'] })
    if (order === 'after') await app.register(websocket)
    app.addHook('onRequest', async ({ url }) => { ran.push(url) })
    app.get('/none', { websocket: true }, (socket) => { ran.push('handler'); socket.send('welcome') })
    app.get('/late', { websocket: true, config: { cors: { origin: async (origin) => { await setTimeout(1); return origin === FOO } } } }, (socket) => { socket.send('welcome') })
    app.get('/page', ok)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const address = `127.0.0.1:${portOf(app.server)}`
    for (const path of ['/none', '/late', '/page', '/nowhere']) {
      t.equal(await greeting(`ws://${address}${path}`, EVIL), 403, path)
      t.equal(await greeting(`ws://${address}${path}`, EVIL, { host: 'evil.test', 'sec-fetch-site': 'same-origin' }), 421)
      t.equal(await greeting(`ws://${address}${path}`, undefined, { host: 'evil.test' }), 421)
    }
    t.strictSame(ran, [], 'no handler, and no hook that was registered later')
    t.equal(await greeting(`ws://${address}/none`, undefined), 'welcome')
    t.equal(await greeting(`ws://${address}/none`, `http://${address}`), 'welcome', "the application's own page")
    t.equal(await greeting(`ws://${address}/late`, FOO), 'welcome')
    // `exchange` ends only when the server closes the connection.
    const upgrade = (lines: string[]): Promise<string> => exchange(portOf(app.server), ['GET /none HTTP/1.1', ...lines, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==', '', ''].join('\r\n'))
    t.match(await upgrade([`Host: ${address}`, `Origin: ${EVIL}`]), /^HTTP\/1\.1 403 Forbidden\r\n[^]*FST_ERR_CORS_ORIGIN_REFUSED/, 'and the connection is closed')
    t.match(await upgrade(['Host: evil.test']), /^HTTP\/1\.1 421 Misdirected Request\r\n[^]*FST_ERR_CORS_HOST_REFUSED/)
  })
}

t.test('an upgrade that nothing takes is refused as well, and so is one of injectWS', async (t) => {
  const plain = await application(t, { enforceOrigin: true })
  plain.get('/', ok)
  await plain.listen({ port: 0, host: '127.0.0.1' })
  const answer = await exchange(portOf(plain.server), `GET / HTTP/1.1\r\nHost: a\r\nOrigin: ${EVIL}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
  t.match(answer, /^HTTP\/1\.1 403 /)
  const app = await application(t, { enforceOrigin: true })
  await app.register(websocket)
  app.get('/', { websocket: true }, (socket) => { socket.send('welcome') })
  await app.ready()
  await t.rejects(app.injectWS('/', { headers: { origin: EVIL, host: 'a' } }), /403/)
  const socket = await app.injectWS('/', { headers: { host: 'a' } })
  socket.terminate()
})
