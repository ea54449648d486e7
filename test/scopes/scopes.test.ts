// Where the plugin is registered, when, and how often: which scope's names and default a route has, and that no route is half covered.
import t from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import fastifyCors from '@fastify/cors'
import cors from '../../lib/index'
import { accessControl, application, approves, corsHeaders, EVIL, FOO, ok, ONE, OTHER, preflight, refusal, request } from '../support'
import { logged } from '../support/log'
import { approved, readable, verdicts } from '../support/routing'

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
    t.same(await verdicts(app, 'GET', url), expected, url)
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

t.test('other versions of Fastify are refused, and prereleases of later ones are not', async (t) => {
  for (const [version, isAccepted] of [['5.0.0', true], ['5.12.8', true], ['5.0.0-rc.1', true], ['6.0.0-alpha.4', true], ['4.29.1', false], ['4.0.0-rc.1', false], ['6.0.0', false], ['15.0.0', false], ['50.0.0', false], ['', false], ['next', false]] as const) {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    Object.defineProperty(app, 'version', { value: version })
    const registered = app.register(cors, { defaultPolicy: ONE })
    if (isAccepted) {
      await registered
      continue
    }
    await t.rejects(async () => { await registered }, { code: 'FST_ERR_PLUGIN_VERSION_MISMATCH', message: /fastify-cors-policy/ }, version)
  }
})

t.test('a log level that the logger does not know is refused at once', async (t) => {
  const app = Fastify({ logger: { level: 'error' } })
  t.teardown(async () => { await app.close() })
  await t.rejects(async () => { await app.register(cors, { logLevel: 'loud' as never }) }, { code: 'FST_ERR_CORS_INVALID_POLICY', problems: [{ pointer: '/logLevel', reason: 'invalid', value: 'loud' }] })
  await application(t, { logLevel: 'loud' as never })
})

t.test('Fastify\'s own options of register are accepted', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(cors, { prefix: '/ignored', logSerializers: {} } as never)
  await app.ready()
  t.pass('as for every plugin that is not encapsulated')
})

t.test('policy names and defaults reach child scopes, can be shadowed there, and are not seen by siblings', async (t) => {
  const app = await application(t, { policies: { one: ONE, partner: { ...ONE, maxAge: 5 } }, defaultPolicy: 'one' })
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
    ['/child/inner', []], ['/child/inner/two', EVIL], ['/sibling', EVIL]
  ] as const) t.same(await verdicts(app, 'GET', url), expected, url)
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
  t.same(await verdicts(app, 'GET', '/a'), EVIL)
  t.same(await verdicts(app, 'GET', '/b'), EVIL)
  t.same(await verdicts(app, 'GET', '/p/1'), EVIL)
  t.same(await verdicts(app, 'GET', '/c'), FOO)
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
  for (const [url, expected] of [['/api/a', FOO], ['/api/a/y', FOO], ['/api/a/x', []], ['/api/7', []], ['/api/me', []], ['/api/z.json', []]] as const) t.same(await verdicts(app, 'GET', url), expected, url)
  t.same(await verdicts(app, 'PUT', '/api/x'), FOO)
  t.same(await verdicts(app, 'DELETE', '/api/x'), [])
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
  ] as const) t.same(await verdicts(app, 'GET', url), expected, url)
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
  const app = await application(t)
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
  for (const url of ['/named', '/own', '/default', '/later']) t.same(await verdicts(app, 'GET', url), FOO, url)
})

t.test('routes declared in after(), in nested scopes and on earlier instances are covered', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.register(async (scope) => {
    scope.get('/early', ok)
    scope.get('/early-named', { config: { cors: { extends: 'one' } } }, ok)
  })
  app.register(cors, { policies: { one: ONE }, defaultPolicy: OTHER })
  app.after(() => {
    app.get('/after', { config: { cors: { extends: 'one' } } }, ok)
    app.register(async (scope) => {
      scope.after(() => { scope.get('/late', { config: { cors: { extends: 'one' } } }, ok) })
      scope.register(async (inner) => { await inner.register(async (innermost) => { innermost.get('/innermost', ok) }) })
    })
  })
  await app.ready()
  for (const [url, expected] of [['/after', FOO], ['/early', EVIL], ['/early-named', FOO], ['/late', FOO], ['/innermost', EVIL]] as const) t.same(await verdicts(app, 'GET', url), expected, url)
})

t.test('a route that an earlier instance declares after the registration fails the application, as no hook of the plugin sees it', async (t) => {
  for (const [config, isRefused] of [[{ cors: ONE }, true], [{}, true], [{ cors: false }, false]] as const) {
    const app = Fastify()
    t.teardown(async () => { await app.close().catch(() => {}) })
    let early!: FastifyInstance
    app.register(async (scope) => { early = scope })
    app.register(cors, { defaultPolicy: OTHER })
    app.after(() => { early.put('/early', { config: config as object }, ok) })
    const ready = async (): Promise<void> => { await app.ready() }
    if (isRefused) await t.rejects(ready, { code: 'FST_ERR_CORS_INVALID_POLICY', message: /PUT \/early, and before these routes; write await app\.register\(cors\)/ })
    else {
      await ready()
      t.strictSame(await verdicts(app, 'PUT', '/early'), [], 'what allows nobody is covered')
    }
  }
})

t.test('config.cors that is undefined is refused, and not taken for the default', async (t) => {
  const policies = { public: { origin: '*' } }
  const app = await application(t, { policies, defaultPolicy: 'public' })
  const misspelt = (policies as Record<string, cors.CorsPolicy>).publc
  t.match(refusal(() => app.get('/', { config: { cors: misspelt } as never }, ok)), { problems: [{ pointer: '', reason: 'type', value: undefined }] })
  app.get('/', { config: {} }, ok)
})

t.test('a preflight passes the hooks before the outermost registration around its route, and no other', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  let passed: string[] = []
  const note = (instance: FastifyInstance, name: string): void => {
    instance.addHook('onRequest', async () => { passed.push(name) })
  }
  note(app, 'before')
  await app.register(cors)
  note(app, 'after')
  app.register(async (scope) => {
    note(scope, 'before in the scope')
    await scope.register(cors)
    note(scope, 'after in the scope')
    scope.put('/inner', { config: { cors: ONE } }, ok)
  })
  app.put('/outer', { config: { cors: ONE } }, ok)
  const passing = async (url: string): Promise<string[]> => {
    passed = []
    t.ok(approves(await preflight(app, 'PUT', url), 'PUT'), url)
    return passed
  }
  t.same(await passing('/outer'), ['before'])
  t.same(await passing('/inner'), ['before'], 'the outer registration answers the preflights of the inner one')
  passed = []
  await request(app, 'PUT', '/inner', FOO)
  t.same(passed, ['before', 'after', 'before in the scope', 'after in the scope'])
})

t.test('onRoute hooks see generated routes, whenever they are added, and the plugin makes no instance of its own', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const seen = { before: [] as string[], after: [] as string[] }
  let instances = 0
  app.addHook('onRegister', () => { instances++ })
  app.addHook('onRoute', ({ method, url }) => { seen.before.push(`${String(method)} ${url}`) })
  await app.register(cors)
  app.addHook('onRoute', ({ method, url }) => { seen.after.push(`${String(method)} ${url}`) })
  app.put('/a', { config: { cors: ONE } }, ok)
  t.same(seen, { before: ['PUT /a', 'OPTIONS /a'], after: ['OPTIONS /a', 'PUT /a'] })
  t.equal(instances, 0)
  t.ok(approves(await preflight(app, 'PUT', '/a'), 'PUT'))
})

t.test('a default policy that is registered later than a child scope reaches the registration inside it', async (t) => {
  const build: Record<string, (app: FastifyInstance, inside: (scope: FastifyInstance) => Promise<void>) => unknown> = {
    'a child scope registered first, not awaited': (app, inside) => {
      app.register(inside)
      app.register(cors, { defaultPolicy: OTHER })
    },
    'a child scope registered first, awaited': async (app, inside) => {
      await app.register(inside)
      await app.register(cors, { defaultPolicy: OTHER })
    },
    'a scope between, not awaited': (app, inside) => {
      app.register(cors, { defaultPolicy: ONE })
      app.register(async (outer) => {
        outer.register(inside)
        outer.register(cors, { defaultPolicy: OTHER })
      })
    },
    'a scope between, awaited inside': async (app, inside) => {
      await app.register(cors, { defaultPolicy: ONE })
      app.register(async (outer) => {
        await outer.register(inside)
        await outer.register(cors, { defaultPolicy: OTHER })
      })
    }
  }
  for (const [name, register] of Object.entries(build)) {
    for (const between of [false, true]) {
      const app = Fastify()
      t.teardown(async () => { await app.close() })
      await register(app, async (scope) => {
        if (between) {
          scope.register(async (inner) => {
            inner.register(cors)
            inner.put('/a', ok)
          })
        } else {
          scope.register(cors)
          scope.put('/a', ok)
        }
      })
      await app.ready()
      t.strictSame(await readable(app, 'PUT', '/a'), [EVIL], `${name}: the response`)
      t.strictSame(await approved(app, 'PUT', '/a'), [EVIL], `${name}: the preflight`)
    }
  }
})

t.test('a default policy that is registered later than a child scope reaches the routes and 404s of the registration inside it', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.register(cors, { defaultPolicy: { origin: EVIL } })
  app.register(async (outer) => {
    outer.register(async (inner) => {
      await inner.register(cors)
      inner.get('/inner', ok)
      inner.setNotFoundHandler(async (_request, reply) => await reply.code(404).send('inner'))
    }, { prefix: '/in' })
    outer.register(cors, { defaultPolicy: { origin: FOO } })
  })
  for (const url of ['/in/inner', '/in/none']) {
    t.same(accessControl(await request(app, 'GET', url, EVIL)), {}, url)
    t.same(accessControl(await request(app, 'GET', url, FOO)), { 'access-control-allow-origin': FOO }, url)
  }
  t.notOk(approves(await preflight(app, 'GET', '/in/inner', { origin: EVIL }), 'GET'))
})

t.test('a default policy of false that is registered later than a child scope allows no origin inside it', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.register(cors, { defaultPolicy: ONE })
  app.register(async (outer) => {
    outer.register(async (inner) => {
      inner.register(cors)
      inner.put('/a', ok)
      inner.get('/own-hooks', { onRequest: async (_request, reply) => { reply.header('x-own', 'onRequest') } }, ok)
      inner.get('/missing', async (_request, reply) => { reply.callNotFound() })
    })
    outer.register(cors, { defaultPolicy: false })
  })
  for (const [method, url] of [['PUT', '/a'], ['GET', '/own-hooks'], ['HEAD', '/own-hooks']] as const) {
    t.strictSame(await readable(app, method, url), [], url)
    t.strictSame(await approved(app, method, url), [], url)
  }
  t.equal((await request(app, 'GET', '/own-hooks', FOO)).headers['x-own'], 'onRequest')
})

t.test('thirty scopes, each with a registration and a host, fail with what to write, and start with one registration around them', async (t) => {
  const hosts = Array.from({ length: 30 }, (_, index) => `h${index}.test`)
  const each = Fastify()
  t.teardown(async () => { await each.close() })
  for (const host of hosts) {
    each.register(async (scope) => {
      await scope.register(cors)
      scope.all('/', { constraints: { host }, config: { cors: { origin: FOO } } }, ok)
    })
  }
  await t.rejects(async () => { await each.ready() }, { code: 'FST_ERR_CORS_INVALID_POLICY', message: /register the plugin once/ })
  const app = await application(t)
  for (const host of hosts) app.register(async (scope) => { scope.all('/', { constraints: { host }, config: { cors: { origin: `https://${host}` } } }, ok) })
  for (const host of hosts) t.ok(approves(await preflight(app, 'PUT', '/', { origin: `https://${host}`, headers: { host } }), 'PUT'), host)
})

t.test('thirty hosts of one URL start in one registration, each with its policy', async (t) => {
  const app = await application(t)
  for (let index = 0; index < 30; index++) app.put('/', { constraints: { host: `h${index}.test` }, config: { cors: { origin: index % 2 === 0 ? FOO : EVIL } } }, ok)
  await app.ready()
  for (const index of [0, 1, 28, 29]) t.strictSame(await approved(app, 'PUT', '/', { host: `h${index}.test` }), [index % 2 === 0 ? FOO : EVIL])
})

for (const count of [30, 31, 40]) {
  for (const methods of ['all', 'get and put'] as const) {
    t.test(`${count} scopes, each with a registration and ${methods} of one URL for its host, start or fail with what to write`, async (t) => {
      const declare = (app: FastifyInstance, plugin: boolean): void => {
        for (let index = 0; index < count; index++) {
          app.register(async (scope) => {
            if (plugin) await scope.register(cors)
            const route = { constraints: { host: `h${index}.test` }, config: { cors: { origin: `https://o${index}.example` } } }
            if (methods === 'all') scope.all('/', route, ok)
            else for (const method of ['GET', 'PUT']) scope.route({ ...route, method, url: '/', exposeHeadRoute: false, handler: ok })
          })
        }
      }
      const bare = Fastify()
      t.teardown(async () => { await bare.close().catch(() => {}) })
      declare(bare, false)
      let alone: Error | undefined
      await bare.ready().then(() => {}, (error: Error) => { alone = error })
      const app = Fastify()
      t.teardown(async () => { await app.close().catch(() => {}) })
      declare(app, true)
      let failure: Error | undefined
      await app.ready().then(() => {}, (error: Error) => { failure = error })
      if (alone !== undefined) {
        t.ok(failure, 'Fastify itself does not take that many')
        return
      }
      if (failure !== undefined) {
        t.match(failure, { code: 'FST_ERR_CORS_INVALID_POLICY', message: /register the plugin once/ })
        return
      }
      for (const index of [0, 1, count - 2, count - 1]) {
        const answer = await app.inject({ method: 'OPTIONS', url: '/', headers: { host: `h${index}.test`, origin: `https://o${index}.example`, 'access-control-request-method': 'PUT' } })
        t.match(answer, { statusCode: 204, headers: { 'access-control-allow-origin': `https://o${index}.example` } })
        const other = await app.inject({ method: 'OPTIONS', url: '/', headers: { host: `h${index}.test`, origin: `https://o${(index + 1) % count}.example`, 'access-control-request-method': 'PUT' } })
        t.equal(other.statusCode, 403)
      }
    })
  }
}

t.test('an onRoute hook can add hooks to the instance of every route that it sees', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const passed: string[] = []
  let added = false
  app.addHook('onRoute', function ({ method }) {
    if (added || method !== 'OPTIONS') return
    added = true
    this.addHook('onRequest', async ({ method, url }) => { passed.push(`${method} ${url}`) })
  })
  await app.register(cors)
  app.put('/a', { config: { cors: ONE } }, ok)
  t.ok(approves(await preflight(app, 'PUT', '/a'), 'PUT'))
  t.same(passed, [], 'a preflight is answered before')
  await request(app, 'PUT', '/a', FOO)
  t.same(passed, ['PUT /a'])
})
