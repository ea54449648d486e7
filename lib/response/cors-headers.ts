// The headers that a policy gives to responses, as pairs of name and value. All but the origin is computed once per policy.
import { Vary, VARY_ORIGIN } from '../http/vary'
import type { CompiledPolicy } from '../policy/compiled-policy'

/** The value of `Access-Control-Allow-Origin` (an origin, or `'*'`), and whether credentials are allowed with it. False if the origin is refused. */
export type Decision = { readonly origin: string, readonly credentials: boolean } | false

/** Headers by lower-case name. */
export type HeaderPairs = ReadonlyArray<readonly [name: string, value: string]>

/** Every `Access-Control-*` response header. */
export const CORS_HEADER_NAMES: ReadonlySet<string> = new Set([
  'access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers', 'access-control-allow-methods',
  'access-control-allow-headers', 'access-control-max-age', 'access-control-allow-private-network'
])

export const EXPOSE_HEADERS = 'access-control-expose-headers'

/** What decides if a request comes from a page of the application itself. `Host` is left out: every cache has it in its key (RFC 9111, section 2). */
const VARY_ENFORCED = new Vary('Origin', 'Sec-Fetch-Site', 'Sec-Fetch-Mode')

/** The headers of the responses of one policy. */
export class PolicyHeaders {
  /** Undefined if every origin gets the same response (https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches). */
  readonly vary: Vary | undefined
  readonly #timesAllowed: boolean
  /** For every response. */
  readonly #always: HeaderPairs
  readonly #exposed: HeaderPairs
  readonly #withCredentials: HeaderPairs

  /** `policy` is null for `cors: false`: then responses carry no CORS headers. `enforces` tells whether requests of refused origins are answered 403. */
  constructor (policy: CompiledPolicy | null, exposedHeaders: readonly string[], enforces: boolean) {
    const { timingOrigin, resourcePolicy } = policy ?? {}
    const refusesNobody = policy?.origin.kind === 'any' && policy.credentialedOrigins === undefined
    this.vary = refusesNobody ? undefined : enforces ? VARY_ENFORCED : policy === null ? undefined : VARY_ORIGIN
    this.#timesAllowed = timingOrigin === true
    this.#always = [
      ...(typeof timingOrigin === 'string' ? [['timing-allow-origin', timingOrigin] as const] : []),
      ...(resourcePolicy !== undefined ? [['cross-origin-resource-policy', resourcePolicy] as const] : [])
    ]
    this.#exposed = exposedHeaders.length === 0 ? [] : [[EXPOSE_HEADERS, exposedHeaders.join(', ')]]
    this.#withCredentials = [['access-control-allow-credentials', 'true'], ...this.#exposed]
  }

  /** The headers of a response for this decision. */
  for (decision: Decision): HeaderPairs {
    if (decision === false) return this.#always
    const { origin, credentials } = decision
    return [
      ['access-control-allow-origin', origin],
      ...(credentials ? this.#withCredentials : this.#exposed),
      ...(this.#timesAllowed ? [['timing-allow-origin', origin] as const] : []),
      ...this.#always
    ]
  }
}
