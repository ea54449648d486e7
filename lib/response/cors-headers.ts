// The CORS headers of a response as pairs of name and value, and which of them a policy gives to an origin. They are computed once per policy, but for the origin.
import { Vary, VARY_ORIGIN } from '../http/vary'
import type { CompiledPolicy } from '../policy/compiled-policy'
import type { Decision } from './decision'

/** Headers by lower-case name. */
export type HeaderPairs = ReadonlyArray<readonly [name: string, value: string]>

/** Every `Access-Control-*` response header. */
export const CORS_HEADER_NAMES: ReadonlySet<string> = new Set([
  'access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers', 'access-control-allow-methods',
  'access-control-allow-headers', 'access-control-max-age', 'access-control-allow-private-network'
])

export const NO_HEADERS: HeaderPairs = Object.freeze([])

/** For policies with `enforceOrigin`. `Host` is left out: every cache has it in its key (RFC 9111, section 2). */
const VARY_ENFORCED = new Vary('Origin', 'Sec-Fetch-Site')

/** The headers of the responses of one policy. */
export class PolicyHeaders {
  /** Undefined if every origin gets the same response (https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches). */
  readonly vary: Vary | undefined
  readonly #exposed: HeaderPairs
  readonly #withCredentials: HeaderPairs

  /** `policy` is null for `cors: false`: then responses carry no CORS headers. */
  constructor (policy: CompiledPolicy | null, exposedHeaders: readonly string[]) {
    const varies = policy !== null && (policy.origin.kind !== 'any' || policy.credentialedOrigins !== undefined)
    this.vary = !varies ? undefined : policy.enforceOrigin ? VARY_ENFORCED : VARY_ORIGIN
    this.#exposed = exposedHeaders.length === 0 ? NO_HEADERS : [['access-control-expose-headers', exposedHeaders.join(', ')]]
    this.#withCredentials = [['access-control-allow-credentials', 'true'], ...this.#exposed]
  }

  for (decision: Decision): HeaderPairs {
    if (decision === false) return NO_HEADERS
    return [['access-control-allow-origin', decision.origin], ...(decision.credentials ? this.#withCredentials : this.#exposed)]
  }
}
