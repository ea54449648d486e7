// What explain knows of the application's routes: which are registered, and which of them a request may reach. Fastify's router and the tables of
// lib/preflight/ say so, as they do for preflights.
import type { FastifyInstance } from 'fastify'
import type { Application } from '../application/application'
import { observedApplicationOf } from '../application/observer'
import type { Route } from '../application/route'
import type { Scope } from '../application/scope'
import type { CheckedPolicy } from '../declaration/declaration'
import type { CompiledPolicy } from '../policy/policy'
import { CONSTRAINT } from '../preflight/generated-route'
import type { Constraints, RegisteredRoute } from '../preflight/registered'

/** One method of a route. */
export interface KnownRoute {
  readonly method: string
  readonly url: string
  readonly host: unknown
  /** The names of the other constraints. */
  readonly constraints: readonly string[]
  readonly policy: CompiledPolicy | null
  /** What the policy was declared as. */
  readonly checked: CheckedPolicy | undefined
  /** `nothing` may have a policy, its scope's default; `outside` is where the plugin is not registered, or where the declaration is not known. */
  readonly declared: 'policy' | 'off' | 'nothing' | 'outside'
  /** Whether `config.cors` is there, even where nothing reads it. */
  readonly hasConfig: boolean
  readonly scope: Scope | undefined
  readonly instance: FastifyInstance | undefined
  /** The request headers that its schema declares. */
  readonly requestHeaders: readonly string[]
  /** The response headers that its schema declares. */
  readonly responseHeaders: readonly string[]
}

export interface RouteSource {
  readonly routes: readonly KnownRoute[]
  /** Every registration of the plugin. */
  readonly scopes: readonly Scope[]
  /** The routes that a request may reach, in the router's order of preference: several where constraints decide that a preflight says nothing about. */
  reach (method: string, url: string, host: string, hasVersion: boolean): readonly KnownRoute[]
}

/** The routes of the application of an instance, once it is ready. */
export function sourceOf (instance: FastifyInstance): RouteSource {
  const application = observedApplicationOf(instance)
  const known = sources.get(application) ?? new Source(application)
  sources.set(application, known)
  return known
}

const sources = new WeakMap<Application, RouteSource>()

class Source implements RouteSource {
  readonly #application: Application
  readonly #known = new Map<RegisteredRoute, KnownRoute>()

  constructor (application: Application) {
    this.#application = application
  }

  get routes (): readonly KnownRoute[] {
    return this.#application.router.routes.filter(({ constraints }) => !(CONSTRAINT in constraints)).map((route) => this.#of(route))
  }

  get scopes (): readonly Scope[] {
    return this.#application.scopes
  }

  reach (method: string, url: string, host: string, hasVersion: boolean): readonly KnownRoute[] {
    return this.#application.router.reachable({ method, url, host, hasVersion }).map(({ route }) => this.#of(route))
  }

  #of (registered: RegisteredRoute): KnownRoute {
    const known = this.#known.get(registered) ?? describe(registered)
    this.#known.set(registered, known)
    return known
  }
}

function describe ({ method, path, constraints, declared }: RegisteredRoute): KnownRoute {
  const route = declared as Route | undefined
  const { host, ...others }: Constraints = constraints
  return {
    method,
    url: path,
    host,
    constraints: Object.keys(others),
    policy: route?.policy ?? null,
    checked: route === undefined || route.checked === false ? undefined : route.checked,
    declared: route?.scope === undefined ? 'outside' : route.declared === undefined ? 'nothing' : route.declared.cors === false ? 'off' : 'policy',
    hasConfig: route?.declared !== undefined,
    scope: route?.scope,
    instance: route?.instance,
    requestHeaders: route?.requestHeaders(method) ?? [],
    responseHeaders: route?.exposedHeaders() ?? []
  }
}
