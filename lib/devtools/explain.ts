// app.cors.explain. It injects the preflight that a browser would send, and computes the CORS headers of the response. The browser model of lib/browser/
// judges both. The result is a CorsExplanation: reason, message, advice and exchanges.
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { scopeOf } from '../application/scope'
import { predict, type Prediction, type WireRequest, type WireResponse } from '../browser/fetch'
import { getHeader, type HeaderList } from '../browser/headers'
import { rootOf } from '../fastify/instances'
import { normalizeMethod } from '../http/methods'
import { guardOf } from '../response/guard'
import { headersOf } from '../response/route'
import { RefusalRecorder } from '../response/refused'
import type { CorsRefusalReason } from '../response/refusal'
import { adviceFor } from './advice'
import type { ExplanationContext } from './context'
import { NOT_SENT, toCorsExchange } from './exchange'
import { messageFor } from './messages'
import { notFoundSource } from './not-found'
import { notesFor } from './notes'
import { parseQuestion, type ParsedQuestion } from './question'
import { hiddenHeaders, reasonFor } from './reasons'
import { corsResponseHeaders, decideOnOrigin } from './response-headers'
import type { RouteInfo, RouteRegistry } from './route-registry'
import type { CorsExplainedRoute, CorsExplanation, CorsQuestion } from './types'

/** The function `app.cors.explain` of an instance. types.ts documents it. */
export async function explain (instance: FastifyInstance, registry: RouteRegistry, input: CorsQuestion): Promise<CorsExplanation> {
  const question = parseQuestion(input, scopeOf(instance)?.ownHost)
  const { page, host } = question
  // ready() of a child instance is avvio's, which runs no onReady hooks. The root's runs them.
  const root = rootOf(instance)
  await root.ready()
  const method = normalizeMethod(page.method)
  const preflights = new PreflightSender(root, question)
  try {
    let { path } = question
    let matches = registry.match(method, path, host)
    if (matches.length === 0) {
      path = await preflights.rewrittenPath(method)
      matches = registry.match(method, path, host)
    }
    const route = matches.every(({ policy }) => policy === matches[0]?.policy) ? matches[0] : undefined
    const context = { instance, registry, question: { ...question, path }, method, matches, route, isSameOrigin: new URL(page.url).origin === page.origin }
    // In place of the network, the application answers the preflight, and the policy answers the request itself.
    const prediction = await predict(async (request) => {
      if (isPreflight(request)) return await preflights.send(request)
      const notFound = matches.length === 0 ? await notFoundSource(root, path, host) : undefined
      const source = notFound === undefined ? route : { policy: notFound.policy, headers: headersOf(notFound) }
      return await responseOfPolicy(source, request, page.origin, preflights)
    }, page).catch((error: unknown) => lateAnswer(error, route, preflights))
    const { response: preflightResponse, reportedReason, answeredByPolicy, probed } = preflights
    const status = answeredByPolicy || matches.length > 0 || registry.match('OPTIONS', path, host).length > 0 ? undefined : probed
    const answeredElsewhere = status !== undefined && status < 300 ? status : undefined
    const response = prediction.result === 'readable' ? prediction.exchanges.at(-1)?.response : undefined
    return toExplanation({ ...context, preflightResponse, response, reportedReason, answeredElsewhere }, prediction, question)
  } finally {
    preflights.stop()
  }
}

/** Sends preflights to the application. Keeps the last response, and the reason that the plugin reported for it. */
class PreflightSender {
  response: WireResponse | undefined
  reportedReason: CorsRefusalReason | undefined
  /** Whether a policy of the plugin decided on the last response. */
  answeredByPolicy = false
  /** The status of the preflight that `rewrittenPath` sent. */
  probed: number | undefined
  readonly #root: FastifyInstance
  readonly #question: ParsedQuestion
  #routedUrl: string | undefined
  readonly #refusals = new RefusalRecorder()

  constructor (root: FastifyInstance, question: ParsedQuestion) {
    this.#root = root
    this.#question = question
  }

  async send ({ headers }: Pick<WireRequest, 'headers'>): Promise<WireResponse> {
    const { path, host } = this.#question
    const sent = { ...Object.fromEntries(headers), host }
    const response = await withTimeLimit(this.#root.inject({ method: 'OPTIONS', url: path, headers: sent }))
    this.#routedUrl = response.raw.req.url
    this.answeredByPolicy = guardOf({ raw: response.raw.res })?.source.policy != null
    this.reportedReason = this.#refusals.reasonOf(response.raw.req)
    this.response = { status: response.statusCode, headers: headerListOf(response) }
    return this.response
  }

  /** The path that the router gets: the option `rewriteUrl` may change it. No browser sends this preflight, so it counts for nothing else. */
  async rewrittenPath (method: string): Promise<string> {
    const { status } = await this.send({ headers: [['origin', this.#question.page.origin], ['access-control-request-method', method]] })
    this.probed = status
    this.response = undefined
    this.reportedReason = undefined
    return this.#routedUrl ?? this.#question.path
  }

  stop (): void {
    this.#refusals.stop()
  }
}

/** The time limit of a preflight through the application, in milliseconds. An origin function may never answer. */
const TIME_LIMIT = 5000

class Late extends Error {}

async function withTimeLimit<Result> (answer: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Late(`the application did not answer the preflight within ${TIME_LIMIT / 1000} seconds`)), TIME_LIMIT)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What a browser makes of a preflight that is not answered: here, of an origin function that does not. Anything else is thrown again. */
function lateAnswer (error: unknown, route: RouteInfo | undefined, preflights: PreflightSender): Prediction {
  if (!(error instanceof Late) || route?.policy?.origin.kind !== 'function') throw error
  preflights.reportedReason = 'origin-function-failed'
  return { result: 'blocked', failure: 'preflight: status', exchanges: [] }
}

/** The response to the request itself, which is never sent: the CORS headers that the policy sets. */
async function responseOfPolicy (
  source: Pick<RouteInfo, 'policy' | 'headers'> | undefined,
  { method }: WireRequest,
  origin: string,
  preflights: PreflightSender
): Promise<WireResponse> {
  // An origin function takes a FastifyRequest, so it can only be asked by a preflight. Where the browser sends none, this one asks it.
  const decision = await decideOnOrigin(source?.policy ?? null, origin, async () => {
    const { status, headers } = await preflights.send({ headers: [['origin', origin], ['access-control-request-method', method]] })
    return status < 300 && getHeader(headers, 'access-control-allow-origin') !== null
  })
  return { status: NOT_SENT, headers: Object.entries(corsResponseHeaders(source?.headers, decision)) }
}

function toExplanation (context: ExplanationContext, { exchanges, failure }: Prediction, question: ParsedQuestion): CorsExplanation {
  const { route, method } = context
  const reason = failure !== undefined ? reasonFor(context, failure) : hiddenHeaders(context).length > 0 ? 'header-not-exposed' : undefined
  const shared = {
    route: route === undefined ? null : explainedRoute(route, method),
    notes: notesFor(question, { isPreflighted: exchanges.some(({ request }) => isPreflight(request)), status: exchanges.at(-1)?.response.status }),
    exchanges: exchanges.map((exchange) => toCorsExchange(exchange, question))
  }
  if (reason === undefined) return { allowed: true, reason: null, message: messageFor(context, undefined), advice: null, ...shared }
  return { allowed: false, reason, message: messageFor(context, reason), advice: adviceFor(context, reason), ...shared }
}

function explainedRoute ({ url, checked }: RouteInfo, method: string): CorsExplainedRoute {
  return { method, url, policy: checked?.name ?? null }
}

function isPreflight ({ method, headers }: WireRequest): boolean {
  return method === 'OPTIONS' && getHeader(headers, 'access-control-request-method') !== null
}

/** Headers of the connection, and the date. Without them, the same question always gets the same answer. */
const OMITTED_HEADERS: ReadonlySet<string> = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding'])

function headerListOf ({ headers }: LightMyRequestResponse): HeaderList {
  return Object.entries(headers)
    .filter(([name]) => !OMITTED_HEADERS.has(name))
    .flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, String(each)]))
}
