// Refusals at run time: one debug line and one message on the diagnostics channel for each, with a reason of the set; nothing of a request reaches
// them unescaped; and what else is said to developers: replaced headers, and origin functions that answer truthy.
import diagnostics from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import cors, { type CorsRefusalReason, type CorsRefusalMessage } from '../../lib/index'
import { application, EVIL, FOO, ok, preflight, request } from '../support'
import { logged, type LogLine } from '../support/log'
import { strategy } from '../support/routing'

/** An application whose warnings, and lines about CORS, are kept. */
async function logging (t: Test, options: cors.CorsPluginOptions = {}, level = 'debug', server: FastifyServerOptions = {}): Promise<{ app: FastifyInstance, lines: () => LogLine[] }> {
  const { logger, lines } = logged(level)
  const app = Fastify({ ...server, logger })
  t.teardown(() => app.close())
  await app.register(cors, options)
  return { app, lines: () => lines.filter(({ cors, level }) => cors !== undefined || level === 40) }
}

/** What is published until the test ends. */
function published (t: Test): CorsRefusalMessage[] {
  const messages: CorsRefusalMessage[] = []
  const listen = (message: unknown): void => { messages.push(message as CorsRefusalMessage) }
  diagnostics.subscribe('fastify-cors-policy.refused', listen)
  t.teardown(() => { diagnostics.unsubscribe('fastify-cors-policy.refused', listen) })
  return messages
}

const POLICIES = {
  partner: { origin: FOO, allowedHeaders: ['X-One'] },
  asked: { origin: (origin: string) => origin === FOO },
  waiting: { origin: async (origin: string) => origin === FOO },
  failing: { origin: () => { throw new Error('out of order') } },
  any: { origin: FOO, allowedHeaders: '*' as const }
}

function declare (app: FastifyInstance): void {
  for (const name of Object.keys(POLICIES)) app.route({ method: ['GET', 'PUT'], url: `/${name}/:id`, config: { cors: { extends: name } }, handler: ok })
  app.route({ method: ['GET', 'PUT'], url: '/off', config: { cors: false }, handler: ok })
  app.route({ method: ['GET', 'PUT'], url: '/plain', handler: ok })
  app.put('/own', { config: { cors: { origin: FOO } } }, ok)
}

type Ask = (app: FastifyInstance) => Promise<unknown>
const put = (url: string, origin = EVIL, requestHeaders?: string): Ask => (app) => preflight(app, 'PUT', url, { origin, ...(requestHeaders !== undefined && { requestHeaders }) })
const get = (url: string, origin = EVIL, headers: Record<string, string> = {}): Ask => (app) => request(app, 'GET', url, origin, { headers })

const REFUSED: ReadonlyArray<readonly [ask: Ask, reason: CorsRefusalReason, route: string, policy: string | null]> = [
  [put('/partner/7'), 'origin-not-allowed', 'PUT /partner/:id', 'partner'],
  [get('/partner/7'), 'origin-not-allowed', 'GET /partner/:id', 'partner'],
  [put('/own'), 'origin-not-allowed', 'PUT /own', null],
  [put('/partner/7', 'null'), 'null-origin', 'PUT /partner/:id', 'partner'],
  [get('/partner/7', 'null'), 'null-origin', 'GET /partner/:id', 'partner'],
  [put('/partner/7', 'https://Foo.example'), 'invalid-origin', 'PUT /partner/:id', 'partner'],
  [get('/asked/7', 'https://foo.example/'), 'invalid-origin', 'GET /asked/:id', 'asked'],
  [put('/asked/7'), 'origin-not-allowed', 'PUT /asked/:id', 'asked'],
  [get('/waiting/7'), 'origin-not-allowed', 'GET /waiting/:id', 'waiting'],
  [put('/waiting/7'), 'origin-not-allowed', 'PUT /waiting/:id', 'waiting'],
  [put('/failing/7', FOO), 'origin-function-failed', 'PUT /failing/:id', 'failing'],
  [get('/failing/7', FOO), 'origin-function-failed', 'GET /failing/:id', 'failing'],
  [put('/partner/7', FOO, 'x-one, x-two'), 'header-not-allowed', 'PUT /partner/:id', 'partner'],
  [put('/any/7', FOO, 'x-two, Authorization'), 'header-not-allowed', 'PUT /any/:id', 'any'],
  [put('/partner/7', FOO, 'x one'), 'invalid-request-headers', 'PUT /partner/:id', 'partner'],
  [(app) => preflight(app, 'PATCH', '/partner/7', { origin: EVIL }), 'method-not-routed', 'PATCH (none)', null],
  [(app) => preflight(app, 'PATCH', '/partner/7', { origin: FOO }), 'method-not-routed', 'PATCH /partner/:id', 'partner'],
  [get('/off'), 'off', 'GET /off', null],
  [put('/off'), 'off', 'PUT /off', null],
  [put('/plain'), 'no-policy', 'PUT /plain', null],
  [put('/nothing'), 'no-route', 'PUT (none)', null]
]

/** Nothing is said of these. */
const ALLOWED: readonly Ask[] = [
  put('/partner/7', FOO, 'x-one'), put('/any/7', FOO, 'x-two'), get('/partner/7', FOO), put('/asked/7', FOO), get('/waiting/7', FOO), get('/plain'),
  (app) => preflight(app, 'GET', '/partner/7', { origin: FOO }), (app) => request(app, 'GET', '/partner/7'), (app) => request(app, 'GET', '/off'),
  // A page of the API itself: browsers send an Origin with every POST.
  get('/partner/7', EVIL, { 'sec-fetch-site': 'same-origin' })
]

t.test('each refusal is logged at debug, and published', async (t) => {
  const { app, lines } = await logging(t, { policies: { ...POLICIES, closed: { origin: 'https://closed.example' } }, defaultPolicy: false })
  declare(app)
  // The default policy of 404s.
  await app.register(async (child) => {
    await child.register(cors, { defaultPolicy: 'closed' })
    child.setNotFoundHandler((_request, reply) => reply.code(404).send('nothing'))
  }, { prefix: '/closed' })
  const messages = published(t)
  const refused = [...REFUSED, [get('/closed/nothing'), 'no-route', 'GET (none)', 'closed'] as const]
  for (const [ask, reason, route, policy] of refused) {
    const before = [lines().length, messages.length]
    await ask(app)
    const [line, ...others] = lines().slice(before[0]).filter(({ level }) => level === 20)
    t.match(line, { level: 20, cors: { reason, route, policy } }, `${route}: ${reason}`)
    t.equal(others.length, 0, 'one line')
    const [message, ...more] = messages.slice(before[1])
    t.match(message, { reason, route, policy, origin: line?.cors?.origin as string })
    t.equal(more.length, 0, 'one message')
    t.equal(message?.request === null, line?.reqId === undefined, 'with the request, where there is one already')
    t.strictSame(Object.keys(line?.cors ?? {}).sort(), ['origin', 'policy', 'reason', 'route', ...(reason === 'header-not-allowed' ? ['header'] : [])].sort())
  }
  const before = [lines().length, messages.length]
  for (const ask of ALLOWED) await ask(app)
  t.strictSame([lines().length, messages.length], before, 'nothing is said of what is allowed')
  t.strictSame(new Set(refused.map(([, reason]) => reason)), new Set(['origin-not-allowed', 'null-origin', 'invalid-origin', 'origin-function-failed', 'header-not-allowed', 'invalid-request-headers', 'method-not-routed', 'off', 'no-policy', 'no-route']))
})

t.test('a preflight that several routes may answer is refused as ambiguous', async (t) => {
  const { app, lines } = await logging(t, {}, 'debug', { constraints: strategy('tenant') as never })
  app.put('/:any', { config: { cors: { origin: FOO } }, constraints: { tenant: 'a' } as never }, ok)
  app.put('/*', { config: { cors: false } }, ok)
  await preflight(app, 'PUT', '/7', { origin: FOO })
  t.match(lines().filter(({ cors }) => cors !== undefined), [{ cors: { reason: 'ambiguous-route', route: 'PUT /:any', policy: null } }])
})

t.test('no refusal is logged at a level above debug but the first refused header of a policy, and the channel needs no logger', async (t) => {
  for (const level of ['info', 'warn', 'silent']) {
    const { app, lines } = await logging(t, { policies: POLICIES }, level)
    declare(app)
    for (const [ask] of REFUSED) await ask(app)
    const warned = level === 'silent' ? [] : [/^CORS does not allow the request header "x-two" for PUT \/partner\/:id: /, /^CORS does not allow the request header "Authorization" for PUT \/any\/:id: /]
    t.match(lines(), warned.map((msg) => ({ level: 40, msg })), level)
    t.equal(lines().length, warned.length)
  }
  const app = await application(t, { policies: POLICIES })
  declare(app)
  const messages = published(t)
  await put('/partner/7')(app)
  t.match(messages, [{ reason: 'origin-not-allowed' }], 'the channel needs no logger')
})

t.test('a refusal is logged by the log level of its route', async (t) => {
  const { app, lines } = await logging(t, { policies: POLICIES }, 'info')
  app.get('/loud', { logLevel: 'debug', config: { cors: { extends: 'partner' } } }, ok)
  app.get('/quiet', { config: { cors: { extends: 'partner' } } }, ok)
  await get('/loud')(app)
  await get('/quiet')(app)
  t.match(lines(), [{ cors: { route: 'GET /loud' } }])
  t.equal(lines().length, 1)
})

t.test('the values of a request are escaped and cut in logs and messages', async (t) => {
  const { app, lines } = await logging(t, { policies: POLICIES })
  declare(app)
  const messages = published(t)
  const nasty = `https://\u001b[31m\u009b${'a'.repeat(10_000)}`
  await request(app, 'GET', '/partner/7', nasty)
  await preflight(app, 'P\u001b[2J\u202e' + 'T'.repeat(10_000), '/partner/7', { origin: nasty })
  await preflight(app, 'PUT', '/partner/7', { origin: nasty })
  t.equal(messages.length, 3)
  for (const { origin = '', route = '' } of [...messages, ...lines().flatMap(({ cors }) => cors ?? [])]) {
    t.ok(origin.startsWith('https://\\u001b[31m\\u009b'), origin.slice(0, 40))
    t.notMatch(origin + route, /[\p{Cc}\p{Cf}]/u)
    t.ok(origin.length < 300 && route.length < 300)
  }
})

t.test('a handler\'s headers that the policy replaces are logged at debug', async (t) => {
  const { app, lines } = await logging(t, { policies: POLICIES })
  app.get('/own-headers', { config: { cors: { extends: 'partner' } } }, async (_request, reply) => reply.headers({ 'access-control-allow-origin': '*', 'access-control-max-age': '5' }).send('ok'))
  app.get('/same', { config: { cors: { extends: 'partner' } } }, async (_request, reply) => reply.header('access-control-allow-origin', FOO).send('ok'))
  app.get('/plain', async (_request, reply) => reply.header('access-control-allow-origin', '*').send('ok'))
  for (const url of ['/own-headers', '/same', '/plain']) await get(url, FOO)(app)
  t.match(lines(), [{ level: 20, msg: 'CORS replaces headers that the policy does not set: access-control-allow-origin, access-control-max-age', cors: { replaced: ['access-control-allow-origin', 'access-control-max-age'], route: 'GET /own-headers', policy: 'partner' } }])
  t.equal(lines().length, 1, 'not where there is nothing to replace')
  const quiet = await logging(t, { policies: POLICIES }, 'info')
  quiet.app.get('/own-headers', { config: { cors: { extends: 'partner' } } }, async (_request, reply) => reply.header('access-control-allow-origin', '*').send('ok'))
  t.equal((await request(quiet.app, 'GET', '/own-headers', FOO)).headers['access-control-allow-origin'], FOO)
  t.strictSame(quiet.lines(), [])
})

t.test('an origin function that answers truthy, but not true, is warned about', async (t) => {
  const truthy = (): never => 'yes' as never
  const later = async (): Promise<never> => 1 as never
  const { app, lines } = await logging(t, { policies: { truthy: { origin: truthy }, later: { origin: later }, falsy: { origin: () => undefined as never } } }, 'info')
  for (const name of ['truthy', 'later', 'falsy']) app.route({ method: ['GET', 'PUT'], url: `/${name}`, config: { cors: { extends: name } }, handler: ok })
  for (const url of ['/truthy', '/later', '/falsy', '/truthy', '/later']) {
    t.equal((await request(app, 'GET', url, FOO)).headers['access-control-allow-origin'], undefined, 'is refused')
    t.equal((await preflight(app, 'PUT', url)).statusCode, 403)
  }
  t.strictSame(lines().map(({ level, msg }) => [level, msg]), [
    [40, 'the function truthy of config.cors answered "yes", which is not true: the origin is refused; write a function that returns true or false'],
    [40, 'the function later of config.cors answered 1, which is not true: the origin is refused; write a function that returns true or false']
  ], 'once each')
})
