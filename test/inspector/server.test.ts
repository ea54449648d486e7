// The inspector's server (fastify-cors-policy/inspector): what it serves, whom it answers, and what it refuses. The page itself is tested in test/browser/.
import { execFileSync } from 'node:child_process'
import { connect } from 'node:http2'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import Fastify, { type FastifyInstance, type FastifyServerOptions, type LightMyRequestResponse } from 'fastify'
import cors, { type CorsPolicyError, type CorsRoute } from '../../lib/index'
import inspector from '../../lib/inspector/index'
import { application, BAR, EVIL, FOO, ok, preflight } from '../support'
import { logged } from '../support/log'
import { portOf } from '../support/ports'
import { exchange } from '../support/raw-http'

async function inspected (t: Test, options: inspector.InspectorOptions = {}, server: FastifyServerOptions = {}): Promise<FastifyInstance> {
  const app = Fastify(server)
  t.teardown(() => app.close())
  await app.register(cors, { policies: { public: { origin: '*' }, partner: { origin: [FOO], credentials: true, dangerouslyAllowInsecureOrigins: true } } })
  app.get('/status', { config: { cors: { extends: 'public' } } }, ok)
  app.put('/items/:id', { config: { cors: { extends: 'partner' } } }, ok)
  app.delete('/items/:id', { config: { cors: false } }, ok)
  await app.register(inspector, { prefix: '/_cors', ...options })
  return app
}

async function ask (app: FastifyInstance, payload: string | object, headers: Record<string, string> = {}, prefix = '/_cors'): Promise<LightMyRequestResponse> {
  return await app.inject({ method: 'POST', url: `${prefix}/explain`, headers: { 'content-type': 'application/json', ...headers }, payload })
}

const QUESTION = { origin: FOO, method: 'PUT', url: '/items/7', credentials: true }

async function refusal (options: object, withCors = true): Promise<CorsPolicyError | undefined> {
  const app = Fastify()
  if (withCors) await app.register(cors)
  try {
    await app.register(inspector, options)
    return undefined
  } catch (error) {
    return error as CorsPolicyError
  } finally {
    await app.close()
  }
}

t.test('the inspector serves its page and what belongs to it, and nothing else', async (t) => {
  const app = await inspected(t)
  for (const [url, type, text] of [
    ['/_cors/', 'text/html; charset=utf-8', '<title>CORS inspector</title>'],
    ['/_cors/page.css', 'text/css; charset=utf-8', 'color-scheme: light dark'],
    ['/_cors/page.js', 'text/javascript; charset=utf-8', 'fetch(path'],
    ['/_cors/icon.svg', 'image/svg+xml', '<svg'],
    ['/_cors/routes', 'application/json; charset=utf-8', '/items/:id']
  ] as const) {
    const { statusCode, headers, body } = await app.inject(url)
    t.equal(statusCode, 200, url)
    t.equal(headers['content-type'], type)
    t.ok(body.includes(text), `has ${text}`)
    t.equal((await app.inject({ method: 'HEAD', url })).statusCode, 200)
  }
  for (const url of ['/_cors/index.js', '/_cors/guard.ts', '/_cors/../package.json', '/_cors/%2e%2e/index.ts', '/_cors/page.js/']) t.equal((await app.inject(url)).statusCode, 404, url)
})

t.test('the inspector\'s page has no inline code or style, and no address of another server', async (t) => {
  const app = await inspected(t)
  const page = (await app.inject('/_cors/')).body
  t.notMatch(page, /\son\w+=|\sstyle=|<style|<script(?! type="module" src="page\.js"><\/script>)|javascript:/i)
  t.notMatch(page, /(?:src|href|action)="(?:https?:)?\//, 'every address is relative')
  const script = (await app.inject('/_cors/page.js')).body
  t.notMatch(script, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|srcdoc/)
})

t.test('every response of the inspector has a content security policy, and may not be cached, framed or read by others', async (t) => {
  const app = await inspected(t)
  const responses = [
    ...await Promise.all(['/_cors', '/_cors/', '/_cors/page.css', '/_cors/page.js', '/_cors/icon.svg', '/_cors/routes'].map((url) => app.inject(url))),
    await app.inject({ url: '/_cors/', headers: { host: 'evil.example' } }), await ask(app, QUESTION), await ask(app, {}), await ask(app, '{')
  ]
  for (const { headers } of responses) {
    t.equal(headers['x-content-type-options'], 'nosniff')
    t.equal(headers['cache-control'], 'no-store')
    t.equal(headers['cross-origin-resource-policy'], 'same-origin')
    t.equal(headers['referrer-policy'], 'no-referrer')
    const directives = new Map(String(headers['content-security-policy']).split('; ').map((each) => [each.split(' ')[0], each.split(' ').slice(1).join(' ')]))
    for (const name of ['default-src', 'base-uri', 'form-action', 'frame-ancestors']) t.equal(directives.get(name), "'none'", name)
    for (const name of ['script-src', 'style-src', 'img-src', 'connect-src']) t.equal(directives.get(name), "'self'", name)
    t.equal(directives.get('require-trusted-types-for'), "'script'")
    t.strictSame(Object.keys(headers).filter((name) => name.startsWith('access-control-')), [], 'and no page of another origin reads it')
  }
})

t.test('the inspector works under any prefix, and redirects to the slash at the end', async (t) => {
  for (const [prefix, server, from, location] of [
    ['/_cors', {}, '/_cors', './_cors/'],
    ['/_cors', {}, '/_cors?a=/', './_cors/'],
    ['/a/deeper/one', {}, '/a/deeper/one', './one/'],
    ['/_cors', { routerOptions: { ignoreTrailingSlash: true } }, '/_cors', './_cors/'],
    ['/_cors', { routerOptions: { ignoreDuplicateSlashes: true } }, '//_cors', './_cors/'],
    ['/_cors', { routerOptions: { caseSensitive: false } }, '/_CORS', './_cors/'],
    ['/:tenant/_cors', {}, '/evil.example/_cors', './_cors/']
  ] as const) {
    const app = await inspected(t, { prefix }, server)
    const redirect = await app.inject(from)
    t.equal(redirect.statusCode, 302, from)
    t.equal(redirect.headers.location, location)
    const there = new URL(location, new URL(from.replace('//', '/'), 'http://localhost'))
    t.equal((await app.inject(there.pathname)).headers['content-type'], 'text/html; charset=utf-8', there.pathname)
    t.equal((await app.inject(new URL('page.js', there).pathname)).statusCode, 200)
    t.equal((await ask(app, QUESTION, {}, there.pathname.slice(0, -1))).json().allowed, true)
  }
  for (const prefix of ['/', '']) {
    const app = await inspected(t, { prefix })
    for (const url of ['/', '/?x', '/page.css', '/routes']) t.equal((await app.inject(url)).statusCode, 200, `${prefix} ${url}`)
  }
  const nested = await application(t)
  await nested.register(async (child) => { await child.register(inspector, { prefix: '/_cors' }) }, { prefix: '/api' })
  t.equal((await nested.inject('/api/_cors')).headers.location, './_cors/')
  t.equal((await nested.inject('/api/_cors/')).statusCode, 200)
})

t.test('the inspector lists the routes of the application, without its own', async (t) => {
  const app = await inspected(t)
  const routes = (await app.inject('/_cors/routes')).json<CorsRoute[]>()
  t.strictSame(routes.map(({ method, url }) => `${method} ${url}`), ['DELETE /items/:id', 'PUT /items/:id', 'GET /status', 'HEAD /status'])
  t.strictSame(routes, app.cors.routes().filter(({ url }) => !url.startsWith('/_cors')))
  const own = app.cors.routes().filter(({ url }) => url.startsWith('/_cors'))
  t.not(own.length, 0)
  for (const { origin } of own) t.strictSame(origin, [], 'its own say cors: false')
})

t.test('the inspector\'s routes have no CORS headers, whatever the default policy', async (t) => {
  const app = await application(t, { defaultPolicy: { origin: '*' } })
  await app.register(inspector, { prefix: '/_cors' })
  t.equal((await preflight(app, 'POST', '/_cors/explain', { requestHeaders: 'content-type' })).statusCode, 404)
  t.equal((await app.inject({ url: '/_cors/routes', headers: { origin: EVIL } })).headers['access-control-allow-origin'], undefined)
})

t.test('the inspector answers what explain answers', async (t) => {
  const app = await inspected(t)
  for (const question of [QUESTION, { ...QUESTION, origin: BAR }, { ...QUESTION, headers: { 'x-request-id': ['1', '2'] } }, { origin: FOO, url: '/status' }, { origin: FOO, url: '/nowhere' }]) {
    const response = await ask(app, question)
    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), JSON.parse(JSON.stringify(await app.cors.explain(question))))
  }
})

t.test('a question that cannot be asked is answered with what is wrong', async (t) => {
  const app = await inspected(t)
  const { statusCode, headers, body } = await ask(app, { origin: 'app.example.com', url: 'items', method: 'P T', headers: { 'a b': '1' }, mthod: 'PUT' })
  t.equal(statusCode, 400)
  t.equal(headers['content-type'], 'application/json; charset=utf-8')
  const { code, message, problems } = JSON.parse(body)
  t.equal(code, 'FST_ERR_CORS_INVALID_QUESTION')
  t.match(message, /^app\.cors\.explain: 5 problems\n|^app\.cors\.explain: 5 problems\\u000a/)
  t.strictSame(problems.map(({ pointer, reason }: Record<string, string>) => `${pointer} ${reason}`).sort(), ['/headers/a b invalid', '/method invalid', '/mthod unknown-property', '/origin invalid', '/url invalid'])
  for (const problem of problems) t.strictSame(Object.keys(problem), ['pointer', 'reason', 'message'], 'without the value itself')
  for (const payload of ['null', '[]', '1', '"x"']) t.match((await ask(app, payload)).json(), { code: 'FST_ERR_CORS_INVALID_QUESTION', problems: [{ pointer: '', reason: 'type' }] }, payload)
  t.match((await ask(app, '{')).json(), { code: 'FST_ERR_CTP_INVALID_JSON_BODY' })
  t.equal((await ask(app, '')).statusCode, 400)
  t.equal((await ask(app, '{ "__proto__": {} }')).statusCode, 400)
  t.equal((await ask(app, { ...QUESTION, headers: { x: 'a'.repeat(70_000) } })).statusCode, 413)
})

/** What a terminal acts on, or a page does not show. The line breaks of a message are its own. */
const SHOWN_DIFFERENTLY = /[\p{Cf}\p{Zl}\p{Zp}\u0080-\u009f]|(?!\n)\p{Cc}/u

t.test('nothing of a question is reflected unescaped', async (t) => {
  const app = await inspected(t)
  const nasty = '<script>alert(1)</script>\u202e\u001b[31m\u2028'
  for (const question of [{ origin: nasty, url: nasty, method: nasty }, { [nasty]: nasty }, { ...QUESTION, headers: { [nasty]: nasty } }, { ...QUESTION, url: `/${nasty}` }]) {
    const { headers, body } = await ask(app, question)
    t.equal(headers['content-type'], 'application/json; charset=utf-8')
    t.equal(headers['x-content-type-options'], 'nosniff')
    t.notOk(SHOWN_DIFFERENTLY.test(body))
    const strings: string[] = []
    JSON.parse(body, (_, value: unknown) => { if (typeof value === 'string') strings.push(value); return value })
    t.strictSame(strings.filter((text) => SHOWN_DIFFERENTLY.test(text)), [])
  }
})

t.test('the inspector answers only if the host is loopback', async (t) => {
  const app = await inspected(t)
  const status = async (host: string): Promise<number> => (await app.inject({ url: '/_cors/', headers: { host } })).statusCode
  for (const host of ['localhost', 'localhost:3000', 'LOCALHOST:3000', 'app.localhost', 'a.b.localhost:80', '127.0.0.1', '127.0.0.1:8080', '127.1.2.3', '127.255.255.255:65535', '[::1]', '[::1]:3000']) t.equal(await status(host), 200, host)
  for (const host of [
    'evil.example', 'localhost.evil.example', 'evillocalhost', 'localhost.', '.localhost', 'a..localhost', '127.0.0.1.evil.example', '127.evil.example', '127.0.0.256', '127.1', '128.0.0.1', '10.0.0.1', '192.168.0.1', '0.0.0.0',
    '[::2]', '[::ffff:127.0.0.1]', '::1', '[::1', '[::1].evil.example', 'localhost:', 'localhost:x', 'localhost:80:80', 'localhost, evil.example', 'localhost@evil.example', 'evil.example@localhost', 'evil.example#localhost', 'evil.example/localhost', ' '
  ]) t.equal(await status(host), 403, host)
  const refused = await app.inject({ url: '/_cors/', headers: { host: 'evil.example' } })
  t.equal(refused.body, 'Forbidden', 'without detail')
  for (const url of ['/_cors', '/_cors/page.js', '/_cors/page.css', '/_cors/icon.svg', '/_cors/routes']) t.equal((await app.inject({ url, headers: { host: 'evil.example' } })).statusCode, 403, url)
  t.equal((await ask(app, QUESTION, { host: 'evil.example' })).statusCode, 403)
  t.equal((await app.inject({ url: '/status', headers: { host: 'evil.example' } })).statusCode, 200, 'and leaves all other routes alone')
})

t.test('X-Forwarded-Host does not count as the host, also if proxies are trusted', async (t) => {
  const app = await inspected(t, {}, { trustProxy: true })
  t.equal((await app.inject({ url: '/_cors/', headers: { host: 'evil.example', 'x-forwarded-host': 'localhost' } })).statusCode, 403)
})

t.test('the option "hosts" adds hosts, on any port if they name none', async (t) => {
  const app = await inspected(t, { hosts: ['dev.example.com', '192.168.0.7', '[fd00::1]', '*.example.org', 'fixed.example:8080', 'any.example:*'] })
  for (const [host, expected] of [
    ['dev.example.com', 200], ['DEV.example.com:8443', 200], ['192.168.0.7:3000', 200], ['[fd00::1]:80', 200], ['localhost', 200], ['127.0.0.1', 200],
    ['a.example.org:9000', 200], ['fixed.example:8080', 200], ['fixed.example', 403], ['any.example:1', 200],
    ['example.com', 403], ['x.dev.example.com', 403], ['dev.example.com.evil.example', 403], ['[fd00::2]', 403]
  ] as const) t.equal((await app.inject({ url: '/_cors/', headers: { host } })).statusCode, expected, host)
})

t.test('a request that names no host is refused', async (t) => {
  const app = await inspected(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const answer = await exchange(portOf(app.server), 'GET /_cors/ HTTP/1.0\r\n\r\n')
  t.match(answer, /^HTTP\/1\.1 403 /)
  t.notMatch(answer, 'CORS inspector')
  const absolute = await exchange(portOf(app.server), 'GET http://evil.example/_cors/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  t.match(absolute, /^HTTP\/1\.1 403 /, 'an absolute target names the host as well')
})

t.test('in HTTP/2, the authority is the host', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(() => app.close())
  await app.register(cors)
  await app.register(inspector as never, { prefix: '/_cors' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const session = connect(`http://127.0.0.1:${portOf(app.server)}`)
  t.teardown(() => session.close())
  const status = (headers: object): Promise<number> => new Promise((resolve, reject) => {
    session.request({ ':path': '/_cors/', ...headers }).on('response', (response) => resolve(response[':status'] as number)).on('error', reject).resume()
  })
  t.equal(await status({}), 200)
  t.equal(await status({ ':authority': 'evil.example' }), 403)
  t.equal(await status({ ':authority': 'localhost', host: 'evil.example' }), 403, 'each of both has to be allowed')
})

t.test('a refusal is logged with what to do, and nothing unescaped', async (t) => {
  const { logger, messages } = logged()
  const app = await inspected(t, {}, { logger })
  await app.inject({ url: '/_cors/', headers: { host: 'evil.example\u0085\u009b' } })
  t.equal(messages.length, 1)
  t.equal(messages[0], 'fastify-cors-policy/inspector answered 403: the host "evil.example\\u0085\\u009b" is neither a loopback host nor in the option "hosts"; if it is yours, write its name in "hosts"')
  await ask(app, QUESTION, { 'sec-fetch-site': 'cross\u009b' })
  t.match(messages[1], 'the request comes from a page of another origin (Sec-Fetch-Site: "cross\\u009b")')
})

t.test('a page of another origin cannot ask', async (t) => {
  let asked = 0
  const app = await inspected(t)
  app.put('/counted', { config: { cors: { origin: () => ++asked > 0 } } }, ok)
  const question = { ...QUESTION, url: '/counted', credentials: false }
  for (const site of ['cross-site', 'same-site', 'Same-Origin', '', 'none, same-origin']) t.equal((await ask(app, question, { 'sec-fetch-site': site })).statusCode, 403, `Sec-Fetch-Site: ${site}`)
  for (const type of ['text/plain', 'text/plain; application/json', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', 'application/json+x', 'x, application/json', '']) {
    const response = await ask(app, JSON.stringify(question), { 'content-type': type })
    t.equal(response.statusCode, 403, `Content-Type: ${type}`)
    t.equal(response.body, 'Forbidden')
  }
  t.equal((await app.inject({ method: 'POST', url: '/_cors/explain' })).statusCode, 403, 'no content type')
  t.equal(asked, 0, 'the application is not asked')
  for (const headers of [{ 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }, {}, { 'content-type': 'application/json; charset=utf-8' }, { 'content-type': 'Application/JSON;charset=utf-8' }]) {
    t.equal((await ask(app, JSON.stringify(question), headers)).statusCode, 200, JSON.stringify(headers))
  }
  t.ok(asked >= 5, 'but for a question of its own page it is')
  t.equal((await app.inject({ url: '/_cors/', headers: { 'sec-fetch-site': 'cross-site' } })).statusCode, 200, 'but a link leads to it')
})

t.test('the application\'s own parsers, error handlers and serializers change nothing', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.addContentTypeParser('*', (_request, _payload, done) => { done(null, { origin: FOO, url: '/' }) })
  app.removeContentTypeParser('application/json')
  app.setErrorHandler((_, __, reply) => reply.code(418).send('mine'))
  app.setReplySerializer(() => 'serialized')
  await app.register(cors)
  app.post('/any', ok)
  app.get('/fails', async () => { throw new Error('x') })
  await app.register(inspector, { prefix: '/_cors' })
  t.equal((await ask(app, JSON.stringify({}), { 'content-type': 'text/plain' })).statusCode, 403)
  t.match((await ask(app, {})).json(), { code: 'FST_ERR_CORS_INVALID_QUESTION' })
  t.match((await ask(app, { origin: FOO, url: '/any', method: 'POST' })).json(), { allowed: false, reason: 'no-policy' })
  t.strictSame((await app.inject('/_cors/routes')).json(), [])
  t.equal((await app.inject({ method: 'POST', url: '/any', headers: { 'content-type': 'text/odd' }, payload: 'x' })).statusCode, 200, 'nor does the inspector change theirs')
  t.equal((await app.inject('/fails')).statusCode, 418)
})

t.test('a hook that fails is logged, and its message not shown', async (t) => {
  const { logger, lines } = logged('error')
  const app = Fastify({ logger })
  t.teardown(() => app.close())
  let error: unknown = new Error('the password is 1234')
  app.addHook('onRequest', async () => { throw error })
  await app.register(cors)
  await app.register(inspector, { prefix: '/_cors' })
  const response = await app.inject('/_cors/routes')
  t.equal(response.statusCode, 500)
  t.strictSame(response.json(), { message: 'the request failed; the log has the error' })
  t.match(JSON.stringify(lines), 'the password is 1234')
  error = Object.assign(new Error('a token is missing'), { statusCode: 401 })
  const refused = await app.inject('/_cors/routes')
  t.equal(refused.statusCode, 401)
  t.strictSame(refused.json(), { message: 'a token is missing', problems: [] })
  error = Object.assign(new Error('down'), { statusCode: 503 })
  t.equal((await app.inject('/_cors/routes')).statusCode, 500)
})

t.test('the inspector refuses to be registered in production, unless dangerouslyInProduction is true', async (t) => {
  const before = process.env['NODE_ENV']
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  })
  process.env['NODE_ENV'] = 'production'
  for (const options of [{}, { dangerouslyInProduction: false }]) {
    t.match(await refusal(options), {
      code: 'FST_ERR_CORS_INVALID_POLICY',
      message: /\n {2}\/dangerouslyInProduction: NODE_ENV is "production", where .*; register it in development only, or write dangerouslyInProduction: true \[missing\]$/,
      problems: [{ pointer: '/dangerouslyInProduction', reason: 'missing' }]
    })
  }
  t.match((await refusal({ dangerouslyInProduction: 'yes' }))?.problems, [{ reason: 'type' }, { reason: 'missing' }], 'and only by true')
  t.equal(await refusal({ dangerouslyInProduction: true }), undefined)
  process.env['NODE_ENV'] = 'development'
  t.equal(await refusal({}), undefined)
})

t.test('wrong options of the inspector are refused, all at once, with what to write', async (t) => {
  const error = await refusal({ prefix: '/_cors/', host: ['x'], dangerouslyInProduction: 1, hosts: ['dev.example.com', 'https://Dev.example.com:8443/x', 'dev.example.com:80', '*', '*.example.com', '', 'a b', 7, '::1'] })
  t.equal(error?.code, 'FST_ERR_CORS_INVALID_POLICY')
  t.equal(error?.message, `the options of fastify-cors-policy/inspector: 10 problems
  /prefix: "/_cors/" ends with a slash; write "/_cors" [not-canonical]
  /host: the inspector has no option "host"; its options are prefix, hosts, dangerouslyInProduction [unknown-property]
  /dangerouslyInProduction: 1 is neither true nor false; write one of them [type]
  /hosts/1: "https://Dev.example.com:8443/x" is not a host as browsers send it; write "dev.example.com:8443" [not-canonical]
  /hosts/2: "dev.example.com:80" is not a host as browsers send it; write "dev.example.com" [not-canonical]
  /hosts/3: "*" is not a host as browsers send it; write "api.example.com" [invalid]
  /hosts/5: "" is not a host as browsers send it; write "api.example.com" [invalid]
  /hosts/6: "a b" is not a host as browsers send it; write "api.example.com" [invalid]
  /hosts/7: 7 is not a host as browsers send it; write "api.example.com" [type]
  /hosts/8: "::1" is not a host as browsers send it; write "[::1]" [not-canonical]`)
  t.match((await refusal({ hosts: 'dev.example.com' }))?.message, '/hosts: "dev.example.com" is not an array of hosts; write ["dev.example.com"] [type]')
  t.equal(await refusal({ prefix: '/a', hosts: ['dev.example.com'], dangerouslyInProduction: false, logLevel: 'warn', logSerializers: {} }), undefined, 'right ones are not')
})

t.test('the inspector refuses to be registered without the plugin', async (t) => {
  t.match(await refusal({}, false), { code: 'FST_ERR_CORS_INVALID_POLICY', message: /app\.cors does not exist; write app\.register\(cors, \{ … \}\) before app\.register\(inspector, \{ … \}\)/ })
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(cors)
  app.register(inspector, { prefix: '/_cors' })
  t.equal((await app.inject('/_cors/')).statusCode, 200, 'without await')
})

t.test('the inspector is one plugin, however it is imported', async (t) => {
  const required = require('../../lib/inspector/index') as typeof inspector
  for (const other of [required, required.default, required.inspector, inspector.inspector]) t.equal(other, inspector)
})

t.test('none of the inspector\'s files is loaded before it is imported', async (t) => {
  const program = `
    const Fastify = require('fastify')
    const dist = ${JSON.stringify(join(__dirname, '..', '..', 'dist'))}
    const loaded = () => Object.keys(require.cache).filter((file) => file.startsWith(require('path').join(dist, 'inspector'))).length
    const app = Fastify()
    app.register(require(dist), { policies: { open: { origin: '*' } } })
    app.get('/', { config: { cors: { extends: 'open' } } }, () => 'ok')
    app.ready().then(async () => {
      app.cors.routes()
      await app.cors.explain({ origin: 'https://a.example', url: '/' })
      const before = loaded()
      require(dist + '/inspector')
      console.log(JSON.stringify([before, loaded() > 0]))
    })`
  t.strictSame(JSON.parse(execFileSync(process.execPath, ['-e', program], { cwd: join(__dirname, '..', '..'), encoding: 'utf8' })), [0, true])
})
