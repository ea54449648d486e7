// Which policy answers a preflight: that of the route the announced request reaches, whatever the router's rules are, or none. Hosts, versions and other
// constraints: constraints.test.ts. Routes that hooks change and that Fastify refuses: changed-routes.test.ts.
import { METHODS } from 'node:http'
import t from 'tap'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import cors from '../../lib/index'
import { routes } from '../support/features'
import { accessControl, application, approves, EVIL, FOO, ok, ONE, OTHER, preflight, request } from '../support'
import { verdicts } from '../support/routing'

const cases: Array<readonly [name: string, server: FastifyServerOptions, declare: (app: FastifyInstance) => void, expected: Array<readonly [method: string, url: string, allowed: unknown]>]> = [
  ['static, parameter and wildcard routes', {}, (app) => {
    app.get('/users/me', { config: { cors: ONE } }, ok)
    app.delete('/users/:id', { config: { cors: OTHER } }, ok)
    app.all('/*', { config: { cors: ONE } }, ok)
  }, [
    ['GET', '/users/me', FOO], ['DELETE', '/users/me', EVIL], ['DELETE', '/users/7', EVIL], ['PUT', '/users/me', FOO], ['GET', '/users/7', FOO],
    ['GET', '/elsewhere?x=1', FOO], ...(routes('QUERY') ? [['QUERY', '/', FOO]] as const : [])
  ]],
  ['different parameter names at one place', {}, (app) => {
    app.get('/a/:id', { config: { cors: ONE } }, ok)
    app.put('/a/:name', { config: { cors: OTHER } }, ok)
    app.get('/a/:id/b', { config: { cors: OTHER } }, ok)
    app.put('/a/:key/b', { config: { cors: ONE } }, ok)
  }, [['GET', '/a/1', FOO], ['PUT', '/a/1', EVIL], ['GET', '/a/1/b', EVIL], ['PUT', '/a/1/b', FOO], ['DELETE', '/a/1', []]]],
  ['RegExp, multiple and optional parameters', {}, (app) => {
    app.put('/r/:id(^\\d+$)', { config: { cors: ONE } }, ok)
    app.put('/r/:id', { config: { cors: OTHER } }, ok)
    app.put('/at/:hour(^\\d{2})h:minute(^\\d{2})m', { config: { cors: ONE } }, ok)
    app.put('/file/:name.json', { config: { cors: ONE } }, ok)
    app.put('/file/:name', { config: { cors: OTHER } }, ok)
    app.put('/maybe/:id?', { config: { cors: ONE } }, ok)
    app.put('/near/:lat-:lng', { config: { cors: OTHER } }, ok)
  }, [
    ['PUT', '/r/12', FOO], ['PUT', '/r/x', EVIL], ['PUT', '/at/08h24m', FOO], ['PUT', '/at/x', []], ['PUT', '/file/a.json', FOO], ['PUT', '/file/a.txt', EVIL],
    ['PUT', '/maybe', FOO], ['PUT', '/maybe/1', FOO], ['PUT', '/maybe/1/2', []], ['PUT', '/near/1-2', EVIL]
  ]],
  ['routes with cors: false, or without a policy, beside a pattern', {}, (app) => {
    app.get('/x/:id', { config: { cors: ONE } }, ok)
    app.get('/x/off', { config: { cors: false } }, ok)
    app.get('/x/undeclared', ok)
    app.get('/x/:id(^\\d+$)', { config: { cors: false } }, ok)
    app.get('/y/:id', ok)
    app.get('/:id/y', { config: { cors: ONE } }, ok)
    app.get('/*', { config: { cors: OTHER } }, ok)
  }, [['GET', '/x/1', []], ['GET', '/x/a', FOO], ['GET', '/x/off', []], ['GET', '/x/undeclared', []], ['GET', '/y/y', []], ['GET', '/z/y', FOO], ['GET', '/z', EVIL]]],
  ['ignoreTrailingSlash', { routerOptions: { ignoreTrailingSlash: true } }, (app) => {
    app.get('/a', { config: { cors: ONE } }, ok)
    app.put('/a/', { config: { cors: OTHER } }, ok)
    app.get('/b/:id/', { config: { cors: ONE } }, ok)
  }, [['GET', '/a', FOO], ['GET', '/a/', FOO], ['PUT', '/a', EVIL], ['PUT', '/a/', EVIL], ['GET', '/b/1', FOO]]],
  ['ignoreTrailingSlash and URLs that end in two slashes', { routerOptions: { ignoreTrailingSlash: true } }, (app) => {
    app.get('/a//', { config: { cors: ONE } }, ok)
    app.get('/a', { config: { cors: OTHER }, exposeHeadRoute: false }, ok)
    app.put('//', { config: { cors: ONE } }, ok)
  }, [['GET', '/a//', FOO], ['HEAD', '/a//', FOO], ['GET', '/a/', EVIL], ['GET', '/a', EVIL], ['GET', '/a///', []], ['PUT', '//', FOO], ['PUT', '/', FOO]]],
  ['trailing slashes that count', {}, (app) => {
    app.get('/a', { config: { cors: ONE } }, ok)
    app.get('/a/', { config: { cors: OTHER } }, ok)
  }, [['GET', '/a', FOO], ['GET', '/a/', EVIL], ['GET', '/a//', []]]],
  ['ignoreDuplicateSlashes', { routerOptions: { ignoreDuplicateSlashes: true } }, (app) => {
    app.get('/a//b', { config: { cors: ONE } }, ok)
  }, [['GET', '/a/b', FOO], ['GET', '//a///b', FOO]]],
  ['caseSensitive: false', { routerOptions: { caseSensitive: false } }, (app) => {
    app.get('/Users/:Id', { config: { cors: ONE } }, ok)
    app.put('/users/me', { config: { cors: OTHER } }, ok)
  }, [['GET', '/uSERS/A', FOO], ['PUT', '/USERS/ME', EVIL]]],
  ['useSemicolonDelimiter', { routerOptions: { useSemicolonDelimiter: true } as never }, (app) => {
    app.get('/a', { config: { cors: ONE } }, ok)
    app.get('/:any', { config: { cors: OTHER } }, ok)
  }, [['GET', '/a;b=c', FOO], ['GET', '/b;a', EVIL]]],
  ['semicolons that are part of the path', {}, (app) => {
    app.get('/a', { config: { cors: ONE } }, ok)
    app.get('/:any', { config: { cors: OTHER } }, ok)
  }, [['GET', '/a;b', EVIL]]],
  ['maxParamLength', { routerOptions: { maxParamLength: 5 } }, (app) => {
    app.get('/p/:id', { config: { cors: ONE } }, ok)
    app.get('/w/*', { config: { cors: OTHER } }, ok)
  }, [['GET', '/p/12345', FOO], ['GET', '/p/123456', []], ['GET', '/w/1234567', EVIL]]],
  ['encoded paths', {}, (app) => {
    app.get('/a b', { config: { cors: ONE } }, ok)
    app.get('/p/:id', { config: { cors: OTHER } }, ok)
    app.get('/p/x/y', { config: { cors: ONE } }, ok)
  }, [['GET', '/a%20b', FOO], ['GET', '/p/x%2Fy', EVIL], ['GET', '/p/x/y', FOO], ['GET', '/%70/x', EVIL], ['GET', '/p/%zz', []]]],
  ['rewriteUrl', { rewriteUrl: (req) => (req.url as string).replace(/^\/v1/, '') || '/' }, (app) => {
    app.get('/a', { config: { cors: ONE } }, ok)
  }, [['GET', '/v1/a', FOO], ['GET', '/a', FOO], ['GET', '/v1/v1/a', []]]],
  ['methods declared together, and HEAD routes', {}, (app) => {
    app.route({ method: ['PUT', 'PATCH'], url: '/m', config: { cors: ONE }, handler: ok })
    app.get('/m', { config: { cors: OTHER } }, ok)
    app.head('/h', { config: { cors: ONE } }, ok)
    app.get('/h', { config: { cors: OTHER } }, ok)
  }, [['PUT', '/m', FOO], ['PATCH', '/m', FOO], ['GET', '/m', EVIL], ['HEAD', '/m', EVIL], ['HEAD', '/h', FOO], ['GET', '/h', EVIL], ['POST', '/m', []]]],
  ['nested prefixes, and each form of prefixTrailingSlash', {}, (app) => {
    for (const form of ['both', 'slash', 'no-slash'] as const) {
      app.register(async (scope) => {
        scope.get('/', { config: { cors: ONE }, prefixTrailingSlash: form }, ok)
        scope.register(async (inner) => { inner.put('/x', { config: { cors: OTHER } }, ok) }, { prefix: '/inner' })
      }, { prefix: `/${form}` })
    }
    app.register(async (scope) => {
      scope.get('', { config: { cors: ONE } }, ok)
      scope.get('/*', { config: { cors: OTHER } }, ok)
    }, { prefix: '/empty' })
    app.register(async (scope) => { scope.get('/x', { config: { cors: ONE } }, ok) }, { prefix: '/slashed/' })
  }, [
    ['GET', '/both', FOO], ['GET', '/both/', FOO], ['GET', '/slash', []], ['GET', '/slash/', FOO], ['GET', '/no-slash', FOO], ['GET', '/no-slash/', []],
    ['PUT', '/both/inner/x', EVIL], ['HEAD', '/both/', FOO], ['GET', '/empty', FOO], ['GET', '/empty/', EVIL], ['GET', '/slashed/x', FOO]
  ]],
  ['a wildcard for the whole application', {}, (app) => {
    app.get('*', { config: { cors: ONE } }, ok)
    app.get('/a', { config: { cors: OTHER } }, ok)
  }, [['GET', '/b/c', FOO], ['GET', '/', FOO], ['GET', '/a', EVIL], ['PUT', '/a', []]]],
  ['more than four parameters', {}, (app) => {
    app.put('/:a/:b/:c/:d/:e/:f', { config: { cors: ONE } }, ok)
  }, [['PUT', '/1/2/3/4/5/6', FOO], ['PUT', '/1/2/3/4/5', []]]]
]

for (const [name, server, declare, expected] of cases) {
  for (const compile of [false, true]) {
    t.test(`a preflight is answered by the route that its request reaches, with ${name}${compile ? ', in a compiled router' : ''}`, async (t) => {
      const app = await application(t, {}, { ...server, routerOptions: { ...server.routerOptions, compile } as never })
      declare(app)
      for (const [method, url, allowed] of expected) t.same(await verdicts(app, method, url), allowed, `${method} ${url}`)
    })
  }
}

t.test('if two RegExps match, the route that the router prefers answers the preflight, or none does', async (t) => {
  const app = await application(t)
  // The router meets the RegExps of GET in this order, and those of PUT in the other.
  app.get('/:id(^\\d+$)/x/:key', { config: { cors: ONE } }, ok)
  app.put('/:id(^\\w+$)/x/:key(^\\w$)', { config: { cors: ONE } }, ok)
  app.put('/:id(^\\d+$)/x/:key', { config: { cors: OTHER } }, ok)
  app.delete('/same/:id(^\\d+$)/:key', { config: { cors: ONE } }, ok)
  app.delete('/same/:id(^\\w+$)/:key(^\\w$)', { config: { cors: ONE } }, ok)
  t.same(await verdicts(app, 'GET', '/1/x/a'), FOO)
  t.same(await verdicts(app, 'PUT', '/1/x/abc'), EVIL)
  t.ok(approves(await preflight(app, 'DELETE', '/same/1/a'), 'DELETE'), 'where the policies agree, it does not matter which')
  for (const origin of [FOO, EVIL]) {
    const asked = approves(await preflight(app, 'PUT', '/1/x/a', { origin }), 'PUT')
    const actual = accessControl(await request(app, 'PUT', '/1/x/a', origin))['access-control-allow-origin'] === origin
    t.ok(!asked || actual, 'never approved by a route that the request does not reach')
  }
})

t.test('the application\'s own OPTIONS routes get every preflight that no policy answers, wherever they are declared', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.options('/users/me', async () => 'before')
  app.options('*', async () => 'star')
  await app.register(cors)
  app.get('/users/me', { config: { cors: ONE } }, ok)
  app.delete('/users/:id', { config: { cors: OTHER } }, ok)
  app.options('/users/:id', async () => 'after')
  app.all('/all', async () => 'all')
  t.equal((await preflight(app, 'GET', '/users/me')).statusCode, 204)
  t.equal((await preflight(app, 'DELETE', '/users/me', { origin: EVIL })).statusCode, 204, 'past an OPTIONS route on the way')
  t.equal((await preflight(app, 'PUT', '/users/me')).body, 'before')
  t.equal((await preflight(app, 'PUT', '/users/7')).body, 'after')
  t.equal((await preflight(app, 'PUT', '/x')).body, 'star')
  t.equal((await preflight(app, 'PUT', '/all')).body, 'all')
  for (const [url, body] of [['/users/me', 'before'], ['/users/7', 'after'], ['/x', 'star'], ['/all', 'all']]) t.equal((await app.inject({ method: 'OPTIONS', url: url as string })).body, body)
})

t.test('an answer for one method, URL and host is not reused for another', async (t) => {
  const app = await application(t)
  app.get('/a', { config: { cors: ONE } }, ok)
  app.put('/a', { config: { cors: OTHER } }, ok)
  app.get('/hosts', { config: { cors: ONE } }, ok)
  app.get('/hosts', { constraints: { host: 'b.test' }, config: { cors: OTHER } }, ok)
  for (let again = 0; again < 3; again++) {
    t.equal(await verdicts(app, 'GET', '/a'), FOO)
    t.equal(await verdicts(app, 'PUT', '/a'), EVIL)
    t.equal(await verdicts(app, 'GET', '/a?b=/a'), FOO)
    t.strictSame(await verdicts(app, 'DELETE', '/a'), [])
    t.equal(await verdicts(app, 'GET', '/hosts', { host: 'a.test' }), FOO)
    t.equal(await verdicts(app, 'GET', '/hosts', { host: 'b.test' }), EVIL)
  }
})

t.test('the RegExp of one segment is not taken for that of another', async (t) => {
  const app = await application(t)
  app.get('/:id(^[a-z]$)/:name', { config: { cors: ONE } }, ok)
  app.get('/:id(^(?:\\d)+$)/:id(^\\d+$)', { config: { cors: ONE } }, ok)
  app.get('/:id/*', { config: { cors: OTHER } }, ok)
  t.equal(await verdicts(app, 'GET', '/a/a'), FOO)
  t.equal(await verdicts(app, 'GET', '/7/7'), FOO)
  t.equal(await verdicts(app, 'GET', '/ab/a'), EVIL)
})

t.test('a static route without a policy is not approved through a pattern, whatever its name', async (t) => {
  for (const [declared, requested] of [['special', 'special'], ['a b', 'a%20b'], ['é', '%C3%A9'], ['a%b', 'a%25b'], ['a::b', 'a:b']] as const) {
    const app = await application(t)
    app.put('/items/:id', { config: { cors: ONE } }, ok)
    app.get('/items/:id', { config: { cors: ONE } }, ok)
    app.put(`/items/${declared}`, ok)
    t.strictSame(await verdicts(app, 'PUT', `/items/${requested}`), [], declared)
    const answer = await preflight(app, 'GET', `/items/${requested}`)
    t.equal(answer.headers['access-control-allow-methods'], 'GET, HEAD', 'but not the method that it has')
    t.equal(await verdicts(app, 'PUT', '/items/7'), FOO)
  }
})

t.test('each of many methods on one URL is answered by its policy', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  // Every method that Node can parse and Fastify can route; browsers ask for all of them but TRACE.
  const methods = METHODS.filter((method) => method !== 'CONNECT' && method !== 'TRACE')
  t.ok(methods.length > 31, 'more than the router takes constrained routes for one URL')
  for (const method of methods.filter((each) => !app.supportedMethods.includes(each))) app.addHttpMethod(method, { hasBody: true })
  await app.register(cors)
  for (const [index, method] of methods.entries()) app.route({ method, url: '/', exposeHeadRoute: false, config: { cors: index % 2 === 0 ? ONE : OTHER }, handler: ok })
  for (const [index, method] of methods.entries()) {
    t.ok(approves(await preflight(app, method, '/', { origin: index % 2 === 0 ? FOO : EVIL }), method), method)
    t.notOk(approves(await preflight(app, method, '/', { origin: index % 2 === 0 ? EVIL : FOO }), method), method)
  }
})

t.test('hasRoute does not find generated OPTIONS routes, and the application can declare its own', async (t) => {
  const app = await application(t)
  app.get('/', { config: { cors: ONE } }, ok)
  t.notOk(app.hasRoute({ method: 'OPTIONS', url: '/' }))
  app.options('/', async () => 'mine')
  t.ok(app.hasRoute({ method: 'OPTIONS', url: '/' }))
  await app.ready()
  t.match(app.printRoutes(), /corsPreflight/)
})
