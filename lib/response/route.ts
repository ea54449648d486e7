// A route as requests need it: its policy, and the headers of its responses. The `config` of Fastify's route leads to it.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { CheckedPolicy } from '../policy/check-policies'
import type { CompiledPolicy } from '../policy/compiled-policy'
import type * as DerivedHeaders from '../policy/derived-headers'
import type { RouteSchema } from '../policy/derived-headers'
import { PolicyHeaders } from './cors-headers'
import type { ResponseSource } from './guard'

/** A route's `config.cors`. Undefined if it has none. `{ cors: undefined }` is a mistake, and is reported as one. */
export type Declaration = { readonly cors: unknown } | undefined

/** What a route is declared with. */
export interface RouteFacts {
  readonly instance: FastifyInstance
  /** The registration whose names and default policy apply. */
  readonly scope: object
  readonly methods: readonly string[]
  readonly url: string
  readonly schema: RouteSchema | undefined
  /** Routes that were declared later have higher numbers. */
  readonly order: number
}

export class Route implements ResponseSource, RouteFacts {
  readonly instance: FastifyInstance
  readonly scope: object
  readonly methods: readonly string[]
  readonly url: string
  readonly schema: RouteSchema | undefined
  readonly order: number
  #headers: PolicyHeaders | undefined

  /** `policy` is that of `resolved`: equal policies are one object. */
  constructor (facts: RouteFacts, readonly declaration: Declaration, readonly resolved: CheckedPolicy | false, readonly policy: CompiledPolicy | null) {
    this.instance = facts.instance
    this.scope = facts.scope
    this.methods = facts.methods
    this.url = facts.url
    this.schema = facts.schema
    this.order = facts.order
  }

  /** Whether it declares `cors: false`. */
  get isOff (): boolean {
    return this.declaration?.cors === false
  }

  /** Whether the plugin sets the CORS headers of its responses. */
  get setsHeaders (): boolean {
    return this.declaration !== undefined || this.policy !== null
  }

  /** The name of its policy or, if that has none, of the policy that it extends. */
  get policyName (): string | null {
    return (this.resolved !== false && this.resolved.name) || null
  }

  get name (): string {
    return `${this.methods.join(', ')} ${this.url}`
  }

  /** The headers of its responses. Routes of one policy share them, unless their own schemas declare which response headers pages may read. */
  get headers (): PolicyHeaders {
    return this.#headers ??= this.policy?.exposedHeaders === undefined && this.schema?.response !== undefined
      ? new PolicyHeaders(this.policy, this.exposedHeaders())
      : headersOf(this.policy)
  }

  /** The request headers that its schema declares. */
  requestHeaders (method: string): readonly string[] {
    return derive().derivedAllowedHeaders(method, this.schema, this.instance.getSchemas())
  }

  /** The response headers that its schemas declare. */
  exposedHeaders (): readonly string[] {
    return derive().derivedExposedHeaders(this.schema, this.instance.getSchemas())
  }

  /** The lists of headers that its schema declares in a form that cannot be read. */
  unreadableLists (): ReadonlyArray<'allowedHeaders' | 'exposedHeaders'> {
    return this.schema === undefined ? [] : derive().underivableFields(this.schema, this.instance.getSchemas())
  }
}

/** Loaded when first needed: by the first preflight, or for a schema that declares headers of responses. */
function derive (): typeof DerivedHeaders {
  return require('../policy/derived-headers') as typeof DerivedHeaders
}

const headersByPolicy = new WeakMap<object, PolicyHeaders>()
const WITHOUT_POLICY = new PolicyHeaders(null, [])

/** The headers of a policy's responses, without those that a route's schemas add. */
export function headersOf (policy: CompiledPolicy | null): PolicyHeaders {
  if (policy === null) return WITHOUT_POLICY
  let headers = headersByPolicy.get(policy)
  if (headers === undefined) headersByPolicy.set(policy, headers = new PolicyHeaders(policy, policy.exposedHeaders ?? []))
  return headers
}

/** Where a route's `config` has its route. Fastify copies `config` with its symbols. */
const kRoute = Symbol('fastify-cors-policy.route')

interface LinkedConfig { [kRoute]?: Route }

/** Lets a `config` lead to a route. */
export function linkRoute (config: object, route: Route): void {
  (config as LinkedConfig)[kRoute] = route
}

/** The route that a `config` leads to. */
export function linkedRoute (config: object): Route | undefined {
  return Object.hasOwn(config, kRoute) ? (config as LinkedConfig)[kRoute] : undefined
}

/**
 * The route of a request in a scope. Every route of a scope is linked when the application is ready; in a Fastify where its `config` leads to none, no origin is
 * allowed.
 */
export function routeOf (request: FastifyRequest): Pick<Route, 'policy' | 'policyName' | 'headers' | 'setsHeaders'> {
  return linkedRoute(request.routeOptions.config) ?? UNLINKED
}

const UNLINKED = Object.freeze({ policy: null, policyName: null, headers: WITHOUT_POLICY, setsHeaders: true })
