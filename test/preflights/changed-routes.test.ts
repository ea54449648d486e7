// Routes that change after the plugin has seen them: by onRoute hooks that run later, and by Fastify, which refuses some or leaves out their HEAD.
import t, { type Test } from 'tap'
import Fastify, { type FastifyInstance, type FastifyServerOptions, type RouteOptions } from 'fastify'
import cors from '../../lib/index'
import { fastify } from '../support/features'
import { application, approves, EVIL, FOO, ok, ONE, OTHER, preflight } from '../support'
import { approved, named, readable, verdicts } from '../support/routing'

type Hook = (options: RouteOptions & { url: string }) => void

/** What an application does about a route that it changes. */
interface Case {
  /** The default policy. */
  readonly defaultPolicy?: cors.RouteCors
  readonly declare: (app: FastifyInstance) => void
  readonly hook: Hook
  /** The origins allowed for a method of a URL (on a host): of its preflight and of its response. */
  readonly expected: ReadonlyArray<readonly [method: string, url: string, origins: readonly string[], host?: string]>
}

const isRoute = ({ config }: RouteOptions): boolean => (config as { changed?: boolean } | undefined)?.changed === true
const changed = (cors: cors.RouteCors): { cors: cors.RouteCors, changed: boolean } => ({ cors, changed: true })

/** Sets `config.cors`, as hooks do it: in the object that the route was declared with, or in another. */
function sets (cors: cors.RouteCors, how: 'in place' | 'replaced'): Hook {
  return (options) => {
    if (!isRoute(options)) return
    if (how === 'in place') options.config!.cors = cors
    else options.config = { ...options.config, cors }
  }
}

const cases: Record<string, Case> = {
  'the URL, to another': {
    declare: (app) => { app.put('/a', { config: changed(ONE) }, ok) },
    hook: (options) => { if (isRoute(options)) options.url = '/moved' },
    expected: [['PUT', '/a', []], ['PUT', '/moved', [FOO]]]
  },
  'the URL, to where a pattern of another policy leads': {
    declare: (app) => {
      app.put('/items/:id', { config: { cors: OTHER } }, ok)
      app.put('/a', { config: changed(false) }, ok)
    },
    hook: (options) => { if (isRoute(options)) options.url = '/items/me' },
    expected: [['PUT', '/items/me', []], ['PUT', '/items/7', [EVIL]], ['PUT', '/a', []]]
  },
  'the URL, away from a pattern of another policy': {
    declare: (app) => {
      app.put('/items/:id', { config: { cors: OTHER } }, ok)
      app.put('/items/me', { config: changed(ONE) }, ok)
    },
    hook: (options) => { if (isRoute(options)) options.url = '/me' },
    expected: [['PUT', '/items/me', [EVIL]], ['PUT', '/me', [FOO]]]
  },
  'the URL of a GET, and so that of its HEAD': {
    declare: (app) => { app.get('/a', { config: changed(ONE) }, ok) },
    hook: (options) => { if (isRoute(options)) options.url = '/moved' },
    expected: [['GET', '/a', []], ['HEAD', '/a', []], ['GET', '/moved', [FOO]], ['HEAD', '/moved', [FOO]]]
  },
  'the constraints, to those of a host': {
    declare: (app) => {
      app.put('/a', { config: changed(ONE) }, ok)
    },
    hook: (options) => { if (isRoute(options)) options.constraints = { host: 'b.test' } },
    expected: [['PUT', '/a', [], 'a.test'], ['PUT', '/a', [FOO], 'b.test']]
  },
  'the host constraint, in place': {
    declare: (app) => {
      app.put('/a', { constraints: { host: 'a.test' }, config: changed(ONE) }, ok)
      app.put('/a', { config: { cors: OTHER } }, ok)
    },
    hook: (options) => { if (isRoute(options)) options.constraints!.host = 'b.test' },
    expected: [['PUT', '/a', [EVIL], 'a.test'], ['PUT', '/a', [FOO], 'b.test']]
  },
  'the method': {
    declare: (app) => { app.put('/a', { config: changed(ONE) }, ok) },
    hook: (options) => { if (isRoute(options)) options.method = 'DELETE' },
    expected: [['PUT', '/a', []], ['DELETE', '/a', [FOO]]]
  },
  'the method, in place': {
    declare: (app) => { app.route({ method: ['PUT', 'PATCH'], url: '/a', config: changed(ONE), handler: ok }) },
    hook: (options) => { if (isRoute(options)) (options.method as string[]).splice(0, 1, 'DELETE') },
    expected: [['PUT', '/a', []], ['DELETE', '/a', [FOO]], ['PATCH', '/a', [FOO]]]
  },
  'config.cors, which it deletes, so that the default policy remains': {
    defaultPolicy: OTHER,
    declare: (app) => { app.put('/a', { config: changed(ONE) }, ok) },
    hook: (options) => { if (isRoute(options)) delete options.config!.cors },
    expected: [['PUT', '/a', [EVIL]]]
  },
  'config, which it replaces by one without cors': {
    declare: (app) => { app.put('/a', { config: changed(ONE) }, ok) },
    hook: (options) => { if (isRoute(options)) options.config = {} },
    expected: [['PUT', '/a', []]]
  },
  'config, which the route did not have': {
    defaultPolicy: ONE,
    declare: (app) => { app.put('/a', ok) },
    hook: (options) => { if (options.url === '/a' && options.method === 'PUT') options.config = { cors: OTHER } },
    expected: [['PUT', '/a', [EVIL]]]
  },
  'config.cors of both URLs of a "/" below a prefix': {
    defaultPolicy: ONE,
    declare: (app) => { app.register(async (scope) => { scope.put('/', { config: changed(ONE) }, ok) }, { prefix: '/p' }) },
    hook: (options) => { if (isRoute(options)) options.config = { cors: false } },
    expected: [['PUT', '/p', []], ['PUT', '/p/', []]]
  },
  'config.cors of every route, generated ones too': {
    defaultPolicy: ONE,
    declare: (app) => { app.put('/a', { config: { cors: ONE } }, ok) },
    hook: (options) => { options.config = { ...options.config, cors: false } },
    expected: [['PUT', '/a', []]]
  }
}
for (const how of ['in place', 'replaced'] as const) {
  cases[`config.cors to false, ${how}`] = {
    defaultPolicy: ONE,
    declare: (app) => { app.get('/a', { config: changed(ONE) }, ok) },
    hook: sets(false, how),
    expected: [['GET', '/a', []], ['HEAD', '/a', []]]
  }
  cases[`config.cors of a route that declared nothing, to false, ${how}`] = {
    defaultPolicy: ONE,
    declare: (app) => { app.put('/a', { config: { changed: true } as never }, ok) },
    hook: sets(false, how),
    expected: [['PUT', '/a', []]]
  }
  cases[`config.cors to another policy, ${how}`] = {
    defaultPolicy: ONE,
    declare: (app) => { app.put('/a', { config: changed(ONE) }, ok) },
    hook: sets(OTHER, how),
    expected: [['PUT', '/a', [EVIL]]]
  }
  cases[`config.cors from false to a policy, ${how}`] = {
    declare: (app) => { app.put('/a', { config: changed(false) }, ok) },
    hook: sets(ONE, how),
    expected: [['PUT', '/a', [FOO]]]
  }
  cases[`config.cors of a route outside the plugin's reach, which stays without a policy, ${how}`] = {
    declare: () => {},
    hook: sets(ONE, how),
    expected: [['PUT', '/out', []]]
  }
}

/** Where the hook is added. */
const places: Record<string, (app: FastifyInstance, hook: Hook, declare: (app: FastifyInstance) => void, options: cors.CorsPluginOptions) => Promise<void>> = {
  'before the plugin is registered': async (app, hook, declare, options) => {
    app.addHook('onRoute', hook)
    await app.register(cors, options)
    declare(app)
  },
  'after the plugin is registered': async (app, hook, declare, options) => {
    await app.register(cors, options)
    app.addHook('onRoute', hook)
    declare(app)
  },
  'while the plugin is loading': async (app, hook, declare, options) => {
    app.register(cors, options)
    app.addHook('onRoute', hook)
    declare(app)
  },
  'in a child scope': async (app, hook, declare, options) => {
    await app.register(cors, options)
    await app.register(async (scope) => {
      scope.addHook('onRoute', hook)
      declare(scope)
    })
  },
  'in the child scope that registers the plugin, late': async (app, hook, declare, options) => {
    app.register(async (scope) => {
      scope.addHook('onRoute', hook)
      declare(scope)
      await scope.register(cors, options)
    })
  }
}

for (const [place, build] of Object.entries(places)) {
  for (const [name, { defaultPolicy, declare, hook, expected }] of Object.entries(cases)) {
    t.test(`the final route counts if an onRoute hook, added ${place}, changes ${name}`, async (t) => {
      const app = Fastify()
      t.teardown(async () => { await app.close() })
      if (name.includes('outside')) app.put('/out', { config: changed(false) }, ok)
      await build(app, hook, declare, defaultPolicy === undefined ? {} : { defaultPolicy: defaultPolicy as cors.CorsPolicy })
      await app.ready()
      for (const [method, url, origins, host = 'a.test'] of expected) {
        const where = `${method} ${url} on ${host}`
        if (!name.includes('outside')) t.strictSame(await readable(app, method, url, { host }), url === '/a' && method !== 'HEAD' && origins.length === 0 && defaultPolicy !== undefined && (await app.inject({ method: method as 'PUT', url, headers: { host } })).statusCode === 404 ? [FOO] : origins, `the response of ${where}`)
        t.strictSame(await approved(app, method, url, { host }), origins, `the preflight for ${where}`)
      }
    })
  }
}

t.test('an onRoute hook that writes a wrong policy fails the application, whenever it runs', async (t) => {
  for (const how of ['in place', 'replaced'] as const) {
    for (const wrong of ['public', { origin: 'https://foo.example/' }, { orign: FOO }, undefined, null, true]) {
      for (const [place, build] of Object.entries(places)) {
        const app = Fastify()
        let error: Error | undefined
        try {
          await build(app, sets(wrong as never, how), (scope) => { scope.put('/a', { config: changed(ONE) }, ok) }, {})
          await app.ready()
        } catch (thrown) {
          error = thrown as Error
        }
        t.match(error, { code: 'FST_ERR_CORS_INVALID_POLICY', message: /PUT \/a/ }, `${JSON.stringify(wrong)} ${how}, ${place}`)
        await app.close().catch(() => {})
      }
    }
  }
})

t.test('a policy name that an onRoute hook writes is looked up in the scope of the route', async (t) => {
  const app = await application(t, { policies: { named: ONE } })
  await app.register(async (scope) => {
    await scope.register(cors, { policies: { named: OTHER } })
    scope.addHook('onRoute', (options) => { if (isRoute(options)) options.config!.cors = { extends: 'named' } })
    scope.put('/a', { config: changed(false) }, ok)
  })
  t.strictSame(await approved(app, 'PUT', '/a'), [EVIL])
  t.strictSame(await readable(app, 'PUT', '/a'), [EVIL])
})

for (const isAwaited of [true, false]) {
  t.test(`a config object that the application changes, and declares another route with, changes no earlier route${isAwaited ? '' : ', also where the plugin has not loaded yet'}`, async (t) => {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    const registered = app.register(cors)
    if (isAwaited) await registered
    const config: { cors: cors.RouteCors } = { cors: ONE }
    app.put('/a', { config }, ok)
    config.cors = OTHER
    app.put('/b', { config }, ok)
    config.cors = false
    t.strictSame([await approved(app, 'PUT', '/a'), await readable(app, 'PUT', '/a')], [[FOO], [FOO]])
    t.strictSame([await approved(app, 'PUT', '/b'), await readable(app, 'PUT', '/b')], [[EVIL], [EVIL]])
  })
}

t.test('an array of a frozen policy that the application changes, and declares another route with, changes no earlier route', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(cors)
  const origin = [FOO]
  const policy = Object.freeze({ origin })
  app.put('/a', { config: { cors: policy } }, ok)
  origin[0] = EVIL
  app.put('/b', { config: { cors: policy } }, ok)
  app.put('/c', { config: { cors: { origin } } }, ok)
  origin[0] = 'https://bar.other'
  for (const [url, allowed] of [['/a', FOO], ['/b', EVIL], ['/c', EVIL]] as const) {
    t.strictSame([await approved(app, 'PUT', url), await readable(app, 'PUT', url)], [[allowed], [allowed]], url)
  }
})

t.test('an onRoute hook that changes an array of a frozen policy in place changes the policy of that route', async (t) => {
  const app = await application(t)
  app.addHook('onRoute', (options) => { if (isRoute(options)) (options.config!.cors as { origin: string[] }).origin[0] = EVIL })
  app.put('/a', { config: changed(Object.freeze({ origin: [FOO] })) }, ok)
  t.strictSame([await approved(app, 'PUT', '/a'), await readable(app, 'PUT', '/a')], [[EVIL], [EVIL]])
})

t.test('what app.cors is asked while routes are declared changes none of them', async (t) => {
  for (const how of ['in place', 'replaced'] as const) {
    for (const [first, last, expected] of [[ONE, false, []], [ONE, OTHER, [EVIL]], [false, ONE, [FOO]]] as const) {
      const app = await application(t)
      app.addHook('onRoute', sets(last, how))
      app.addHook('onRoute', function () { this.cors.routes() })
      app.put('/a', { config: changed(first) }, ok)
      app.cors.routes()
      t.strictSame([await approved(app, 'PUT', '/a'), await readable(app, 'PUT', '/a')], [expected, expected], `${JSON.stringify(last)} ${how}`)
    }
  }
})

t.test('routes that an onRoute hook declares are answered like any other', async (t) => {
  const app = await application(t)
  app.addHook('onRoute', function (options) {
    if (options.url === '/a' && options.method === 'PUT') this.put('/:x', { config: { cors: OTHER } }, ok)
    if (options.url === '/:x' && options.method === 'PUT') this.delete('/a', { config: { cors: false } }, ok)
  })
  app.put('/a', { config: { cors: ONE } }, ok)
  app.delete('/:x', { config: { cors: ONE } }, ok)
  t.strictSame(await approved(app, 'PUT', '/a'), [FOO])
  t.strictSame(await approved(app, 'PUT', '/b'), [EVIL])
  t.strictSame(await approved(app, 'DELETE', '/a'), [])
  t.strictSame(await approved(app, 'DELETE', '/b'), [FOO])
})

/** A HEAD route of the application's own, and a GET route whose automatic HEAD Fastify leaves out, as the router takes them for one place. */
const heads: ReadonlyArray<readonly [router: object, head: string, get: string, requested: string]> = [
  [{}, '/a', '/a', '/a'],
  [{}, '/a', '/a/:id?', '/a'],
  [{}, '/a/:x', '/a/:id?', '/a/1'],
  [{}, '/a/:x', '/a/:y', '/a/1'],
  [{}, '/a/:x(^\\d+$)', '/a/:y(^\\d+$)', '/a/1'],
  [{}, '/a/:x-:y', '/a/:v-:w', '/a/1-2'],
  [{}, '*', '/*', '/a'],
  [{}, '/*', '*', '/a'],
  [{}, '/a::b', '/a::b', '/a:b'],
  [{ ignoreTrailingSlash: true }, '/a', '/a/', '/a'],
  [{ ignoreTrailingSlash: true }, '/a/', '/a', '/a/'],
  [{ ignoreTrailingSlash: true }, '/a/:x/', '/a/:y', '/a/1'],
  [{ ignoreTrailingSlash: true }, '/a', '/a/:id?/', '/a'],
  [{ ignoreDuplicateSlashes: true }, '/a/b', '/a//b', '/a/b'],
  [{ ignoreDuplicateSlashes: true }, '/a//b', '/a/b', '/a//b'],
  [{ ignoreDuplicateSlashes: true, ignoreTrailingSlash: true }, '/a/b', '/a//b//', '/a/b'],
  [{ caseSensitive: false }, '/a', '/A', '/a'],
  [{ caseSensitive: false }, '/A', '/a', '/A'],
  [{ caseSensitive: false }, '/a/:X', '/A/:y', '/A/1'],
  [{ useSemicolonDelimiter: true }, '/a', '/a', '/a;b=c'],
  [{ useSemicolonDelimiter: true, ignoreTrailingSlash: true }, '/a', '/a/', '/a/;b'],
  [{ maxParamLength: 3 }, '/a/:x', '/a/:y', '/a/1'],
  [{ allowUnsafeRegex: true }, '/a/:x((?:a+)+)', '/a/:y((?:a+)+)', '/a/a']
]

for (const [routerOptions, head, get, requested] of heads) {
  for (const policy of [false, undefined, OTHER] as const) {
    t.test(`GET ${get} does not answer for HEAD ${head}, declared before it with cors: ${JSON.stringify(policy)}, with the router options ${JSON.stringify(routerOptions)}`, async (t) => {
      const app = await application(t, {}, { routerOptions })
      app.head(head, policy === undefined ? {} : { config: { cors: policy } }, ok)
      app.get(get, { config: { cors: ONE } }, ok)
      t.strictSame(await readable(app, 'GET', requested), [FOO])
      t.strictSame(await readable(app, 'HEAD', requested), policy === OTHER ? [EVIL] : [], 'as its responses say')
      t.strictSame(await approved(app, 'HEAD', requested), policy === OTHER ? [EVIL] : [])
      t.strictSame(await approved(app, 'GET', requested), [FOO])
      t.strictSame(await named(app, 'GET', requested), ['GET'])
    })
  }
}

t.test('the automatic HEAD route answers for the host that declares none itself', async (t) => {
  const app = await application(t)
  app.head('/a/:x', { constraints: { host: 'a.test' }, config: { cors: false } }, ok)
  app.get('/a/:y', { constraints: { host: 'a.test' }, config: { cors: ONE } }, ok)
  app.get('/a/:y', { constraints: { host: 'b.test' }, config: { cors: ONE } }, ok)
  t.strictSame(await named(app, 'GET', '/a/1', FOO, { host: 'a.test' }), ['GET'])
  t.strictSame(await approved(app, 'HEAD', '/a/1', { host: 'a.test' }), [])
  t.strictSame((await named(app, 'GET', '/a/1', FOO, { host: 'b.test' })).sort(), ['GET', 'HEAD'])
  t.strictSame(await approved(app, 'HEAD', '/a/1', { host: 'b.test' }), [FOO])
})

/** Ways to declare a route that Fastify refuses after its onRoute hooks. */
const refusals: Record<string, (app: FastifyInstance, method: 'GET' | 'PUT') => void> = {
  'a hook that is no function': (app, method) => { app.route({ method, url: '/a', preHandler: 'bad' as never, config: { cors: ONE }, handler: ok }) },
  'a list of hooks with one that is no function': (app, method) => { app.route({ method, url: '/a', onRequest: [ok as never, 1 as never], config: { cors: ONE }, handler: ok }) },
  'an asynchronous hook with a callback': (app, method) => { app.route({ method, url: '/a', onSend: [(async (_request: unknown, _reply: unknown, _payload: unknown, _done: unknown) => {}) as never], config: { cors: ONE }, handler: ok }) },
  'a constraint without a strategy': (app, method) => { app.route({ method, url: '/a', constraints: { unknown: 'x' } as never, config: { cors: ONE }, handler: ok }) },
  'a version that is none': (app, method) => { app.route({ method, url: '/a', constraints: { version: 1 as never }, config: { cors: ONE }, handler: ok }) },
  'a later onRoute hook that throws': (app, method) => {
    let thrown = false
    app.addHook('onRoute', ({ url, method: other }) => {
      if (url !== '/a' || other !== method || thrown) return
      thrown = true
      throw new Error('not this one')
    })
    app.route({ method, url: '/a', config: { cors: ONE }, handler: ok })
  }
}

for (const [name, declare] of Object.entries(refusals)) {
  for (const method of ['PUT', 'GET'] as const) {
    t.test(`a ${method} route that Fastify refused for ${name} does not answer for the one declared after it`, async (t) => {
      for (const policy of [OTHER, false, undefined] as const) {
        const app = await application(t)
        t.throws(() => { declare(app, method) })
        app.route({ method, url: '/a', config: policy === undefined ? {} : { cors: policy }, handler: ok })
        const expected = policy === OTHER ? [EVIL] : []
        t.strictSame(await readable(app, method, '/a'), expected)
        t.strictSame(await approved(app, method, '/a'), expected)
      }
    })

    t.test(`a ${method} route that Fastify refused for ${name} answers neither for a pattern beside it nor for a missing route`, async (t) => {
      const app = await application(t)
      t.throws(() => { declare(app, method) })
      t.strictSame(await approved(app, method, '/a'), [], 'there is no such route')
      const other = await application(t)
      t.throws(() => { declare(other, method) })
      other.route({ method, url: '/:x', config: { cors: OTHER }, handler: ok })
      t.strictSame(await approved(other, method, '/a'), [EVIL])
    })
  }
}

async function startsAsWithout (t: Test, declare: (app: FastifyInstance) => void, expected: Case['expected'], options: FastifyServerOptions = {}): Promise<void> {
  const app = fastify(options)
  t.teardown(async () => { await app.close() })
  await app.register(cors)
  declare(app)
  await t.resolves(async () => { await app.ready() }, 'the application starts, as it does without the plugin')
  for (const [method, url, origins] of expected) {
    t.strictSame(await readable(app, method, url), origins)
    t.strictSame(await approved(app, method, url), origins)
  }
}

t.test('an application starts after the router refused a URL, and its other routes have their policies', async (t) => {
  for (const url of ['/*/b', '/:x?/b', '', 'a', '/:x((a+)+$)']) {
    await startsAsWithout(t, (app) => {
      t.throws(() => { app.put(url, { config: { cors: ONE } }, ok) }, `${JSON.stringify(url)} is refused`)
      app.put('/b', { config: { cors: OTHER } }, ok)
    }, [['PUT', '/b', [EVIL]]])
  }
})

t.test('a route such as /a*/, whose slash ignoreTrailingSlash removes, is answered by its policy', async (t) => {
  await startsAsWithout(t, (app) => { app.put('/a*/', { config: { cors: ONE } }, ok) }, [['PUT', '/ab', [FOO]]], { routerOptions: { ignoreTrailingSlash: true } })
})

t.test('a route for several methods, of which Fastify refused one as a duplicate, approves nothing that is not there', async (t) => {
  const app = await application(t)
  app.get('/a', { config: { cors: OTHER } }, ok)
  t.throws(() => { app.route({ method: ['PUT', 'GET'], url: '/a', config: { cors: ONE }, handler: ok }) }, { message: /already declared for route/ })
  t.strictSame(await approved(app, 'GET', '/a'), [EVIL])
  t.strictSame(await named(app, 'GET', '/a', EVIL), ['GET', 'HEAD'])
  t.notOk((await approved(app, 'PUT', '/a')).includes(EVIL))
})

t.test('a route whose policy was refused, and that is declared again with another, has that other policy', async (t) => {
  const app = await application(t)
  t.throws(() => { app.put('/a', { config: { cors: { origin: 'https://foo.example/' } } }, ok) }, { code: 'FST_ERR_CORS_INVALID_POLICY' })
  app.put('/a', { config: { cors: OTHER } }, ok)
  t.throws(() => { app.put('/a', { config: { cors: ONE } }, ok) }, { code: 'FST_ERR_DUPLICATED_ROUTE' })
  t.strictSame(await approved(app, 'PUT', '/a'), [EVIL])
})

t.test('a hook that gives a route the config of another route does not give it the policy of that route', async (t) => {
  type Config = NonNullable<RouteOptions['config']>
  const ways: Record<string, (other: Config) => Config> = {
    'a copy of the other config, with cors: false': (other) => ({ ...other, cors: false }),
    'a copy of the other config, without cors': (other) => {
      const { cors: _, ...rest } = other as { cors?: unknown }
      return rest
    },
    'an object that inherits from the other config': (other) => Object.assign(Object.create(other) as object, { cors: false as const })
  }
  for (const [way, from] of Object.entries(ways)) {
    for (const order of ['first', 'last']) {
      const app = Fastify()
      t.teardown(async () => { await app.close() })
      await app.register(cors)
      let other: Config = {}
      app.addHook('onRoute', (options) => {
        if (options.url === '/other') other = options.config ?? other
        else if (options.method !== 'PUT') options.config = from(other)
      })
      const declareOpen = (): unknown => app.put('/a', { config: { cors: ONE } }, ok)
      app.put('/other', { config: { cors: ONE } }, ok)
      if (order === 'first') declareOpen()
      app.delete('/a', { config: { cors: OTHER } }, ok)
      app.patch('/:id', { config: { cors: OTHER } }, ok)
      app.delete('/other/', { config: { cors: OTHER } }, ok)
      if (order === 'last') declareOpen()
      for (const [method, url] of [['DELETE', '/a'], ['PATCH', '/a'], ['PATCH', '/other'], ['DELETE', '/other/']] as const) {
        t.strictSame(await approved(app, method, url), [], `${way}: ${method} ${url}`)
        t.strictSame(await readable(app, method, url), [], `${way}: ${method} ${url}`)
      }
      for (const url of ['/a', '/other']) {
        t.strictSame(await approved(app, 'PUT', url), [FOO], `${way}: PUT ${url}`)
        t.strictSame(await readable(app, 'PUT', url), [FOO], `${way}: PUT ${url}`)
      }
    }
  }
})

t.test('a hook that gives two routes one config gives both its policy', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(cors)
  let shared: RouteOptions['config']
  app.addHook('onRoute', (options) => { if (options.method !== 'OPTIONS') options.config = (shared ??= options.config) as NonNullable<typeof shared> })
  app.put('/a', { config: { cors: ONE } }, ok)
  app.delete('/a', { config: { cors: OTHER } }, ok)
  app.put('/b', { config: { cors: false } }, ok)
  for (const [method, url] of [['PUT', '/a'], ['DELETE', '/a'], ['PUT', '/b']] as const) {
    t.strictSame(await approved(app, method, url), [FOO], `${method} ${url}`)
    t.strictSame(await readable(app, method, url), [FOO], `${method} ${url}`)
  }
})

t.test('a route that Fastify refused does not answer for the route that got a copy of its config', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(cors)
  let refused: RouteOptions['config']
  app.addHook('onRoute', (options) => {
    if (refused === undefined) refused = options.config
    else options.config = { ...refused, cors: false }
  })
  t.throws(() => app.put('/a', { config: { cors: ONE }, preHandler: 'bad' as never }, ok))
  app.put('/a', { config: { cors: OTHER } }, ok)
  t.strictSame(await approved(app, 'PUT', '/a'), [])
  t.strictSame(await readable(app, 'PUT', '/a'), [])
})

t.test('declaring a route twice throws Fastify\'s own error', async (t) => {
  const app = await application(t)
  app.get('/', { config: { cors: ONE } }, ok)
  t.throws(() => app.get('/', { config: { cors: OTHER } }, ok), { code: 'FST_ERR_DUPLICATED_ROUTE' })
})

t.test('a duplicate route that the router refused approves nothing', async (t) => {
  const app = await application(t)
  app.put('/:name/a', { config: { cors: OTHER } }, ok)
  app.get('/:id/a', { config: { cors: OTHER } }, ok)
  t.throws(() => app.get('/:name/a', { config: { cors: ONE } }, ok), { code: 'FST_ERR_DUPLICATED_ROUTE' })
  t.equal(await verdicts(app, 'GET', '/1/a'), EVIL)
  t.equal(await verdicts(app, 'PUT', '/1/a'), EVIL)
})

t.test('a route whose RegExp the router refused approves nothing, though another route takes its requests under the same name', async (t) => {
  const app = await application(t)
  app.get('/:id', { config: { cors: ONE } }, ok)
  app.get('/:id(^\\d+$)', { config: { cors: ONE } }, ok)
  t.throws(() => app.get('/:id(^[a-z]$)', { config: { cors: OTHER } }, ok), { code: 'FST_ERR_DUPLICATED_ROUTE' })
  app.put('/:id(^[a-z]$)', { config: { cors: OTHER } }, ok)
  t.notOk(approves(await preflight(app, 'GET', '/a', { origin: EVIL }), 'GET'))
  t.equal(await verdicts(app, 'GET', '/7'), FOO)
  t.equal(await verdicts(app, 'PUT', '/a'), EVIL)
  t.notMatch((await preflight(app, 'PUT', '/a', { origin: EVIL })).headers['access-control-allow-methods'], /GET/)
})

t.test('a route keeps its policy where an onRoute hook gives its options another prototype, or hooks that are undefined', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(cors)
  app.addHook('onRoute', (options) => {
    if (options.url === '/prototype') Object.setPrototypeOf(options, { toString: () => 'options' })
    else Object.assign(options, { onRequest: undefined, onSend: undefined, onError: undefined })
  })
  for (const url of ['/prototype', '/undefined']) app.get(url, { config: { cors: ONE } }, ok)
  for (const url of ['/prototype', '/undefined']) {
    for (const method of ['GET', 'HEAD']) {
      t.strictSame(await approved(app, method, url), [FOO], `${method} ${url}`)
      t.strictSame(await readable(app, method, url), [FOO], `${method} ${url}`)
    }
  }
})

t.test('the preflights of an OPTIONS route whose config an onRoute hook replaced are answered', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(cors)
  app.addHook('onRoute', (options) => { options.config = { cors: ONE } })
  app.options('/a', { config: { cors: OTHER } }, ok)
  t.strictSame(await approved(app, 'OPTIONS', '/a'), [FOO])
})
