// The headers of actual responses: put on as soon as the route is known, and put right again just before they are sent.
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { mergeVary, VARY_ORIGIN, type HeaderValue } from './http/vary'
import { isPreflight } from './http/preflight-request'
import type { CompiledPolicy } from './policy'
import { judge, verdictBy, type Verdict } from './verdict'

/** Every `Access-Control-*` header that a response can have: whatever is not the policy's own answer is taken off. */
const RESPONSE_HEADERS = [
  'access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers', 'access-control-allow-methods',
  'access-control-allow-headers', 'access-control-max-age', 'access-control-allow-private-network'
]

/** Headers by their lower-case names. */
export type HeaderSet = Readonly<Record<string, string>>

/** Puts these `Access-Control-*` headers on the reply, and takes every other one off that a handler, a hook or an upstream has put there. */
export function replaceHeaders (reply: FastifyReply, headers: HeaderSet): void {
  for (const name of RESPONSE_HEADERS) {
    const value = headers[name]
    if (value !== undefined) reply.header(name, value)
    else if (reply.hasHeader(name)) reply.removeHeader(name)
  }
}

/** Adds names to the reply's Vary. */
export function addVary (reply: FastifyReply, names: readonly string[]): void {
  reply.header('vary', mergeVary(reply.getHeader('vary') as HeaderValue, names))
}

/** Nothing, to anyone. */
export const NO_HEADERS: HeaderSet = Object.freeze({})

/** What a policy says on the responses of a route (or of a scope's 404s). Without a policy: nothing, to anyone. */
export class ResponsePolicy {
  readonly #policy: CompiledPolicy | null
  readonly #anyOrigin: boolean
  /** The headers for an allowed origin, but for the origin itself. */
  readonly #headers: HeaderSet

  constructor (policy: CompiledPolicy | null, exposedHeaders: readonly string[]) {
    this.#policy = policy
    this.#anyOrigin = policy !== null && policy.origin.kind === 'any'
    this.#headers = Object.freeze({
      ...(this.#anyOrigin && { 'access-control-allow-origin': '*' }),
      ...(policy?.credentials === true && { 'access-control-allow-credentials': 'true' }),
      ...(exposedHeaders.length > 0 && { 'access-control-expose-headers': exposedHeaders.join(', ') })
    })
  }

  /** Early, so that a reply which is hijacked, or an error that nobody catches, has the headers too. */
  onRequest (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void | Promise<void> {
    const verdict = this.#judge(request)
    if (typeof verdict === 'object') return verdict.then((settled) => this.#write(reply, settled))
    this.#write(reply, verdict)
    done()
  }

  /** Where a hook threw before `onRequest` came to us: the error's response may be sent without `onSend`. */
  onError (request: FastifyRequest, reply: FastifyReply, _error: Error, done: () => void): void | Promise<void> {
    const verdict = this.#verdictSoFar(request)
    if (typeof verdict === 'object') return verdict.then((settled) => this.#write(reply, settled))
    this.#write(reply, verdict)
    done()
  }

  /** Last: whatever happened to the headers since, here they are put right. */
  onSend (request: FastifyRequest, reply: FastifyReply, payload: unknown, done: (err: null, payload: unknown) => void): void | Promise<unknown> {
    const verdict = this.#verdictSoFar(request)
    if (typeof verdict === 'object') return verdict.then((settled) => this.#finish(reply, settled, payload))
    done(null, this.#finish(reply, verdict, payload))
  }

  /** A preflight that comes here was answered by no policy, so it gets no permission from this one either. */
  #judge (request: FastifyRequest): Verdict | Promise<Verdict> {
    return this.#policy !== null && !isPreflight(request.raw) && judge(this.#policy.origin, request)
  }

  #verdictSoFar (request: FastifyRequest): Verdict | Promise<Verdict> {
    const verdict = this.#policy === null ? false : verdictBy(this.#policy.origin, request)
    if (verdict === undefined) return this.#judge(request)
    // The origin function has not answered, and the response cannot wait: a handler time-out. Unknown means refused.
    return typeof verdict !== 'object' && verdict
  }

  #write (reply: FastifyReply, verdict: Verdict): void {
    if (this.#policy !== null && !this.#anyOrigin) addVary(reply, VARY_ORIGIN)
    if (verdict === false) return
    reply.headers(this.#headers)
    reply.header('access-control-allow-origin', verdict)
  }

  #finish (reply: FastifyReply, verdict: Verdict, payload: unknown): unknown {
    const result = isWebResponse(payload) ? adopt(reply, payload) : payload
    replaceHeaders(reply, verdict === false ? NO_HEADERS : this.#headers)
    this.#write(reply, verdict)
    return result
  }
}

function isWebResponse (payload: unknown): payload is Response {
  return typeof payload === 'object' && payload !== null && Object.prototype.toString.call(payload) === '[object Response]'
}

/**
 * Fastify copies the headers of a web `Response` onto the reply after every hook. What concerns us is moved to the reply here; as the
 * headers of a fetched `Response` cannot be changed, the rest goes on in a new one.
 */
export function adopt (reply: FastifyReply, response: Response): Response {
  const headers = new Headers(response.headers)
  const vary = headers.get('vary')
  const foreign = RESPONSE_HEADERS.filter((name) => headers.has(name))
  // A body that was read already is an error that Fastify reports.
  if ((vary === null && foreign.length === 0) || response.bodyUsed) return response
  if (vary !== null) addVary(reply, [vary])
  for (const name of ['vary', ...foreign]) headers.delete(name)
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
}
