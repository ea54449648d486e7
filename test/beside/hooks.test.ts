// Beside the plugins that bring hooks: security headers, rate limits, compression, sessions, authentication, uploads, load shedding.
// Each is registered before the plugin and, in another application, after it.
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import bearerAuth from '@fastify/bearer-auth'
import compress from '@fastify/compress'
import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import fastifyJwt from '@fastify/jwt'
import multipart from '@fastify/multipart'
import rateLimit from '@fastify/rate-limit'
import session, { type SessionStore } from '@fastify/session'
import underPressure from '@fastify/under-pressure'
import cors from '../../lib/index'
import { EVIL, FOO, ok, ONE } from '../support'
import { logged } from '../support/log'
import { nothingTo, onlyFoo, onlyFooMay, PREFLIGHT_VARY, told, Traffic, type Sent } from '../support/traffic'

interface Given {
  readonly t: Test
  readonly app: FastifyInstance
  /** What the application logs at the level `warn` and above. */
  readonly warnings: readonly string[]
  readonly order: 'before' | 'after'
}

/** Tests another plugin on both sides of ours. */
function onBothSides (name: string, options: cors.CorsPluginOptions, register: (app: FastifyInstance) => unknown, body: (given: Given) => Promise<void>): void {
  for (const order of ['before', 'after'] as const) {
    t.test(`responses have the headers of their policy with ${name} registered ${order} the plugin`, async (t) => {
      const { logger, messages } = logged()
      const app = Fastify({ logger })
      if (order === 'before') await register(app)
      await app.register(cors, options)
      if (order === 'after') await register(app)
      await body({ t, app, warnings: messages, order })
    })
  }
}

onBothSides('@fastify/helmet', { defaultPolicy: ONE }, (app) => app.register(helmet), async ({ t, app, order }) => {
  app.get('/', ok)
  app.get('/closed', { config: { cors: false } }, ok)
  app.get('/own', { helmet: { crossOriginResourcePolicy: { policy: 'cross-origin' } } }, ok)
  const traffic = await Traffic.to(t, app)
  const protection = async (method: string, path: string, headers: Record<string, string> = {}): Promise<unknown> => (await traffic.send(method, path, FOO, { headers })).headers['cross-origin-resource-policy']
  for (const path of ['/', '/own']) {
    t.same(await traffic.told('GET', path), onlyFoo(200))
    t.same(await traffic.toldBefore('GET', path), onlyFooMay('GET, HEAD', {}, { status: 404, vary: 'Origin' }))
  }
  t.same(await traffic.told('GET', '/closed'), nothingTo(200))
  t.same(await traffic.toldBefore('GET', '/closed'), nothingTo(404, { vary: 'Origin' }))
  t.same(await traffic.told('GET', '/none'), onlyFoo(404))
  for (const path of ['/', '/closed', '/none']) t.equal(await protection('GET', path), 'same-origin', path)
  t.equal(await protection('GET', '/own'), 'cross-origin')
  t.equal(await protection('OPTIONS', '/', { 'access-control-request-method': 'GET' }), order === 'before' ? 'same-origin' : undefined, 'hooks of later plugins do not run on preflights')
})

const LIMITS = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'retry-after']

onBothSides('@fastify/rate-limit', { defaultPolicy: { ...ONE, exposedHeaders: LIMITS } }, (app) => app.register(rateLimit, { max: 3 }), async ({ t, app }) => {
  app.put('/', ok)
  app.put('/own', { config: { rateLimit: { max: 1, hook: 'preHandler' } } }, ok)
  app.setNotFoundHandler({ preHandler: app.rateLimit({ max: 9 }) }, (_request, reply) => { reply.code(404).send('none') })
  const traffic = await Traffic.to(t, app)
  const exposed = { 'access-control-expose-headers': LIMITS.join(', ') }
  const preflights = async (path: string): Promise<void> => {
    t.same(await traffic.toldBefore('PUT', path), onlyFooMay('PUT', { 'access-control-allow-headers': 'content-type' }, { status: 404, vary: 'Origin' }))
    t.same((await traffic.preflight('PUT', path)).headers['x-ratelimit-remaining'], undefined, 'preflights are not counted')
  }
  await preflights('/')
  const answer = await traffic.send('PUT', '/', FOO)
  t.match([answer.status, answer.headers['x-ratelimit-remaining']], [200, '2'], 'the first that counts')
  await preflights('/')
  t.same((await traffic.send('PUT', '/', EVIL)).headers['x-ratelimit-remaining'], '1')
  t.same((await traffic.send('PUT', '/')).headers['x-ratelimit-remaining'], '0')
  t.same(await traffic.told('PUT', '/'), onlyFoo(429, exposed))
  const refused = await traffic.send('PUT', '/', FOO)
  for (const name of LIMITS) t.ok(name in refused.headers, `a page may read ${name}`)
  await preflights('/')
  await preflights('/own')
  t.equal((await traffic.send('PUT', '/own')).status, 200)
  t.same(await traffic.told('PUT', '/own'), onlyFoo(429, exposed), 'limited in another hook')
  await preflights('/none')
  const remaining = async (): Promise<number> => Number((await traffic.send('PUT', '/none', FOO)).headers['x-ratelimit-remaining'])
  const left = await remaining()
  t.equal(await remaining(), left - 1, 'the not-found handler counts')
  for (let count = 0; count < left; count++) await remaining()
  t.same(await traffic.told('PUT', '/none'), onlyFoo(429, exposed))
  t.same(await traffic.toldBefore('PUT', '/none'), onlyFooMay('PUT', { 'access-control-allow-headers': 'content-type' }, { status: 429, vary: 'Origin' }))
})

t.test('a rate limit that is hooked on the instance before the plugin counts preflights', async (t) => {
  const app = Fastify()
  await app.register(rateLimit, { global: false })
  app.addHook('onRequest', app.rateLimit({ max: 2 }))
  await app.register(cors)
  app.addHook('onRequest', async () => { t.pass('reached') })
  app.put('/', { config: { cors: ONE } }, ok)
  const traffic = await Traffic.to(t, app)
  t.equal((await traffic.preflight('PUT', '/')).status, 204)
  t.equal((await traffic.send('PUT', '/', FOO)).status, 200)
  t.same(told(await traffic.preflight('PUT', '/')), { status: 429, vary: PREFLIGHT_VARY })
  t.same(await traffic.told('PUT', '/'), onlyFoo(429))
})

const LONG = 'long '.repeat(1000)

onBothSides('@fastify/compress', { defaultPolicy: ONE }, (app) => app.register(compress, { encodings: ['gzip'] }), async ({ t, app }) => {
  app.get('/text', async () => LONG)
  app.get('/off', { compress: false }, async () => LONG)
  app.get('/stream', async (_request, reply) => reply.type('text/plain').compress(LONG))
  app.get('/short', { compress: { threshold: 1 } }, async () => 'short')
  app.get('/varying', (_request, reply) => { reply.header('vary', 'Cookie').send(LONG) })
  app.get('/web', async () => new Response(LONG, { headers: { vary: 'Cookie', 'content-type': 'text/plain', 'access-control-allow-origin': '*' } }))
  app.get('/all', { config: { cors: { origin: '*' } } }, async () => LONG)
  const traffic = await Traffic.to(t, app)
  const gzip = { headers: { 'accept-encoding': 'gzip' } }
  for (const [path, vary] of [
    ['/text', 'accept-encoding, Origin'], ['/stream', 'accept-encoding, Origin'], ['/short', 'accept-encoding, Origin'],
    ['/varying', 'Cookie, accept-encoding, Origin'], ['/web', 'Cookie, accept-encoding, Origin']
  ] as const) {
    t.same(await traffic.told('GET', path, gzip), onlyFoo(200, {}, vary), path)
    const { headers, body } = await traffic.send('GET', path, FOO, gzip)
    t.equal(headers['content-encoding'], 'gzip')
    t.equal(String(gunzipSync(body)), path === '/short' ? 'short' : LONG)
    t.same(await traffic.toldBefore('GET', path, gzip.headers), onlyFooMay('GET, HEAD', {}, { status: 404, vary: 'Origin' }))
  }
  t.same(await traffic.told('GET', '/off', gzip), onlyFoo(200))
  t.same(await traffic.told('GET', '/all', gzip), nothingTo(200, { vary: 'accept-encoding', 'access-control-allow-origin': '*' }))
})

/** Sessions in memory, and how many there are. */
class Sessions implements SessionStore {
  readonly saved = new Map<string, Parameters<SessionStore['set']>[1]>()
  get (id: string, callback: Parameters<SessionStore['get']>[1]): void { callback(null, this.saved.get(id) ?? null) }
  set (id: string, value: Parameters<SessionStore['set']>[1], callback: (err?: unknown) => void): void { this.saved.set(id, value); callback() }
  destroy (id: string, callback: (err?: unknown) => void): void { this.saved.delete(id); callback() }
}

const store = new Sessions()

onBothSides('@fastify/cookie and @fastify/session', {}, async (app) => {
  await app.register(cookie)
  await app.register(session, { secret: 'a secret with a minimum of 32 characters', cookie: { secure: false, sameSite: 'none' }, store })
}, async ({ t, app, order }) => {
  const config = { cors: { origin: FOO, credentials: true } }
  app.post('/login', { config }, async (request) => { request.session.set('user' as never, 'ada' as never); return 'welcome' })
  app.get('/me', { config }, async (request) => request.session.get('user' as never) ?? 'nobody')
  const traffic = await Traffic.to(t, app)
  const credentials = { 'access-control-allow-credentials': 'true' }

  const before = store.saved.size
  t.same(await traffic.toldBefore('POST', '/login'), onlyFooMay('POST', { ...credentials, 'access-control-allow-headers': 'content-type' }))
  t.equal('set-cookie' in (await traffic.preflight('POST', '/login')).headers, order === 'before')
  // The third of four requests had no Origin: it got a 404, and a session like any other.
  t.equal(store.saved.size - before, order === 'before' ? 4 : 1, 'preflights carry no cookie: before the plugin, each makes a session that nobody uses')

  const login = await traffic.send('POST', '/login', FOO)
  t.same(told(login), onlyFoo(200, credentials).allowed)
  const sent: Sent = { headers: { cookie: (login.headers['set-cookie'] as string).split(';')[0] as string } }
  t.same(await traffic.told('GET', '/me', sent), onlyFoo(200, credentials))
  t.equal(String((await traffic.send('GET', '/me', FOO, sent)).body), 'ada')
  t.equal(String((await traffic.send('GET', '/me', FOO)).body), 'nobody')
})

/** What must be true of authentication by a bearer token, on either side. */
async function authentication ({ t, app, warnings, order }: Given, token: string): Promise<void> {
  const cors = { ...ONE, allowedHeaders: ['Authorization', 'Content-Type'], exposedHeaders: ['WWW-Authenticate'] }
  app.put('/', { config: { cors } }, ok)
  app.get('/closed', { config: { cors: false } }, ok)
  const traffic = await Traffic.to(t, app)
  const exposed = { 'access-control-expose-headers': 'WWW-Authenticate' }
  t.same(await traffic.told('PUT', '/', { headers: { authorization: `Bearer ${token}` } }), onlyFoo(200, exposed))
  for (const headers of [{}, { authorization: 'Bearer wrong' }] as Array<Record<string, string>>) t.same(await traffic.told('PUT', '/', { headers }), onlyFoo(401, exposed))
  t.same(await traffic.told('GET', '/closed'), nothingTo(401))
  t.same(warnings.filter((warning) => warning.includes('cors')), [])

  const asked = await traffic.toldBefore('PUT', '/', { 'access-control-request-headers': 'authorization' })
  if (order === 'after') {
    t.same(asked, onlyFooMay('PUT', { 'access-control-allow-headers': 'Authorization, Content-Type' }, { status: 401 }))
  } else {
    const refused = { status: 401, vary: PREFLIGHT_VARY }
    t.same(asked, { allowed: refused, refused, absent: { status: 401 } })
    await traffic.preflight('PUT', '/')
  }
  const said = warnings.filter((warning) => warning.includes('registered before fastify-cors-policy'))
  t.equal(said.length, order === 'after' ? 0 : 1, 'said once')
}

onBothSides('@fastify/bearer-auth', {}, (app) => app.register(bearerAuth, { keys: ['key'] }), async (given) => {
  await authentication(given, 'key')
})

onBothSides('@fastify/jwt', {}, async (app) => {
  await app.register(fastifyJwt, { secret: 'secret' })
  app.addHook('onRequest', async (request) => { await request.jwtVerify() })
}, async (given) => {
  await authentication(given, given.app.jwt.sign({ user: 'ada' }))
})

onBothSides('@fastify/multipart', {}, (app) => app.register(multipart, { limits: { fileSize: 10, files: 1 } }), async ({ t, app }) => {
  app.post('/upload', { config: { cors: ONE } }, async (request) => {
    const contents = []
    for await (const file of request.files()) contents.push(await file.toBuffer())
    return contents.join()
  })
  const traffic = await Traffic.to(t, app)

  /** A form with files, as a page sends it. */
  const form = async (...contents: string[]): Promise<Sent> => {
    const data = new FormData()
    for (const content of contents) data.append('file', new Blob([content]), 'file.txt')
    const encoded = new Response(data)
    return { headers: { 'content-type': encoded.headers.get('content-type') as string }, body: Buffer.from(await encoded.arrayBuffer()) }
  }
  t.same(await traffic.told('POST', '/upload', await form('short')), onlyFoo(200))
  t.equal(String((await traffic.send('POST', '/upload', FOO, await form('short'))).body), 'short')
  t.same(await traffic.told('POST', '/upload', await form('longer than ten bytes')), onlyFoo(413), 'a file too large')
  t.same(await traffic.told('POST', '/upload', await form('one', 'two')), onlyFoo(413), 'too many files')
  t.same(await traffic.told('POST', '/upload', { headers: { 'content-type': 'application/json' }, body: '{}' }), onlyFoo(406), 'no form')
  t.same(await traffic.toldBefore('POST', '/upload'), onlyFooMay('POST', { 'access-control-allow-headers': 'content-type' }))
})

onBothSides('@fastify/under-pressure', {}, (app) => app.register(underPressure, {
  healthCheck: async () => false,
  exposeStatusRoute: { url: '/status', routeOpts: { config: { cors: { ...ONE, exposedHeaders: ['Retry-After'] } } } },
  message: 'too busy'
}), async ({ t, app, order }) => {
  app.put('/', { config: { cors: { ...ONE, exposedHeaders: ['Retry-After'] } } }, ok)
  app.get('/closed', { config: { cors: false } }, ok)
  const traffic = await Traffic.to(t, app)
  const exposed = { 'access-control-expose-headers': 'Retry-After' }
  for (const [method, path] of [['PUT', '/'], ['GET', '/status']] as const) {
    t.same(await traffic.told(method, path), onlyFoo(503, exposed), path)
    t.ok('retry-after' in (await traffic.send(method, path, FOO)).headers)
  }
  t.same(await traffic.told('GET', '/closed'), nothingTo(503))
  const refused = { status: 503, vary: PREFLIGHT_VARY }
  for (const [method, path, approved] of [
    ['PUT', '/', onlyFooMay('PUT', { 'access-control-allow-headers': 'content-type' }, { status: 503 })],
    ['GET', '/status', onlyFooMay('GET, HEAD', {}, { status: 503 })]
  ] as const) {
    t.same(await traffic.toldBefore(method, path), order === 'after' ? approved : { allowed: refused, refused, absent: { status: 503 } }, `the preflight of ${path}`)
  }
})
