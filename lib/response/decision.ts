// Whether a policy allows the origin of a request. A function is asked once per request.
import type { FastifyRequest } from 'fastify'
import { isSerialisedOrigin } from '../policy/origin/pattern'
import type { OriginRule } from '../policy/policy'
import type { CorsOriginFunction } from '../schema'
import { noteFailure, warnOfTruthy } from './refused'

/** What goes into `Access-Control-Allow-Origin`: an origin or `'*'`; false is a refusal. */
export type Decision = string | false

/** Decides on a request by a rule. */
export function decide (rule: OriginRule, request: FastifyRequest): Decision | Promise<Decision> {
  if (rule.kind === 'any') return '*'
  const { origin } = request.raw.headers
  if (origin === undefined) return false
  return rule.kind === 'list' ? rule.matches(origin) && origin : isSerialisedOrigin(origin) && askOnce(rule.decide, origin, request)
}

/** The last function that was asked about a request. Another is asked only where a hook called the not-found handler before the route's hooks ran. */
const kAsked = Symbol('fastify-cors-policy.asked')

interface Asked { [kAsked]?: { readonly ask: CorsOriginFunction, readonly decision: Decision | Promise<Decision> } }

function askOnce (ask: CorsOriginFunction, origin: string, request: FastifyRequest & Asked): Decision | Promise<Decision> {
  const asked = request[kAsked]
  if (asked?.ask === ask) return asked.decision
  const decision = askFunction(ask, origin, request)
  request[kAsked] = { ask, decision }
  return decision
}

/** Only `true` allows: a function that fails, or answers anything else, has not said yes. */
function askFunction (ask: CorsOriginFunction, origin: string, request: FastifyRequest): Decision | Promise<Decision> {
  const decided = (answer: unknown): Decision => {
    if (answer === true) return origin
    warnOfTruthy(request, ask, answer)
    return false
  }
  const failed = (err: unknown): false => {
    noteFailure(request)
    request.log.error({ err }, 'the origin function of config.cors failed: the origin is refused')
    return false
  }
  try {
    const answer = ask(origin, request)
    return typeof answer === 'object' ? Promise.resolve(answer).then(decided, failed) : decided(answer)
  } catch (err) {
    return failed(err)
  }
}
