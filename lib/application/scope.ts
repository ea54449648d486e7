// A scope: one registration of the plugin, with its options. It applies to the instance that the plugin is registered on and to the instances below it.
import type { FastifyInstance } from 'fastify'
import { NO_NAMED_POLICIES, withInherited, type CheckedPolicy, type NamedPolicies } from '../policy/check-policies'
import type { CheckedOptions } from '../policy/check-options'
import { optionsRoutesInstance } from './options-routes-instance'

/** Where an instance carries its scope; child instances inherit it. */
const kScope = Symbol('fastify-cors-policy.scope')

export class Scope {
  readonly instance: FastifyInstance
  readonly logLevel: string | undefined
  readonly hideOptionsRoute: boolean
  /** The policies that can be extended by name here. */
  readonly names: NamedPolicies
  readonly #defaultPolicy: CheckedPolicy | false | undefined

  /** What the generated OPTIONS routes are declared on. */
  readonly optionsRoutes: FastifyInstance

  constructor (instance: FastifyInstance, { policies, defaultPolicy, logLevel, hideOptionsRoute }: CheckedOptions) {
    this.instance = instance
    this.optionsRoutes = optionsRoutesInstance(instance)
    this.logLevel = logLevel
    this.hideOptionsRoute = hideOptionsRoute
    this.names = withInherited(policies, inheritedPolicies(instance))
    this.#defaultPolicy = defaultPolicy
  }

  /** The parent scope. Looked up each time: it may be registered after this one. */
  get parent (): Scope | undefined {
    return scopeOf(Object.getPrototypeOf(this.instance))
  }

  /** The policy of routes without `config.cors`, and of 404 responses: its own, or the parent scope's. */
  get defaultPolicy (): CheckedPolicy | false {
    return this.#defaultPolicy ?? this.parent?.defaultPolicy ?? false
  }

  /** Whether this is the other scope, or a scope inside it. */
  isWithin (other: Scope): boolean {
    return this === other || this.parent?.isWithin(other) === true
  }
}

/** The named policies that an instance inherits from its parent scopes. */
export function inheritedPolicies (instance: FastifyInstance): NamedPolicies {
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
