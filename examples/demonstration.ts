// The demonstration (npm start): an API with a policy for each route, and a page on two origins, of which it allows one. The page tries requests
// from both, and shows what app.cors.explain predicts beside what the browser does.
import { Socket, type AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { originList } from 'fastify-cors-policy'
import { buildApi } from './demonstration/api'
import { asText, ExchangeLog, printable, type Exchange } from './demonstration/exchanges'
import { buildPage } from './demonstration/pages'
import { GROUPS } from './demonstration/presets'

/** A port that is taken is replaced by a free one; 0 is any free one. */
export interface DemonstrationOptions {
  apiPort: number
  pagePort: number
  otherPagePort: number
  print: (text: string) => void
}

export interface Demonstration {
  /** The origins of the API, of the page that is its partner, and of the one that is a stranger. */
  api: string
  page: string
  otherPage: string
  close (): Promise<void>
}

/** Starts the API and both pages, and prints where they are, and from then on every exchange with the API. */
export async function start ({ apiPort, pagePort, otherPagePort, print }: DemonstrationOptions): Promise<Demonstration> {
  const log = new ExchangeLog()
  const tenants = originList([])
  const origins = { api: '', page: '', otherPage: '' }
  const servers: FastifyInstance[] = []
  const serve = async (server: FastifyInstance, port: number): Promise<string> => {
    servers.push(server)
    return await listen(server, port)
  }
  const close = async (): Promise<void> => { await Promise.all(servers.map((server) => server.close())) }
  let app: FastifyInstance
  const pageAt = (own: 'page' | 'otherPage', other: 'page' | 'otherPage'): FastifyInstance => buildPage({
    log, tenants, world: () => ({ app, api: origins.api, here: origins[own], other: origins[other], allowedOrigin: origins.page })
  })
  try {
    // The pages first: the API has to know the origin that it allows.
    origins.page = await serve(pageAt('page', 'otherPage'), pagePort)
    origins.otherPage = await serve(pageAt('otherPage', 'page'), otherPagePort)
    tenants.add(origins.page)
    app = await buildApi({
      allowedOrigin: origins.page,
      tenants,
      onResponse: async (request, reply) => {
        // The preflights of explain come through inject: nothing of them is on the wire.
        if (!(request.raw.socket instanceof Socket)) return
        const exchange = log.record(request, reply)
        print(`\n--- ${titleOf(exchange)}, from ${printable(request.headers.origin ?? 'no origin')}\n\n${asText(exchange)}`)
      }
    })
    origins.api = await serve(app, apiPort)
  } catch (err) {
    await close()
    throw err
  }
  print(`The API:                             ${origins.api}
Its inspector:                       ${origins.api}/_cors/
The page, from an origin it allows:  ${origins.page}/
The page, from one it does not:      ${origins.otherPage}/

Open ${origins.page}/ in a browser. Every exchange with the API is printed here. Ctrl-C ends it.`)
  return { ...origins, close }
}

function titleOf ({ request }: Exchange): string {
  return GROUPS.find(({ presets }) => presets.some(({ path }) => path === request.url))?.title ?? 'No preset'
}

async function listen (server: FastifyInstance, port: number): Promise<string> {
  try {
    await server.listen({ host: 'localhost', port })
  } catch (err) {
    if (!['EADDRINUSE', 'EACCES'].includes((err as NodeJS.ErrnoException).code ?? '')) throw err
    await server.listen({ host: 'localhost', port: 0 })
  }
  return `http://localhost:${(server.server.address() as AddressInfo).port}`
}

function portFrom (name: string, preferred: number): number {
  const value = process.env[name] || String(preferred)
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65535) throw new Error(`${name} is not a port from 0 to 65535: ${printable(value)}`)
  return Number(value)
}

async function main (): Promise<void> {
  const demonstration = await start({
    apiPort: portFrom('API_PORT', 4000),
    pagePort: portFrom('PAGE_PORT', 4001),
    otherPagePort: portFrom('OTHER_PAGE_PORT', 4002),
    print: console.log
  })
  let closed: Promise<void> | undefined
  const stop = (): void => { closed ??= demonstration.close() }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

if (require.main === module) {
  main().catch((err: Error) => {
    console.error(err.message)
    process.exitCode = 1
  })
}
