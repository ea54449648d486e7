// Origins that are not known when the server starts: an async function decides about each, here by asking a store of tenants.
import Fastify, { type FastifyInstance } from 'fastify'
import cors from 'fastify-cors-policy'

/** The origins of each tenant's own site. A rejection, say of a database that is down, allows nobody, and is logged. */
export type Tenants = (tenant: string) => Promise<ReadonlySet<string>>

export async function build (originsOf: Tenants): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: 'error' } })
  await app.register(cors)

  app.get<{ Params: { tenant: string } }>('/tenants/:tenant/orders', {
    config: {
      cors: {
        origin: async (origin, request) => (await originsOf((request.params as { tenant: string }).tenant)).has(origin),
        credentials: true
      }
    }
  }, async (request) => ({ tenant: request.params.tenant, orders: [] }))

  return app
}

const store = new Map([
  ['acme', new Set(['https://acme.example', 'https://www.acme.example'])],
  ['globex', new Set(['https://globex.example'])]
])

async function main (): Promise<void> {
  const app = await build(async (tenant) => store.get(tenant) ?? new Set())
  console.log(`Listening at ${await app.listen({ port: Number(process.env.PORT ?? 3000) })}`)
}

if (require.main === module) main()
