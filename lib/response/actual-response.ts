// Decides on the CORS headers of actual responses, and waits for origin functions. The hooks of a registration call it; the guard sets the headers.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isPreflight } from '../http/preflight-request'
import type { CompiledPolicy } from '../policy/compiled-policy'
import type { PolicyHeaders } from './cors-headers'
import { decide, type Decision } from './decision'
import type * as Enforcement from './enforcement'
import { guardOf, ResponseGuard, type ResponseSource } from './guard'
import { hasListeners, reportRefusedOrigin } from './refused'
import { hasTimedOut, neverSettles } from './time-out'

/** A policy that decides on responses: that of a route, or the default policy of a scope for its 404s. */
export interface ResponsePolicy extends ResponseSource {
  /** Null for `cors: false`: then responses carry no CORS headers. */
  readonly policy: CompiledPolicy | null
  readonly headers: PolicyHeaders
}

/**
 * Decides on the origin of a request, and puts a guard on its response. What decided first stays: if a route calls the not-found handler, the policy of the
 * route applies. The origin is refused until an origin function has answered, so a response that is sent before carries no CORS headers.
 */
export function decideOnResponse (request: FastifyRequest, reply: FastifyReply, source: ResponsePolicy): ResponseGuard {
  const existing = guardOf(reply)
  if (existing !== undefined) return existing
  const { policy, headers } = source
  const guard = new ResponseGuard(reply, source, headers.vary)
  // A preflight comes here only if no policy answers it, so its response carries no CORS headers.
  if (policy !== null && isPreflight(request.raw)) return guard
  const apply = (decision: Decision): void => {
    guard.set(headers.for(decision))
    if (decision === false && hasListeners(request.log) && !isPreflight(request.raw)) reportRefusedOrigin(request, policy, source.policyName)
  }
  const decision = policy === null ? false : decide(policy, request)
  if (!(decision instanceof Promise)) apply(decision)
  else {
    guard.pendingDecision = decision.then((settled) => {
      // After a time-out, hooks that wait for the decision never continue.
      if (hasTimedOut(request)) return neverSettles()
      guard.pendingDecision = undefined
      apply(settled)
    })
  }
  return guard
}

/** Calls `done` when the origin is decided, with the error that ends the request if the policy enforces its origins. */
export function whenDecided (request: FastifyRequest, reply: FastifyReply, source: ResponsePolicy, done: (error?: Error) => void): void {
  const guard = decideOnResponse(request, reply, source)
  const finish = (): void => { done(isUpgrade(request) ? undefined : enforcementError(request, guard)) }
  if (guard.pendingDecision === undefined) return finish()
  guard.isDecisionAwaited = true
  void guard.pendingDecision.then(finish)
}

/** The error that ends a WebSocket upgrade of a refused origin. Undefined for every other request. */
export function upgradeError (request: FastifyRequest, reply: FastifyReply): Error | undefined {
  const guard = isUpgrade(request) ? guardOf(reply) : undefined
  return guard && enforcementError(request, guard)
}

function isUpgrade ({ raw }: FastifyRequest): boolean {
  return raw.headers.upgrade !== undefined
}

/** Undefined if the origin is allowed, or if the policy does not enforce it. */
function enforcementError (request: FastifyRequest, { allowsOrigin, source }: ResponseGuard): Error | undefined {
  if (allowsOrigin || (source as Partial<ResponsePolicy>).policy?.enforceOrigin !== true) return undefined
  return (require('./enforcement') as typeof Enforcement).enforcementError(request)
}

/**
 * Calls `done` when a response can be sent. If an origin function was called only now, because an earlier hook failed, the first attempt to send waits for it;
 * a second attempt, such as that of a time-out, does not.
 */
export function whenSendable (request: FastifyRequest, reply: FastifyReply, guard: ResponseGuard, done: () => void): void {
  guard.keepVary()
  const attempt = ++guard.sendAttempts
  if (guard.pendingDecision === undefined || guard.isDecisionAwaited || hasTimedOut(request)) return done()
  guard.isDecisionAwaited = true
  // If another attempt began meanwhile, it sends a response of its own.
  void guard.pendingDecision.then(() => { if (!reply.sent && guard.sendAttempts === attempt) done() })
}
