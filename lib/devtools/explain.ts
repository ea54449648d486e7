// app.cors.explain. It injects the preflight that a browser would send, and computes the CORS headers of the response. The browser model of lib/browser/
// judges both. The result is a CorsExplanation: reason, message, advice and exchanges. decoration.ts loads it.
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { predict, type Prediction, type WireRequest, type WireResponse } from '../browser/fetch'
import { getHeader, type HeaderList } from '../browser/headers'
import { rootOf } from '../fastify/instances'
import { normalizeMethod } from '../http/methods'
import type { CompiledPolicy } from '../policy/compiled-policy'
import { RefusalRecorder, type CorsRefusalReason } from '../response/refused'
import { adviceFor } from './advice'
import type { ExplanationContext } from './context'
import { messageFor } from './messages'
import { notFoundPolicy } from './not-found'
import { parseQuestion, type ParsedQuestion } from './question'
import { reasonFor } from './reasons'
import { corsResponseHeaders, decideOnOrigin } from './response-headers'
import type { RouteInfo, RouteRegistry } from './route-registry'
import type { CorsExchange, CorsExplainedRoute, CorsExplanation, CorsQuestion } from './types'

/** The function `app.cors.explain` of an instance. types.ts documents it. */
export async function explain (instance: FastifyInstance, registry: RouteRegistry, input: CorsQuestion): Promise<CorsExplanation> {
  const question = parseQuestion(input)
  const { page, path, host } = question
  // ready() of a child instance is avvio's, which runs no onReady hooks. The root's runs them.
  const root = rootOf(instance)
  await root.ready()
  const method = normalizeMethod(page.method)
  const hasVersion = page.headers.some(([name]) => name.toLowerCase() === 'accept-version')
  const matches = registry.match(method, path, host, hasVersion)
  const route = matches.every(({ policy }) => policy === matches[0]?.policy) ? matches[0] : undefined
  const preflights = new PreflightSender(root, question)
  try {
    // In place of the network, the application answers the preflight, and the policy answers the request itself.
    const prediction = await predict(async (request) => {
      if (isPreflight(request)) return await preflights.send(request)
      const policy = matches.length === 0 ? await notFoundPolicy(root, path, host) : route?.policy ?? null
      return await responseOfPolicy(policy, route, request, page.origin, preflights)
    }, page)
    const isSameOrigin = new URL(page.url).origin === page.origin
    const { response: preflightResponse, reportedReason } = preflights
    return toExplanation({ instance, registry, question, method, matches, route, isSameOrigin, preflightResponse, reportedReason }, prediction)
  } finally {
    preflights.stop()
  }
}

/** Sends preflights to the application. Keeps the last response, and the reason that the plugin reported for it. */
class PreflightSender {
  response: WireResponse | undefined
  reportedReason: CorsRefusalReason | undefined
  readonly #root: FastifyInstance
  readonly #question: ParsedQuestion
  readonly #refusals = new RefusalRecorder()

  constructor (root: FastifyInstance, question: ParsedQuestion) {
    this.#root = root
    this.#question = question
  }

  async send ({ headers }: Pick<WireRequest, 'headers'>): Promise<WireResponse> {
    const { path, host, hasHost } = this.#question
    const sent = { ...Object.fromEntries(headers), ...(hasHost && { host }) }
    const response = await this.#root.inject({ method: 'OPTIONS', url: path, headers: sent })
    this.reportedReason = this.#refusals.reasonOf(response.raw.req)
    this.response = { status: response.statusCode, headers: headerListOf(response), body: '' }
    return this.response
  }

  stop (): void {
    this.#refusals.stop()
  }
}

/** The response to the request itself, which is never sent: the CORS headers that the policy sets. */
async function responseOfPolicy (
  policy: CompiledPolicy | null,
  route: RouteInfo | undefined,
  { method }: WireRequest,
  origin: string,
  preflights: PreflightSender
): Promise<WireResponse> {
  // An origin function takes a FastifyRequest, so it can only be asked by a preflight. Where the browser sends none, this one asks it.
  const decision = await decideOnOrigin(policy, origin, async () => {
    const { status, headers } = await preflights.send({ headers: [['origin', origin], ['access-control-request-method', method]] })
    return status < 300 && getHeader(headers, 'access-control-allow-origin') !== null
  })
  return { status: NOT_SENT, headers: Object.entries(corsResponseHeaders(policy, route, decision)), body: '' }
}

function toExplanation (context: ExplanationContext, { exchanges, failure }: Prediction): CorsExplanation {
  const { route, method, question } = context
  const shared = {
    route: route === undefined ? null : explainedRoute(route, method),
    exchanges: exchanges.map((exchange) => toCorsExchange(exchange, question))
  }
  if (failure === undefined) return { allowed: true, reason: null, message: messageFor(context, undefined), advice: null, ...shared }
  const reason = reasonFor(context, failure)
  return { allowed: false, reason, message: messageFor(context, reason), advice: adviceFor(context, reason), ...shared }
}

function explainedRoute ({ url, checked }: RouteInfo, method: string): CorsExplainedRoute {
  return { method, url, policy: checked?.name ?? null }
}

/** The status of the response to the request itself, which is never sent. */
const NOT_SENT = 0

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

/** An exchange as plain JSON. */
function toCorsExchange (
  { request, response: { status, headers } }: Prediction['exchanges'][number], { page, path, hasHost }: ParsedQuestion
): CorsExchange {
  return {
    request: { method: request.method, url: hasHost ? page.url : path, headers: toRecord(request.headers) },
    response: { statusCode: status === NOT_SENT ? null : status, headers: toRecord(headers) }
  }
}

/** Combines the values of a repeated header into one list. */
function toRecord (list: HeaderList): Record<string, string> {
  const names = new Set(list.map(([name]) => name.toLowerCase()))
  return Object.fromEntries([...names].map((name) => [name, getHeader(list, name) as string]))
}
