// Which requests a policy answers with credentials, where it does so for some origins only.
import type { FastifyRequest } from 'fastify'
import type { CompiledPolicy } from '../policy/policy'

/** The request's origin, if it is among those that may send credentials where not all that are allowed may. */
export function credentialedOrigin ({ credentialedOrigins }: CompiledPolicy, request: FastifyRequest): string | undefined {
  if (credentialedOrigins === undefined) return undefined
  const { origin } = request.raw.headers
  return origin !== undefined && credentialedOrigins.matches(origin) ? origin : undefined
}
