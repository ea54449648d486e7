// The context of one explanation: the question, the routes it matches, and what the application answered.
import type { FastifyInstance } from 'fastify'
import type { WireResponse } from '../browser/fetch'
import type { CorsRefusalReason } from '../response/refusal'
import type { ParsedQuestion } from './question'
import type { RouteInfo, RouteRegistry } from './route-registry'

export interface ExplanationContext {
  readonly instance: FastifyInstance
  readonly registry: RouteRegistry
  readonly question: ParsedQuestion
  /** The request's method, normalized as the browser sends it. */
  readonly method: string
  /** The routes that the request can match, in the router's order of preference. */
  readonly matches: readonly RouteInfo[]
  /** The route that the request matches. Undefined where none matches, or where the possible routes have different policies. */
  readonly route: RouteInfo | undefined
  /** Whether the page and the API have the same origin. */
  readonly isSameOrigin: boolean
  /** The response to the preflight, if one was sent. To ask an origin function, explain also sends preflights that no browser would send. */
  readonly preflightResponse: WireResponse | undefined
  /** The status with which something other than Fastify's routes and the plugin answered a preflight, although no route matches. Undefined if nothing did. */
  readonly answeredElsewhere: number | undefined
  /** The response to the request itself, as its policy would set it. Undefined where the browser does not get so far. */
  readonly response: WireResponse | undefined
  /** The reason that the plugin published when it refused the preflight, if it did. */
  readonly reportedReason: CorsRefusalReason | undefined
}
