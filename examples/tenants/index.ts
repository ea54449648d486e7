// npm run example:tenants: tenants bring their own origins, PostgreSQL keeps them, and every instance knows of a change at once.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import cors, { originList, type CorsPolicyError } from 'fastify-cors-policy'
import inspector from 'fastify-cors-policy/inspector'
import { embedded, server, type Database } from './database'
import { TenantStore } from './store'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

export async function build (database: Database, adminToken: string): Promise<FastifyInstance> {
  if (adminToken === '') throw new Error('the admin token is empty; set ADMIN_TOKEN')
  const app = Fastify({ logger: { level: 'error' } })
  const tenants = originList([])
  await app.register(cors, { policies: { public: { origin: '*' }, tenants: { origin: tenants, credentials: true } } })
  if (process.env.NODE_ENV !== 'production') await app.register(inspector, { prefix: '/_cors' })
  // The policy is there first: what is loaded is judged by its rules.
  const store = new TenantStore(tenants, database, (error) => { app.log.error(error) })
  app.addHook('onClose', async () => { await store.close() })

  app.get('/status', { config: { cors: { extends: 'public' } } }, async () => ({ tenants: tenants.size }))
  app.put('/items/:id', { config: { cors: { extends: 'tenants' } } }, async () => ({ saved: true }))

  app.register(async (admin) => {
    admin.addHook('onRequest', async (request, reply) => {
      if (!timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${adminToken}`))) return await reply.code(401).send({ error: 'admins only' })
    })
    const body = { type: 'object', required: ['origin'], additionalProperties: false, properties: { origin: { type: 'string', maxLength: 300 } } }
    for (const [method, change] of [['POST', 'add'], ['DELETE', 'remove']] as const) {
      admin.route<{ Body: { origin: string } }>({
        method,
        url: '/admin/origins',
        schema: { body },
        config: { cors: false },
        handler: async (request, reply) => {
          try {
            await store[change](request.body.origin)
          } catch (error) {
            if ((error as CorsPolicyError).code === 'FST_ERR_CORS_INVALID_POLICY') return await reply.code(400).send({ problems: (error as CorsPolicyError).problems })
            request.log.error(error)
            return await reply.code(503).send({ error: 'the database did not take the change' })
          }
          return { tenants: tenants.size }
        }
      })
    }
  })

  try {
    await store.start()
  } catch (error) {
    await app.close()
    throw error
  }
  return app
}

async function main (): Promise<void> {
  const url = process.env.DATABASE_URL
  const token = process.env.ADMIN_TOKEN ?? randomBytes(16).toString('hex')
  const app = await build(url === undefined ? await embedded(process.env.TENANTS_FOLDER ?? 'build/tenants-data') : await server(url), token)
  const address = await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })
  const admin = `-H 'authorization: Bearer ${token}' -H 'content-type: application/json' -d '{"origin":"https://shop.example"}' ${address}/admin/origins`
  console.log(`Listening at ${address}. Its page is ${address}/_cors/. Try:
  curl -i -X PUT -H 'origin: https://shop.example' ${address}/items/1
  curl -X POST ${admin}
  curl -i -X PUT -H 'origin: https://shop.example' ${address}/items/1
  curl -X DELETE ${admin}`)
}

if (require.main === module) {
  main().catch((error) => {
    console.error(error)
    process.exitCode = 1
  })
}
