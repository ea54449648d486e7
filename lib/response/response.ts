// The headers of actual responses, as hooks of a route or of a scope's 404s. They decide on the origin as early as they can; `required-headers.ts` makes
// sure that the response has the headers that follow.
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { isPreflight } from '../http/preflight-request'
import { VARY_ORIGIN, type Vary } from '../http/vary'
import type { CompiledPolicy } from '../policy/policy'
import { credentialedOrigin } from './credentialed'
import { assignCorsHeaders, corsHeaders, type CorsHeaders, type Headers } from './cors-headers'
import { decide, type Decision } from './decision'
import type * as Enforcement from './enforcement'
import { reportOrigin } from './refused'
import { requiredOf, requireHeaders, type RequiredHeaders } from './required-headers'
import { hasTimedOut, never } from './time-out'
import { unbound } from './unbound'

/** The hooks that set a policy's headers. Without a policy: none, for anyone. */
export class ResponsePolicy {
  readonly #policy: CompiledPolicy | null
  /** A policy that allows every origin gives the same response to all (https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches). */
  readonly #vary: Vary | undefined
  /** Where the policy says `enforceOrigin`. */
  readonly #enforcement: typeof Enforcement | undefined
  #headers!: CorsHeaders
  /** For the origins that may send credentials where not all may. */
  #credentialedHeaders!: CorsHeaders

  /** `name` is that of the policy, for whoever reads of a refusal. */
  constructor (policy: CompiledPolicy | null, readonly name: string | null) {
    this.#policy = policy
    const varies = policy !== null && (policy.origin.kind !== 'any' || policy.credentialedOrigins !== undefined)
    this.#enforcement = policy?.enforceOrigin === true ? require('./enforcement') as typeof Enforcement : undefined
    this.#vary = varies ? this.#enforcement?.VARY_ENFORCED ?? VARY_ORIGIN : undefined
    this.expose(policy?.exposedHeaders ?? [])
  }

  /** Lets pages read these headers. */
  expose (names: readonly string[]): void {
    const exposed = names.length > 0 ? names.join(', ') : undefined
    this.#credentialedHeaders = corsHeaders({ 'access-control-allow-credentials': 'true', 'access-control-expose-headers': exposed })
    this.#headers = this.#policy?.credentials === true ? this.#credentialedHeaders : corsHeaders({ 'access-control-expose-headers': exposed })
  }

  /** The headers that a response gets, as an object of its own. `isCredentialed` is whether its origin is among those that may send credentials where not all may. */
  headersFor (decision: Decision, isCredentialed: boolean): Headers {
    const headers = this.#vary === undefined ? {} : { vary: this.#vary.text }
    return assignCorsHeaders(headers, decision === false ? undefined : decision, isCredentialed ? this.#credentialedHeaders : this.#headers)
  }

  /** Early, so that a reply which is hijacked has the headers too. */
  readonly onRequest = unbound((request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void | Promise<void> => {
    const required = this.#require(request, reply)
    if (required.pending === undefined) return done(this.#refusal(request, required))
    required.isAwaited = true
    return this.#enforcement === undefined
      ? required.pending
      : required.pending.then(() => {
        const refusal = this.#refusal(request, required)
        if (refusal !== undefined) throw refusal
      })
  })

  /** Where a hook threw before `onRequest` was reached. Synchronous: Fastify cannot send a handler's time-out while an onError hook is awaited. */
  readonly onError = unbound((request: FastifyRequest, reply: FastifyReply, _error: Error, done: () => void): void => {
    this.#requireOnce(request, reply)
    done()
  })

  /** Where a hook sent a response before `onRequest` was reached. An origin function that is asked only now is awaited, once: not by a second attempt, such as a time-out's. */
  readonly onSend = unbound((request: FastifyRequest, reply: FastifyReply, payload: unknown, done: () => void): void | Promise<unknown> => {
    const required = this.#requireOnce(request, reply)
    required.overwrittenVary = required.vary !== undefined && isStreamed(payload) ? varyOf(reply) : undefined
    const attempt = ++required.attempts
    if (required.pending === undefined || required.isAwaited || hasTimedOut(request)) return done()
    required.isAwaited = true
    // Whoever failed meanwhile has sent a response of its own.
    return required.pending.then(() => reply.sent || required.attempts !== attempt ? never() : undefined)
  })

  /** The error that ends a request of a refused origin here, where the policy says that it ends. */
  #refusal (request: FastifyRequest, { allowsOrigin }: RequiredHeaders): Error | undefined {
    return allowsOrigin ? undefined : this.#enforcement?.refusalOf(request)
  }

  #requireOnce (request: FastifyRequest, reply: FastifyReply): RequiredHeaders {
    const required = requiredOf(reply)
    return required?.owner === this ? required : this.#require(request, reply)
  }

  /** Decides on the request's origin. What is not known in time is refused: a response goes out as it is required to be at that moment. */
  #require (request: FastifyRequest, reply: FastifyReply): RequiredHeaders {
    const required = requireHeaders(reply, this, this.#vary)
    // A preflight that comes here was answered by no policy, so it gets no permission from this one either.
    const isAsked = this.#policy !== null && !isPreflight(request.raw)
    const credentialed = isAsked ? credentialedOrigin(this.#policy, request) : undefined
    if (credentialed !== undefined) {
      required.set(credentialed, this.#credentialedHeaders)
      return required
    }
    const decision: Decision | Promise<Decision> = isAsked && decide(this.#policy.origin, request)
    required.set(typeof decision === 'object' ? false : decision, this.#headers)
    if (decision === false) this.#report(request)
    if (typeof decision === 'object') {
      // After a time-out, whoever waits for this never goes on.
      required.pending = decision.then((settled) => hasTimedOut(request) ? never() : this.#settle(request, required, settled))
    }
    return required
  }

  #settle (request: FastifyRequest, required: RequiredHeaders, decision: Decision): void {
    if (required.owner !== this) return
    required.pending = undefined
    required.set(decision, this.#headers)
    if (decision === false) this.#report(request)
  }

  #report (request: FastifyRequest): void {
    if (!isPreflight(request.raw)) reportOrigin(request, this.#policy, this.name)
  }
}

/** A stream or a web `Response`: before these, Fastify copies headers from the one to the reply, and from the reply to the raw response. */
function isStreamed (payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && !Buffer.isBuffer(payload)
}

/** Everything that the response varies by so far; undefined for what cannot be sent, which Fastify reports itself. */
function varyOf (reply: FastifyReply): string | undefined {
  const list = [reply.raw.getHeader('vary'), reply.getHeader('vary')].filter((value) => value !== undefined).join()
  return list !== '' && /^[\t -~]*$/.test(list) ? list : undefined
}
