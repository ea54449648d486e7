// What the Fastify and the Node that run the tests can do, for those that run with older ones as well (npm run test:versions). Each of them is asked:
// no version is read.
import { METHODS } from 'node:http'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'

/** Whether Fastify takes the options of its router as `routerOptions`. Where it does not, it takes the same ones at the top level. */
const HAS_ROUTER_OPTIONS = Fastify({
  routerOptions: { constraints: { probe: { name: 'probe', storage: () => ({ get: () => null, set: () => {} }), validate: () => {}, deriveConstraint: () => undefined } } } as never
}).hasConstraintStrategy('probe')

/** An application whose router options are where this Fastify takes them. */
export function fastify ({ routerOptions, ...options }: FastifyServerOptions = {}): FastifyInstance {
  if (routerOptions === undefined) return Fastify(options)
  return Fastify({ ...options, ...(HAS_ROUTER_OPTIONS ? { routerOptions } : routerOptions as object) })
}

const { supportedMethods } = Fastify()

/** Whether Fastify ends a handler that takes too long. */
export const HAS_HANDLER_TIMEOUT = 'FST_ERR_HANDLER_TIMEOUT' in Fastify.errorCodes

/** Whether Fastify has routes for a method without being told. */
export const routes = (method: string): boolean => supportedMethods.includes(method)

/** Whether Node reads requests of a method. */
export const reads = (method: string): boolean => METHODS.includes(method)
