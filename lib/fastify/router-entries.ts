// Reads from Fastify's router which routes are registered. No other source is exact: onRoute hooks change routes, Fastify drops automatic HEAD routes
// silently, and it refuses some declarations. `printRoutes` passes every route of a method to a function that prints the route's metadata; here that
// function collects the routes, and the printed text is dropped.
import type { FastifyInstance } from 'fastify'

/** The constraints of a route, by name. */
export type Constraints = Readonly<Record<string, unknown>>

/** What Fastify keeps of a route: the `config` that requests show, the instance that declared it, and its schema. */
export interface RouteContext {
  readonly config: object
  readonly server: FastifyInstance
  readonly schema?: unknown
}

/** One path and one method in Fastify's router. A route with several methods or an optional parameter has several entries. */
export interface RouterEntry {
  readonly method: string
  /** The path after the router normalised its slashes. */
  readonly path: string
  readonly constraints: Constraints
  readonly context: RouteContext
}

/** The host constraint, if there is one. A polluted prototype has no effect. */
export function hostOf (constraints: Constraints): unknown {
  return Object.hasOwn(constraints, 'host') ? constraints.host : undefined
}

/** A route as find-my-way prints it. */
interface PrintedRoute<Store> {
  readonly method: string
  readonly path: string
  readonly opts: { readonly constraints: Constraints }
  readonly store: Store
}

/** The entries of a method, in the order of the router's tree. Throws where the router cannot print them, such as for a BigInt in a constraint. */
export function routerEntries (root: FastifyInstance, method: string): RouterEntry[] {
  return printedRoutes<RouteContext>(method, (options) => root.printRoutes(options as never))
    .map(({ method, path, opts, store }) => ({ method, path, constraints: opts.constraints, context: store }))
}

/** Lets a router print its routes of a method, and collects them. `print` is the router's print function. */
export function printedRoutes<Store> (method: string, print: (options: object) => void): Array<PrintedRoute<Store>> {
  const routes: Array<PrintedRoute<Store>> = []
  print({
    method,
    includeMeta: [],
    // The router assigns its own function to this option. The setter ignores that, so this function stays.
    get buildPrettyMeta () {
      return (route: PrintedRoute<Store>) => {
        routes.push(route)
        return {}
      }
    },
    set buildPrettyMeta (_replacement) {}
  })
  return routes
}
