// The server of the demonstration's page: its files, and what the page asks of its own origin to explain what it saw of the API's.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
// The plugin's own model of what browsers do. It is no part of the package's interface: applications ask app.cors.explain.
import { corsChecks, preflightChecks, upToFailure, type Check, type Judged } from '../../lib/browser/checks'
import { SAFELISTED_METHODS } from '../../lib/http/methods'
import { unsafeHeaderNames } from '../../lib/browser/headers'
import { asText, type Exchange, type ExchangeLog } from './exchanges'
import { SCENARIOS, type Attempt } from './scenarios'

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

/** What an attempt's exchanges say of why the browser decided as it did. */
export interface Explanation {
  /** What of it the API received: all, no more than its preflight, or nothing. */
  readonly reached: 'request' | 'preflight' | 'nothing'
  /** The checks of each message, as far as a browser goes: up to the first that fails. */
  readonly messages: ReadonlyArray<{ readonly title: string, readonly checks: ReadonlyArray<{ passed: boolean, subject: string, meaning: string }> }>
}

export function explain (exchanges: readonly Exchange[], { method, headers, credentials }: Attempt['init'], origin: string): Explanation {
  const request: Judged = { origin, method, headers: Object.entries(headers), credentials, useCorsPreflight: false }
  const preflight = exchanges.find(({ request }) => request.method === 'OPTIONS')
  const actual = exchanges.find(({ request }) => request.method === method)
  const messages: Array<Explanation['messages'][number]> = []
  if (preflight !== undefined) {
    messages.push({ title: 'The answer to the preflight', checks: shown(preflightChecks(request, preflight.response)) })
  } else if (actual !== undefined && !(SAFELISTED_METHODS.has(method) && unsafeHeaderNames(request.headers).length === 0)) {
    messages.push({ title: 'No preflight', checks: [{ passed: true, subject: 'Access-Control-Max-Age', meaning: 'of an earlier preflight’s answer still holds, so the browser remembers what it allowed' }] })
  }
  if (actual !== undefined) messages.push({ title: `The response to the ${method}`, checks: shown(corsChecks(request, actual.response.headers)) })
  return { reached: actual !== undefined ? 'request' : preflight !== undefined ? 'preflight' : 'nothing', messages }
}

function shown (checks: Iterable<Check>): Explanation['messages'][number]['checks'] {
  return upToFailure(checks).map(({ subject, meaning, failure }) => ({ passed: failure === undefined, subject, meaning }))
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
