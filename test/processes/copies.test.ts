// Several copies of the package in one process, and other things that happen to a process: nested versions, `jest -i`, `resetModules`, hot reload, a
// polluted prototype.
import { readdirSync } from 'node:fs'
import { extname, join } from 'node:path'
import t from 'tap'
import Fastify from 'fastify'
import type cors from '../../lib/index'
import { accessControl, approves, EVIL, FOO, ok, preflight, request } from '../support'

const LIB = join(__dirname, '..', '..', 'lib')
const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) => extname(file) === extname(__filename)).map((file) => join(LIB, file))

/** The package once more, as if it were installed twice. */
function anotherCopy (): typeof cors {
  for (const file of files) delete require.cache[file]
  return require('../../lib/index') as typeof cors
}

t.test('two copies of the package work in different applications', async (t) => {
  const [one, other] = [anotherCopy(), anotherCopy()]
  t.not(one, other)
  for (const plugin of [one, other, one]) {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    await app.register(plugin)
    app.put('/', { config: { cors: { origin: FOO } } }, ok)
    t.ok(approves(await preflight(app, 'PUT', '/'), 'PUT'))
    t.same(accessControl(await request(app, 'PUT', '/', EVIL)), {})
  }
})

t.test('an application that registers neither copy is unchanged', async (t) => {
  anotherCopy()
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.put('/', { config: { cors: 'mine' as never } }, async (request) => request.routeOptions.config)
  t.equal((await request(app, 'PUT', '/')).json().cors, 'mine')
  t.notOk(app.hasConstraintStrategy('corsPreflight'))
})

t.test('two copies in one application share their policy names', async (t) => {
  const [one, other] = [anotherCopy(), anotherCopy()]
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(one, { policies: { public: { origin: '*' } } })
  await app.register(async (scope) => {
    await scope.register(other, { policies: { partner: { origin: FOO } } })
    scope.put('/partner', { config: { cors: { extends: 'partner' } } }, ok)
    scope.put('/public', { config: { cors: { extends: 'public' } } }, ok)
  })
  for (const url of ['/partner', '/public']) t.ok(approves(await preflight(app, 'PUT', url), 'PUT'), url)
  t.notOk(approves(await preflight(app, 'PUT', '/partner', { origin: EVIL }), 'PUT'))
})

t.test('the plugin refuses to be registered beside a constraint strategy named corsPreflight', async (t) => {
  const plugin = anotherCopy()
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.addConstraintStrategy({ name: 'corsPreflight', storage: () => ({ get: () => null, set: () => {} }), deriveConstraint: () => undefined })
  await t.rejects(async () => { await app.register(plugin) }, { code: 'FST_ERR_CORS_INVALID_POLICY', message: /"corsPreflight"/ })
})

t.test('a polluted Object.prototype adds no field to a policy', async (t) => {
  const plugin = anotherCopy()
  const prototype = Object.prototype as Record<string, unknown>
  const polluted = { config: { cors: { origin: '*' } }, credentials: true, enforceOrigin: true, cors: { origin: '*' }, exposedHeaders: ['X-A'] }
  for (const [name, value] of Object.entries(polluted)) Object.defineProperty(prototype, name, { value, configurable: true, enumerable: false, writable: true })
  t.teardown(() => { for (const name of Object.keys(polluted)) delete prototype[name] })
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(plugin, { policies: { named: { origin: FOO } } })
  app.put('/', { config: { cors: { extends: 'named' } } }, ok)
  app.put('/undeclared', { config: {} }, ok)
  app.put('/without-config', ok)
  await app.ready()
  for (const name of Object.keys(polluted)) delete prototype[name]
  t.same(accessControl(await request(app, 'PUT', '/', FOO)), { 'access-control-allow-origin': FOO })
  t.equal((await preflight(app, 'PUT', '/')).headers['access-control-allow-credentials'], undefined)
  t.equal((await request(app, 'PUT', '/', EVIL)).statusCode, 200)
  for (const url of ['/undeclared', '/without-config']) t.same(accessControl(await request(app, 'PUT', url, FOO)), {}, url)
})

t.test('app.cors answers after the module cache is cleared', async (t) => {
  const plugin = anotherCopy()
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(plugin, { policies: { named: { origin: FOO } } })
  app.put('/a', { config: { cors: { extends: 'named' } } }, ok)
  app.register(async (scope) => {
    await scope.register(plugin, { policies: { inner: { origin: EVIL } } })
    scope.put('/off', { config: { cors: false } }, ok)
  })
  await app.ready()
  anotherCopy()
  t.match(await app.cors.explain({ origin: FOO, method: 'PUT', url: '/a' }), { allowed: true, reason: null })
  t.match(await app.cors.explain({ origin: EVIL, method: 'PUT', url: '/a' }), { allowed: false, reason: 'origin-not-allowed', route: { policy: 'named' } })
  t.match(await app.cors.explain({ origin: EVIL, method: 'PUT', url: '/off' }), { reason: 'off', advice: /decision of whoever declared PUT \/off/ })
  t.match(await app.cors.explain({ origin: FOO, url: '/none' }), { reason: 'no-route' })
  t.strictSame(app.cors.routes().map(({ method, url, policy }) => [method, url, policy]), [['PUT', '/a', 'named'], ['PUT', '/off', null]])
})

t.test('two applications that share a server have their own policies, also for routes declared before the plugin is registered', async (t) => {
  const { createServer } = await import('node:http')
  const plugin = anotherCopy()
  const server = createServer()
  const apps = [FOO, EVIL].map((origin) => ({ origin, app: Fastify({ serverFactory: () => server }) }))
  for (const { app, origin } of apps) app.put('/before', { config: { cors: { origin } } }, ok)
  for (const { app } of apps) app.register(plugin)
  for (const { app, origin } of apps) app.put('/', { config: { cors: { origin } } }, ok)
  for (const { app, origin } of apps) {
    for (const url of ['/', '/before']) {
      t.ok(approves(await preflight(app, 'PUT', url, { origin }), 'PUT'), `${url} from ${origin}`)
      t.same(accessControl(await request(app, 'PUT', url, origin)), { 'access-control-allow-origin': origin })
    }
  }
  for (const { app } of apps) await app.close()
})

t.test('in a Fastify that keeps its hooks elsewhere, preflights are answered, and errors permit only what the policy permits', async (t) => {
  const plugin = anotherCopy()
  const { getOwnPropertySymbols } = Object
  Object.getOwnPropertySymbols = () => []
  t.teardown(() => { Object.getOwnPropertySymbols = getOwnPropertySymbols })
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(plugin)
  app.addHook('onSend', async (request) => { if (request.headers['x-fail'] !== undefined) throw new Error('onSend') })
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers['x-fail'] !== undefined) return await reply.header('access-control-allow-origin', EVIL).send('early')
  })
  app.put('/', { config: { cors: { origin: FOO } } }, ok)
  await app.ready()
  Object.getOwnPropertySymbols = getOwnPropertySymbols
  t.ok(approves(await preflight(app, 'PUT', '/'), 'PUT'))
  for (const origin of [FOO, EVIL]) {
    const failed = await app.inject({ method: 'PUT', url: '/', headers: { origin, 'x-fail': '1' } })
    t.equal(failed.statusCode, 500)
    t.same(accessControl(failed), origin === FOO ? { 'access-control-allow-origin': FOO } : {})
  }
})
