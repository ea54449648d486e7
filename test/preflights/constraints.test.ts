// Constraints that a preflight does not carry, hosts, default policies that come later, and many scopes at one URL. Each expectation is held against the
// responses to the requests themselves, with every value of the constraints.
import t from 'tap'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import cors from '../../lib/index'
import { fastify } from '../support/features'
import { application, EVIL, FOO, ok, ONE, OTHER } from '../support'
import { approved, named, readable, strategy } from '../support/routing'

const SECRET = { 'x-secret': 'alpha' }
const VERSION = { 'accept-version': '1.x' }

for (const mustMatchWhenDerived of [false, true]) {
  const server = (): FastifyServerOptions => ({ routerOptions: { constraints: strategy('secret', { mustMatchWhenDerived }) } as never })
  const where = mustMatchWhenDerived ? ' that must match when it is derived' : ''

  for (const [name, policy] of [['another policy', OTHER], ['false', false], ['no policy', undefined]] as const) {
    const config = policy === undefined ? {} : { cors: policy }
    t.test(`no preflight is approved if a custom constraint${where} may lead its request to a route of another parameter name with ${name}`, async (t) => {
      for (const [first, second, url] of [['/a/:x', '/a/:y', '/a/1'], ['/a/:x(^\\d+$)', '/a/:y(^\\d+$)', '/a/1'], ['/a/:x-:y', '/a/:v-:w', '/a/1-2'], ['/a/:x?', '/a/:y', '/a/1'], ['/a/*', '/a/*', '/a/b'], ['/:x/*', '/:y/*', '/a/b']] as const) {
        const app = await application(t, {}, server())
        try {
          app.put(first, { config: { cors: ONE } }, ok)
          app.put(second, { constraints: { secret: 'alpha' } as never, config }, ok)
          await app.ready()
        } catch (error) {
          t.match(error, { code: 'FST_ERR_CORS_INVALID_POLICY', problems: [{ reason: 'conflict' }] }, `${first} beside ${second} is refused`)
          continue
        }
        t.strictSame(await readable(app, 'PUT', url, SECRET), policy === OTHER ? [EVIL] : [], 'the request may reach the one')
        t.strictSame(await readable(app, 'PUT', url), [FOO], 'or the other')
        t.strictSame(await approved(app, 'PUT', url), [], `${first} beside ${second}`)
      }
    })

    t.test(`only what both routes allow is approved, if one has a host, and the other a custom constraint${where} and ${name}`, async (t) => {
      for (const order of [0, 1]) {
        const app = await application(t, {}, server())
        const declare = [
          () => app.put('/:x', { constraints: { host: 'a.test' }, config: { cors: ONE } }, ok),
          () => app.put('/:y', { constraints: { secret: 'alpha' } as never, config }, ok)
        ]
        if (order === 1) declare.reverse()
        try {
          for (const each of declare) each()
          await app.ready()
        } catch (error) {
          t.match(error, { code: 'FST_ERR_CORS_INVALID_POLICY', problems: [{ reason: 'conflict' }] })
          continue
        }
        const both = [await readable(app, 'PUT', '/1', { host: 'a.test' }), await readable(app, 'PUT', '/1', { host: 'a.test', ...SECRET })]
        const always = both[0]!.filter((origin) => both[1]!.includes(origin))
        t.strictSame(await approved(app, 'PUT', '/1', { host: 'a.test' }), always.length === 0 ? [] : (await approved(app, 'PUT', '/1', { host: 'a.test' })).filter((origin) => always.includes(origin)), JSON.stringify(both))
        t.notOk((await approved(app, 'PUT', '/1', { host: 'b.test' })).includes(FOO), 'the host leads nobody else to the policy')
      }
    })

    t.test(`only what both routes allow is approved, if a farther wildcard has a custom constraint${where} and ${name}`, async (t) => {
      for (const near of ['/a/b', '/a/:x', '/a/:x(^b$)', '/:x/b']) {
        const app = await application(t, {}, server())
        app.put(near, { config: { cors: ONE } }, ok)
        app.put('/*', { constraints: { secret: 'alpha' } as never, config }, ok)
        t.strictSame(await readable(app, 'PUT', '/a/b'), [FOO])
        const far = await readable(app, 'PUT', '/a/b', SECRET)
        t.strictSame(far, !mustMatchWhenDerived ? [FOO] : policy === OTHER ? [EVIL] : [], 'a strategy that must match refuses the near route')
        t.ok((await approved(app, 'PUT', '/a/b')).every((origin) => far.includes(origin)), near)
        t.strictSame(await approved(app, 'PUT', '/else'), policy === OTHER ? [EVIL] : [])
      }
    })

    t.test(`a pattern with a version and a custom constraint${where} approves nothing for a static route with ${name}`, async (t) => {
      const app = await application(t, {}, server())
      app.put('/a', { config }, ok)
      app.put('/:x', { constraints: { version: '1.0.0', secret: 'alpha' } as never, config: { cors: ONE } }, ok)
      app.put('/*', { constraints: { version: '1.0.0' }, config }, ok)
      t.strictSame(await readable(app, 'PUT', '/a', { ...VERSION, ...SECRET }), [FOO])
      t.strictSame(await readable(app, 'PUT', '/a', VERSION), policy === OTHER ? [EVIL] : [])
      t.notOk((await approved(app, 'PUT', '/a')).includes(FOO))
      t.strictSame(await approved(app, 'PUT', '/a', {}, 'accept-version'), [])
      t.strictSame(await approved(app, 'PUT', '/b', {}, 'accept-version'), [])
    })

    t.test(`a pattern with a custom constraint${where} approves nothing with a version that a static route has, with ${name}`, async (t) => {
      const app = await application(t, {}, server())
      app.put('/a', { constraints: { version: '1.0.0' }, config }, ok)
      app.put('/:x', { constraints: { secret: 'alpha' } as never, config: { cors: ONE } }, ok)
      for (const requestHeaders of [undefined, 'accept-version']) {
        const reached = await readable(app, 'PUT', '/a', requestHeaders === undefined ? SECRET : { ...VERSION, ...SECRET })
        const others = await readable(app, 'PUT', '/a', requestHeaders === undefined ? {} : VERSION)
        t.ok((await approved(app, 'PUT', '/a', {}, requestHeaders)).every((origin) => reached.includes(origin) || others.includes(origin)))
        if (requestHeaders !== undefined) t.notOk((await approved(app, 'PUT', '/a', {}, requestHeaders)).includes(FOO), 'a request with the version reaches the static route')
      }
    })
  }

  t.test(`a preflight is approved if a custom constraint${where} decides between no policies`, async (t) => {
    const app = await application(t, {}, server())
    app.put('/a/:x', { config: { cors: ONE } }, ok)
    app.put('/a/:y', { constraints: { secret: 'alpha' } as never, config: { cors: ONE } }, ok)
    app.put('/s', { constraints: { secret: 'alpha' } as never, config: { cors: OTHER } }, ok)
    t.strictSame(await approved(app, 'PUT', '/a/1'), [FOO])
    t.strictSame(await approved(app, 'PUT', '/s'), [EVIL])
  })
}

t.test('a method that a custom constraint may lead to another policy is not named', async (t) => {
  const app = await application(t, {}, { routerOptions: { constraints: strategy('secret') } as never })
  app.get('/:x', { config: { cors: ONE } }, ok)
  app.put('/:x', { config: { cors: ONE } }, ok)
  app.put('/a', { constraints: { secret: 'alpha' } as never, config: { cors: OTHER } }, ok)
  t.strictSame((await named(app, 'GET', '/a')).sort(), ['GET', 'HEAD'])
  t.strictSame((await named(app, 'GET', '/b')).sort(), ['GET', 'HEAD', 'PUT'])
})

t.test('a preflight is answered though a custom constraint has a value for every request, preflights included, and must match', async (t) => {
  const app = await application(t, {}, { routerOptions: { constraints: strategy('tenant', { mustMatchWhenDerived: true, derive: ({ headers }) => headers['x-tenant'] ?? 'main' }) } as never })
  app.put('/a', { constraints: { tenant: 'main' } as never, config: { cors: ONE } }, ok)
  app.put('/b', { constraints: { tenant: 'main' } as never, config: { cors: ONE } }, ok)
  app.options('/b', { constraints: { tenant: 'main' } as never }, async () => 'own')
  t.strictSame(await readable(app, 'PUT', '/a'), [FOO])
  t.strictSame(await approved(app, 'PUT', '/a'), [FOO], 'the generated route is reached all the same')
  t.strictSame(await approved(app, 'PUT', '/b'), [FOO])
})

const ownHosts = {
  'looks at another header': { routerOptions: { constraints: strategy('host', { header: 'x-forwarded-host' }) } as never },
  'adds the port': { routerOptions: { constraints: strategy('host', { derive: ({ headers }) => headers.host?.replace(/(:\d+)?$/, ':80') }) } as never },
  'leaves the port out': { routerOptions: { constraints: strategy('host', { derive: ({ headers }) => headers.host?.replace(/:\d+$/, '') }) } as never }
} satisfies Record<string, FastifyServerOptions>

t.test('only what every possible route allows is approved, if the application has a host strategy of its own', async (t) => {
  for (const [name, server] of Object.entries(ownHosts)) {
    for (const value of ['b.test:80', 'b.test']) {
      for (const policy of [OTHER, undefined]) {
        for (const url of ['/a', '/:x']) {
          const app = await application(t, {}, server)
          try {
            app.put(url, { constraints: { host: value }, config: { cors: ONE } }, ok)
            app.put(url.replace('x', 'y'), policy === undefined ? {} : { config: { cors: policy } }, ok)
            app.put('/alone', { constraints: { host: value }, config: { cors: ONE } }, ok)
            await app.ready()
          } catch (error) {
            t.match(error, { code: 'FST_ERR_CORS_INVALID_POLICY', problems: [{ reason: 'conflict' }] })
            continue
          }
          for (const host of ['b.test:80', 'b.test', 'a.test', 'b.test:81']) {
            const all = [await readable(app, 'PUT', '/a', { host }), ...(name.includes('header') ? [await readable(app, 'PUT', '/a', { host, 'x-forwarded-host': value })] : [])]
            const wrong = (await approved(app, 'PUT', '/a', { host })).filter((origin) => !all.every((origins) => origins.includes(origin)))
            t.strictSame(wrong, [], `${name}, ${value}, ${host}`)
          }
        }
      }
    }
  }
})

t.test('of two host RegExps that overlap, the route that the request reaches answers, however the URL is written', async (t) => {
  for (const [server, first, second, requested] of [
    [{}, '/a', '/a', '/a'],
    [{}, '/:x', '/:y', '/a'],
    [{}, '/:x(^a)', '/:y(^a)', '/a'],
    [{ ignoreTrailingSlash: true }, '/a', '/a/', '/a'],
    [{ ignoreTrailingSlash: true }, '/a/', '/a', '/a/'],
    [{ ignoreDuplicateSlashes: true }, '/a/b', '/a//b', '/a/b'],
    [{ caseSensitive: false }, '/A', '/a', '/a'],
    [{}, '/a/:x?', '/a', '/a'],
    [{}, '*', '/*', '/a']
  ] as const) {
    for (const scopes of ['one scope', 'child scopes', 'child scopes with registrations', 'other scopes first']) {
      const app = fastify({ routerOptions: server })
      t.teardown(async () => { await app.close() })
      const declare = (scope: FastifyInstance, url: string, host: RegExp, policy: cors.RouteCors): void => { scope.put(url, { constraints: { host }, config: { cors: policy } }, ok) }
      if (scopes !== 'child scopes with registrations') await app.register(cors)
      if (scopes === 'one scope') {
        declare(app, first, /^[ab]\.test$/, ONE)
        declare(app, second, /^a/, OTHER)
      } else {
        app.register(async (scope) => {
          if (scopes === 'child scopes with registrations') await scope.register(cors)
          declare(scope, first, /^[ab]\.test$/, ONE)
        })
        app.register(async (scope) => {
          if (scopes !== 'child scopes') await scope.register(cors)
          declare(scope, second, /^a/, OTHER)
        })
      }
      await app.ready()
      for (const host of ['a.test', 'b.test', 'ax.test', 'c.test']) {
        t.strictSame(await approved(app, 'PUT', requested, { host }), await readable(app, 'PUT', requested, { host }), `${first} and ${second} for ${host} in ${scopes}`)
      }
      if (first !== '*') t.strictSame(await approved(app, 'PUT', requested, { host: 'a.test' }), [FOO], 'the first of two that match')
      t.strictSame(await approved(app, 'PUT', requested, { host: 'ax.test' }), [EVIL])
    }
  }
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

t.test('a default policy of false that is registered later than a child scope allows no origin inside it', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.register(cors, { defaultPolicy: ONE })
  app.register(async (outer) => {
    outer.register(async (inner) => {
      inner.register(cors)
      inner.put('/a', ok)
      inner.get('/missing', async (_request, reply) => { reply.callNotFound() })
    })
    outer.register(cors, { defaultPolicy: false })
  })
  t.strictSame(await readable(app, 'PUT', '/a'), [])
  t.strictSame(await approved(app, 'PUT', '/a'), [])
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

t.test('thirty hosts of one URL start in one registration, each with its policy', async (t) => {
  const app = await application(t)
  for (let index = 0; index < 30; index++) app.put('/', { constraints: { host: `h${index}.test` }, config: { cors: { origin: index % 2 === 0 ? FOO : EVIL } } }, ok)
  await app.ready()
  for (const index of [0, 1, 28, 29]) t.strictSame(await approved(app, 'PUT', '/', { host: `h${index}.test` }), [index % 2 === 0 ? FOO : EVIL])
})

t.test('another policy for the same URL is a conflict if Fastify cannot say whether the first route is registered', async (t) => {
  const app = await application(t)
  app.put('/other', ok)
  // The router takes no wildcard there, and does not look for one either.
  t.throws(() => app.hasRoute({ method: 'PUT', url: '/*a' }))
  const declare = (version: string, origin: string): void => { app.put('/*a', { constraints: { version }, config: { cors: { origin } } }, ok) }
  t.throws(() => declare('1.0.0', FOO), /Wildcard must be the last character/)
  t.throws(() => declare('2.0.0', EVIL), { code: 'FST_ERR_CORS_INVALID_POLICY', problems: [{ reason: 'conflict' }] })
})
