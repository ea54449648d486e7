// Responses under attack: hooks that throw or never answer, headers that others set on the reply or on the raw response, functions that are slow. Whatever
// happens, a response permits no more than its policy, varies by Origin, and the process lives on.
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyServerOptions } from 'fastify'
import cors from '../../lib/index'
import { HAS_HANDLER_TIMEOUT } from '../support/features'
import { accessControl, application, BAR, corsHeaders, EVIL, FOO, ok, preflight, PREFLIGHT_VARY, request } from '../support'
import { portOf } from '../support/ports'
import { exchange } from '../support/raw-http'

/** What a reflecting upstream or handler sets. What it exposes is added for allowed origins, as these policies declare no `exposedHeaders`. */
const FOREIGN = {
  'access-control-allow-origin': EVIL,
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': 'X-Secret',
  'access-control-allow-methods': 'DELETE',
  'access-control-allow-headers': '*',
  'access-control-max-age': '600',
  'access-control-allow-private-network': 'true',
  vary: 'Cookie'
}

/** What an allowed origin may read besides. */
const EXPOSED = { 'access-control-expose-headers': 'X-Secret' }

/** Whether Fastify knows time-outs of handlers: not before 5.8. */
const NO_TIMEOUT = HAS_HANDLER_TIMEOUT ? false : 'this Fastify has no handlerTimeout'

/** An application whose hooks run before the plugin's. */
async function applicationAfter (t: Test, hooks: (app: FastifyInstance) => void, options: cors.CorsPluginOptions = {}, server: FastifyServerOptions = {}): Promise<FastifyInstance> {
  const app = Fastify(server)
  t.teardown(async () => { await app.close() })
  hooks(app)
  await app.register(cors, options)
  return app
}

/** Fails the test where something throws that nobody catches. */
function watch (t: Test): void {
  const failed = (error: unknown): void => { t.fail('uncaught', { error }) }
  process.on('uncaughtException', failed)
  process.on('unhandledRejection', failed)
  t.teardown(() => {
    process.off('uncaughtException', failed)
    process.off('unhandledRejection', failed)
  })
}

const slow = (milliseconds: number) => async (): Promise<boolean> => { await setTimeout(milliseconds); return true }
const never = async (): Promise<boolean> => await new Promise(() => {})

t.test('a response permits nothing if an earlier hook throws, and the time-out comes before the origin function answers', { skip: NO_TIMEOUT }, async (t) => {
  watch(t)
  for (const [name, origin] of [['slow', slow(400)], ['never', never]] as const) {
    const app = await applicationAfter(t, (app) => app.addHook('onRequest', async () => { throw Object.assign(new Error('no'), { statusCode: 401 }) }))
    app.get('/', { config: { cors: { origin } }, handlerTimeout: 20 }, ok)
    app.get('/handled', { config: { cors: { origin } }, handlerTimeout: 20, errorHandler: (_error, _request, reply) => { reply.code(418).send('handled') } }, ok)
    for (const url of ['/', '/handled']) {
      const response = await request(app, 'GET', url, FOO)
      t.ok(response.statusCode >= 400, `${name} ${url}`)
      t.same(corsHeaders(response), { vary: 'Origin' }, 'what is not known in time is refused')
    }
    await setTimeout(450)
  }
})

t.test('a 404 permits nothing if an earlier hook throws, and the time-out comes before the default\'s origin function answers', { skip: NO_TIMEOUT }, async (t) => {
  watch(t)
  for (const origin of [slow(400), never]) {
    const app = await applicationAfter(t, (app) => app.addHook('onRequest', async () => { throw new Error('no') }), { defaultPolicy: { origin } }, { handlerTimeout: 20 } as FastifyServerOptions)
    t.same(corsHeaders(await request(app, 'GET', '/none', FOO)), { vary: 'Origin' })
    await setTimeout(450)
  }
})

t.test('a time-out that comes before the origin function answers is a 503 without permission', { skip: NO_TIMEOUT }, async (t) => {
  watch(t)
  let handled = 0
  for (const origin of [slow(60), never]) {
    const app = await application(t, {}, { handlerTimeout: 20 } as FastifyServerOptions)
    // A hook of someone else's that is still at work when the function answers.
    app.addHook('onError', async () => { await setTimeout(100) })
    app.put('/', { config: { cors: { origin } } }, async () => { handled++; return 'ok' })
    const response = await request(app, 'PUT', '/', FOO)
    t.equal(response.statusCode, 503)
    t.same(corsHeaders(response), { vary: 'Origin' })
    const asked = await preflight(app, 'PUT', '/')
    t.equal(asked.statusCode, 503)
    t.same(corsHeaders(asked), { vary: PREFLIGHT_VARY })
    await setTimeout(150)
  }
  t.equal(handled, 0)
})

t.test('without a time-out, the request waits for its origin function', async (t) => {
  const app = await application(t)
  app.get('/', { config: { cors: { origin: slow(50) } } }, ok)
  t.equal((await request(app, 'GET', '/', FOO)).headers['access-control-allow-origin'], FOO)
})

t.test('the response to a time-out does not wait for an origin function that the first response waits for', { skip: NO_TIMEOUT }, async (t) => {
  watch(t)
  for (const stream of [false, true]) {
    const app = await applicationAfter(t, (app) => app.addHook('onRequest', async (_request, reply) => { await reply.code(401).send('no') }))
    let errors = 0
    app.get('/', {
      config: { cors: { origin: slow(60) } },
      handlerTimeout: 20,
      errorHandler: async (_error, _request, reply) => { errors++; return await reply.code(503).send(stream ? new Blob(['late']).stream() : 'late') }
    }, ok)
    const response = await request(app, 'GET', '/', FOO)
    t.equal(response.statusCode, 503)
    t.equal(response.body, 'late')
    t.same(corsHeaders(response), { vary: 'Origin' })
    await setTimeout(80)
    t.equal(errors, 1)
  }
})

/** Ways to set foreign headers. */
const WAYS: Record<string, (reply: FastifyReply) => void> = {
  'on the reply': (reply) => { reply.headers(FOREIGN) },
  'on the raw response': (reply) => { for (const [name, value] of Object.entries(FOREIGN)) reply.raw.setHeader(name, value) }
}

/** Names without repeats. */
const varyOf = (vary: unknown): string[] => String(vary).split(', ').sort()

for (const [way, set] of Object.entries(WAYS)) {
  t.test(`foreign headers ${way} permit nothing, also if hooks throw`, async (t) => {
    watch(t)
    const policies: Array<[string, cors.RouteCors, string | undefined, Record<string, string>]> = [
      ['/off', false, FOO, {}],
      ['/any', { origin: '*' }, EVIL, { 'access-control-allow-origin': '*', ...EXPOSED }],
      ['/one', { origin: FOO }, EVIL, {}],
      ['/one', { origin: FOO }, undefined, {}],
      ['/one', { origin: FOO }, FOO, { 'access-control-allow-origin': FOO, ...EXPOSED }],
      ['/function', { origin: async (origin) => origin === FOO, credentials: true }, EVIL, {}],
      ['/function', { origin: async (origin) => origin === FOO, credentials: true }, FOO, { 'access-control-allow-origin': FOO, 'access-control-allow-credentials': 'true', ...EXPOSED }]
    ]
    const failing: Record<string, (app: FastifyInstance) => void> = {
      'an onSend hook once': (app) => {
        const failed = new WeakSet()
        app.addHook('onSend', async (request) => { if (!failed.has(request)) { failed.add(request); throw new Error('onSend') } })
      },
      'an onSend hook always': (app) => { app.addHook('onSend', (_request, _reply, _payload, done) => { done(new Error('onSend')) }) },
      'an onSend and an onError hook always': (app) => {
        app.addHook('onSend', async () => { throw new Error('onSend') })
        app.addHook('onError', async () => { throw new Error('onError') })
      },
      'an onSend hook that opens the response first': (app) => {
        app.addHook('onSend', async (_request, reply) => { set(reply); throw new Error('onSend') })
        app.addHook('onError', async (_request, reply) => { set(reply); throw new Error('onError') })
      }
    }
    for (const [name, fail] of Object.entries(failing)) {
      for (const order of ['before', 'after'] as const) {
        const app = order === 'before' ? await applicationAfter(t, fail) : await application(t)
        if (order === 'after') fail(app)
        for (const [url, policy] of new Map(policies.map(([url, policy]) => [url, policy]))) app.put(url, { config: { cors: policy } }, (_request, reply) => { set(reply); reply.send('ok') })
        for (const [url, policy, origin, expected] of policies) {
          const response = await request(app, 'PUT', url, origin)
          t.equal(response.statusCode, 500)
          t.same(accessControl(response), expected, `${name}, ${order} the plugin: ${url} from ${origin}`)
          if (policy !== false && policy.origin !== '*') t.same(varyOf(response.headers.vary), ['Cookie', 'Origin'])
        }
      }
    }
  })

  t.test(`foreign headers ${way} permit nothing on preflights`, async (t) => {
    watch(t)
    for (const fails of [false, true]) {
      for (const order of ['before', 'after'] as const) {
        const open = (app: FastifyInstance): void => {
          app.addHook('onSend', async (_request, reply) => { set(reply); if (fails) throw new Error('onSend') })
          app.addHook('onError', async (_request, reply) => { set(reply); if (fails) throw new Error('onError') })
        }
        const app = order === 'before' ? await applicationAfter(t, open) : await application(t)
        if (order === 'after') open(app)
        app.put('/', { config: { cors: { origin: FOO, allowedHeaders: [] } } }, ok)
        const allowed = await preflight(app, 'PUT', '/')
        t.equal(allowed.statusCode, fails ? 500 : 204)
        t.same(accessControl(allowed), { 'access-control-allow-origin': FOO, 'access-control-allow-methods': 'PUT' })
        const refused = await preflight(app, 'PUT', '/', { origin: EVIL })
        t.equal(refused.statusCode, 403)
        t.same(accessControl(refused), {})
        for (const response of [allowed, refused]) t.same(varyOf(response.headers.vary), ['Cookie', ...PREFLIGHT_VARY.split(', ')].sort())
      }
    }
  })

  t.test(`foreign headers ${way} permit nothing on 404s with a default policy`, async (t) => {
    watch(t)
    for (const fails of [false, true]) {
      const app = await application(t, { defaultPolicy: { origin: FOO } })
      app.setNotFoundHandler((_request, reply) => { set(reply); reply.code(404).send('none') })
      app.addHook('onSend', async (_request, reply) => { set(reply); if (fails) throw new Error('onSend') })
      app.get('/called', { config: { cors: { origin: EVIL } } }, (_request, reply) => { reply.callNotFound() })
      t.same(accessControl(await request(app, 'GET', '/none', EVIL)), {})
      t.same(accessControl(await request(app, 'GET', '/none', FOO)), { 'access-control-allow-origin': FOO, ...EXPOSED })
      t.same(accessControl(await request(app, 'GET', '/called', FOO)), {})
      t.same(accessControl(await request(app, 'GET', '/called', EVIL)), { 'access-control-allow-origin': EVIL, ...EXPOSED })
      t.same(accessControl(await preflight(app, 'PUT', '/none')), { 'access-control-allow-origin': FOO, 'access-control-allow-methods': 'PUT', 'access-control-allow-headers': 'content-type' })
      t.same(accessControl(await preflight(app, 'PUT', '/none', { origin: EVIL })), {})
      for (const url of ['/none', '/called']) t.same(varyOf((await request(app, 'GET', url, EVIL)).headers.vary), ['Cookie', 'Origin'])
    }
  })
}

t.test('the route\'s policy decides if a hook calls the not-found handler before the route\'s own hooks run', async (t) => {
  for (const origin of [FOO, (origin: string) => origin === FOO, async (origin: string) => origin === FOO]) {
    let asked = 0
    const app = await application(t, { defaultPolicy: { origin: async () => { asked++; return true }, exposedHeaders: ['X-Default'] } })
    app.addHook('onRequest', (_request, reply) => { reply.callNotFound() })
    app.get('/', { config: { cors: { origin } } }, ok)
    app.get('/shared', ok)
    const response = await request(app, 'GET', '/', FOO)
    t.equal(response.statusCode, 404)
    t.same(corsHeaders(response), { vary: 'Origin', 'access-control-allow-origin': FOO })
    t.same(corsHeaders(await request(app, 'GET', '/', EVIL)), { vary: 'Origin' })
    asked = 0
    t.equal((await request(app, 'GET', '/shared', FOO)).headers['access-control-allow-origin'], FOO)
    t.equal(asked, 1, 'a function is asked once, also where the route and its 404s share it')
  }
})

t.test('a Vary that a handler sets on the raw response is kept, beside others', async (t) => {
  const app = await application(t)
  app.get('/', { config: { cors: { origin: FOO } } }, (_request, reply) => {
    reply.raw.setHeader('Vary', ['Accept', 'Cookie'])
    reply.header('vary', 'Accept-Language, accept').send('ok')
  })
  app.get('/response', { config: { cors: { origin: FOO } } }, async (_request, reply) => {
    reply.raw.setHeader('Vary', 'Accept')
    reply.header('vary', 'Cookie')
    return new Response('web', { headers: { vary: 'Accept-Language' } })
  })
  app.get('/early', {
    config: { cors: { origin: FOO } },
    onRequest: async (_request, reply) => { reply.raw.setHeader('vary', 'Accept') }
  }, ok)
  t.equal((await request(app, 'GET', '/', FOO)).headers.vary, 'Accept, Cookie, Accept-Language, Origin')
  t.same(varyOf((await request(app, 'GET', '/response', FOO)).headers.vary), ['Accept', 'Accept-Language', 'Cookie', 'Origin'])
  t.same(varyOf((await request(app, 'GET', '/early', FOO)).headers.vary), ['Accept', 'Origin'])
})

t.test('a header that cannot be sent does not remove the CORS headers', async (t) => {
  watch(t)
  const app = await application(t)
  app.get('/', { config: { cors: { origin: FOO } } }, async (_request, reply) => { reply.header('vary', 'caf\u20ac'); return new Response('web', { headers: { vary: 'Cookie' } }) })
  app.get('/plain', { config: { cors: { origin: FOO } } }, async (_request, reply) => { reply.header('x', '\u20ac'); return 'ok' })
  t.same(corsHeaders(await request(app, 'GET', '/', FOO)), { vary: 'Cookie, Origin', 'access-control-allow-origin': FOO })
  const failed = await request(app, 'GET', '/plain', FOO)
  t.equal(failed.statusCode, 500)
  t.same(corsHeaders(failed), { vary: 'Origin', 'access-control-allow-origin': FOO }, 'Fastify sends it without any header of the reply: ours are there')
})

t.test('headers that are written past Fastify, in every form that writeHead takes, permit nothing', async (t) => {
  const headers = { 'Content-Type': 'text/event-stream', ...FOREIGN, 'Access-Control-Allow-Origin': '*' }
  const frozen = Object.freeze(headers)
  const flat = Object.entries(headers).flat()
  const forms: Record<string, (reply: FastifyReply) => void> = {
    'an object': ({ raw }) => { raw.writeHead(200, frozen) },
    'an object and a reason': ({ raw }) => { raw.writeHead(200, 'Fine', frozen) },
    'a list': ({ raw }) => { raw.writeHead(200, [...flat, 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']) },
    pairs: ({ raw }) => { raw.writeHead(200, Object.entries(headers) as never) },
    'the reply\'s headers': (reply) => { reply.raw.writeHead(200, { ...reply.getHeaders() as Record<string, string>, ...frozen }) },
    'headers set one by one': ({ raw }) => { for (const [name, value] of flat.map((name, index) => [name, flat[index + 1] as string] as const).filter((_, index) => index % 2 === 0)) raw.setHeader(name, value) },
    'no writeHead': ({ raw }) => { raw.setHeaders?.(new Map(Object.entries(headers))) }
  }
  const app = await application(t)
  for (const [index, write] of Object.values(forms).entries()) {
    app.get(`/${index}`, { config: { cors: { origin: FOO } } }, (_request, reply) => {
      reply.hijack()
      write(reply)
      reply.raw.end('data: 1\n\n')
    })
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  const base = `http://127.0.0.1:${portOf(app.server)}`
  for (const [index, name] of Object.keys(forms).entries()) {
    for (const origin of [FOO, EVIL]) {
      const response = await fetch(`${base}/${index}`, { headers: { origin } })
      const found = Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control-')))
      t.same(found, origin === FOO ? { 'access-control-allow-origin': FOO, ...EXPOSED } : {}, `${name} from ${origin}`)
      t.same(varyOf(response.headers.get('vary')), ['Cookie', 'Origin'])
      t.equal(response.headers.get('content-type'), 'text/event-stream')
      t.equal(await response.text(), 'data: 1\n\n')
      if (name === 'a list') t.same(response.headers.getSetCookie(), ['a=1', 'b=2'])
      if (name === 'an object and a reason') t.equal(response.statusText, 'Fine')
    }
  }
  t.equal(frozen['Access-Control-Allow-Origin'], '*', 'the caller\'s object stays as it is')
})

t.test('a second writeHead throws the error of Node', async (t) => {
  watch(t)
  const app = await application(t)
  let code: unknown
  app.get('/', { config: { cors: { origin: FOO } } }, (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200)
    try { reply.raw.writeHead(200, { vary: 'x' }) } catch (error) { code = (error as { code: string }).code }
    reply.raw.end('ok')
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const received = await exchange(portOf(app.server), `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: ${FOO}\r\n\r\n`)
  t.match(received, /^HTTP\/1\.1 200 OK\r\n/)
  t.match(received, `access-control-allow-origin: ${FOO}\r\n`)
  t.equal(code, 'ERR_HTTP_HEADERS_SENT')
})

t.test('an earlier hook that throws on a preflight leaves it without permission', async (t) => {
  const app = await applicationAfter(t, (app) => {
    app.addHook('onRequest', async (_request, reply) => { reply.headers(FOREIGN); throw Object.assign(new Error('no'), { statusCode: 401 }) })
    app.addHook('onSend', async () => { throw new Error('onSend') })
  })
  app.put('/', { config: { cors: { origin: FOO } } }, ok)
  const response = await preflight(app, 'PUT', '/')
  t.same(corsHeaders(response), { vary: `Cookie, ${PREFLIGHT_VARY}` })
})

t.test('a hook that sends and then throws, while an origin function is asked, gets an error response without permission', async (t) => {
  watch(t)
  const app = await applicationAfter(t, (app) => app.addHook('onRequest', async (_request, reply) => {
    reply.send('first')
    throw new Error('second')
  }))
  app.get('/', { config: { cors: { origin: slow(50) } } }, ok)
  const response = await request(app, 'GET', '/', FOO)
  t.equal(response.statusCode, 500)
  t.same(corsHeaders(response), { vary: 'Origin' })
  await setTimeout(100)
})

t.test('a hook that answers by itself, before hooks for responses and for errors that throw, permits nothing on the error', async (t) => {
  const app = await application(t, { policies: { foo: { origin: [FOO], credentials: true } } })
  app.addHook('onRequest', async (_request, reply) => await reply.headers(FOREIGN).send('mine'))
  app.addHook('onSend', async () => { throw new Error('onSend') })
  app.addHook('onError', async () => { throw new Error('onError') })
  let first: object | undefined
  app.addHook('onRoute', (options) => {
    if (options.method === 'HEAD') return
    if (options.url === '/first') first = options.config
    else if (options.url === '/copied') options.config = { ...first, cors: { origin: BAR } }
  })
  app.get('/first', { config: { cors: { extends: 'foo' } } }, ok)
  app.get('/copied', { config: { cors: { extends: 'foo' } } }, ok)
  app.get('/', { config: { cors: { extends: 'foo' } } }, ok)
  app.get('/off', { config: { cors: false } }, ok)
  app.get('/none', ok)
  await app.register(async (child) => { child.get('/child', { config: { cors: { extends: 'foo' } } }, ok) })
  for (const url of ['/', '/child']) {
    const refused = await request(app, 'GET', url, EVIL)
    t.equal(refused.statusCode, 500, url)
    t.same(accessControl(refused), {})
    t.equal(refused.headers.vary, 'Cookie, Origin')
    const allowed = await request(app, 'GET', url, FOO)
    t.same(accessControl(allowed), { 'access-control-allow-origin': FOO, 'access-control-allow-credentials': 'true', ...EXPOSED })
  }
  t.same(accessControl(await request(app, 'GET', '/off', EVIL)), {})
  t.same(accessControl(await request(app, 'GET', '/copied', FOO)), {}, 'its config says another origin')
  t.equal(accessControl(await request(app, 'GET', '/first', FOO))['access-control-allow-origin'], FOO)
  t.equal((await request(app, 'GET', '/no', EVIL)).headers['access-control-allow-origin'], EVIL, 'a 404 without a default policy is not ours')
  t.equal((await request(app, 'GET', '/none', EVIL)).headers['access-control-allow-origin'], EVIL, 'a route without policy is not ours')
})

t.test('hooks that were registered before the plugin and answer by themselves permit nothing, on routes, preflights and 404s', async (t) => {
  const hooks = (ends: (reply: FastifyReply) => unknown) => (app: FastifyInstance): void => {
    app.addHook('onRequest', async (_request, reply) => await ends(reply.headers(FOREIGN)))
  }
  const sends = await applicationAfter(t, hooks((reply) => reply.send('mine')))
  sends.put('/', { config: { cors: { origin: FOO } } }, ok)
  t.same(accessControl(await request(sends, 'PUT', '/', EVIL)), {})
  t.same(accessControl(await request(sends, 'PUT', '/', FOO)), { 'access-control-allow-origin': FOO, ...EXPOSED })
  t.same(accessControl(await preflight(sends, 'PUT', '/', { origin: FOO })), {}, 'a preflight that the hook answered')
  const handsOver = await applicationAfter(t, hooks((reply) => reply.callNotFound()), { defaultPolicy: { origin: FOO } })
  handsOver.put('/', ok)
  for (const url of ['/', '/none']) {
    t.same(accessControl(await request(handsOver, 'PUT', url, EVIL)), {}, url)
    t.same(accessControl(await request(handsOver, 'PUT', url, FOO)), { 'access-control-allow-origin': FOO, ...EXPOSED }, url)
  }
})

t.test('a late origin function of the default policy permits nothing on a route with its own policy', async (t) => {
  watch(t)
  const app = await applicationAfter(t, (app) => app.addHook('onRequest', async (_request, reply) => {
    reply.callNotFound()
    await setTimeout(10)
    throw new Error('no')
  }), { defaultPolicy: { origin: slow(100) } })
  app.get('/', { config: { cors: { origin: BAR } } }, ok)
  t.same(accessControl(await request(app, 'GET', '/', FOO)), {})
  await setTimeout(150)
})
