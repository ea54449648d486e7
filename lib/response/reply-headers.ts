// The object in which a Fastify reply keeps its headers. The public methods take several times as long as all the rest that we do for a
// response; so where Fastify is seen to keep headers as it does today, they are read and written there.
import type { FastifyReply } from 'fastify'
import type { Headers } from './cors-headers'

/** What Fastify calls the symbol under which a reply keeps its headers. */
const HEADERS_OF_REPLY = 'fastify.reply.headers'
const PROBE = 'fastify-cors-policy-probe'
let kHeaders: symbol | undefined

/** The object that `reply.header()` writes to, and that Fastify passes to `writeHead`. Undefined where it is not found. */
export function ownHeaders (reply: FastifyReply): Headers | undefined {
  kHeaders ??= findHeaders(reply)
  return (reply as unknown as Record<symbol, Headers | undefined>)[kHeaders]
}

/** The symbol, if headers that are written by the one way are read by the other. */
function findHeaders (reply: FastifyReply): symbol {
  for (const symbol of Object.getOwnPropertySymbols(reply).filter(({ description }) => description === HEADERS_OF_REPLY)) {
    const own = (reply as unknown as Record<symbol, Headers>)[symbol] as Headers
    reply.header(PROBE, 'method')
    const isRead = own[PROBE] === 'method'
    own[PROBE] = 'object'
    const isWritten = reply.getHeader(PROBE) === 'object'
    reply.removeHeader(PROBE)
    if (isRead && isWritten) return symbol
  }
  return Symbol('not found')
}
