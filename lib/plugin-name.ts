// Tells Fastify the name of a plugin of this package, and that its instance is not encapsulated. lib/index.ts and lib/inspector/ use it.
import type { FastifyPluginAsync, FastifyPluginOptions } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Sets what Fastify reads from a plugin. Only an encapsulated one has an instance of its own, as plugins without a name do.
 *
 * It gives Fastify no range of versions: the first that is checked in a process takes 1.6 ms, as the RegExps of semver are compiled. lib/plugin.ts compares the
 * version itself.
 */
export function namePlugin<Options extends FastifyPluginOptions> (plugin: FastifyPluginAsync<Options>, name: string, encapsulate = false): void {
  fp(plugin, { name, encapsulate })
}
