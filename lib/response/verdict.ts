// Whether the origin of one request is allowed. A list answers as often as it is asked; a function is asked once per request.
import type { FastifyRequest } from 'fastify'
import { isSerialisedOrigin } from '../policy/origin/pattern'
import type { OriginRule } from '../policy/policy'
import type { CorsOriginFunction } from '../schema'

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
    const verdict = recall(request, rule.decide)?.verdict
    // A handler time-out. Unknown means refused.
    if (verdict !== undefined) return typeof verdict !== 'object' && verdict
  }
  return judge(rule, request)
}

/** What a function said about a request. */
interface Said {
  readonly decide: CorsOriginFunction
  verdict: Verdict | Promise<Verdict>
  /** What another said before: that of the route, where that of the scope's 404s is asked as well. */
  readonly before: Said | undefined
}

const kSaid = Symbol('fastify-cors-policy.said')

type Asked = FastifyRequest & { [kSaid]?: Said }

function recall (request: Asked, decide: CorsOriginFunction): Said | undefined {
  let said = request[kSaid]
  while (said !== undefined && said.decide !== decide) said = said.before
  return said
}

function remember (request: Asked, decide: CorsOriginFunction, origin: string): Verdict | Promise<Verdict> {
  const said: Said = { decide, verdict: ask(decide, origin, request), before: request[kSaid] }
  request[kSaid] = said
  if (typeof said.verdict === 'object') {
    said.verdict = said.verdict.then((settled) => {
      said.verdict = settled
      return settled
    })
  }
  return said.verdict
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
