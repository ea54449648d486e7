// Computes the CORS headers of a response that is never sent: the policy's decision on the origin, and the headers that follow from it. explain.ts and
// routes.ts use it.
import type { CompiledPolicy } from '../policy/compiled-policy'
import { isSerialisedOrigin } from '../origins/pattern'
import { isCredentialedOrigin } from '../response/credentialed'
import type { Decision } from '../response/decision'
import { ResponsePolicy } from '../response/response'
import type { RouteInfo } from './route-registry'

/** The policy's decision on an origin. `askOriginFunction` is called only where the policy has an origin function. */
export async function decideOnOrigin (policy: CompiledPolicy | null, origin: string, askOriginFunction: () => Promise<boolean>): Promise<Decision> {
  if (policy === null) return false
  if (isCredentialedOrigin(policy, origin)) return origin
  const rule = policy.origin
  switch (rule.kind) {
    case 'any': return '*'
    case 'list': return rule.matches(origin) ? origin : false
    case 'function': return isSerialisedOrigin(origin) && await askOriginFunction() ? origin : false
  }
}

/** The CORS headers of a response of the route; without a route, those of a 404. */
export function corsResponseHeaders (
  policy: CompiledPolicy | null, route: RouteInfo | undefined, origin: string, decision: Decision
): Record<string, string> {
  const response = new ResponsePolicy(policy, null)
  response.expose(exposedHeaders(policy, route))
  return response.headersFor(decision, policy !== null && isCredentialedOrigin(policy, origin)) as Record<string, string>
}

/** The response headers that a page can read, besides the safelisted ones. */
export function exposedHeaders (policy: CompiledPolicy | null, route: RouteInfo | undefined): readonly string[] {
  return policy?.exposedHeaders ?? (policy === null ? [] : route?.responseHeaders ?? [])
}
