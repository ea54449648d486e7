// The policies of an application's routes. A declaration is checked by the names of its scope; equal declarations are checked once, and equal policies become
// one object, so that they can be compared by identity.
import { corsPolicyError, type CorsProblem } from '../messages/errors'
import { declarationKey } from '../policy/check-fields'
import { checkRouteCors, isDefinedPolicy, type CheckedPolicy } from '../policy/check-policies'
import type { CompiledPolicy } from '../policy/compiled-policy'
import type { Declaration } from '../response/route'
import type { Scope } from './scope'

export class RoutePolicies {
  readonly #resolvedByScope = new Map<Scope, Map<string, CheckedPolicy | false>>()
  readonly #policiesByKey = new Map<string, CompiledPolicy>()

  /** Resolves the declaration of a route. Throws a CorsPolicyError that names the route. */
  resolve (declaration: Declaration, scope: Scope, routeName: string): CheckedPolicy | false {
    if (declaration === undefined) return scope.defaultPolicy
    const { cors } = declaration
    const key = isDefinedPolicy(cors) ? undefined : declarationKey(cors)
    if (key === undefined) return resolve(cors, scope, routeName)
    let byKey = this.#resolvedByScope.get(scope)
    if (byKey === undefined) this.#resolvedByScope.set(scope, byKey = new Map())
    let resolved = byKey.get(key)
    if (resolved === undefined) byKey.set(key, resolved = resolve(cors, scope, routeName))
    return resolved
  }

  /** The one object of all policies that are equal to this one. Null for none. */
  shared (resolved: CheckedPolicy | false): CompiledPolicy | null {
    if (resolved === false) return null
    const { compiled } = resolved
    const policy = this.#policiesByKey.get(compiled.key)
    if (policy === undefined) this.#policiesByKey.set(compiled.key, compiled)
    return policy ?? compiled
  }

  /** Called when every route is known. */
  clear (): void {
    this.#resolvedByScope.clear()
    this.#policiesByKey.clear()
  }
}

function resolve (cors: unknown, scope: Scope, routeName: string): CheckedPolicy | false {
  const problems: CorsProblem[] = []
  const resolved = checkRouteCors(cors, scope.policies, problems)
  if (problems.length > 0) throw corsPolicyError(`config.cors of ${routeName}`, problems)
  return resolved as CheckedPolicy | false
}
