// Computes the CORS headers of a response that is never sent: the policy's decision on the origin, and the headers that follow from it.
import type { CompiledPolicy } from '../policy/compiled-policy'
import { isSerialisedOrigin } from '../origins/pattern'
import type { PolicyHeaders } from '../response/cors-headers'
import { decideWithoutAsking, type Decision } from '../response/decision'

/** The policy's decision on an origin. `askOriginFunction` is called only where the policy has an origin function. */
export async function decideOnOrigin (policy: CompiledPolicy | null, origin: string, askOriginFunction: () => Promise<boolean>): Promise<Decision> {
  if (policy === null) return false
  const decision = decideWithoutAsking(policy, origin)
  if (decision !== false || policy.origin.kind !== 'function' || !isSerialisedOrigin(origin)) return decision
  return await askOriginFunction() && { origin, credentials: policy.credentials }
}

/** The CORS headers of a response, for this decision. Without a policy, there are none. */
export function corsResponseHeaders (headers: PolicyHeaders | undefined, decision: Decision): Record<string, string> {
  if (headers === undefined) return {}
  return { ...(headers.vary !== undefined && { vary: headers.vary.value }), ...Object.fromEntries(headers.for(decision)) }
}
