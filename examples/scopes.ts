// Scopes: registered again inside a child scope, the plugin gives it policies and a default of its own. Its siblings see nothing of that.
import Fastify, { type FastifyInstance } from 'fastify'
import cors from 'fastify-cors-policy'

export async function build (): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(cors, {
    policies: { site: { origin: 'https://www.example.com', maxAge: 600 } }
  })

  await app.register(async (admin) => {
    await admin.register(cors, {
      // The scope's own `site` starts from the one outside: another origin, and the same maxAge.
      policies: { site: { extends: 'site', origin: 'https://admin.example.com', credentials: true } },
      defaultPolicy: 'site'
    })
    admin.get('/users', async () => ['Ada']) // declares nothing: the scope's default
  }, { prefix: '/admin' })

  await app.register(async (shop) => {
    shop.get('/items', { config: { cors: { extends: 'site' } } }, async () => ['Tea'])
    shop.get('/stock', async () => ({ tea: 3 })) // declares nothing, and outside /admin there is no default
  }, { prefix: '/shop' })

  return app
}

async function main (): Promise<void> {
  const app = await build()
  console.log(`Listening at ${await app.listen({ port: Number(process.env.PORT ?? 3000) })}`)
}

if (require.main === module) main()
