// Decides whether a policy allows the origin of a request. An origin function is called once per request.
import type { FastifyRequest } from 'fastify'
import { isSerialisedOrigin } from '../origins/pattern'
import type { CorsOriginFunction } from '../origins/types'
import type { CompiledPolicy } from '../policy/compiled-policy'
import type { Decision } from './cors-headers'
import { recordOriginFunctionFailure, warnOfTruthyAnswer } from './refused'

const ANY_ORIGIN: Decision = Object.freeze({ origin: '*', credentials: false })

/** Decides on the origin of a request. */
export function decide (policy: CompiledPolicy, request: FastifyRequest): Decision | Promise<Decision> {
  const { origin } = request.raw.headers
  const { origin: rule, credentials } = policy
  if (origin === undefined) return rule.kind === 'any' ? ANY_ORIGIN : false
  const known = decideWithoutAsking(policy, origin)
  if (known !== false || rule.kind !== 'function' || !isSerialisedOrigin(origin)) return known
  const answer = callOnce(rule.decide, origin, request)
  const toDecision = (allowed: boolean): Decision => allowed && { origin, credentials }
  return typeof answer === 'boolean' ? toDecision(answer) : answer.then(toDecision)
}

/** Decides on an origin. False where only the policy's origin function can tell, which is not called. */
export function decideWithoutAsking ({ origin: rule, credentials, credentialedOrigins }: CompiledPolicy, origin: string): Decision {
  if (credentialedOrigins?.matches(origin) === true) return { origin, credentials: true }
  if (rule.kind === 'any') return ANY_ORIGIN
  return rule.kind === 'list' && rule.matches(origin) && { origin, credentials }
}

/**
 * Where a request carries the last call of an origin function. One is enough: a request asks two functions only if a hook calls the not-found handler before
 * the plugin's own hook has run.
 */
const kLastCall = Symbol('fastify-cors-policy.originFunctionCall')

type Answer = boolean | Promise<boolean>

interface WithLastCall { [kLastCall]?: { readonly originFunction: CorsOriginFunction, readonly answer: Answer } }

function callOnce (originFunction: CorsOriginFunction, origin: string, request: FastifyRequest & WithLastCall): Answer {
  const last = request[kLastCall]
  if (last?.originFunction === originFunction) return last.answer
  const answer = callOriginFunction(originFunction, origin, request)
  request[kLastCall] = { originFunction, answer }
  return answer
}

/** Only `true` allows the origin. Any other answer refuses it, and so does a function that throws or rejects. */
function callOriginFunction (originFunction: CorsOriginFunction, origin: string, request: FastifyRequest): Answer {
  const decided = (answer: unknown): boolean => {
    if (answer !== true) warnOfTruthyAnswer(request, originFunction, answer)
    return answer === true
  }
  const failed = (err: unknown): boolean => {
    recordOriginFunctionFailure(request)
    request.log.error({ err }, 'the origin function of config.cors failed: the origin is refused')
    return false
  }
  try {
    const answer: unknown = originFunction(origin, request)
    return typeof answer === 'object' ? Promise.resolve(answer).then(decided).catch(failed) : decided(answer)
  } catch (err) {
    return failed(err)
  }
}
