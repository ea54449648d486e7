// The answer to a preflight: what one policy says about one method of one URL.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { parseRequestedHeaders, uniqueNames } from './http/headers'
import { VARY_PREFLIGHT } from './http/vary'
import type { AllowedHeaders, CompiledPolicy } from './policy'
import { addVary, HeaderSet, stripAll } from './response'
import { judge, verdictSoFar, type Verdict } from './verdict'

export class PreflightAnswer {
  readonly policy: CompiledPolicy
  /** Every header of an approval that does not depend on the request. */
  readonly #headers: HeaderSet
  /** With credentials, browsers read `*` as a name (https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7.7). */
  readonly #namesWhatIsAsked: boolean

  /** `methods` are those of the URL that have this policy; `derivedHeaders` the request headers of the route, used if the policy lists none. */
  constructor (policy: CompiledPolicy, methods: readonly string[], derivedHeaders: readonly string[]) {
    const allowed = policy.allowedHeaders ?? { any: false, names: derivedHeaders }
    this.policy = policy
    this.#namesWhatIsAsked = allowed.any && policy.credentials
    this.#headers = new HeaderSet({
      'access-control-allow-credentials': policy.credentials ? 'true' : undefined,
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': this.#namesWhatIsAsked ? undefined : listOf(allowed),
      'access-control-max-age': policy.maxAge
    })
  }

  /** Answers the request: completely here, before any hook that was registered later than the plugin. */
  send (request: FastifyRequest, reply: FastifyReply): void | Promise<unknown> {
    const requested = requestedHeaders(request)
    const verdict = requested !== undefined && judge(this.policy.origin, request)
    if (typeof verdict !== 'object') return this.#send(reply, verdict, requested)
    // Fastify goes on to the next hook when a promise settles, unless it settles with the reply.
    return verdict.then((settled) => {
      this.#send(reply, settled, requested)
      return reply
    })
  }

  #send (reply: FastifyReply, verdict: Verdict, requested: readonly string[] | undefined): void {
    this.#write(reply, verdict, requested)
    reply.code(verdict === false ? 403 : this.policy.optionsSuccessStatus).send()
  }

  /** Just before the answer is sent: puts right what hooks have changed. */
  restore (request: FastifyRequest, reply: FastifyReply): void {
    const requested = requestedHeaders(request)
    // The verdict is there, or the response is that of a time-out.
    this.#write(reply, requested !== undefined && (verdictSoFar(this.policy.origin, request) as Verdict), requested)
  }

  #write (reply: FastifyReply, verdict: Verdict, requested: readonly string[] | undefined): void {
    addVary(reply, VARY_PREFLIGHT)
    stripAll(reply)
    if (verdict === false) return
    this.#headers.write(reply, verdict)
    if (this.#namesWhatIsAsked && requested !== undefined && requested.length > 0) {
      reply.header('access-control-allow-headers', uniqueNames(requested).join(', '))
    }
  }
}

function requestedHeaders (request: FastifyRequest): readonly string[] | undefined {
  return parseRequestedHeaders(request.raw.headers['access-control-request-headers'])
}

function listOf ({ any, names }: AllowedHeaders): string | undefined {
  return any ? ['*', ...names].join(', ') : names.length > 0 ? names.join(', ') : undefined
}
