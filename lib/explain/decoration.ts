// app.cors: what an instance answers about its policies. Nothing of lib/explain/ is loaded before one of its functions is called.
import type { FastifyInstance } from 'fastify'
import type { NamedPolicies } from '../declaration/declaration'
import type { CorsDecoration } from './types'
import { scopeOf, type Scope } from '../application/scope'

/** Decorates an instance, and those below it. Each knows the names of its own scope. */
export function decorate (instance: FastifyInstance): void {
  const made = new WeakMap<FastifyInstance, CorsDecoration>()
  const getter = function (this: FastifyInstance): CorsDecoration {
    let decoration = made.get(this)
    if (decoration === undefined) made.set(this, decoration = decorationOf(this))
    return decoration
  }
  instance.decorate('cors', { getter } as never)
}

function decorationOf (instance: FastifyInstance): CorsDecoration {
  return Object.freeze<CorsDecoration>({
    explain: async (question) => await load().explain(instance, question),
    routes: () => load().routesOf(load().sourceOf(instance)),
    allows: (name, request) => load().allows(namesOf(instance), name, request)
  })
}

/** The scope is there: an instance without one has no decoration. */
function namesOf (instance: FastifyInstance): NamedPolicies {
  return (scopeOf(instance) as Scope).names
}

function load (): typeof import('./index') {
  return require('./index')
}
