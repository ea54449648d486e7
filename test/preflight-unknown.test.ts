// What is unknown is refused: routes that cannot be read from Fastify's router, or not be reproduced, and URLs for which no OPTIONS route can be declared.
import t from 'tap'
import Fastify from 'fastify'
import cors from '../lib/index'
import { RoutingTables } from '../lib/preflight/routing-table'
import { application, approves, FOO, ok, preflight, request } from './support'

const ONE = { origin: FOO } as const

function logged (): { lines: string[], server: object } {
  const lines: string[] = []
  return { lines, server: { logger: { level: 'warn', stream: { write: (line: string) => { lines.push(JSON.parse(line).msg) } } } } }
}

t.test('a method whose routes cannot be printed gets no approval, and the others do', async (t) => {
  const { lines, server } = logged()
  const app = await application(t, {}, {
    ...server,
    constraints: { big: { name: 'big', storage: () => new Map(), validate: () => {}, deriveConstraint: () => undefined } as never }
  })
  app.put('/big', { constraints: { big: 1n } as never, config: { cors: ONE } }, ok)
  app.put('/a', { config: { cors: ONE } }, ok)
  app.delete('/a', { config: { cors: ONE } }, ok)
  t.notOk(approves(await preflight(app, 'PUT', '/a'), 'PUT'))
  t.notOk(approves(await preflight(app, 'PATCH', '/a'), 'PATCH'))
  t.ok(approves(await preflight(app, 'DELETE', '/a'), 'DELETE'))
  t.ok(lines.some((line) => line.includes('cannot read the routes of PUT')), lines.join())
})

t.test('a table that is not the one of Fastify\'s router approves nothing', async (t) => {
  const { lines, server } = logged()
  const app = await application(t, {}, server)
  app.put('/a/:id', { config: { cors: ONE } }, ok)
  const { make } = RoutingTables.prototype
  RoutingTables.prototype.make = function (routes) { return make.call(this, [...routes, ...routes.map((route) => ({ ...route, path: `${route.path}/x` }))].reverse()) }
  t.teardown(() => { RoutingTables.prototype.make = make })
  t.doesNotThrow(() => app.hasRoute({ method: 'PUT', url: '/a/:id' }))
  RoutingTables.prototype.make = () => { throw new Error('the same routes make another tree') }
  t.notOk(approves(await preflight(app, 'PUT', '/a/1'), 'PUT'))
  t.notOk(approves(await preflight(app, 'PUT', '/a/1'), 'PUT'))
  t.equal(lines.length, 1, 'said once')
})

t.test('routes in another order than the router\'s make no table', async (t) => {
  const tables = new RoutingTables(Fastify(), { custom: new Set(), versions: false })
  const route = (path: string, order: number): Parameters<RoutingTables['make']>[0][number] => ({ method: 'GET', path, pattern: path, constraints: {}, declared: undefined, order })
  t.ok(tables.make([route('/a', 1), route('/b', 2)]))
  t.throws(() => tables.make([route('/b', 2), route('/a', 1)]), /another tree/)
})

t.test('a URL that the router refuses stands for no path, also where the plugin is not awaited', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.register(cors, { defaultPolicy: ONE })
  t.throws(() => app.put('/:a?/b', ok))
  app.put('/c/:d?', ok)
  t.ok(approves(await preflight(app, 'PUT', '/c/1'), 'PUT'))
  t.ok(approves(await preflight(app, 'PUT', '/c'), 'PUT'))
})

t.test('a route that a hook moves out of the prefix of its scope', async (t) => {
  const { server } = logged()
  const app = await application(t, {}, server)
  await app.register(async (scope) => {
    await scope.register(cors)
    scope.addHook('onRoute', (route) => { if (route.url === '/in/moved') route.url = '/out' })
    scope.put('/moved', { config: { cors: ONE } }, ok)
  }, { prefix: '/in' })
  t.ok(approves(await preflight(app, 'PUT', '/out'), 'PUT'), 'the parent scope answers')
  const alone = Fastify()
  t.teardown(async () => { await alone.close() })
  await alone.register(async (scope) => {
    await scope.register(cors)
    scope.addHook('onRoute', (route) => { if (route.url === '/in/moved') route.url = '/out' })
    scope.put('/moved', { config: { cors: ONE } }, ok)
  }, { prefix: '/in' })
  t.notOk(approves(await preflight(alone, 'PUT', '/out'), 'PUT'), 'no scope can')
  t.equal((await request(alone, 'PUT', '/out', FOO)).headers['access-control-allow-origin'], FOO)
})

t.test('a config that is null declares nothing', async (t) => {
  const app = await application(t, { defaultPolicy: ONE })
  app.put('/', { config: null as never }, ok)
  t.ok(approves(await preflight(app, 'PUT', '/'), 'PUT'))
})
