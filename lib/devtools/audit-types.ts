// The report of an audit: plain JSON.
import type { CorsExchange } from './types'

/**
 * What an audit finds. A closed set.
 *
 * | rule | what is wrong |
 * |---|---|
 * | `reflects-any-origin` | an unrelated origin is answered with its own name |
 * | `look-alike-allowed` | an origin that only looks like an allowed one is allowed |
 * | `null-allowed` | the origin `null` is allowed |
 * | `insecure-origin-allowed` | an `http:` origin that is not on this machine is allowed |
 * | `route-policy-ignored` | a route has a `config.cors`, but its preflight is answered by another policy |
 * | `unrouted-approved` | a preflight for a URL or method without a route is approved |
 * | `vary-missing` | responses differ by origin, and do not say so |
 * | `invalid-combination` | headers that browsers refuse or read literally |
 */
export type AuditRule =
  | 'reflects-any-origin' | 'look-alike-allowed' | 'null-allowed' | 'insecure-origin-allowed'
  | 'route-policy-ignored' | 'unrouted-approved' | 'vary-missing' | 'invalid-combination'

/** `error`: pages can act or read with a user's credentials. `warning`: anything else that is wrong. `note`: it does no harm by itself. */
export type AuditLevel = 'error' | 'warning' | 'note'

/** A route that a finding is about. */
export interface AuditedRoute {
  readonly method: string
  readonly url: string
  /** Where it is declared, `app.js:12:5`; null where a package declares it, or where it is no route. */
  readonly location: string | null
}

/** One fault, and all routes that have it. */
export interface AuditFinding {
  readonly rule: AuditRule
  readonly level: AuditLevel
  /** What is wrong, in one sentence. */
  readonly message: string
  /** What to write instead. */
  readonly advice: string
  /** At least one. */
  readonly routes: readonly AuditedRoute[]
  /** The request that shows the fault, for the first route, and the response to it. */
  readonly exchange: CorsExchange
}

/** A fault of one route, or of a URL without one. */
export type Fault = Omit<AuditFinding, 'routes'>

/** How an origin relates to one that the application may know. */
export type OriginKind = 'known' | 'unrelated' | 'look-alike' | 'null' | 'http for https' | 'another port' | 'sibling subdomain'

/** An origin that was tried, and where it is allowed. */
export interface TriedOrigin {
  readonly origin: string
  readonly kind: OriginKind
  /** The number of routes whose responses it may read, and of those with credentials. */
  readonly routes: number
  readonly routesWithCredentials: number
}

/** The report of an audit. */
export interface AuditReport {
  /** Errors first. Empty where nothing is wrong. */
  readonly findings: readonly AuditFinding[]
  readonly origins: readonly TriedOrigin[]
  /** The routes that were asked. */
  readonly routes: number
  readonly requests: number
  /** The requests that a hook or middleware answered, or that failed validation: hooks after it did not run. */
  readonly answeredBeforeHandler: number
  /** The OPTIONS routes of the application. Their handlers ran, because an application may answer preflights there. No other handler ran. */
  readonly optionsRoutes: readonly string[]
  /** Routes that no request reached: `GET /files/:name(^[a-f]{8}$)`. */
  readonly unreached: readonly string[]
  /** What the audit could not know. */
  readonly notes: readonly string[]
}
