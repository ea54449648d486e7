// The server of one of the demonstration's two pages: its files, and what the page asks of its own origin: what app.cors.explain predicts, what
// went over the wire, and the list of tenants.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import type { CorsOriginList, CorsQuestion } from 'fastify-cors-policy'
import { codeOf, EXAMPLES } from './code'
import { asText, type ExchangeLog } from './exchanges'
import { GROUPS } from './presets'

export interface PageOptions {
  log: ExchangeLog
  tenants: CorsOriginList
  /** Known once all of them listen: the API, and the origins of this page, of the other one, and of the API. */
  world: () => { app: FastifyInstance, api: string, here: string, other: string, allowedOrigin: string }
}

const FILES = { '/': ['index.html', 'text/html'], '/page.css': ['page.css', 'text/css'], '/page.js': ['page.js', 'text/javascript'] } as const

const SEARCH = { type: 'object', required: ['since', 'path'], properties: { since: { type: 'integer' }, path: { type: 'string' } } }
const TENANTS = { type: 'array', maxItems: 10, items: { type: 'string' } }

export function buildPage ({ log, tenants, world }: PageOptions): FastifyInstance {
  const page = Fastify({ forceCloseConnections: true })
  // The page calls the API, and shows the other page. Nothing else, and nobody else shows it.
  page.addHook('onRequest', async (_request, reply) => {
    const { api, other } = world()
    reply.header('content-security-policy', `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ${api}; frame-src ${other}; frame-ancestors ${other}; base-uri 'none'; form-action 'none'`)
  })
  for (const [url, [file, type]] of Object.entries(FILES)) {
    const content = readFileSync(join(EXAMPLES, 'demonstration', file))
    page.get(url, async (_request, reply) => reply.type(`${type}; charset=utf-8`).send(content))
  }

  page.get('/demonstration', async () => {
    const { app, ...origins } = world()
    return { ...origins, groups: GROUPS, tenants: [...tenants] }
  })

  // A malformed question is answered 400, with all that is wrong with it.
  page.post<{ Body: CorsQuestion }>('/prediction', async ({ body }) => {
    const { app, here } = world()
    const explanation = await app.cors.explain({ ...body, origin: here })
    return { ...explanation, code: explanation.route === null ? null : codeOf(explanation.route), latest: log.latest }
  })

  page.get<{ Querystring: { since: number, path: string } }>('/exchanges', { schema: { querystring: SEARCH } }, async ({ query: { since, path } }) => {
    return log.since(since, path, world().here).map((exchange) => ({ preflight: exchange.request.method === 'OPTIONS', text: asText(exchange) }))
  })

  // The list takes effect with the next request. It takes origins only, as any list of a policy.
  page.put<{ Body: string[] }>('/tenants', { schema: { body: TENANTS } }, async ({ body }) => {
    tenants.replace(body)
    return [...tenants]
  })

  return page
}
