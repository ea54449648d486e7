// npm run bench:lookup: what one decision about an origin takes, by where the origins are: a list in memory, a cache, a database (embedded, and with
// DATABASE_URL a server), a service on loopback HTTP. docs/recipes.md has the figures.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCache } from 'async-cache-dedupe'
import Fastify, { type FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import cors, { originList } from 'fastify-cors-policy'
import { embedded, server } from '../examples/tenants/database'

const ORIGINS = 100_000
const ASKING = 1000
const RUNS = 5

async function main (): Promise<void> {
  const all = Array.from({ length: ORIGINS }, (_, index) => `https://tenant${index}.example.com`)
  const known = new Set(all)
  const service = createServer((request, response) => {
    response.writeHead(known.has(decodeURIComponent((request.url as string).slice(1))) ? 200 : 404).end()
  }).listen(0, '127.0.0.1')
  await once(service, 'listening')
  const { port } = service.address() as AddressInfo
  const databases = [['embedded PostgreSQL (pglite)', await embedded()] as const]
  if (process.env.DATABASE_URL !== undefined) databases.push(['PostgreSQL on this machine', await server(process.env.DATABASE_URL)] as never)
  for (const [, database] of databases) await database.query('INSERT INTO tenant_origins SELECT \'https://tenant\' || n || \'.example.com\' FROM generate_series(0, $1::int - 1) n ON CONFLICT DO NOTHING', [ORIGINS])

  const cache = createCache({ ttl: 3600, storage: { type: 'memory', options: { size: ASKING * 2 } } }).define('isTenant', async (origin: string) => known.has(origin))
  const lru = new LRUCache<string, boolean>({ max: ASKING * 2, ttl: 3_600_000, fetchMethod: async (origin) => known.has(origin) })
  const ways = new Map<string, Parameters<typeof policyOf>[0]>([
    ['in an `originList`', originList(all)],
    ['in `lru-cache`', async (origin) => await lru.fetch(origin) === true],
    ['in `async-cache-dedupe`', async (origin) => await cache.isTenant(origin)],
    ...databases.map(([name, database]) => [`by a query, ${name}`, async (origin: string) => (await database.query('SELECT 1 FROM tenant_origins WHERE origin = $1', [origin])).rows.length === 1] as const),
    ['by a service, HTTP on this machine', async (origin) => {
      const response = await fetch(`http://127.0.0.1:${port}/${encodeURIComponent(origin)}`)
      await response.arrayBuffer()
      return response.status === 200
    }]
  ])
  for (const [name, origin] of ways) console.log(`| ${name} | ${await measured(origin)} |`)
  for (const [, database] of databases) await database.close()
  service.close()
  service.closeAllConnections()
}

function policyOf (origin: ReturnType<typeof originList> | ((origin: string) => Promise<boolean>)): { origin: typeof origin, credentials: true } {
  return { origin, credentials: true }
}

/** The best of several runs, each over origins that ask in turn, one after the other. */
async function measured (origin: Parameters<typeof policyOf>[0]): Promise<string> {
  const app = Fastify()
  await app.register(cors, { policies: { tenants: policyOf(origin) } })
  let requests: FastifyRequest[] = []
  app.get('/', async (request) => { requests.push(request) })
  let best = Infinity
  for (let run = 0; run < RUNS; run++) {
    requests = [] // new ones: what a request was told once is remembered with it
    for (let index = 0; index < ASKING; index++) await app.inject({ url: '/', headers: { origin: `https://tenant${index * 97}.example.com` } })
    const start = performance.now()
    for (const request of requests) {
      const verdict = app.cors.allows('tenants', request)
      if (!(typeof verdict === 'boolean' ? verdict : await verdict)) throw new Error('a listed origin was refused')
    }
    best = Math.min(best, (performance.now() - start) * 1000 / requests.length)
  }
  await app.close()
  return best < 10 ? `${best.toFixed(2)} µs` : `${Math.round(best)} µs`
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
