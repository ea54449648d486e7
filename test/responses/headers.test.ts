// The CORS headers of actual responses, on every way that a response can end.
import { Readable } from 'node:stream'
import { connect as connectHttp2 } from 'node:http2'
import { setTimeout } from 'node:timers/promises'
import { get } from 'node:http'
import t from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import cors from '../../lib/index'
import { HAS_HANDLER_TIMEOUT } from '../support/features'
import { accessControl, application, corsHeaders, EVIL, FOO, ok, request } from '../support'
import { portOf } from '../support/ports'
import { send } from '../support/raw-http'

const POLICY = { origin: FOO, credentials: true, exposedHeaders: ['X-Request-Id'] } as const
const ALLOWED = { 'access-control-allow-origin': FOO, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'X-Request-Id' }

t.test('allowed, refused and absent origins each get their headers', async (t) => {
  const app = await application(t)
  app.get('/one', { config: { cors: POLICY } }, ok)
  app.get('/all', { config: { cors: { origin: '*', exposedHeaders: '*' } } }, ok)
  app.get('/off', { config: { cors: false } }, ok)
  app.get('/undeclared', ok)
  t.same(corsHeaders(await request(app, 'GET', '/one', FOO)), { vary: 'Origin', ...ALLOWED })
  t.same(corsHeaders(await request(app, 'GET', '/one', EVIL)), { vary: 'Origin' })
  t.same(corsHeaders(await request(app, 'GET', '/one')), { vary: 'Origin' })
  for (const origin of [FOO, EVIL, undefined]) {
    t.same(corsHeaders(await request(app, 'GET', '/all', origin)), { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' })
    t.same(corsHeaders(await request(app, 'GET', '/off', origin)), {})
    t.same(corsHeaders(await request(app, 'GET', '/undeclared', origin)), {})
  }
})

t.test('a refused origin still reaches the handler: CORS is not authorisation', async (t) => {
  const app = await application(t)
  app.get('/', { config: { cors: POLICY } }, ok)
  const response = await request(app, 'GET', '/', EVIL)
  t.equal(response.statusCode, 200)
  t.equal(response.body, 'ok')
})

/** Ways to end a response, each with the status it ends with. */
const ENDINGS: Array<readonly [name: string, status: number, declare: (app: FastifyInstance, config: { cors: cors.RouteCors }) => void, send?: { headers?: Record<string, string>, payload?: string, method?: string }]> = [
  ['a thrown error', 500, (app, config) => { app.get('/', { config }, async () => { throw new Error('thrown') }) }],
  ['an error that is sent', 500, (app, config) => { app.get('/', { config }, (_request, reply) => { reply.send(new Error('sent')) }) }],
  ['an error with headers of its own', 500, (app, config) => {
    app.get('/', { config }, async () => { throw Object.assign(new Error('headers'), { headers: { vary: 'Cookie', 'access-control-allow-origin': '*' } }) })
  }],
  ['a validation error', 400, (app, config) => { app.get('/', { config, schema: { querystring: { type: 'object', required: ['q'] } } }, ok) }],
  ['a body that is not JSON', 400, (app, config) => { app.post('/', { config }, ok) }, { method: 'POST', headers: { 'content-type': 'application/json' }, payload: '{' }],
  ['a body too large', 413, (app, config) => { app.post('/', { config, bodyLimit: 2 }, ok) }, { method: 'POST', headers: { 'content-type': 'application/json' }, payload: '"long"' }],
  ['an unknown media type', 415, (app, config) => { app.post('/', { config }, ok) }, { method: 'POST', headers: { 'content-type': 'text/unknown' }, payload: 'x' }],
  ['callNotFound', 404, (app, config) => { app.get('/', { config }, (_request, reply) => { reply.callNotFound() }) }],
  ...(HAS_HANDLER_TIMEOUT
    ? [['a handler time-out', 503, (app: FastifyInstance, config: { cors: cors.RouteCors }) => { app.get('/', { config, handlerTimeout: 20 }, async () => await new Promise(() => {})) }] as const]
    : []),
  ['a failing serializer', 500, (app, config) => { app.get('/', { config }, (_request, reply) => { reply.serializer(() => { throw new Error('serializer') }).send({}) }) }],
  ['a failing error handler', 500, (app, config) => { app.get('/', { config, errorHandler: () => { throw new Error('handler') } }, async () => { throw new Error('first') }) }],
  ['a stream', 200, (app, config) => { app.get('/', { config }, async () => Readable.from(['a', 'b'])) }],
  ['a stream that fails at once', 500, (app, config) => {
    app.get('/', { config }, async () => new Readable({ read () { this.destroy(new Error('stream')) } }))
  }],
  ['a web stream', 200, (app, config) => { app.get('/', { config }, async () => new Blob(['web']).stream()) }],
  ['a web Response', 201, (app, config) => { app.get('/', { config }, async () => new Response('web', { status: 201, headers: { 'x-mine': '1' } })) }],
  ['a web Response with CORS headers and a Vary of its own', 200, (app, config) => {
    app.get('/', { config }, async () => new Response('web', { headers: { vary: 'Cookie', 'access-control-allow-origin': '*', 'access-control-allow-credentials': 'true', 'access-control-max-age': '5' } }))
  }],
  ['a redirecting web Response', 302, (app, config) => { app.get('/', { config }, async () => Response.redirect('https://elsewhere.test/', 302)) }],
  ['a web Response whose body was read', 500, (app, config) => {
    app.get('/', { config }, async () => {
      const response = new Response('x', { headers: { 'access-control-allow-origin': '*' } })
      await response.text()
      return response
    })
  }],
  ['a redirect', 302, (app, config) => { app.get('/', { config }, (_request, reply) => { reply.redirect('/elsewhere') }) }],
  ['status 304', 304, (app, config) => { app.get('/', { config }, (_request, reply) => { reply.code(304).send() }) }],
  ['HEAD', 200, (app, config) => { app.get('/', { config }, ok) }, { method: 'HEAD' }],
  ['trailers', 200, (app, config) => { app.get('/', { config }, (_request, reply) => { reply.trailer('x-end', (_reply, _payload, done) => { done(null, 'end') }).send('body') }) }],
  ...(['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const).map((hook) => [
    `401 from an ${hook} hook of the instance`, 401, (app: FastifyInstance, config: { cors: cors.RouteCors }) => {
      app.addHook(hook, async (_request: unknown, reply: { code: (code: number) => { send: (payload: string) => unknown } }) => { await reply.code(401).send('no') })
      app.get('/', { config }, ok)
    }] as const),
  ['an error thrown by an onRequest hook of the instance', 500, (app, config) => {
    app.addHook('onRequest', async () => { throw new Error('hook') })
    app.get('/', { config }, ok)
  }],
  ['403 from an onRequest hook of the route', 403, (app, config) => { app.get('/', { config, onRequest: async (_request, reply) => { await reply.code(403).send('no') } }, ok) }],
  ['an onSend hook that throws', 500, (app, config) => {
    let first = true
    app.addHook('onSend', async () => {
      if (first) { first = false; throw new Error('onSend') }
    })
    app.get('/', { config }, ok)
  }],
  ['an onSend hook that throws always, after an onRequest hook that did', 500, (app, config) => {
    app.addHook('onRequest', async () => { throw new Error('onRequest') })
    app.addHook('onSend', async () => { throw new Error('onSend') })
    app.get('/', { config }, ok)
  }]
]

for (const [name, status, declare, send = {}] of ENDINGS) {
  t.test(`a response has the headers of its policy with ${name}`, async (t) => {
    for (const [origin, expected] of [[FOO, ALLOWED], [EVIL, {}], [undefined, {}]] as const) {
      const app = await application(t)
      declare(app, { cors: POLICY })
      const response = await request(app, send.method ?? 'GET', '/', origin, send)
      t.equal(response.statusCode, status)
      t.same(accessControl(response), expected, `origin ${origin}`)
      const vary = String(response.headers.vary).split(', ')
      t.equal(vary.filter((value) => value === 'Origin').length, 1, 'Vary: Origin, once')
    }
    const app = await application(t)
    declare(app, { cors: { origin: '*' } })
    t.same(accessControl(await request(app, send.method ?? 'GET', '/', undefined, send)), { 'access-control-allow-origin': '*' })
  })
}

t.test('a web Response keeps its status, body and other headers', async (t) => {
  const app = await application(t)
  app.get('/', { config: { cors: POLICY } }, async () => {
    const headers = new Headers({ vary: 'Accept, origin', 'access-control-allow-origin': '*', 'content-type': 'text/x' })
    headers.append('set-cookie', 'a=1')
    headers.append('set-cookie', 'b=2')
    return new Response('body', { status: 203, headers })
  })
  const response = await request(app, 'GET', '/', FOO)
  t.equal(response.statusCode, 203)
  t.equal(response.body, 'body')
  t.equal(response.headers['content-type'], 'text/x')
  t.same(response.headers['set-cookie'], ['a=1', 'b=2'])
  t.same(corsHeaders(response), { vary: 'Accept, origin', ...ALLOWED })
})

t.test('a web Response of a route whose policy does not depend on Origin keeps its Vary', async (t) => {
  const app = await application(t)
  for (const [path, policy] of [['/all', { origin: '*' }], ['/off', false]] as const) {
    app.get(path, { config: { cors: policy } }, async () => new Response('x', { headers: { vary: 'Cookie', 'access-control-allow-origin': EVIL } }))
  }
  t.same(corsHeaders(await request(app, 'GET', '/all', FOO)), { vary: 'Cookie', 'access-control-allow-origin': '*' })
  t.same(corsHeaders(await request(app, 'GET', '/off', FOO)), { vary: 'Cookie' })
})

t.test('Access-Control headers that a handler or a hook sets are replaced by those of the policy', async (t) => {
  const app = await application(t)
  const theirs = {
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': '*',
    'Access-Control-Allow-Methods': 'PUT',
    'Access-Control-Allow-Headers': '*',
    'Access-Control-Max-Age': '600',
    'Access-Control-Allow-Private-Network': 'true'
  }
  app.addHook('onSend', async (request, reply, payload) => { if (request.url.includes('hook')) reply.headers(theirs); return payload })
  for (const [path, policy] of [['all', { origin: '*' }], ['one', { origin: FOO }], ['off', false]] as const) {
    app.get(`/${path}/hook`, { config: { cors: policy } }, ok)
    app.get(`/${path}/handler`, { config: { cors: policy } }, (_request, reply) => { reply.headers(theirs).send('ok') })
    app.get(`/${path}/raw`, { config: { cors: policy } }, (_request, reply) => {
      for (const [name, value] of Object.entries(theirs)) reply.raw.setHeader(name, value)
      reply.send('ok')
    })
  }
  const exposed = { 'access-control-expose-headers': '*' } // what a handler exposes is added, as these policies declare no exposedHeaders
  for (const way of ['hook', 'handler', 'raw']) {
    t.same(accessControl(await request(app, 'GET', `/all/${way}`, FOO)), { 'access-control-allow-origin': '*', ...exposed }, way)
    t.same(accessControl(await request(app, 'GET', `/one/${way}`, FOO)), { 'access-control-allow-origin': FOO, ...exposed }, way)
    t.same(accessControl(await request(app, 'GET', `/one/${way}`, EVIL)), {}, way)
    t.same(accessControl(await request(app, 'GET', `/off/${way}`, FOO)), {}, way)
  }
})

t.test('a route without a policy keeps the headers that its handler sets', async (t) => {
  const app = await application(t)
  app.get('/', (_request, reply) => { reply.headers({ vary: 'X', 'access-control-allow-origin': '*' }).send('ok') })
  t.same(corsHeaders(await request(app, 'GET', '/', FOO)), { vary: 'X', 'access-control-allow-origin': '*' })
})

t.test('Vary is merged, whoever set it and in whatever form', async (t) => {
  for (const [set, expected] of [
    ['Accept-Encoding', 'Accept-Encoding, Origin'],
    ['origin', 'origin'],
    ['Accept,ORIGIN , accept', 'Accept, ORIGIN'],
    [['Accept', 'Cookie, Accept'], 'Accept, Cookie, Origin'],
    ['*', '*'],
    ['Accept, *', '*'],
    ['', 'Origin']
  ] as const) {
    const app = await application(t)
    app.get('/handler', { config: { cors: { origin: FOO } } }, (_request, reply) => { reply.header('vary', set).send('ok') })
    app.get('/before', { config: { cors: { origin: FOO } }, onRequest: async (_request, reply) => { reply.header('vary', set) } }, ok)
    app.get('/removed', { config: { cors: { origin: FOO } } }, (_request, reply) => { reply.removeHeader('vary').send('ok') })
    t.equal((await request(app, 'GET', '/handler')).headers.vary, expected)
    t.equal((await request(app, 'GET', '/before')).headers.vary, expected)
    t.equal((await request(app, 'GET', '/removed')).headers.vary, 'Origin')
  }
  const early = Fastify()
  t.teardown(async () => { await early.close() })
  early.addHook('onRequest', async (_request, reply) => { reply.header('vary', 'Cookie') })
  await early.register(cors)
  early.get('/', { config: { cors: { origin: FOO } } }, ok)
  t.equal((await request(early, 'GET', '/', FOO)).headers.vary, 'Cookie, Origin')
})

t.test('an origin function decides about each response', async (t) => {
  const app = await application(t)
  app.get('/sync', { config: { cors: { origin: (origin) => origin === FOO } } }, ok)
  app.get('/async', { config: { cors: { origin: async (origin) => origin === FOO } } }, ok)
  for (const url of ['/sync', '/async']) {
    t.same(corsHeaders(await request(app, 'GET', url, FOO)), { vary: 'Origin', 'access-control-allow-origin': FOO })
    t.same(corsHeaders(await request(app, 'GET', url, EVIL)), { vary: 'Origin' })
    t.same(corsHeaders(await request(app, 'GET', url)), { vary: 'Origin' })
  }
})

t.test('an origin function is called once, also if an earlier hook throws or answers', async (t) => {
  const app = await application(t)
  let asked = 0
  app.addHook('onRequest', async () => { throw new Error('before us') })
  app.get('/', { config: { cors: { origin: async (origin) => { asked++; return origin === FOO } } } }, ok)
  app.get('/sent', { config: { cors: { origin: async (origin) => origin === FOO } }, errorHandler: (_error, _request, reply) => { reply.code(500).send('no') } }, ok)
  t.same(corsHeaders(await request(app, 'GET', '/', FOO)), { vary: 'Origin', 'access-control-allow-origin': FOO })
  t.equal(asked, 1)
  const other = await application(t)
  other.addHook('onRequest', async (_request, reply) => { await reply.code(401).send('no') })
  other.get('/', { config: { cors: { origin: async (origin) => origin === FOO } } }, ok)
  t.same(corsHeaders(await request(other, 'GET', '/', FOO)), { vary: 'Origin', 'access-control-allow-origin': FOO })
})

t.test('a hijacked reply has the headers in getHeaders()', async (t) => {
  const app = await application(t)
  app.get('/', { config: { cors: POLICY } }, (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>)
    reply.raw.end('past Fastify')
  })
  const response = await request(app, 'GET', '/', FOO)
  t.equal(response.body, 'past Fastify')
  t.same(corsHeaders(response), { vary: 'Origin', ...ALLOWED })
})

t.test('404s carry the default policy, and it answers their preflights', async (t) => {
  const app = await application(t, { defaultPolicy: { origin: FOO } })
  app.get('/here', { config: { cors: { origin: EVIL } } }, (_request, reply) => { reply.callNotFound() })
  app.get('/default', ok)
  app.get('/throws', async () => { throw new Error('thrown') })
  const response = await request(app, 'GET', '/nowhere', FOO)
  t.equal(response.statusCode, 404)
  t.same(corsHeaders(response), { vary: 'Origin', 'access-control-allow-origin': FOO })
  t.same(corsHeaders(await request(app, 'GET', '/nowhere', EVIL)), { vary: 'Origin' })
  t.same(corsHeaders(await request(app, 'GET', '/here', EVIL)), { vary: 'Origin', 'access-control-allow-origin': EVIL }, 'the route\'s own policy, where it has one')
  t.same(corsHeaders(await request(app, 'GET', '/here', FOO)), { vary: 'Origin' })
  t.same(corsHeaders(await request(app, 'GET', '/default', FOO)), { vary: 'Origin', 'access-control-allow-origin': FOO })
  t.same(corsHeaders(await request(app, 'GET', '/throws', FOO)), { vary: 'Origin', 'access-control-allow-origin': FOO }, 'an error is no 404')
  const asked = await app.inject({ method: 'OPTIONS', url: '/nowhere', headers: { origin: FOO, 'access-control-request-method': 'GET' } })
  t.equal(asked.statusCode, 204)
  t.same(accessControl(asked), { 'access-control-allow-origin': FOO, 'access-control-allow-methods': 'GET' })
})

t.test('if a route calls the not-found handler, its origin function is called once, and the default\'s never', async (t) => {
  const asked = { route: 0, default: 0 }
  const app = await application(t, { defaultPolicy: { origin: async () => { asked.default++; return true } } })
  app.get('/allowed', { config: { cors: { origin: async () => { asked.route++; return true } } } }, (_request, reply) => { reply.callNotFound() })
  app.get('/refused', { config: { cors: { origin: () => { asked.route++; return false } } } }, (_request, reply) => { reply.callNotFound() })
  t.same(corsHeaders(await request(app, 'GET', '/allowed', FOO)), { vary: 'Origin', 'access-control-allow-origin': FOO })
  t.strictSame(asked, { route: 1, default: 0 })
  t.same(corsHeaders(await request(app, 'GET', '/refused', FOO)), { vary: 'Origin' })
  t.strictSame(asked, { route: 2, default: 0 })
})

t.test('a 404 has the headers of the default policy also if an earlier hook throws', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.addHook('onRequest', async () => { throw new Error('before us') })
  await app.register(cors, { defaultPolicy: { origin: FOO } })
  t.same(corsHeaders(await request(app, 'GET', '/nowhere', FOO)), { vary: 'Origin', 'access-control-allow-origin': FOO })
})

t.test('responses over HTTP/2 have the same headers', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(async () => { await app.close() })
  await app.register(cors)
  app.put('/', { config: { cors: POLICY } }, ok)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const client = connectHttp2(`http://127.0.0.1:${portOf(app.server)}`)
  t.teardown(() => { client.close() })
  const send = async (headers: Record<string, string>): Promise<Record<string, unknown>> => await new Promise((resolve, reject) => {
    const stream = client.request({ ':path': '/', ...headers })
    stream.on('response', resolve)
    stream.on('error', reject)
    stream.resume()
    stream.end()
  })
  t.match(await send({ ':method': 'OPTIONS', origin: FOO, 'access-control-request-method': 'PUT' }), {
    ':status': 204, 'access-control-allow-origin': FOO, 'access-control-allow-methods': 'PUT', vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'
  })
  t.match(await send({ ':method': 'PUT', origin: FOO }), { ':status': 200, vary: 'Origin', ...ALLOWED })
})

/** Reads a response as far as it comes. */
async function read (app: FastifyInstance, path: string, origin: string): Promise<{ headers: Record<string, unknown>, body: string, complete: boolean }> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  return await new Promise((resolve, reject) => {
    get({ port: portOf(app.server), host: '127.0.0.1', path, headers: { origin }, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (data) => { body += String(data) }).on('error', () => {})
        .on('close', () => { resolve({ headers: response.headers, body, complete: response.complete }) })
    }).on('error', reject)
  })
}

/** What was written is on its way: only then does a failure come too late for an error response. */
const sent = async (): Promise<void> => { await setTimeout(50) }

t.test('streams have the CORS headers, also those that fail after the headers are sent', async (t) => {
  const app = await application(t)
  app.get('/events', { config: { cors: POLICY } }, async (_request, reply) => {
    reply.type('text/event-stream')
    return Readable.from(['data: 1\n\n', 'data: 2\n\n'])
  })
  app.get('/hijacked', { config: { cors: POLICY } }, (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { ...reply.getHeaders() as Record<string, string>, 'content-type': 'text/event-stream' })
    reply.raw.write('data: 1\n\n')
    reply.raw.end()
  })
  const failing = async function * (): AsyncGenerator<string> {
    yield 'begun'
    await sent()
    throw new Error('midway')
  }
  app.get('/fails', { config: { cors: POLICY } }, async () => Readable.from(failing()))
  app.get('/web-fails', { config: { cors: POLICY } }, async () => {
    let pulled = 0
    return new ReadableStream({
      async pull (controller) {
        if (pulled++ === 0) {
          controller.enqueue(Buffer.from('begun'))
        } else {
          await sent()
          controller.error(new Error('midway'))
        }
      }
    }, { highWaterMark: 0 })
  })
  for (const [path, body, complete] of [['/events', 'data: 1\n\ndata: 2\n\n', true], ['/hijacked', 'data: 1\n\n', true], ['/fails', 'begun', false], ['/web-fails', 'begun', false]] as const) {
    const response = await read(app, path, FOO)
    t.match(response, { body, complete, headers: { vary: 'Origin', ...ALLOWED } }, path)
    t.notOk('access-control-allow-origin' in (await read(app, path, EVIL)).headers, path)
  }
})

t.test('no CORS header is sent twice', async (t) => {
  const app = await application(t)
  app.get('/', { config: { cors: POLICY } }, (_request, reply) => {
    reply.raw.setHeader('Vary', 'Accept')
    reply.raw.setHeader('Access-Control-Allow-Origin', '*')
    reply.send('ok')
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { headers } = await send(portOf(app.server), ['GET / HTTP/1.1', 'Host: a', `Origin: ${FOO}`])
  for (const name of ['vary', ...Object.keys(ALLOWED)]) t.equal(headers.get(name)?.length, 1, name)
})
