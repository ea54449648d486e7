// A policy in the form that requests are answered with.
import type { CorsOriginFunction } from '../origins/types'
import type { OriginMatcher } from '../origins/matcher'

/** Allows the origins that a list matches. */
export interface ListRule { readonly kind: 'list', readonly matches: OriginMatcher }

/** Which origins are allowed: all of them, those that a list matches, or those that a function accepts. */
export type OriginRule =
  | { readonly kind: 'any' }
  | ListRule
  | { readonly kind: 'function', readonly decide: CorsOriginFunction }

/** The request headers that a preflight allows. */
export interface AllowedHeaders {
  /** Whether `'*'` is among them. */
  readonly any: boolean
  readonly names: readonly string[]
}

/** A list of header names as a policy declares it. */
export interface HeaderList extends AllowedHeaders {
  /** Whether the headers derived from the route are added (`'...'`). */
  readonly addsDerived: boolean
  /** The names that the declaration has and `names` has not, as browsers set these headers by themselves. */
  readonly leftOut: readonly string[]
}

/** A policy in the form that requests are answered with. */
export interface CompiledPolicy {
  readonly origin: OriginRule
  /** Whether all allowed origins may send credentials. */
  readonly credentials: boolean
  /** The origins that may send credentials, if `credentials` is a list. They are allowed in addition to those of `origin`. */
  readonly credentialedOrigins: ListRule | undefined
  /** undefined: derived from the route. */
  readonly allowedHeaders: HeaderList | undefined
  /** undefined: derived from the route. */
  readonly exposedHeaders: readonly string[] | undefined
  /** Whether the headers derived from the route are exposed in addition to `exposedHeaders` (`'...'`). */
  readonly exposesDerived: boolean
  /** The value of `Access-Control-Max-Age`, in seconds. */
  readonly maxAge: string | undefined
  readonly optionsSuccessStatus: 200 | 204
  /** Whether a request of a refused origin is answered 403 before its handler runs, or only reported. undefined: as the registration says. */
  readonly enforceOrigin: boolean | 'report' | undefined
  /** The value of `Timing-Allow-Origin`. `true`: the origin of the request, if it is allowed (`*` where the policy allows everyone). */
  readonly timingOrigin: string | true | undefined
  /** The value of `Cross-Origin-Resource-Policy`. */
  readonly resourcePolicy: 'same-origin' | 'same-site' | 'cross-origin' | undefined
  /** Two policies with equal fields have equal keys. */
  readonly key: string
}
