// Observes every Fastify application that is created after this package is imported, through Fastify's diagnostics channel. So the routes are known that
// are declared before the plugin is registered, or outside its scope. The plugin asks here for the Application of an instance.
import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import { Application } from './application'

interface Observed {
  readonly application: Application
  /** Only for an application that was created before the import: the routes seen so far, because its instances call several of our onRoute hooks. */
  readonly seen: WeakSet<object> | undefined
}

const observed = new WeakMap<object, Observed>()

subscribe('fastify.initialization', (message) => {
  observe((message as { fastify: FastifyInstance }).fastify, true)
})

function observe (root: FastifyInstance, fromTheBeginning: boolean): Observed {
  const application = new Application(root, fromTheBeginning)
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

/** The output of `printRoutes()` without routes. */
const NO_ROUTES = '(empty tree)'

/** The application of an instance. One that was created before the import is observed from now on; a warning says which routes are not covered. */
export function applicationOf (instance: FastifyInstance): Application {
  const [root, ...others] = instanceChain(instance)
  const known = observed.get(root as FastifyInstance)
  if (known !== undefined && known.seen === undefined) return known.application
  const entry = known ?? observe(root as FastifyInstance, false)
  // A child instance has only the onRoute hooks that its parent had when the child was created.
  for (const each of others) addRouteHook(each, entry)
  if (known === undefined && instance.printRoutes() !== NO_ROUTES) {
    instance.log.warn(
      'fastify-cors-policy was imported after Fastify() was called, and some routes were declared before it was registered: these are not covered. ' +
      'Import it first, or register it before the routes and await that'
    )
  }
  return entry.application
}

/** The application of an instance that has a scope, and therefore is observed. */
export function observedApplicationOf (instance: FastifyInstance): Application {
  return (observed.get(instanceChain(instance)[0] as FastifyInstance) as Observed).application
}

/** The instance and its parents, root first. In Fastify, the prototype of an instance is its parent. */
export function instanceChain (instance: FastifyInstance): FastifyInstance[] {
  const chain = [instance]
  for (let outer = Object.getPrototypeOf(instance); outer !== Object.prototype; outer = Object.getPrototypeOf(outer)) chain.unshift(outer)
  return chain
}
