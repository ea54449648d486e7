// Hosts, versions and custom constraints: which of the routes of one place answers a preflight, although it does not carry what decides. Each expectation is
// held against the responses to the requests themselves, with every value of the constraints.
import t from 'tap'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import cors from '../../lib/index'
import { fastify } from '../support/features'
import { accessControl, application, approves, EVIL, FOO, ok, ONE, OTHER, preflight, refusal, request } from '../support'
import { logged } from '../support/log'
import { portOf } from '../support/ports'
import { exchange } from '../support/raw-http'
import { approved, named, readable, strategy, verdicts } from '../support/routing'

t.test('host constraints decide which route answers, as strings and as RegExps', async (t) => {
  const app = await application(t)
  app.put('/h', { constraints: { host: 'a.test' }, config: { cors: ONE } }, ok)
  app.put('/h', { constraints: { host: /^[bc]\.test$/ }, config: { cors: OTHER } }, ok)
  app.put('/h', { constraints: { host: 'c.test' }, config: { cors: false } }, ok)
  app.get('/h', { config: { cors: OTHER } }, ok)
  app.put('/p/:id', { config: { cors: ONE } }, ok)
  app.put('/p/:id', { constraints: { host: 'a.test' } }, ok)
  app.put('/p/:name/x', { constraints: { host: 'a.test' }, config: { cors: ONE } }, ok)
  app.put('/p/:other/x', { config: { cors: OTHER } }, ok)
  const at = async (host: string, method: string, url: string): Promise<unknown> => await verdicts(app, method, url, { host })
  t.same(await at('a.test', 'PUT', '/h'), FOO)
  t.same(await at('b.test', 'PUT', '/h'), EVIL)
  t.same(await at('c.test', 'PUT', '/h'), [])
  t.same(await at('d.test', 'PUT', '/h'), [])
  t.same(await at('a.test', 'GET', '/h'), EVIL)
  t.same(await at('d.test', 'PUT', '/p/1'), FOO)
  t.same(await at('a.test', 'PUT', '/p/1'), [])
  t.same(await at('a.test', 'PUT', '/p/1/x'), FOO)
  t.same(await at('b.test', 'PUT', '/p/1/x'), EVIL)
})

t.test('a preflight without a Host header, as HTTP/1.0 allows it, reaches only routes without a host constraint', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: ONE } }, ok)
  app.put('/hosted', { constraints: { host: 'a.test' }, config: { cors: ONE } }, ok)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const send = (url: string): Promise<string> => exchange(portOf(app.server), `OPTIONS ${url} HTTP/1.0\r\nOrigin: ${FOO}\r\nAccess-Control-Request-Method: PUT\r\n\r\n`)
  t.match(await send('/'), /^HTTP\/1\.1 204 /)
  t.match(await send('http://anything.test/'), /^HTTP\/1\.1 204 /, 'nor does an absolute request target change the route')
  t.match(await send('/hosted'), /^HTTP\/1\.1 404 /)
})

t.test('routes that differ only in a version need the same policy', async (t) => {
  const app = await application(t)
  app.get('/v/:id', { constraints: { version: '1.0.0' }, config: { cors: ONE } }, ok)
  app.get('/v/:id', { constraints: { version: '2.0.0' }, config: { cors: { origin: [FOO] } } }, ok)
  t.ok(approves(await preflight(app, 'GET', '/v/1'), 'GET'), 'a preflight carries no version')
  t.same(accessControl(await request(app, 'GET', '/v/1', FOO, { headers: { 'accept-version': '2.x' } })), { 'access-control-allow-origin': FOO })
  for (const other of [OTHER, false, undefined] as Array<cors.RouteCors | undefined>) {
    const refused = await application(t)
    refused.get('/v', { constraints: { version: '1.0.0' }, config: { cors: ONE } }, ok)
    const config = other === undefined ? {} : { cors: other }
    const error = refusal(() => refused.get('/v', { constraints: { version: '2.0.0' }, config }, ok))
    t.match(error, { code: 'FST_ERR_CORS_INVALID_POLICY', problems: [{ reason: 'conflict', pointer: '' }], message: /GET \/v: [^]*"version"/ })
  }
})

t.test('a conflict about the second URL of a "/" below a prefix fails the application', async (t) => {
  const app = await application(t)
  app.put('/p/', { constraints: { version: '2.0.0' }, config: { cors: OTHER } }, ok)
  app.register(async (scope) => { scope.put('/', { constraints: { version: '1.0.0' }, config: { cors: ONE } }, ok) }, { prefix: '/p' })
  await t.rejects(async () => { await app.ready() }, { code: 'FST_ERR_CORS_INVALID_POLICY', message: /PUT \/p\/?: [^]*constraints/ })
})

t.test('routes with and without a version count together, as browsers remember an approval whatever headers later requests have', async (t) => {
  const app = await application(t)
  app.put('/users/:id', { constraints: { version: '1.0.0' }, config: { cors: ONE } }, ok)
  app.put('/a', { constraints: { version: '1.0.0' }, config: { cors: ONE } }, ok)
  app.get('/a', { config: { cors: ONE } }, ok)
  app.put('/b', ok)
  app.put('/:x', { constraints: { version: '2.0.0' }, config: { cors: ONE } }, ok)
  app.put('/:x', { config: { cors: ONE } }, ok)
  app.put('/c/d', { config: { cors: OTHER } }, ok)
  app.put('/c/:x', { constraints: { version: '1.0.0' }, config: { cors: OTHER } }, ok)
  app.put('/users/*', { config: { cors: false } }, ok)
  for (const requestHeaders of [undefined, 'accept-version']) {
    t.strictSame(await approved(app, 'PUT', '/users/1', {}, requestHeaders), [], 'without a version, a closed route is reached')
    t.strictSame(await approved(app, 'PUT', '/a', {}, requestHeaders), [FOO], 'all that may be reached have one policy')
    t.strictSame(await approved(app, 'PUT', '/b', {}, requestHeaders), [], 'the nearest route has no policy')
    t.strictSame(await approved(app, 'PUT', '/c/d', {}, requestHeaders), [EVIL])
    t.strictSame((await named(app, 'GET', '/a')).sort(), ['GET', 'HEAD', 'PUT'])
  }
})

t.test('a preflight that may reach routes of several versions is approved only if they have the same policy', async (t) => {
  for (const [policy, expected] of [[ONE, true], [OTHER, false], [undefined, false]] as const) {
    const app = await application(t)
    app.put('/a', { constraints: { version: '1.0.0' }, config: { cors: ONE } }, ok)
    app.put('/:x', { constraints: { version: '2.0.0' }, config: policy === undefined ? {} : { cors: policy } }, ok)
    t.equal(approves(await preflight(app, 'PUT', '/a'), 'PUT'), expected, 'as the constraint takes no part')
    t.equal(approves(await preflight(app, 'PUT', '/a', { requestHeaders: 'x-a, ACCEPT-VERSION' }), 'PUT'), expected)
  }
})

t.test('routes that differ only in a custom constraint need the same policy', async (t) => {
  const app = await application(t, {}, { constraints: strategy('secret') as never })
  app.put('/s/:id', { constraints: { secret: 'alpha' }, config: { cors: ONE } }, ok)
  t.match(refusal(() => app.put('/s/:id', { constraints: { secret: 'beta' }, config: { cors: OTHER } }, ok)), { problems: [{ reason: 'conflict' }] })
  t.ok(approves(await preflight(app, 'PUT', '/s/1'), 'PUT'))
})

t.test('a preflight is not approved, and the log warns, if a custom constraint decides between different policies', async (t) => {
  for (const name of ['secret', 'version']) {
    for (const [policy, expected] of [[ONE, true], [OTHER, false], [undefined, false]] as const) {
      const { logger, messages } = logged()
      const app = await application(t, {}, { constraints: strategy(name, { header: 'x-secret' }) as never, logger })
      app.put('/s/:id', { constraints: { [name]: 'alpha' }, config: { cors: ONE } }, ok)
      app.put('/t/:id', { constraints: { [name]: 'alpha' } }, ok)
      app.put('/*', { config: policy === undefined ? {} : { cors: policy } }, ok)
      for (const requestHeaders of ['x-a', 'accept-version']) t.equal(approves(await preflight(app, 'PUT', '/s/1', { requestHeaders }), 'PUT'), expected, name)
      t.equal(approves(await preflight(app, 'PUT', '/else'), 'PUT'), policy === ONE)
      const ready = messages.filter((line) => !line.includes('does not allow the request header')) // that is another warning
      if (expected) t.strictSame(ready, [])
      else t.match(ready, [/approves no preflight for PUT \/s\/:id/])
    }
  }
})

t.test('a custom constraint that decides between no policies causes no warning and no refusal, whatever the URL and the host', async (t) => {
  const { logger, messages } = logged()
  const app = await application(t, {}, { constraints: strategy('secret') as never, logger })
  app.put('/digits/:id(^\\d+$)', { constraints: { secret: 'alpha' }, config: { cors: ONE } }, ok)
  app.put('/file/:name.json', { constraints: { secret: 'alpha' }, config: { cors: ONE } }, ok)
  app.put('/optional/:id?', { constraints: { secret: 'alpha' }, config: { cors: ONE } }, ok)
  app.put('/host/:id', { constraints: { secret: 'alpha', host: 'a.test' }, config: { cors: ONE } }, ok)
  await app.ready()
  t.strictSame(messages, [])
  for (const [url, host] of [['/digits/7', 'a.test'], ['/file/a.json', 'a.test'], ['/optional/7', 'a.test'], ['/host/7', 'a.test']] as const) {
    t.ok(approves(await preflight(app, 'PUT', url, { headers: { host } }), 'PUT'), url)
  }
})

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

t.test('a preflight is not approved if its request reaches a route only with a custom constraint, and without it a route of another policy with a version', async (t) => {
  const app = await application(t, {}, { routerOptions: { constraints: strategy('secret') } as never })
  app.put('/*', { constraints: { secret: 'alpha' } as never, config: { cors: ONE } }, ok)
  app.put('/a', { constraints: { version: '1.0.0' }, config: { cors: OTHER } }, ok)
  app.put('/b', { constraints: { version: '1.0.0' }, config: { cors: ONE } }, ok)
  t.strictSame(await readable(app, 'PUT', '/a', SECRET), [FOO])
  t.strictSame(await readable(app, 'PUT', '/a', VERSION), [EVIL], 'as a gateway sends it, which adds the version')
  t.strictSame(await approved(app, 'PUT', '/a'), [])
  t.strictSame(await approved(app, 'PUT', '/b'), [FOO], 'both have one policy')
  t.strictSame(await approved(app, 'PUT', '/c'), [FOO])
})

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

t.test('another policy for the same URL is a conflict if Fastify cannot say whether the first route is registered', async (t) => {
  const app = await application(t)
  app.put('/other', ok)
  // The router takes no wildcard there, and does not look for one either.
  t.throws(() => app.hasRoute({ method: 'PUT', url: '/*a' }))
  const declare = (version: string, origin: string): void => { app.put('/*a', { constraints: { version }, config: { cors: { origin } } }, ok) }
  t.throws(() => declare('1.0.0', FOO), /Wildcard must be the last character/)
  t.throws(() => declare('2.0.0', EVIL), { code: 'FST_ERR_CORS_INVALID_POLICY', problems: [{ reason: 'conflict' }] })
})
