// A registration of the plugin: what it says about the instance it was registered on, and about those below.
import type { FastifyInstance } from 'fastify'
import { NO_NAMED_POLICIES, withInherited, type CheckedPolicy, type NamedPolicies } from '../declaration/declaration'
import type { CheckedOptions } from '../declaration/options'

/** Where an instance carries its scope; child instances inherit it. */
const kScope = Symbol('fastify-cors-policy.scope')

export class Scope {
  readonly instance: FastifyInstance
  readonly logLevel: string | undefined
  readonly hideOptionsRoute: boolean
  /** The policies that can be extended by name here. */
  readonly names: NamedPolicies
  readonly #defaultPolicy: CheckedPolicy | false | undefined

  /** `optionsRoutes` is the instance that the scope's generated routes are declared on. */
  constructor (instance: FastifyInstance, { policies, defaultPolicy, logLevel, hideOptionsRoute }: CheckedOptions, readonly optionsRoutes: FastifyInstance) {
    this.instance = instance
    this.logLevel = logLevel
    this.hideOptionsRoute = hideOptionsRoute
    this.names = withInherited(policies, namesAround(instance))
    this.#defaultPolicy = defaultPolicy
  }

  /** The parent scope: asked each time, as it may be registered later than this one. */
  get parent (): Scope | undefined {
    return scopeOf(Object.getPrototypeOf(this.instance))
  }

  /** For routes that declare nothing, and for 404 responses: its own, or else that of the parent scope. */
  get defaultPolicy (): CheckedPolicy | false {
    return this.#defaultPolicy ?? this.parent?.defaultPolicy ?? false
  }

  /** Whether this is the other scope, or inside it. */
  isWithin (other: Scope): boolean {
    return this === other || this.parent?.isWithin(other) === true
  }
}

/** The policy names that an instance inherits from the scopes around it. */
export function namesAround (instance: FastifyInstance): NamedPolicies {
  const parent = (): NamedPolicies => scopeOf(Object.getPrototypeOf(instance))?.names ?? NO_NAMED_POLICIES
  return { get: (name) => parent().get(name), names: () => parent().names() }
}

/** The scope of an instance: its own, or that of the nearest parent. */
export function scopeOf (instance: FastifyInstance): Scope | undefined {
  return (instance as FastifyInstance & { [kScope]?: Scope })[kScope]
}

/** Whether an instance has a scope of its own. */
export function hasOwnScope (instance: FastifyInstance): boolean {
  return Object.hasOwn(instance, kScope)
}

/** Gives an instance a scope of its own. */
export function setScope (scope: Scope): void {
  scope.instance.decorate(kScope, scope)
}
