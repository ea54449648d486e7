// Attacks on the core: routes that a preflight must not be approved for, responses that end by other means, and declarations that would be passed over in silence.
import t from 'tap'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyServerOptions, type RouteOptions } from 'fastify'
import middie from '@fastify/middie'
import onHeaders from 'on-headers'
import cors from '../../lib/index'
import { fastify } from '../support/features'
import { accessControl, application, approves, BAR, corsHeaders, EVIL, FOO, ok, ONE, OTHER, preflight, refusal, request } from '../support'
import { logged } from '../support/log'
import { approved, named, readable, strategy } from '../support/routing'
import { Traffic } from '../support/traffic'

const SECRET = { 'x-secret': 'alpha' }

t.test('a constraint that an onRoute hook adds counts, also if its strategy was added by addConstraintStrategy', async (t) => {
  for (const mustMatchWhenDerived of [false, true]) {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    app.addConstraintStrategy(strategy('secret', { mustMatchWhenDerived }).secret as never)
    await app.register(cors)
    app.addHook('onRoute', (options) => { if (options.url === '/a' && options.method === 'PUT') options.constraints = { secret: 'alpha' } })
    app.put('/a', { config: { cors: ONE } }, ok)
    app.put('/*', { config: { cors: false } }, ok)
    t.strictSame(await readable(app, 'PUT', '/a', SECRET), [FOO])
    t.strictSame(await readable(app, 'PUT', '/a'), [], 'without the header, the closed route is reached')
    t.strictSame(await approved(app, 'PUT', '/a'), [])
  }
})

t.test('constrained routes that were declared before the registration count', async (t) => {
  const app = fastify({ routerOptions: { constraints: strategy('secret') } as never })
  t.teardown(async () => { await app.close() })
  app.put('/a', { constraints: { secret: 'alpha' } as never, config: { cors: false } as object }, ok)
  app.put('/v', { constraints: { version: '1.0.0' }, config: { cors: ONE } as object }, ok)
  app.register(require('../../lib/index') as typeof cors)
  app.put('/*', { config: { cors: ONE } as object }, ok)
  t.strictSame(await readable(app, 'PUT', '/a', SECRET), [])
  t.strictSame(await approved(app, 'PUT', '/a'), [])
  t.strictSame(await approved(app, 'PUT', '/v'), [FOO], 'both have one policy')
  t.strictSame(await approved(app, 'PUT', '/b'), [FOO])
})

t.test('a constraints object that the application changes, and declares another route with, changes no earlier route', async (t) => {
  const app = await application(t)
  const constraints = { host: 'a.test' }
  app.put('/:id(^x$)', { constraints, config: { cors: false } }, ok)
  app.put('/:id', { config: { cors: ONE } }, ok)
  constraints.host = 'b.test'
  app.put('/other', { constraints, config: { cors: ONE } }, ok)
  constraints.host = 'c.test'
  for (const host of ['a.test', 'b.test', 'c.test']) {
    for (const url of ['/x', '/y', '/other']) t.strictSame(await approved(app, 'PUT', url, { host }), await readable(app, 'PUT', url, { host }), `${url} on ${host}`)
  }
  t.strictSame(await approved(app, 'PUT', '/x', { host: 'a.test' }), [])
})

t.test('a strategy that must match is not approved for a route without its constraint, where it leads to the not-found handler', async (t) => {
  const app = await application(t, {}, { routerOptions: { constraints: strategy('secret', { mustMatchWhenDerived: true }) } as never })
  let reached = 0
  app.setNotFoundHandler(async () => `handler ${++reached}`)
  app.put('/a', { config: { cors: ONE } }, ok)
  app.put('/s', { constraints: { secret: 'alpha' } as never, config: { cors: ONE } }, ok)
  t.equal((await request(app, 'PUT', '/a', FOO, { headers: SECRET })).body, 'handler 1')
  t.strictSame(await approved(app, 'PUT', '/a'), [])
  t.strictSame(await approved(app, 'PUT', '/s'), [FOO])
})

t.test('the strategies of an application may have any name, and throw for values that they do not know', async (t) => {
  const names = ['position', 'position_', 'UNKNOWN', 'constraints']
  const throwing = strategy('position').position as unknown as { storage: () => { get: (value: unknown) => unknown } }
  const { storage } = throwing
  const app = await application(t, {}, {
    routerOptions: {
      constraints: {
        ...Object.assign({}, ...names.map((name) => strategy(name))) as object,
        position: {
          ...throwing,
          storage: () => {
            const stored = storage()
            return { ...stored, get: (value: unknown) => { if (value === 'fastify-cors-policy') throw new Error('unknown'); return stored.get(value) } }
          }
        }
      }
    } as never
  })
  for (const name of names) app.put(`/${name}`, { constraints: { [name]: 'a' } as never, config: { cors: ONE } }, ok)
  app.put('/:x', { config: { cors: ONE } }, ok)
  app.put('/asked', { constraints: { host: 'a.test', position: 'a' } as never, config: { cors: ONE } }, ok)
  app.put('/asked', { constraints: { host: 'b.test' }, config: { cors: ONE } }, ok)
  for (const name of names) t.strictSame(await approved(app, 'PUT', `/${name}`), [FOO], name)
  t.strictSame(await approved(app, 'PUT', '/asked', { host: 'b.test' }), [], 'nothing is approved where a strategy cannot be asked')
})

t.test('a preflight that would take too long to follow is not approved, and the log says so', async (t) => {
  const { logger, messages } = logged()
  const app = await application(t, {}, { logger, routerOptions: { constraints: strategy('secret'), allowUnsafeRegex: true } as never })
  for (let index = 0; index < 120; index++) app.put(`/:x(^.{0,${index + 1}}$)`, { constraints: { secret: `s${index}` } as never, config: { cors: ONE } }, ok)
  for (let index = 0; index < 20; index++) app.patch(`/:x(^.{0,${index + 1}}$)`, { constraints: { secret: `s${index}` } as never, config: { cors: ONE } }, ok)
  t.strictSame(await approved(app, 'PUT', '/a'), [], 'more than a hundred routes')
  t.strictSame(await approved(app, 'PATCH', '/a'), [FOO])
  t.strictSame(await named(app, 'PATCH', '/a'), ['PATCH'], 'a method that cannot be followed is not named')
  t.ok(messages.every((line) => !line.includes('TypeError')), messages.join())
})

t.test('many versions of one URL with one policy are approved, whatever their number', async (t) => {
  const app = await application(t)
  for (let version = 0; version < 30; version++) {
    for (const url of ['/a/b', '/a/:x', '/:x/b', '/*']) {
      app.route({ method: ['PUT', 'PATCH', 'DELETE'], url, constraints: { version: `${version}.0.0` }, config: { cors: ONE }, handler: ok })
    }
  }
  t.strictSame(await approved(app, 'PUT', '/a/b'), [FOO])
  t.strictSame(await named(app, 'PUT', '/a/b'), ['PUT', 'PATCH', 'DELETE'])
})

t.test('RegExp routes that exclude each other may have different policies, also if one has a version', async (t) => {
  const app = await application(t)
  app.put('/:id(^\\d+$)', { constraints: { version: '1.0.0' }, config: { cors: ONE } }, ok)
  app.put('/:id(^[a-z]+$)', { config: { cors: OTHER } }, ok)
  app.put('/in/:id(^\\d+$)', { constraints: { version: '1.0.0' }, config: { cors: ONE } }, ok)
  await app.register(async (scope) => { scope.put('/:name(^[a-z]+$)', { config: { cors: OTHER } }, ok) }, { prefix: '/in' })
  t.strictSame([await approved(app, 'PUT', '/7'), await approved(app, 'PUT', '/a')], [[FOO], [EVIL]])
  t.strictSame([await approved(app, 'PUT', '/in/7'), await approved(app, 'PUT', '/in/a')], [[FOO], [EVIL]])
})

class Config {
  readonly #role: string
  readonly cors: cors.RouteCors = ONE
  label = 'label'

  constructor (role: string) {
    this.#role = role
  }

  describe (): string {
    return `${this.label} of a config`
  }

  get role (): string {
    return this.#role
  }
}

t.test('an onRoute hook can call the methods of a config that is an instance of a class, with the plugin and without', async (t) => {
  for (const isRegistered of [true, false]) {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    if (isRegistered) await app.register(cors)
    const seen: string[] = []
    app.addHook('onRoute', ({ config, method }: RouteOptions) => { if (method === 'PUT') seen.push((config as unknown as Config).describe()) })
    const config = new Config('admin')
    app.put('/', { config: config as object }, ok)
    await app.ready()
    t.strictSame(seen, ['label of a config'])
    t.equal(config.role, 'admin', 'the object of the application stays as it is')
    t.strictSame(await readable(app, 'PUT', '/'), isRegistered ? [FOO] : [])
  }
})

const FOREIGN = { 'Access-Control-Allow-Origin': EVIL, 'Access-Control-Allow-Credentials': 'true', vary: 'Cookie' }

/** Ways in which a hook or middleware that was registered after the plugin ends a response itself. */
const ENDS: Readonly<Record<string, (app: FastifyInstance) => Promise<unknown> | void>> = {
  'an onRequest hook ends reply.raw': (app) => { app.addHook('onRequest', (_request, reply) => { reply.raw.writeHead(401, FOREIGN).end('no') }) },
  'an onRequest hook sets headers and ends reply.raw': (app) => {
    app.addHook('onRequest', (_request, reply) => {
      for (const [name, value] of Object.entries(FOREIGN)) reply.raw.setHeader(name, value)
      reply.raw.statusCode = 401
      reply.raw.end('no')
    })
  },
  'a preHandler hook hijacks': (app) => { app.addHook('preHandler', async (_request, reply) => { reply.hijack(); reply.raw.writeHead(401, Object.entries(FOREIGN).flat() as never); reply.raw.end('no') }) },
  'middleware of @fastify/middie answers': async (app) => {
    await app.register(middie)
    app.use((_request: unknown, response: FastifyReply['raw']) => { response.writeHead(401, 'no', FOREIGN); response.end() })
  }
}

for (const [name, add] of Object.entries(ENDS)) {
  t.test(`the response has the headers of the policy where ${name}`, async (t) => {
    const app = Fastify()
    await app.register(cors)
    await add(app)
    app.get('/', { config: { cors: ONE } }, ok)
    app.get('/any', { config: { cors: { origin: '*' } } }, ok)
    app.get('/off', { config: { cors: false } }, ok)
    const traffic = await Traffic.to(t, app)
    const told = async (url: string, origin: string): Promise<unknown> => {
      const { status, headers } = await traffic.send('GET', url, origin)
      t.equal(status, 401)
      return Object.fromEntries(Object.entries(headers).filter(([name]) => name === 'vary' || name.startsWith('access-control')))
    }
    t.strictSame(await told('/', FOO), { 'access-control-allow-origin': FOO, vary: 'Cookie, Origin' })
    t.strictSame(await told('/', EVIL), { vary: 'Cookie, Origin' })
    t.strictSame(await told('/any', EVIL), { 'access-control-allow-origin': '*', vary: 'Cookie' })
    t.strictSame(await told('/off', EVIL), { vary: 'Cookie' })
  })
}

for (const order of ['before', 'after'] as const) {
  t.test(`a listener of on-headers, added ${order} the plugin's hook, changes no CORS header, and can add to Vary`, async (t) => {
    const app = Fastify()
    const listen = (): unknown => app.addHook('onRequest', async (_request, reply) => {
      onHeaders(reply.raw, function (this: FastifyReply['raw']) {
        this.setHeader('Access-Control-Allow-Origin', EVIL)
        this.appendHeader('Access-Control-Allow-Credentials', 'true')
        this.removeHeader('access-control-expose-headers')
        this.setHeader('Vary', 'Cookie')
        this.appendHeader('Vary', 'Accept')
        this.setHeader('X-Time', '1')
        this.setHeader('X-Other', '1')
        this.removeHeader('x-other')
      })
    })
    if (order === 'before') listen()
    await app.register(cors)
    if (order === 'after') listen()
    app.get('/', { config: { cors: { ...ONE, exposedHeaders: ['X-Time'] } } }, ok)
    app.get('/raw', { config: { cors: { ...ONE, exposedHeaders: ['X-Time'] } } }, async (_request, reply) => { reply.hijack(); reply.raw.setHeader('x-a', '1'); reply.raw.end('raw') })
    app.get('/any', { config: { cors: { origin: '*' } } }, ok)
    const traffic = await Traffic.to(t, app)
    for (const url of ['/', '/raw']) {
      const allowed = await traffic.send('GET', url, FOO)
      t.match(allowed.headers, { 'access-control-allow-origin': FOO, 'access-control-expose-headers': 'X-Time', 'x-time': '1' }, url)
      t.equal(allowed.headers['access-control-allow-credentials'], undefined)
      t.equal(allowed.headers['x-other'], undefined)
      const vary = new Set(allowed.headers.vary?.split(', '))
      for (const name of ['Origin', 'Cookie', 'Accept']) t.ok(vary.has(name), `${url}: ${allowed.headers.vary}`)
      t.equal((await traffic.send('GET', url, EVIL)).headers['access-control-allow-origin'], undefined)
    }
    const any = await traffic.send('GET', '/any', EVIL)
    t.equal(any.headers['access-control-allow-origin'], '*')
    t.match(any.headers.vary, /Cookie.*Accept/)
  })
}

t.test('Vary on reply.raw stays on the error of a stream that fails early, and on a 404 that a later hook turns into a stream', async (t) => {
  const { Readable } = await import('node:stream')
  const app = await application(t, { defaultPolicy: ONE })
  app.addHook('onSend', async (request, reply, payload) => {
    if (!request.is404) return payload
    reply.raw.setHeader('vary', 'Accept-Encoding')
    return Readable.from([String(payload)])
  })
  app.get('/fails', async (_request, reply) => {
    reply.raw.setHeader('vary', 'Accept-Encoding')
    reply.header('vary', 'Cookie')
    return new Readable({ read () { this.destroy(new Error('early')) } })
  })
  const failed = await request(app, 'GET', '/fails', FOO)
  t.equal(failed.statusCode, 500)
  t.match(failed.headers.vary, /^(?=.*Accept-Encoding)(?=.*Cookie)(?=.*Origin)/)
  const missing = await request(app, 'GET', '/missing', FOO)
  t.equal(missing.statusCode, 404)
  t.match(missing.headers.vary, /^(?=.*Accept-Encoding)(?=.*Origin)/)
})

t.test('a hijacked reply is sent with the headers of the policy, without and with headers of its own', async (t) => {
  const app = await application(t)
  app.get('/', { config: { cors: ONE } }, async (_request, reply) => { reply.hijack(); reply.raw.writeHead(200); reply.raw.end('raw') })
  const traffic = await Traffic.to(t, app)
  const { body, headers } = await traffic.send('GET', '/', FOO)
  t.equal(body.toString(), 'raw')
  t.match(headers, { 'access-control-allow-origin': FOO, vary: 'Origin' })
})

t.test('a prototype that was polluted with the names of headers adds none of them', async (t) => {
  const prototype = Object.prototype as Record<string, unknown>
  const polluted = { 'access-control-allow-credentials': 'true', 'access-control-allow-origin': EVIL, 'access-control-expose-headers': 'X-Evil', origin: EVIL }
  for (const [name, value] of Object.entries(polluted)) Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  t.teardown(() => { for (const name of Object.keys(polluted)) delete prototype[name] })
  const app = await application(t)
  app.get('/', { config: { cors: ONE } }, ok)
  app.put('/', { config: { cors: ONE } }, ok)
  const answers = [await request(app, 'GET', '/', FOO), await preflight(app, 'PUT', '/'), await request(app, 'GET', '/', EVIL)]
  for (const name of Object.keys(polluted)) delete prototype[name]
  t.strictSame(corsHeaders(answers[0] as never), { 'access-control-allow-origin': FOO, vary: 'Origin' })
  t.equal(accessControl(answers[1] as never)['access-control-allow-credentials'], undefined)
  t.strictSame(accessControl(answers[2] as never), {})
})

t.test('routes that follow a registration which is not awaited are covered, also if the package is required in the call', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.register(require('../../lib/index') as typeof cors, { policies: { one: ONE } })
  app.put('/a', { config: { cors: { extends: 'one' } } as object }, ok)
  app.put('/a/:id', { config: { cors: { extends: 'one' } } as object }, ok)
  app.register(async (scope) => { scope.put('/', { config: { cors: OTHER } as object }, ok) }, { prefix: '/scope' })
  await app.ready()
  for (const url of ['/a', '/a/7']) t.strictSame([await approved(app, 'PUT', url), await readable(app, 'PUT', url)], [[FOO], [FOO]], url)
  for (const url of ['/scope', '/scope/']) t.strictSame([await approved(app, 'PUT', url), await readable(app, 'PUT', url)], [[EVIL], [EVIL]], url)
  const wrong = Fastify()
  t.teardown(async () => { await wrong.close().catch(() => {}) })
  wrong.register(cors)
  wrong.put('/a', { config: { cors: { extends: 'nobody' } } }, ok)
  await t.rejects(async () => { await wrong.ready() }, { code: 'FST_ERR_CORS_INVALID_POLICY', message: /PUT \/a[^]*"nobody"/ })
})

t.test('a registration whose scope has no route says so', async (t) => {
  const warnings = async (build: (app: FastifyInstance) => unknown, server: FastifyServerOptions = {}): Promise<readonly string[]> => {
    const { logger, messages } = logged()
    const app = Fastify({ ...server, logger })
    t.teardown(async () => { await app.close() })
    await build(app)
    await app.ready()
    return messages
  }
  t.match((await warnings(async (app) => {
    await app.register(async (scope) => { await scope.register(cors) }, { prefix: '/api' })
    app.get('/', ok)
  })).join(), /covers no route: no route is declared in the scope of the registration below "\/api"; register it on the instance that declares the routes/)
  t.strictSame(await warnings(async (app) => { await app.register(cors, { defaultPolicy: ONE }) }), [], 'it covers 404s')
  t.strictSame(await warnings(async (app) => {
    await app.register(cors)
    await app.register(async (scope) => { scope.get('/', ok) })
  }), [])
})

t.test('an application with a long static URL, or a short limit of parameters, starts', async (t) => {
  const cases = [[{}, `/${'a'.repeat(97)}`, '/:id'], [{ routerOptions: { maxParamLength: 20 } }, '/subscriptions-status', '/:id'], [{ routerOptions: { maxParamLength: 1 } }, '/a', '/:x']] as const
  for (const [server, ...urls] of cases) {
    const app = await application(t, {}, server)
    for (const url of urls) app.put(url, { config: { cors: ONE } }, ok)
    t.strictSame(await approved(app, 'PUT', '/b'), [FOO])
  }
})

t.test('header names that browsers set by themselves are named in one warning, and originsFrom may allow nobody', async (t) => {
  const { logger, messages } = logged()
  const app = await application(t, { policies: { pasted: { origin: FOO, allowedHeaders: ['Origin', 'X-A', 'DNT'] } } }, { logger })
  app.put('/a', { config: { cors: { extends: 'pasted' } } }, ok)
  app.put('/b', { config: { cors: { extends: 'pasted', maxAge: 5 } } }, ok)
  app.put('/nobody', { config: { cors: { origin: cors.originsFrom('') } } }, ok)
  await app.ready()
  t.match(messages.join(), /leaves Origin, DNT out of allowedHeaders/)
  t.equal(messages.length, 1)
  t.strictSame(await approved(app, 'PUT', '/nobody'), [])
})

t.test('a policy that conflicts is refused where it is declared', async (t) => {
  const app = await application(t)
  app.put('/a', { constraints: { version: '1.0.0' }, config: { cors: ONE } }, ok)
  t.match(refusal(() => app.put('/a', { config: { cors: { origin: BAR } } }, ok)), { problems: [{ reason: 'conflict' }] })
  t.ok(approves(await preflight(app, 'PUT', '/a'), 'PUT'))
})
