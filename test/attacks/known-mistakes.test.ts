// What went wrong in CORS implementations before, each as a test that it does not go wrong here. The names say what went wrong.
import t from 'tap'
import cors from '../../lib/index'
import { accessControl, application, approves, corsHeaders, EVIL, FOO, ok, preflight, PREFLIGHT_VARY, refusal, request } from '../support'
import { portOf } from '../support/ports'
import { exchange } from '../support/raw-http'

t.test('"*" is never turned into the origin of the request', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: '*', allowedHeaders: '*' } } }, ok)
  for (const response of [await preflight(app, 'PUT', '/', { origin: EVIL, requestHeaders: 'x' }), await request(app, 'PUT', '/', EVIL)]) {
    t.equal(response.headers['access-control-allow-origin'], '*')
    t.notOk('access-control-allow-credentials' in response.headers)
  }
  t.match(refusal(() => app.get('/', { config: { cors: { origin: '*', credentials: true } } }, ok)), Error)
})

t.test('credentials are not allowed by default', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: FOO } } }, ok)
  for (const response of [await preflight(app, 'PUT', '/'), await request(app, 'PUT', '/', FOO)]) t.notOk('access-control-allow-credentials' in response.headers)
})

t.test('"null" is not reflected', async (t) => {
  const app = await application(t)
  const policies: cors.CorsPolicy[] = [{ origin: FOO, credentials: true }, { origin: () => true, credentials: true }, { origin: [/^(?:null|https:\/\/foo\.example)$/], credentials: true }, { origin: [/^(?:null|.*:.*)$/] }, { origin: ['https://*.example'] }]
  policies.forEach((policy, index) => app.put(`/${index}`, { config: { cors: policy } }, ok))
  for (const index of policies.keys()) {
    t.same(accessControl(await preflight(app, 'PUT', `/${index}`, { origin: 'null' })), {})
    t.same(accessControl(await request(app, 'PUT', `/${index}`, 'null')), {})
  }
})

t.test('an origin is not matched by a prefix, a suffix, or a dot that matches any character', async (t) => {
  const app = await application(t)
  app.put('/exact', { config: { cors: { origin: 'https://a.example.com' } } }, ok)
  app.put('/pattern', { config: { cors: { origin: 'https://*.example.com' } } }, ok)
  app.put('/ports', { config: { cors: { origin: 'https://a.example.com:*' } } }, ok)
  app.put('/regexp', { config: { cors: { origin: [/^https:\/\/[a-z]\.example\.com$/] } } }, ok)
  const hostile = [
    'https://a.example.com.evil.test', 'https://a.example.com.', 'https://evila.example.com.test', 'https://example.com', 'https://aexample.com', 'https://a-example.com', 'https://axexample.com',
    'https://evil.test/.example.com', 'https://evil.test#.example.com', 'https://evil.test?.example.com', 'https://evil.test\\.example.com', 'https://evil.test@a.example.com', 'https://a.example.com@evil.test',
    'https://a.example.com:evil.test', 'https://a.example.com:80:443', 'https://a.example.com:', 'https://a.example.com:0', 'https://a.example.com:65536', 'https://a.example.com:0443', 'https://a.example.com:443',
    'http://a.example.com', 'wss://a.example.com', 'https:/a.example.com', 'https:a.example.com', '//a.example.com', 'a.example.com', 'https://.example.com', 'https://a..example.com', 'https://`.example.com',
    'https://a_.example.com,https://a.example.com', ' https://a.example.com', 'https://a.example.com ', 'https://A.example.com', 'https://a.example.com/', 'https://a.example.com\u0000', 'https://xaxexamplexcom'
  ]
  for (const url of ['/exact', '/pattern', '/ports', '/regexp']) {
    t.ok(approves(await preflight(app, 'PUT', url, { origin: 'https://a.example.com' }), 'PUT'), url)
    for (const origin of hostile) {
      t.notOk(approves(await preflight(app, 'PUT', url, { origin }), 'PUT'), `${url} ${JSON.stringify(origin)}`)
      t.same(accessControl(await request(app, 'PUT', url, origin)), {})
    }
  }
})

t.test('a RegExp does not remember its last match', async (t) => {
  const app = await application(t)
  for (const regexp of [/^https:\/\/foo\.example$/g, /^https:\/\/foo\.example$/y]) t.equal(refusal(() => app.get('/', { config: { cors: { origin: [regexp] } } }, ok)).problems[0]?.reason, 'unsafe-regexp')
  app.get('/', { config: { cors: { origin: [/^https:\/\/foo\.example$/] } } }, ok)
  for (let i = 0; i < 4; i++) t.ok(approves(await preflight(app, 'GET', '/'), 'GET'))
})

t.test('the request\'s Vary is not copied into the response', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: FOO } } }, ok)
  t.equal((await request(app, 'PUT', '/', FOO, { headers: { vary: 'X-Injected' } })).headers.vary, 'Origin')
  t.equal((await preflight(app, 'PUT', '/', { headers: { vary: 'X-Injected' } })).headers.vary, PREFLIGHT_VARY)
})

t.test('a flood of requested headers is read once, and not echoed', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: FOO, credentials: true, allowedHeaders: '*' } } }, ok)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const floods = [','.repeat(15000), ' '.repeat(15000), 'a,'.repeat(7500), 'a'.repeat(15000), ' ,\t'.repeat(5000)]
  for (const flood of floods) {
    const response = await preflight(app, 'PUT', '/', { requestHeaders: flood })
    t.equal(response.statusCode, 403)
    t.same(corsHeaders(response), { vary: PREFLIGHT_VARY })
    t.match(await exchange(portOf(app.server), `OPTIONS / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: ${FOO}\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x${flood}x\r\n\r\n`), /^HTTP\/1\.1 403 /)
  }
})

t.test('nothing is injected into logs or headers through Origin and the two request headers', async (t) => {
  const lines: string[] = []
  const app = await application(t, {}, { logger: { level: 'trace', stream: { write: (line: string) => { lines.push(line) } } } })
  app.put('/', { config: { cors: { origin: (origin) => { throw new Error(origin) }, allowedHeaders: '*' } } }, ok)
  app.put('/all', { config: { cors: { origin: '*', allowedHeaders: '*' } } }, ok)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const injected = ['\u0000', '\u001b[31mred', '\u009b31m', '\t', '\u00e4', 'a\r\nset-cookie: a=b', 'a\nb', '\u2028']
  for (const text of injected) {
    for (const url of ['/', '/all']) {
      const response = await preflight(app, `PUT${text}`, url, { origin: `${FOO}${text}`, requestHeaders: `x${text}` })
      t.notOk('set-cookie' in response.headers)
      t.notOk(JSON.stringify(corsHeaders(response)).includes(JSON.stringify(text).slice(1, -1)), 'nothing is echoed')
      t.notOk(approves(response, `PUT${text}`))
    }
  }
  // eslint-disable-next-line no-control-regex -- control characters are exactly what must not be there
  t.notOk(lines.some((line) => /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(line)), 'nor does a log line have control characters')
  for (const bytes of ['a\u0000b', 'a\u001b[31m', 'a\rb']) {
    const received = await exchange(portOf(app.server), `OPTIONS / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: ${FOO}${bytes}\r\nAccess-Control-Request-Method: PUT\r\n\r\n`)
    t.match(received, /^HTTP\/1\.1 4\d\d /)
    t.notOk(received.includes(bytes))
  }
})

t.test('no policy is picked by matching paths in another way than the router', async (t) => {
  const app = await application(t)
  app.put('/admin/delete', { config: { cors: false } }, ok)
  app.put('/:any/delete', { config: { cors: { origin: '*' } } }, ok)
  app.put('/*', { config: { cors: { origin: '*' } } }, ok)
  for (const url of ['/admin/delete', '/%61dmin/delete', '/admin/%64elete', '/admin/delete?x', '/admin/delete#x', 'http://evil.test/admin/delete', '/admin/delete?/x/delete']) {
    const actual = accessControl(await request(app, 'PUT', url, EVIL))['access-control-allow-origin'] !== undefined
    t.equal(approves(await preflight(app, 'PUT', url, { origin: EVIL }), 'PUT'), actual, url)
    t.notOk(actual, `${url} reaches the route that allows nobody`)
  }
  for (const url of ['/admin//delete', '/admin/delete/', '/ADMIN/delete', '/admin/./delete', '/x/../admin/delete']) {
    const actual = accessControl(await request(app, 'PUT', url, EVIL))['access-control-allow-origin'] !== undefined
    t.equal(approves(await preflight(app, 'PUT', url, { origin: EVIL }), 'PUT'), actual, url)
  }
})

t.test('a preflight reaches no handler, body parser or later hook', async (t) => {
  const app = await application(t)
  const ran: string[] = []
  app.addHook('onRequest', async () => { ran.push('hook') })
  app.addContentTypeParser('*', (_request, _payload, done) => { ran.push('parser'); done(null) })
  app.all('/', { config: { cors: { origin: FOO } } }, async () => { ran.push('handler') })
  await app.inject({ method: 'OPTIONS', url: '/', headers: { origin: EVIL, 'access-control-request-method': 'DELETE', 'content-type': 'a/b' }, payload: 'x' })
  await app.inject({ method: 'OPTIONS', url: '/', headers: { origin: FOO, 'access-control-request-method': 'OPTIONS', 'content-type': 'a/b' }, payload: 'x' })
  t.same(ran, [])
})

t.test('responses share no header objects that other code can change', async (t) => {
  const app = await application(t)
  app.addHook('onSend', async (request, reply, payload) => {
    if (request.url.includes('spoil')) {
      const headers = reply.getHeaders() as Record<string, unknown>
      for (const name of Object.keys(headers)) headers[name] = 'spoilt'
      reply.headers({ 'access-control-allow-origin': 'spoilt', vary: 'spoilt' })
    }
    return payload
  })
  app.get('/', { config: { cors: { origin: FOO, exposedHeaders: ['X'] } } }, ok)
  const before = corsHeaders(await request(app, 'GET', '/', FOO))
  const askedBefore = corsHeaders(await preflight(app, 'GET', '/'))
  await request(app, 'GET', '/?spoil', FOO)
  await preflight(app, 'GET', '/?spoil')
  t.same(corsHeaders(await request(app, 'GET', '/', FOO)), before)
  t.same(corsHeaders(await preflight(app, 'GET', '/')), askedBefore)
})

t.test('names of the prototype mean nothing as origin, method, policy or header', async (t) => {
  const app = await application(t, { policies: JSON.parse('{ "__proto__": { "origin": "https://foo.example" } }') })
  app.put('/', { config: { cors: { origin: FOO, allowedHeaders: ['__proto__'] } } }, ok)
  app.get('/named', { config: { cors: { extends: '__proto__' } } }, ok)
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype']
  for (const name of names) {
    if (name !== '__proto__') t.equal(refusal(() => app.get(`/${name}`, { config: { cors: { extends: name } } }, ok)).problems[0]?.reason, 'unknown-policy')
    const own = JSON.parse(`{ "origin": "*", ${JSON.stringify(name)}: 1 }`) as never
    t.equal(refusal(() => app.get(`/${name}`, { config: { cors: own } }, ok)).problems[0]?.reason, 'unknown-property')
  }
  t.ok(approves(await preflight(app, 'GET', '/named'), 'GET'), 'a name like any other')
  for (const name of names) {
    t.equal((await preflight(app, 'PUT', '/', { origin: name })).statusCode, 403)
    t.equal((await preflight(app, name, '/')).headers['access-control-allow-methods'], 'PUT', 'the answer lets the browser name the method')
    t.same(accessControl(await request(app, 'PUT', '/', name)), {})
    t.equal((await preflight(app, 'PUT', '/', { requestHeaders: name })).headers['access-control-allow-headers'], '__proto__')
  }
  t.equal(({} as Record<string, unknown>).origin, undefined)
})

t.test('a preflight for a private network gets no private-network header', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: FOO, credentials: true } } }, ok)
  const response = await preflight(app, 'PUT', '/', { headers: { 'access-control-request-private-network': 'true', 'access-control-request-local-network': 'true' } })
  t.ok(approves(response, 'PUT'))
  t.notOk(Object.keys(response.headers).some((name) => name.includes('network')))
})
