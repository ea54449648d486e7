// The CORS headers that a response must have, and the one place that makes sure of it: the response's own `writeHead`, which every response comes
// through, whatever threw before. Fastify calls it itself, and Node does for what is written past Fastify; no hook runs after it. So nothing is put
// right in hooks: an onSend or onError hook that throws skips those after it, and a scope's 404s have hooks that run after ours.
import type { FastifyReply } from 'fastify'
import type { ServerResponse } from 'node:http'
import type { HeaderValue, Vary } from '../http/vary'
import { assignCorsHeaders, CORS_HEADER_NAMES, hasExactly, NO_CORS_HEADERS, type CorsHeaders, type Headers } from './cors-headers'
import { reportReplaced } from './refused'
import { ownHeaders } from './reply-headers'

/** Where a response keeps what it is required to have. */
const kRequired = Symbol('fastify-cors-policy.required')

type Response = ServerResponse & { [kRequired]?: RequiredHeaders }

/** What requires the headers: a policy, or a preflight's answer. */
export interface Owner {
  /** The name of its policy. */
  readonly name?: string | null
}

export class RequiredHeaders {
  /** What the response varied by before Fastify copied headers, after all hooks: from a web `Response` to the reply, from the reply to the raw response of a stream. */
  overwrittenVary: string | undefined
  /** Settles when an origin function has answered and its answer is set; undefined when nothing is awaited. */
  pending: Promise<void> | undefined
  /** Whether a hook holds the request or the response back until then. */
  isAwaited = false
  /** How often the response was about to be sent: more than once if a hook or the handler's time-out failed the earlier attempt. */
  attempts = 0
  #allowedOrigin: string | undefined
  #headers: CorsHeaders = NO_CORS_HEADERS
  readonly #reply: FastifyReply
  readonly #own: Headers | undefined
  readonly #writeHead: (...args: unknown[]) => unknown

  /** Without an answer so far, nobody is allowed. */
  constructor (reply: FastifyReply, public owner: Owner, public vary: Vary | undefined) {
    this.#reply = reply
    this.#own = ownHeaders(reply)
    const raw = reply.raw as Response
    this.#writeHead = raw.writeHead as never
    raw.writeHead = writeHead as never
    raw[kRequired] = this
  }

  /** Requires these headers if the origin is allowed, and none otherwise. Sets them already, for whoever reads the reply's headers before they are sent. */
  set (allowedOrigin: string | false, headers: CorsHeaders): void {
    this.#allowedOrigin = allowedOrigin === false ? undefined : allowedOrigin
    this.#headers = allowedOrigin === false ? NO_CORS_HEADERS : headers
    const own = this.#own
    if (own === undefined) {
      if (this.vary !== undefined) this.#reply.header('vary', this.vary.mergedWith(this.#reply.getHeader('vary')))
      this.#reply.headers(assignCorsHeaders({}, this.#allowedOrigin, this.#headers) as Record<string, string>)
    } else {
      if (this.vary !== undefined) own.vary = this.vary.mergedWith(own.vary as HeaderValue)
      assignCorsHeaders(own, this.#allowedOrigin, this.#headers)
    }
  }

  /** Whether the origin is allowed, as far as is known. */
  get allowsOrigin (): boolean {
    return this.#allowedOrigin !== undefined
  }

  writeHead (raw: Response, statusCode: unknown, reason: unknown, headers: unknown): unknown {
    const passed = typeof reason === 'string' ? headers : headers ?? reason
    const put = this.#isFulfilled(raw, passed) ? passed : this.#fulfil(raw, passed)
    return typeof reason === 'string' ? this.#writeHead.call(raw, statusCode, reason, put) : this.#writeHead.call(raw, statusCode, put)
  }

  /** Nearly always: nothing but the reply's own headers, as they were set. Where the response has begun, node says so. */
  #isFulfilled (raw: Response, passed: unknown): boolean {
    const own = this.#own
    return (own !== undefined && passed === own && raw.getHeaderNames().length === 0 &&
      hasExactly(own, this.#allowedOrigin, this.#headers) && (this.vary === undefined || (own.vary === this.vary.text && this.overwrittenVary === undefined))) || raw.headersSent
  }

  /** The headers to pass on instead: the required ones, and no other that a handler, a hook or an upstream set, on the reply, on the raw response or past Fastify. */
  #fulfil (raw: Response, passed: unknown): Headers {
    const put = passed === this.#own ? passed as Headers : copyOf(passed)
    if (this.vary !== undefined) {
      put.vary = this.vary.mergedWith([this.overwrittenVary, raw.getHeader('vary'), put.vary].filter((value) => value !== undefined).join())
      raw.removeHeader('vary')
    }
    this.#reportReplaced(raw, put)
    for (const name of CORS_HEADER_NAMES) {
      delete put[name]
      raw.removeHeader(name)
    }
    return assignCorsHeaders(put, this.#allowedOrigin, this.#headers)
  }

  /** What a handler, a hook or an upstream set is not lost silently. */
  #reportReplaced (raw: Response, put: Headers): void {
    const required = assignCorsHeaders({}, this.#allowedOrigin, this.#headers)
    const replaced = CORS_HEADER_NAMES.filter((name) => [put[name], raw.getHeader(name)].some((value) => value !== undefined && value !== required[name]))
    if (replaced.length > 0) reportReplaced(this.#reply.request, replaced, this.owner.name ?? null)
  }
}

/** One function for all responses. */
function writeHead (this: Response, statusCode: unknown, reason?: unknown, headers?: unknown): unknown {
  return (this[kRequired] as RequiredHeaders).writeHead(this, statusCode, reason, headers)
}

/** What a reply's response is required to have so far. */
export function requiredOf (reply: FastifyReply): RequiredHeaders | undefined {
  return (reply.raw as Response)[kRequired]
}

/** Makes the response's headers the owner's to decide: from now on nobody is allowed, until `set` says otherwise. */
export function requireHeaders (reply: FastifyReply, owner: Owner, vary: Vary | undefined): RequiredHeaders {
  const required = requiredOf(reply)
  if (required === undefined) return new RequiredHeaders(reply, owner, vary)
  required.owner = owner
  required.vary = vary
  required.pending = undefined
  required.isAwaited = false
  return required
}

/** A copy of headers in any form that node takes: an object, a list of names and values in turn, or a list of pairs. The names that matter here become lower-case. */
function copyOf (passed: unknown): Headers {
  const copy = Object.create(null) as Headers
  for (const [name, value] of pairsOf(passed)) {
    const lower = String(name).toLowerCase()
    const key = lower === 'vary' || (CORS_HEADER_NAMES as readonly string[]).includes(lower) ? lower : String(name)
    copy[key] = copy[key] === undefined ? value : [copy[key], value].flat()
  }
  return copy
}

function pairsOf (passed: unknown): ReadonlyArray<readonly unknown[]> {
  if (!Array.isArray(passed)) return Object.entries(passed ?? {})
  return Array.isArray(passed[0]) ? passed : Array.from({ length: passed.length / 2 }, (_, index) => passed.slice(2 * index, 2 * index + 2))
}
