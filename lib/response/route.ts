// A route as requests need it: its policy, and the headers of its responses. The `config` of Fastify's route leads to it.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { CheckedPolicy } from '../policy/check-policies'
import type { CompiledPolicy } from '../policy/compiled-policy'
import type * as DerivedHeaders from '../policy/derived-headers'
import type { RouteSchema } from '../policy/derived-headers'
import { uniqueNames } from '../http/headers'
import { PolicyHeaders } from './cors-headers'
import { enforcementOf, type Registration, type ResponseSource } from './source'

/** A route's `config.cors`. Undefined if it has none. `{ cors: undefined }` is a mistake, and is reported as one. */
export type Declaration = { readonly cors: unknown } | undefined

/** What a route is declared with. */
export interface RouteFacts {
  readonly instance: FastifyInstance
  /** The registration whose names and default policy apply. */
  readonly scope: Registration
  readonly methods: readonly string[]
  readonly url: string
  readonly schema: RouteSchema | undefined
  /** Routes that were declared later have higher numbers. */
  readonly order: number
}

export class Route implements ResponseSource, RouteFacts {
  readonly instance: FastifyInstance
  readonly scope: Registration
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
    this.#headers ??= derivesExposed(this.policy) && this.schema?.response !== undefined
      ? new PolicyHeaders(this.policy, this.exposedHeaders(), enforcementOf(this) === true)
      : headersOf(this)
    return this.#headers
  }

  /** The request headers that its schema declares. */
  requestHeaders (method: string): readonly string[] {
    return derive().derivedAllowedHeaders(method, this.schema, this.instance.getSchemas())
  }

  /** The response headers that its policy and its schemas expose. */
  exposedHeaders (): readonly string[] {
    const listed = this.policy?.exposedHeaders ?? []
    return derivesExposed(this.policy) ? uniqueNames([...listed, ...derive().derivedExposedHeaders(this.schema, this.instance.getSchemas())]) : listed
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

/** Whether the headers that a route's schemas declare are exposed. */
function derivesExposed (policy: CompiledPolicy | null): boolean {
  return policy?.exposedHeaders === undefined || policy.exposesDerived
}

/** What stands for no policy among the keys. */
const NO_POLICY = {}
const sharedHeaders = { enforced: new WeakMap<object, PolicyHeaders>(), readable: new WeakMap<object, PolicyHeaders>() }

/** The headers of a policy's responses, without those that a route's schemas add. */
export function headersOf (source: Pick<ResponseSource, 'policy' | 'scope'>): PolicyHeaders {
  const { policy } = source
  const enforces = enforcementOf(source) === true
  const byPolicy = enforces ? sharedHeaders.enforced : sharedHeaders.readable
  let headers = byPolicy.get(policy ?? NO_POLICY)
  if (headers === undefined) byPolicy.set(policy ?? NO_POLICY, headers = new PolicyHeaders(policy, policy?.exposedHeaders ?? [], enforces))
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

/** The route of a request. Undefined in a Fastify where its `config` leads to none. */
export function routeOf (request: FastifyRequest): Route | undefined {
  return linkedRoute(request.routeOptions.config)
}
