// Finds the policy of a 404 response: the default policy of the scope whose not-found handler answers for the URL.
import type { FastifyInstance } from 'fastify'
import { guardOf, type GuardSource } from '../response/guard'

/**
 * What decides on a 404 for this path. Only Fastify knows which not-found handler answers, so an OPTIONS request is sent there. Undefined where
 * nothing of the plugin does.
 */
export async function notFoundSource (root: FastifyInstance, path: string, host: string): Promise<GuardSource | undefined> {
  const { raw } = await root.inject({ method: 'OPTIONS', url: path, headers: { host } })
  return guardOf({ raw: raw.res })?.source
}
