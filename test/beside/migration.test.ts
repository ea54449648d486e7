// Beside another CORS plugin while an application moves from it: ours first, the other after it.
import fastifyCors from '@fastify/cors'
import t from 'tap'
import Fastify from 'fastify'
import cors from '../../lib/index'
import { accessControl, application, approves, EVIL, FOO, ok, preflight, request } from '../support'
import { logged } from '../support/log'

t.test('the plugin, registered before @fastify/cors, answers for routes with a policy, and @fastify/cors for all others', async (t) => {
  const app = await application(t)
  await app.register(fastifyCors, { origin: EVIL })
  app.put('/moved', { config: { cors: { origin: FOO } as never } }, ok)
  app.put('/left', ok)
  t.ok(approves(await preflight(app, 'PUT', '/moved'), 'PUT'))
  t.equal((await preflight(app, 'PUT', '/moved', { origin: EVIL })).statusCode, 403)
  t.same(accessControl(await request(app, 'PUT', '/moved', FOO)), { 'access-control-allow-origin': FOO })
  t.same(accessControl(await request(app, 'PUT', '/moved', EVIL)), {})
  t.equal((await preflight(app, 'PUT', '/left', { origin: EVIL })).headers['access-control-allow-origin'], EVIL)
  t.equal((await request(app, 'PUT', '/left', EVIL)).headers['access-control-allow-origin'], EVIL)
})

t.test('the plugin, registered after @fastify/cors, warns once that preflights are answered before it', async (t) => {
  const { logger, messages } = logged()
  const app = Fastify({ logger })
  t.teardown(async () => { await app.close() })
  await app.register(fastifyCors, { origin: EVIL })
  await app.register(cors)
  app.put('/', { config: { cors: { origin: FOO } as never } }, ok)
  for (let count = 0; count < 2; count++) t.notOk(approves(await preflight(app, 'PUT', '/'), 'PUT'))
  t.equal(messages.length, 1)
  t.match(messages[0], /answered a preflight with 204 No Content/)
})
