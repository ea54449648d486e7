// What is unknown is refused: routes that cannot be read from Fastify's router, or not be reproduced, and URLs for which no OPTIONS route can be declared.
import t from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import cors from '../../lib/index'
import { application, approves, BAR, EVIL, FOO, ok, ONE, preflight, request } from '../support'
import { logged } from '../support/log'

t.test('preflights for a method whose routes cannot be printed are not approved, and those for other methods are', async (t) => {
  const { logger, messages } = logged()
  const app = await application(t, {}, {
    logger,
    constraints: { big: { name: 'big', storage: () => new Map(), validate: () => {}, deriveConstraint: () => undefined } as never }
  })
  app.put('/big', { constraints: { big: 1n } as never, config: { cors: ONE } }, ok)
  app.put('/a', { config: { cors: ONE } }, ok)
  app.delete('/a', { config: { cors: ONE } }, ok)
  t.notOk(approves(await preflight(app, 'PUT', '/a'), 'PUT'))
  t.notOk(approves(await preflight(app, 'PATCH', '/a'), 'PATCH'))
  t.ok(approves(await preflight(app, 'DELETE', '/a'), 'DELETE'))
  t.ok(messages.some((line) => line.includes('cannot read the routes of PUT')), messages.join())
})

/** Lets `printRoutes` hand out the routes of a method in another order. */
function reverse (app: FastifyInstance, method: string): void {
  const { printRoutes } = app
  app.printRoutes = ((options: { method?: string, buildPrettyMeta: (route: object) => object }) => {
    const routes: object[] = []
    if (options.method !== method) return printRoutes(options as never)
    const { buildPrettyMeta } = options
    const copy = { ...options, get buildPrettyMeta () { return (route: object) => { routes.push(route); return {} } }, set buildPrettyMeta (_) {} }
    printRoutes(copy as never)
    for (const route of routes.reverse()) buildPrettyMeta(route)
    return ''
  }) as never
}

t.test('a second router that differs from Fastify\'s router approves nothing, and the log says so once', async (t) => {
  const { logger, messages } = logged()
  const app = await application(t, {}, { logger })
  app.put('/:id', { config: { cors: ONE } }, ok)
  app.put('/:id(^\\d+$)', { config: { cors: ONE } }, ok)
  app.put('/b', { config: { cors: ONE } }, ok)
  app.patch('/b', { config: { cors: ONE } }, ok)
  reverse(app, 'PUT')
  t.notOk(approves(await preflight(app, 'PUT', '/a'), 'PUT'))
  t.notOk(approves(await preflight(app, 'PUT', '/1'), 'PUT'))
  t.strictSame((await preflight(app, 'PATCH', '/b')).headers['access-control-allow-methods'], 'PATCH', 'nor is it named')
  t.equal(messages.filter((line) => line.includes('cannot follow Fastify\'s router for PUT')).length, 1, 'said once')
})

t.test('every method of an answer is confirmed by Fastify\'s router, which has to find the same parameters', async (t) => {
  const app = await application(t)
  app.put('/a/:id', { config: { cors: ONE } }, ok)
  app.patch('/a/:id', { config: { cors: ONE } }, ok)
  await app.ready()
  const { findRoute } = app
  type Found = ReturnType<typeof findRoute>
  let answer: (found: Found, method: string) => unknown = (found) => found
  app.findRoute = ((options: { method: string }) => answer(findRoute(options as never), options.method)) as never
  t.ok(approves(await preflight(app, 'PUT', '/a/1'), 'PUT'))
  for (const other of [null, { params: {} }, { params: { id: '2' } }, { params: { id: '1', x: '1' } }, { params: { x: '1' } }]) {
    answer = () => other
    t.notOk(approves(await preflight(app, 'PUT', '/a/1'), 'PUT'), JSON.stringify(other))
    answer = (found, method) => method === 'PATCH' ? other : found
    t.equal((await preflight(app, 'PUT', '/a/1')).headers['access-control-allow-methods'], 'PUT', JSON.stringify(other))
  }
})

t.test('a URL that the router refuses affects no other route, also if the plugin is not awaited', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.register(cors, { defaultPolicy: ONE })
  t.throws(() => app.put('/:a?/b', ok))
  app.put('/c/:d?', ok)
  t.ok(approves(await preflight(app, 'PUT', '/c/1'), 'PUT'))
  t.ok(approves(await preflight(app, 'PUT', '/c'), 'PUT'))
})

t.test('a route that a hook moves out of the prefix of its scope is answered by the parent scope, or by none', async (t) => {
  const { logger } = logged()
  const moving = async (scope: FastifyInstance): Promise<void> => {
    await scope.register(cors)
    scope.addHook('onRoute', (route) => { if (route.url === '/in/moved' && route.method === 'PUT') route.url = '/out' })
    scope.put('/moved', { config: { cors: ONE } }, ok)
  }
  const app = await application(t, {}, { logger })
  await app.register(moving, { prefix: '/in' })
  t.ok(approves(await preflight(app, 'PUT', '/out'), 'PUT'), 'the parent scope answers')
  const alone = Fastify()
  t.teardown(async () => { await alone.close() })
  await alone.register(moving, { prefix: '/in' })
  t.notOk(approves(await preflight(alone, 'PUT', '/out'), 'PUT'), 'no scope can')
  t.equal((await request(alone, 'PUT', '/out', FOO)).headers['access-control-allow-origin'], FOO)
})

t.test('a route whose config is null has the default policy', async (t) => {
  const app = await application(t, { defaultPolicy: ONE })
  app.put('/', { config: null as never }, ok)
  t.ok(approves(await preflight(app, 'PUT', '/'), 'PUT'))
})

t.test('a route whose OPTIONS route another hook refuses gets no approval, and the log says why', async (t) => {
  const { logger, messages } = logged()
  const app = Fastify({ logger })
  t.teardown(async () => { await app.close() })
  app.addHook('onRoute', ({ method }) => { if (method === 'OPTIONS') throw new Error('no OPTIONS\u001b here') })
  await app.register(cors)
  app.put('/a', { config: { cors: ONE } }, ok)
  t.notOk(approves(await preflight(app, 'PUT', '/a'), 'PUT'))
  t.match(messages[0], /answers no preflight for "\/a": .*no OPTIONS\\u001b here/)
})

t.test('of two declarations of one route, the one that Fastify took has its policy, also where a hook replaces every config', async (t) => {
  const app = await application(t)
  app.addHook('onRoute', (route) => { route.config = { cors: (route.config as { cors?: never } | undefined)?.cors } as never })
  app.put('/a', { config: { cors: ONE } }, ok)
  t.throws(() => app.put('/a', { config: { cors: { origin: EVIL } } }, ok))
  t.ok(approves(await preflight(app, 'PUT', '/a'), 'PUT'))
  t.notOk(approves(await preflight(app, 'PUT', '/a', { origin: EVIL }), 'PUT'))
})

t.test('a method without a route gets the answer of the other methods\' policy, if that allows the origin without calling a function', async (t) => {
  const app = await application(t)
  app.put('/some', { config: { cors: { origin: FOO, credentials: [BAR] } } }, ok)
  app.put('/asked', { config: { cors: { origin: () => true } } }, ok)
  app.put('/asked-and-listed', { config: { cors: { origin: () => true, credentials: [BAR] } } }, ok)
  const status = async (url: string, origin: string): Promise<number> => (await preflight(app, 'PATCH', url, { origin })).statusCode
  t.strictSame([await status('/some', FOO), await status('/some', BAR), await status('/some', EVIL)], [204, 204, 404])
  t.strictSame([await status('/asked', FOO), await status('/asked', EVIL)], [404, 404])
  t.strictSame([await status('/asked-and-listed', FOO), await status('/asked-and-listed', BAR)], [404, 204])
})

t.test('a preflight for a route that a hook moved out of the prefix of its scope goes where it goes without the plugin', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.register(async (scope) => {
    scope.addHook('onRoute', (options) => { if (options.url === '/a/here') options.url = '/moved' })
    await scope.register(cors)
    scope.all('/here', { config: { cors: ONE } }, () => 'the application\'s own')
    scope.put('/there', { config: { cors: ONE } }, ok)
  }, { prefix: '/a' })
  const moved = await preflight(app, 'PUT', '/moved')
  t.equal(moved.statusCode, 200)
  t.equal(moved.body, 'the application\'s own')
  t.ok(approves(await preflight(app, 'PUT', '/a/there'), 'PUT'))
})
