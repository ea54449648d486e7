// Finds the policy of a 404 response: the default policy of the scope whose not-found handler answers for the URL.
import type { FastifyInstance } from 'fastify'
import type { CompiledPolicy } from '../policy/compiled-policy'
import { guardOf } from '../response/guard'

/**
 * The policy of a 404 for this path. Only Fastify knows which not-found handler answers, so an OPTIONS request is sent there. Null where the scope of the
 * handler has no default policy, or where a route answers.
 */
export async function notFoundPolicy (root: FastifyInstance, path: string, host: string): Promise<CompiledPolicy | null> {
  const { raw } = await root.inject({ method: 'OPTIONS', url: path, headers: { host } })
  return guardOf({ raw: raw.res })?.source.policy ?? null
}
