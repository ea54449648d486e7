// The instances of an application. In Fastify, the prototype of a child instance is its parent.
import type { FastifyInstance } from 'fastify'

/** The instance and its parents, root first. */
export function instanceChain (instance: FastifyInstance): FastifyInstance[] {
  const chain = [instance]
  for (let parent = parentOf(instance); parent !== undefined; parent = parentOf(parent)) chain.unshift(parent)
  return chain
}

/** The parent of an instance. Undefined for the root. */
export function parentOf (instance: FastifyInstance): FastifyInstance | undefined {
  const parent: object | null = Object.getPrototypeOf(instance)
  return parent === Object.prototype || parent === null ? undefined : parent as FastifyInstance
}

/** The root of an application. */
export function rootOf (instance: FastifyInstance): FastifyInstance {
  return instanceChain(instance)[0] as FastifyInstance
}
