// Where the plugin is registered, when, and how often: which scope's names and default a route has, and that no route is half covered.
import t from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import fastifyCors from '@fastify/cors'
import cors from '../../lib/index'
import { accessControl, application, approves, corsHeaders, EVIL, FOO, ok, ONE, OTHER, preflight, refusal, request } from '../support'
import { logged } from '../support/log'

/** The origin that both the preflight and the response allow; false if neither does. */
async function allowed (app: FastifyInstance, url: string, method = 'GET'): Promise<unknown> {
  const found = []
  for (const origin of [FOO, EVIL]) {
    const asked = approves(await preflight(app, method, url, { origin }), method)
    const actual = accessControl(await request(app, method, url, origin))['access-control-allow-origin'] !== undefined
    if (asked !== actual) return `preflight ${asked}, response ${actual}`
    if (asked) found.push(origin)
  }
  return found.length > 1 ? found : found[0] ?? false
}

t.test('routes declared before the plugin has loaded are covered like any other', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.get('/first', { config: { cors: OTHER } }, ok)
  app.register(async (scope) => {
    scope.get('/', { config: { cors: { extends: 'one' } } }, ok)
    scope.get('/undeclared', ok)
  }, { prefix: '/loaded-before' })
  app.register(cors, { policies: { one: ONE }, defaultPolicy: OTHER })
  app.get('/named', { config: { cors: { extends: 'one' } } }, ok)
  app.get('/undeclared', ok)
  app.register(async (scope) => { scope.get('/', { config: { cors: { extends: 'one' } } }, ok) }, { prefix: '/after' })
  for (const [url, expected] of [['/first', EVIL], ['/loaded-before', FOO], ['/loaded-before/', FOO], ['/loaded-before/undeclared', EVIL], ['/named', FOO], ['/undeclared', EVIL], ['/after', FOO], ['/after/', FOO]] as const) {
    t.equal(await allowed(app, url), expected, url)
  }
})

t.test('a mistake in a route declared before the plugin has loaded fails the application', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.register(cors)
  app.get('/x', { config: { cors: { extends: 'nobody' } } }, ok)
  await t.rejects(async () => { await app.ready() }, { code: 'FST_ERR_CORS_INVALID_POLICY', message: /GET \/x/ })
})

t.test('wrong options fail where the plugin is registered', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await t.rejects(async () => { await app.register(cors, { policys: {} } as never) }, { code: 'FST_ERR_CORS_INVALID_POLICY', problems: [{ pointer: '/policys', reason: 'unknown-property' }] })
})

t.test('a log level that the logger does not know is refused at once', async (t) => {
  const app = Fastify({ logger: { level: 'error' } })
  t.teardown(async () => { await app.close() })
  await t.rejects(async () => { await app.register(cors, { logLevel: 'loud' as never }) }, { code: 'FST_ERR_CORS_INVALID_POLICY', problems: [{ pointer: '/logLevel', reason: 'invalid', value: 'loud' }] })
  const quiet = Fastify()
  t.teardown(async () => { await quiet.close() })
  await quiet.register(cors, { logLevel: 'loud' as never })
})

t.test('Fastify\'s own options of register are accepted', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(cors, { prefix: '/ignored', logSerializers: {} } as never)
  await app.ready()
  t.pass('as for every plugin that is not encapsulated')
})

t.test('policy names and defaults reach child scopes, can be shadowed there, and are not seen by siblings', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(cors, { policies: { one: ONE, partner: { ...ONE, maxAge: 5 } }, defaultPolicy: 'one' })
  app.get('/root', ok)
  app.register(async (scope) => {
    scope.get('/before', { config: { cors: { extends: 'one' } } }, ok)
    scope.get('/undeclared-before', ok)
    await scope.register(cors, { policies: { one: OTHER, two: OTHER, partner: { extends: 'partner', origin: EVIL } } })
    scope.get('/', { config: { cors: { extends: 'two' } } }, ok)
    scope.get('/shadowed', { config: { cors: { extends: 'one' } } }, ok)
    scope.get('/partner', { config: { cors: { extends: 'partner' } } }, ok)
    scope.get('/undeclared', ok)
    scope.register(async (inner) => {
      await inner.register(cors, { defaultPolicy: false })
      inner.get('/', ok)
      inner.get('/two', { config: { cors: { extends: 'two' } } }, ok)
      inner.setNotFoundHandler((_request, reply) => { reply.code(404).send('inner') })
    }, { prefix: '/inner' })
    scope.setNotFoundHandler((_request, reply) => { reply.code(404).send('child') })
  }, { prefix: '/child' })
  app.register(async (scope) => {
    await scope.register(cors, { defaultPolicy: OTHER })
    scope.get('/', ok)
    t.match(refusal(() => scope.get('/two', { config: { cors: { extends: 'two' } } }, ok)), { problems: [{ reason: 'unknown-policy' }] })
    scope.setNotFoundHandler((_request, reply) => { reply.code(404).send('sibling') })
  }, { prefix: '/sibling' })
  for (const [url, expected] of [
    ['/root', FOO], ['/child/before', EVIL], ['/child/undeclared-before', FOO], ['/child', EVIL], ['/child/shadowed', EVIL], ['/child/partner', EVIL], ['/child/undeclared', FOO],
    ['/child/inner', false], ['/child/inner/two', EVIL], ['/sibling', EVIL]
  ] as const) t.equal(await allowed(app, url), expected, url)
  t.equal((await preflight(app, 'GET', '/child/partner', { origin: EVIL })).headers['access-control-max-age'], '5')
  for (const [url, body, expected] of [['/child/x', 'child', FOO], ['/child/inner/x', 'inner', undefined], ['/sibling/x', 'sibling', EVIL]] as const) {
    const response = await request(app, 'GET', url, expected ?? FOO)
    t.equal(response.body, body)
    t.equal(response.headers['access-control-allow-origin'], expected, url)
  }
  t.equal((await request(app, 'GET', '/x', FOO)).headers['access-control-allow-origin'], FOO)
})

t.test('a registration that is not awaited in a child scope covers the routes before it as well', async (t) => {
  const app = await application(t, { defaultPolicy: ONE })
  app.register(async (scope) => {
    scope.get('/a', ok)
    scope.register(cors, { defaultPolicy: OTHER })
    scope.get('/b', ok)
    scope.get('/p/:id', ok)
  })
  app.get('/c', ok)
  t.equal(await allowed(app, '/a'), EVIL)
  t.equal(await allowed(app, '/b'), EVIL)
  t.equal(await allowed(app, '/p/1'), EVIL)
  t.equal(await allowed(app, '/c'), FOO)
})

t.test('the plugin in a child scope leaves the routes outside unchanged, and approves nothing for them', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.get('/api/:id/x', ok)
  app.get('/api/:id(^\\d+$)', ok)
  app.register(async (scope) => {
    await scope.register(cors)
    scope.get('/:id', { config: { cors: ONE } }, ok)
    scope.get('/:id/*', { config: { cors: ONE } }, ok)
    scope.put('/x', { config: { cors: ONE } }, ok)
  }, { prefix: '/api' })
  app.get('/api/me', (_request, reply) => { reply.header('access-control-allow-headers', 'theirs').send() })
  app.get('/api/:id.json', ok)
  app.delete('/api/x', ok)
  for (const [url, expected] of [['/api/a', FOO], ['/api/a/y', FOO], ['/api/a/x', false], ['/api/7', false], ['/api/me', false], ['/api/z.json', false]] as const) t.equal(await allowed(app, url), expected, url)
  t.equal(await allowed(app, '/api/x', 'PUT'), FOO)
  t.equal(await allowed(app, '/api/x', 'DELETE'), false)
  t.same(accessControl(await request(app, 'GET', '/api/me', FOO)), { 'access-control-allow-headers': 'theirs' })
})

t.test('routes below a prefix are answered at their full URLs', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  for (const prefix of ['/p', '/slashed/', '/:tenant/q']) {
    app.register(async (scope) => {
      await scope.register(cors)
      scope.get('/', { config: { cors: ONE } }, ok)
      scope.get('/x', { config: { cors: OTHER } }, ok)
      scope.get('//y', { config: { cors: ONE } }, ok)
      scope.register(async (inner) => { inner.get('/z', { config: { cors: OTHER } }, ok) }, { prefix: '/inner' })
    }, { prefix })
  }
  for (const [url, expected] of [
    ['/p', FOO], ['/p/', FOO], ['/p/x', EVIL], ['/p//y', FOO], ['/p/inner/z', EVIL], ['/slashed/', FOO], ['/slashed/x', EVIL], ['/slashed//y', FOO], ['/slashed/inner/z', EVIL],
    ['/t/q', FOO], ['/t/q/', FOO], ['/t/q/x', EVIL], ['/t/q/inner/z', EVIL]
  ] as const) t.equal(await allowed(app, url), expected, url)
})

t.test('two scopes with routes at one URL each answer for theirs', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const sent: string[] = []
  for (const [name, method, policy] of [['a', 'GET', ONE], ['b', 'PUT', ONE], ['c', 'PATCH', OTHER]] as const) {
    app.register(async (scope) => {
      await scope.register(cors)
      scope.addHook('onSend', async (_request, _reply, payload) => { sent.push(name); return payload })
      scope.route({ method, url: '/shared', config: { cors: policy }, handler: ok })
    })
  }
  t.equal((await preflight(app, 'PUT', '/shared')).headers['access-control-allow-methods'], 'GET, HEAD, PUT')
  t.equal((await preflight(app, 'PATCH', '/shared', { origin: EVIL })).headers['access-control-allow-methods'], 'PATCH')
  t.same(sent, ['b', 'c'], 'each preflight is the business of the scope of its route')
})

t.test('registering twice on one instance is refused', async (t) => {
  const app = await application(t)
  await t.rejects(async () => { await app.register(cors) }, { problems: [{ pointer: '', reason: 'conflict' }], message: /child scope/ })
})

t.test('the plugin works beside @fastify/cors in another scope', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.register(async (scope) => {
    await scope.register(fastifyCors, { origin: EVIL })
    scope.get('/theirs', ok)
  })
  app.register(async (scope) => {
    await scope.register(cors)
    scope.get('/ours', { config: { cors: ONE } }, ok)
  })
  const theirs = await preflight(app, 'GET', '/theirs', { origin: EVIL })
  t.equal(theirs.headers['access-control-allow-origin'], EVIL)
  t.match(theirs.headers['access-control-allow-methods'], 'GET')
  t.ok(approves(await preflight(app, 'GET', '/ours'), 'GET'))
  t.equal((await preflight(app, 'GET', '/ours', { origin: EVIL })).statusCode, 403)
  t.equal((await request(app, 'GET', '/ours', EVIL)).headers['access-control-allow-origin'], undefined)
  t.equal((await request(app, 'GET', '/theirs', EVIL)).headers['access-control-allow-origin'], EVIL)
})

t.test('config.cors that no registration reads causes one warning, which names the routes', async (t) => {
  const { logger, messages } = logged()
  const app = Fastify({ logger })
  t.teardown(async () => { await app.close() })
  app.register(async (scope) => {
    await scope.register(cors)
    scope.get('/in', { config: { cors: ONE } }, ok)
  })
  app.get('/out\u202e', { config: { cors: ONE } }, ok)
  app.register(async (scope) => {
    await scope.register(fastifyCors)
    scope.get('/theirs', { config: { cors: ONE } }, ok)
  })
  await app.ready()
  t.equal(messages.length, 1)
  t.match(messages[0], /no effect on GET \/out\\u202e, HEAD \/out\\u202e:/)
})

t.test('an application without the plugin is unchanged', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.get('/', ok)
  app.options('/', async () => 'mine')
  t.equal((await preflight(app, 'GET', '/')).body, 'mine')
  t.same(corsHeaders(await request(app, 'GET', '/', FOO)), {})
})

t.test('hooks that were registered before the plugin run on preflights, later ones do not', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const ran: string[] = []
  app.addHook('onRequest', async () => { ran.push('before') })
  await app.register(cors)
  app.addHook('onRequest', async () => { ran.push('after') })
  app.put('/', { config: { cors: ONE } }, ok)
  t.equal((await preflight(app, 'PUT', '/')).statusCode, 204)
  t.same(ran, ['before'])
})

t.test('an onRoute hook that replaces the onSend hook of a route does not remove the plugin\'s', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(cors)
  app.addHook('onRoute', (route) => {
    route.onSend = async (_request, reply, payload) => { reply.header('vary', 'X').removeHeader('access-control-allow-origin'); return payload }
  })
  app.get('/', { config: { cors: ONE } }, ok)
  t.same(corsHeaders(await request(app, 'GET', '/', FOO)), { vary: 'X, Origin', 'access-control-allow-origin': FOO })
})

t.test('changing the options after they were passed changes no policy', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const options = { policies: { one: { origin: [FOO] } }, defaultPolicy: 'one' }
  const route = { origin: [FOO] }
  await app.register(cors, options)
  app.get('/named', { config: { cors: { extends: 'one' } } }, ok)
  app.get('/own', { config: { cors: route } }, ok)
  options.policies.one.origin.push(EVIL)
  options.policies.one = { origin: [EVIL] }
  options.defaultPolicy = 'two'
  route.origin.push(EVIL)
  app.get('/default', ok)
  app.get('/later', { config: { cors: { extends: 'one' } } }, ok)
  for (const url of ['/named', '/own', '/default', '/later']) t.equal(await allowed(app, url), FOO, url)
})

t.test('routes declared in after(), in nested scopes and on earlier instances are covered', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  let early!: FastifyInstance
  app.register(async (scope) => { early = scope })
  app.register(cors, { policies: { one: ONE }, defaultPolicy: OTHER })
  app.after(() => {
    app.get('/after', { config: { cors: { extends: 'one' } } }, ok)
    early.get('/early', ok)
    early.get('/early-named', { config: { cors: { extends: 'one' } } }, ok)
    app.register(async (scope) => {
      scope.after(() => { scope.get('/late', { config: { cors: { extends: 'one' } } }, ok) })
      scope.register(async (inner) => { await inner.register(async (innermost) => { innermost.get('/innermost', ok) }) })
    })
  })
  await app.ready()
  for (const [url, expected] of [['/after', FOO], ['/early', EVIL], ['/early-named', FOO], ['/late', FOO], ['/innermost', EVIL]] as const) t.equal(await allowed(app, url), expected, url)
})

t.test('config.cors that is undefined is refused, and not taken for the default', async (t) => {
  const policies = { public: { origin: '*' } }
  const app = await application(t, { policies, defaultPolicy: 'public' })
  const misspelt = (policies as Record<string, cors.CorsPolicy>).publc
  t.match(refusal(() => app.get('/', { config: { cors: misspelt } as never }, ok)), { problems: [{ pointer: '', reason: 'type', value: undefined }] })
  app.get('/', { config: {} }, ok)
})
