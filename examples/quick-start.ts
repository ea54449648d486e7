// Quick start: named policies, and routes that use one by reference, by name, with a change, or have a policy of their own or none.
import Fastify, { type FastifyInstance } from 'fastify'
import cors, { definePolicies } from 'fastify-cors-policy'

export async function build (): Promise<FastifyInstance> {
  const app = Fastify()

  const policies = definePolicies({
    public: { origin: '*' },
    partner: { origin: ['https://app.example.com', 'https://*.partners.example.com'], credentials: true, maxAge: 600 }
  })
  await app.register(cors, {
    policies,
    defaultPolicy: false,
    logLevel: 'warn',
    hideOptionsRoute: true
  })

  app.get('/status', { config: { cors: policies.public } }, async () => ({ status: 'ok' }))
  app.get('/ping', { config: { cors: { extends: 'public' } } }, async () => 'pong')
  app.put('/items/:id', { config: { cors: { extends: 'partner', exposedHeaders: ['ETag'] } } }, async (_request, reply) => {
    reply.header('etag', '"1"')
    return { saved: true }
  })
  app.post('/pay', { config: { cors: { origin: 'https://shop.example.com', credentials: true } } }, async () => ({ paid: true }))
  app.get('/internal', { config: { cors: false } }, async () => ({ internal: true }))

  return app
}

async function main (): Promise<void> {
  const app = await build()
  console.log(`Listening at ${await app.listen({ port: Number(process.env.PORT ?? 3000) })}`)
}

if (require.main === module) main()
