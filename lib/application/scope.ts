// A scope: one registration of the plugin, with its options. It applies to the instance that the plugin is registered on and to the instances below it.
import type { FastifyInstance } from 'fastify'
import { parentOf } from '../fastify/instances'
import type { CheckedOptions } from '../policy/check-options'
import { NO_NAMED_POLICIES, withInherited, type CheckedPolicy, type NamedPolicies } from '../policy/check-policies'
import type { HostMatcher } from '../origins/hosts'
import { headersOf } from '../response/route'
import type { Enforcement, Registration, ResponseSource } from '../response/source'

/** Where an instance carries its scope; child instances inherit it. */
const kScope = Symbol('fastify-cors-policy.scope')

export class Scope implements Registration {
  readonly instance: FastifyInstance
  readonly logLevel: string | undefined
  readonly hideOptionsRoute: boolean
  /** The policies that can be extended by name here. */
  readonly policies: NamedPolicies
  readonly #defaultPolicy: CheckedPolicy | false | undefined
  readonly #options: CheckedOptions
  #notFound: ResponseSource | undefined

  constructor (instance: FastifyInstance, options: CheckedOptions) {
    const { policies, defaultPolicy, logLevel, hideOptionsRoute } = options
    this.instance = instance
    this.#options = options
    this.logLevel = logLevel
    this.hideOptionsRoute = hideOptionsRoute
    this.policies = withInherited(policies, inheritedPolicies(instance))
    this.#defaultPolicy = defaultPolicy
  }

  /** The parent scope. Looked up each time: it may be registered after this one. */
  get parent (): Scope | undefined {
    const parent = parentOf(this.instance)
    return parent === undefined ? undefined : scopeOf(parent)
  }

  /** The policy of routes without `config.cors`, and of 404 responses: its own, or the parent scope's. */
  get defaultPolicy (): CheckedPolicy | false {
    return this.#defaultPolicy ?? this.parent?.defaultPolicy ?? false
  }

  /** Whether this is the other scope, or a scope inside it. */
  isWithin (other: Scope): boolean {
    return this === other || this.parent?.isWithin(other) === true
  }

  get enforceOrigin (): Enforcement {
    return this.#options.enforceOrigin ?? this.parent?.enforceOrigin ?? false
  }

  get refusalLogLevel (): string {
    return this.#options.refusalLogLevel ?? this.parent?.refusalLogLevel ?? 'debug'
  }

  /** Matches the hosts of the application. Undefined if every host is accepted. */
  get matchesHost (): HostMatcher | undefined {
    return this.#options.matchesHost ?? this.parent?.matchesHost
  }

  /** One of these hosts. Undefined if every host is accepted. */
  get ownHost (): string | undefined {
    return this.#options.ownHost ?? this.parent?.ownHost
  }

  /** What decides on 404 responses. */
  get notFound (): ResponseSource {
    const { defaultPolicy } = this
    const policy = defaultPolicy === false ? null : defaultPolicy.compiled
    if (this.#notFound?.policy !== policy) {
      const source = { policy, policyName: (defaultPolicy !== false && defaultPolicy.name) || null, scope: this, setsHeaders: policy !== null }
      this.#notFound = { ...source, headers: headersOf(source) }
    }
    return this.#notFound as ResponseSource
  }
}

/** The named policies that an instance inherits from its parent scopes. */
export function inheritedPolicies (instance: FastifyInstance): NamedPolicies {
  const parent = parentOf(instance)
  const policies = (): NamedPolicies => (parent === undefined ? undefined : scopeOf(parent)?.policies) ?? NO_NAMED_POLICIES
  return { get: (name) => policies().get(name), names: () => policies().names() }
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
