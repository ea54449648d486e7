// The server of the demonstration's page: its files, and what the page asks of its own origin to explain what it saw of the API's.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { explain } from './cors-check'
import { asText, type ExchangeLog } from './exchanges'
import { SCENARIOS } from './scenarios'

export interface PageOptions {
  log: ExchangeLog
  /** The API, and the origin that has the other page. Known once all of them listen. */
  addresses: () => { api: string, other: string }
}

// Beside the sources, also when this runs compiled: what tsc writes has the .ts files only.
const FILES = join(dirname(require.resolve('fastify-cors-policy/package.json')), 'examples', 'mdn-page')

const TYPES = { 'index.html': 'text/html', 'page.css': 'text/css', 'page.js': 'text/javascript' }

const ATTEMPTS = SCENARIOS.flatMap(({ attempts }) => attempts)

interface Question {
  /** The id of an attempt, the number of the latest exchange before it, and the origin of the page that made it. */
  attempt: string
  since: number
  origin: string
}

const QUESTION = {
  type: 'object',
  required: ['attempt', 'since', 'origin'],
  properties: { attempt: { enum: ATTEMPTS.map(({ id }) => id) }, since: { type: 'integer' }, origin: { type: 'string' } }
}

export function buildPage ({ log, addresses }: PageOptions): FastifyInstance {
  const app = Fastify({ forceCloseConnections: true })
  for (const [file, type] of Object.entries(TYPES)) {
    const content = readFileSync(join(FILES, file))
    app.get(file === 'index.html' ? '/' : `/${file}`, async (_request, reply) => {
      reply.type(`${type}; charset=utf-8`)
      return content
    })
  }

  app.get('/demonstration', async () => ({ ...addresses(), scenarios: SCENARIOS, latest: log.latest }))

  app.get<{ Querystring: Question }>('/explanation', { schema: { querystring: QUESTION } }, async ({ query }) => {
    const { path, init } = ATTEMPTS.find(({ id }) => id === query.attempt) as typeof ATTEMPTS[number]
    const exchanges = log.since(query.since, path, query.origin)
    return {
      ...explain(exchanges, init, query.origin),
      exchanges: exchanges.map(asText),
      latest: log.latest
    }
  })

  return app
}
