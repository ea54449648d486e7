// Finds the object in which a Fastify reply keeps its headers. required-headers.ts reads and writes that object, which is several times faster than
// Fastify's public methods. A test of the first reply shows whether this version of Fastify keeps headers there; if not, the public methods are used.
import type { FastifyReply } from 'fastify'
import type { Headers } from './cors-headers'

/** The description of the symbol under which Fastify keeps a reply's headers. */
const SYMBOL_DESCRIPTION = 'fastify.reply.headers'
const TEST_HEADER = 'fastify-cors-policy-test'

/** The symbol, once it was looked for. */
let kHeaders: symbol | undefined

/** The object that `reply.header()` writes to, and that Fastify passes to `writeHead`. Undefined if it is not found. */
export function replyHeaders (reply: FastifyReply): Headers | undefined {
  kHeaders ??= findHeadersSymbol(reply)
  return (reply as unknown as Record<symbol, Headers | undefined>)[kHeaders]
}

/** The symbol of the object in which a header appears that the public method sets, and whose headers the public method reads. */
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
