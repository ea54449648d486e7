// Fastify finishes each route in an `after` callback, and creates a plugin with two timers for each. On the instances of generated OPTIONS routes, these
// callbacks run in batches, which makes an application with many URLs start faster. The plugin calls this for each scope.
import type { FastifyInstance } from 'fastify'

/** An `after` callback that takes an error and passes one on, as Fastify's own do. */
type Callback = (err: Error | null, done: (err: Error | null) => void) => void

/** The size of a batch. Each callback calls the next one, so this bounds the depth of the stack. */
const MOST = 100

/** Runs the `after` callbacks of an instance in batches. Their order does not change, and none runs before a callback that was added earlier. */
export function batchAfterCallbacks (instance: FastifyInstance): void {
  const { after } = instance as unknown as { after: (callback: unknown) => unknown }
  let waiting: Callback[] = []
  const value = function (this: FastifyInstance, callback: unknown): unknown {
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
  Object.defineProperty(instance, 'after', { value, writable: true, configurable: true })
}

function runAll (callbacks: readonly Callback[], index: number, err: Error | null, done: Parameters<Callback>[1]): void {
  const callback = callbacks[index]
  if (callback === undefined) done(err)
  else callback(err, (err) => runAll(callbacks, index + 1, err, done))
}
