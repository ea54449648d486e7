// app.cors.explain. It injects the preflight that a browser would send, and computes the CORS headers of the response. The browser model of lib/browser/
// judges both. The result is a CorsExplanation: reason, message, advice and exchanges.
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { instanceChain } from '../application/observer'
import { predict, type Prediction, type WireRequest, type WireResponse } from '../browser/fetch'
import { getHeader, type HeaderList } from '../browser/headers'
import { normalizeMethod } from '../http/methods'
import { RefusalRecorder } from '../response/refused'
import type { CorsRefusalReason } from '../response/refused'
import { adviceFor } from './advice'
import type { ExplanationContext } from './context'
import { messageFor } from './messages'
import { notFoundPolicy } from './not-found'
import { parseQuestion, type ParsedQuestion } from './question'
import { reasonFor } from './reasons'
import { corsResponseHeaders, decideOnOrigin } from './response-headers'
import { routeRegistryOf, type RouteInfo } from './route-registry'
import type { CorsExchange, CorsExplainedRoute, CorsExplanation, CorsQuestion } from './types'

export async function explain (instance: FastifyInstance, input: CorsQuestion): Promise<CorsExplanation> {
  const question = parseQuestion(input)
  const { page, path, host } = question
  // ready() of a child instance is avvio's, which runs no onReady hooks. The root's runs them.
  const [root] = instanceChain(instance) as [FastifyInstance]
  await root.ready()
  const registry = routeRegistryOf(instance)
  const method = normalizeMethod(page.method)
  const hasVersion = page.headers.some(([name]) => name.toLowerCase() === 'accept-version')
  const matches = registry.match(method, path, host, hasVersion)
  const route = matches.every(({ policy }) => policy === matches[0]?.policy) ? matches[0] : undefined
  const refusals = new RefusalRecorder()
  let reportedReason: CorsRefusalReason | undefined
  let preflightResponse: WireResponse | undefined
  const sendPreflight = async (request: WireRequest): Promise<WireResponse> => {
    const response = await injectPreflight(root, question, request)
    reportedReason = refusals.reasonOf(response.raw.req)
    preflightResponse = { status: response.statusCode, headers: headerListOf(response), body: '' }
    return preflightResponse
  }
  try {
    const prediction = await predict(async (request) => {
      if (isPreflight(request)) return await sendPreflight(request)
      const policy = matches.length === 0 ? notFoundPolicy(instance, registry, path) : route?.policy ?? null
      // An origin function takes a FastifyRequest, so it can only be asked by a preflight. Where the browser sends none, this one asks it.
      const decision = await decideOnOrigin(policy, page.origin, async () => {
        const preflight: HeaderList = [['origin', page.origin], ['access-control-request-method', method]]
        const { status, headers } = await sendPreflight({ method: 'OPTIONS', url: request.url, headers: preflight })
        return status < 300 && getHeader(headers, 'access-control-allow-origin') !== null
      })
      return { status: NOT_SENT, headers: Object.entries(corsResponseHeaders(policy, route, page.origin, decision)), body: '' }
    }, page)
    const isSameOrigin = new URL(page.url).origin === page.origin
    return toExplanation({ instance, registry, question, method, matches, route, isSameOrigin, preflightResponse, reportedReason }, prediction)
  } finally {
    refusals.stop()
  }
}

function toExplanation (context: ExplanationContext, { exchanges, failure }: Prediction): CorsExplanation {
  const { route, method, question } = context
  const shared = { route: route === undefined ? null : explainedRoute(route, method), exchanges: exchanges.map((exchange) => toCorsExchange(exchange, question)) }
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

async function injectPreflight (root: FastifyInstance, { path, host, hasHost }: ParsedQuestion, { headers }: WireRequest): Promise<LightMyRequestResponse> {
  return await root.inject({ method: 'OPTIONS', url: path, headers: { ...Object.fromEntries(headers), ...(hasHost && { host }) } })
}

/** Headers of the connection, and the date. Without them, the same question always gets the same answer. */
const OMITTED_HEADERS: ReadonlySet<string> = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding'])

function headerListOf ({ headers }: LightMyRequestResponse): HeaderList {
  return Object.entries(headers)
    .filter(([name]) => !OMITTED_HEADERS.has(name))
    .flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, String(each)]))
}

/** An exchange as plain JSON. */
function toCorsExchange ({ request, response: { status, headers } }: Prediction['exchanges'][number], { page, path, hasHost }: ParsedQuestion): CorsExchange {
  return {
    request: { method: request.method, url: hasHost ? page.url : path, headers: toRecord(request.headers) },
    response: { statusCode: status === NOT_SENT ? null : status, headers: toRecord(headers) }
  }
}

/** Combines the values of a repeated header into one list. */
function toRecord (list: HeaderList): Record<string, string> {
  return Object.fromEntries([...new Set(list.map(([name]) => name.toLowerCase()))].map((name) => [name, getHeader(list, name) as string]))
}
