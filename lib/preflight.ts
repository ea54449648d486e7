// The answer to a preflight: what one policy says about one method of one URL.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { parseRequestedHeaders, uniqueNames } from './http/headers'
import { VARY_PREFLIGHT } from './http/vary'
import type { AllowedHeaders, CompiledPolicy } from './policy'
import { addVary, NO_HEADERS, replaceHeaders, type HeaderSet } from './response'
import { judge, remember, verdictBy, type Verdict } from './verdict'

export class PreflightAnswer {
  readonly #policy: CompiledPolicy
  /** Every header of an approval that does not depend on the request. */
  readonly #headers: HeaderSet
  /** With credentials, browsers read `*` as a name (https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7.7). */
  readonly #namesWhatIsAsked: boolean

  /** `methods` are those of the URL that have this policy; `derivedHeaders` the request headers of the route, used if the policy lists none. */
  constructor (policy: CompiledPolicy, methods: readonly string[], derivedHeaders: readonly string[]) {
    const allowed = policy.allowedHeaders ?? { any: false, names: derivedHeaders }
    const allowHeaders = listOf(allowed)
    this.#policy = policy
    this.#namesWhatIsAsked = allowed.any && policy.credentials
    this.#headers = Object.freeze({
      ...(policy.origin.kind === 'any' && { 'access-control-allow-origin': '*' }),
      ...(policy.credentials && { 'access-control-allow-credentials': 'true' }),
      'access-control-allow-methods': methods.join(', '),
      ...(allowHeaders !== '' && !this.#namesWhatIsAsked && { 'access-control-allow-headers': allowHeaders }),
      ...(policy.maxAge !== undefined && { 'access-control-max-age': policy.maxAge })
    })
  }

  /** Answers the request: completely here, before any hook that was registered later than the plugin. */
  send (request: FastifyRequest, reply: FastifyReply): void | Promise<unknown> {
    const requested = parseRequestedHeaders(request.raw.headers['access-control-request-headers'])
    const rule = this.#policy.origin
    const verdict = requested === undefined ? remember(request, rule, false) : judge(rule, request)
    if (typeof verdict !== 'object') return this.#send(request, reply, verdict)
    // Fastify goes on to the next hook when a promise settles, unless it settles with the reply.
    return verdict.then((settled) => {
      this.#send(request, reply, settled)
      return reply
    })
  }

  #send (request: FastifyRequest, reply: FastifyReply, verdict: Verdict): void {
    this.write(request, reply)
    reply.code(verdict === false ? 403 : this.#policy.optionsSuccessStatus).send()
  }

  /** Puts the headers on the reply; once more just before they are sent, for hooks may have changed them. */
  write (request: FastifyRequest, reply: FastifyReply): void {
    const verdict = verdictBy(this.#policy.origin, request)
    addVary(reply, VARY_PREFLIGHT)
    if (typeof verdict !== 'string') {
      replaceHeaders(reply, NO_HEADERS)
      return
    }
    replaceHeaders(reply, this.#headers)
    reply.header('access-control-allow-origin', verdict)
    if (this.#namesWhatIsAsked) {
      const requested = parseRequestedHeaders(request.raw.headers['access-control-request-headers'])
      if (requested !== undefined && requested.length > 0) reply.header('access-control-allow-headers', uniqueNames(requested).join(', '))
    }
  }
}

function listOf ({ any, names }: AllowedHeaders): string {
  return any ? ['*', ...names].join(', ') : names.join(', ')
}
