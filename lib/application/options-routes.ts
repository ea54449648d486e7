// Declares the generated OPTIONS routes of an application: one for each URL and scope that has a policy. Application calls it when a route is declared.
import type { FastifyInstance, RouteOptions } from 'fastify'
import { CONSTRAINT, GeneratedRoute, optionsRouteOnResponse, optionsRouteOnSend, sendAnswer } from '../preflight/generated-route'
import { trackRegistrations, type Constraints } from '../preflight/registered'
import { refuseTooMany } from './conflicts'
import type { Route } from './route'
import type { Scope } from './scope'

export class OptionsRoutes {
  readonly #root: FastifyInstance
  /** Why Fastify rejected an OPTIONS route, by URL. */
  readonly refused = new Map<string, string>()

  constructor (root: FastifyInstance) {
    this.#root = root
  }

  /** Declares one at the path of an OPTIONS route that was declared before the plugin was registered. It answers nothing. */
  declareBeside (path: string): void {
    this.#root.route(this.#optionsFor(path, new GeneratedRoute(path), undefined))
  }

  /**
   * Returns whether it was declared. An instance cannot declare a URL outside its prefix: then the parent scope declares it. `routes` are the routes of the
   * URL so far.
   */
  declare (optionsRoute: GeneratedRoute, scope: Scope, routes: readonly Route[], constraints?: Constraints): boolean {
    const instance = scope.optionsRoutes
    const { url } = optionsRoute
    if (!url.startsWith(instance.prefix)) return scope.parent !== undefined && this.declare(optionsRoute, scope.parent, routes, constraints)
    refuseTooMany(url, routes)
    const path = url.slice(instance.prefix.length)
    // Fastify removes one of two slashes where prefix and path meet.
    try {
      instance.route(this.#optionsFor(instance.prefix.endsWith('/') && path.startsWith('/') ? `/${path}` : path, optionsRoute, scope, constraints))
      return true
    } catch (err) {
      // Most often Fastify rejects the route itself for the same reason, and reports that.
      this.refused.set(url, (err as Error).message)
      return false
    }
  }

  /** All these objects share one hidden class, as Fastify reads each of them often. */
  #optionsFor (url: string, optionsRoute: GeneratedRoute, scope: Scope | undefined, constraints?: Constraints): RouteOptions {
    const options: RouteOptions = {
      method: 'OPTIONS',
      url,
      logLevel: scope?.logLevel as never,
      config: trackRegistrations({}, undefined) as never,
      constraints: { [CONSTRAINT]: optionsRoute, ...constraints },
      onSend: optionsRouteOnSend,
      handler: sendAnswer
    }
    if (scope?.hideOptionsRoute !== false) options.schema = HIDDEN
    // An onResponse hook costs time on every preflight, and its warning is lost without a logger.
    if (this.#root.log.warn !== this.#root.log.info) options.onResponse = optionsRouteOnResponse
    return Object.defineProperty(options, 'prefixTrailingSlash', SLASH)
  }
}

/**
 * At `/` below a prefix, Fastify declares one URL instead of two. This is an accessor because Fastify copies the options of every route: while it copies plain
 * objects only, the V8 of Node 20 gives each copy a hidden class of its own, and all routes of the process take 5 µs longer each.
 */
const SLASH: PropertyDescriptor = { enumerable: true, configurable: true, get: () => 'slash' }

/** One object for all generated routes. */
const HIDDEN: object = { hide: true }

/** The OPTIONS route of a route at this URL. */
export function optionsRouteAt (url: string, { optionsRoutes }: Route): GeneratedRoute | undefined {
  for (const optionsRoute of optionsRoutes) if (optionsRoute.url === url) return optionsRoute
  return undefined
}
