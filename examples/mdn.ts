// The three scenarios of MDN's article on CORS, as an API and a demonstration of it (npm start): a page that the API allows, and
// the same page from an origin that it does not allow, each showing what its browser let it read, and why.
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type onResponseHookHandler } from 'fastify'
import cors from 'fastify-cors-policy'
import { asText, ExchangeLog, printable, type Exchange } from './mdn-page/exchanges'
import { SCENARIOS } from './mdn-page/scenarios'
import { buildPage } from './mdn-page/server'

export interface ApiOptions {
  /** Who may call everything but the data that is public for all. */
  allowedOrigin: string | string[]
  /** Sees every exchange, the preflights included. */
  onResponse?: onResponseHookHandler
}

/** The API: the article's bar.other. */
export async function buildApi ({ allowedOrigin, onResponse }: ApiOptions): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true })
  if (onResponse !== undefined) app.addHook('onResponse', onResponse)
  await app.register(cors)

  // Simple requests: for everyone, and for one origin only.
  app.get('/resources/public-data/', { config: { cors: { origin: '*' } } }, sendData)
  app.get('/resources/public-data/for-one-origin/', { config: { cors: { origin: allowedOrigin } } }, sendData)

  // Preflighted requests. The preflight names the methods of the route and the headers of the policy; OPTIONS requests that are no
  // preflights go to the handler, as the others do.
  app.addContentTypeParser(['application/xml', 'text/xml'], { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.route({
    method: ['POST', 'GET', 'OPTIONS'],
    url: '/resources/post-here/',
    exposeHeadRoute: false,
    config: {
      cors: {
        origin: allowedOrigin,
        allowedHeaders: ['X-PINGOTHER', 'Content-Type'],
        maxAge: 86400,
        optionsSuccessStatus: 200
      }
    },
    handler: async (request, reply) => {
      reply.type('text/plain')
      return request.method === 'POST' ? `Received ${String(request.body).length} characters of XML.\n` : 'Send me XML by POST.\n'
    }
  })

  // Requests with credentials. A cookie for pages of other sites would also need SameSite=None and Secure.
  app.get('/resources/access-control-with-credentials/', {
    config: { cors: { origin: allowedOrigin, credentials: true } }
  }, async (request, reply) => {
    const [, accesses = '0'] = /(?:^|; *)pageAccess=(\d{1,9})(?:;|$)/.exec(request.headers.cookie ?? '') ?? []
    const access = Number(accesses) + 1
    const tomorrow = new Date(Date.now() + 86_400_000)
    reply.headers({ 'cache-control': 'no-cache', pragma: 'no-cache' })
    reply.header('set-cookie', `pageAccess=${access}; expires=${tomorrow.toUTCString()}; HttpOnly; SameSite=Lax`)
    reply.type('text/plain')
    return access === 1 ? 'I have not met you before.\n' : `I know you: this is access number ${access}.\n`
  })

  return app
}

async function sendData (_request: FastifyRequest, reply: FastifyReply): Promise<string> {
  reply.type('application/xml')
  return '<?xml version="1.0"?><data>Some public data</data>\n'
}

/** A port that is taken is replaced by a free one; 0 is any free one. */
export interface DemonstrationOptions {
  apiPort: number
  pagePort: number
  otherPagePort: number
  print: (text: string) => void
}

export interface Demonstration {
  /** The origins of the API, of the page that it allows, and of the one that it does not. */
  api: string
  page: string
  otherPage: string
  close (): Promise<void>
}

/** Starts the API and both pages, and prints where they are, and from then on every exchange with the API. */
export async function start ({ apiPort, pagePort, otherPagePort, print }: DemonstrationOptions): Promise<Demonstration> {
  const log = new ExchangeLog()
  const origins = { api: '', page: '', otherPage: '' }
  const servers: FastifyInstance[] = []
  const serve = async (app: FastifyInstance, port: number): Promise<string> => {
    servers.push(app)
    return listen(app, port)
  }
  const close = async (): Promise<void> => { await Promise.all(servers.map((app) => app.close())) }
  try {
    // The pages first: the API has to know the origin that it allows.
    origins.page = await serve(buildPage({ log, addresses: () => ({ api: origins.api, other: origins.otherPage }) }), pagePort)
    origins.otherPage = await serve(buildPage({ log, addresses: () => ({ api: origins.api, other: origins.page }) }), otherPagePort)
    const api = await buildApi({
      allowedOrigin: origins.page,
      onResponse: async (request, reply) => {
        const exchange = log.record(request, reply)
        print(`\n--- ${titleOf(exchange)}, from ${printable(request.headers.origin ?? 'no origin')}\n\n${asText(exchange)}`)
      }
    })
    origins.api = await serve(api, apiPort)
  } catch (err) {
    await close()
    throw err
  }
  print(`The API:                             ${origins.api}
The page, from an origin it allows:  ${origins.page}/
The page, from one it does not:      ${origins.otherPage}/

Open ${origins.page}/ in a browser. Every exchange with the API is printed here. Ctrl-C ends it.`)
  return { ...origins, close }
}

function titleOf ({ request }: Exchange): string {
  return SCENARIOS.find(({ attempts }) => attempts.some(({ path }) => path === request.url))?.title ?? 'No scenario'
}

async function listen (app: FastifyInstance, port: number): Promise<string> {
  try {
    await app.listen({ host: 'localhost', port })
  } catch (err) {
    if (!['EADDRINUSE', 'EACCES'].includes((err as NodeJS.ErrnoException).code ?? '')) throw err
    await app.listen({ host: 'localhost', port: 0 })
  }
  return `http://localhost:${(app.server.address() as AddressInfo).port}`
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
