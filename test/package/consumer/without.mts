// A project without the plugin: consumers.test.ts counts the files that TypeScript reads.
import Fastify from 'fastify'

export const app = Fastify()
