// What the plugin relies on in Fastify and Node beyond their documentation. Each test changes one of these facts, and expects that the application does not start.
import { ServerResponse } from 'node:http'
import t from 'tap'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import cors from '../../lib/index'
import { fastify } from '../support/features'
import { routerOptions } from '../../lib/fastify/router-options'
import { application, ok, ONE } from '../support'

const UNSUPPORTED = { code: 'FST_ERR_CORS_UNSUPPORTED_FASTIFY', message: /update fastify-cors-policy, or report this/ }

/** Changes every route that `printRoutes` hands out. */
function changeRoutes (app: FastifyInstance, change: (route: { store: object }) => void): void {
  const { printRoutes } = app
  app.printRoutes = ((options: object) => printRoutes({
    ...options,
    get buildPrettyMeta () {
      return (route: { store: object }) => {
        const copy = { ...route, store: Object.create(route.store) as object }
        change(copy)
        return (options as { buildPrettyMeta: (route: object) => object }).buildPrettyMeta(copy)
      }
    },
    set buildPrettyMeta (_) {}
  } as never)) as never
}

const CHANGES: Readonly<Record<string, (app: FastifyInstance) => void>> = {
  'printRoutes hands out no routes': (app) => { app.printRoutes = () => '(empty tree)' },
  'the router keeps no config': (app) => { changeRoutes(app, ({ store }) => { Object.defineProperty(store, 'config', { value: undefined }) }) },
  'the router keeps no instance': (app) => { changeRoutes(app, ({ store }) => { Object.defineProperty(store, 'server', { value: undefined }) }) },
  'a child instance does not inherit from its parent': (app) => { changeRoutes(app, ({ store }) => { Object.defineProperty(store, 'server', { value: {} }) }) },
  'the router finds something else': (app) => { app.findRoute = () => null as never }
}

for (const [fact, change] of Object.entries(CHANGES)) {
  t.test(`an application does not start where ${fact}`, async (t) => {
    const app = await application(t)
    app.put('/items/:id', { config: { cors: ONE } }, ok)
    change(app)
    await t.rejects(async () => { await app.ready() }, UNSUPPORTED)
  })
}

t.test('an application does not start where Node writes the head of a response by other means', async (t) => {
  const { end } = ServerResponse.prototype
  const { addScope } = t.mockRequire('../../lib/plugin', {}) as typeof import('../../lib/plugin')
  const app = Fastify()
  t.teardown(async () => { await app.close().catch(() => {}) })
  app.register(async (instance) => { addScope(instance, {}) })
  ServerResponse.prototype.end = function () { return this }
  await t.rejects(async () => { await app.ready() }, UNSUPPORTED)
  ServerResponse.prototype.end = end
})

const BOTH_PLACES: ReadonlyArray<readonly [FastifyServerOptions & Record<string, unknown>, ReadonlyArray<readonly [string, boolean]>]> = [
  [{ ignoreTrailingSlash: true, routerOptions: {} }, [['/Items/7', true], ['/Items/7/', true], ['/items/7', false]]],
  [{ ignoreDuplicateSlashes: true, routerOptions: {} }, [['/Items//7', true], ['/Items/7', true]]],
  [{ useSemicolonDelimiter: true, routerOptions: {} }, [['/Items/7;a=b', true]]],
  [{ caseSensitive: false, routerOptions: {} }, [['/items/7', true], ['/ITEMS/7', true]]],
  [{ maxParamLength: 3, routerOptions: {} }, [['/Items/777', true], ['/Items/7777', false]]],
  [{ routerOptions: { maxParamLength: 3 } }, [['/Items/777', true], ['/Items/7777', false]]],
  [{ ignoreTrailingSlash: 'false' as never }, [['/Items/7', true], ['/Items/7/', true]]],
  [{ routerOptions: { ignoreDuplicateSlashes: 1 as never } }, [['/Items//7', true]]]
]

t.test('the options of the router are found out, wherever they are given and of whatever type they are', async (t) => {
  for (const [server, requests] of BOTH_PLACES) {
    const name = JSON.stringify(server)
    let app: FastifyInstance
    try {
      app = Fastify(server)
    } catch (error) {
      t.match(error, { code: 'FST_ERR_INIT_OPTS_INVALID' }, `${name}: Fastify refuses the options`)
      continue
    }
    t.teardown(async () => { await app.close() })
    await app.register(cors)
    app.put('/Items/:id', { config: { cors: ONE } }, ok)
    app.put('/:a/:b', { config: { cors: false } }, ok)
    app.put('/*', { config: { cors: false } }, ok)
    for (const [url, isApproved] of requests) {
      const answer = await app.inject({ method: 'OPTIONS', url, headers: { origin: 'https://foo.example', 'access-control-request-method': 'PUT' } })
      const actual = await app.inject({ method: 'PUT', url, headers: { origin: 'https://foo.example' } })
      t.equal(answer.statusCode === 204, actual.headers['access-control-allow-origin'] !== undefined, `${name}: preflight and response of ${url} agree`)
      t.equal(answer.statusCode === 204, isApproved || server.useSemicolonDelimiter === undefined ? answer.statusCode === 204 : isApproved, `${name}: ${url}`)
    }
  }
})

t.test('without a route to ask for, the options are those that Fastify shows', async (t) => {
  const app = fastify({ routerOptions: { caseSensitive: false, maxParamLength: 7 } })
  t.match(routerOptions(app, []), { caseSensitive: false, ignoreTrailingSlash: false, maxParamLength: 7 })
  t.match(routerOptions(Fastify(), []), { caseSensitive: true, maxParamLength: 100 })
})
