// The field `enforceOrigin` of a policy. CORS keeps pages from reading responses, not from sending requests. This file decides which requests are rejected
// before their handler runs: those from pages of refused origins. It never rejects a request from the application's own pages, or from a client that is no
// browser. The onRequest hook in response.ts calls it.
import createError from '@fastify/error'
import type { FastifyRequest } from 'fastify'
import { isPreflight } from '../http/preflight-request'
import { Vary } from '../http/vary'
import { isSerialisedOrigin } from '../origins/pattern'

/** The request headers that the decision depends on. `Host` is left out: every cache has it in its key (RFC 9111, section 2). */
export const VARY_ENFORCED = new Vary('Origin', 'Sec-Fetch-Site')

/** The message contains nothing from the request. */
const OriginRefusedError = createError('FST_ERR_CORS_ORIGIN_REFUSED', 'Pages of this origin may not send this request', 403)

/**
 * The error that ends a request of a refused origin; undefined if the request may continue. A preflight may always continue: it carries no credentials,
 * and reaches no handler but that of a user's OPTIONS route.
 */
export function enforcementError (request: FastifyRequest): Error | undefined {
  const { origin } = request.raw.headers
  return origin === undefined || isFromOwnPage(origin, request) || isPreflight(request.raw) ? undefined : new OriginRefusedError()
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
