// Decides whether a policy allows the origin of a request. An origin function is called once per request. response.ts, lib/preflight/ and lib/explain/
// call it.
import type { FastifyRequest } from 'fastify'
import { isSerialisedOrigin } from '../origins/pattern'
import type { CompiledPolicy, OriginRule } from '../policy/compiled-policy'
import type { CorsOriginFunction } from '../origins/types'
import { isCredentialedOrigin } from './credentialed'
import { recordOriginFunctionFailure, warnOfTruthyAnswer } from './refused'

/** The value of `Access-Control-Allow-Origin`: an origin or `'*'`. False if the origin is refused. */
export type Decision = string | false

/** Decides on a request's origin by the rule of a policy. */
export function decide (rule: OriginRule, request: FastifyRequest): Decision | Promise<Decision> {
  if (rule.kind === 'any') return '*'
  const { origin } = request.raw.headers
  if (origin === undefined) return false
  if (rule.kind === 'list') return rule.matches(origin) ? origin : false
  return isSerialisedOrigin(origin) ? callOnce(rule.decide, origin, request) : false
}

/** Whether a policy allows an origin. False where only its origin function can tell, which is not called. */
export function allowsWithoutAsking (policy: CompiledPolicy, origin: string): boolean {
  const { origin: rule } = policy
  return rule.kind === 'any' || (rule.kind === 'list' && rule.matches(origin)) || isCredentialedOrigin(policy, origin)
}

/**
 * Where a request carries the last call of an origin function. One is enough: a request asks two functions only if a hook calls the not-found handler before
 * the route's own hooks have run.
 */
const kLastCall = Symbol('fastify-cors-policy.originFunctionCall')

interface WithLastCall { [kLastCall]?: { readonly originFunction: CorsOriginFunction, readonly decision: Decision | Promise<Decision> } }

function callOnce (originFunction: CorsOriginFunction, origin: string, request: FastifyRequest & WithLastCall): Decision | Promise<Decision> {
  const last = request[kLastCall]
  if (last?.originFunction === originFunction) return last.decision
  const decision = callOriginFunction(originFunction, origin, request)
  request[kLastCall] = { originFunction, decision }
  return decision
}

/** Only `true` allows the origin. Any other answer refuses it, and so does a function that throws or rejects. */
function callOriginFunction (originFunction: CorsOriginFunction, origin: string, request: FastifyRequest): Decision | Promise<Decision> {
  const decided = (answer: unknown): Decision => {
    if (answer === true) return origin
    warnOfTruthyAnswer(request, originFunction, answer)
    return false
  }
  const failed = (err: unknown): false => {
    recordOriginFunctionFailure(request)
    request.log.error({ err }, 'the origin function of config.cors failed: the origin is refused')
    return false
  }
  try {
    const answer = originFunction(origin, request)
    return typeof answer === 'object' ? Promise.resolve(answer).then(decided).catch(failed) : decided(answer)
  } catch (err) {
    return failed(err)
  }
}
