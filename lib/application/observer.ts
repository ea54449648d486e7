// Sees every Fastify application from its beginning, if this package was imported before the application was made: only then
// are the routes known that were declared before the plugin was registered, or outside its scope.
import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import { Application } from './application'

interface Observed {
  readonly application: Application
  /** Where it was not seen from its beginning, instances get hooks of their own beside those that they inherit: the routes that one of them was given. */
  readonly seen: WeakSet<object> | undefined
}

const observed = new WeakMap<object, Observed>()

subscribe('fastify.initialization', (message) => {
  observe((message as { fastify: FastifyInstance }).fastify, true)
})

function observe (root: FastifyInstance, fromTheBeginning: boolean): Observed {
  const application = new Application(root)
  const entry = { application, seen: fromTheBeginning ? undefined : new WeakSet() }
  observed.set(root, entry)
  addRouteHook(root, entry)
  root.addHook('onReady', (done) => {
    application.ready()
    done()
  })
  return entry
}

function addRouteHook (instance: FastifyInstance, { application, seen }: Observed): void {
  instance.addHook('onRoute', function (options) {
    if (seen?.has(options) === true) return
    seen?.add(options)
    application.observe(this, options)
  })
}

/** What `printRoutes()` says of an application without routes. */
const NO_ROUTES = '(empty tree)'

/** The application of an instance. One that was not seen from its beginning is observed from now on, and says what that means. */
export function applicationOf (instance: FastifyInstance): Application {
  const [root, ...others] = around(instance)
  const known = observed.get(root as FastifyInstance)
  if (known !== undefined && known.seen === undefined) return known.application
  const entry = known ?? observe(root as FastifyInstance, false)
  // onRoute hooks reach only the instances that are made later.
  for (const each of others) addRouteHook(each, entry)
  if (known === undefined && instance.printRoutes() !== NO_ROUTES) {
    instance.log.warn('fastify-cors-policy was imported after Fastify() was called, and some routes were declared before it was registered: these are not covered. Import it first, or register it before the routes and await that')
  }
  return entry.application
}

/** The application of an instance that has a scope, and so is observed. */
export function observedApplicationOf (instance: FastifyInstance): Application {
  return (observed.get(around(instance)[0] as FastifyInstance) as Observed).application
}

/** The instance and its parents, the root first. Fastify makes each from its parent by inheritance. */
export function around (instance: FastifyInstance): FastifyInstance[] {
  const chain = [instance]
  for (let outer = Object.getPrototypeOf(instance); outer !== Object.prototype; outer = Object.getPrototypeOf(outer)) chain.unshift(outer)
  return chain
}
