// Decorates instances with app.cors. The rest of lib/devtools/ is loaded when a function of app.cors is first called.
import type { FastifyInstance } from 'fastify'
import type { NamedPolicies } from '../policy/check-policies'
import type { CorsDecoration } from './types'
import type { Application } from '../application/application'
import { scopeOf, type Scope } from '../application/scope'

/** Decorates an instance; its child instances inherit the decoration. On each of them, `app.cors` knows the policy names of that instance's scope. */
export function decorateWithCors (instance: FastifyInstance, application: Application): void {
  const decorations = new WeakMap<FastifyInstance, CorsDecoration>()
  const getter = function (this: FastifyInstance): CorsDecoration {
    let decoration = decorations.get(this)
    if (decoration === undefined) decorations.set(this, decoration = createDecoration(this, application))
    return decoration
  }
  instance.decorate('cors', { getter } as never)
}

function createDecoration (instance: FastifyInstance, application: Application): CorsDecoration {
  return Object.freeze<CorsDecoration>({
    explain: async (question) => await load().explain(instance, load().routeRegistryOf(application), question),
    routes: () => load().listRoutes(load().routeRegistryOf(application)),
    allows: (name, request) => load().allows(namesOf(instance), name, request)
  })
}

/** Every decorated instance has a scope, its own or an inherited one. */
function namesOf (instance: FastifyInstance): NamedPolicies {
  return (scopeOf(instance) as Scope).policies
}

function load (): typeof import('./index') {
  return require('./index')
}
