// The answer to a preflight: what one policy says about one method of one URL.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isListOfNames, namesIn, uniqueNames } from '../http/headers'
import { VARY_PREFLIGHT } from '../http/vary'
import type { AllowedHeaders, CompiledPolicy } from '../policy/policy'
import { credentialedOrigin } from '../response/credentialed'
import { addVary, currentHeaders, HeaderSet } from '../response/reply-headers'
import { judge, type Verdict } from '../response/verdict'

/** Where a preflight carries the verdict that its answer tells. */
const kVerdict = Symbol('fastify-cors-policy.verdict')

interface Judged { [kVerdict]?: Verdict }

export class PreflightAnswer {
  readonly policy: CompiledPolicy
  /** Those of the route's URL that have this policy. */
  readonly methods: readonly string[]
  /** For the origins that may send credentials. */
  readonly #credentialed: Approval
  /** For the others. */
  readonly #plain: Approval

  /** `derivedHeaders` are the request headers of the route, used if the policy lists none. */
  constructor (policy: CompiledPolicy, methods: readonly string[], derivedHeaders: readonly string[]) {
    const allowed = policy.allowedHeaders ?? { any: false, names: derivedHeaders }
    this.policy = policy
    this.methods = methods
    this.#credentialed = approval(policy, methods, allowed, true)
    this.#plain = policy.credentials ? this.#credentialed : approval(policy, methods, allowed, false)
  }

  /** Answers the request: completely here, before any hook that was registered later than the plugin. */
  send (request: FastifyRequest, reply: FastifyReply): void | Promise<unknown> {
    const verdict = isListOfNames(requestedHeaders(request)) && (credentialedOrigin(this.policy, request) ?? judge(this.policy.origin, request))
    if (typeof verdict !== 'object') return this.#send(request, reply, verdict)
    // Fastify goes on to the next hook when a promise settles, unless it settles with the reply.
    return verdict.then((settled) => {
      this.#send(request, reply, settled)
      return reply
    })
  }

  #send (request: FastifyRequest & Judged, reply: FastifyReply, verdict: Verdict): void {
    request[kVerdict] = verdict
    reply.code(verdict === false ? 403 : this.policy.optionsSuccessStatus).send()
  }

  /** Puts the headers on the answer, just before it is sent: after all other hooks. An answer that is not ours gets no permission. */
  write (request: FastifyRequest & Judged, reply: FastifyReply, methods: readonly string[] = this.methods): void {
    const verdict = request[kVerdict] ?? false
    if (request[kVerdict] === undefined) warnOfHook(request, reply)
    const current = currentHeaders(reply)
    addVary(reply, current.vary, VARY_PREFLIGHT)
    const { headers, namesWhatIsAsked } = credentialedOrigin(this.policy, request) === undefined ? this.#plain : this.#credentialed
    headers.restore(reply, current, verdict)
    if (verdict === false) return
    if (methods.length < this.methods.length) reply.header('access-control-allow-methods', methods.join(', '))
    if (!namesWhatIsAsked) return
    const requested = uniqueNames(namesIn(requestedHeaders(request)))
    if (requested.length > 0) reply.header('access-control-allow-headers', requested.join(', '))
  }
}

/** What an approval says. */
interface Approval {
  /** Every header that does not depend on the request. */
  readonly headers: HeaderSet
  /** With credentials, browsers read `*` as a name (https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7.7). */
  readonly namesWhatIsAsked: boolean
}

function approval ({ maxAge }: CompiledPolicy, methods: readonly string[], allowed: AllowedHeaders, withCredentials: boolean): Approval {
  const namesWhatIsAsked = allowed.any && withCredentials
  return {
    namesWhatIsAsked,
    headers: new HeaderSet({
      'access-control-allow-credentials': withCredentials ? 'true' : undefined,
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': namesWhatIsAsked ? undefined : listOf(allowed),
      'access-control-max-age': maxAge
    })
  }
}

const warned = new WeakSet<object>()

/** A preflight never carries credentials (https://fetch.spec.whatwg.org/#cors-preflight-fetch): authentication that runs before us makes every preflight fail. */
function warnOfHook (request: FastifyRequest, reply: FastifyReply): void {
  if ((reply.statusCode !== 401 && reply.statusCode !== 403) || warned.has(request.server)) return
  warned.add(request.server)
  request.log.warn(`a hook that was registered before fastify-cors-policy answered a preflight with ${reply.statusCode}: preflights carry no credentials, so register the plugin before such hooks`)
}

function requestedHeaders (request: FastifyRequest): string | undefined {
  return request.raw.headers['access-control-request-headers']
}

function listOf ({ any, names }: AllowedHeaders): string | undefined {
  return any ? ['*', ...names].join(', ') : names.length > 0 ? names.join(', ') : undefined
}
