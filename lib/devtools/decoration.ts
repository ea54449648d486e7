// Decorates an application with app.cors. The rest of lib/devtools/ is loaded when a function of app.cors is first called.
import type { FastifyInstance } from 'fastify'
import { instanceChain } from '../fastify/instances'
import type { CorsDecoration } from './types'
import type { Application } from '../application/application'
import { scopeOf } from '../application/scope'

/** The getters of `app.cors` that were added here. */
const getters = new WeakSet<object>()

/**
 * Decorates the root of an application, so that every instance has `app.cors`, wherever the plugin is registered. On each instance it knows the policy names of
 * that instance's scope. Where the application has another `cors` on its root, the instance with the registration gets its own.
 */
export function decorateWithCors (instance: FastifyInstance, application: Application): void {
  if (!Object.hasOwn(application.root, 'cors')) decorate(application.root, application)
  if (!hasAppCors(instance)) decorate(instance, application)
}

/** Whether `instance.cors` is ours: another plugin may have a decorator of that name. */
function hasAppCors (instance: FastifyInstance): boolean {
  const owner = instanceChain(instance).findLast((each) => Object.hasOwn(each, 'cors')) as FastifyInstance
  return getters.has(Object.getOwnPropertyDescriptor(owner, 'cors')?.get ?? {})
}

function decorate (instance: FastifyInstance, application: Application): void {
  const decorations = new WeakMap<FastifyInstance, CorsDecoration>()
  const getter = function (this: FastifyInstance): CorsDecoration {
    let decoration = decorations.get(this)
    if (decoration === undefined) decorations.set(this, decoration = createDecoration(this, application))
    return decoration
  }
  getters.add(getter)
  instance.decorate('cors', { getter } as never)
}

function createDecoration (instance: FastifyInstance, application: Application): CorsDecoration {
  return Object.freeze<CorsDecoration>({
    explain: async (question) => await load().explain(instance, load().routeRegistryOf(application), question),
    routes: () => load().listRoutes(load().routeRegistryOf(application)),
    allows: (name, request) => load().allows(scopeOf(instance)?.policies, name, request)
  })
}

function load (): typeof import('./index') {
  return require('./index')
}
