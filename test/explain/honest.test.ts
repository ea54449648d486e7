// What explain must not say: each of these answers was wrong once. Of each, the nearest case shows that the right answer is not given everywhere.
import t, { type Test } from 'tap'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import diagnostics from 'node:diagnostics_channel'
import cors, { type CorsPluginOptions } from '../../lib/index'
import { fastify, HAS_HANDLER_TIMEOUT } from '../support/features'

const APP = 'https://app.example.com'
const EVIL = 'https://evil.example'

async function application (t: Test, options: CorsPluginOptions = {}, server: FastifyServerOptions = {}): Promise<FastifyInstance> {
  const app = fastify(server)
  t.teardown(() => app.close())
  await app.register(cors, options)
  return app
}

const never = async (): Promise<never> => { throw new Error('a handler ran') }

t.test('what rewriteUrl makes of a URL is what is explained', async (t) => {
  const app = await application(t, {}, { rewriteUrl: ({ url = '' }) => url.replace(/^\/prod/, '') })
  app.put('/items/:id', { config: { cors: { origin: [APP] } } }, never)
  app.get('/items/:id', { config: { cors: { origin: [APP] } } }, never)
  for (const method of ['PUT', 'GET']) {
    t.match(await app.cors.explain({ origin: APP, method, url: '/prod/items/7' }), { allowed: true, route: { method, url: '/items/:id' }, exchanges: [{ request: { url: '/prod/items/7' } }] })
    t.match(await app.cors.explain({ origin: EVIL, method, url: '/prod/items/7' }), { reason: 'origin-not-allowed' })
  }
  t.match(await app.cors.explain({ origin: APP, url: '/prod/nothing' }), { reason: 'no-route' })
})

t.test('advice never opens a route', async (t) => {
  const app = await application(t, { policies: { public: { origin: '*' }, partner: { origin: [APP] } } })
  app.delete('/items/:id', { config: { cors: false } }, never)
  app.get('/items/:id', { config: { cors: { extends: 'partner' } } }, never)
  app.get('/plain', never)
  app.delete('/alone', { config: { cors: false } }, never)
  for (const origin of [EVIL, APP, 'null', 'https://a_b.example']) {
    for (const [method, url] of [['DELETE', '/items/7'], ['GET', '/plain'], ['DELETE', '/alone'], ['GET', '/nothing'], ['PATCH', '/items/7']]) {
      const { advice } = await app.cors.explain({ origin, method: method as string, url: url as string })
      t.notMatch(advice, /public|\*/, `${method} ${url} from ${origin}: ${advice}`)
    }
  }
  const off = async (origin: string, url: string): Promise<string | null> => (await app.cors.explain({ origin, method: 'DELETE', url })).advice
  t.match(await off(APP, '/items/7'), 'cors: false is a decision of whoever declared DELETE /items/:id; if pages of other origins are meant to use it, write config: { cors: { extends: "partner" } }, as GET /items/:id does, in its place')
  t.match(await off(EVIL, '/items/7'), 'write a policy that lists this origin in its place')
  t.match(await off(APP, '/alone'), 'write a policy that lists this origin in its place')
})

t.test('an origin that the URL\'s other methods refuse is told no policy for a route that is missing or has none', async (t) => {
  const app = await application(t, { policies: { partner: { origin: [APP] } } })
  app.get('/items/:id', { config: { cors: { extends: 'partner' } } }, never)
  app.post('/items/:id', never)
  app.put('/open', { config: { cors: { origin: '*' } } }, never)
  for (const [method, start] of [['PATCH', 'declare a route for PATCH at this URL, with'], ['POST', 'write']] as const) {
    const advice = async (origin: string, url = '/items/7'): Promise<string | null> => (await app.cors.explain({ origin, method, url })).advice
    t.match(await advice(EVIL), `${start} a policy, if pages of "${EVIL}" are meant to use it: that of GET /items/:id does not list this origin`)
    t.match(await advice(APP), `${start} config: { cors: { extends: "partner" } }`, 'the nearest case')
  }
  t.match((await app.cors.explain({ origin: EVIL, method: 'PATCH', url: '/open' })).advice, 'config: { cors: { origin: "https://evil.example" } }', 'where they refuse nobody')
})

t.test('what the exchange shows wins over the routing table', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.url.startsWith('/socket')) return done()
    reply.hijack()
    reply.raw.writeHead(204, { 'access-control-allow-origin': '*', 'access-control-allow-methods': '*' }).end()
  })
  await app.register(cors)
  app.put('/plain', never)
  app.put('/socket/plain', never)
  for (const method of ['GET', 'PUT']) {
    t.match(await app.cors.explain({ origin: APP, method, url: '/socket' }), {
      allowed: false,
      reason: 'answered-before',
      message: `no route answers ${method} "/socket", but a hook or another plugin answered a preflight for it with 204; what it sets on the response is not known`,
      advice: `ask the running server, with explain https://… ${method}, or declare a route with a policy for it`
    })
    t.match(await app.cors.explain({ origin: APP, method, url: '/other' }), { reason: 'no-route' })
  }
  t.match((await app.cors.explain({ origin: APP, method: 'PUT', url: '/socket/plain' })).message, /has no default policy; something else answered its preflight with 204$/)
  t.match((await app.cors.explain({ origin: APP, method: 'PUT', url: '/plain' })).message, /has no default policy$/)
  // A route for OPTIONS answers nothing else.
  app.log.warn = () => {}
  const own = await application(t)
  own.options('*', async (_request, reply) => reply.code(204).header('access-control-allow-origin', '*').header('access-control-allow-methods', '*').send())
  t.match(await own.cors.explain({ origin: APP, method: 'PUT', url: '/nothing' }), { reason: 'no-route' })
})

t.test('the default policy answers preflights of a 404', async (t) => {
  const app = await application(t, { defaultPolicy: { origin: [APP] } })
  t.match(await app.cors.explain({ origin: APP, method: 'PUT', url: '/nothing', headers: { 'content-type': 'application/json' } }), {
    allowed: true, message: 'no route answers, but pages of "https://app.example.com" read the response: the default policy governs the 404', exchanges: [{ response: { statusCode: 204 } }, {}]
  })
  t.match(await app.cors.explain({ origin: EVIL, method: 'PUT', url: '/nothing' }), { allowed: false, reason: 'no-route', exchanges: [{ response: { statusCode: 403 } }] })
})

t.test('a host that the option hosts does not list is named', async (t) => {
  const app = await application(t, { hosts: ['api.example.com'] })
  app.put('/', { config: { cors: { origin: [APP] } } }, never)
  t.match(await app.cors.explain({ origin: APP, method: 'PUT', url: '/' }), { allowed: true }, 'a path is asked for at the first host')
  t.match(await app.cors.explain({ origin: APP, method: 'PUT', url: 'https://localhost/' }), {
    reason: 'answered-before', message: /^the option hosts of fastify-cors-policy does not list the host "localhost[:\d]*", so every request is answered 421$/, advice: /^add "localhost[:\d]*" to hosts, or ask about/
  })
  t.match(await app.cors.explain({ origin: APP, method: 'PUT', url: 'http://api.example.com/' }), { allowed: true })
})

t.test('the response of an enforced route varies by what enforcement looks at', async (t) => {
  const app = await application(t)
  app.get('/enforced', { config: { cors: { origin: [APP], enforceOrigin: true } } }, never)
  app.get('/plain', { config: { cors: { origin: [APP] } } }, never)
  const vary = async (url: string): Promise<string | undefined> => (await app.cors.explain({ origin: APP, url })).exchanges[0]?.response.headers['vary']
  t.equal(await vary('/enforced'), 'Origin, Sec-Fetch-Site, Sec-Fetch-Mode')
  t.equal(await vary('/plain'), 'Origin')
})

t.test('an origin function that never answers ends the question, and nothing is kept', async (t) => {
  const app = await application(t)
  app.put('/never', { config: { cors: { origin: async () => await new Promise<boolean>(() => {}) } } }, never)
  app.get('/never', { config: { cors: { origin: async () => await new Promise<boolean>(() => {}) } } }, never)
  const channel = diagnostics.channel('fastify-cors-policy.refused')
  const [put, get] = await Promise.all(['PUT', 'GET'].map(async (method) => await app.cors.explain({ origin: APP, method, url: '/never' })))
  for (const answer of [put, get]) t.match(answer, { allowed: false, reason: 'origin-function-failed', message: /did not answer in time/ })
  t.notOk(channel.hasSubscribers)
})

t.test('a hook that never answers is an error, not an answer', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  app.addHook('onRequest', () => {})
  await app.register(cors)
  app.put('/', { config: { cors: { origin: [APP] } } }, never)
  await t.rejects(app.cors.explain({ origin: APP, method: 'PUT', url: '/' }), { message: 'the application did not answer the preflight within 5 seconds' })
})

t.test('a function that handlerTimeout cuts off has failed', { skip: HAS_HANDLER_TIMEOUT ? false : 'this Fastify has no handlerTimeout' }, async (t) => {
  const app = await application(t, {}, { handlerTimeout: 50 })
  app.put('/late', { config: { cors: { origin: async () => await new Promise<boolean>(() => {}) } } }, never)
  t.match(await app.cors.explain({ origin: APP, method: 'PUT', url: '/late' }), { reason: 'origin-function-failed' })
})

t.test('a redirect, a refusal and another plugin\'s answer are told apart', async (t) => {
  const answering = async (status: number): Promise<string | null> => {
    const app = fastify()
    t.teardown(() => app.close())
    app.addHook('onRequest', async (_request, reply) => reply.code(status).header('location', 'https://api.example.com/').send())
    await app.register(cors)
    app.put('/', { config: { cors: { origin: [APP] } } }, never)
    const { reason, advice } = await app.cors.explain({ origin: APP, method: 'PUT', url: '/' })
    t.equal(reason, 'answered-before')
    return advice
  }
  t.match(await answering(301), /browsers follow no redirect for a preflight$/)
  t.match(await answering(401), /no hook can authenticate them$/)
  t.equal(await answering(503), 'register fastify-cors-policy before the hook or the plugin that answers')
  const app = await application(t)
  app.options('*', async (_request, reply) => reply.code(204).header('access-control-allow-origin', '*').header('access-control-allow-methods', '*').send())
  app.put('/off', { config: { cors: false } }, never)
  t.match(await app.cors.explain({ origin: APP, method: 'PUT', url: '/off' }), { reason: 'off', message: /may use it; something else answered its preflight with 204$/ })
})

t.test('near misses are named as what they are', async (t) => {
  const app = await application(t)
  app.get('/a', { config: { cors: { origin: [APP] } } }, never)
  app.get('/http', { config: { cors: { origin: ['http://app.example.com'] } } }, never)
  app.get('/local', { config: { cors: { origin: ['http://localhost:5173'] } } }, never)
  app.get('/secret', { config: { cors: { origin: [APP], credentials: true } } }, never)
  app.patch('/items/:id', { config: { cors: { origin: [APP] } } }, never)
  app.patch('/plain', never)
  const ask = async (origin: string, url: string, more: object = {}) => await app.cors.explain({ origin, url, ...more })
  t.match(await ask(`${APP}.`, '/a'), {
    reason: 'origin-not-allowed', message: /it does allow "https:\/\/app.example.com", the same host without the dot at its end$/, advice: `open the page at "${APP}", or add "${APP}." to origin of config.cors of GET /a`
  })
  t.match((await ask('http://intranet.example', '/secret', { credentials: true })).advice, 'allows this one only with dangerouslyAllowInsecureOrigins: true')
  t.match((await ask('https://x.github.io', '/secret')).advice, 'add "https://x.github.io" to origin')
  t.notMatch((await ask(APP, '/http')).advice, 'open the page', 'https is never given up')
  t.match((await ask('http://app.example.com', '/a')).advice, `open the page at "${APP}"`)
  t.match(await ask('http://127.0.0.1:5173', '/local'), { message: /it does allow "http:\/\/localhost:5173", the same machine by another name/ })
  t.notMatch((await ask('http://127.0.0.1:3000', '/local')).message, 'the same machine')
  t.match((await ask(APP, '/api/items/1', { method: 'PATCH' })).advice, 'ask about "/items/1" if a proxy removes "/api"')
  t.notMatch((await ask(APP, '/api/other/1', { method: 'PATCH' })).advice, 'proxy')
  t.match((await ask(APP, '/plain', { method: 'patch' })).advice, 'write the method in capitals, "PATCH"')
  t.match((await ask(APP, '/nothing', { method: 'patch' })).advice, 'declare the route')
})

t.test('a long question gets no longer answer', async (t) => {
  const app = await application(t)
  app.get('/a', { config: { cors: { origin: [APP] } } }, never)
  const headers = Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`x-${n}-${'a'.repeat(20)}`, 'v'.repeat(8)]))
  for (const question of [{ origin: APP, url: `/${'u'.repeat(60_000)}` }, { origin: APP, url: '/a', headers }, { origin: APP, url: '/a', headers: { 'x-a': 'v'.repeat(60_000) } }]) {
    const length = JSON.stringify(question).length
    t.ok(JSON.stringify(await app.cors.explain(question)).length < length * 1.5, `${length}`)
  }
})

t.test('headers that a page reads have to be exposed', async (t) => {
  const app = await application(t, { policies: { listed: { origin: [APP], exposedHeaders: ['X-One'] } } })
  app.get('/listed', { config: { cors: { extends: 'listed' } } }, never)
  app.get('/derived', { schema: { response: { 200: { type: 'string', headers: { ETag: { type: 'string' } } } } }, config: { cors: { origin: [APP] } } } as object, never)
  const ask = async (url: string, ...reads: string[]) => await app.cors.explain({ origin: APP, url, reads })
  t.match(await ask('/listed', 'x-one', 'Content-Type'), { allowed: true, reason: null })
  t.match(await ask('/listed', 'Mcp-Session-Id'), {
    allowed: false, reason: 'header-not-exposed', message: 'pages of "https://app.example.com" read the response, but not its "Mcp-Session-Id": the policy "listed" of GET /listed does not expose it', advice: 'add "Mcp-Session-Id" to exposedHeaders of the policy "listed"'
  })
  t.match((await ask('/derived', 'X-Two')).advice, 'write exposedHeaders: ["ETag", "X-Two"] in config.cors of GET /derived')
  t.match(await ask('/derived', 'etag'), { allowed: true })
  t.match((await ask('/listed', 'Set-Cookie')).advice, 'leave out "Set-Cookie": no page can read this header')
  t.match(await app.cors.explain({ origin: 'http://localhost', url: 'http://localhost/listed', reads: ['Anything'] }), { allowed: true }, 'a page of the API reads all')
  await t.rejects(app.cors.explain({ origin: APP, url: '/listed', reads: ['a b'] }), { message: /\/reads\/0: "a b" is not the name of a header/ })
  await t.rejects(app.cors.explain({ origin: APP, url: '/listed', reads: 'ETag' as never }), { message: /\/reads: "ETag" is not a list/ })
})

t.test('notes are given where they apply', async (t) => {
  const app = await application(t, { defaultPolicy: { origin: [APP], credentials: true, allowedHeaders: ['content-type'] } })
  for (const method of ['GET', 'PUT', 'POST']) app.route({ method, url: '/a', handler: never })
  const notes = async (question: object): Promise<string> => (await app.cors.explain({ origin: APP, url: 'https://api.other.example/a', ...question })).notes.join('\n')
  t.match(await notes({ credentials: true }), /SameSite=None/)
  t.notMatch(await notes({ credentials: true, url: 'https://api.example.com/a' }), 'SameSite', 'the same site')
  t.notMatch(await notes({}), 'SameSite')
  for (const host of ['127.0.0.1:3000', '192.168.1.7', '[::1]', 'localhost', '[fd00::1]', '172.16.0.1']) t.match(await notes({ url: `http://${host}/a` }), /Local Network Access/, host)
  for (const host of ['api.example.com', '172.32.0.1', '8.8.8.8']) t.notMatch(await notes({ url: `http://${host}/a` }), 'Local Network Access', host)
  t.notMatch(await notes({ origin: 'http://localhost:3000', url: 'http://127.0.0.1/a' }), 'Local Network Access', 'a page that is local itself')
  t.match(await notes({ method: 'POST', headers: { 'content-type': 'application/json' } }), /sendBeacon/)
  t.notMatch(await notes({ method: 'POST', headers: { 'content-type': 'text/plain' } }), 'sendBeacon')
  t.match(await notes({ method: 'PUT', url: 'http://api.example.com/a' }), /the preflight fails, because browsers follow no redirect/)
  t.notMatch(await notes({ url: 'http://api.example.com/a' }), 'redirect')
  t.match(await notes({ method: 'PUT', origin: EVIL }), /the console of WebKit/)
  t.notMatch(await notes({ method: 'PUT' }), 'WebKit')
})
