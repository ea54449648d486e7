// The hooks that decide on the CORS headers of actual responses. lib/application/route.ts adds them to routes that declare CORS, and lib/plugin.ts to
// instances, for their 404s. They decide as early as possible; required-headers.ts guarantees that the response has the headers.
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { isPreflight } from '../http/preflight-request'
import { VARY_ORIGIN, type Vary } from '../http/vary'
import type { CompiledPolicy } from '../policy/compiled-policy'
import { credentialedOrigin } from './credentialed'
import { assignCorsHeaders, corsHeaders, type CorsHeaders, type Headers } from './cors-headers'
import { decide, type Decision } from './decision'
import type * as Enforcement from './enforcement'
import { hasListeners, reportRefusedOrigin } from './refused'
import { requiredHeadersOf, requireHeaders, type RequiredHeaders } from './required-headers'
import { sharedHook } from './shared-hook'
import { hasTimedOut, neverSettles } from './time-out'

/** The hooks for one policy. For `cors: false` the policy is null, and the responses carry no CORS headers. */
export class ResponsePolicy {
  readonly #policy: CompiledPolicy | null
  /** Undefined if every origin gets the same response (https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches). */
  readonly #vary: Vary | undefined
  /** Defined if the policy has `enforceOrigin: true`. */
  readonly #enforcement: typeof Enforcement | undefined
  /** The headers for an allowed origin. */
  #headers!: CorsHeaders
  /** The headers for an origin in the policy's list of credentialed origins. */
  #credentialedHeaders!: CorsHeaders

  /** `policyName` is the name of the policy, for logs. */
  constructor (policy: CompiledPolicy | null, readonly policyName: string | null) {
    this.#policy = policy
    const varies = policy !== null && (policy.origin.kind !== 'any' || policy.credentialedOrigins !== undefined)
    this.#enforcement = policy?.enforceOrigin === true ? require('./enforcement') as typeof Enforcement : undefined
    this.#vary = varies ? this.#enforcement?.VARY_ENFORCED ?? VARY_ORIGIN : undefined
    this.expose(policy?.exposedHeaders ?? [])
  }

  /** Sets the response headers that pages may read. Replaces those that were set before. */
  expose (names: readonly string[]): void {
    const exposed = names.length > 0 ? names.join(', ') : undefined
    this.#credentialedHeaders = corsHeaders({ 'access-control-allow-credentials': 'true', 'access-control-expose-headers': exposed })
    this.#headers = this.#policy?.credentials === true
      ? this.#credentialedHeaders
      : corsHeaders({ 'access-control-expose-headers': exposed })
  }

  /** The CORS headers and `Vary` of a response, as a new object. `isCredentialed` tells whether the origin is in the policy's list of credentialed origins. */
  headersFor (decision: Decision, isCredentialed: boolean): Headers {
    const headers = this.#vary === undefined ? {} : { vary: this.#vary.value }
    return assignCorsHeaders(headers, decision === false ? undefined : decision, isCredentialed ? this.#credentialedHeaders : this.#headers)
  }

  /** Decides before the handler runs, so that a hijacked reply has the headers as well. */
  readonly onRequest = sharedHook((request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void | Promise<void> => {
    const required = this.#decide(request, reply)
    if (required.pendingDecision === undefined) return done(this.#enforcementError(request, required))
    required.isDecisionAwaited = true
    return this.#enforcement === undefined
      ? required.pendingDecision
      : required.pendingDecision.then(() => {
        const error = this.#enforcementError(request, required)
        if (error !== undefined) throw error
      })
  })

  /**
   * Decides if an earlier hook sent a response before `onRequest` ran. If an origin function is called only now, the first attempt to send waits for it;
   * a second attempt, such as a time-out's, does not.
   */
  readonly onSend = sharedHook((request: FastifyRequest, reply: FastifyReply, payload: unknown, done: () => void): void | Promise<unknown> => {
    const required = this.decideOnce(request, reply)
    required.varyBeforeCopy = required.vary !== undefined && mayCopyHeaders(payload) ? currentVary(reply) : undefined
    const attempt = ++required.sendAttempts
    if (required.pendingDecision === undefined || required.isDecisionAwaited || hasTimedOut(request)) return done()
    required.isDecisionAwaited = true
    // If another attempt began meanwhile, it sends a response of its own.
    return required.pendingDecision.then(() => reply.sent || required.sendAttempts !== attempt ? neverSettles() : undefined)
  })

  /** The error that ends a request of a refused origin. Undefined if the origin is allowed, or if the policy does not enforce it. */
  #enforcementError (request: FastifyRequest, { allowsOrigin }: RequiredHeaders): Error | undefined {
    return allowsOrigin ? undefined : this.#enforcement?.enforcementError(request)
  }

  /** Decides, unless this policy has decided already. */
  decideOnce (request: FastifyRequest, reply: FastifyReply): RequiredHeaders {
    const required = requiredHeadersOf(reply)
    return required?.source === this ? required : this.#decide(request, reply)
  }

  /** Decides on the request's origin. It is refused until an origin function has answered, so a response that is sent before carries no CORS headers. */
  #decide (request: FastifyRequest, reply: FastifyReply): RequiredHeaders {
    const required = requireHeaders(reply, this, this.#vary)
    // A preflight reaches this hook only if no policy answers it, so its response carries no CORS headers.
    const applies = this.#policy !== null && !isPreflight(request.raw)
    const credentialed = applies ? credentialedOrigin(this.#policy, request) : undefined
    if (credentialed !== undefined) {
      required.set(credentialed, this.#credentialedHeaders)
      return required
    }
    const decision: Decision | Promise<Decision> = applies ? decide(this.#policy.origin, request) : false
    if (typeof decision === 'object') {
      required.set(false, this.#headers)
      // After a time-out, hooks that wait for the decision never continue.
      required.pendingDecision = decision.then((settled) => hasTimedOut(request) ? neverSettles() : this.#apply(request, required, settled))
      return required
    }
    required.set(decision, this.#headers)
    if (decision === false) this.#report(request)
    return required
  }

  /** Sets the headers for an origin function's answer, unless another source decides by now. */
  #apply (request: FastifyRequest, required: RequiredHeaders, decision: Decision): void {
    if (required.source !== this) return
    required.pendingDecision = undefined
    required.set(decision, this.#headers)
    if (decision === false) this.#report(request)
  }

  #report (request: FastifyRequest): void {
    if (hasListeners(request.log) && !isPreflight(request.raw)) reportRefusedOrigin(request, this.#policy, this.policyName)
  }
}

/** Whether the payload is a stream or a web `Response`. Fastify copies headers before it sends these (see `varyBeforeCopy`). */
function mayCopyHeaders (payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && !Buffer.isBuffer(payload)
}

/** The `Vary` values of the raw response and of the reply. Undefined if there are none, or if Node would refuse to send them: Fastify reports that. */
function currentVary (reply: FastifyReply): string | undefined {
  const list = [reply.raw.getHeader('vary'), reply.getHeader('vary')].filter((value) => value !== undefined).join()
  return list !== '' && /^[\t -~]*$/.test(list) ? list : undefined
}
