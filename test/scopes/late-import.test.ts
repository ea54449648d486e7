// An application that was made before the package was first imported: what is covered, and what is said about the rest. A file of its
// own, because nothing in this process may have imported the package earlier.
import t from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import { logged } from '../support/log'
import { EVIL, FOO } from '../support/origins'

const ok = async (): Promise<string> => 'ok'
const ONE = { origin: FOO } as const

t.test('after a late import, later routes are covered in every scope, and one warning tells about the earlier ones', async (t) => {
  const { logger, messages } = logged()
  const app = Fastify({ logger })
  t.teardown(async () => { await app.close() })
  app.get('/x/:id(^\\d+$)', ok)
  app.get('/x/me', ok)
  let early!: FastifyInstance
  let known!: FastifyInstance
  await app.register(async (scope) => { early = scope })
  const cors = require('../../lib/index') as typeof import('../../lib/index')
  await app.register(async (scope) => {
    await scope.register(cors)
    known = scope
    scope.get('/:name', { config: { cors: ONE } }, ok)
    scope.get('/y', { config: { cors: ONE } }, ok)
  }, { prefix: '/x' })
  await early.register(async (scope) => {
    await scope.register(cors, { defaultPolicy: { origin: EVIL } })
    scope.get('/early', ok)
  })
  app.register(async (scope) => { scope.get('/out/:id', ok) })
  await app.register(async (scope) => {
    await scope.register(cors)
    // Its registration does not lead back to its declaration, as those of the routes before do not lead to any.
    scope.addHook('onRoute', (route) => { route.config = { cors: (route.config as { cors?: never }).cors } as never })
    scope.get('/replaced', { config: { cors: ONE } }, ok)
  }, { prefix: '/late' })
  const allowed = async (url: string, origin: string = FOO): Promise<boolean> => {
    const preflight = await app.inject({ method: 'OPTIONS', url, headers: { origin, 'access-control-request-method': 'GET' } })
    const actual = await app.inject({ url, headers: { origin } })
    t.equal(preflight.statusCode < 300, actual.headers['access-control-allow-origin'] === origin, `preflight and response of ${url} agree`)
    return preflight.statusCode < 300
  }
  t.ok(await allowed('/x/y'))
  t.ok(await allowed('/x/someone'))
  t.notOk(await allowed('/x/me'), 'another route, though it is not known')
  t.match(await known.cors.explain({ origin: FOO, url: '/x/me' }), { reason: 'no-policy', route: { url: '/x/me', policy: null } })
  t.match(await known.cors.explain({ origin: FOO, url: '/nothing' }), { reason: 'no-route' })
  t.notOk(await allowed('/x/7'), 'another route, though it is not known')
  t.ok(await allowed('/early', EVIL))
  t.notOk(await allowed('/out/1'))
  t.ok(await allowed('/late/replaced'))
  t.equal(messages.length, 1, 'said once')
  t.match(messages[0], /imported after Fastify\(\)/)
})

t.test('an application that declared nothing earlier gets no warning', async (t) => {
  const cors = require('../../lib/index') as typeof import('../../lib/index')
  t.ok(cors)
  const { logger, messages } = logged()
  const app = Fastify({ logger })
  t.teardown(async () => { await app.close() })
  await app.register(cors)
  await app.ready()
  t.same(messages, [])
})
