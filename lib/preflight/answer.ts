// The answer to a preflight: what one policy allows at one URL. router.ts makes an answer for each route; the generated OPTIONS routes send it.
import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isListOfNames, namesIn, uniqueNames } from '../http/headers'
import { SAFELISTED_METHODS } from '../http/methods'
import { VARY_PREFLIGHT } from '../http/vary'
import type { AllowedHeaders, CompiledPolicy } from '../policy/compiled-policy'
import { credentialedOrigin } from '../response/credentialed'
import { corsHeaders, NO_CORS_HEADERS, type CorsHeaders } from '../response/cors-headers'
import { decide, type Decision } from '../response/decision'
import { hasListeners, originRefusalReason, reportRefusal, type CorsRefusalReason } from '../response/refused'
import { requiredHeadersOf, requireHeaders, type RequiredHeaders } from '../response/required-headers'
import { hasTimedOut, neverSettles } from '../response/time-out'

/** The route that an answer is for, as refusals report it. */
export interface AnsweredRoute {
  readonly url: string
  /** The name of the route's policy. */
  readonly policy: string | null
}

export class PreflightAnswer {
  readonly policy: CompiledPolicy
  /** The methods of the route's URL that have this policy. */
  readonly methods: readonly string[]
  /** For the origins that may send credentials. */
  readonly #withCredentials: AllowedAnswer
  /** For the other allowed origins. */
  readonly #withoutCredentials: AllowedAnswer
  readonly #route: AnsweredRoute

  /** `derivedHeaders` are the request headers of the route's schema. They are used if the policy has no `allowedHeaders`. */
  constructor (policy: CompiledPolicy, methods: readonly string[], derivedHeaders: readonly string[], route: AnsweredRoute) {
    this.#route = route
    const allowed = policy.allowedHeaders ?? { any: false, names: derivedHeaders }
    this.policy = policy
    this.methods = methods
    this.#withCredentials = allowedAnswer(policy, methods, allowed, true)
    this.#withoutCredentials = policy.credentials ? this.#withCredentials : allowedAnswer(policy, methods, allowed, false)
  }

  /** The name of the policy, for refusals. */
  get policyName (): string | null {
    return this.#route.policy
  }

  /** Sends the complete answer. Hooks that were registered after the plugin do not run. `methods` are the methods that the answer may name. */
  send (request: FastifyRequest, reply: FastifyReply, methods: readonly string[] = this.methods): void | Promise<unknown> {
    const required = requireHeaders(reply, this, VARY_PREFLIGHT)
    const isList = isListOfNames(requestedHeaders(request))
    const credentialed = isList ? credentialedOrigin(this.policy, request) : undefined
    const allowed = credentialed === undefined ? this.#withoutCredentials : this.#withCredentials
    const decision = isList && (credentialed ?? decide(this.policy.origin, request))
    if (typeof decision !== 'object') return this.#send(request, reply, required, allowed, methods, decision)
    required.set(false, NO_CORS_HEADERS)
    return decision.then((settled) => {
      if (reply.sent || hasTimedOut(request)) return neverSettles()
      this.#send(request, reply, required, allowed, methods, settled)
      // Fastify runs the next hook when a promise settles, unless it settles with the reply.
      return reply
    })
  }

  #send (
    request: FastifyRequest, reply: FastifyReply, required: RequiredHeaders, allowed: AllowedAnswer, methods: readonly string[], decision: Decision
  ): void {
    required.set(decision, this.#headersFor(allowed, request, methods))
    if (hasListeners(request.log)) this.#report(request, decision, allowed)
    reply.code(decision === false ? 403 : this.policy.optionsSuccessStatus).send()
  }

  /**
   * The headers for an allowed origin. They depend on the request only if the policy allows every header, or if some of the methods reach another policy
   * at this URL.
   */
  #headersFor ({ headers, listsRequested, hasWildcard, listedHeaders }: AllowedAnswer, request: FastifyRequest, methods: readonly string[]): CorsHeaders {
    const requested = listsRequested ? namesIn(requestedHeaders(request)) : []
    if (methods.length === this.methods.length && requested.length === 0) return headers
    const withoutAuthorization = requested.filter((name) => name.toLowerCase() !== 'authorization')
    const names = uniqueNames(hasWildcard ? ['*', ...listedHeaders, ...withoutAuthorization] : requested)
    return {
      ...headers,
      'access-control-allow-methods': methods.join(', '),
      ...(names.length > 0 && requested.length > 0 && { 'access-control-allow-headers': names.join(', ') })
    }
  }

  /**
   * An allowed origin may still ask for a method or a header that the policy does not allow. The full answer is sent all the same: the browser then tells
   * the developer which one it is.
   */
  #report (request: FastifyRequest, decision: Decision, allowed: AllowedAnswer): void {
    const { origin, 'access-control-request-method': method } = request.raw.headers as { readonly [name: string]: string }
    const reason = decision === false ? this.#refusalReason(request, origin as string) : this.#blockedReason(request, method as string, allowed)
    const { url, policy } = this.#route
    if (reason !== undefined) reportRefusal(request.log, request, { reason, origin: origin as string, route: `${method} ${url}`, policy })
  }

  #refusalReason (request: FastifyRequest, origin: string): CorsRefusalReason {
    return isListOfNames(requestedHeaders(request)) ? originRefusalReason(request, origin) : 'invalid-request-headers'
  }

  /** Why the browser blocks the announced request of an allowed origin. Undefined if it does not. */
  #blockedReason (request: FastifyRequest, method: string, { listsRequested, hasWildcard, listedHeaders }: AllowedAnswer): CorsRefusalReason | undefined {
    if (!SAFELISTED_METHODS.has(method) && !this.methods.includes(method)) return 'method-not-routed'
    const listed = listedHeaders.map((name) => name.toLowerCase())
    const isAllowed = (name: string): boolean => listed.includes(name) || (listsRequested && !(hasWildcard && name === 'authorization'))
    return namesIn(requestedHeaders(request)).every((name) => isAllowed(name.toLowerCase())) ? undefined : 'header-not-allowed'
  }

  /** If an earlier hook failed before `send` was called, its error response carries no CORS headers. */
  withholdHeaders (reply: FastifyReply): void {
    const source = requiredHeadersOf(reply)?.source
    if (source !== this && source !== ANSWERED_BEFORE) requireHeaders(reply, ANSWERED_BEFORE, VARY_PREFLIGHT).set(false, NO_CORS_HEADERS)
  }

  /**
   * For the onSend and onResponse hooks. If an earlier hook answered before `send` was called, its response carries no CORS headers, and a warning is
   * logged.
   */
  warnIfAnsweredBefore (request: FastifyRequest, reply: FastifyReply): void {
    this.withholdHeaders(reply)
    if (requiredHeadersOf(reply)?.source === ANSWERED_BEFORE) warnOfEarlierHook(request, reply)
  }
}

/** The answer for an allowed origin. */
interface AllowedAnswer {
  /** Every header that does not depend on the request. */
  readonly headers: CorsHeaders
  /**
   * Whether the requested headers are listed by name, because the policy allows every header. A `*` alone is not enough: with credentials, browsers read it
   * as a name, and Firefox does not cache it.
   */
  readonly listsRequested: boolean
  /** Whether the list also contains `*`. It does not cover `Authorization` (https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7.7). */
  readonly hasWildcard: boolean
  /** The headers that the policy or the route's schema lists. */
  readonly listedHeaders: readonly string[]
}

function allowedAnswer ({ maxAge }: CompiledPolicy, methods: readonly string[], allowed: AllowedHeaders, withCredentials: boolean): AllowedAnswer {
  const hasWildcard = allowed.any && !withCredentials
  return {
    listsRequested: allowed.any,
    hasWildcard,
    listedHeaders: allowed.names,
    headers: corsHeaders({
      'access-control-allow-credentials': withCredentials ? 'true' : undefined,
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': allowed.any && withCredentials ? undefined : allowHeadersValue(allowed),
      'access-control-max-age': maxAge
    })
  }
}

function allowHeadersValue ({ any, names }: AllowedHeaders): string | undefined {
  return any ? ['*', ...names].join(', ') : names.length > 0 ? names.join(', ') : undefined
}

/** The source of the headers if an earlier hook answered the preflight. */
const ANSWERED_BEFORE = {}

/** The instances that have logged the warning: each logs it once. */
const warnedServers = new WeakSet<object>()

function warnOfEarlierHook (request: FastifyRequest, { statusCode }: FastifyReply): void {
  if (warnedServers.has(request.server)) return
  warnedServers.add(request.server)
  // Authentication rejects every preflight: preflights carry no credentials (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
  const reason = statusCode === 401 || statusCode === 403
    ? 'preflights carry no credentials, so register the plugin before such hooks'
    : 'the policy of the route was not applied; register the plugin before that hook, and remove any other CORS plugin or register it later'
  const status = [statusCode, STATUS_CODES[statusCode]].join(' ').trim()
  request.log.warn(`a hook that was registered before fastify-cors-policy answered a preflight with ${status}: ${reason}`)
}

function requestedHeaders (request: FastifyRequest): string | undefined {
  return request.raw.headers['access-control-request-headers']
}
