// `enforceOrigin`: CORS keeps pages from reading, not from sending. This says which requests must not reach their handler: those that a page of a refused
// origin makes, and neither the application's own pages nor a program that is no browser.
import createError from '@fastify/error'
import type { FastifyRequest } from 'fastify'
import { isPreflight } from '../http/preflight-request'
import { Vary } from '../http/vary'
import { isSerialisedOrigin } from '../policy/origin/pattern'

/** What tells the requests apart. The host does, too, but every cache has it in its key (RFC 9111, section 2). */
export const VARY_ENFORCED = new Vary('Origin', 'Sec-Fetch-Site')

/** Says nothing that the request said. */
const OriginRefusedError = createError('FST_ERR_CORS_ORIGIN_REFUSED', 'Pages of this origin may not send this request', 403)

/**
 * The error of a request whose origin its policy refuses, for the error handler; undefined where the request may go on. A preflight may: it carries no
 * credentials, and reaches no handler but the user's own for OPTIONS.
 */
export function refusalOf (request: FastifyRequest): Error | undefined {
  const { origin } = request.raw.headers
  return origin === undefined || isFromOwnPage(origin, request) || isPreflight(request.raw) ? undefined : new OriginRefusedError()
}

/**
 * Whether a page of the application itself, or the user (a bookmark, the address bar), makes the request. Every current browser says so
 * (https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header), but to plain HTTP servers; and no page can say so itself.
 */
function isFromOwnPage (origin: string, request: FastifyRequest): boolean {
  const site = request.raw.headers['sec-fetch-site']
  return site === undefined ? isOwnOrigin(origin, request) : site === 'same-origin' || site === 'none'
}

/** The ports that an origin of such a scheme leaves out. */
const DEFAULT_PORTS: ReadonlyArray<readonly [prefix: string, port: string]> = [['https://', '443'], ['http://', '80']]

/** Whether the origin has the host and the port that the request was sent to. Where a proxy is trusted, Fastify takes these from what it forwards. */
function isOwnOrigin (origin: string, request: FastifyRequest): boolean {
  const [prefix, port] = DEFAULT_PORTS.find(([prefix]) => origin.startsWith(prefix)) ?? []
  if (prefix === undefined || !isSerialisedOrigin(origin)) return false
  const host = request.host.toLowerCase()
  const own = origin.slice(prefix.length)
  if (host === `${own}:${port}`) return true
  if (host !== own) return false
  // Without a port, it is the default of the scheme. Behind a proxy that ends TLS it may be either's; where there is TLS it is known.
  return HAS_PORT.test(host) || prefix === 'https://' || request.protocol !== 'https'
}

const HAS_PORT = /:\d+$/
