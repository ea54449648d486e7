// The request side. CORS keeps pages from reading responses, not from sending requests: `enforceOrigin` refuses requests from pages of refused origins, and
// `hosts` those to other hosts, before their handler runs. A request from the application's own pages, or from a client that is no browser, is never refused.
import createError from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isPreflight } from '../http/preflight-request'
import { hostsNamedBy } from '../origins/hosts'
import { isSerialisedOrigin } from '../origins/serialised'
import type { GuardSource } from './guard'

/** The messages contain nothing from the request. */
export const OriginRefusedError = createError('FST_ERR_CORS_ORIGIN_REFUSED', 'Pages of this origin may not send this request', 403)
export const HostRefusedError = createError('FST_ERR_CORS_HOST_REFUSED', 'This server does not answer for this host', 421)

/** The source of the headers if the host is refused. Policies are those of the application, which this is not: none is asked. */
export const HOST_REFUSED: GuardSource = { policy: null, policyName: null, setsHeaders: true, scope: { enforceOrigin: false, refusalLogLevel: 'debug' } }

/**
 * The hosts for which a request is: all that it names, or the one that a trusted proxy names (`trustProxy`). Then `Host` is the name that the proxy has for
 * this server.
 */
export function hostsOf (request: FastifyRequest): readonly string[] {
  const { host, raw: { headers }, originalUrl: url } = request
  const isForwarded = host !== (headers.host ?? headers[':authority'] ?? '')
  return isForwarded ? [host] : hostsNamedBy({ url, headers })
}

/**
 * Closes the connection of a refused upgrade after the response. Node leaves the connection to whoever takes the upgrade, and @fastify/websocket closes it only
 * if its own onRequest hook has run.
 */
export function closeUpgrade ({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.headers.upgrade === undefined || raw.httpVersion === '2.0') return
  const { socket } = reply.raw
  reply.header('connection', 'close')
  reply.raw.once('finish', () => { socket?.end(() => { socket.destroy() }) })
}

/**
 * Whether a page of another origin sends the request. Not a preflight: it carries no credentials, and reaches no handler but that of a user's OPTIONS route.
 * Not an image or another response that pages embed without CORS: those are protected by `Cross-Origin-Resource-Policy`, and some carry an `Origin`
 * (https://privacycg.github.io/storage-access-headers/).
 */
export function isFromForeignPage (request: FastifyRequest): boolean {
  const { method, headers } = request.raw
  const { origin } = headers
  if (origin === undefined || isFromOwnPage(origin, request) || isPreflight(request.raw)) return false
  return !(headers['sec-fetch-mode'] === 'no-cors' && (method === 'GET' || method === 'HEAD'))
}

/**
 * Whether a page of the application itself sends the request, or the user does (a bookmark, the address bar). Current browsers tell it with `Sec-Fetch-Site`
 * (https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header), except to servers without TLS. A page cannot set that header.
 */
function isFromOwnPage (origin: string, request: FastifyRequest): boolean {
  const site = request.raw.headers['sec-fetch-site']
  return site === undefined ? isOwnOrigin(origin, request) : site === 'same-origin' || site === 'none'
}

/** The default port of each scheme: serialised origins leave it out. */
const DEFAULT_PORTS: ReadonlyArray<readonly [prefix: string, port: string]> = [['https://', '443'], ['http://', '80']]

/** Whether the origin has the host and the port of the request. With `trustProxy`, Fastify reads these from the proxy's headers. */
function isOwnOrigin (origin: string, request: FastifyRequest): boolean {
  const [prefix, port] = DEFAULT_PORTS.find(([prefix]) => origin.startsWith(prefix)) ?? []
  if (prefix === undefined || !isSerialisedOrigin(origin)) return false
  const host = request.host.toLowerCase()
  const ownHost = origin.slice(prefix.length)
  if (host === `${ownHost}:${port}`) return true
  if (host !== ownHost) return false
  // A host without a port has the scheme's default port. Behind a proxy that ends TLS, a plain request may have either scheme; a TLS request has https.
  return HAS_PORT.test(host) || prefix === 'https://' || request.protocol !== 'https'
}

const HAS_PORT = /:\d+$/
