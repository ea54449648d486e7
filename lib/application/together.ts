// Fastify finishes each route in an `after` callback of its own, and makes a plugin with two timers for it. The instances that hold generated routes have
// these callbacks run together: an application has one such route for each of its URLs.
import type { FastifyInstance } from 'fastify'

/** An `after` callback that takes an error and passes one on, as Fastify's own do. */
type Callback = (err: Error | null, done: (err: Error | null) => void) => void

/** How many callbacks run together: each that is done calls the next. */
const MOST = 100

/** Has the `after` callbacks of an instance run together: in their order, and none before those that were added to the application earlier. */
export function finishTogether (instance: FastifyInstance): void {
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
