// The applications of the conformance cases: the API, with the plugin and routes of every policy, and the server of the pages.
import { Readable } from 'node:stream'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify'
import cors from '../../lib/index'
import { reads } from '../support/features'
import { CLASSIC_SCRIPT, font, IMAGE, SCRIPT } from './assets'
import { policiesOf, type PolicyName } from './policies'
import type { Record } from './record'
import type { World } from './world'

/** The methods that every policy's own route has. */
export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'PROPFIND', 'PURGE'].filter(reads)

/** Policies that have the routes of each kind that is not theirs alone. */
export const SHOWN: readonly PolicyName[] = ['everyone', 'exact', 'list', 'none', 'credentials', 'null-origin']

/** Options of Fastify, of HTTP/1 and HTTP/2 alike. */
type ServerOptions = object
type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/** The API. It is the same for all of its hosts, and over HTTP and HTTPS. */
export async function api (world: World, record: Record, server: ServerOptions = {}): Promise<FastifyInstance> {
  const app = Fastify({ ...server, forceCloseConnections: true })
  record.observe(app)
  for (const method of ['PROPFIND', 'PURGE', 'QUERY'].filter(reads)) app.addHttpMethod(method, { hasBody: true, overrideExisting: true })
  for (const type of [['application/x-www-form-urlencoded', 'multipart/form-data', 'application/json', 'text/plain'], /^text\/plain/i]) {
    app.addContentTypeParser(type, { parseAs: 'string' }, (_request, body, done) => done(null, body))
  }
  const policies = policiesOf(world)
  await app.register(cors)

  /** A handler that leaves its mark. */
  const marked = (handler: Handler): Handler => (request, reply) => {
    record.ran(request)
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
    return handler(request, reply)
  }
  const under = (name: PolicyName): { config: { cors: cors.RouteCors } } | undefined => {
    const policy = policies[name] as cors.RouteCors | undefined
    return policy === undefined ? undefined : { config: { cors: policy } }
  }
  const route = (name: PolicyName, method: string | string[], url: string, handler: Handler, rest: Partial<RouteOptions> = {}): void => {
    app.route({ ...under(name), ...rest, method, url, handler: marked(handler) } as RouteOptions)
  }
  const plain: Handler = ({ method, routeOptions }, reply) => {
    reply.headers({ etag: '"1"', 'x-request-id': '7', 'x-other': 'other', 'content-language': 'en', 'set-cookie': 'from-response=1; Path=/nowhere' })
    return `${method} ${routeOptions.url}`
  }

  for (const name of Object.keys(policies) as PolicyName[]) route(name, METHODS, `/${name}`, plain)
  app.get('/page', (_request, reply) => reply.type('text/html').send(PAGE))
  app.get('/login', (_request, reply) => reply.header('set-cookie', ['lax=1; SameSite=Lax', 'strict=1; SameSite=Strict']).type('text/html').send(PAGE))
  app.get('/secure-login', (_request, reply) => {
    return reply.header('set-cookie', ['none=1; SameSite=None; Secure', 'secure-lax=1; SameSite=Lax; Secure']).type('text/html').send(PAGE)
  })

  // One URL, and a policy for each method.
  route('everyone', 'GET', '/items/:id', plain)
  route('kept', ['PUT', 'DELETE'], '/items/:id', plain)
  route('kept-for-a-day', 'PATCH', '/items/:id', plain)
  route('none', 'POST', '/items/:id', plain)
  route('everyone', 'PUT', '/items/special', plain)
  route('none', 'PUT', '/items/closed', plain)
  route('exact', ['GET', 'PUT'], '/files/*', plain)
  route('none', ['GET', 'PUT'], '/files/private', plain)
  // The user's own OPTIONS route.
  route('exact', ['OPTIONS', 'PUT'], '/own-options', plain)
  // Derived lists.
  route('exact', ['GET', 'PUT'], '/derived', plain, {
    schema: {
      headers: { type: 'object', properties: { 'x-one': { type: 'string' } } },
      response: { 200: { type: 'string', headers: { 'x-request-id': { type: 'string' } } } }
    } as object
  })
  // What is no success.
  route('listed-headers', 'GET', '/errors/304', (_request, reply) => reply.code(304).header('etag', '"1"').send())
  route('exact', 'GET', '/errors/400', plain, { schema: { querystring: { type: 'object', required: ['page'] } } })
  route('exact', ['GET', 'PUT'], '/errors/401', plain, { preHandler: (_request, reply, done) => { reply.code(401); done(new Error('who are you?')) } })
  route('exact', ['POST', 'PUT'], '/errors/413', plain, { bodyLimit: 4 })
  route('exact', ['POST', 'PUT'], '/errors/415', plain)
  route('exact', ['GET', 'PUT'], '/errors/500', () => { throw new Error('broken') })
  await app.register(async (scope) => {
    await scope.register(cors, { defaultPolicy: policies.exact })
    scope.setNotFoundHandler((request, reply) => { reply.code(404).send(`nothing at ${request.method}`) })
  }, { prefix: '/open' })

  for (const name of SHOWN) {
    for (const status of [301, 302, 303, 307, 308]) route(name, METHODS, `/redirect/${status}/${name}`, (request, reply) => reply.redirect(to(request), status))
    route(name, 'GET', `/assets/script/${name}`, (_request, reply) => reply.type('text/javascript').send(SCRIPT))
    route(name, 'GET', `/assets/classic/${name}`, (_request, reply) => reply.type('text/javascript').send(CLASSIC_SCRIPT))
    route(name, 'GET', `/assets/image/${name}`, (_request, reply) => reply.type('image/svg+xml').header('cache-control', 'max-age=600').send(IMAGE))
    route(name, 'GET', `/assets/font/${name}`, (_request, reply) => reply.type('font/ttf').send(font()))
    route(name, 'GET', `/events/${name}`, (_request, reply) => reply.type('text/event-stream').send(Readable.from(['data: one\n\n', 'data: two\n\n'])))
    route(name, ['GET', 'PUT'], `/stream/${name}`, (_request, reply) => reply.type('text/plain').send(Readable.from(['one ', 'two ', 'three'])))
    route(name, 'GET', `/web-stream/${name}`, () => new Response('from a Response', { headers: { 'content-type': 'text/plain' } }))
    route(name, 'GET', `/cached/${name}`, (_request, reply) => reply.header('cache-control', 'max-age=600').send(`cached ${name}`))
  }
  // What a browser does with a cached response that should vary and does not say so: written by hand, out of the plugin's hands.
  route('undeclared', 'GET', '/cached/without-vary', ({ headers }, reply) => {
    if (headers.origin !== undefined) reply.header('access-control-allow-origin', headers.origin)
    return reply.header('cache-control', 'max-age=600').send('cached')
  })
  await app.ready()
  return app
}

/** The server of the pages, of all hosts. It has nothing to do with CORS, but redirects. */
export async function pageServer (record: Record, server: ServerOptions = {}): Promise<FastifyInstance> {
  const app = Fastify({ ...server, forceCloseConnections: true })
  record.observe(app)
  app.get('/page', (_request, reply) => reply.type('text/html').send(PAGE))
  app.get('/redirect', (request, reply) => {
    record.ran(request)
    reply.redirect(to(request), 307)
  })
  await app.ready()
  return app
}

function to ({ query }: FastifyRequest): string {
  return (query as { to: string }).to
}

const PAGE = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A page</title><p>abc</p>'
