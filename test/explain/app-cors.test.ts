// app.cors beside explain's reasons: who has it, whose names it knows, what is loaded when, questions that cannot be asked, routes() and allows().
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import cors, { type CorsQuestion, type CorsQuestionError } from '../../lib/index'
import { BAR, EVIL, FOO, application, approves, ok, preflight } from '../support'
import { strategy } from '../support/routing'
import { troubles } from '../support/troubles'

t.test('an instance has app.cors once it has registered the plugin, and so have its child scopes', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  t.notOk('cors' in app)
  await app.register(async (child) => {
    await child.register(cors, { policies: { own: { origin: FOO } } })
    t.ok('cors' in child)
    child.register(async (inner) => {
      await inner.register(cors, { policies: { own: { origin: BAR }, inner: { origin: '*' } } })
      t.equal(await inner.cors.allows('own', asked(BAR)), true, 'its own names')
      t.equal(await inner.cors.allows('inner', asked(EVIL)), true)
    })
    child.register(async (sibling) => {
      t.equal(sibling.cors.allows('own', asked(BAR)), false, 'the parent scope\'s names')
      t.equal(sibling.cors.allows('own', asked(FOO)), true)
      t.equal(sibling.cors, sibling.cors)
      t.throws(() => sibling.cors.allows('inner', asked(FOO)), { code: 'FST_ERR_CORS_INVALID_QUESTION', problems: [{ reason: 'unknown-policy', pointer: '/name' }] })
    })
    t.equal(child.cors.allows('own', asked(BAR)), false)
  }, { prefix: '/child' })
  t.notOk('cors' in app, 'not outside')
  await app.ready()
})

/** As much of a request as a policy looks at. */
function asked (origin?: string): never {
  return { raw: { headers: { ...(origin !== undefined && { origin }) } }, log: { error () {} } } as never
}

t.test('allows() says whether a named policy allows the Origin of a request', async (t) => {
  const app = await application(t, {
    policies: { everyone: { origin: '*' }, list: { origin: [FOO, 'https://*.bar.example'] }, asked: { origin: async (origin) => origin === FOO }, failing: { origin: () => { throw new Error('out of order') } } }
  })
  for (const [name, origin, expected] of [
    ['everyone', EVIL, true], ['everyone', undefined, true], ['list', FOO, true], ['list', 'https://a.bar.example', true], ['list', EVIL, false], ['list', undefined, false],
    ['asked', FOO, true], ['asked', EVIL, false], ['asked', undefined, false], ['failing', FOO, false]
  ] as const) t.equal(await app.cors.allows(name, asked(origin)), expected, `${name}: ${origin}`)
  app.get('/guarded', { preHandler: async (request, reply) => await app.cors.allows('list', request) ? undefined : reply.code(403).send() }, ok)
  t.equal((await app.inject({ url: '/guarded', headers: { origin: FOO } })).statusCode, 200)
  t.equal((await app.inject({ url: '/guarded', headers: { origin: EVIL } })).statusCode, 403)
  t.throws(() => app.cors.allows('lst', asked(FOO)), { message: 'app.cors.allows: a problem\n  /name: there is no policy "lst"; did you mean "list"? [unknown-policy]' })
})

t.test('neither explain nor the model of a browser is loaded before app.cors is asked', async (t) => {
  const program = `
    const Fastify = require('fastify')
    const cors = require(${JSON.stringify(join(__dirname, '..', '..', 'dist', 'index.js'))})
    const loaded = () => Object.keys(require.cache).filter((file) => /dist.(?:devtools.(?!decoration)|browser.)/.test(file)).length
    const app = Fastify()
    app.register(cors, { policies: { open: { origin: '*' } } })
    app.after(() => app.get('/', { config: { cors: { extends: 'open' } } }, async () => 'ok'))
    app.ready().then(async () => {
      const api = app.cors
      const before = loaded()
      api.routes()
      console.log(JSON.stringify([typeof api.explain, before, loaded() > 0]))
    })`
  t.equal(execFileSync(process.execPath, ['-e', program], { env: {}, encoding: 'utf8' }).trim(), '["function",0,true]')
})

t.test('routes() lists every route that CORS concerns, sorted, as plain JSON', async (t) => {
  const app = await application(t, {
    policies: { public: { origin: '*', allowedHeaders: ['X-One'] }, partner: { origin: ['https://app.example.com', 'https://*.example.org', /^https:\/\/c\d\.example$/], credentials: true, dangerouslyAllowPublicSuffixes: true, maxAge: 600 } }
  })
  app.put('/items/:id', { config: { cors: { extends: 'partner', exposedHeaders: ['ETag'] } }, schema: { headers: { type: 'object', properties: { 'x-request-id': {} } } } }, ok)
  app.route({ method: 'GET', url: '/items/:id', exposeHeadRoute: false, config: { cors: { extends: 'public' } }, schema: { response: { 200: { type: 'string', headers: { 'x-total': { type: 'number' } } } } as object }, handler: ok })
  app.delete('/items/:id', { config: { cors: false } }, ok)
  app.post('/asked', { config: { cors: { origin: async () => true, allowedHeaders: ['*', 'Authorization'] } }, constraints: { host: 'api.example.com', version: '1.0.0' } }, ok)
  app.post('/unconcerned', ok)
  for (const version of ['1.0.0', '2.0.0']) app.delete('/versioned', { config: { cors: false }, constraints: { version } }, ok)
  await app.ready()
  const routes = app.cors.routes()
  t.strictSame(JSON.parse(JSON.stringify(routes)), routes)
  t.strictSame(routes, [
    { method: 'POST', url: '/asked', host: 'api.example.com', constraints: ['version'], policy: null, origin: ['function'], credentials: false, allowedHeaders: ['*', 'Authorization'], exposedHeaders: [], maxAge: null, enforceOrigin: false },
    { method: 'DELETE', url: '/items/:id', policy: null, origin: [], credentials: false, allowedHeaders: [], exposedHeaders: [], maxAge: null, enforceOrigin: false },
    { method: 'GET', url: '/items/:id', policy: 'public', origin: '*', credentials: false, allowedHeaders: ['X-One'], exposedHeaders: ['x-total'], maxAge: null, enforceOrigin: false },
    {
      method: 'PUT',
      url: '/items/:id',
      policy: 'partner',
      origin: ['https://app.example.com', 'https://*.example.org', '/^https:\\/\\/c\\d\\.example$/'],
      credentials: true,
      allowedHeaders: ['content-type', 'x-request-id'],
      exposedHeaders: ['ETag'],
      maxAge: 600,
      enforceOrigin: false
    },
    ...[1, 2].map(() => ({ method: 'DELETE', url: '/versioned', constraints: ['version'], policy: null, origin: [], credentials: false, allowedHeaders: [], exposedHeaders: [], maxAge: null, enforceOrigin: false }))
  ])
})

t.test('explain() and routes() know credentials for some, and lists as they are now', async (t) => {
  const list = cors.originList([FOO])
  const app = await application(t, { policies: { some: { origin: [BAR], credentials: ['https://app.example.com'] }, tenants: { origin: list, allowedHeaders: '*' } } })
  app.put('/some', { config: { cors: { extends: 'some', exposedHeaders: ['ETag'], enforceOrigin: true } } }, ok)
  app.put('/tenants', { config: { cors: { extends: 'tenants' } } }, ok)
  app.get('/plain', ok)
  const put = { method: 'PUT', url: '/some' }
  t.match(await app.cors.explain({ ...put, origin: 'https://app.example.com', credentials: true }), {
    allowed: true, exchanges: [{}, { response: { headers: { vary: 'Origin, Sec-Fetch-Site, Sec-Fetch-Mode', 'access-control-allow-origin': 'https://app.example.com', 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'ETag' } } }]
  })
  t.match(await app.cors.explain({ ...put, origin: BAR, credentials: true }), { reason: 'credentials-not-allowed' })
  t.match(await app.cors.explain({ ...put, origin: BAR }), { allowed: true })
  t.match(await app.cors.explain({ ...put, origin: 'http://app.example.com' }), { reason: 'origin-not-allowed', message: /it does allow "https:\/\/app.example.com", the same host over https$/ })
  t.match(await app.cors.explain({ origin: 'https://app.example.com', url: '/plain', credentials: true }), { advice: 'write config: { cors: { extends: "some" } } on GET /plain' })
  t.equal(await app.cors.allows('some', asked('https://app.example.com')), true)

  // To ask changes nothing: the list of a policy without credentials still takes what one with credentials would not.
  t.match(await app.cors.explain({ ...put, url: '/tenants', origin: FOO, credentials: true, headers: { Authorization: 'Bearer 1' } }), { reason: 'credentials-not-allowed', advice: /^write credentials: true in the policy "tenants"/ })
  list.add('http://new.example')
  t.match(await app.cors.explain({ ...put, url: '/tenants', origin: 'https://new.example' }), { reason: 'origin-not-allowed', message: /it does allow "http:\/\/new.example"/, advice: 'add "https://new.example" to origin of the policy "tenants"' })
  t.match(app.cors.routes(), [{ url: '/some', origin: [BAR], credentials: ['https://app.example.com'], enforceOrigin: true }, { url: '/tenants', origin: [FOO, 'http://new.example'], credentials: false }])
})

t.test('routes() says whether refused origins are enforced: by the policy, else by the registration', async (t) => {
  const app = await application(t, { policies: { partner: { origin: FOO } }, enforceOrigin: 'report' })
  app.put('/1', { config: { cors: { extends: 'partner' } } }, ok)
  app.put('/2', { config: { cors: { extends: 'partner', enforceOrigin: true } } }, ok)
  app.put('/3', { config: { cors: { extends: 'partner', enforceOrigin: false } } }, ok)
  app.put('/4', { config: { cors: false } }, ok)
  await app.ready()
  t.strictSame(app.cors.routes().map(({ url, enforceOrigin }) => [url, enforceOrigin]), [['/1', 'report'], ['/2', true], ['/3', false], ['/4', 'report']])
})

t.test('routes() names a policy as definePolicies or the options do, or as the policy that it extends', async (t) => {
  const policies = cors.definePolicies({ base: { origin: FOO }, derived: { extends: 'base', maxAge: 5 } })
  const app = await application(t, { policies: { ...policies, alias: { extends: 'derived' } }, defaultPolicy: 'base' })
  const route = (url: string, policy: cors.RouteCors): void => { app.put(url, { config: { cors: policy } }, ok) }
  route('/1', policies.base)
  route('/2', policies.derived)
  route('/3', { extends: 'derived', maxAge: 9 })
  route('/4', { extends: 'alias' })
  route('/5', { origin: FOO })
  app.put('/6', ok)
  await app.ready()
  t.strictSame(app.cors.routes().map(({ policy }) => policy), ['base', 'derived', 'derived', 'alias', null, 'base'])
})

t.test('a request that is allowed is explained with its exchanges, and without a reason', async (t) => {
  const app = await application(t, { policies: { partner: { origin: FOO, credentials: true, exposedHeaders: ['ETag'] } }, defaultPolicy: 'partner' })
  app.put('/items/:id', { config: { cors: { extends: 'partner', maxAge: 5 } } }, async () => { throw new Error('a handler ran') })
  app.get('/items/:id', async () => { throw new Error('a handler ran') })

  t.strictSame(await app.cors.explain({ origin: FOO, method: 'put', url: '/items/7', headers: { 'Content-Type': 'text/html', Cookie: 'a=1' }, credentials: true }), {
    allowed: true,
    reason: null,
    message: 'the policy of PUT /items/:id (extends "partner") allows it: pages of "https://foo.example" read the response, with credentials',
    advice: null,
    route: { method: 'PUT', url: '/items/:id', policy: 'partner' },
    notes: [],
    exchanges: [{
      request: { method: 'OPTIONS', url: '/items/7', headers: { accept: '*/*', 'access-control-request-method': 'PUT', 'access-control-request-headers': 'content-type', origin: FOO } },
      response: {
        statusCode: 204,
        headers: {
          vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
          'access-control-allow-origin': FOO,
          'access-control-allow-credentials': 'true',
          'access-control-allow-methods': 'PUT',
          'access-control-allow-headers': 'content-type',
          'access-control-max-age': '5'
        }
      }
    }, {
      request: { method: 'PUT', url: '/items/7', headers: { 'content-type': 'text/html', origin: FOO } },
      response: { statusCode: null, headers: { vary: 'Origin', 'access-control-allow-origin': FOO, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'ETag' } }
    }]
  })
  t.match(await app.cors.explain({ origin: FOO, url: '/items/7' }), { allowed: true, message: 'the policy "partner" of GET /items/:id allows it: pages of "https://foo.example" read the response', exchanges: [{ request: { method: 'GET' } }] })
  t.match(await app.cors.explain({ origin: FOO, url: '/nothing' }), { allowed: true, route: null, message: 'no route answers, but pages of "https://foo.example" read the response: the default policy governs the 404' })
  t.match(await app.cors.explain({ origin: EVIL, url: '/nothing' }), { allowed: false, reason: 'no-route' })
  t.match(await app.cors.explain({ origin: 'https://api.example.com', method: 'DELETE', url: 'https://api.example.com/nothing' }), {
    allowed: true, message: 'the page has the origin of the API itself, so it needs no permission', exchanges: [{ request: { url: 'https://api.example.com/nothing' } }]
  })
})

t.test('explain() tells hosts apart, and names routes that a preflight does not tell apart', async (t) => {
  const hosts = await application(t, { policies: { partner: { origin: FOO } } })
  hosts.put('/items', { config: { cors: { extends: 'partner' } }, constraints: { host: 'one.example' } }, ok)
  hosts.put('/items', { config: { cors: { origin: BAR } }, constraints: { host: 'two.example' } }, ok)
  t.match(await hosts.cors.explain({ origin: FOO, method: 'PUT', url: 'https://one.example/items' }), { allowed: true, route: { policy: 'partner' } })
  t.match(await hosts.cors.explain({ origin: FOO, method: 'PUT', url: 'https://two.example/items' }), { reason: 'origin-not-allowed', route: { policy: null } })
  t.match(await hosts.cors.explain({ origin: FOO, method: 'PUT', url: '/items' }), { reason: 'no-route' })

  const tenants = (): FastifyServerOptions => ({ constraints: strategy('tenant') as never })
  const app = await application(t, { policies: { partner: { origin: FOO } } }, tenants())
  app.put('/:any', { config: { cors: { extends: 'partner' } }, constraints: { tenant: 'a' } as never }, ok)
  app.put('/*', { config: { cors: { origin: '*' } } }, ok)
  app.put('/never/:any', { config: { cors: false }, constraints: { tenant: 'a' } as never }, ok)
  t.match(await app.cors.explain({ origin: FOO, method: 'PUT', url: '/7' }), {
    allowed: false,
    reason: 'ambiguous-route',
    route: null,
    message: 'it is not known which route PUT "/7" would reach: PUT /:any with the constraint "tenant" ("partner") or PUT /* (a policy of its own)',
    advice: 'declare the same policy on PUT /:any and PUT /*, for every value of the constraint'
  })
  t.ok(troubles.find(({ reason }) => reason === 'ambiguous-route')?.advice.test('declare the same policy on PUT /:any and PUT /*, for every value of the constraint'), 'docs/troubleshooting.md says so')

  t.match(await app.cors.explain({ origin: FOO, method: 'PUT', url: '/never/7' }), { message: 'it is not known which route PUT "/never/7" would reach: PUT /never/:any with the constraint "tenant" (no policy) or PUT /* (a policy of its own)' })

  const mended = await application(t, { policies: { partner: { origin: FOO } } }, tenants())
  mended.put('/:any', { config: { cors: { extends: 'partner' } }, constraints: { tenant: 'a' } as never }, ok)
  mended.put('/*', { config: { cors: { extends: 'partner' } } }, ok)
  t.match(await mended.cors.explain({ origin: FOO, method: 'PUT', url: '/7' }), { allowed: true })
})

t.test('explain() points out a policy that is declared in another scope', async (t) => {
  const app = await application(t)
  app.register(async (admin) => {
    await admin.register(cors, { policies: { partner: { origin: FOO } } })
  }, { prefix: '/admin' })
  app.get('/open', ok)
  t.match(await app.cors.explain({ origin: FOO, url: '/open' }), {
    reason: 'no-policy',
    advice: 'write config: { cors: { origin: "https://foo.example" } }, or, once a parent scope of both declares the policy "partner", which is known below "/admin/" only, config: { cors: { extends: "partner" } } on GET /open'
  })
})

t.test('explain() says that a route is outside every registration\'s scope', async (t) => {
  const app = Fastify({ logger: false })
  t.teardown(() => app.close())
  let inner!: FastifyInstance
  await app.register(async (child) => {
    await child.register(cors)
    child.get('/in', { config: { cors: { origin: FOO } } }, ok)
    inner = child
  })
  app.get('/out', ok)
  app.get('/unread', { config: { cors: { origin: FOO } } }, ok)
  t.match(await inner.cors.explain({ origin: FOO, url: '/in' }), { allowed: true })
  t.match(await inner.cors.explain({ origin: FOO, url: '/out' }), {
    reason: 'no-policy',
    message: 'fastify-cors-policy is registered neither in the scope of GET /out nor in a parent scope',
    advice: 'register the plugin on the instance that declares GET /out, or on a parent instance, before the route, and write config: { cors: { origin: "https://foo.example" } } on the route'
  })
  t.match(await inner.cors.explain({ origin: FOO, url: '/unread' }), { reason: 'no-policy', advice: 'register the plugin on the instance that declares GET /unread, or on a parent instance, before the route' })
})

t.test('a question that cannot be asked is refused with what is wrong in it', async (t) => {
  const app = await application(t)
  const refusal = async (question: unknown): Promise<CorsQuestionError> => {
    const error = await app.cors.explain(question as CorsQuestion).then(() => undefined, (err) => err)
    t.match(error, { code: 'FST_ERR_CORS_INVALID_QUESTION', name: error?.name === 'TypeError' ? 'TypeError' : 'FastifyError' })
    t.notMatch(error.message, /[\p{Cc}\p{Cf}](?<!\n)/u, 'nothing that a terminal would act on')
    t.ok(error.message.length < 2000)
    return error
  }
  const good = { origin: FOO, url: '/' }
  const table: Array<[question: unknown, pointer: string, reason: string]> = [
    [undefined, '', 'type'], ['/items', '', 'type'], [[], '', 'type'],
    [{ url: '/' }, '/origin', 'missing'], [{ origin: FOO }, '/url', 'missing'],
    [{ ...good, orign: FOO }, '/orign', 'unknown-property'], [{ ...good, 'a\u001b[31m/~': FOO }, '/a\u001b[31m~1~0', 'unknown-property'],
    [{ ...good, origin: 'https://Foo.example/' }, '/origin', 'not-canonical'], [{ ...good, origin: '*' }, '/origin', 'invalid'], [{ ...good, origin: 'foo.example' }, '/origin', 'invalid'],
    [{ ...good, origin: 'https://*.foo.example' }, '/origin', 'invalid'], [{ ...good, origin: 7 }, '/origin', 'type'], [{ ...good, origin: 'https://\u202efoo.example' }, '/origin', 'invalid'],
    [{ ...good, url: 'items' }, '/url', 'invalid'], [{ ...good, url: 'http://' }, '/url', 'invalid'], [{ ...good, url: '//foo.example/' }, '/url', 'invalid'], [{ ...good, url: '/\\foo.example' }, '/url', 'invalid'],
    [{ ...good, url: 'https://user:secret@api.example/' }, '/url', 'invalid'], [{ ...good, url: 'javascript:alert(1)' }, '/url', 'invalid'], [{ ...good, url: new URL('https://foo.example') }, '/url', 'type'],
    [{ ...good, method: 'P T' }, '/method', 'invalid'], [{ ...good, method: '' }, '/method', 'invalid'], [{ ...good, method: 'P'.repeat(100_000) }, '/method', 'invalid'], [{ ...good, method: 1 }, '/method', 'type'],
    [{ ...good, headers: 'x-one' }, '/headers', 'type'], [{ ...good, headers: [['x-one', '1']] }, '/headers', 'type'], [{ ...good, headers: null }, '/headers', 'type'], [{ ...good, headers: { 'x one': '1' } }, '/headers/x one', 'invalid'],
    [{ ...good, headers: { 'x-one': '1\r\nx-two: 2' } }, '/headers/x-one', 'invalid'], [{ ...good, headers: { 'x-one': '\u2603' } }, '/headers/x-one', 'invalid'], [{ ...good, headers: { 'x-one': 1 } }, '/headers/x-one', 'type'],
    [{ ...good, headers: { ['y'.repeat(100_000) + ' ']: '1' } }, `/headers/${'y'.repeat(100_000)} `, 'invalid'],
    [{ ...good, credentials: 'include' }, '/credentials', 'type'], [{ ...good, useCorsPreflight: 1 }, '/useCorsPreflight', 'type']
  ]
  for (const [question, pointer, reason] of table) {
    const { problems } = await refusal(question)
    t.match(problems[0], { pointer, reason }, JSON.stringify(question)?.slice(0, 100) ?? 'nothing')
  }
  t.equal((await refusal({ origin: `${FOO}/`, method: 'P T', mthod: 'PUT' })).problems.length, 4, 'everything at once')
  t.match(await app.cors.explain({ ...good, method: undefined, headers: { 'x-one': ['1', '2'] } } as never), { reason: 'no-route' }, 'what is undefined is left out')
})

t.test('asking before the application is ready does not keep later routes from being known', async (t) => {
  const app = await application(t)
  app.get('/:x', { config: { cors: { origin: FOO } } }, ok)
  t.equal(app.cors.routes().length, 2, 'those so far')
  app.get('/off', { config: { cors: false } }, ok)
  app.put('/late', { config: { cors: { origin: FOO } } }, ok)
  t.equal(app.cors.routes().length, 5)
  t.notOk(approves(await preflight(app, 'GET', '/off'), 'GET'))
  t.ok(approves(await preflight(app, 'PUT', '/late'), 'PUT'))
  t.equal(app.cors.routes().length, 5)
})
