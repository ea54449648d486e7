// For policies that allow credentials only to some origins: whether the request's origin is one of them. Preflights and actual responses use it.
import type { FastifyRequest } from 'fastify'
import type { CompiledPolicy } from '../policy/policy'

/** The request's origin, if it is in the policy's list of credentialed origins. Undefined if it is not, or if the policy has no such list. */
export function credentialedOrigin ({ credentialedOrigins }: CompiledPolicy, request: FastifyRequest): string | undefined {
  if (credentialedOrigins === undefined) return undefined
  const { origin } = request.raw.headers
  return origin !== undefined && credentialedOrigins.matches(origin) ? origin : undefined
}
