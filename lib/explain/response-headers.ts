// What a policy says on the response to a request that is never sent: its decision on the origin, and the headers that follow.
import type { CompiledPolicy } from '../policy/policy'
import { isSerialisedOrigin } from '../policy/origin/pattern'
import type { Decision } from '../response/decision'
import { ResponsePolicy } from '../response/response'
import type { KnownRoute } from './source'

/** What the policy says about an origin. `ask` puts it to an origin function. */
export async function decisionOn (policy: CompiledPolicy | null, origin: string, ask: () => Promise<boolean>): Promise<Decision> {
  if (policy === null) return false
  if (isCredentialed(policy, origin)) return origin
  const rule = policy.origin
  switch (rule.kind) {
    case 'any': return '*'
    case 'list': return rule.matches(origin) && origin
    case 'function': return isSerialisedOrigin(origin) && await ask() && origin
  }
}

/** Whether it is among the origins that may send credentials where not all may. */
export function isCredentialed ({ credentialedOrigins }: CompiledPolicy, origin: string): boolean {
  return credentialedOrigins?.matches(origin) === true
}

/** The headers that concern CORS of the route's responses, and of a 404 where there is no route. */
export function headersOfResponse (policy: CompiledPolicy | null, route: KnownRoute | undefined, origin: string, decision: Decision): Record<string, string> {
  const response = new ResponsePolicy(policy, null)
  response.expose(exposedHeaders(policy, route))
  return response.headersFor(decision, policy !== null && isCredentialed(policy, origin)) as Record<string, string>
}

/** The response headers that a page may read besides the safelisted ones. */
export function exposedHeaders (policy: CompiledPolicy | null, route: KnownRoute | undefined): readonly string[] {
  return policy?.exposedHeaders ?? (policy === null ? [] : route?.responseHeaders ?? [])
}
