// Finds the object in which a Fastify reply keeps its headers. Reading and writing that object directly is several times faster than Fastify's public
// methods. It is used only if the current Fastify version is seen to keep headers there; otherwise required-headers.ts uses the public methods.
import type { FastifyReply } from 'fastify'
import type { Headers } from './cors-headers'

/** The description of the symbol under which Fastify keeps a reply's headers. */
const SYMBOL_DESCRIPTION = 'fastify.reply.headers'
const TEST_HEADER = 'fastify-cors-policy-test'
let kHeaders: symbol | undefined

/** The object that `reply.header()` writes to, and that Fastify passes to `writeHead`. Undefined if it is not found. */
export function replyHeaders (reply: FastifyReply): Headers | undefined {
  kHeaders ??= findHeadersSymbol(reply)
  return (reply as unknown as Record<symbol, Headers | undefined>)[kHeaders]
}

/** The symbol for which a header written by the public method appears in the object, and the other way round. */
function findHeadersSymbol (reply: FastifyReply): symbol {
  for (const symbol of Object.getOwnPropertySymbols(reply).filter(({ description }) => description === SYMBOL_DESCRIPTION)) {
    const headers = (reply as unknown as Record<symbol, Headers>)[symbol] as Headers
    reply.header(TEST_HEADER, 'method')
    const isRead = headers[TEST_HEADER] === 'method'
    headers[TEST_HEADER] = 'object'
    const isWritten = reply.getHeader(TEST_HEADER) === 'object'
    reply.removeHeader(TEST_HEADER)
    if (isRead && isWritten) return symbol
  }
  return Symbol('not found')
}
