// The hooks of an instance, as Fastify keeps them. options-routes-instance.ts adds hooks to generated routes alone, and lib/plugin.ts adds hooks before earlier
// ones: Fastify has no public methods for either.
import type { FastifyInstance } from 'fastify'

/** Later hooks are added to the same arrays. */
export interface InstanceHooks {
  readonly onRequest: unknown[]
  readonly onRoute: unknown[]
  readonly onError: unknown[]
  readonly add: (name: string, hook: unknown) => void
}

/** The description of the symbol under which Fastify keeps them. */
const DESCRIPTION = 'fastify.hooks'

/** The symbol, as it was found last. Each copy of Fastify in a process has its own. */
let lastSymbol: symbol | undefined

/** The symbol of an instance. Undefined in a Fastify that keeps its hooks elsewhere. */
export function hooksSymbolOf (instance: FastifyInstance): symbol | undefined {
  if (lastSymbol === undefined || !Object.hasOwn(instance, lastSymbol)) {
    lastSymbol = Object.getOwnPropertySymbols(instance).find(({ description }) => description === DESCRIPTION)
  }
  return lastSymbol
}

/** The hooks of an instance. */
export function hooksOf (instance: FastifyInstance, symbol: symbol): InstanceHooks {
  return (instance as unknown as Record<symbol, InstanceHooks>)[symbol] as InstanceHooks
}
