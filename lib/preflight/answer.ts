// The answer to a preflight: what one policy allows at one URL.
import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isListOfNames, namesIn, uniqueNames } from '../http/headers'
import { SAFELISTED_METHODS } from '../http/methods'
import { VARY_PREFLIGHT } from '../http/vary'
import type { AllowedHeaders, CompiledPolicy } from '../policy/compiled-policy'
import { NO_HEADERS, type HeaderPairs } from '../response/cors-headers'
import { decide, type Decision } from '../response/decision'
import { guardOf, ResponseGuard, type ResponseSource } from '../response/guard'
import { hasListeners, originRefusalReason, reportRefusal, type CorsRefusalReason } from '../response/refused'
import { hasTimedOut } from '../response/time-out'

/** What a preflight announces, and what may be answered. */
export interface AnswerOptions extends ResponseSource {
  readonly policy: CompiledPolicy
  /** The methods that the answer names. */
  readonly methods: readonly string[]
  /** The request headers of the route's schema. They are used if the policy has no `allowedHeaders`. */
  readonly derivedHeaders: readonly string[]
  /** The URL of the route, for logs. */
  readonly url: string
}

/** Sends the answer to a preflight. Calls no `done`: hooks that were registered after the plugin do not run. */
export function sendAnswer (request: FastifyRequest, reply: FastifyReply, options: AnswerOptions): void {
  const guard = guardOf(reply) ?? new ResponseGuard(reply, options, VARY_PREFLIGHT)
  if (guard.source !== options) return
  const send = (decision: Decision): void => {
    guard.set(decision === false ? NO_HEADERS : answerHeaders(decision, request, options))
    if (hasListeners(request.log)) report(request, decision, options)
    reply.code(decision === false ? 403 : options.policy.optionsSuccessStatus).send()
  }
  const decision = isListOfNames(requestedHeaders(request)) && decide(options.policy, request)
  if (!(decision instanceof Promise)) return send(decision)
  void decision.then((settled) => { if (!reply.sent && !hasTimedOut(request)) send(settled) })
}

/** The headers for an allowed origin. */
function answerHeaders ({ origin, credentials }: Exclude<Decision, false>, request: FastifyRequest, options: AnswerOptions): HeaderPairs {
  const { policy, methods } = options
  const headers: Array<readonly [string, string]> = [['access-control-allow-origin', origin]]
  if (credentials) headers.push(['access-control-allow-credentials', 'true'])
  headers.push(['access-control-allow-methods', methods.join(', ')])
  const allowed = allowHeadersValue(allowedHeaders(options), credentials, request)
  if (allowed !== '') headers.push(['access-control-allow-headers', allowed])
  if (policy.maxAge !== undefined) headers.push(['access-control-max-age', policy.maxAge])
  return headers
}

function allowedHeaders ({ policy, derivedHeaders }: AnswerOptions): AllowedHeaders {
  return policy.allowedHeaders ?? { any: false, names: derivedHeaders }
}

/**
 * If the policy allows every header, the requested ones are named: with credentials, browsers read `*` as a name, and Firefox does not remember it. `*` does not
 * cover `Authorization` (https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7.7).
 */
function allowHeadersValue ({ any, names }: AllowedHeaders, credentials: boolean, request: FastifyRequest): string {
  if (!any) return names.join(', ')
  const requested = namesIn(requestedHeaders(request))
  return uniqueNames(credentials ? requested : ['*', ...names, ...requested.filter((name) => name.toLowerCase() !== 'authorization')]).join(', ')
}

/**
 * An allowed origin may still ask for a method or a header that the policy does not allow. The full answer is sent all the same: the browser then tells the
 * developer which one it is.
 */
function report (request: FastifyRequest, decision: Decision, options: AnswerOptions): void {
  const { origin, 'access-control-request-method': method } = request.raw.headers as { readonly [name: string]: string }
  const reason = decision === false ? refusalReason(request, origin as string) : blockedReason(request, decision.credentials, method as string, options)
  if (reason === undefined) return
  reportRefusal(request.log, request, { reason, origin: origin as string, route: `${method} ${options.url}`, policy: options.policyName })
}

function refusalReason (request: FastifyRequest, origin: string): CorsRefusalReason {
  return isListOfNames(requestedHeaders(request)) ? originRefusalReason(request, origin) : 'invalid-request-headers'
}

/** Why the browser blocks the announced request of an allowed origin. Undefined if it does not. */
function blockedReason (request: FastifyRequest, credentials: boolean, method: string, options: AnswerOptions): CorsRefusalReason | undefined {
  if (!SAFELISTED_METHODS.has(method) && !options.methods.includes(method)) return 'method-not-routed'
  const { any, names } = allowedHeaders(options)
  const listed = names.map((name) => name.toLowerCase())
  const isAllowed = (name: string): boolean => listed.includes(name) || (any && (credentials || name !== 'authorization'))
  return namesIn(requestedHeaders(request)).every((name) => isAllowed(name.toLowerCase())) ? undefined : 'header-not-allowed'
}

function requestedHeaders (request: FastifyRequest): string | undefined {
  return request.raw.headers['access-control-request-headers']
}

/** The source of the headers if an earlier hook answered a preflight. */
const ANSWERED_BEFORE: ResponseSource = { policyName: null }

/** The instances that have logged the warning: each logs it once. */
const warnedServers = new WeakSet<object>()

/** An earlier hook answered a preflight, or failed, before the policy did: the response carries no CORS headers. */
export function withholdHeaders (reply: FastifyReply): ResponseGuard {
  return new ResponseGuard(reply, ANSWERED_BEFORE, VARY_PREFLIGHT)
}

/** Warns if an earlier hook answered a preflight. */
export function warnIfAnsweredBefore (request: FastifyRequest, { statusCode }: FastifyReply, { source }: ResponseGuard): void {
  if (source !== ANSWERED_BEFORE || warnedServers.has(request.server)) return
  warnedServers.add(request.server)
  // Authentication rejects every preflight: preflights carry no credentials (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
  const reason = statusCode === 401 || statusCode === 403
    ? 'preflights carry no credentials, so register the plugin before such hooks'
    : 'the policy of the route was not applied; register the plugin before that hook, and remove any other CORS plugin or register it later'
  const status = [statusCode, STATUS_CODES[statusCode]].join(' ').trim()
  request.log.warn(`a hook that was registered before fastify-cors-policy answered a preflight with ${status}: ${reason}`)
}
