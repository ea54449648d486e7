// The answer to a preflight: what one policy allows at one URL.
import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isListOfNames, namesIn, uniqueNames } from '../http/headers'
import { SAFELISTED_METHODS } from '../http/methods'
import { VARY_PREFLIGHT } from '../http/vary'
import type { AllowedHeaders, CompiledPolicy } from '../policy/compiled-policy'
import type { Decision, HeaderPairs } from '../response/cors-headers'
import { decide } from '../response/decision'
import { guardOf, ResponseGuard, type GuardSource } from '../response/guard'
import { hasListeners, originRefusalReason, reportRefusal, warnOfRefusedHeader } from '../response/refused'
import type { CorsRefusalReason } from '../response/refusal'
import { hasTimedOut } from '../response/time-out'

/** What answers the preflights of a URL. */
export interface AnswerOptions extends GuardSource {
  readonly policy: CompiledPolicy
  /** The methods that the answer names. */
  readonly methods: readonly string[]
  readonly allowedHeaders: AllowedHeaders
  /** The value of `Access-Control-Max-Age`, in seconds. */
  readonly maxAge: string | undefined
  /** The URL of the route, for logs. */
  readonly url: string
}

/** The request headers that a policy allows for a route. `derived` gives those of the route's schema. */
export function allowedHeadersOf ({ allowedHeaders: listed }: CompiledPolicy, derived: () => readonly string[]): AllowedHeaders {
  if (listed === undefined) return { any: false, names: derived() }
  return listed.addsDerived ? { any: listed.any, names: uniqueNames([...listed.names, ...derived()]) } : listed
}

/** Sends the answer to a preflight. Calls no `done`: hooks that were registered after the plugin do not run. */
export function sendAnswer (request: FastifyRequest, reply: FastifyReply, options: AnswerOptions): void {
  const guard = guardOf(reply) ?? new ResponseGuard(reply, options, VARY_PREFLIGHT)
  // An earlier hook has answered or failed meanwhile.
  if (guard.source !== options) return
  const send = (decision: Decision): void => {
    guard.set(decision === false ? [] : answerHeaders(decision, request, options))
    report(request, decision, options)
    reply.code(decision === false ? 403 : options.policy.optionsSuccessStatus).send()
  }
  const decision = isListOfNames(requestedHeaders(request)) && decide(options.policy, request)
  if (!(decision instanceof Promise)) return send(decision)
  decision.then((settled) => { if (!reply.sent && !hasTimedOut(request)) send(settled) }, () => {}) // it never rejects
}

/** The headers for an allowed origin. */
function answerHeaders ({ origin, credentials }: Exclude<Decision, false>, request: FastifyRequest, options: AnswerOptions): HeaderPairs {
  const { methods, maxAge } = options
  const headers: Array<readonly [string, string]> = [['access-control-allow-origin', origin]]
  if (credentials) headers.push(['access-control-allow-credentials', 'true'])
  headers.push(['access-control-allow-methods', methods.join(', ')])
  const allowed = allowHeadersValue(options.allowedHeaders, credentials, request)
  if (allowed !== '') headers.push(['access-control-allow-headers', allowed])
  if (maxAge !== undefined) headers.push(['access-control-max-age', maxAge])
  return headers
}

/**
 * If the policy allows every header, the requested ones are named: with credentials, browsers read `*` as a name, and Firefox does not remember it. `*` does
 * not cover `Authorization` (https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7.7).
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
function report (request: FastifyRequest, decision: Decision, { methods, allowedHeaders, url, policy, policyName, scope }: AnswerOptions): void {
  const { origin, 'access-control-request-method': method } = request.raw.headers as { readonly [name: string]: string }
  const route = `${method} ${url}`
  const header = decision === false ? undefined : refusedHeader(request, decision.credentials, allowedHeaders)
  if (header !== undefined) warnOfRefusedHeader(request, policy, { header, route, policyName })
  if (!hasListeners(request.log, scope.refusalLogLevel)) return
  const isRouted = SAFELISTED_METHODS.has(method as string) || methods.includes(method as string)
  const blocked = !isRouted ? 'method-not-routed' : header !== undefined ? 'header-not-allowed' : undefined
  const reason = decision === false ? refusalReason(request, origin as string) : blocked
  if (reason === undefined) return
  const named = reason === 'header-not-allowed' && header !== undefined ? { header } : {}
  reportRefusal(request.log, scope.refusalLogLevel, request, { reason, origin: origin as string, route, policy: policyName, ...named })
}

function refusalReason (request: FastifyRequest, origin: string): CorsRefusalReason {
  return isListOfNames(requestedHeaders(request)) ? originRefusalReason(request, origin) : 'invalid-request-headers'
}

/** The first requested header that the browser will block. */
function refusedHeader (request: FastifyRequest, credentials: boolean, { any, names }: AllowedHeaders): string | undefined {
  const requested = namesIn(requestedHeaders(request))
  if (requested.length === 0) return undefined
  const listed = names.map((name) => name.toLowerCase())
  const isAllowed = (name: string): boolean => listed.includes(name) || (any && (credentials || name !== 'authorization'))
  return requested.find((name) => !isAllowed(name.toLowerCase()))
}

function requestedHeaders (request: FastifyRequest): string | undefined {
  return request.raw.headers['access-control-request-headers']
}

/** The source of the headers if an earlier hook answered a preflight, or failed, before the policy did. */
export const ANSWERED_BEFORE: GuardSource = { policy: null, policyName: null, setsHeaders: true, scope: { enforceOrigin: false, refusalLogLevel: 'debug' } }

/** The instances that have logged the warning: each logs it once. */
const warnedServers = new WeakSet<object>()

/** No policy decides on this response: it carries no CORS headers. */
export function withholdHeaders (reply: FastifyReply, source: GuardSource): ResponseGuard {
  return new ResponseGuard(reply, source, source === ANSWERED_BEFORE ? VARY_PREFLIGHT : undefined)
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
