// A registration of the plugin: what it says about the instance it was registered on, and about those below.
import type { FastifyInstance } from 'fastify'
import type { CheckedPolicy, PolicyNames } from '../declaration/declaration'

export interface Scope {
  readonly instance: FastifyInstance
  readonly names: PolicyNames
  readonly defaultPolicy: CheckedPolicy | false
  readonly logLevel: string | undefined
  readonly hideOptionsRoute: boolean
  /** The instance that the scope's generated routes are declared on. */
  readonly optionsRoutes: FastifyInstance
}

/** Where an instance carries its scope; the instances below inherit it. */
const kScope = Symbol('fastify-cors-policy.scope')

/** The scope of an instance: its own, or that of the nearest instance around it. */
export function scopeOf (instance: FastifyInstance): Scope | undefined {
  return (instance as FastifyInstance & { [kScope]?: Scope })[kScope]
}

/** Gives an instance a scope of its own. */
export function setScope (scope: Scope): void {
  scope.instance.decorate(kScope, scope)
}
