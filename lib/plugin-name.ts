// Tells Fastify the name of a plugin of this package, and the versions of Fastify that it works with. lib/index.ts and lib/inspector/ use it.
import type { FastifyPluginAsync, FastifyPluginOptions } from 'fastify'
import fp from 'fastify-plugin'

/** Fastify rejects the registration of a plugin that needs other versions. */
const FASTIFY_VERSIONS = '5.x'

/** Sets what Fastify reads from a plugin. Only an encapsulated one has an instance of its own, as plugins without a name do. */
export function namePlugin<Options extends FastifyPluginOptions> (plugin: FastifyPluginAsync<Options>, name: string, encapsulate = false): void {
  fp(plugin, { name, fastify: FASTIFY_VERSIONS, encapsulate })
}
