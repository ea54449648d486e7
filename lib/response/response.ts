// The headers of actual responses: put on as soon as the route is known, and put right again just before they are sent.
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { Vary, VARY_ORIGIN } from '../http/vary'
import { credentialedOrigin } from './credentialed'
import { refusalOf, VARY_ENFORCED } from './enforcement'
import { addVary, currentHeaders, HeaderSet, RESPONSE_HEADERS } from './reply-headers'
import { isPreflight } from '../http/preflight-request'
import type { CompiledPolicy } from '../policy/policy'
import { unbound } from './unbound'
import { judge, verdictSoFar, type Verdict } from './verdict'

/** What a policy says on the responses of a route (or of a scope's 404s), as hooks. Without a policy: nothing, to anyone. */
export class ResponsePolicy {
  readonly #policy: CompiledPolicy | null
  readonly #vary: Vary | undefined
  #headers!: HeaderSet
  #credentialedHeaders!: HeaderSet

  constructor (policy: CompiledPolicy | null) {
    this.#policy = policy
    if (policy !== null && (policy.origin.kind !== 'any' || policy.credentialedOrigins !== undefined)) this.#vary = policy.enforceOrigin ? VARY_ENFORCED : VARY_ORIGIN
    this.expose(policy?.exposedHeaders ?? [])
  }

  /** Has pages read these headers. */
  expose (names: readonly string[]): void {
    const exposed = names.length > 0 ? names.join(', ') : undefined
    this.#credentialedHeaders = new HeaderSet({ 'access-control-allow-credentials': 'true', 'access-control-expose-headers': exposed })
    this.#headers = this.#policy?.credentials === true ? this.#credentialedHeaders : new HeaderSet({ 'access-control-expose-headers': exposed })
  }

  /** Early, so that a reply which is hijacked, or an error that nobody catches, has the headers too. */
  readonly onRequest = unbound((request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void | Promise<void> => {
    if (this.#policy?.enforceOrigin !== true) return this.#head(request, reply, judge, done)
    const verdict = this.#judge(request, judge)
    if (typeof verdict !== 'object') return done(this.#enforce(request, reply, verdict))
    return verdict.then((settled) => {
      const refusal = this.#enforce(request, reply, settled)
      if (refusal !== undefined) throw refusal
    })
  })

  /** Where a hook threw before `onRequest` came to us: the error's response may be sent without `onSend`. */
  readonly onError = unbound((request: FastifyRequest, reply: FastifyReply, _error: Error, done: () => void) => this.#head(request, reply, verdictSoFar, done))

  /** Last: whatever happened to the headers since, here they are put right. */
  readonly onSend = unbound((request: FastifyRequest, reply: FastifyReply, payload: unknown, done: (err: null, payload: unknown) => void): void | Promise<unknown> => {
    const verdict = this.#judge(request, verdictSoFar)
    if (typeof verdict === 'object') return verdict.then((settled) => this.#finish(request, reply, settled, payload))
    done(null, this.#finish(request, reply, verdict, payload))
  })

  /** A preflight that comes here was answered by no policy, so it gets no permission from this one either. */
  #judge (request: FastifyRequest, by: typeof judge): Verdict | Promise<Verdict> {
    return this.#policy !== null && !isPreflight(request.raw) && (credentialedOrigin(this.#policy, request) ?? by(this.#policy.origin, request))
  }

  #headersFor (request: FastifyRequest): HeaderSet {
    return this.#policy !== null && credentialedOrigin(this.#policy, request) !== undefined ? this.#credentialedHeaders : this.#headers
  }

  #head (request: FastifyRequest, reply: FastifyReply, by: typeof judge, done: () => void): void | Promise<void> {
    const verdict = this.#judge(request, by)
    if (typeof verdict === 'object') return verdict.then((settled) => this.#write(request, reply, settled))
    this.#write(request, reply, verdict)
    done()
  }

  /** Writes the headers, and says whether the request ends here. */
  #enforce (request: FastifyRequest, reply: FastifyReply, verdict: Verdict): Error | undefined {
    this.#write(request, reply, verdict)
    return verdict === false ? refusalOf(request) : undefined
  }

  #write (request: FastifyRequest, reply: FastifyReply, verdict: Verdict): void {
    if (this.#vary !== undefined) addVary(reply, reply.getHeader('vary'), this.#vary)
    this.#headersFor(request).write(reply, verdict)
  }

  #finish (request: FastifyRequest, reply: FastifyReply, verdict: Verdict, payload: unknown): unknown {
    const result = isWebResponse(payload) ? adopt(reply, payload) : payload
    const current = currentHeaders(reply)
    if (this.#vary !== undefined) addVary(reply, current.vary, this.#vary)
    this.#headersFor(request).restore(reply, current, verdict)
    return result
  }
}

function isWebResponse (payload: unknown): payload is Response {
  return typeof payload === 'object' && Object.prototype.toString.call(payload) === '[object Response]'
}

/**
 * Fastify copies the headers of a web `Response` onto the reply after every hook. What concerns us is moved to the reply here; as the
 * headers of a fetched `Response` cannot be changed, the rest goes on in a new one.
 */
function adopt (reply: FastifyReply, response: Response): Response {
  const headers = new Headers(response.headers)
  const vary = headers.get('vary')
  const foreign = RESPONSE_HEADERS.filter((name) => headers.has(name))
  // A body that was read already is an error that Fastify reports.
  if ((vary === null && foreign.length === 0) || response.bodyUsed) return response
  if (vary !== null) addVary(reply, reply.getHeader('vary'), new Vary(vary))
  for (const name of ['vary', ...foreign]) headers.delete(name)
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
}
