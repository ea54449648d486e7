// Decides on the CORS headers of actual responses, waits for origin functions, and refuses requests of refused origins. The guard sets the headers.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isPreflight } from '../http/preflight-request'
import { decide, type Decision } from './decision'
import { closeUpgrade, isFromForeignPage, OriginRefusedError } from './enforcement'
import { guardOf, ResponseGuard } from './guard'
import { hasListeners, reportRefusedOrigin } from './refused'
import { enforcementOf, type ResponseSource } from './source'
import { hasTimedOut, neverSettles } from './time-out'

/**
 * Decides on the origin of a request, and puts a guard on its response. What decided first stays: if a route calls the not-found handler, the policy of the
 * route applies. The origin is refused until an origin function has answered, so a response that is sent before carries no CORS headers.
 */
export function decideOnResponse (request: FastifyRequest, reply: FastifyReply, source: ResponseSource): ResponseGuard {
  const existing = guardOf(reply)
  if (existing !== undefined) return existing
  const { policy, headers } = source
  const guard = new ResponseGuard(reply, source, headers.vary)
  // A preflight comes here only if no policy answers it, so its response carries no CORS headers.
  if (isPreflight(request.raw)) return guard
  const apply = (decision: Decision): void => {
    guard.set(headers.for(decision))
    if (decision === false) refuse(request, guard)
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

function refuse (request: FastifyRequest, guard: ResponseGuard): void {
  const { source } = guard
  const enforcement = enforcementOf(source)
  const isRefused = enforcement !== false && isFromForeignPage(request)
  guard.refusesRequest = isRefused && enforcement === true
  // What declares nothing is no refusal, unless the registration makes it one.
  if ((source.setsHeaders || isRefused) && hasListeners(request.log, source.scope.refusalLogLevel)) {
    reportRefusedOrigin(request, source, isRefused ? guard.refusesRequest : undefined)
  }
}

/** Calls `done` when the origin is decided, with the error that ends a refused request. */
export function whenDecided (request: FastifyRequest, reply: FastifyReply, source: ResponseSource, done: (error?: Error) => void): void {
  const guard = decideOnResponse(request, reply, source)
  const finish = (): void => {
    if (!guard.refusesRequest) return done()
    closeUpgrade(request, reply)
    done(new OriginRefusedError())
  }
  if (guard.pendingDecision === undefined) return finish()
  guard.isDecisionAwaited = true
  guard.pendingDecision.then(finish, finish) // it never rejects
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
  guard.pendingDecision.then(() => { if (!reply.sent && guard.sendAttempts === attempt) done() }, done) // it never rejects
}
