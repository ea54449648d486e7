// Builds the application of a generated ending, sends it the request, and reads the response's headers.
import { request as send, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import cors from '../../../lib/index'
import { FOO } from '../../support/origins'
import type { Ending, Hook, Policy, WHERE } from './ending'

const TIMEOUT = 10
/** Later than the time-out. */
const SLOW = 25
/** Late, but in time. */
const LATE = 1

/** How long a request may take that ends by itself. */
const PATIENCE = 400

export interface Observed {
  /** Undefined where no response came. */
  readonly headers: IncomingHttpHeaders | undefined
  readonly status: number
  /** What happened, in order: whose hook did what. */
  readonly trace: readonly string[]
}

class Failure extends Error {
  readonly headers: Record<string, string> | undefined
  constructor (text: string, headers: Record<string, string> | undefined) {
    super(text)
    if (headers !== undefined) this.headers = headers
  }
}

/** `withPlugin` false is for seeing what Fastify does by itself. */
export async function observe (ending: Ending, withPlugin = true): Promise<Observed> {
  const app = Fastify((ending.hasTimeout ? { handlerTimeout: TIMEOUT } : {}) as FastifyServerOptions)
  const trace: string[] = []
  try {
    await build(app, ending, trace, withPlugin)
    await app.ready()
    const { status, headers } = await exchange(app, ending)
    // What is still at work must not end the process.
    if (ending.hasTimeout) await setTimeout(SLOW + 5)
    return { status, headers, trace }
  } finally {
    app.server.closeAllConnections()
    await app.close()
  }
}

async function exchange (app: FastifyInstance, ending: Ending): Promise<{ status: number, headers: IncomingHttpHeaders | undefined }> {
  const isPreflight = ending.target === 'preflight' || ending.target === 'lost'
  const path = ending.target === 'none' || ending.target === 'lost' ? '/none' : '/'
  const headers: Record<string, string> = {
    ...(ending.origin !== undefined && { origin: ending.origin }),
    ...(isPreflight && { 'access-control-request-method': ending.method })
  }
  const method = isPreflight ? 'OPTIONS' : ending.method
  const abort = new AbortController()
  const nothing = { status: 0, headers: undefined }
  const patience = setTimeout(PATIENCE, nothing, { signal: abort.signal }).catch(() => nothing)
  const answered = async (): Promise<{ status: number, headers: IncomingHttpHeaders | undefined }> => {
    if (!ending.overSocket) {
      try {
        const response = await app.inject({ method, url: path, headers })
        return { status: response.statusCode, headers: response.headers as IncomingHttpHeaders }
      } catch {
        return nothing // the response was destroyed
      }
    }
    await app.listen({ port: 0, host: '127.0.0.1' })
    return await new Promise((resolve) => {
      const { port } = app.server.address() as AddressInfo
      send({ port, host: '127.0.0.1', path, method, headers, agent: false, signal: abort.signal }, (response) => {
        response.on('error', () => {}).resume()
        response.on('close', () => { resolve({ status: response.statusCode as number, headers: response.headers }) })
      }).on('error', () => { resolve(nothing) }).end()
    })
  }
  const found = await Promise.race([answered(), patience])
  abort.abort()
  return found
}

async function build (app: FastifyInstance, ending: Ending, trace: string[], withPlugin: boolean): Promise<void> {
  const { policy, hooks } = ending
  const add = (order: Hook['order']): void => {
    for (const hook of hooks) if (hook.order === order) app.addHook(hook.stage as 'onRequest', run(hook, ending, trace) as never)
  }
  const route = (hooks: readonly Hook[]): Record<string, unknown[]> => {
    const byStage: Record<string, unknown[]> = {}
    for (const hook of hooks) (byStage[hook.stage] ??= []).push(run(hook, ending, trace))
    return byStage
  }
  add('before')
  const declared = declare(policy)
  if (withPlugin) await app.register(cors, { defaultPolicy: policy.isDefault ? declared as never : false })
  add('after')
  if (ending.errorHandler !== 'default' && ending.errorHandler !== 'route') app.setErrorHandler(handleError(ending))
  if (ending.notFoundHandler !== 'default') {
    app.setNotFoundHandler((_request, reply) => {
      setForeign(reply, ending.foreign, ending)
      if (ending.notFoundHandler === 'throws') throw new Failure('not found', errorHeaders(ending))
      reply.code(404).send('none')
    })
  }
  app.route({
    method: ending.method,
    url: '/',
    exposeHeadRoute: false,
    config: policy.isDefault ? {} : { cors: declared },
    ...route(hooks.filter(({ order }) => order === 'route')),
    ...(ending.handler === 'schema' && { schema: { querystring: { type: 'object', required: ['q'] } } }),
    ...(ending.errorHandler === 'route' && { errorHandler: handleError({ ...ending, errorHandler: 'sends' }) }),
    handler: (request, reply) => handle(request, reply, ending)
  })
}

function declare ({ origin, credentials, exposes }: Policy): cors.RouteCors {
  if (origin === false) return false
  const is = (asked: string): boolean => asked === FOO
  const origins = {
    any: '*',
    list: [FOO],
    sync: is,
    async: async (asked: string) => { await setTimeout(LATE); return is(asked) },
    slow: async (asked: string) => { await setTimeout(SLOW); return is(asked) },
    never: async () => await new Promise<boolean>(() => {}),
    throws: () => { throw new Error('origin') },
    rejects: async () => { throw new Error('origin') },
    truthy: () => 'yes'
  }
  return {
    origin: origins[origin] as never,
    ...(origin !== 'any' && credentials && { credentials: true }),
    ...(exposes && { exposedHeaders: ['X-Exposed'] })
  } as never
}

function foreignHeaders ({ foreignOrigin }: Ending): Record<string, string> {
  return {
    'access-control-allow-origin': foreignOrigin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'X-Secret',
    'access-control-allow-methods': 'DELETE',
    'access-control-allow-headers': 'X-Any',
    'access-control-max-age': '600',
    'access-control-allow-private-network': 'true',
    vary: 'Cookie'
  }
}

function setForeign (reply: FastifyReply, where: typeof WHERE[number], ending: Ending): void {
  const headers = foreignHeaders(ending)
  if (where === 'reply' || where === 'both') reply.headers(headers)
  if ((where === 'raw' || where === 'both') && !reply.raw.headersSent) for (const [name, value] of Object.entries(headers)) reply.raw.setHeader(name, value)
}

/** Ends the raw response as a hook or middleware does that knows nothing of Fastify. */
function endRaw (reply: FastifyReply, how: Hook['raw'], ending: Ending): void {
  const { raw } = reply
  const headers = foreignHeaders(ending)
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
  const pairs = Object.entries(upper) as unknown as string[]
  if (how.startsWith('hijack')) reply.hijack()
  switch (how) {
    case 'end': case 'hijack end': break
    case 'write': raw.write('raw'); break
    case 'middleware':
      raw.statusCode = 401
      raw.setHeaders(new Headers(headers))
      break
    case 'head object': case 'hijack head': raw.writeHead(200, headers); break
    case 'head upper': raw.writeHead(200, upper); break
    case 'head flat': raw.writeHead(200, Object.entries(upper).flat()); break
    case 'head pairs': case 'hijack pairs': raw.writeHead(200, pairs); break
    case 'head reason': raw.writeHead(200, 'Fine', headers); break
    case 'hijack flush':
      setForeign(reply, 'raw', ending)
      raw.flushHeaders()
  }
  raw.end()
}

/** Sets foreign headers as late as a function can that stands before one of the raw response's. */
function wrap ({ raw }: FastifyReply, name: 'writeHead' | 'end', ending: Ending): void {
  const original = raw[name] as (...args: unknown[]) => unknown
  raw[name] = function (this: typeof raw, ...args: unknown[]) {
    if (!this.headersSent) for (const [name, value] of Object.entries(foreignHeaders(ending))) this.setHeader(name, value)
    return original.apply(this, args)
  } as never
}

function errorHeaders (ending: Ending): Record<string, string> | undefined {
  return ending.errorHeaders ? foreignHeaders(ending) : undefined
}

/** A hook as Fastify calls it, with the arguments of its stage. */
function run (hook: Hook, ending: Ending, trace: string[]): unknown {
  const failed = new WeakSet()
  const act = (request: FastifyRequest, reply: FastifyReply): 'sent' | undefined => {
    setForeign(reply, hook.foreign, ending)
    const isFirst = !failed.has(request)
    failed.add(request)
    const canEnd = hook.stage !== 'preSerialization' && hook.stage !== 'onSend' && hook.stage !== 'onError'
    if (hook.action === 'throws' || (hook.action === 'once' && isFirst)) {
      trace.push(`${hook.order} ${hook.stage} throws`)
      throw new Failure(hook.stage, errorHeaders(ending))
    }
    if (hook.action === 'wraps head' && isFirst) wrap(reply, 'writeHead', ending)
    if (hook.action === 'wraps end' && isFirst) wrap(reply, 'end', ending)
    if (!canEnd || !isFirst || reply.sent || reply.raw.headersSent) return undefined
    if (hook.action === 'raw') {
      trace.push(`${hook.order} ${hook.stage} raw`)
      endRaw(reply, hook.raw, ending)
      return 'sent'
    }
    if (hook.action === 'sends') {
      trace.push(`${hook.order} ${hook.stage} sends`)
      reply.code(401).send('no')
      return 'sent'
    }
    if (hook.action === 'notFound' && !request.is404) {
      trace.push(`${hook.order} ${hook.stage} notFound`)
      reply.callNotFound()
      return 'sent'
    }
    return undefined
  }
  const takesPayload = hook.stage === 'preParsing' || hook.stage === 'preSerialization' || hook.stage === 'onSend' || hook.stage === 'onError'
  if (hook.style === 'callback') {
    const call = (request: FastifyRequest, reply: FastifyReply, done: (error?: unknown) => void): void => {
      try {
        if (act(request, reply) === undefined) done()
      } catch (error) {
        if (hook.stage === 'onError') throw error
        done(error)
      }
    }
    return takesPayload
      ? (request: FastifyRequest, reply: FastifyReply, _payload: unknown, done: (error?: unknown) => void) => { call(request, reply, done) }
      : call
  }
  return async (request: FastifyRequest, reply: FastifyReply) => {
    if (hook.style === 'late') await setTimeout(LATE)
    return act(request, reply) === 'sent' ? reply : undefined
  }
}

function handleError (ending: Ending): (error: unknown, request: FastifyRequest, reply: FastifyReply) => unknown {
  return (_error, _request, reply) => {
    setForeign(reply, ending.foreign, ending)
    switch (ending.errorHandler) {
      case 'throws': throw new Failure('error handler', errorHeaders(ending))
      case 'rejects': return Promise.reject(new Failure('error handler', errorHeaders(ending)))
      case 'late': return setTimeout(LATE).then(() => reply.code(500).send('late'))
      default: return reply.code(500).send('handled')
    }
  }
}

function handle (request: FastifyRequest, reply: FastifyReply, ending: Ending): unknown {
  const { handler, foreign } = ending
  const headers = foreignHeaders(ending)
  setForeign(reply, foreign, ending)
  switch (handler) {
    case 'text': return reply.send('text')
    case 'object': return { an: 'object' }
    case 'buffer': return Buffer.from('buffer')
    case 'empty': return reply.code(204).send()
    case 'error': return reply.send(new Failure('sent', errorHeaders(ending)))
    case 'throws': throw new Failure('thrown', errorHeaders(ending))
    case 'rejects': return Promise.reject(new Failure('rejected', errorHeaders(ending)))
    // eslint-disable-next-line no-throw-literal -- what is no Error is what is tried
    case 'throwsText': throw 'text'
    case 'stream': return reply.send(Readable.from(['a', 'b']))
    case 'streamFails': return reply.send(new Readable({ read () { this.destroy(new Error('stream')) } }))
    case 'streamBreaks': return reply.send(Readable.from((async function * () { yield 'begun'; await setTimeout(LATE); throw new Error('midway') })()))
    case 'webStream': return reply.send(new Blob(['web']).stream())
    case 'webStreamFails': return reply.send(new ReadableStream({ start (controller) { controller.error(new Error('web')) } }))
    case 'response': return reply.send(new Response('web', { headers: { ...headers, vary: 'Accept' } }))
    case 'responseRead': return new Response('web', { headers }).text().then(() => { const read = new Response('read', { headers }); return read.text().then(() => read) })
    case 'redirect': return reply.redirect('/elsewhere')
    case 'notModified': return reply.code(304).send()
    case 'partial': return reply.code(206).header('content-range', 'bytes 0-3/8').send('half')
    case 'notFound': return reply.callNotFound()
    case 'hijacked':
      reply.hijack()
      reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>)
      return reply.raw.end('hijacked')
    case 'hijackedOwn':
      reply.hijack()
      reply.raw.writeHead(200, Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value])))
      return reply.raw.end('hijacked')
    case 'hijackedSilent':
      reply.hijack()
      return reply.raw.end('hijacked')
    case 'raw':
      reply.raw.writeHead(200, Object.entries(headers).flat())
      reply.raw.end('raw')
      return reply
    case 'serializer': return reply.serializer(() => { throw new Failure('serializer', errorHeaders(ending)) }).send({})
    case 'hangs': return ending.hasTimeout ? new Promise(() => {}) : 'at once'
    case 'late': return setTimeout(LATE).then(() => 'late')
    case 'twice':
      reply.send('first')
      return reply.send('second')
    case 'invalidHeader':
      return setTimeout(0).then(() => { reply.header('x-invalid', '\u20ac'); return 'text' })
    case 'trailer': return reply.trailer('x-end', (_reply, _payload, done) => { done(null, 'end') }).send('body')
    case 'schema': return 'valid'
  }
}
