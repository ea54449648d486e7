// How generated routes are finished while an application boots: together, in order, with the errors that there are.
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import cors from '../../lib/index'
import { application, approves, FOO, ok, preflight } from '../support'

t.test('all of hundreds of generated routes answer', async (t) => {
  const app = await application(t)
  for (let index = 0; index < 250; index++) app.put(`/${index}`, { config: { cors: { origin: FOO } } }, ok)
  await app.ready()
  for (const index of [0, 1, 99, 100, 101, 200, 249]) t.ok(approves(await preflight(app, 'PUT', `/${index}`), 'PUT'), `/${index}`)
})

t.test('callbacks that onRoute hooks pass to after() on generated routes each run once, whatever arguments they take', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const called: string[] = []
  app.addHook('onRoute', function (this: FastifyInstance, { method, url }) {
    if (method !== 'OPTIONS') return
    const after = this.after.bind(this) as (callback?: unknown) => unknown
    after(() => { called.push(`nothing ${url}`) })
    after((err: Error | null, done: (err: Error | null) => void) => {
      called.push(`both ${url}`)
      setImmediate(done, err)
    })
    after((err: Error | null, context: unknown, done: (err: Error | null) => void) => {
      called.push(`three ${url}`)
      done(err)
    })
  })
  await app.register(cors)
  for (const url of ['/a', '/b', '/c']) app.put(url, { config: { cors: { origin: FOO } } }, ok)
  await app.ready()
  for (const url of ['/a', '/b', '/c']) {
    t.ok(approves(await preflight(app, 'PUT', url), 'PUT'), url)
    t.strictSame(called.filter((call) => call.endsWith(url)).map((call) => call.split(' ')[0]).sort(), ['both', 'nothing', 'three'], 'each once')
  }
})

t.test('an error in a plugin before or behind the generated routes fails the application', async (t) => {
  for (const when of ['before', 'behind']) {
    const app = Fastify()
    app.register(cors)
    const fail = (): unknown => app.register(async () => { throw new Error(when) })
    if (when === 'before') fail()
    app.after(() => { app.put('/a', { config: { cors: { origin: FOO } } }, ok) })
    app.put('/b', { config: { cors: { origin: FOO } } }, ok)
    if (when === 'behind') fail()
    await t.rejects(async () => await app.ready(), { message: when }, when)
  }
})

t.test('a generated route uses the error handler that is set last', async (t) => {
  const app = await application(t)
  app.put('/a', { config: { cors: { origin: FOO } } }, ok)
  app.addHook('onSend', async (request) => { if (request.method === 'OPTIONS') throw new Error('late') })
  app.setErrorHandler(async (error, request, reply) => await reply.code(418).send((error as Error).message))
  t.equal((await preflight(app, 'PUT', '/a')).statusCode, 418)
})
