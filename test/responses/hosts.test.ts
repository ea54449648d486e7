// The option `hosts`: a request to another host is answered 421 before any handler, however the host is written, on every route of the scope.
import { connect } from 'node:http2'
import Fastify, { type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import cors from '../../lib/index'
import { accessControl, application, EVIL, FOO, ok, preflight, request } from '../support'
import { logged } from '../support/log'
import { portOf } from '../support/ports'
import { exchange } from '../support/raw-http'

const HOSTS = ['api.example', '*.sub.example', 'localhost:*', '[::1]:3000', '127.0.0.1:8080']
const REFUSED = { statusCode: 421, code: 'FST_ERR_CORS_HOST_REFUSED', error: 'Misdirected Request', message: 'This server does not answer for this host' }

/** A listening application that counts what reaches a handler. */
async function listening (t: Test, server: FastifyServerOptions = {}): Promise<{ port: number, ran: string[] }> {
  const ran: string[] = []
  const app = await application(t, { hosts: HOSTS }, server)
  app.addContentTypeParser('*', (_request, payload, done) => { ran.push('parser'); payload.resume(); done(null, '') })
  app.addHook('onRequest', async () => { ran.push('onRequest') })
  app.setNotFoundHandler(async (_request, reply) => { ran.push('404'); return await reply.code(404).send() })
  app.route({ method: ['GET', 'POST'], url: '/', handler: async () => { ran.push('handler'); return 'ok' } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: portOf(app.server), ran }
}

const statusOf = async (port: number, lines: readonly string[]): Promise<number> => Number((await exchange(port, `${lines.join('\r\n')}\r\n\r\n`)).split(' ')[1])

t.test('over a socket, a request to another host reaches no hook, parser or handler', async (t) => {
  const { port, ran } = await listening(t)
  const ask = (host: string, target = '/', method = 'GET'): Promise<number> => statusOf(port, [`${method} ${target} HTTP/1.1`, `Host: ${host}`, 'Connection: close'])
  for (const host of [
    'evil.example', 'evil.example:3000', 'api.example.', 'api.example:8080', 'xapi.example', 'api.example.evil.test', 'sub.example', '127.0.0.1', '127.0.0.1:8081', '[::1]', '[::1]:3001', '[::2]:3000', '::1', '[0:0:0:0:0:0:0:1]:3000', '0.0.0.0:8080', '2130706433:8080',
    'localhost.', 'localhost:', 'localhost:0', 'localhost:1:80', 'localhost:65536', 'evil.example, localhost', 'evil.example@localhost', 'localhost@evil.example', 'localhost/evil', 'localhost#', 'http://localhost', '', '\xe9.example'
  ]) {
    t.equal(await ask(host), 421, host)
    t.equal(await ask(host, '/nowhere', 'HEAD'), 421)
  }
  t.strictSame(ran, [])
  for (const host of ['api.example', 'API.Example', 'api.example:443', 'api.example:80', 'a.b.sub.example', 'localhost', 'LOCALHOST:3000', '[::1]:3000', '127.0.0.1:8080']) t.equal(await ask(host), 200, host)
  const { length } = ran
  t.equal(await statusOf(port, ['GET / HTTP/1.0']), 421, 'no Host')
  t.equal(await statusOf(port, ['GET / HTTP/1.1', 'Connection: close']), 400, 'which Node itself refuses in HTTP/1.1')
  t.equal(await ask('api.example', 'http://evil.example/'), 421, 'an absolute target')
  t.equal(await ask('evil.example', 'http://api.example/'), 421)
  t.equal(ran.length, length)
  t.equal(await ask('api.example', 'http://API.example:80/?x'), 200)
  t.equal(await statusOf(port, ['GET / HTTP/1.1', 'Host: evil.example', 'Host: api.example', 'Connection: close']), 421, 'of two, the first counts, as it does for the router')
  t.equal(await statusOf(port, ['POST / HTTP/1.1', 'Host: evil.example', 'Content-Type: text/plain', 'Content-Length: 1000000', 'Connection: close']), 421, 'without waiting for its body')
  t.equal(await statusOf(port, ['GET / HTTP/1.1', 'Host: evil.example', 'X-Forwarded-Host: api.example', 'Forwarded: host=api.example', 'Connection: close']), 421)
})

t.test('two Host headers that Node joins are no host, and neither is what a server without requireHostHeader lets pass', async (t) => {
  const { port, ran } = await listening(t, { http: { joinDuplicateHeaders: true, requireHostHeader: false } } as never)
  t.equal(await statusOf(port, ['GET / HTTP/1.1', 'Host: api.example', 'Host: evil.example', 'Connection: close']), 421)
  t.equal(await statusOf(port, ['GET / HTTP/1.1', 'Connection: close']), 421)
  t.strictSame(ran, [])
})

t.test('X-Forwarded-Host counts where Fastify trusts the proxy', async (t) => {
  const statusFor = async (trustProxy: FastifyServerOptions['trustProxy'], headers: Record<string, string>): Promise<number> => {
    const app = await application(t, { hosts: ['api.example'] }, { ...(trustProxy !== undefined && { trustProxy }) })
    app.get('/', ok)
    return (await app.inject({ url: '/', headers })).statusCode
  }
  for (const trusted of [true, '127.0.0.1'] as const) {
    t.equal(await statusFor(trusted, { host: 'internal:3000', 'x-forwarded-host': 'api.example' }), 200, 'Host is what the proxy calls this server')
    t.equal(await statusFor(trusted, { host: 'api.example', 'x-forwarded-host': 'evil.example' }), 421)
    t.equal(await statusFor(trusted, { host: 'api.example', 'x-forwarded-host': 'api.example, evil.example' }), 421, 'the last one')
    t.equal(await statusFor(trusted, { host: 'api.example' }), 200)
    t.equal(await statusFor(trusted, { host: 'evil.example' }), 421)
  }
  t.equal(await statusFor(undefined, { host: 'evil.example', 'x-forwarded-host': 'api.example' }), 421)
})

t.test('in HTTP/2, :authority is the host, and Host beside it has to match as well', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(() => app.close())
  await app.register(cors, { hosts: ['api.example'] })
  app.get('/', ok)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const session = connect(`http://127.0.0.1:${portOf(app.server)}`)
  t.teardown(() => session.close())
  const status = (headers: object): Promise<number> => new Promise((resolve, reject) => {
    session.request({ ':path': '/', ...headers }).on('response', (response) => resolve(response[':status'] as number)).on('error', reject).resume()
  })
  t.equal(await status({ ':authority': 'api.example' }), 200)
  t.equal(await status({ ':authority': 'API.example:443' }), 200)
  t.equal(await status({ ':authority': 'evil.example' }), 421)
  t.equal(await status({ ':authority': 'evil.example', host: 'api.example' }), 421)
  t.equal(await status({ ':authority': 'api.example', host: 'evil.example' }), 421)
  t.equal(await status({ ':authority': 'evil.example', upgrade: 'websocket' }).catch(() => 421), 421)
})

t.test('a refused host gets no CORS headers, asks no policy, and is not taken for the work of another hook', async (t) => {
  const asked: string[] = []
  const { logger, messages } = logged('warn')
  const app = await application(t, { hosts: ['api.example'], enforceOrigin: true }, { logger })
  app.put('/', { config: { cors: { origin: [FOO, 'https://x.example'], credentials: true, timingOrigin: true } } }, ok)
  app.put('/asked', { config: { cors: { origin: (origin) => asked.push(origin) > 0 } } }, ok)
  app.options('/mine', ok)
  for (const url of ['/', '/asked', '/mine', '/nowhere']) {
    for (const response of [await preflight(app, 'PUT', url), await request(app, 'PUT', url, FOO)]) {
      t.strictSame([response.statusCode, response.json(), accessControl(response), response.headers['timing-allow-origin']], [421, REFUSED, {}, undefined], url)
      t.equal(response.headers.vary, undefined, 'caches have the host in their key')
    }
  }
  t.strictSame([asked, messages], [[], []])
  const own = { headers: { host: 'api.example' } }
  t.equal((await preflight(app, 'PUT', '/', own)).statusCode, 204)
  t.equal((await request(app, 'PUT', '/', FOO, own)).statusCode, 200)
})

t.test('an error handler gets the error of a refused host, with its code and status', async (t) => {
  const app = await application(t, { hosts: ['api.example'] })
  app.setErrorHandler((error: Error & { code?: string, statusCode?: number }, _request, reply) => { reply.code(418).header('access-control-allow-origin', '*').send({ code: error.code, status: error.statusCode }) })
  app.get('/', ok)
  const response = await request(app, 'GET', '/', EVIL)
  t.strictSame([response.statusCode, response.json(), accessControl(response)], [418, { code: 'FST_ERR_CORS_HOST_REFUSED', status: 421 }, {}])
})

t.test('a nested registration inherits hosts, or replaces them for its routes and their preflights', async (t) => {
  const app = await application(t, { hosts: ['api.example'], policies: { foo: { origin: FOO } } })
  app.register(async (child) => {
    await child.register(cors, { defaultPolicy: 'foo' })
    child.put('/', ok)
  }, { prefix: '/inherits' })
  app.register(async (child) => {
    await child.register(cors, { hosts: ['admin.example'] })
    child.put('/', { config: { cors: { extends: 'foo' } } }, ok)
  }, { prefix: '/admin' })
  const statuses = async (url: string, host: string): Promise<number[]> => [(await preflight(app, 'PUT', url, { headers: { host } })).statusCode, (await request(app, 'PUT', url, FOO, { headers: { host } })).statusCode]
  t.strictSame(await statuses('/inherits', 'api.example'), [204, 200])
  t.strictSame(await statuses('/inherits', 'admin.example'), [421, 421])
  t.strictSame(await statuses('/admin', 'admin.example'), [204, 200])
  t.strictSame(await statuses('/admin', 'api.example'), [421, 421])
  t.equal((await request(app, 'GET', '/nowhere', undefined, { headers: { host: 'admin.example' } })).statusCode, 421)
})

t.test('explain asks about a path at a host of the application', async (t) => {
  for (const [hosts, host] of [[['api.example', 'b.example'], 'api.example'], [['*.api.example:*'], 'any.api.example'], [['[::1]:3000'], '[::1]:3000']] as const) {
    const app = await application(t, { hosts: [...hosts] })
    app.put('/', { config: { cors: { origin: FOO } } }, async (request) => request.host)
    t.match(await app.cors.explain({ origin: FOO, method: 'PUT', url: '/' }), { allowed: true }, host)
    t.match(await app.cors.explain({ origin: FOO, method: 'PUT', url: 'http://evil.example/' }), { allowed: false, reason: 'answered-before' })
  }
})

t.test('wrong hosts are refused where the plugin is registered, all at once', async (t) => {
  const problems = async (hosts: unknown): Promise<string[]> => {
    const app = Fastify()
    t.teardown(() => app.close())
    const error = await Promise.resolve(app.register(cors, { hosts } as never)).then(() => undefined, (error: cors.CorsPolicyError) => error)
    t.equal(error?.code, 'FST_ERR_CORS_INVALID_POLICY')
    return error?.problems.map(({ pointer, reason, message }) => `${pointer} ${reason}: ${message}`) ?? []
  }
  t.match(await problems([]), ['/hosts invalid: an empty array refuses every request; write the hosts'])
  t.match(await problems('api.example'), ['/hosts type: '])
  t.strictSame(await problems(['ok.example', 'https://api.example', 'api.example/x', 'API.example', null]), [
    '/hosts/1 not-canonical: "https://api.example" is not a host as browsers send it; write "api.example"',
    '/hosts/2 not-canonical: "api.example/x" is not a host as browsers send it; write "api.example"',
    '/hosts/3 not-canonical: "API.example" is not a host as browsers send it; write "api.example"',
    '/hosts/4 type: null is not a host as browsers send it; write "api.example.com"'
  ])
})
