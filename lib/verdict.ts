// Whether the origin of one request is allowed. A list answers as often as it is asked; a function is asked once per request.
import type { FastifyRequest } from 'fastify'
import { isSerialisedOrigin } from './origin/pattern'
import type { OriginRule } from './policy'
import type { CorsOriginFunction } from './schema'

/** What goes into `Access-Control-Allow-Origin`: an origin or `'*'`; false is a refusal. */
export type Verdict = string | false

/** Judges a request by a rule. */
export function judge (rule: OriginRule, request: FastifyRequest): Verdict | Promise<Verdict> {
  if (rule.kind === 'any') return '*'
  const { origin } = request.raw.headers
  if (origin === undefined) return false
  return rule.kind === 'list' ? rule.matches(origin) && origin : isSerialisedOrigin(origin) && remember(request, rule.decide, origin)
}

/** The same once the response has begun to end: what a function has not answered by now is refused, for the response cannot wait. */
export function verdictSoFar (rule: OriginRule, request: FastifyRequest): Verdict | Promise<Verdict> {
  if (rule.kind === 'function') {
    const verdict = remembered.get(request)?.get(rule.decide)
    // A handler time-out. Unknown means refused.
    if (verdict !== undefined) return typeof verdict !== 'object' && verdict
  }
  return judge(rule, request)
}

/** What functions said about requests. */
const remembered = new WeakMap<FastifyRequest, Map<CorsOriginFunction, Verdict | Promise<Verdict>>>()

function remember (request: FastifyRequest, decide: CorsOriginFunction, origin: string): Verdict | Promise<Verdict> {
  const verdicts = remembered.get(request) ?? new Map<CorsOriginFunction, Verdict | Promise<Verdict>>()
  remembered.set(request, verdicts)
  const verdict = ask(decide, origin, request)
  const pending = typeof verdict === 'object' && verdict.then((settled) => {
    verdicts.set(decide, settled)
    return settled
  })
  verdicts.set(decide, pending === false ? verdict : pending)
  return pending === false ? verdict : pending
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
