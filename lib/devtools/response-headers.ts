// Computes the CORS headers of a response that is never sent: the policy's decision on the origin, and the headers that follow from it.
import type { CompiledPolicy } from '../policy/compiled-policy'
import { isSerialisedOrigin } from '../origins/pattern'
import { PolicyHeaders, type Decision } from '../response/cors-headers'
import { decideWithoutAsking } from '../response/decision'
import type { RouteInfo } from './route-registry'

/** The policy's decision on an origin. `askOriginFunction` is called only where the policy has an origin function. */
export async function decideOnOrigin (policy: CompiledPolicy | null, origin: string, askOriginFunction: () => Promise<boolean>): Promise<Decision> {
  if (policy === null) return false
  const decision = decideWithoutAsking(policy, origin)
  if (decision !== false || policy.origin.kind !== 'function' || !isSerialisedOrigin(origin)) return decision
  return await askOriginFunction() && { origin, credentials: policy.credentials }
}

/** The CORS headers of a response of the route; without a route, those of a 404. */
export function corsResponseHeaders (
  policy: CompiledPolicy | null, route: RouteInfo | undefined, decision: Decision, enforces: boolean
): Record<string, string> {
  const headers = new PolicyHeaders(policy, exposedHeaders(policy, route), enforces)
  return { ...(headers.vary !== undefined && { vary: headers.vary.value }), ...Object.fromEntries(headers.for(decision)) }
}

/** The response headers that a page can read, besides the safelisted ones. */
export function exposedHeaders (policy: CompiledPolicy | null, route: RouteInfo | undefined): readonly string[] {
  return policy?.exposedHeaders ?? (policy === null ? [] : route?.responseHeaders ?? [])
}
