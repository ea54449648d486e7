// Whether the origin of one request is allowed: asked at most once per request, and remembered on it.
import type { FastifyRequest } from 'fastify'
import { isSerialisedOrigin } from './origin/pattern'
import type { OriginRule } from './policy'
import type { CorsOriginFunction } from './schema'

/** What goes into `Access-Control-Allow-Origin`: an origin or `'*'`; false is a refusal. */
export type Verdict = string | false

/** Where a request carries its verdict, and the rule that it is the verdict of. */
export const kVerdict = Symbol('fastify-cors-policy.verdict')
export const kRule = Symbol('fastify-cors-policy.rule')

interface Judged {
  [kVerdict]?: Verdict | Promise<Verdict>
  [kRule]?: OriginRule
}

/** Judges a request by a rule, and remembers the verdict. */
export function judge (rule: OriginRule, request: FastifyRequest & Judged): Verdict | Promise<Verdict> {
  const verdict = verdictOf(rule, request)
  remember(request, rule, verdict)
  return typeof verdict === 'object' ? verdict.then((settled) => remember(request, rule, settled)) : verdict
}

/** Remembers a verdict that needed no judging. */
export function remember<Given extends Verdict | Promise<Verdict>> (request: FastifyRequest & Judged, rule: OriginRule, verdict: Given): Given {
  request[kRule] = rule
  request[kVerdict] = verdict
  return verdict
}

/** The verdict that this rule came to about this request; undefined before it was asked, a promise while its function thinks. */
export function verdictBy (rule: OriginRule, request: FastifyRequest & Judged): Verdict | Promise<Verdict> | undefined {
  return request[kRule] === rule ? request[kVerdict] : undefined
}

function verdictOf (rule: OriginRule, request: FastifyRequest): Verdict | Promise<Verdict> {
  if (rule.kind === 'any') return '*'
  const { origin } = request.raw.headers
  if (origin === undefined) return false
  if (rule.kind === 'list') return rule.matches(origin) && origin
  return isSerialisedOrigin(origin) && ask(rule.decide, origin, request)
}

/** Only `true` allows: a function that fails, or answers anything else, has not said yes. */
function ask (decide: CorsOriginFunction, origin: string, request: FastifyRequest): Verdict | Promise<Verdict> {
  const failed = (err: unknown): false => {
    request.log.error({ err }, 'the origin function of config.cors failed: the origin is refused')
    return false
  }
  try {
    const answer = decide(origin, request)
    return typeof answer === 'object' ? Promise.resolve(answer).then((settled) => settled === true && origin, failed) : answer === true && origin
  } catch (err) {
    return failed(err)
  }
}
