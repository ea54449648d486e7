// Finds what decides on a 404 response: the scope whose not-found handler answers for the URL, and its default policy.
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
