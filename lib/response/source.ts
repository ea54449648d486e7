// What decides on a response: a route, or the default policy of a scope for its 404s.
import type { CompiledPolicy } from '../policy/compiled-policy'
import type { PolicyHeaders } from './cors-headers'

/** Whether requests of refused origins are answered 403 before their handler runs, or only reported. */
export type Enforcement = boolean | 'report'

/** The options of a registration that requests need. */
export interface Registration {
  readonly enforceOrigin: Enforcement
  /** The level at which refusals are logged. */
  readonly refusalLogLevel: string
}

export interface ResponseSource {
  /** Null where responses carry no CORS headers. */
  readonly policy: CompiledPolicy | null
  /** The name of the policy or, if it has none, of the policy that it extends. */
  readonly policyName: string | null
  readonly scope: Registration
  /** Whether the plugin sets the CORS headers of the response, and removes those of others. Not where nothing is declared. */
  readonly setsHeaders: boolean
  readonly headers: PolicyHeaders
}

/** The enforcement of a policy overrides that of the registration. */
export function enforcementOf ({ policy, scope }: Pick<ResponseSource, 'policy' | 'scope'>): Enforcement {
  return policy?.enforceOrigin ?? scope.enforceOrigin
}
