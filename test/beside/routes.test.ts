// Beside the plugins that bring routes of their own: files, proxies, API documentation, WebSockets, loaded directories, tRPC and GraphQL.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import fastifyHttpProxy from '@fastify/http-proxy'
import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import websocket from '@fastify/websocket'
import { initTRPC, TRPCError } from '@trpc/server'
import { fastifyTRPCPlugin, type FastifyTRPCPluginOptions } from '@trpc/server/adapters/fastify'
import mercurius from 'mercurius'
import { WebSocket } from 'ws'
import cors from '../../lib/index'
import { application, EVIL, FOO, ok, ONE } from '../support'
import { portOf } from '../support/ports'
import { nothingTo, onlyFoo, onlyFooMay, Traffic, type Sent } from '../support/traffic'

t.test('the files of @fastify/static are answered by their policy', async (t) => {
  const root = t.testdir({ 'a.txt': 'text', sub: { 'index.html': '<p>page</p>' } })
  const exposed = { 'access-control-expose-headers': 'ETag, Content-Range' }

  for (const wildcard of [true, false]) {
    await t.test(`files, ranges and errors have the headers of their policy with wildcard: ${wildcard}`, async (t) => {
      const app = Fastify()
      app.register(async (scope) => {
        await scope.register(cors, { defaultPolicy: { ...ONE, exposedHeaders: ['ETag', 'Content-Range'] } })
        // What it sets itself does not count.
        await scope.register(fastifyStatic, { root, prefix: '/files/', wildcard, setHeaders: (reply) => { reply.header('access-control-allow-origin', '*') } })
        scope.get('/sent', { config: { cors: ONE } }, async (_request, reply) => await reply.sendFile('a.txt'))
      })
      app.register(async (scope) => { await scope.register(fastifyStatic, { root, prefix: '/closed/', wildcard }) })
      const traffic = await Traffic.to(t, app)
      for (const path of ['/files/a.txt', '/files/sub/', '/files/sub/index.html']) {
        t.same(await traffic.told('GET', path), onlyFoo(200, exposed), path)
        t.same(await traffic.told('HEAD', path), onlyFoo(200, exposed), `HEAD ${path}`)
        for (const method of ['GET', 'HEAD']) t.same(await traffic.toldBefore(method, path), onlyFooMay('HEAD, GET'), `${method} ${path}`)
        t.same(await traffic.toldBefore('PUT', path), { ...nothingTo(404), allowed: onlyFooMay('HEAD, GET').allowed }, 'a method without a route: the answer lets the browser name it')
      }
      t.equal(String((await traffic.send('GET', '/files/a.txt', FOO)).body), 'text')
      const asked = await traffic.preflight('GET', '/files/a.txt')
      t.equal(String(asked.body), '')
      t.same([asked.headers.etag, asked.headers['content-type'], asked.headers['content-length']], [undefined, undefined, undefined], 'a preflight gets no part of the file')
      const { etag } = (await traffic.send('GET', '/files/a.txt', FOO)).headers
      t.same(await traffic.told('GET', '/files/a.txt', { headers: { 'if-none-match': etag as string } }), onlyFoo(304, exposed))
      t.same(await traffic.told('GET', '/files/a.txt', { headers: { range: 'bytes=1-2' } }), onlyFoo(206, exposed))
      t.same(await traffic.told('GET', '/files/a.txt', { headers: { range: 'bytes=9-' } }), onlyFoo(416, exposed))
      t.same(await traffic.toldBefore('GET', '/files/a.txt', { 'access-control-request-headers': 'range' }), onlyFooMay('HEAD, GET'))
      t.same(await traffic.told('GET', '/sent'), onlyFoo(200), 'a file that a route sends')
      t.same(await traffic.told('GET', '/closed/a.txt'), nothingTo(200))
      t.same(await traffic.toldBefore('GET', '/closed/a.txt'), nothingTo(404))
      t.same(await traffic.told('GET', '/files/none'), wildcard ? onlyFoo(404, exposed) : nothingTo(404))
      t.same(await traffic.toldBefore('GET', '/files/none'), wildcard ? onlyFooMay('HEAD, GET') : nothingTo(404))
    })
  }
})

/** A server behind a proxy, with CORS headers of its own; and the requests that reached it. */
async function upstreamServer (t: Test): Promise<{ url: string, reached: string[] }> {
  const reached: string[] = []
  const server: Server = createServer((request: IncomingMessage, response: ServerResponse) => {
    reached.push(`${request.method} ${request.url}`)
    response.setHeader('Vary', ['Accept', 'origin, Cookie'])
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Allow-Credentials', 'true')
    response.setHeader('Access-Control-Expose-Headers', 'X-Theirs')
    response.setHeader('X-Theirs', '1')
    if (request.method === 'OPTIONS') response.setHeader('Access-Control-Allow-Methods', 'GET, PUT, DELETE')
    response.statusCode = request.url === '/missing' ? 404 : 200
    response.end(request.method)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => new Promise((resolve) => { server.close(resolve) }))
  return { url: `http://127.0.0.1:${portOf(server)}`, reached }
}

const PROXIED = 'DELETE, GET, HEAD, PATCH, POST, PUT, OPTIONS'

t.test('the routes of @fastify/http-proxy are answered by their policy, not the upstream\'s', async (t) => {
  const { url: upstream, reached } = await upstreamServer(t)
  const app = await application(t)
  app.register(fastifyHttpProxy, { upstream, prefix: '/api', config: { cors: ONE } })
  app.register(async (scope) => {
    await scope.register(cors, { defaultPolicy: ONE })
    scope.register(fastifyHttpProxy, { upstream })
  }, { prefix: '/scope' })
  app.register(fastifyHttpProxy, { upstream, prefix: '/public', config: { cors: { origin: '*' } } })
  app.register(fastifyHttpProxy, { upstream, prefix: '/closed', config: { cors: false } })
  app.register(fastifyHttpProxy, { upstream, prefix: '/open' })
  app.register(fastifyHttpProxy, { upstream: 'http://127.0.0.1:1', prefix: '/down', config: { cors: ONE } })
  const traffic = await Traffic.to(t, app)

  /** What of the requests that were sent since went on to the upstream. */
  const arrived = (): string[] => reached.splice(0)

  await t.test('a proxied route with a policy has the headers of the policy alone, and none twice', async (t) => {
    const [proxied, missing] = [200, 404].map((status) => onlyFoo(status, { 'access-control-expose-headers': 'X-Theirs' }, 'Accept, origin, Cookie'))
    for (const prefix of ['/api', '/scope']) {
      for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS']) {
        for (const [path, expected] of [['', proxied], ['/x', proxied], ['/missing', missing]] as const) {
          t.same(await traffic.told(method, prefix + path), expected, `${method} ${prefix}${path}`)
          t.same(arrived(), Array(3).fill(`${method} ${path === '' ? '/' : path}`))
        }
      }
    }
    t.equal((await traffic.send('GET', '/api/x', FOO)).headers['x-theirs'], '1', 'other headers pass')
    t.same(await traffic.told('GET', '/public/x'), nothingTo(200, { vary: 'Accept & origin, Cookie', 'access-control-allow-origin': '*', 'access-control-expose-headers': 'X-Theirs' }))
    arrived()
  })

  await t.test('a preflight for a proxied route with a policy does not reach the upstream', async (t) => {
    const taken = { 'access-control-allow-headers': 'content-type' }
    const absent = { status: 200, vary: 'Accept, origin, Cookie' }
    for (const prefix of ['/api', '/scope']) {
      t.same(await traffic.toldBefore('GET', `${prefix}/x`), onlyFooMay(PROXIED, {}, absent))
      t.same(await traffic.toldBefore('PUT', `${prefix}/x`), onlyFooMay(PROXIED, taken, absent))
      t.same(arrived(), ['OPTIONS /x', 'OPTIONS /x'], 'only OPTIONS requests without an Origin are proxied')
      t.same(await traffic.toldBefore('PROPFIND', `${prefix}/x`), { allowed: absent, refused: absent, absent }, 'no route is there for the method, and so no policy')
      t.same(arrived(), Array(3).fill('OPTIONS /x'))
    }
  })

  await t.test('a proxied route with cors: false passes no Access-Control header of the upstream', async (t) => {
    for (const method of ['GET', 'OPTIONS']) t.same(await traffic.told(method, '/closed/x'), nothingTo(200, { vary: 'Accept & origin, Cookie' }))
    arrived()
    t.same(await traffic.toldBefore('PUT', '/closed/x'), nothingTo(200, { vary: 'Accept & origin, Cookie' }))
    t.same(arrived(), Array(3).fill('OPTIONS /x'), 'preflights go to the upstream')
  })

  await t.test('a proxied route that declares nothing passes the headers of the upstream unchanged', async (t) => {
    const theirs = {
      vary: 'Accept & origin, Cookie',
      'access-control-allow-origin': '*',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'X-Theirs'
    }
    t.same(await traffic.told('GET', '/open/x'), nothingTo(200, theirs))
    arrived()
    t.same(await traffic.toldBefore('PUT', '/open/x'), nothingTo(200, { ...theirs, 'access-control-allow-methods': 'GET, PUT, DELETE' }))
    t.same(arrived(), Array(3).fill('OPTIONS /x'))
  })

  await t.test('a proxied route with a policy has its headers on the error of an upstream that is not there', async (t) => {
    t.same(await traffic.told('GET', '/down/x'), onlyFoo(500))
    t.same(await traffic.toldBefore('GET', '/down/x'), onlyFooMay(PROXIED, {}, { status: 500, vary: 'Origin' }))
  })
})

t.test('@fastify/swagger shows generated routes only where the option says so', async (t) => {
  const openapi = { openapi: { openapi: '3.1.0' } } as const
  type Document = Readonly<Record<string, unknown> & { paths: Record<string, Record<string, unknown>> }>

  /** The OpenAPI document of an application with some routes. */
  const document = async (register: (app: FastifyInstance) => Promise<void>): Promise<Document> => {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    await register(app)
    app.addSchema({ $id: 'item', type: 'object', properties: { name: { type: 'string' } } })
    app.get('/items/:id', { schema: { params: { type: 'object', properties: { id: { type: 'integer' } } }, response: { 200: { $ref: 'item#' } } }, config: { cors: ONE } }, ok)
    app.put('/items/:id', { schema: { body: { $ref: 'item#' }, headers: { type: 'object', properties: { 'if-match': { type: 'string' } } }, operationId: 'put' }, config: { cors: { origin: '*' } } }, ok)
    app.get('/mine', { config: { cors: ONE } }, ok)
    app.options('/mine', { schema: { summary: 'mine' } }, ok)
    app.get('/closed/:id', { config: { cors: false } }, ok)
    app.register(async (scope) => { scope.get('/', { config: { cors: ONE } }, ok) }, { prefix: '/scope' })
    await app.ready()
    return app.swagger() as unknown as Document
  }
  const methods = ({ paths }: Document): Record<string, string[]> => Object.fromEntries(Object.entries(paths).map(([path, operations]) => [path, Object.keys(operations).sort()]))

  const without = await document(async (app) => { await app.register(swagger, openapi) })
  t.same(methods(without), { '/items/{id}': ['get', 'put'], '/mine': ['get', 'options'], '/closed/{id}': ['get'], '/scope/': ['get'] })
  t.same(await document(async (app) => {
    await app.register(swagger, openapi)
    await app.register(cors)
  }), without, 'registered before the plugin')
  t.same(await document(async (app) => {
    await app.register(cors)
    await app.register(swagger, openapi)
  }), without, 'registered after it')

  const shown = await document(async (app) => {
    await app.register(swagger, openapi)
    await app.register(cors, { hideOptionsRoute: false })
  })
  t.same(methods(shown), { '/items/{id}': ['get', 'options', 'put'], '/mine': ['get', 'options'], '/closed/{id}': ['get'], '/scope': ['options'], '/scope/': ['get', 'options'] })
  t.match(shown.paths['/mine'], { options: { summary: 'mine' } })
  t.same(methods(await document(async (app) => {
    await app.register(cors, { hideOptionsRoute: false })
    await app.register(swagger, openapi)
  })), methods(shown), 'registered after it')
})

t.test('a preflight is answered whether @fastify/swagger hides or shows the generated routes', async (t) => {
  for (const hideOptionsRoute of [true, false]) {
    const app = Fastify()
    await app.register(swagger)
    await app.register(cors, { hideOptionsRoute })
    app.get('/items/:id', { config: { cors: ONE } }, ok)
    const traffic = await Traffic.to(t, app)
    t.same(await traffic.toldBefore('GET', '/items/1'), onlyFooMay('GET, HEAD'))
    t.same(await traffic.told('GET', '/items/1'), onlyFoo(200))
  }
})

t.test('the routes of @fastify/websocket keep their upgrades', async (t) => {
  for (const first of ['websocket', 'cors']) {
    await t.test(`upgrades are not governed by CORS, and requests are, with ${first} registered first`, async (t) => {
      const app = Fastify()
      if (first === 'cors') await app.register(cors)
      await app.register(websocket)
      if (first === 'websocket') await app.register(cors)
      app.get('/socket', { websocket: true, config: { cors: ONE } }, (socket) => {
        socket.on('message', (message) => { socket.send(`echo ${String(message)}`) })
      })
      app.route({
        method: 'GET',
        url: '/both',
        config: { cors: { origin: async (origin) => origin === FOO } },
        handler: ok,
        wsHandler: (socket) => { socket.send('hello') }
      })
      app.get('/guarded', { websocket: true, config: { cors: ONE }, preValidation: async (_request, reply) => { await reply.code(401).send('no') } }, () => {})
      app.get('/plain', { config: { cors: ONE } }, ok)
      const traffic = await Traffic.to(t, app)

      /** What the socket says first, after a message of ours; or how it was refused. */
      const talk = async (path: string, origin?: string): Promise<unknown> => {
        const socket = new WebSocket(traffic.url + path, origin === undefined ? {} : { origin })
        try {
          socket.once('open', () => { socket.send('hi') })
          return await new Promise((resolve) => {
            socket.once('message', (message) => { resolve(String(message)) })
            socket.once('close', (code) => { resolve(code) })
            socket.once('unexpected-response', (_request, response) => { resolve({ status: response.statusCode, allows: response.headers['access-control-allow-origin'] }) })
            socket.once('error', resolve)
          })
        } finally {
          socket.terminate()
        }
      }
      for (const origin of [FOO, EVIL, undefined]) {
        t.equal(await talk('/socket', origin), 'echo hi', 'CORS does not govern WebSockets')
        t.equal(await talk('/both', origin), 'hello')
        t.same(await talk('/guarded', origin), { status: 401, allows: origin === FOO ? FOO : undefined })
        t.equal(await talk('/plain', origin), 1005, 'closed, for there is no handler')
      }
      t.same(await traffic.told('GET', '/both'), onlyFoo(200))
      t.same(await traffic.told('GET', '/socket'), onlyFoo(404), 'no upgrade')
      t.same(await traffic.told('GET', '/plain'), onlyFoo(200))
      for (const path of ['/both', '/socket', '/plain']) t.same(await traffic.toldBefore('GET', path), onlyFooMay('GET, HEAD'))
    })
  }
})

const ALL = 'GET, HEAD, DELETE, OPTIONS, PATCH, PUT, POST, QUERY'

t.test('the Fastify adapter of tRPC is answered by its policy', async (t) => {
  const trpc = initTRPC.create()
  const router = trpc.router({
    ping: trpc.procedure.query(() => 'pong'),
    count: trpc.procedure.input((value: unknown) => {
      if (typeof value !== 'number') throw new Error('not a number')
      return value
    }).mutation(({ input }) => input + 1),
    secret: trpc.procedure.query(() => { throw new TRPCError({ code: 'UNAUTHORIZED' }) }),
    ticks: trpc.procedure.subscription(async function * () { yield 1 })
  })
  const app = Fastify()
  app.register(async (scope) => {
    await scope.register(cors, { defaultPolicy: ONE })
    await scope.register(fastifyTRPCPlugin, { prefix: '/trpc', trpcOptions: { router } } satisfies FastifyTRPCPluginOptions<typeof router>)
  })
  app.register(async (scope) => {
    await scope.register(cors, { defaultPolicy: { origin: '*' } })
    await scope.register(fastifyTRPCPlugin, { prefix: '/public', trpcOptions: { router } } satisfies FastifyTRPCPluginOptions<typeof router>)
  })
  app.register(fastifyTRPCPlugin, { prefix: '/closed', trpcOptions: { router } } satisfies FastifyTRPCPluginOptions<typeof router>)
  const traffic = await Traffic.to(t, app)
  const json = (body: unknown): Sent => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const vary = 'trpc-accept, accept, Origin'
  const absent = { status: 415, vary } // tRPC has a route for every method, and refuses OPTIONS

  for (const [path, status] of [['/trpc/ping', 200], ['/trpc/ping,ping?batch=1', 200], ['/trpc/ticks', 200], ['/trpc/secret', 401], ['/trpc/none', 404]] as const) {
    t.same(await traffic.told('GET', path), onlyFoo(status, {}, vary), path)
    t.same(await traffic.toldBefore('GET', path), onlyFooMay(ALL, {}, absent), path)
  }
  t.match(String((await traffic.send('GET', '/trpc/ticks', FOO)).body), /^data: 1$/m, 'events of a subscription')
  for (const [input, status] of [[1, 200], ['a', 400]] as const) {
    t.same(await traffic.told('POST', '/trpc/count', json(input)), onlyFoo(status, {}, vary))
  }
  t.same(JSON.parse(String((await traffic.send('POST', '/trpc/count', FOO, json(1))).body)), { result: { data: 2 } })
  t.same(await traffic.toldBefore('POST', '/trpc/count'), onlyFooMay(ALL, { 'access-control-allow-headers': 'content-type' }, absent))
  t.same(await traffic.told('GET', '/public/ping'), nothingTo(200, { vary: 'trpc-accept, accept', 'access-control-allow-origin': '*' }))
  t.same(await traffic.told('GET', '/closed/ping'), nothingTo(200, { vary: 'trpc-accept, accept' }))
  t.same(await traffic.toldBefore('GET', '/closed/ping'), nothingTo(415, { vary: 'trpc-accept, accept' }))
})

t.test('the GraphQL of mercurius is answered by its policy', async (t) => {
  const app = await application(t)
  await app.register(mercurius, {
    schema: 'type Query { add(x: Int!, y: Int!): Int, fail: Int }',
    resolvers: {
      Query: {
        add: async (_parent: unknown, { x, y }: { x: number, y: number }) => x + y,
        fail: async () => { throw new Error('failed') }
      }
    },
    additionalRouteOptions: { config: { cors: ONE } }
  })
  const traffic = await Traffic.to(t, app)
  const query = (text: string): Sent => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query: text }) })
  for (const [text, status] of [['{ add(x: 1, y: 2) }', 200], ['{ fail }', 200], ['{ nothing }', 400], ['{', 400]] as const) {
    t.same(await traffic.told('POST', '/graphql', query(text)), onlyFoo(status), `POST ${text}`)
    t.same(await traffic.told('GET', `/graphql?query=${encodeURIComponent(text)}`), onlyFoo(status), `GET ${text}`)
  }
  t.same(JSON.parse(String((await traffic.send('POST', '/graphql', FOO, query('{ add(x: 1, y: 2) }'))).body)), { data: { add: 3 } })
  t.same(await traffic.toldBefore('POST', '/graphql'), onlyFooMay('GET, HEAD, POST', { 'access-control-allow-headers': 'content-type' }))
  t.same(await traffic.toldBefore('GET', '/graphql'), onlyFooMay('GET, HEAD, POST'))
})
