// Everything that is known of a request, and of why it is blocked: what the reasons, the messages and the advice are made of.
import type { FastifyInstance } from 'fastify'
import type { WireResponse } from '../browser/fetch'
import type { CorsRefusalReason } from '../response/refused'
import type { Asked } from './question'
import type { KnownRoute, RouteSource } from './source'

export interface Situation {
  readonly instance: FastifyInstance
  readonly source: RouteSource
  readonly asked: Asked
  /** As the browser sends it. */
  readonly method: string
  /** The routes that the request may reach, in order of preference. */
  readonly reached: readonly KnownRoute[]
  /** The one that it reaches; undefined if there is none, or no telling which of several with different policies. */
  readonly route: KnownRoute | undefined
  /** Whether the page is one of the API itself. */
  readonly isSameOrigin: boolean
  /** The answer to the preflight, if there was one: of the browser, or of an origin function's that a browser would not have sent. */
  readonly preflight: WireResponse | undefined
  /** Why the plugin refused the preflight, if it did. */
  readonly refused: CorsRefusalReason | undefined
}
