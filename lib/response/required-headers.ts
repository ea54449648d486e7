// The CORS headers that a response must have, and the one place that guarantees them: the response's `writeHead`. Fastify calls it for every reply, and
// Node calls it for responses that are written to `reply.raw`; no hook runs after it. Hooks could not guarantee the headers: if an onSend or onError hook
// throws, Fastify skips the hooks after it, and other hooks may run after the plugin's. response.ts and preflight/answer.ts say which headers are required.
import type { FastifyReply } from 'fastify'
import type { ServerResponse } from 'node:http'
import type { HeaderValue, Vary } from '../http/vary'
import { assignCorsHeaders, CORS_HEADER_NAMES, hasExactCorsHeaders, NO_CORS_HEADERS, type CorsHeaders, type Headers } from './cors-headers'
import { reportReplacedHeaders } from './refused'
import { replyHeaders } from './reply-headers'

/** Where a response carries its required headers. */
const kRequired = Symbol('fastify-cors-policy.required')

type Response = ServerResponse & { [kRequired]?: RequiredHeaders }

/** What decides the CORS headers of a response: a response policy or a preflight answer. */
export interface HeaderSource {
  /** The name of its policy, for logs. */
  readonly policyName?: string | null
}

/** The headers that one response must have. */
export class RequiredHeaders {
  /**
   * The `Vary` value after all hooks, which the onSend hook in response.ts sets for some payloads. Fastify overwrites the value after that: it copies the
   * headers of a web `Response` to the reply, and those of a stream's reply to the raw response. Undefined for other payloads.
   */
  varyBeforeCopy: string | undefined
  /** Settles when the origin function has answered and the headers are set. Undefined if there is nothing to wait for. */
  pendingDecision: Promise<void> | undefined
  /** Whether a hook delays the request or the response until the decision. */
  isDecisionAwaited = false
  /** How often the response was about to be sent. More than once if a hook or the handler's time-out failed the attempt before. */
  sendAttempts = 0
  #allowedOrigin: string | undefined
  #headers: CorsHeaders = NO_CORS_HEADERS
  readonly #reply: FastifyReply
  readonly #replyHeaders: Headers | undefined
  readonly #writeHead: (...args: unknown[]) => unknown

  /** Replaces the response's `writeHead`. No origin is allowed until `set` is called. */
  constructor (reply: FastifyReply, public source: HeaderSource, public vary: Vary | undefined) {
    this.#reply = reply
    this.#replyHeaders = replyHeaders(reply)
    const raw = reply.raw as Response
    this.#writeHead = raw.writeHead as never
    raw.writeHead = writeHead as never
    raw[kRequired] = this
  }

  /**
   * Requires these headers if the origin is allowed, and no CORS headers if it is refused. Writes them to the reply at once, for code that reads the reply's
   * headers before it is sent.
   */
  set (allowedOrigin: string | false, headers: CorsHeaders): void {
    this.#allowedOrigin = allowedOrigin === false ? undefined : allowedOrigin
    this.#headers = allowedOrigin === false ? NO_CORS_HEADERS : headers
    const current = this.#replyHeaders
    if (current === undefined) {
      if (this.vary !== undefined) this.#reply.header('vary', this.vary.mergedWith(this.#reply.getHeader('vary')))
      this.#reply.headers(assignCorsHeaders({}, this.#allowedOrigin, this.#headers) as Record<string, string>)
    } else {
      if (this.vary !== undefined) current.vary = this.vary.mergedWith(current.vary as HeaderValue)
      assignCorsHeaders(current, this.#allowedOrigin, this.#headers)
    }
  }

  /** Whether the origin is allowed, as far as it is decided. */
  get allowsOrigin (): boolean {
    return this.#allowedOrigin !== undefined
  }

  /** Calls the response's own `writeHead` with the required headers. As with Node's method, `reason` can be left out: then `reason` has the headers. */
  writeHead (raw: Response, statusCode: unknown, reason: unknown, headers: unknown): unknown {
    const given = typeof reason === 'string' ? headers : headers ?? reason
    const corrected = this.#isAlreadyCorrect(raw, given) ? given : this.#correct(raw, given)
    return typeof reason === 'string' ? this.#writeHead.call(raw, statusCode, reason, corrected) : this.#writeHead.call(raw, statusCode, corrected)
  }

  /**
   * Whether the headers can be written as they are. Most can: the reply's own headers are all there is, and nothing changed them. Headers that were sent
   * already cannot be corrected: Node throws its own error for them.
   */
  #isAlreadyCorrect (raw: Response, given: unknown): boolean {
    const current = this.#replyHeaders
    if (current !== undefined && given === current && raw.getHeaderNames().length === 0 &&
      hasExactCorsHeaders(current, this.#allowedOrigin, this.#headers) &&
      (this.vary === undefined || (current.vary === this.vary.value && this.varyBeforeCopy === undefined))) return true
    return raw.headersSent
  }

  /**
   * The headers to write instead. They contain the required CORS headers, and no others that a handler, a hook or a proxied server set on the reply or on the
   * raw response.
   */
  #correct (raw: Response, given: unknown): Headers {
    const corrected = given === this.#replyHeaders ? given as Headers : copyHeaders(given)
    if (this.vary !== undefined) {
      const values = [this.varyBeforeCopy, raw.getHeader('vary'), corrected.vary].filter((value) => value !== undefined)
      corrected.vary = this.vary.mergedWith(values.join())
      raw.removeHeader('vary')
    }
    this.#reportReplaced(raw, corrected)
    for (const name of CORS_HEADER_NAMES) {
      delete corrected[name]
      raw.removeHeader(name)
    }
    return assignCorsHeaders(corrected, this.#allowedOrigin, this.#headers)
  }

  /** Logs which headers are replaced. `given` has not been corrected yet. */
  #reportReplaced (raw: Response, given: Headers): void {
    const required = assignCorsHeaders({}, this.#allowedOrigin, this.#headers)
    const replaced = CORS_HEADER_NAMES.filter((name) => [given[name], raw.getHeader(name)].some((value) => value !== undefined && value !== required[name]))
    if (replaced.length > 0) reportReplacedHeaders(this.#reply.request, replaced, this.source.policyName ?? null)
  }
}

/** The `writeHead` of every response: one function, so that none is created for each response. */
function writeHead (this: Response, statusCode: unknown, reason?: unknown, headers?: unknown): unknown {
  return (this[kRequired] as RequiredHeaders).writeHead(this, statusCode, reason, headers)
}

/** The required headers of a reply's response. Undefined if nothing has required any so far. */
export function requiredHeadersOf (reply: FastifyReply): RequiredHeaders | undefined {
  return (reply.raw as Response)[kRequired]
}

/** Lets a source decide the response's CORS headers, instead of an earlier source. No origin is allowed until `set` is called. */
export function requireHeaders (reply: FastifyReply, source: HeaderSource, vary: Vary | undefined): RequiredHeaders {
  const required = requiredHeadersOf(reply)
  if (required === undefined) return new RequiredHeaders(reply, source, vary)
  required.source = source
  required.vary = vary
  required.pendingDecision = undefined
  required.isDecisionAwaited = false
  return required
}

/**
 * Copies headers in any form that Node accepts: an object, a flat list of names and values, or a list of pairs. The names of CORS headers and of `Vary`
 * become lower-case.
 */
function copyHeaders (given: unknown): Headers {
  const copy = Object.create(null) as Headers
  for (const [name, value] of headerPairs(given)) {
    const lower = String(name).toLowerCase()
    const key = lower === 'vary' || (CORS_HEADER_NAMES as readonly string[]).includes(lower) ? lower : String(name)
    copy[key] = copy[key] === undefined ? value : [copy[key], value].flat()
  }
  return copy
}

function headerPairs (given: unknown): ReadonlyArray<readonly unknown[]> {
  if (!Array.isArray(given)) return Object.entries(given ?? {})
  return Array.isArray(given[0]) ? given : Array.from({ length: given.length / 2 }, (_, index) => given.slice(2 * index, 2 * index + 2))
}
