// docs/recipes.md: each program compiles, runs as it is written, and does what is said about it; the tables are complete, and the links lead somewhere.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { runInThisContext } from 'node:vm'
import t from 'tap'
import ts from 'typescript'
import Fastify, { type FastifyInstance } from 'fastify'
import bearerAuth from '@fastify/bearer-auth'
import fastifyCors from '@fastify/cors'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, RouteConfig, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { Redis } from 'ioredis'
import { metrics } from '@opentelemetry/api'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import cors from '../../lib/index'
import { logged } from '../support/log'
import { freePort, portOf } from '../support/ports'
import { send } from '../support/raw-http'
import { Examples, run } from '../support/run-examples'
import { greeting } from '../support/web-socket'
import { accessControl, application, approves, corsHeaders, EVIL, FOO, ok, preflight, request } from '../support'

const recipes = new Examples('docs/recipes.md')
const APP = 'https://app.example.com'

t.test('every program of docs/recipes.md compiles', async (t) => {
  t.same(recipes.compileErrors(), [])
})

t.test('the default policy of a scope covers the routes of a plugin that take no config', async (t) => {
  const app = await run(t, recipes.under('Beside other plugins'))
  t.ok(approves(await preflight(app, 'GET', '/trpc/hello', { origin: APP }), 'GET'))
  const response = await request(app, 'GET', '/trpc/hello', APP)
  t.same(response.json(), { result: { data: 'world' } })
  t.equal(response.headers['access-control-allow-origin'], APP)
  t.same(accessControl(await request(app, 'GET', '/trpc/hello', EVIL)), {})
})

/** The refusals of one origin, at a route and at URLs and methods that no route has. */
async function refuse (app: FastifyInstance): Promise<void> {
  for (const url of ['/items', '/items']) await request(app, 'GET', url, EVIL)
  for (const method of ['ONE', 'TWO']) await preflight(app, method, '/items', { origin: APP })
}

t.test('the counter of prom-client has a series for each reason, route and policy, and none that a client can make', async (t) => {
  const app = await run(t, recipes.under('Refusals as a metric'))
  await refuse(app)
  const lines = (await app.inject('/metrics')).body.split('\n').filter((line) => line.startsWith('cors_refusals_total{'))
  t.strictSame(lines.sort(), [
    'cors_refusals_total{reason="method-not-routed",route="(none)",policy="partner"} 2',
    'cors_refusals_total{reason="origin-not-allowed",route="GET /items",policy="partner"} 2'
  ])
})

t.test('the counter of OpenTelemetry has a series for each reason, route and policy, and none that a client can make', async (t) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ readers: [reader] })
  metrics.setGlobalMeterProvider(provider)
  t.teardown(async () => { metrics.disable(); await provider.shutdown() })
  await refuse(await run(t, recipes.under('Refusals in OpenTelemetry')))
  await provider.forceFlush()
  const [metric] = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
  t.equal(metric?.descriptor.name, 'cors_refusals_total')
  t.strictSame(metric?.dataPoints.map(({ attributes, value }) => ({ ...attributes, value })), [
    { reason: 'origin-not-allowed', route: 'GET /items', policy: 'partner', value: 2 },
    { reason: 'method-not-routed', route: '(none)', policy: 'partner', value: 2 }
  ])
})

t.test('the session recipe lets an allowed origin log in and read its session, and refuses a login from any other', async (t) => {
  const app = await run(t, recipes.under('Cookies and sessions from another origin'))
  const allowed = { 'access-control-allow-origin': APP, 'access-control-allow-credentials': 'true' }
  const asked = await preflight(app, 'POST', '/login', { origin: APP })
  t.ok(approves(asked, 'POST'))
  t.notOk('set-cookie' in asked.headers)

  const login = await request(app, 'POST', '/login', APP, { headers: { 'x-forwarded-proto': 'https' } })
  t.same(accessControl(login), allowed)
  t.match(login.headers['set-cookie'], /SameSite=None/i)
  t.match(login.headers['set-cookie'], /; Secure/)
  const cookie = String(login.headers['set-cookie']).split(';')[0] as string
  const me = await request(app, 'GET', '/me', APP, { headers: { cookie } })
  t.same(me.json(), { user: 'ada' })
  t.same(accessControl(me), allowed)
  t.same((await request(app, 'GET', '/me', APP)).json(), { user: null })
  t.same(accessControl(await request(app, 'GET', '/me', EVIL, { headers: { cookie } })), {})

  t.equal((await request(app, 'POST', '/login', EVIL, { headers: { cookie } })).statusCode, 403, 'other sites cannot act')
})

t.test('the recipe of asking for each request asks once for requests that arrive together, and does not remember failures', async (t) => {
  const asked: string[] = []
  let status = 200
  const service = createServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`)
    response.writeHead(url === `/origins/${encodeURIComponent(APP)}` ? status : 404).end()
  }).listen(0, '127.0.0.1')
  t.teardown(() => new Promise((resolve) => { service.close(resolve); service.closeAllConnections() }))
  await once(service, 'listening')
  process.env.TENANT_SERVICE = `http://127.0.0.1:${portOf(service)}`
  const app = await run(t, recipes.under('Asking for each request'))
  app.log.level = 'silent'
  status = 500
  t.same(accessControl(await request(app, 'GET', '/me', APP)), {}, 'a failure allows nobody')
  status = 200
  const allowed = { 'access-control-allow-origin': APP, 'access-control-allow-credentials': 'true' }
  for (const answer of await Promise.all([1, 2, 3].map(async () => await request(app, 'GET', '/me', APP)))) t.same(accessControl(answer), allowed, 'and is not kept')
  t.equal(asked.length, 2, 'asked once for all that ask at the same time')
  t.ok(approves(await preflight(app, 'GET', '/me', { origin: APP }), 'GET'))
  t.same(accessControl(await request(app, 'GET', '/me', EVIL)), {})
  t.same(accessControl(await request(app, 'GET', '/me', EVIL)), {})
  t.same(asked.slice(2), [`HEAD /origins/${encodeURIComponent(EVIL)}`])
})

const REDIS = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find(existsSync)
if (REDIS === undefined && process.env.CORS_REQUIRE_REDIS === '1') throw new Error('CORS_REQUIRE_REDIS=1, but there is no redis-server; install Debian\'s package redis-server')

t.test('the Redis recipe follows a changing list, also after the server was gone', { skip: REDIS === undefined && 'redis-server is not installed' }, async (t) => {
  const port = await freePort()
  const folder = t.testdir({})
  const socket = join(mkdtempSync(join(tmpdir(), 'redis-')), 'socket')
  t.teardown(() => { rmSync(dirname(socket), { recursive: true }) })
  const start = (...where: string[]): ChildProcess => spawn(REDIS as string, [...where, '--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''], { stdio: 'ignore' })
  const here = ['--port', String(port), '--bind', '127.0.0.1']
  let server = start(...here)
  t.teardown(() => { server.kill('SIGKILL') })
  process.env.REDIS_URL = `redis://127.0.0.1:${port}`
  const other = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null })
  other.on('error', () => {})
  t.teardown(() => { other.disconnect() })
  await other.sadd('origins', APP)
  const app = await run(t, recipes.under('Origins in PostgreSQL or Redis'))
  app.log.level = 'silent'
  const until = async (origin: string, verdict: boolean): Promise<void> => {
    for (let tries = 0; ; tries++) {
      const { headers } = await request(app, 'GET', '/me', origin)
      if ((headers['access-control-allow-origin'] === origin) === verdict || tries === 1000) {
        t.equal(headers['access-control-allow-origin'] === origin, verdict, origin)
        return
      }
      await setTimeout(20)
    }
  }
  await until(APP, true)
  await until(FOO, false)
  await other.multi().sadd('origins', FOO).publish('origins', '').exec()
  await until(FOO, true)
  server.kill('SIGKILL')
  await once(server, 'exit')
  await until(FOO, true)
  // Changed where the application cannot connect, so that nobody tells it: it reads when it is connected again.
  server = start('--port', '0', '--unixsocket', socket)
  const elsewhere = new Redis(socket, { maxRetriesPerRequest: null })
  elsewhere.on('error', () => {})
  t.equal(await elsewhere.srem('origins', FOO), 1)
  elsewhere.disconnect()
  server.kill('SIGTERM')
  await once(server, 'exit')
  server = start(...here)
  await until(FOO, false)
  await other.multi().sadd('origins', 'http://insecure.example').srem('origins', APP).publish('origins', '').exec()
  await setTimeout(100)
  t.equal((await request(app, 'GET', '/me', APP)).headers['access-control-allow-origin'], APP, 'what is refused leaves the list as it was')
})

t.test('the gateway recipe answers preflights itself, replaces the CORS headers of the upstream, and sends it no Origin', async (t) => {
  const reached: Array<readonly [method: string | undefined, headers: IncomingHttpHeaders]> = []
  const upstream = createServer(({ method, headers }, response) => {
    reached.push([method, headers])
    response.writeHead(200, { 'access-control-allow-origin': '*', 'access-control-allow-methods': '*', vary: 'Accept' }).end('upstream')
  }).listen(0, '127.0.0.1')
  t.teardown(() => new Promise((resolve) => { upstream.close(resolve) }))
  await once(upstream, 'listening')
  process.env.UPSTREAM = `http://127.0.0.1:${portOf(upstream)}`
  const app = await run(t, recipes.under('An API gateway'))

  t.ok(approves(await preflight(app, 'PUT', '/orders/1', { origin: APP }), 'PUT'))
  t.equal((await preflight(app, 'PUT', '/orders/1', { origin: EVIL })).statusCode, 403)
  t.ok(approves(await preflight(app, 'GET', '/catalogue/1', { origin: EVIL }), 'GET'))
  t.equal(reached.length, 0, 'preflights are answered at the gateway')
  t.notOk(approves(await preflight(app, 'PUT', '/catalogue/1', { origin: EVIL }), 'PUT'))
  t.same(accessControl(await preflight(app, 'PUT', '/internal/1', { origin: APP })), {})

  t.same(corsHeaders(await request(app, 'PUT', '/orders/1', APP)), { vary: 'Accept, Origin', 'access-control-allow-origin': APP, 'access-control-allow-credentials': 'true' })
  t.same(corsHeaders(await request(app, 'GET', '/catalogue/1', EVIL)), { vary: 'Accept', 'access-control-allow-origin': '*' })
  t.same(corsHeaders(await request(app, 'GET', '/internal/1', APP)), { vary: 'Accept' })
  t.ok(reached.length > 3)
  for (const [method, headers] of reached) t.equal(headers.origin, undefined, `the upstream sees no Origin: ${method}`)
})

t.test('the authentication recipe approves preflights without a token, and sets CORS headers on a 401', async (t) => {
  const app = await run(t, recipes.under('Authentication'))
  const asked = await preflight(app, 'PUT', '/items/1', { origin: APP, requestHeaders: 'authorization' })
  t.ok(approves(asked, 'PUT'))
  t.match(asked.headers['access-control-allow-headers'], 'Authorization')
  const refused = await request(app, 'PUT', '/items/1', APP)
  t.equal(refused.statusCode, 401)
  t.equal(refused.headers['access-control-allow-origin'], APP)
  const authorization = `Bearer ${(app as FastifyInstance & { jwt: { sign: (payload: object) => string } }).jwt.sign({ user: 'ada' })}`
  t.same((await request(app, 'PUT', '/items/1', APP, { headers: { authorization } })).json(), { saved: true })
})

t.test('a hook that answers preflights before the plugin causes the warning that the recipe quotes', async (t) => {
  const { logger, lines } = logged()
  const app = Fastify({ logger })
  t.teardown(async () => { await app.close() })
  await app.register(bearerAuth, { keys: ['key'] })
  await app.register(cors)
  app.put('/', { config: { cors: { origin: FOO } } }, ok)
  t.equal((await preflight(app, 'PUT', '/')).statusCode, 401)
  const [, quoted] = recipes.text.match(/^```text\n(.*)\n```$/m) as RegExpMatchArray
  t.same(lines.filter(({ level }) => level === 40).map(({ msg }) => msg), [quoted])
})

t.test('a hook that runs first and skips OPTIONS requests, as the recipe says, leaves preflights to the plugin', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.addHook('onRequest', async (request, reply) => {
    if (request.method === 'OPTIONS') return
    await reply.code(401).send('no')
  })
  await app.register(cors)
  app.put('/', { config: { cors: { origin: FOO } } }, ok)
  t.match(recipes.text, 'if (request.method === \'OPTIONS\') return`')
  t.ok(approves(await preflight(app, 'PUT', '/'), 'PUT'))
  t.equal((await request(app, 'PUT', '/', FOO)).headers['access-control-allow-origin'], FOO)
})

t.test('the rate-limit recipe counts no preflights, and exposes headers that its 429 has', async (t) => {
  const app = await run(t, recipes.under('Rate limits'))
  let requests = 0
  for (let status = 200; status === 200; requests++) {
    t.ok(approves(await preflight(app, 'PUT', '/items/1', { origin: APP }), 'PUT'))
    status = (await request(app, 'PUT', '/items/1', APP)).statusCode
  }
  const limited = await request(app, 'PUT', '/items/1', APP)
  t.equal(limited.statusCode, 429)
  t.equal(requests - 1, Number(limited.headers['x-ratelimit-limit']), 'preflights are not counted')
  for (const name of String(limited.headers['access-control-expose-headers']).toLowerCase().split(', ')) t.ok(name in limited.headers, name)
})

t.test('the recipe of static files serves them to every origin, and allows Range', async (t) => {
  process.env.FILES = t.testdir({ 'font.woff2': 'font' })
  const app = await run(t, recipes.under('Static files for everyone'))
  const response = await request(app, 'GET', '/public/font.woff2', EVIL)
  t.equal(response.body, 'font')
  t.same(accessControl(response), { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'ETag, Content-Range' })
  const asked = await preflight(app, 'GET', '/public/font.woff2', { origin: EVIL, requestHeaders: 'range' })
  t.ok(approves(asked, 'GET'))
  t.equal(asked.headers['access-control-allow-headers'], 'Range')
})

t.test('the recipe of enforceOrigin answers a refused origin with the error that is shown, and serves allowed, own and originless requests', async (t) => {
  const app = await run(t, recipes.under('Refused origins reach no handler'))
  const post = async (origin: string | undefined, headers = {}): Promise<{ statusCode: number, body: string }> => await request(app, 'POST', '/transfer', origin, { headers: { 'content-type': 'text/plain', ...headers }, payload: 'all' })
  const refused = await post(EVIL)
  const [, shown] = recipes.text.match(/^```json\n(\{ "statusCode": 403.*)\n```$/m) as RegExpMatchArray
  t.same(JSON.parse(refused.body), JSON.parse(shown as string), 'the error is as it is shown')
  t.equal(refused.statusCode, 403)
  t.equal((await post('null')).statusCode, 403)
  t.same(JSON.parse((await post(APP)).body), { done: true })
  for (const [origin, headers] of [[undefined, {}], [EVIL, { 'sec-fetch-site': 'same-origin' }], ['null', { 'sec-fetch-site': 'none' }], ['https://api.example', { host: 'api.example' }]] as const) t.equal((await post(origin, headers)).statusCode, 200)
  t.equal((await post(EVIL, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).statusCode, 403, 'only GET and HEAD are embedded')
  t.match(recipes.text, `\`Vary: ${String((await request(app, 'POST', '/transfer', EVIL)).headers.vary)}\``)
})

t.test('the recipe of credentials for some origins sends each origin the headers that are listed for it', async (t) => {
  const app = await run(t, recipes.under('Credentials for some origins'))
  for (const origin of [APP, EVIL, undefined]) {
    const headers = corsHeaders(await request(app, 'GET', '/articles', origin))
    const [, listed] = recipes.text.match(new RegExp(`^\\| ${origin === APP ? `\`${APP}\`` : 'any other, or none'} \\| (.*) \\|$`, 'm')) as RegExpMatchArray
    const shown = [...(listed as string).matchAll(/`([^:]+): ([^`]+)`/g)].map(([, name = '', value]) => [name.toLowerCase(), value])
    t.same(headers, Object.fromEntries(shown), String(origin))
  }
})

t.test('the recipe of changing origins allows an origin once it is added, and answers a refused change as it is shown', async (t) => {
  const heading = 'Origins that change at run time'
  const app = await run(t, recipes.under(heading))
  const add = async (origin: string): Promise<{ statusCode: number, body: string }> => await app.inject({ method: 'POST', url: '/tenants', payload: { origin } })
  t.same(accessControl(await request(app, 'GET', '/me', 'https://b.example')), {})
  const [sent, answered] = recipes.text.match(/(?<=`POST \/tenants` with `).*?(?=`)|(?<=answers `).*?(?=`)/g)?.map((text) => JSON.parse(text) as { origin: string }) as [{ origin: string }, object]
  t.same(JSON.parse((await add(sent.origin)).body), answered)
  t.same(accessControl(await request(app, 'GET', '/me', 'https://b.example')), { 'access-control-allow-origin': 'https://b.example', 'access-control-allow-credentials': 'true' })
  const { statusCode, body } = await add('http://c.example')
  t.equal(statusCode, 400)
  t.same(JSON.parse(body), JSON.parse((recipes.text.match(/^```json\n(\{\n[^]*?)^```$/m) as RegExpMatchArray)[1] as string), 'the answer is as it is shown')
  t.same(accessControl(await request(app, 'GET', '/me', 'http://c.example')), {})
})

t.test('the WebSocket recipe refuses upgrades from other origins with 403', async (t) => {
  const app = await run(t, recipes.under('WebSockets'))
  const greetingOf = (origin?: string): Promise<unknown> => greeting(`ws://127.0.0.1:${portOf(app.server)}/events`, origin)
  t.equal(await greetingOf(APP), 'welcome')
  t.equal(await greetingOf(EVIL), 403)
  t.equal(await greetingOf(), 'welcome')
  t.equal((await request(app, 'GET', '/events/latest', APP)).headers['access-control-allow-origin'], APP)
})

t.test('the streams and hijacked replies of the recipe have the headers of their policies', async (t) => {
  const app = await run(t, recipes.under('Server-sent events and hijacked replies'))
  for (const url of ['/stream', '/hijacked', '/library']) {
    for (const [origin, permission] of [[APP, { 'access-control-allow-origin': APP }], [EVIL, {}], [undefined, {}]] as const) {
      const response = await request(app, 'GET', url, origin)
      t.same(corsHeaders(response), { vary: 'Origin', ...permission }, url)
      t.equal(response.headers['content-type'], 'text/event-stream')
      t.equal(response.headers['x-request-id'] === undefined, url === '/library', 'the headers of hooks need getHeaders')
      t.equal(response.body, url === '/library' ? 'data: one\n\n' : 'data: one\n\ndata: two\n\n')
    }
  }
})

t.test('a response that is written past reply.raw has no CORS headers', async (t) => {
  const app = await application(t)
  const h2 = Fastify({ http2: true })
  t.teardown(async () => { await h2.close() })
  await h2.register(cors)
  app.get('/', { config: { cors: { origin: APP } } }, (_request, reply) => {
    reply.hijack()
    reply.raw.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  })
  h2.get('/', { config: { cors: { origin: APP } } }, (_request, reply) => {
    reply.hijack()
    reply.raw.stream.respond({ ':status': 200 })
    reply.raw.stream.end()
  })
  await Promise.all([app.listen({ port: 0, host: '127.0.0.1' }), h2.listen({ port: 0, host: '127.0.0.1' })])
  const { statusLine, headers } = await send(portOf(app.server), ['GET / HTTP/1.1', 'Host: a', `Origin: ${APP}`])
  t.equal(statusLine, 'HTTP/1.1 200 OK')
  t.same([...headers.keys()], ['content-length'])
  const client = connectHttp2(`http://127.0.0.1:${portOf(h2.server)}`)
  const stream = client.request({ ':path': '/', origin: APP })
  const [received] = await once(stream, 'response') as [Record<string, unknown>]
  t.equal(received['access-control-allow-origin'], undefined)
  stream.resume()
  client.close()
  await once(client, 'close')
})

t.test('the Zod recipe allows and exposes the headers that its schemas name', async (t) => {
  const app = await run(t, recipes.under('Zod'))
  const asked = await preflight(app, 'PUT', '/items/1', { origin: APP, requestHeaders: 'x-request-id' })
  t.ok(approves(asked, 'PUT'))
  t.match(recipes.text, `allows \`${asked.headers['access-control-allow-headers']}\``)
  const response = await request(app, 'PUT', '/items/1', APP, { headers: { 'x-request-id': '1' } })
  t.same(response.json(), { saved: true })
  t.match(recipes.text, `\`access-control-expose-headers: ${response.headers['access-control-expose-headers']}\``)
  const invalid = await request(app, 'PUT', '/items/1', APP)
  t.equal(invalid.statusCode, 400)
  t.equal(invalid.headers['access-control-allow-origin'], APP)
})

/** What the program of the NestJS recipe makes, and what its logger writes. NestJS brings a Fastify of its own. */
async function runNest (t: Parameters<typeof run>[0], code: string): Promise<{ app: FastifyInstance, lines: string[] }> {
  const lines: string[] = []
  let made: NestFastifyApplication | undefined
  await run(t, code, console, {
    '@nestjs/core': {
      NestFactory: {
        create: async (module: Parameters<typeof NestFactory.create>[0], adapter: FastifyAdapter): Promise<NestFastifyApplication> => {
          made = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: false })
          t.teardown(async () => { await made?.close() })
          return made
        }
      }
    },
    '@nestjs/platform-fastify': {
      RouteConfig,
      FastifyAdapter: class extends FastifyAdapter {
        constructor (options: object = {}) {
          super({ ...options, ...('logger' in options && { logger: { stream: { write (line: string) { lines.push(line) } } } }) })
        }
      }
    }
  })
  return { app: (made as NestFastifyApplication).getHttpAdapter().getInstance() as unknown as FastifyInstance, lines }
}

t.test('the NestJS recipe answers preflights and sets headers by the config of a controller\'s method', async (t) => {
  const { app } = await runNest(t, recipes.under('NestJS'))
  t.ok(app.server.listening)
  t.ok(approves(await preflight(app, 'PUT', '/items/1', { origin: APP, requestHeaders: 'authorization,content-type' }), 'PUT'))
  const refused = await request(app, 'PUT', '/items/1', APP)
  t.equal(refused.statusCode, 401, 'the class middleware answers')
  t.equal(refused.headers['access-control-allow-origin'], APP, 'and the page can read it')
  const response = await request(app, 'PUT', '/items/1', APP, { headers: { authorization: 'Bearer 1' } })
  t.same(response.json(), { saved: true })
  t.equal(response.headers['access-control-allow-origin'], APP)
  t.equal((await preflight(app, 'PUT', '/items/1', { origin: EVIL })).statusCode, 403)
  t.not((await request(app, 'PUT', '/items/1', EVIL)).headers['access-control-allow-origin'], EVIL)
})

t.test('another CORS plugin that is registered first in the NestJS recipe answers preflights, without permission', async (t) => {
  const code = recipes.under('NestJS').replace('new FastifyAdapter()', 'new FastifyAdapter({ logger: true })')
    .replace('await instance.register', "await instance.register(require('@fastify/cors'))\nawait instance.register")
  const { app, lines } = await runNest(t, code)
  for (const origin of [APP, EVIL]) t.same(accessControl(await preflight(app, 'PUT', '/items/1', { origin })), {}, 'without permission')
  t.match(lines.join(''), 'the policy of the route was not applied', 'the warning that the recipe names')
})

t.test('fastify-type-provider-zod does what the two functions of the Zod recipe do, but for the exposed headers', async (t) => {
  const code = recipes.under('Zod').replace(/app\.setValidatorCompiler[^]*?(?=await app\.register)/, `
    app.setValidatorCompiler(validatorCompiler)
    app.setSerializerCompiler(serializerCompiler)
    `).replace('response: { 200: { headers: z.object({ ETag: z.string() }) } }', 'response: { 200: z.object({ saved: z.boolean() }) }')
  const app = await run(t, `import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'\n${code}`)
  t.equal((await preflight(app, 'PUT', '/items/1', { origin: APP })).headers['access-control-allow-headers'], 'content-type, x-request-id')
  const response = await request(app, 'PUT', '/items/1', APP, { headers: { 'x-request-id': '1' } })
  t.same(response.json(), { saved: true })
  t.same(corsHeaders(response), { vary: 'Origin', 'access-control-allow-origin': APP })
  t.equal((await request(app, 'PUT', '/items/1', APP)).statusCode, 400)
})

t.test('the recipe of both plugins answers routes with a policy here, and all others by @fastify/cors', async (t) => {
  const app = await run(t, recipes.under('`@fastify/cors` beside this plugin').replace('await app.listen', `
    app.get('/off', { config: { cors: false } }, async () => 'off')
    let refused
    try { app.put('/wrong', { config: { cors: { origin: 'https://a.example', methods: ['PUT'] } } }, async () => 'wrong') } catch (error) { refused = error }
    app.decorate('refused', refused)
    await app.listen`))
  const old = 'https://old.example.com'
  t.ok(approves(await preflight(app, 'PUT', '/moved', { origin: APP }), 'PUT'))
  t.equal((await preflight(app, 'PUT', '/moved', { origin: old })).statusCode, 403)
  t.same(corsHeaders(await request(app, 'PUT', '/moved', APP)), { vary: 'Origin', 'access-control-allow-origin': APP })
  t.same(accessControl(await request(app, 'PUT', '/moved', old)), {})
  t.ok(approves(await preflight(app, 'PUT', '/old', { origin: old }), 'PUT'))
  t.same(accessControl(await request(app, 'PUT', '/old', old)), { 'access-control-allow-origin': old })
  t.same(accessControl(await request(app, 'GET', '/off', old)), {})
  t.equal((await preflight(app, 'GET', '/off', { origin: old })).statusCode, 204)
  t.equal((app as FastifyInstance & { refused: cors.CorsPolicyError }).refused.problems[0]?.pointer, '/methods')
})

t.test('@fastify/cors answers the preflights if it is registered first, with the warning that the recipe quotes; if it is registered last, both work', async (t) => {
  for (const order of ['before', 'after']) {
    const { logger, messages } = logged()
    const app = Fastify({ logger })
    t.teardown(async () => { await app.close() })
    if (order === 'before') await app.register(fastifyCors, { origin: EVIL })
    await app.register(cors)
    if (order === 'after') await app.register(fastifyCors, { origin: EVIL })
    app.put('/moved', { config: { cors: { origin: APP } } }, ok)
    app.put('/old', ok)
    const moved = await preflight(app, 'PUT', '/moved', { origin: APP })
    t.equal(approves(moved, 'PUT'), order === 'after')
    await preflight(app, 'PUT', '/moved', { origin: APP })
    t.same(corsHeaders(await request(app, 'PUT', '/moved', APP)), { vary: 'Origin', 'access-control-allow-origin': APP })
    t.equal((await preflight(app, 'PUT', '/old', { origin: EVIL })).headers['access-control-allow-origin'], EVIL)
    t.same(messages.filter((warning) => recipes.text.includes(`\n${warning}\n`)).length, order === 'before' ? 1 : 0)
    t.same(messages.length, order === 'before' ? 1 : 0)
  }
})

const ERRORS = recipes.under('Errors that Fastify answers without hooks')

t.test('the recipe of errors without hooks sets CORS headers on a malformed or too long URL', async (t) => {
  const app = await run(t, ERRORS)
  const bare = await application(t, { defaultPolicy: { origin: APP } })
  bare.get('/items/:id', ok)
  for (const [url, statusCode, code] of [['/%zz', 400, 'FST_ERR_BAD_URL'], [`/items/${'x'.repeat(101)}`, 414, 'FST_ERR_MAX_PARAM_LENGTH']] as const) {
    t.match(recipes.text, new RegExp(`^\\| ${statusCode} \`${code}\` `, 'm'))
    const response = await request(app, 'GET', url, APP)
    t.match(response, { statusCode, headers: { vary: 'Origin', 'access-control-allow-origin': APP, 'access-control-allow-credentials': 'true' } })
    t.equal(response.json().code, code)
    t.same(corsHeaders(await request(app, 'GET', url, EVIL)), { vary: 'Origin' })
    const without = await request(bare, 'GET', url, APP)
    t.same([without.statusCode, corsHeaders(without)], [statusCode, {}], 'without the recipe, there are no headers')
    t.notOk(approves(await preflight(app, 'GET', url, { origin: APP }), 'GET'))
  }
  const asked = await preflight(app, 'GET', '/items/1', { origin: APP })
  t.ok(approves(asked, 'GET'))
})

/** What a request gets that begins before the application closes, and ends while it does. */
async function answerWhileClosing (app: FastifyInstance): Promise<string> {
  const socket = connect(portOf(app.server), '127.0.0.1').setEncoding('latin1')
  let received = ''
  socket.on('data', (text) => { received += String(text) })
  const head = `GET /items/1 HTTP/1.1\r\nHost: a\r\nOrigin: ${APP}\r\n`
  // In one piece: when the first is answered, the second has begun, and its connection is not idle.
  socket.write(`${head}\r\n${head}`)
  while (!received.startsWith('HTTP/1.1 200 ')) await once(socket, 'data')
  const closed = app.close()
  while (app.server.listening) await setImmediate()
  const before = received.length
  socket.write('\r\n')
  await once(socket, 'close')
  await closed
  return received.slice(before)
}

t.test('the recipe of errors without hooks answers a request that ends while the application closes, with CORS headers', async (t) => {
  const answer = await answerWhileClosing(await run(t, ERRORS))
  t.match(answer, /^HTTP\/1\.1 200 /)
  t.match(answer, `\r\naccess-control-allow-origin: ${APP}\r\n`)

  const bare = await application(t, { defaultPolicy: { origin: APP } })
  bare.get('/items/:id', ok)
  await bare.listen({ port: 0, host: '127.0.0.1' })
  const refused = await answerWhileClosing(bare)
  t.match(refused, /^HTTP\/1\.1 503 /)
  t.notMatch(refused, /access-control/i)
})

t.test('the recipe of errors without hooks sets Access-Control-Allow-Origin for requests that cannot be parsed', async (t) => {
  const app = await run(t, ERRORS)
  for (const [lines, status] of [
    [['GET / HTTP/1.1', 'Host: a', `Origin: ${APP}`, `Cookie: ${'x'.repeat(20_000)}`], '431 Request Header Fields Too Large'],
    [['GET / HTTP/1.1', 'Host: a', 'not a header'], '400 Bad Request']
  ] as const) {
    const { statusLine, headers } = await send(portOf(app.server), lines)
    t.equal(statusLine, `HTTP/1.1 ${status}`)
    t.same(headers.get('access-control-allow-origin'), ['*'])
  }
})

t.test('the migrated program allows what it allowed with @fastify/cors, and refuses what that approved by mistake', async (t) => {
  const code = recipes.under('Migrating from `@fastify/cors`')
  const app = await run(t, code)
  const [, options] = code.match(/^\/\/ Was: app\.register\(fastifyCors, (.*)\)$/m) as RegExpMatchArray
  const was = Fastify()
  t.teardown(async () => { await was.close() })
  await was.register(fastifyCors, runInThisContext(`(${options})`))
  was.get('/items/:id', ok)
  was.put('/items/:id', ok)

  for (const origin of ['https://example.com', 'https://a.example.com']) {
    t.same(accessControl(await request(app, 'GET', '/items/1', origin)), accessControl(await request(was, 'GET', '/items/1', origin)))
    const [now, then] = await Promise.all([app, was].map((each) => preflight(each, 'PUT', '/items/1', { origin, requestHeaders: 'content-type' })))
    t.ok(now !== undefined && then !== undefined && approves(now, 'PUT') && approves(then, 'PUT'))
    for (const name of ['allow-origin', 'allow-credentials', 'max-age'].map((name) => `access-control-${name}`)) t.equal(now?.headers[name], then?.headers[name], name)
  }
  const lookalike = 'https://evilexample.com'
  t.equal((await request(was, 'GET', '/items/1', lookalike)).headers['access-control-allow-origin'], lookalike)
  t.equal((await request(app, 'GET', '/items/1', lookalike)).headers['access-control-allow-origin'], undefined, 'the RegExp let in more than it meant to')
  t.equal((await preflight(app, 'PUT', '/items/1', { origin: lookalike })).statusCode, 403)
  t.equal((await preflight(was, 'PUT', '/items/1', { origin: EVIL })).statusCode, 204)

  const [there, here] = await Promise.all([was, app].map((each) => preflight(each, 'GET', '/nowhere', { origin: 'https://example.com' })))
  t.same([there?.statusCode, here?.statusCode], [204, 204], 'a path that does not exist: the default policy is that of the 404')
  t.equal((await preflight(was, 'GET', '/nowhere', { origin: lookalike })).statusCode, 204)
  t.equal((await preflight(app, 'GET', '/nowhere', { origin: lookalike })).statusCode, 403)
  t.notOk(approves(await preflight(app, 'GET', '/internal', { origin: 'https://example.com' }), 'GET'))
  const plain = { method: 'OPTIONS', url: '/items/1', headers: { origin: 'https://example.com' } } as const
  t.same([(await was.inject(plain)).statusCode, (await app.inject(plain)).statusCode], [400, 404], 'no preflight')
})

/** The first cells of the table that has this heading: the text of every `code` that stands alone, or before a colon. */
function firstColumn (heading: string): string[] {
  const lines = recipes.text.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`))
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines.slice(start + 2, end).map((line) => line.split('|')[1]?.trim() as string)
}

t.test('the recipe of environments allows localhost in development only, and the origins of the environment', async (t) => {
  const code = recipes.under('Origins from the environment, and localhost in development')
  const { NODE_ENV, CORS_ORIGINS } = process.env
  t.teardown(() => { Object.assign(process.env, { NODE_ENV, CORS_ORIGINS }); for (const name of ['NODE_ENV', 'CORS_ORIGINS']) if (process.env[name] === 'undefined') Reflect.deleteProperty(process.env, name) })
  process.env.CORS_ORIGINS = `${APP}, ${FOO}`
  process.env.NODE_ENV = 'production'
  const production = await run(t, code)
  t.equal((await request(production, 'GET', '/me', FOO)).headers['access-control-allow-origin'], FOO)
  t.same(accessControl(await request(production, 'GET', '/me', 'http://localhost:5173')), {})
  process.env.NODE_ENV = 'development'
  const development = await run(t, code)
  t.equal((await request(development, 'GET', '/me', 'http://localhost:5173')).headers['access-control-allow-origin'], 'http://localhost:5173')
})

t.test('the recipe of previews allows the previews of one project, and none with credentials', async (t) => {
  const app = await run(t, recipes.under('Preview deployments'))
  const preview = 'https://shop-git-fix-7-acme.vercel.app'
  t.same(accessControl(await request(app, 'GET', '/items', preview)), { 'access-control-allow-origin': preview })
  t.same(accessControl(await request(app, 'GET', '/items', 'https://evil.vercel.app')), {})
  t.match(accessControl(await request(app, 'GET', '/me', APP)), { 'access-control-allow-credentials': 'true' })
  t.same(accessControl(await request(app, 'GET', '/me', preview)), {})
})

t.test('the recipe of tenants allows each the origins of its own', async (t) => {
  const app = await run(t, recipes.under('A list for each tenant'))
  t.ok(approves(await preflight(app, 'PUT', '/tenants/one/items', { origin: 'https://one.example' }), 'PUT'))
  t.equal((await preflight(app, 'PUT', '/tenants/two/items', { origin: 'https://one.example' })).statusCode, 403)
  t.equal((await request(app, 'PUT', '/tenants/two/items', 'https://two.example')).headers['access-control-allow-origin'], 'https://two.example')
})

t.test('the recipe of downloads exposes the name of the file and the range', async (t) => {
  const app = await run(t, recipes.under('Downloads, PDF viewers and ranges'))
  const answer = await request(app, 'GET', '/report.pdf', APP)
  t.equal(answer.headers['access-control-expose-headers'], 'Content-Disposition, Accept-Ranges, Content-Range, Content-Length')
  t.ok(approves(await preflight(app, 'GET', '/report.pdf', { origin: APP, requestHeaders: 'range' }), 'GET'))
})

t.test('the list of contents has every recipe once', async (t) => {
  const headings = [...recipes.text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading as string).filter((heading) => heading !== 'Contents')
  const [contents = ''] = recipes.text.split(/^## /m).filter((part) => part.startsWith('Contents\n'))
  const linked = [...contents.matchAll(/\[([^\]]*(?:`[^`]*`)?[^\]]*)\]\(#/g)].map(([, text]) => text as string)
  t.same([...linked].sort(), [...headings].sort())
})

t.test('the table about migrating has every option of @fastify/cors', async (t) => {
  const source = ts.createSourceFile('cors.d.ts', readFileSync(join(dirname(require.resolve('@fastify/cors')), 'types', 'index.d.ts'), 'utf8'), ts.ScriptTarget.ES2022)
  const options: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) && node.name.text === 'FastifyCorsOptions') options.push(...node.members.map((member) => (member.name as ts.Identifier).text))
    ts.forEachChild(node, visit)
  }
  visit(source)
  const listed = firstColumn('option of `@fastify/cors`').flatMap((cell) => [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name as string))
  t.same([...new Set(listed)].sort(), options.sort())
})

t.test('the table of plugins has every plugin that is tested, and no other', async (t) => {
  const folder = join(__dirname, '..', 'beside')
  const tests = readdirSync(folder).filter((file) => file !== 'migration.test.ts')
  const imported = tests.flatMap((file) => [...readFileSync(join(folder, file), 'utf8').matchAll(/^import .* from '((?:@[\w-]+\/)?[\w-][\w.-]*)/gm)].map(([, name]) => name as string))
  const ours = ['tap', 'fastify', 'node', 'ws', 'express']
  t.same(firstColumn('plugin').map((cell) => cell.replaceAll('`', '')).sort(), [...new Set(imported)].filter((name) => !ours.includes(name)).sort())
})

t.test('the recipe against DNS rebinding answers its own hosts alone', async (t) => {
  const app = await run(t, recipes.under('DNS rebinding'))
  const statusOf = async (host: string, origin?: string): Promise<number> => (await request(app, 'POST', '/restart', origin, { headers: { host } })).statusCode
  t.strictSame([await statusOf('api.example.com'), await statusOf('localhost:3000'), await statusOf('evil.example'), await statusOf('api.example.com', EVIL)], [200, 200, 421, 403])
})

t.test('the recipe of a sign-in lets the identity provider post to its callback, and nowhere else', async (t) => {
  const app = await run(t, recipes.under('The sign-in of an identity provider'))
  const statusOf = async (url: string, origin: string): Promise<number> => (await request(app, 'POST', url, origin, { headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' }, payload: 'state=1' })).statusCode
  const provider = 'https://login.example.com'
  t.strictSame([await statusOf('/callback', provider), await statusOf('/callback', EVIL), await statusOf('/callback', 'null'), await statusOf('/transfer', provider)], [200, 403, 403, 403])
})
