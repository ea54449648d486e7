// app.cors.explain: sends the preflight that a browser would send through the application, has the model of a browser judge what comes back
// and what the policy would say on the response, and puts the verdict into words.
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { instanceChain } from '../application/observer'
import { predict, type Prediction, type WireRequest, type WireResponse } from '../browser/fetch'
import { getHeader, type HeaderList } from '../browser/headers'
import { normalizeMethod } from '../http/methods'
import { RefusalRecorder } from '../response/refused'
import type { CorsRefusalReason } from '../response/refused'
import { advise } from './advice'
import { describe } from './messages'
import { policyOfNotFound } from './not-found'
import { readQuestion, type Asked } from './question'
import { diagnose } from './reasons'
import { headersOfResponse, decisionOn } from './response-headers'
import type { Situation } from './situation'
import { sourceOf, type KnownRoute } from './source'
import type { CorsExchange, CorsExplainedRoute, CorsExplanation, CorsQuestion } from './types'

export async function explain (instance: FastifyInstance, question: CorsQuestion): Promise<CorsExplanation> {
  const asked = readQuestion(question)
  // The root's: that of a child instance is avvio's own, which runs no onReady hooks.
  const [root] = instanceChain(instance) as [FastifyInstance]
  await root.ready()
  const source = sourceOf(instance)
  const method = normalizeMethod(asked.page.method)
  const hasVersion = asked.page.headers.some(([name]) => name.toLowerCase() === 'accept-version')
  const reached = source.reach(method, asked.path, asked.host, hasVersion)
  const route = reached.every(({ policy }) => policy === reached[0]?.policy) ? reached[0] : undefined
  const refusals = new RefusalRecorder()
  let refused: CorsRefusalReason | undefined
  let preflightResponse: WireResponse | undefined
  const preflight = async (request: WireRequest): Promise<WireResponse> => {
    const response = await send(root, asked, request)
    refused = refusals.reasonOf(response.raw.req)
    preflightResponse = { status: response.statusCode, headers: listOf(response), body: '' }
    return preflightResponse
  }
  try {
    const prediction = await predict(async (request) => {
      if (isPreflight(request)) return await preflight(request)
      const policy = reached.length === 0 ? policyOfNotFound(instance, source, asked.path) : route?.policy ?? null
      // Only a request of the application can be shown to an origin function: that of a preflight, if need be of one that no browser sends.
      const decision = await decisionOn(policy, asked.page.origin, async () => {
        const { status, headers } = await preflight({ method: 'OPTIONS', url: request.url, headers: [['origin', asked.page.origin], ['access-control-request-method', method]] })
        return status < 300 && getHeader(headers, 'access-control-allow-origin') !== null
      })
      return { status: NOT_SENT, headers: Object.entries(headersOfResponse(policy, route, asked.page.origin, decision)), body: '' }
    }, asked.page)
    const situation: Situation = { instance, source, asked, method, reached, route, isSameOrigin: new URL(asked.page.url).origin === asked.page.origin, preflight: preflightResponse, refused }
    return answer(situation, prediction)
  } finally {
    refusals.stop()
  }
}

function answer (situation: Situation, { exchanges, failure }: Prediction): CorsExplanation {
  const { route, method } = situation
  const shared = { route: route === undefined ? null : explained(route, method), exchanges: exchanges.map((exchange) => shown(exchange, situation.asked)) }
  if (failure === undefined) return { allowed: true, reason: null, message: describe(situation, undefined), advice: null, ...shared }
  const reason = diagnose(situation, failure)
  return { allowed: false, reason, message: describe(situation, reason), advice: advise(situation, reason), ...shared }
}

export function explained ({ url, checked }: KnownRoute, method: string): CorsExplainedRoute {
  return { method, url, policy: checked?.name ?? null }
}

/** The status of a response that is none: the request was not sent. */
const NOT_SENT = 0

function isPreflight ({ method, headers }: WireRequest): boolean {
  return method === 'OPTIONS' && getHeader(headers, 'access-control-request-method') !== null
}

async function send (root: FastifyInstance, { path, host, isWhole }: Asked, { headers }: WireRequest): Promise<LightMyRequestResponse> {
  return await root.inject({ method: 'OPTIONS', url: path, headers: { ...Object.fromEntries(headers), ...(isWhole && { host }) } })
}

/** Headers of the connection, of which `inject` has none, and the date: the same answer is the same text. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding'])

function listOf ({ headers }: LightMyRequestResponse): HeaderList {
  return Object.entries(headers).filter(([name]) => !OF_THE_CONNECTION.has(name)).flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, String(each)]))
}

/** An exchange as plain JSON. */
function shown ({ request, response: { status, headers } }: Prediction['exchanges'][number], { page, path, isWhole }: Asked): CorsExchange {
  return {
    request: { method: request.method, url: isWhole ? page.url : path, headers: joined(request.headers) },
    response: { statusCode: status === NOT_SENT ? null : status, headers: joined(headers) }
  }
}

/** The values of a repeated header are one list. */
function joined (list: HeaderList): Record<string, string> {
  return Object.fromEntries([...new Set(list.map(([name]) => name.toLowerCase()))].map((name) => [name, getHeader(list, name) as string]))
}
