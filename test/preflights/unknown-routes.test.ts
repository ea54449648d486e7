// What is unknown is refused: routes that cannot be read from Fastify's router, or not be reproduced, and URLs for which no OPTIONS route can be declared.
import { runInNewContext } from 'node:vm'
import t from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import FindMyWay from 'find-my-way'
import cors from '../../lib/index'
import { collectRoutes } from '../../lib/preflight/registered'
import { RoutingTableFactory } from '../../lib/preflight/routing-table'
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

/** Has every table made of what this function gives. */
function remake (t: { teardown: (fn: () => void) => void }, change: (registered: Made) => Made): void {
  const { make } = RoutingTableFactory.prototype
  RoutingTableFactory.prototype.make = function (registered) { return make.call(this, change(registered)) }
  t.teardown(() => { RoutingTableFactory.prototype.make = make })
}

type Made = Parameters<RoutingTableFactory['make']>[0]

t.test('a routing table that differs from Fastify\'s router approves nothing, and the log says so once', async (t) => {
  const { logger, messages } = logged()
  const app = await application(t, {}, { logger })
  app.put('/a/:id', { config: { cors: ONE } }, ok)
  app.put('/b', { config: { cors: ONE } }, ok)
  remake(t, ({ routes, routerCode }) => ({ routes: [...routes].reverse(), routerCode }))
  t.notOk(approves(await preflight(app, 'PUT', '/a/1'), 'PUT'))
  t.notOk(approves(await preflight(app, 'PUT', '/a/1'), 'PUT'))
  t.equal(messages.filter((line) => line.includes('cannot read the routes of PUT')).length, 1, 'said once')
})

t.test('no routing table is made of routes in another order than the router\'s', async (t) => {
  const tables = new RoutingTableFactory(Fastify(), { custom: new Set(), versions: false })
  const route = (path: string, order: number): Made['routes'][number] => ({ method: 'GET', path, pattern: path, constraints: {}, declared: undefined, order })
  const made = (...routes: Array<Made['routes'][number]>): Made => ({ routes, routerCode: undefined })
  t.ok(tables.make(made(route('/a', 1), route('/b', 2))))
  t.throws(() => tables.make(made(route('/b', 2), route('/a', 1))), /a different tree/)
})

t.test('a preflight is approved only if Fastify\'s router finds the same parameters, unless its code is known to be the same', async (t) => {
  for (const code of [undefined, 'elsewhere.js:1']) {
    const app = await application(t)
    app.put('/a/:id', { config: { cors: ONE } }, ok)
    remake(t, ({ routes }) => ({ routes, routerCode: code }))
    const { findRoute } = app
    let answer: (found: ReturnType<typeof findRoute>) => unknown = (found) => found
    app.findRoute = ((options: never) => answer(findRoute(options))) as never
    t.ok(approves(await preflight(app, 'PUT', '/a/1'), 'PUT'))
    for (const other of [null, { params: {} }, { params: { id: '2' } }, { params: { id: '1', x: '1' } }, { params: { x: '1' } }]) {
      answer = () => other
      t.notOk(approves(await preflight(app, 'PUT', '/a/1'), 'PUT'), JSON.stringify(other))
    }
  }
})

t.test('the code of the router is found by a stack trace, which leaves Error.prepareStackTrace as it was', async (t) => {
  const found = (): string | undefined => {
    const router = FindMyWay()
    router.on('GET', '/a', () => {})
    return collectRoutes('GET', (options) => router.prettyPrint(options as never)).routerCode
  }
  const { prepareStackTrace } = Error
  t.match(found(), /pretty-print\.js:\d+$/)
  t.equal(found(), found())
  t.equal(Error.prepareStackTrace, prepareStackTrace)
  t.equal(collectRoutes('GET', (options) => FindMyWay().prettyPrint(options as never)).routerCode, undefined, 'no routes')
  t.equal(collectRoutes('GET', (options) => { (options as { buildPrettyMeta: (route: unknown) => unknown }).buildPrettyMeta({}) }).routerCode?.includes('unknown-routes'), true, 'of another router')
  t.equal(collectRoutes('GET', (options) => { runInNewContext('options.buildPrettyMeta({})', { options }, { filename: 'bundle.js' }) }).routerCode, 'bundle.js:8')
  t.equal(collectRoutes('GET', (options) => { [{}].forEach((options as { buildPrettyMeta: () => void }).buildPrettyMeta) }).routerCode, undefined, 'native code is no file')
  Object.defineProperty(Error, 'prepareStackTrace', { value: prepareStackTrace, writable: false, configurable: true })
  t.equal(found(), undefined)
  Object.defineProperty(Error, 'prepareStackTrace', { value: prepareStackTrace, writable: true, configurable: true, enumerable: true })
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  t.equal(found(), undefined)
  Error.stackTraceLimit = stackTraceLimit
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
    scope.addHook('onRoute', (route) => { if (route.url === '/in/moved') route.url = '/out' })
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

t.test('no preflight is approved if it is unknown which of two declarations with different policies Fastify took', async (t) => {
  const app = await application(t)
  app.addHook('onRoute', (route) => { route.config = { cors: (route.config as { cors?: never } | undefined)?.cors } as never })
  app.put('/a', { config: { cors: ONE } }, ok)
  t.throws(() => app.put('/a', { config: { cors: { origin: EVIL } } }, ok))
  app.put('/b', { config: { cors: ONE } }, ok)
  t.throws(() => app.put('/b', { config: { cors: ONE } }, ok))
  for (const origin of [FOO, EVIL]) t.notOk(approves(await preflight(app, 'PUT', '/a', { origin }), 'PUT'), origin)
  t.ok(approves(await preflight(app, 'PUT', '/b'), 'PUT'), 'with one policy it makes no difference which it is')
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
