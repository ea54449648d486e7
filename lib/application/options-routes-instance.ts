// What a scope declares its generated OPTIONS routes on: its instance, with other hooks. A child instance would do the same, and would cost every start of an
// application more. Each scope makes one.
import type { FastifyInstance } from 'fastify'
import { sendAnswer } from '../preflight/generated-route'
import { hooksOf, hooksSymbolOf, type InstanceHooks } from './instance-hooks'

/**
 * An object that inherits everything from an instance. Routes that are declared on it answer preflights before the onRequest hooks that are added to the
 * instance later. onRoute hooks that are added later do not see them, and their `after` callbacks run in batches.
 */
export function optionsRoutesInstance (instance: FastifyInstance): FastifyInstance {
  const own = Object.create(instance, { after: { value: batchedAfter(instance), writable: true, configurable: true } }) as FastifyInstance
  const symbol = hooksSymbolOf(instance)
  if (symbol !== undefined) Object.defineProperty(own, symbol, { value: hooksOfOptionsRoutes(hooksOf(instance, symbol)) })
  return own
}

function hooksOfOptionsRoutes (hooks: InstanceHooks): InstanceHooks {
  const earlier = hooks.onRequest.length
  return Object.create(hooks, {
    onRoute: { value: [...hooks.onRoute] },
    onRequest: { get: () => hooks.onRequest.toSpliced(earlier, 0, sendAnswer) },
    // An onRoute hook may add hooks to the instance of the route.
    add: { value: (name: string, hook: unknown) => { hooks.add(name, hook) } }
  }) as InstanceHooks
}

/** An `after` callback that takes an error and passes one on, as Fastify's own do. */
type Callback = (err: Error | null, done: (err: Error | null) => void) => void

/** The size of a batch. Each callback calls the next one, so this bounds the depth of the stack. */
const MOST = 100

/**
 * An `after` whose callbacks run in batches: Fastify finishes each route in such a callback, and creates a plugin with two timers for each. Their order does
 * not change, and none runs before a callback that was added earlier.
 */
function batchedAfter (instance: FastifyInstance): unknown {
  const { after } = instance as unknown as { after: (callback: unknown) => unknown }
  let waiting: Callback[] = []
  return function (this: FastifyInstance, callback: unknown): unknown {
    if (typeof callback !== 'function' || callback.length !== 2) return after.call(this, callback)
    if (waiting.length > 0 && waiting.length < MOST) {
      waiting.push(callback as Callback)
      return this
    }
    const together = waiting = [callback as Callback]
    return after.call(this, (err: Error | null, done: Parameters<Callback>[1]) => {
      if (waiting === together) waiting = []
      runAll(together, 0, err, done)
    })
  }
}

function runAll (callbacks: readonly Callback[], index: number, err: Error | null, done: Parameters<Callback>[1]): void {
  const callback = callbacks[index]
  if (callback === undefined) done(err)
  else callback(err, (err) => runAll(callbacks, index + 1, err, done))
}
