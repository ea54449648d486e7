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

/** Where Fastify keeps what belongs to an instance. Each copy of Fastify in a process has its own symbols. */
interface Symbols {
  readonly hooks: symbol
  readonly children: symbol
}

/** The symbols that were found last. */
let last: Symbols | undefined

/** Undefined in a Fastify that keeps its hooks elsewhere. */
function symbolsOf (instance: FastifyInstance): Symbols | undefined {
  if (last !== undefined && Object.hasOwn(instance, last.hooks)) return last
  const symbols = Object.getOwnPropertySymbols(instance)
  const named = (description: string): symbol | undefined => symbols.find((symbol) => symbol.description === description)
  const hooks = named('fastify.hooks')
  const children = named('fastify.children')
  last = hooks === undefined || children === undefined ? undefined : { hooks, children }
  return last
}

/** The symbol under which an instance has its hooks. Undefined if it is unknown. */
export function hooksSymbolOf (instance: FastifyInstance): symbol | undefined {
  return symbolsOf(instance)?.hooks
}

/** The hooks of an instance. */
export function hooksOf (instance: FastifyInstance, symbol: symbol): InstanceHooks {
  return (instance as unknown as Record<symbol, InstanceHooks>)[symbol] as InstanceHooks
}

/**
 * Adds an onError hook to an instance and to the child instances that exist already. It runs before those that were added earlier: one of them may throw.
 * Fastify's `addHook` would take longer, because it is a step of the loading of its own.
 */
export function addFirstErrorHook (instance: FastifyInstance, hook: unknown): void {
  const symbols = symbolsOf(instance)
  if (symbols === undefined) {
    instance.addHook('onError', hook as never)
    return
  }
  hooksOf(instance, symbols.hooks).onError.unshift(hook)
  for (const child of (instance as unknown as Record<symbol, FastifyInstance[]>)[symbols.children] as FastifyInstance[]) addFirstErrorHook(child, hook)
}
