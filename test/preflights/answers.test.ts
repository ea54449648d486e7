// What a preflight is answered: status, headers, and what runs or does not run meanwhile. Where it is routed: routing.test.ts.
import t from 'tap'
import Fastify from 'fastify'
import cors from '../../lib/index'
import { HAS_HANDLER_TIMEOUT } from '../support/features'
import { accessControl, application, approves, corsHeaders, EVIL, FOO, ok, preflight, PREFLIGHT_VARY, request } from '../support'
import { logged } from '../support/log'

t.test('an allowed preflight has the policy\'s answer, no body and no length', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: FOO, credentials: true, maxAge: 600, allowedHeaders: ['X-Custom'], exposedHeaders: ['ETag'] } } }, ok)
  const response = await preflight(app, 'PUT', '/', { requestHeaders: 'x-custom' })
  t.equal(response.statusCode, 204)
  t.equal(response.body, '')
  t.notOk('content-length' in response.headers)
  t.notOk('content-type' in response.headers)
  t.same(corsHeaders(response), {
    vary: PREFLIGHT_VARY,
    'access-control-allow-origin': FOO,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'PUT',
    'access-control-allow-headers': 'X-Custom',
    'access-control-max-age': '600'
  })
})

t.test('optionsSuccessStatus 200 answers an allowed preflight with 200 and an empty body', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: FOO, optionsSuccessStatus: 200 } } }, ok)
  const response = await preflight(app, 'PUT', '/')
  t.equal(response.statusCode, 200)
  t.equal(response.body, '')
  t.equal(response.headers['content-length'], '0')
})

t.test('origin "*" is sent as "*", whatever the origin of the request', async (t) => {
  const app = await application(t)
  app.get('/', { config: { cors: { origin: '*' } } }, ok)
  for (const origin of [FOO, EVIL, 'null', 'not an origin']) {
    const response = await preflight(app, 'GET', '/', { origin })
    t.same(corsHeaders(response), { vary: PREFLIGHT_VARY, 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, HEAD' })
  }
})

t.test('a refused origin gets 403 and no Access-Control headers', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: FOO, credentials: true, maxAge: 600, allowedHeaders: '*' } } }, ok)
  for (const origin of [EVIL, 'null', '', 'https://foo.example.evil.test', 'https://foo.example/', 'HTTPS://foo.example', `${FOO}, ${FOO}`]) {
    const response = await preflight(app, 'PUT', '/', { origin, requestHeaders: 'x-a' })
    t.equal(response.statusCode, 403, origin)
    t.equal(response.body, '')
    t.same(corsHeaders(response), { vary: PREFLIGHT_VARY })
  }
})

t.test('"null" is allowed only where it is named', async (t) => {
  const app = await application(t)
  app.put('/named', { config: { cors: { origin: ['null', FOO] } } }, ok)
  app.put('/other', { config: { cors: { origin: [FOO, /^[^]*$/] } } }, ok)
  t.equal((await preflight(app, 'PUT', '/named', { origin: 'null' })).headers['access-control-allow-origin'], 'null')
  t.equal((await preflight(app, 'PUT', '/other', { origin: 'null' })).statusCode, 403)
})

t.test('Access-Control-Allow-Methods names all methods of the URL whose policies are equal by value', async (t) => {
  const app = await application(t, { policies: { partner: { origin: [FOO, EVIL], maxAge: 5 } } })
  app.put('/', { config: { cors: { extends: 'partner' } } }, ok)
  app.delete('/', { config: { cors: { origin: [EVIL, FOO], maxAge: 5, credentials: false } } }, ok)
  app.patch('/', { config: { cors: { origin: [FOO, EVIL], maxAge: 6 } } }, ok)
  app.get('/', { config: { cors: { origin: '*' } } }, ok)
  app.post('/', { config: { cors: false } }, ok)
  t.equal((await preflight(app, 'PUT', '/')).headers['access-control-allow-methods'], 'PUT, DELETE')
  t.equal((await preflight(app, 'DELETE', '/')).headers['access-control-allow-methods'], 'PUT, DELETE')
  t.equal((await preflight(app, 'PATCH', '/')).headers['access-control-allow-methods'], 'PATCH')
  t.equal((await preflight(app, 'GET', '/')).headers['access-control-allow-methods'], 'GET, HEAD')
  t.equal((await preflight(app, 'POST', '/')).statusCode, 404)
})

t.test('Access-Control-Allow-Methods names no method that another route or host answers with another policy', async (t) => {
  const app = await application(t)
  for (const method of ['PUT', 'PATCH', 'DELETE']) app.route({ method, url: '/items/:id', config: { cors: { origin: FOO } }, handler: ok })
  app.put('/items/special', { config: { cors: { origin: EVIL } } }, ok)
  app.patch('/items/special', { config: { cors: { origin: [FOO] } } }, ok)
  app.patch('/items/off', { config: { cors: false } }, ok)
  for (const method of ['PUT', 'DELETE']) app.route({ method, url: '/hosts', config: { cors: { origin: FOO, allowedHeaders: '*', credentials: true } }, handler: ok })
  app.put('/hosts', { constraints: { host: 'a.test' }, config: { cors: { origin: EVIL } } }, ok)
  const methods = async (url: string, host: string = 'b.test'): Promise<unknown> => (await preflight(app, 'DELETE', url, { headers: { host } })).headers['access-control-allow-methods']
  t.equal(await methods('/items/7'), 'PUT, PATCH, DELETE')
  t.equal(await methods('/items/special'), 'PATCH, DELETE', 'PUT is another policy\'s; PATCH has the same one')
  t.equal(await methods('/items/off'), 'PUT, DELETE')
  t.equal(await methods('/hosts'), 'PUT, DELETE')
  t.equal(await methods('/hosts', 'a.test'), 'DELETE')
  t.equal((await preflight(app, 'DELETE', '/hosts', { requestHeaders: 'x', headers: { host: 'a.test' } })).headers['access-control-allow-headers'], 'x')
})

t.test('each method of one URL is answered by its own policy', async (t) => {
  const app = await application(t)
  app.get('/r', { config: { cors: { origin: '*' } } }, ok)
  app.put('/r', { config: { cors: { origin: FOO, credentials: true } } }, ok)
  app.delete('/r', { config: { cors: false } }, ok)
  t.same(accessControl(await preflight(app, 'GET', '/r', { origin: EVIL })), { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, HEAD' })
  t.same(accessControl(await preflight(app, 'PUT', '/r')), {
    'access-control-allow-origin': FOO,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'PUT',
    'access-control-allow-headers': 'content-type'
  })
  t.equal((await preflight(app, 'PUT', '/r', { origin: EVIL })).statusCode, 403)
  const off = await preflight(app, 'DELETE', '/r')
  t.equal(off.statusCode, 404)
  t.same(corsHeaders(off), {})
})

t.test('a method that no page can send gets no Access-Control headers, and is not named', async (t) => {
  const app = await application(t)
  app.all('/', { config: { cors: { origin: '*' } } }, ok)
  for (const method of ['TRACE', 'CONNECT', 'TRACK', 'FOO', 'get', '__proto__', 'constructor', '', 'GET, PUT']) {
    const response = await preflight(app, method, '/')
    t.same(accessControl(response), {}, `Access-Control-Request-Method: ${method}`)
  }
  const methods = String((await preflight(app, 'PUT', '/')).headers['access-control-allow-methods']).split(', ')
  t.notOk(methods.includes('TRACE'))
  t.ok(methods.includes('OPTIONS'))
})

t.test('Access-Control-Allow-Headers is the list of the policy, and for "*" names the requested headers as well', async (t) => {
  const app = await application(t)
  app.put('/list', { config: { cors: { origin: FOO, allowedHeaders: ['X-PINGOTHER', 'Content-Type'] } } }, ok)
  app.put('/none', { config: { cors: { origin: FOO, allowedHeaders: [] } } }, ok)
  app.put('/any', { config: { cors: { origin: FOO, allowedHeaders: '*' } } }, ok)
  app.put('/any-authorization', { config: { cors: { origin: FOO, allowedHeaders: ['*', 'Authorization'] } } }, ok)
  app.put('/any-credentials', { config: { cors: { origin: FOO, allowedHeaders: '*', credentials: true } } }, ok)
  const allowed = async (url: string, requestHeaders?: string): Promise<unknown> => {
    const response = await preflight(app, 'PUT', url, requestHeaders === undefined ? {} : { requestHeaders })
    t.equal(response.statusCode, 204, 'the origin is allowed, whatever the headers')
    return response.headers['access-control-allow-headers']
  }
  t.equal(await allowed('/list', 'content-type, x-pingother'), 'X-PINGOTHER, Content-Type')
  t.equal(await allowed('/list', 'x-other'), 'X-PINGOTHER, Content-Type', 'so that the browser names the header that is not')
  t.equal(await allowed('/none', 'x-other'), undefined)
  t.equal(await allowed('/any', 'x-other'), '*, x-other', 'named as well, for Firefox remembers no wildcard')
  t.equal(await allowed('/any', 'x-a, X-A,x-b'), '*, x-a, x-b', 'each once')
  t.equal(await allowed('/any'), '*')
  t.equal(await allowed('/any', 'Authorization,AUTHORIZATION,*'), '*', 'the wildcard does not cover Authorization, so it is not named')
  t.equal(await allowed('/any', 'authorization,x-other'), '*, x-other')
  t.equal(await allowed('/any-authorization', 'authorization,x-other'), '*, Authorization, x-other')
  t.equal(await allowed('/any-credentials', 'authorization,x-other, X-OTHER'), 'authorization, x-other', 'a wildcard would be read as a name')
  t.equal(await allowed('/any-credentials'), undefined)
})

t.test('malformed or too long Access-Control-Request-Headers are refused with 403, and never echoed', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: FOO, allowedHeaders: '*', credentials: true } } }, ok)
  app.put('/public', { config: { cors: { origin: '*' } } }, ok)
  for (const requestHeaders of ['a b', 'a;b', 'ä', 'a, "b"', `${','.repeat(17)}`, 'x'.repeat(4097), `${'a,'.repeat(8000)}`, ' '.repeat(16384), '(', 'a\u000bb']) {
    for (const url of ['/', '/public']) {
      const response = await preflight(app, 'PUT', url, { requestHeaders })
      t.equal(response.statusCode, 403)
      t.same(corsHeaders(response), { vary: PREFLIGHT_VARY })
    }
  }
  t.equal((await preflight(app, 'PUT', '/', { requestHeaders: ', a ,\t,b,' })).headers['access-control-allow-headers'], 'a, b')
})

t.test('a preflight runs onSend and onResponse hooks, and no other later hook, parser, validation or handler', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const ran: string[] = []
  await app.register(cors)
  for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onResponse'] as const) {
    app.addHook(hook, async () => { ran.push(hook) })
  }
  app.addHook('onSend', async (_request, _reply, payload) => { ran.push('onSend'); return payload })
  app.addContentTypeParser('text/x', (_request, _payload, done) => { ran.push('parser'); done(null, '') })
  app.put('/', { config: { cors: { origin: FOO } }, onRequest: async () => { ran.push('route') }, schema: { body: { type: 'object' } } }, async () => { ran.push('handler') })
  const response = await app.inject({ method: 'OPTIONS', url: '/', headers: { origin: FOO, 'access-control-request-method': 'PUT', 'content-type': 'text/x' }, payload: 'x' })
  t.equal(response.statusCode, 204)
  t.same(ran, ['onSend', 'onResponse'])
})

t.test('the headers of a preflight survive onSend hooks that change them', async (t) => {
  const app = await application(t)
  app.addHook('onSend', async (_request, reply, payload) => {
    reply.headers({ vary: 'Accept', 'access-control-allow-origin': '*', 'access-control-expose-headers': 'x', 'access-control-allow-private-network': 'true' })
    reply.removeHeader('access-control-allow-methods')
    return payload
  })
  app.put('/', { config: { cors: { origin: FOO } } }, ok)
  t.same(corsHeaders(await preflight(app, 'PUT', '/')), {
    vary: `Accept, ${PREFLIGHT_VARY}`,
    'access-control-allow-origin': FOO,
    'access-control-allow-methods': 'PUT',
    'access-control-allow-headers': 'content-type'
  })
  t.same(corsHeaders(await preflight(app, 'PUT', '/', { origin: EVIL })), { vary: `Accept, ${PREFLIGHT_VARY}` })
})

t.test('an origin function decides, sync or async, and only true allows', async (t) => {
  const app = await application(t)
  const asked: unknown[] = []
  app.put('/sync', { config: { cors: { origin: (origin, request) => { asked.push([origin, request.url]); return origin === FOO } } } }, ok)
  app.put('/async', { config: { cors: { origin: async (origin) => origin === FOO } } }, ok)
  app.put('/truthy', { config: { cors: { origin: (() => 'yes') as never } } }, ok)
  app.put('/async-truthy', { config: { cors: { origin: (async () => 1) as never } } }, ok)
  app.put('/null', { config: { cors: { origin: (() => null) as never } } }, ok)
  const later: string[] = []
  app.addHook('onRequest', async () => { later.push('ran') })
  t.equal((await preflight(app, 'PUT', '/sync')).statusCode, 204)
  t.equal((await preflight(app, 'PUT', '/async')).headers['access-control-allow-origin'], FOO)
  for (const url of ['/sync', '/async']) t.equal((await preflight(app, 'PUT', url, { origin: EVIL })).statusCode, 403)
  for (const url of ['/truthy', '/async-truthy', '/null']) t.equal((await preflight(app, 'PUT', url)).statusCode, 403)
  t.same(asked, [[FOO, '/sync'], [EVIL, '/sync']])
  t.same(later, [], 'nor does a later hook run while the function thinks')
})

t.test('an origin function is called only for a valid Origin other than "null"', async (t) => {
  const app = await application(t)
  const asked: string[] = []
  app.put('/', { config: { cors: { origin: (origin) => { asked.push(origin); return true } } } }, ok)
  for (const origin of ['null', 'https://a.test/', 'x', '', 'https://A.test', 'https://a.test:443', 'https://a.test, https://b.test', 'x'.repeat(5000)]) {
    t.equal((await preflight(app, 'PUT', '/', { origin })).statusCode, 403)
    t.same(accessControl(await request(app, 'PUT', '/', origin)), {})
  }
  t.same(asked, [])
})

t.test('an origin function that throws or rejects refuses the origin, is logged once for each request, and fails none', async (t) => {
  const { logger, lines } = logged('error')
  const app = await application(t, {}, { logger })
  app.put('/throws', { config: { cors: { origin: () => { throw new Error('sync') } } } }, ok)
  app.put('/rejects', { config: { cors: { origin: async () => { throw new Error('async') } } } }, ok)
  for (const url of ['/throws', '/rejects']) {
    t.equal((await preflight(app, 'PUT', url)).statusCode, 403)
    const response = await request(app, 'PUT', url, FOO)
    t.equal(response.statusCode, 200)
    t.equal(response.body, 'ok')
    t.same(corsHeaders(response), { vary: 'Origin' })
  }
  t.same(lines.map(({ level, err }) => [level, err?.message]), [[50, 'sync'], [50, 'sync'], [50, 'async'], [50, 'async']])
})

t.test('an origin function that never answers does not delay the time-out of the handler', { skip: HAS_HANDLER_TIMEOUT ? false : 'this Fastify has no handlerTimeout' }, async (t) => {
  const app = await application(t, {}, { handlerTimeout: 50 })
  app.put('/', { config: { cors: { origin: async () => await new Promise<boolean>(() => {}) } } }, ok)
  const asked = await preflight(app, 'PUT', '/')
  t.equal(asked.statusCode, 503)
  t.same(corsHeaders(asked), { vary: PREFLIGHT_VARY })
  const response = await request(app, 'PUT', '/', FOO)
  t.equal(response.statusCode, 503)
  t.same(corsHeaders(response), { vary: 'Origin' })
})

t.test('an OPTIONS request that is no preflight, and a preflight that no policy answers, reach the application\'s OPTIONS route', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: FOO } } }, ok)
  app.options('/', async () => 'mine')
  const send = async (headers: Record<string, string>): Promise<string> => (await app.inject({ method: 'OPTIONS', url: '/', headers })).body
  t.equal(await send({}), 'mine')
  t.equal(await send({ origin: FOO }), 'mine')
  t.equal(await send({ 'access-control-request-method': 'PUT' }), 'mine')
  t.equal((await preflight(app, 'PUT', '/')).body, '')
  t.equal((await preflight(app, 'DELETE', '/')).body, 'mine', 'nor is a preflight that no policy answers')
})

t.test('an OPTIONS route that has a policy of its own approves no other route\'s preflight', async (t) => {
  const app = await application(t, { defaultPolicy: { origin: '*' } })
  app.options('*', async (_request, reply) => await reply.headers({ 'access-control-allow-origin': '*', 'access-control-allow-methods': 'PUT' }).send())
  app.put('/off', { config: { cors: false } }, ok)
  t.same(accessControl(await preflight(app, 'PUT', '/off')), {})
  t.same(accessControl(await preflight(app, 'PUT', '/nowhere')), {})
  t.same(accessControl(await app.inject({ method: 'OPTIONS', url: '/x', headers: { origin: FOO } })), { 'access-control-allow-origin': '*' })
  t.equal((await preflight(app, 'OPTIONS', '/x')).headers['access-control-allow-origin'], '*', 'a page may send OPTIONS there')
})

t.test('generated OPTIONS routes log at the level of the option logLevel', async (t) => {
  const { logger, messages } = logged('info')
  const app = await application(t, { logLevel: 'warn' }, { logger })
  app.put('/', { config: { cors: { origin: FOO } } }, ok)
  await preflight(app, 'PUT', '/')
  t.same(messages, [])
  await request(app, 'PUT', '/')
  t.same(messages, ['incoming request', 'request completed'])
})

t.test('generated OPTIONS routes are hidden from documentation, unless hideOptionsRoute is false', async (t) => {
  for (const [options, hidden] of [[{}, true], [{ hideOptionsRoute: true }, true], [{ hideOptionsRoute: false }, undefined]] as const) {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    const seen: unknown[] = []
    app.addHook('onRoute', (route) => { if (route.method === 'OPTIONS') seen.push((route.schema as { hide?: boolean } | undefined)?.hide) })
    await app.register(cors, options)
    app.put('/', { config: { cors: { origin: FOO } } }, ok)
    t.same(seen, [hidden])
    t.match(app.printRoutes(), 'corsPreflight')
  }
})

t.test('a preflight that an earlier hook answers gets no Access-Control headers, and the log warns once, whatever the status', async (t) => {
  for (const [status, name, advice] of [
    [200, 'OK', 'remove any other CORS plugin'], [204, 'No Content', 'remove any other CORS plugin'], [401, 'Unauthorized', 'preflights carry no credentials'],
    [403, 'Forbidden', 'preflights carry no credentials'], [429, 'Too Many Requests', 'register the plugin before that hook'], [599, '', 'register the plugin before that hook']
  ] as const) {
    const { logger, messages } = logged()
    const app = Fastify({ logger })
    t.teardown(async () => { await app.close() })
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers.authorization === undefined) await reply.code(status).send('who are you?')
    })
    await app.register(cors)
    app.put('/', { config: { cors: { origin: '*' } } }, ok)
    app.put('/function', { config: { cors: { origin: async () => true } } }, ok)
    for (const url of ['/', '/function', '/']) {
      const response = await preflight(app, 'PUT', url)
      t.equal(response.statusCode, status)
      t.same(corsHeaders(response), { vary: PREFLIGHT_VARY })
    }
    t.equal(messages.length, 1)
    t.match(messages[0], `before fastify-cors-policy answered a preflight with ${status}${name && ` ${name}`}: `)
    t.match(messages[0], advice)
  }
})

t.test('routes that share an origin function have their own policies where other fields differ', async (t) => {
  const app = await application(t)
  const asked: string[] = []
  const isFoo = (name: string) => (origin: string): boolean => {
    asked.push(name)
    return origin === FOO
  }
  const [first, second] = [isFoo('first'), isFoo('second')]
  app.put('/a', { config: { cors: { origin: first, maxAge: 1 } } }, ok)
  app.put('/b', { config: { cors: { origin: first, maxAge: 2 } } }, ok)
  app.put('/c', { config: { cors: { origin: second, maxAge: 1 } } }, ok)
  app.put('/d', { config: { cors: { origin: first, maxAge: 1 } } }, ok)
  for (const [url, maxAge, name] of [['/a', '1', 'first'], ['/b', '2', 'first'], ['/c', '1', 'second'], ['/d', '1', 'first']] as const) {
    asked.length = 0
    const answer = await preflight(app, 'PUT', url)
    t.ok(approves(answer, 'PUT'), url)
    t.equal(answer.headers['access-control-max-age'], maxAge, url)
    t.strictSame(asked, [name], url)
  }
})
