// An application with every fault that the audit knows, each below a prefix of its own, and an application without any.
import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import cors from '../../lib/index'
import { ApplicationRecorder, type ApplicationRecord } from '../../lib/devtools/application-recorder'

export const APP = 'https://app.example.com'

/** Handlers that ran. */
export const ran: string[] = []

async function handler ({ method, url }: FastifyRequest): Promise<string> {
  ran.push(`${method} ${url}`)
  return 'handled'
}

/** An application, with its record. */
export async function recorded (t: { teardown: (fn: () => Promise<void>) => void }, make: (app: FastifyInstance) => Promise<void> | void, options = {}): Promise<{ app: FastifyInstance, record: ApplicationRecord }> {
  const recorder = new ApplicationRecorder()
  const app = Fastify(options)
  recorder.stop()
  t.teardown(async () => { await app.close() })
  await make(app)
  await app.ready()
  return { app, record: recorder.of(app) as ApplicationRecord }
}

type ByHand = (request: FastifyRequest, reply: FastifyReply) => void

/** Scopes by prefix: the options of @fastify/cors, or headers that a hook sets by hand. `route` is the config.cors of its route, with another method. */
interface Scope { readonly options?: FastifyCorsOptions, readonly byHand?: ByHand, readonly routeCors?: unknown, readonly expected: readonly string[] }

const allow = (reply: FastifyReply, origin: string | undefined, rest: Record<string, string> = {}): void => {
  if (origin !== undefined) reply.header('access-control-allow-origin', origin)
  reply.headers(rest)
}

const PUT = { methods: ['GET', 'PUT'] }

export const SCOPES: Readonly<Record<string, Scope>> = {
  reflects: { options: { ...PUT, origin: true, credentials: true }, expected: ['error reflects-any-origin'] },
  mirrors: { byHand: (request, reply) => allow(reply, request.headers.origin, { vary: 'Accept' }), expected: ['warning reflects-any-origin', 'warning vary-missing'] },
  ending: { options: { ...PUT, origin: /example\.com$/, credentials: true }, expected: ['error insecure-origin-allowed', 'error look-alike-allowed'] },
  beginning: { options: { ...PUT, origin: (origin, done) => done(null, origin?.startsWith('https://app.example.com') === true) }, expected: ['warning look-alike-allowed'] },
  dots: { options: { ...PUT, origin: [/^https:\/\/app.example.com$/] }, expected: ['warning look-alike-allowed'] },
  empty: { options: { ...PUT, origin: [APP, 'null'], credentials: true }, expected: ['error null-allowed'] },
  insecure: { options: { ...PUT, origin: [APP, 'http://app.example.com'] }, expected: ['warning insecure-origin-allowed'] },
  off: { options: { ...PUT, origin: [APP] }, routeCors: false, expected: ['error route-policy-ignored'] },
  other: { options: { ...PUT, origin: [APP] }, routeCors: { origin: ['https://partner.example.org'] }, expected: ['error route-policy-ignored'] },
  longer: { options: { ...PUT, origin: [APP], maxAge: 5 }, routeCors: { maxAge: 600 }, expected: ['warning route-policy-ignored'] },
  more: { options: { origin: [APP], methods: 'GET' }, routeCors: { methods: 'PUT' }, expected: ['warning route-policy-ignored'] },
  named: { options: { ...PUT, origin: [APP], allowedHeaders: 'X-One' }, routeCors: { allowedHeaders: ['X-Two'] }, expected: ['warning route-policy-ignored'] },
  unrouted: { options: { origin: [APP], methods: ['PUT', 'DELETE'] }, expected: [] },
  uncached: { byHand: ({ headers: { origin } }, reply) => allow(reply, origin === APP ? origin : undefined), expected: ['warning vary-missing'] },
  star: { options: { ...PUT, origin: '*', credentials: true }, expected: ['warning invalid-combination'] },
  slash: { options: { ...PUT, origin: `${APP}/` }, expected: ['warning invalid-combination'] },
  two: { options: { ...PUT, origin: `${APP}, https://b.example.org` }, expected: ['warning invalid-combination'] },
  literal: { options: { ...PUT, origin: APP, credentials: true, exposedHeaders: '*' }, expected: ['warning invalid-combination'] },
  yes: { byHand: (_request, reply) => allow(reply, APP, { 'access-control-allow-credentials': 'yes' }), expected: ['warning invalid-combination'] },
  age: { byHand: (_request, reply) => allow(reply, APP, { 'access-control-max-age': '10m' }), expected: ['warning invalid-combination'] }
}

export async function planted (app: FastifyInstance): Promise<void> {
  for (const [name, { options, byHand, routeCors }] of Object.entries(SCOPES)) {
    app.register(async (scope) => {
      if (options !== undefined) await scope.register(fastifyCors, options)
      else scope.addHook('onRequest', async (request, reply) => { byHand?.(request, reply) })
      scope.put('/items/:id', { config: routeCors === undefined ? {} : { cors: routeCors as never } }, handler)
    }, { prefix: `/${name}` })
  }
  app.setNotFoundHandler(handler)
}

/** Everything in it is as it should be: several policies, credentials, patterns, files for everyone, an own OPTIONS route, an error, a 404. */
export async function clean (app: FastifyInstance): Promise<void> {
  await app.register(cors, {
    policies: {
      partner: { origin: [APP, 'https://*.partners.example.org', 'http://localhost:*'], credentials: true, maxAge: 600 },
      some: { origin: '*', credentials: [APP] }
    },
    defaultPolicy: { origin: 'https://docs.example.com', allowedHeaders: ['*', 'Authorization'] }
  })
  app.addHook('preHandler', async (request, reply) => {
    if (request.url.startsWith('/locked')) await reply.code(401).send({ message: 'no' })
  })
  app.get('/public', { config: { cors: { origin: '*' } } }, handler)
  app.put('/items/:id', { config: { cors: { extends: 'partner' } } }, handler)
  app.delete('/items/:id', { config: { cors: false } }, handler)
  app.get('/some', { config: { cors: { extends: 'some' } } }, handler)
  app.post('/locked', { config: { cors: { extends: 'partner', exposedHeaders: ['ETag'] } } }, handler)
  app.get('/docs/:page', handler)
  app.options('/own', async (_request, reply) => await reply.code(204).send())
  app.get('/at/:hour(^\\d{2})h/*', { config: { cors: { extends: 'partner' } } }, handler)
}
