// The inspector's onRequest hook. It refuses every request that does not come from the inspector's page at an allowed host, because other pages that a
// developer has open can send requests to this server too. index.ts registers it.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { quote } from '../messages/errors'
import { hostsNamedBy, isLoopbackHost, type HostMatcher } from '../origins/hosts'

/** Allows scripts, styles and images of the inspector's origin, and requests to it. Forbids inline code, HTML from strings, forms and framing. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'",
  "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"
].join('; ')

/** Set on every response of the inspector. */
const RESPONSE_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff'
}

/** The hook that refuses requests with 403, and sets the headers of every response. `matchesHost` tells which hosts are allowed besides loopback hosts. */
export function guard (matchesHost: HostMatcher): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined> {
  return async (request, reply) => {
    reply.headers(RESPONSE_HEADERS)
    const refusal = whyRefused(request, matchesHost)
    if (refusal === undefined) return undefined
    request.log.warn(`fastify-cors-policy/inspector answered 403: ${refusal}`)
    return await reply.code(403).type('text/plain; charset=utf-8').send('Forbidden')
  }
}

/** Why a request is refused; undefined if it is allowed. */
function whyRefused ({ method, headers, originalUrl: url }: FastifyRequest, matchesHost: HostMatcher): string | undefined {
  // Not X-Forwarded-Host, which any client can set.
  const refusedHost = hostsNamedBy({ url, headers }).find((host) => !isLoopbackHost(host) && !matchesHost(host))
  if (refusedHost === '') return 'the request names no host'
  if (refusedHost !== undefined) {
    return `the host ${quote(refusedHost)} is neither a loopback host nor in the option "hosts"; if it is yours, write its name in "hosts"`
  }
  if (method === 'GET' || method === 'HEAD') return undefined
  // Browsers do not send Sec-Fetch-Site to every http: host. The check of the content type covers these: cross-origin JSON needs a preflight, which fails here.
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return `the request comes from a page of another origin (Sec-Fetch-Site: ${quote(site)})`
  return isJson(headers['content-type']) ? undefined : 'the content type is not application/json'
}

function isJson (type: string | undefined): boolean {
  return type !== undefined && /^application\/json[\t ]*(?:;|$)/i.test(type)
}
