// The CORS headers of a reply: how they are written, and how it is made sure that they are all there is.
import type { FastifyReply } from 'fastify'
import type { HeaderValue, Vary } from './http/vary'
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
  /** The same as a list, of those there are. */
  readonly #list: ReadonlyArray<readonly [name: string, value: string]>

  constructor (values: Partial<Record<typeof RESPONSE_HEADERS[number], string | undefined>>) {
    // All of one shape, so that comparing them costs the same for every policy.
    this.#values = Object.freeze(Object.fromEntries(RESPONSE_HEADERS.map((name) => [name, values[name]])))
    this.#list = Object.entries(this.#values).filter((entry): entry is [string, string] => entry[1] !== undefined)
  }

  /** Puts these headers on the reply; nothing for a refused origin. */
  write (reply: FastifyReply, verdict: Verdict): void {
    if (verdict === false) return
    reply.header('access-control-allow-origin', verdict)
    for (const [name, value] of this.#list) reply.header(name, value)
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

/** Adds to the reply's Vary, of which `current` is the value so far. */
export function addVary (reply: FastifyReply, current: unknown, vary: Vary): void {
  if (current !== vary.text) reply.header('vary', vary.mergedWith(current as HeaderValue))
}

/** What Fastify calls the symbol under which a reply keeps its headers. */
const HEADERS_OF_REPLY = 'fastify.reply.headers'
let kHeaders: symbol | undefined

/**
 * The headers of the reply, for reading. `getHeaders()` merges two objects into a third, which is most of what a response costs us: where the
 * raw response has no headers of its own, and Fastify still keeps the reply's where it does today, its own object is read instead.
 */
export function currentHeaders (reply: FastifyReply): Headers {
  kHeaders ??= Object.getOwnPropertySymbols(reply).find(({ description }) => description === HEADERS_OF_REPLY) ?? Symbol('not found')
  const own = (reply as unknown as Record<symbol, Headers | undefined>)[kHeaders]
  return own !== undefined && reply.raw.getHeaderNames().length === 0 ? own : reply.getHeaders()
}
