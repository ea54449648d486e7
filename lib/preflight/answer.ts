// The answer to a preflight: what one policy says about one method of one URL.
import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isListOfNames, namesIn, uniqueNames } from '../http/headers'
import { SAFELISTED_METHODS } from '../http/methods'
import { VARY_PREFLIGHT } from '../http/vary'
import type { AllowedHeaders, CompiledPolicy } from '../policy/policy'
import { credentialedOrigin } from '../response/credentialed'
import { corsHeaders, NO_CORS_HEADERS, type CorsHeaders } from '../response/cors-headers'
import { decide, type Decision } from '../response/decision'
import { isHeard, report, whyNotOrigin, type CorsRefusalReason } from '../response/refused'
import { requiredOf, requireHeaders, type RequiredHeaders } from '../response/required-headers'
import { hasTimedOut, never } from '../response/time-out'

/** The route that an answer is for, as a refusal names it. */
export interface AnsweredRoute {
  readonly url: string
  /** The name of its policy. */
  readonly policy: string | null
}

export class PreflightAnswer {
  readonly policy: CompiledPolicy
  /** Those of the route's URL that have this policy. */
  readonly methods: readonly string[]
  /** For the origins that may send credentials. */
  readonly #credentialed: Approval
  /** For the others. */
  readonly #plain: Approval
  readonly #route: AnsweredRoute

  /** `derivedHeaders` are the request headers of the route, used if the policy lists none. */
  constructor (policy: CompiledPolicy, methods: readonly string[], derivedHeaders: readonly string[], route: AnsweredRoute) {
    this.#route = route
    const allowed = policy.allowedHeaders ?? { any: false, names: derivedHeaders }
    this.policy = policy
    this.methods = methods
    this.#credentialed = approval(policy, methods, allowed, true)
    this.#plain = policy.credentials ? this.#credentialed : approval(policy, methods, allowed, false)
  }

  /** Answers the request: completely here, before any hook that was registered later than the plugin. `methods` are those that the answer may name. */
  send (request: FastifyRequest, reply: FastifyReply, methods: readonly string[] = this.methods): void | Promise<unknown> {
    const required = requireHeaders(reply, this, VARY_PREFLIGHT)
    const isList = isListOfNames(requestedHeaders(request))
    const credentialed = isList ? credentialedOrigin(this.policy, request) : undefined
    const approval = credentialed === undefined ? this.#plain : this.#credentialed
    const decision = isList && (credentialed ?? decide(this.policy.origin, request))
    if (typeof decision !== 'object') return this.#send(request, reply, required, approval, methods, decision)
    required.set(false, NO_CORS_HEADERS)
    return decision.then((settled) => {
      if (reply.sent || hasTimedOut(request)) return never()
      this.#send(request, reply, required, approval, methods, settled)
      // Fastify goes on to the next hook when a promise settles, unless it settles with the reply.
      return reply
    })
  }

  #send (request: FastifyRequest, reply: FastifyReply, required: RequiredHeaders, approval: Approval, methods: readonly string[], decision: Decision): void {
    required.set(decision, this.#headersFor(approval, request, methods))
    if (isHeard(request.log)) this.#report(request, decision, approval)
    reply.code(decision === false ? 403 : this.policy.optionsSuccessStatus).send()
  }

  /** The name of the policy. */
  get name (): string | null {
    return this.#route.policy
  }

  /** A preflight that is approved may still not allow what it asks for: the answer lets the browser name it. */
  #report (request: FastifyRequest, decision: Decision, approval: Approval): void {
    const { origin, 'access-control-request-method': method } = request.raw.headers as { readonly [name: string]: string }
    const reason = decision === false ? this.#whyNot(request, origin as string) : this.#whyNotAll(request, method as string, approval)
    const { url, policy } = this.#route
    if (reason !== undefined) report(request.log, request, { reason, origin: origin as string, route: `${method} ${url}`, policy })
  }

  #whyNot (request: FastifyRequest, origin: string): CorsRefusalReason {
    return isListOfNames(requestedHeaders(request)) ? whyNotOrigin(request, origin) : 'invalid-request-headers'
  }

  #whyNotAll (request: FastifyRequest, method: string, { namesWhatIsAsked, hasWildcard, listed }: Approval): CorsRefusalReason | undefined {
    if (!SAFELISTED_METHODS.has(method) && !this.methods.includes(method)) return 'method-not-routed'
    const allowed = listed.map((name) => name.toLowerCase())
    const isAllowed = (name: string): boolean => allowed.includes(name) || (namesWhatIsAsked && !(hasWildcard && name === 'authorization'))
    return namesIn(requestedHeaders(request)).every((name) => isAllowed(name.toLowerCase())) ? undefined : 'header-not-allowed'
  }

  /** The onError hook: where a hook failed before `send` was reached, its error response gets no permission. */
  refuse (reply: FastifyReply): void {
    const owner = requiredOf(reply)?.owner
    if (owner !== this && owner !== OTHER) requireHeaders(reply, OTHER, VARY_PREFLIGHT).set(false, NO_CORS_HEADERS)
  }

  /** The onSend hook, and the onResponse hook: where a hook answered before `send` was reached, its answer gets no permission, and the developer hears of it. */
  reportOther (request: FastifyRequest, reply: FastifyReply): void {
    this.refuse(reply)
    if (requiredOf(reply)?.owner === OTHER) warnOfHook(request, reply)
  }

  #headersFor ({ headers, namesWhatIsAsked, hasWildcard, listed }: Approval, request: FastifyRequest, methods: readonly string[]): CorsHeaders {
    const requested = namesWhatIsAsked ? namesIn(requestedHeaders(request)) : []
    if (methods.length === this.methods.length && requested.length === 0) return headers
    const names = uniqueNames(hasWildcard ? ['*', ...listed, ...requested.filter((name) => name.toLowerCase() !== 'authorization')] : requested)
    return {
      ...headers,
      'access-control-allow-methods': methods.join(', '),
      ...(names.length > 0 && requested.length > 0 && { 'access-control-allow-headers': names.join(', ') })
    }
  }
}

/** What an approval says. */
interface Approval {
  /** Every header that does not depend on the request. */
  readonly headers: CorsHeaders
  /** Where the policy allows every name, those asked for are written out: with credentials, browsers read `*` as a name, and Firefox remembers no `*`. */
  readonly namesWhatIsAsked: boolean
  /** Whether `*` stands beside them (https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7.7). */
  readonly hasWildcard: boolean
  /** The names that the policy lists. */
  readonly listed: readonly string[]
}

function approval ({ maxAge }: CompiledPolicy, methods: readonly string[], allowed: AllowedHeaders, withCredentials: boolean): Approval {
  const hasWildcard = allowed.any && !withCredentials
  return {
    namesWhatIsAsked: allowed.any,
    hasWildcard,
    listed: allowed.names,
    headers: corsHeaders({
      'access-control-allow-credentials': withCredentials ? 'true' : undefined,
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': allowed.any && withCredentials ? undefined : listOf(allowed),
      'access-control-max-age': maxAge
    })
  }
}

/** Whoever answered a preflight before it came to us. */
const OTHER = {}

const warned = new WeakSet<object>()

function warnOfHook (request: FastifyRequest, { statusCode }: FastifyReply): void {
  if (warned.has(request.server)) return
  warned.add(request.server)
  // Authentication makes every preflight fail: a preflight carries no credentials (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
  const reason = statusCode === 401 || statusCode === 403
    ? 'preflights carry no credentials, so register the plugin before such hooks'
    : 'the policy of the route had no say; register the plugin before that hook, and take another CORS plugin out or register it later'
  request.log.warn(`a hook that was registered before fastify-cors-policy answered a preflight with ${[statusCode, STATUS_CODES[statusCode]].join(' ').trim()}: ${reason}`)
}

function requestedHeaders (request: FastifyRequest): string | undefined {
  return request.raw.headers['access-control-request-headers']
}

function listOf ({ any, names }: AllowedHeaders): string | undefined {
  return any ? ['*', ...names].join(', ') : names.length > 0 ? names.join(', ') : undefined
}
