// The CORS headers of a reply: how they are written, and how it is made sure that they are all there is.
import type { FastifyReply } from 'fastify'
import type { HeaderValue, Vary } from '../http/vary'
import type { Verdict } from './verdict'

/** Headers by their lower-case names. */
type Headers = Readonly<Record<string, unknown>>

/** Every `Access-Control-*` header that a response can have. */
export const RESPONSE_HEADERS = [
  'access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers', 'access-control-allow-methods',
  'access-control-allow-headers', 'access-control-max-age', 'access-control-allow-private-network'
] as const

/** The `Access-Control-*` headers of an answer to an allowed origin, but for the origin. */
export class HeaderSet {
  readonly #values: Readonly<Record<string, string | undefined>>

  constructor (values: Partial<Record<typeof RESPONSE_HEADERS[number], string | undefined>>) {
    // All of one shape, so that reading them costs the same for every policy.
    this.#values = Object.freeze(Object.fromEntries(RESPONSE_HEADERS.map((name) => [name, values[name]])))
  }

  /** Puts these headers on the reply; nothing for a refused origin. */
  write (reply: FastifyReply, verdict: Verdict): void {
    if (verdict === false) return
    const own = ownHeaders(reply)
    if (own === undefined) reply.headers(assign({}, verdict, this.#values) as Record<string, string>)
    else assign(own, verdict, this.#values)
  }

  /** Makes sure that the reply has these headers, and no other that a handler, a hook or an upstream has put there. */
  restore (reply: FastifyReply, current: Headers, verdict: Verdict): void {
    if (verdict !== false && equals(current, verdict, this.#values)) return
    if (!equals(current, undefined, NOTHING)) {
      for (const name of RESPONSE_HEADERS) {
        if (current[name] !== undefined) reply.removeHeader(name)
      }
    }
    this.write(reply, verdict)
  }
}

const NOTHING: Headers = {}

/** Written out: this runs for every response, and reading seven known names is cheaper than any loop over those that are there. */
function equals (current: Headers, origin: string | undefined, values: Headers): boolean {
  return current['access-control-allow-origin'] === origin &&
    current['access-control-allow-credentials'] === values['access-control-allow-credentials'] &&
    current['access-control-expose-headers'] === values['access-control-expose-headers'] &&
    current['access-control-allow-methods'] === values['access-control-allow-methods'] &&
    current['access-control-allow-headers'] === values['access-control-allow-headers'] &&
    current['access-control-max-age'] === values['access-control-max-age'] &&
    current['access-control-allow-private-network'] === undefined
}

/** Written out for the same reason. */
function assign (headers: Record<string, unknown>, origin: string, values: Headers): Record<string, unknown> {
  headers['access-control-allow-origin'] = origin
  if (values['access-control-allow-credentials'] !== undefined) headers['access-control-allow-credentials'] = values['access-control-allow-credentials']
  if (values['access-control-expose-headers'] !== undefined) headers['access-control-expose-headers'] = values['access-control-expose-headers']
  if (values['access-control-allow-methods'] !== undefined) headers['access-control-allow-methods'] = values['access-control-allow-methods']
  if (values['access-control-allow-headers'] !== undefined) headers['access-control-allow-headers'] = values['access-control-allow-headers']
  if (values['access-control-max-age'] !== undefined) headers['access-control-max-age'] = values['access-control-max-age']
  return headers
}

/** Adds to the reply's Vary, of which `current` is the value so far. */
export function addVary (reply: FastifyReply, current: unknown, vary: Vary): void {
  if (current === vary.text) return
  const value = vary.mergedWith(current as HeaderValue)
  const own = ownHeaders(reply)
  if (own === undefined) reply.header('vary', value)
  else own.vary = value
}

/** The headers of the reply, for reading. `getHeaders()` merges two objects into a third: where the raw response has no headers of its own, one of them is all there is. */
export function currentHeaders (reply: FastifyReply): Headers {
  const own = ownHeaders(reply)
  return own !== undefined && reply.raw.getHeaderNames().length === 0 ? own : reply.getHeaders()
}

/** What Fastify calls the symbol under which a reply keeps its headers. */
const HEADERS_OF_REPLY = 'fastify.reply.headers'
const PROBE = 'fastify-cors-policy-probe'
let kHeaders: symbol | undefined

/**
 * The object that `reply.header()` writes to. The public methods take several times as long as all the rest that we do for a response; so where
 * Fastify is seen to keep headers as it does today, they are read and written there. Undefined where it does not.
 */
function ownHeaders (reply: FastifyReply): Record<string, unknown> | undefined {
  kHeaders ??= findHeaders(reply)
  return (reply as unknown as Record<symbol, Record<string, unknown> | undefined>)[kHeaders]
}

/** The symbol, if headers that are written by the one way are read by the other. */
function findHeaders (reply: FastifyReply): symbol {
  for (const symbol of Object.getOwnPropertySymbols(reply).filter(({ description }) => description === HEADERS_OF_REPLY)) {
    const own = (reply as unknown as Record<symbol, Record<string, unknown>>)[symbol] as Record<string, unknown>
    reply.header(PROBE, 'method')
    const isRead = own[PROBE] === 'method'
    own[PROBE] = 'object'
    const isWritten = reply.getHeader(PROBE) === 'object'
    reply.removeHeader(PROBE)
    if (isRead && isWritten) return symbol
  }
  return Symbol('not found')
}
