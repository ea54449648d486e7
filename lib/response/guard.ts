// The guard of a response: it replaces the response's `writeHead`, and corrects the headers there. Fastify calls `writeHead` for every reply, and Node for
// every response that is written to `reply.raw`, whatever hook or middleware ends it; no code of the application runs after it.
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { isHeaderName, namesIn, uniqueNames } from '../http/headers'
import { isPreflight } from '../http/preflight-request'
import type { Vary } from '../http/vary'
import { CORS_HEADER_NAMES, EXPOSE_HEADERS, type HeaderPairs } from './cors-headers'
import { reportReplacedHeaders, warnOfHiddenHeaders } from './refused'
import type { ResponseSource } from './source'

/** Where a response carries its guard. */
const kGuard = Symbol('fastify-cors-policy.guard')

type GuardedResponse = ServerResponse & { [kGuard]?: ResponseGuard }

/** What decides on the headers of a response. */
export type GuardSource = Omit<ResponseSource, 'headers'>

/** Headers as Fastify passes them to `writeHead`. */
type Headers = Record<string, unknown>

export class ResponseGuard {
  /** Settles when the origin function has answered and the headers are set. Undefined if there is nothing to wait for. */
  pendingDecision: Promise<void> | undefined
  /** Whether a hook delays the request or the response until the decision. */
  isDecisionAwaited = false
  /** Whether the request is answered 403, as its origin is refused. */
  refusesRequest = false
  /** How often the response was about to be sent. More than once if a hook or the handler's time-out failed the attempt before. */
  sendAttempts = 0
  #headers: HeaderPairs = []
  #isWritten = false
  /** Values of `Vary` that Fastify may overwrite before the head is written. */
  readonly #keptVary: string[] = []
  readonly #reply: FastifyReply
  readonly #writeHead: ServerResponse['writeHead']
  /** Whether another function had replaced `writeHead` before: listeners of `on-headers` run inside it, after the correction. */
  readonly #hasInner: boolean

  /** The response carries no CORS headers until `set` is called. */
  constructor (reply: FastifyReply, readonly source: GuardSource, readonly vary: Vary | undefined) {
    const raw = reply.raw as GuardedResponse
    this.#reply = reply
    this.#hasInner = Object.hasOwn(raw, 'writeHead')
    this.#writeHead = raw.writeHead
    raw.writeHead = writeHead as never
    raw[kGuard] = this
  }

  /** Sets the CORS headers of the response. They replace what a handler, a hook or a proxied server sets. */
  set (headers: HeaderPairs): void {
    this.#headers = headers
  }

  /**
   * Keeps the present values of `Vary`. Fastify overwrites them before it writes some payloads: it copies the headers of a web `Response` to the reply, and
   * those of a stream's reply to the raw response.
   */
  keepVary (): void {
    if (this.vary === undefined) return
    for (const value of [this.#reply.raw.getHeader('vary'), this.#reply.getHeader('vary')]) {
      // Node refuses to send other characters. Fastify reports that.
      if (value !== undefined && /^[\t -~]*$/.test(String(value))) this.#keptVary.push(String(value))
    }
  }

  /** Calls the response's own `writeHead` with the corrected headers. As with Node's method, `reason` can be left out: then `reason` has the headers. */
  writeHead (raw: GuardedResponse, statusCode: number, reason: unknown, headers: unknown): unknown {
    const hasReason = typeof reason === 'string'
    const given = hasReason ? headers : headers ?? reason
    // Headers that were sent already cannot be corrected: Node throws its own error for them. `headersSent` does not tell: @fastify/express replaces it.
    const corrected = this.#isWritten ? given : this.#correct(raw, given)
    const write = (): unknown => (this.#writeHead as Function).call(raw, statusCode, ...(hasReason ? [reason] : []), corrected)
    const result = this.#hasInner ? this.#whileProtected(raw, corrected as Headers, write) : write()
    this.#isWritten = true
    return result
  }

  /** The headers to write in place of these. Removes from the raw response what they replace. */
  #correct (raw: GuardedResponse, given: unknown): Headers {
    const corrected = copyOf(given)
    const own = new Map(this.#headers)
    const found = new Map<string, unknown[]>()
    const take = (name: string, value: unknown, remove: () => void): void => {
      if (name === 'vary' ? this.vary === undefined : !own.has(name) && !(this.source.setsHeaders && CORS_HEADER_NAMES.has(name))) return
      found.set(name, [...found.get(name) ?? [], value])
      remove()
    }
    for (const key of Object.keys(corrected)) take(key.toLowerCase(), corrected[key], () => { delete corrected[key] })
    for (const name of raw.getHeaderNames()) take(name, raw.getHeader(name), () => { raw.removeHeader(name) })
    if (this.vary !== undefined) {
      const values = [...this.#keptVary, ...found.get('vary') ?? []]
      corrected.vary = this.vary.mergedWith(values.length === 0 ? undefined : values.join())
      found.delete('vary')
    }
    if (found.size > 0) this.#replace(own, found)
    for (const [name, value] of own) corrected[name] = value
    return corrected
  }

  /** Adds the response headers that a handler exposes, where the policy leaves that to the route. Reports the other headers that are replaced. */
  #replace (own: Map<string, string>, found: ReadonlyMap<string, readonly unknown[]>): void {
    const { policy } = this.source
    const { request } = this.#reply
    const exposed = namesIn(found.get(EXPOSE_HEADERS)?.join())
    if (exposed.length > 0 && own.has('access-control-allow-origin') && policy !== null && !isPreflight(request.raw)) {
      const names = exposed.filter((name) => isHeaderName(name) && (name !== '*' || !own.has('access-control-allow-credentials')))
      if (policy.exposedHeaders === undefined || policy.exposesDerived) {
        if (names.length > 0) own.set(EXPOSE_HEADERS, uniqueNames([...namesIn(own.get(EXPOSE_HEADERS)), ...names]).join(', '))
      } else warnOfHiddenHeaders(request, this.source, names.filter((name) => !policy.exposedHeaders?.includes(name)))
    }
    const replaced = [...found].filter(([name, values]) => values.some((value) => value !== own.get(name)) && !(name === EXPOSE_HEADERS && own.has(name)))
    if (replaced.length > 0) reportReplacedHeaders(request, replaced.map(([name]) => name), this.source.policyName)
  }

  /** Calls `write`, in which listeners set headers. They cannot change the CORS headers, and can only add to `Vary`. */
  #whileProtected (raw: GuardedResponse, corrected: Headers, write: () => unknown): unknown {
    const { setHeader, appendHeader, removeHeader } = raw
    const isCors = (name: string): boolean => this.source.setsHeaders && CORS_HEADER_NAMES.has(name)
    const change = (method: Function, name: string, value: unknown): unknown => {
      const lower = String(name).toLowerCase()
      if (isCors(lower) && (!Object.hasOwn(corrected, lower) || corrected[lower] !== value)) return raw
      if (lower !== 'vary' || this.vary === undefined) return method.call(raw, name, value)
      return setHeader.call(raw, name, this.vary.mergedWith([raw.getHeader('vary') ?? corrected.vary, value].join()))
    }
    Object.assign(raw, {
      setHeader: (name: string, value: unknown) => change(setHeader, name, value),
      appendHeader: (name: string, value: unknown) => change(appendHeader, name, value),
      removeHeader: (name: string) => { if (!isCors(name.toLowerCase()) && name.toLowerCase() !== 'vary') removeHeader.call(raw, name) }
    })
    try {
      return write()
    } finally {
      Object.assign(raw, { setHeader, appendHeader, removeHeader })
    }
  }
}

/** The `writeHead` of every guarded response: one function, so that none is created for each response. */
function writeHead (this: GuardedResponse, statusCode: number, reason?: unknown, headers?: unknown): unknown {
  return (this[kGuard] as ResponseGuard).writeHead(this, statusCode, reason, headers)
}

/** The guard of a reply's response. Undefined if nothing has decided on its headers so far. */
export function guardOf (reply: Pick<FastifyReply, 'raw'>): ResponseGuard | undefined {
  return (reply.raw as GuardedResponse)[kGuard]
}

/**
 * Copies headers in any form that Node accepts: an object, a flat list of names and values, or a list of pairs. `Object.assign` is a hundred times faster than
 * a spread with Fastify's objects on Node 20.
 */
function copyOf (given: unknown): Headers {
  if (!Array.isArray(given)) return Object.assign({}, given)
  const copy: Headers = {}
  const pairs = Array.isArray(given[0]) ? given : Array.from({ length: given.length / 2 }, (_, index) => given.slice(2 * index, 2 * index + 2))
  for (const [name, value] of pairs as unknown[][]) {
    const key = String(name)
    copy[key] = Object.hasOwn(copy, key) ? [copy[key], value].flat() : value
  }
  return copy
}
