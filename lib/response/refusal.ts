// The public types of refusals: their reasons, what is logged, and what is published. They import nothing else of the package, as the main entry shows them.
import type { FastifyRequest } from 'fastify'

/**
 * Why a browser blocks a request, or why the plugin refuses an origin. The set is closed: a program may switch over it, and a new reason is a breaking
 * change.
 *
 * | reason | what is refused |
 * |---|---|
 * | `no-route` | there is no route for the URL |
 * | `no-policy` | the route declares no policy, and its scope has no default policy |
 * | `off` | the route declares `cors: false` |
 * | `origin-not-allowed` | the policy does not allow the page's origin |
 * | `null-origin` | the page has the origin `null`, which the policy does not allow |
 * | `invalid-origin` | the `Origin` header is not a serialised origin |
 * | `method-not-routed` | the URL has no route for this method; other methods of the URL have a policy |
 * | `header-not-allowed` | the policy does not allow a header of the request |
 * | `credentials-not-allowed` | the policy allows the origin, but not with credentials |
 * | `ambiguous-route` | the request may reach several routes with different policies, and the preflight does not tell which |
 * | `answered-before` | an earlier hook or route answered the preflight |
 * | `invalid-request-headers` | the preflight's `Access-Control-Request-Headers` is not a list of names, or is too long |
 * | `forbidden-method` | browsers let no page use this method (https://fetch.spec.whatwg.org/#forbidden-method) |
 * | `origin-function-failed` | the policy's origin function threw, or its promise was rejected |
 *
 * @example
 * const { reason } = await app.cors.explain({ origin: 'https://evil.example', method: 'PUT', url: '/items/7' })
 * console.log(reason) // 'origin-not-allowed'
 */
export type CorsRefusalReason =
  | 'no-route' | 'no-policy' | 'off' | 'origin-not-allowed' | 'null-origin' | 'invalid-origin' | 'method-not-routed' | 'header-not-allowed'
  | 'credentials-not-allowed' | 'ambiguous-route' | 'answered-before' | 'invalid-request-headers' | 'forbidden-method' | 'origin-function-failed'

/**
 * What is logged for a refusal, as the property `cors` of a log line at the level `refusalLogLevel` (`debug`). Control characters of the request's values are
 * escaped, and each value is cut after 256 characters.
 */
export interface CorsRefusal {
  readonly reason: CorsRefusalReason
  /** The request's `Origin` header. */
  readonly origin: string
  /** Method and URL of the route, for example `PUT /items/:id`. For a preflight, those of the route that it announces. The URL is `(none)` without a route. */
  readonly route: string
  /** The name of the policy that the route has or extends. Null if it has no name, or if the route has no policy. */
  readonly policy: string | null
  /** The first request header that the policy does not allow, for `header-not-allowed`. */
  readonly header?: string
  /** For a request that `enforceOrigin` refuses: true if it was answered 403, false where the refusal is only reported. */
  readonly enforced?: boolean
}

/**
 * What is published for a refusal on the diagnostics channel `fastify-cors-policy.refused`.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel'
 * subscribe('fastify-cors-policy.refused', (message) => {
 *   refusals.inc({ reason: (message as CorsRefusalMessage).reason })
 * })
 */
export interface CorsRefusalMessage extends CorsRefusal {
  /** The refused request. Null for a preflight that no policy answers: it is refused before Fastify creates the request. */
  readonly request: FastifyRequest | null
}
