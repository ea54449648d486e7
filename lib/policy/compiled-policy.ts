// A policy in the form that requests are answered with. policy.ts makes it; lib/preflight/ and lib/response/ read it.
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

/** A policy in the form that requests are answered with. */
export interface CompiledPolicy {
  readonly origin: OriginRule
  /** Whether all allowed origins may send credentials. */
  readonly credentials: boolean
  /** The origins that may send credentials, if `credentials` is a list. They are allowed in addition to those of `origin`. */
  readonly credentialedOrigins: ListRule | undefined
  /** undefined: derived from the route. */
  readonly allowedHeaders: AllowedHeaders | undefined
  /** undefined: derived from the route. */
  readonly exposedHeaders: readonly string[] | undefined
  /** The value of `Access-Control-Max-Age`, in seconds. */
  readonly maxAge: string | undefined
  readonly optionsSuccessStatus: 200 | 204
  /** Whether a request of a refused origin is answered 403 before its handler runs. */
  readonly enforceOrigin: boolean
  /** Two policies with equal fields have equal keys. */
  readonly key: string
}
