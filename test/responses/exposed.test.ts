// Headers besides the permission to read: what a handler exposes, Timing-Allow-Origin and Cross-Origin-Resource-Policy, and the warnings about headers.
import t from 'tap'
import type { FastifyReply } from 'fastify'
import cors from '../../lib/index'
import { accessControl, application, corsHeaders, EVIL, FOO, ok, ONE, preflight, request } from '../support'
import { logged } from '../support/log'

const EXPOSE = 'access-control-expose-headers'

/** A handler that exposes headers, as libraries do. */
const exposing = (...names: string[]) => (_request: unknown, reply: FastifyReply): void => { reply.header(EXPOSE, names.join(', ')).send('ok') }

t.test('what a handler exposes is added for allowed origins, where the policy declares no exposedHeaders or extends the list with "..."', async (t) => {
  const app = await application(t, { defaultPolicy: { origin: [FOO], credentials: true } })
  app.get('/default', exposing('Mcp-Session-Id'))
  app.get('/any', { config: { cors: { origin: '*' } } }, exposing('X-A', 'x-a', 'X-B'))
  app.get('/added', { config: { cors: { ...ONE, exposedHeaders: ['...', 'X-Own'] } } }, exposing('X-A', 'x-own'))
  app.get('/schema', { config: { cors: ONE }, schema: { response: { 200: { type: 'string', headers: { 'X-Schema': { type: 'string' } } } } } as never }, exposing('X-A'))
  app.get('/raw', (_request, reply) => {
    reply.hijack()
    reply.raw.setHeader(EXPOSE, ['X-A', 'X-B'])
    reply.raw.writeHead(200, { [EXPOSE.toUpperCase()]: 'X-C' })
    reply.raw.end('raw')
  })
  app.get('/wildcard', exposing('*', 'X-A'))
  app.get('/wildcard-any', { config: { cors: { origin: '*' } } }, exposing('*'))
  app.get('/bad', exposing('a b', 'é', 'X-A', ''))
  app.get('/off', { config: { cors: false } }, exposing('X-A'))
  app.setNotFoundHandler((_request, reply) => { reply.header(EXPOSE, 'X-Missing').code(404).send('none') })
  const exposed = async (url: string, origin = FOO): Promise<unknown> => (await request(app, 'GET', url, origin)).headers[EXPOSE]
  t.equal(await exposed('/default'), 'Mcp-Session-Id')
  t.equal(await exposed('/any'), 'X-A, X-B')
  t.equal(await exposed('/added'), 'X-Own, X-A')
  t.equal(await exposed('/schema'), 'X-Schema, X-A')
  t.equal(await exposed('/raw'), 'X-C, X-A, X-B')
  t.equal(await exposed('/wildcard'), 'X-A', 'with credentials, browsers read * as a name')
  t.equal(await exposed('/wildcard-any'), '*')
  t.equal(await exposed('/bad'), 'a, b, X-A', 'nothing but names')
  t.equal(await exposed('/nowhere'), 'X-Missing')
  t.equal(await exposed('/off'), undefined)
  for (const url of ['/default', '/added', '/raw', '/off', '/nowhere']) t.strictSame(accessControl(await request(app, 'GET', url, EVIL)), {}, url)
})

t.test('where the policy declares exposedHeaders they win, and the log says once per route what was dropped', async (t) => {
  const { logger, messages } = logged()
  const app = await application(t, {}, { logger })
  const policy = { origin: [FOO], exposedHeaders: ['X-Own'] }
  app.get('/one', { config: { cors: policy } }, exposing('X-Own', 'X-A', 'X-B'))
  app.get('/two', { config: { cors: policy } }, exposing('X-A'))
  app.get('/same', { config: { cors: policy } }, exposing('X-Own'))
  for (const url of ['/one', '/one', '/two', '/same']) t.equal((await request(app, 'GET', url, FOO)).headers[EXPOSE], 'X-Own', url)
  await request(app, 'GET', '/one', EVIL)
  t.equal(messages.length, 2, messages.join('\n'))
  t.match(messages[0], 'CORS hides X-A, X-B of GET /one from pages')
  t.match(messages[0], 'write exposedHeaders: [\'...\', "X-A", "X-B"]')
  t.match(messages[1], 'GET /two')
})

t.test('a preflight exposes nothing', async (t) => {
  const app = await application(t, { defaultPolicy: ONE })
  app.addHook('onSend', async (_request, reply) => { reply.header(EXPOSE, 'X-A') })
  app.put('/', ok)
  for (const url of ['/', '/nowhere']) t.equal((await preflight(app, 'PUT', url)).headers[EXPOSE], undefined, url)
})

t.test('timingOrigin: true times for whom the policy allows, and lists are sent as they are', async (t) => {
  const app = await application(t)
  app.get('/allowed', { config: { cors: { origin: [FOO], timingOrigin: true } } }, ok)
  app.get('/any', { config: { cors: { origin: '*', timingOrigin: true } } }, ok)
  app.get('/all', { config: { cors: { origin: [FOO], timingOrigin: '*' } } }, ok)
  app.get('/list', { config: { cors: { origin: [FOO], timingOrigin: [FOO, EVIL] } } }, async (_request, reply) => await reply.header('timing-allow-origin', 'https://theirs.example').send('ok'))
  const timing = async (url: string, origin?: string): Promise<unknown> => {
    const response = await request(app, 'GET', url, origin)
    t.equal(response.headers.vary, url === '/any' ? undefined : 'Origin')
    return response.headers['timing-allow-origin']
  }
  t.strictSame([await timing('/allowed', FOO), await timing('/allowed', EVIL), await timing('/allowed')], [FOO, undefined, undefined])
  t.strictSame([await timing('/any', EVIL), await timing('/any')], ['*', '*'])
  for (const origin of [FOO, EVIL, undefined]) {
    t.equal(await timing('/all', origin), '*')
    t.equal(await timing('/list', origin), `${FOO}, ${EVIL}`)
  }
})

t.test('resourcePolicy replaces what a plugin sets for all, for whoever asks', async (t) => {
  const app = await application(t)
  const RESOURCE = 'cross-origin-resource-policy'
  app.addHook('onRequest', async (_request, reply) => { reply.raw.setHeader(RESOURCE, 'same-origin') })
  app.put('/none', { config: { cors: ONE } }, ok)
  const policies = ['same-origin', 'same-site', 'cross-origin'] as const
  for (const resourcePolicy of policies) app.get(`/${resourcePolicy}`, { config: { cors: { origin: [FOO], resourcePolicy } } }, ok)
  for (const resourcePolicy of policies) {
    for (const origin of [FOO, EVIL, undefined]) t.equal((await request(app, 'GET', `/${resourcePolicy}`, origin)).headers[RESOURCE], resourcePolicy)
    t.strictSame(corsHeaders(await request(app, 'GET', `/${resourcePolicy}`, EVIL)), { vary: 'Origin' })
  }
  t.equal((await request(app, 'PUT', '/none', FOO)).headers[RESOURCE], 'same-origin')
})

t.test('the first request header that a policy refuses to an allowed origin is logged once per policy at warn', async (t) => {
  const { logger, lines, messages } = logged()
  const app = await application(t, { policies: { partner: { origin: [FOO] } } }, { logger })
  app.put('/a', { config: { cors: { extends: 'partner' } } }, ok)
  app.put('/b', { config: { cors: { extends: 'partner' } } }, ok)
  app.put('/c', { config: { cors: { origin: [FOO, EVIL] } } }, ok)
  await preflight(app, 'PUT', '/a', { origin: EVIL, requestHeaders: 'x-evil' })
  await preflight(app, 'PUT', '/a', { requestHeaders: 'content-type' })
  t.strictSame(messages, [], 'a refused origin learns nothing, and floods no log')
  for (const [url, header] of [['/a', 'x-request-id'], ['/a', 'x-other'], ['/b', 'x-other'], ['/c', `x-${'a'.repeat(1000)}`]] as const) await preflight(app, 'PUT', url, { requestHeaders: header })
  t.equal(messages.length, 2, messages.join('\n'))
  t.equal(lines[0]?.level, 40)
  t.match(messages[0], /"x-request-id" for PUT \/a: browsers block the request; write allowedHeaders: \['\.\.\.', "x-request-id"\] in the policy "partner"/)
  t.match(messages[1], /in the policy of PUT \/c/)
  t.ok((messages[1] as string).length < 1000, 'and never longer than it needs to be')
})

t.test('names that browsers set by themselves are left out, and one warning at ready names them', async (t) => {
  const { logger, messages } = logged()
  const app = await application(t, {}, { logger })
  app.put('/a', { config: { cors: { ...ONE, allowedHeaders: ['Accept-Encoding', 'X-A', 'DNT'] } } }, ok)
  app.put('/b', { config: { cors: { origin: EVIL, allowedHeaders: ['Origin', 'DNT'] } } }, ok)
  await app.ready()
  t.equal(messages.length, 1, messages.join('\n'))
  t.match(messages[0], /leaves Accept-Encoding, DNT, Origin out of allowedHeaders/)
  t.equal((await preflight(app, 'PUT', '/a')).headers['access-control-allow-headers'], 'X-A')
})

t.test('refusalLogLevel is the level at which refusals are logged, inherited and replaced by child scopes', async (t) => {
  const { logger, lines } = logged('info')
  const app = await application(t, { refusalLogLevel: 'info' }, { logger: { ...logger } })
  app.put('/a', { config: { cors: ONE } }, ok)
  app.register(async (scope) => {
    await scope.register(cors, { refusalLogLevel: 'error' })
    scope.put('/b', { config: { cors: ONE } }, ok)
    scope.register(async (nested) => {
      await nested.register(cors, { policies: {} })
      nested.put('/c', { config: { cors: ONE } }, ok)
    })
  })
  app.register(async (scope) => {
    await scope.register(cors, { refusalLogLevel: 'debug' })
    scope.put('/d', { config: { cors: ONE } }, ok)
  })
  for (const url of ['/a', '/b', '/c', '/d']) {
    await request(app, 'PUT', url, EVIL)
    await preflight(app, 'PUT', url, { origin: EVIL })
  }
  await preflight(app, 'PUT', '/nowhere')
  const refusals = lines.filter(({ cors }) => cors !== undefined).map(({ level, cors }) => [level, cors?.route])
  t.strictSame(refusals, [[30, 'PUT /a'], [30, 'PUT /a'], [50, 'PUT /b'], [50, 'PUT /b'], [50, 'PUT /c'], [50, 'PUT /c'], [30, 'PUT (none)']])
})
