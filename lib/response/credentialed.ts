// For policies whose `credentials` is a list: whether an origin is in it. lib/preflight/, response.ts, decision.ts and lib/explain/ use it.
import type { FastifyRequest } from 'fastify'
import type { CompiledPolicy } from '../policy/compiled-policy'

/** The request's origin, if it is in the policy's list of credentialed origins. Undefined if it is not, or if the policy has no such list. */
export function credentialedOrigin ({ credentialedOrigins }: CompiledPolicy, request: FastifyRequest): string | undefined {
  if (credentialedOrigins === undefined) return undefined
  const { origin } = request.raw.headers
  return origin !== undefined && credentialedOrigins.matches(origin) ? origin : undefined
}

/** Whether the policy's `credentials` is a list that matches the origin. */
export function isCredentialedOrigin ({ credentialedOrigins }: CompiledPolicy, origin: string): boolean {
  return credentialedOrigins?.matches(origin) === true
}
