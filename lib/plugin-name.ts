// Tells Fastify the name of a plugin of this package, and whether it has an instance of its own. lib/index.ts and lib/inspector/ use it.
import type { FastifyPluginAsync, FastifyPluginOptions } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Sets what Fastify reads from a plugin. Only an encapsulated one has an instance of its own.
 *
 * It gives Fastify no range of versions: the first range that semver reads in a process takes 1.6 ms. lib/plugin.ts compares the version itself.
 */
export function namePlugin<Options extends FastifyPluginOptions> (plugin: FastifyPluginAsync<Options>, name: string, encapsulate = false): void {
  fp(plugin, { name, encapsulate })
}
