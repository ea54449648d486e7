// The demonstration's API: routes with named policies, those of MDN's article, and the inspector. The pages show this code beside what it does,
// by the paragraph (code.ts).
import Fastify, { type FastifyInstance, type onResponseHookHandler } from 'fastify'
import cors, { definePolicies, type CorsOriginList } from 'fastify-cors-policy'
import inspector from 'fastify-cors-policy/inspector'
import { scenarios } from '../mdn'
import { keepSentHeaders } from './exchanges'

export interface ApiOptions {
  /** The partner. */
  allowedOrigin: string
  /** Origins that may change while it runs. */
  tenants: CorsOriginList
  /** Sees every exchange, the preflights included. */
  onResponse: onResponseHookHandler
}

export async function buildApi ({ allowedOrigin, tenants, onResponse }: ApiOptions): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true })
  app.addHook('onRequest', keepSentHeaders)
  app.addHook('onResponse', onResponse)

  const policies = definePolicies({
    public: { origin: '*' },
    partner: { origin: allowedOrigin, credentials: true, maxAge: 600 },
    tenant: { origin: tenants }
  })
  await app.register(cors, { policies })
  await app.register(inspector, { prefix: '/_cors' })

  app.get('/status', { config: { cors: policies.public } }, async () => ({ status: 'ok' }))

  app.put('/items/:id', {
    config: { cors: { extends: 'partner', exposedHeaders: ['ETag'] } }
  }, async (_request, reply) => {
    reply.header('etag', '"1"')
    return { saved: true }
  })

  app.get('/orders', { config: { cors: policies.tenant } }, async () => [{ id: 1, item: 'pencil' }])

  app.get('/internal', { config: { cors: false } }, async () => ({ internal: true }))

  await app.register(scenarios, { allowedOrigin })
  return app
}
