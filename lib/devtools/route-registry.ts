// The routes that an application has registered, and which of them a request matches. Matching uses the router of lib/preflight/, as preflights do.
import type { FastifyInstance } from 'fastify'
import type { Application } from '../application/application'
import { declarationOf } from '../application/declaration'
import { scopeOf, type Scope } from '../application/scope'
import type { CheckedPolicy } from '../policy/check-policies'
import type { CompiledPolicy } from '../policy/compiled-policy'
import type { RouterEntry } from '../fastify/router-entries'
import type { PolicyHeaders } from '../response/cors-headers'
import type { Route } from '../response/route'

/** One method of a registered route. */
export interface RouteInfo {
  readonly method: string
  readonly url: string
  /** The host constraint, if there is one. */
  readonly host: unknown
  /** The names of the other constraints. */
  readonly constraints: readonly string[]
  readonly policy: CompiledPolicy | null
  /** The declaration that the policy was compiled from. */
  readonly checked: CheckedPolicy | undefined
  /**
   * What the route declares: `policy`; `off` for `cors: false`; `none`, so that the scope's default policy applies. `uncovered`: the plugin is registered
   * neither on the route's instance nor on a parent of it.
   */
  readonly declared: 'policy' | 'off' | 'none' | 'uncovered'
  /** Whether the route has a `config.cors`, also where the plugin does not cover it. */
  readonly hasCorsConfig: boolean
  readonly scope: Scope | undefined
  /** The instance that declares it. */
  readonly instance: FastifyInstance
  /** The request headers that the route's schema declares. */
  readonly requestHeaders: readonly string[]
  /** The response headers that the policy and the route's schema expose. */
  readonly responseHeaders: readonly string[]
  /** The headers of its responses. Undefined where the plugin is not registered. */
  readonly headers: PolicyHeaders | undefined
}

/** The routes of one application. */
export interface RouteRegistry {
  readonly routes: readonly RouteInfo[]
  /** One scope for each registration of the plugin. */
  readonly scopes: readonly Scope[]
  /** The scope of an instance: its own, or that of the nearest parent. */
  scopeOf (instance: FastifyInstance): Scope | undefined
  /**
   * The routes that a request can match, in the router's order of preference. There are several where constraints decide that a preflight does not
   * carry.
   */
  match (method: string, url: string, host: string): readonly RouteInfo[]
}

/** The registry of an application. Complete once the application is ready. */
export function routeRegistryOf (application: Application): RouteRegistry {
  const registry = registries.get(application) ?? new ApplicationRouteRegistry(application)
  registries.set(application, registry)
  return registry
}

const registries = new WeakMap<Application, RouteRegistry>()

class ApplicationRouteRegistry implements RouteRegistry {
  readonly #application: Application
  readonly #infos = new Map<RouterEntry, RouteInfo>()

  constructor (application: Application) {
    this.#application = application
  }

  get routes (): readonly RouteInfo[] {
    return [...this.#application.routes.registered.entriesByMethod.values()].flat().map((entry) => this.#infoOf(entry))
  }

  get scopes (): readonly Scope[] {
    return this.#application.scopes
  }

  scopeOf (instance: FastifyInstance): Scope | undefined {
    return scopeOf(instance)
  }

  match (method: string, url: string, host: string): readonly RouteInfo[] {
    return (this.#application.routes.reachable({ method, url, host }) ?? []).map(({ entry }) => this.#infoOf(entry))
  }

  #infoOf (entry: RouterEntry): RouteInfo {
    const route = this.#application.routes.registered.routeOf(entry)
    const info = this.#infos.get(entry) ?? toRouteInfo(entry, route)
    this.#infos.set(entry, info)
    return info
  }
}

function kindOfDeclaration (route: Route | undefined): RouteInfo['declared'] {
  if (route === undefined) return 'uncovered'
  if (route.declaration === undefined) return 'none'
  return route.isOff ? 'off' : 'policy'
}

function toRouteInfo ({ method, path, constraints, context }: RouterEntry, route: Route | undefined): RouteInfo {
  const { host, ...others } = constraints
  return {
    method,
    url: path,
    host,
    constraints: Object.keys(others),
    policy: route?.policy ?? null,
    checked: route === undefined || route.resolved === false ? undefined : route.resolved,
    declared: kindOfDeclaration(route),
    hasCorsConfig: declarationOf(context.config) !== undefined,
    scope: route?.scope as Scope | undefined,
    instance: context.server,
    requestHeaders: route?.requestHeaders(method) ?? [],
    responseHeaders: route?.exposedHeaders() ?? [],
    headers: route?.headers
  }
}
