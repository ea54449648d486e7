// Reads from Fastify's router which routes are registered. No other source is exact: onRoute hooks change routes, Fastify drops automatic HEAD routes
// silently, and it refuses some declarations. `printRoutes` passes every route of a method to a function that prints the route's metadata; here that
// function collects the routes, and the printed text is dropped. application-routes.ts, routing-table.ts and lib/application use it.
import type { FastifyInstance } from 'fastify'
import type { CompiledPolicy } from '../policy/compiled-policy'
import type { GeneratedRoute } from './generated-route'

/** The constraints of a route, by name. */
export type Constraints = Readonly<Record<string, unknown>>

/** What a preflight needs to know of a declared route. The class `Route` of lib/application implements it. */
export interface DeclaredRoute {
  readonly urls: readonly string[]
  readonly methods: readonly string[]
  readonly constraints: Constraints
  /** Routes that were declared later have higher numbers. */
  readonly order: number
  /** The policy of the route. Null if it has none. */
  readonly policy: CompiledPolicy | null
  /** Whether the route declares `cors: false`. */
  readonly isOff: boolean
  /** The name of the policy that the route has or extends. */
  readonly policyName: string | null
  /** The generated OPTIONS routes that answer the route's preflights: at most one for each of its URLs. */
  readonly optionsRoutes: readonly GeneratedRoute[]
  /** The request headers that the route's schema declares. They are used if the policy has no `allowedHeaders`. */
  requestHeaders (method: string): readonly string[]
}

/** A route as Fastify's router has registered it, with one method and one path. */
export interface RegisteredRoute {
  readonly method: string
  /** The path after the router normalised its slashes. A URL with an optional parameter is registered as two paths. */
  readonly path: string
  /** The path without the names of its parameters: equal for two routes of one URL. */
  readonly pattern: string
  readonly constraints: Constraints
  /** Undefined if the declaration is unknown, for example because the route was declared before the package was imported. */
  readonly declared: DeclaredRoute | undefined
  /** Routes that were registered later have higher numbers. */
  readonly order: number
}

/** Under this key, a route's `config` has its declaration. */
const kDeclared = Symbol('fastify-cors-policy.declared')

/** Under this key, it has the number of the registration. */
const kRegistration = Symbol('fastify-cors-policy.registration')

let order = 0

/** The number of the next declaration or registration. */
export function nextOrder (): number {
  return ++order
}

/**
 * Links each registration of a route to its declaration, by two properties of the route's `config`. Fastify copies `config` for each URL, immediately before
 * it registers that URL. The copy reads the properties, so registrations are numbered in the router's own order.
 */
export function trackRegistrations<Config extends object> (config: Config, declared: DeclaredRoute | undefined): Config {
  (config as TrackedConfig)[kDeclared] = declared
  return Object.defineProperty(config, kRegistration, NEXT_ORDER)
}

/** One getter for all routes, so that equal configs share a hidden class. */
const NEXT_ORDER: PropertyDescriptor = { enumerable: true, get: nextOrder }

/** A route's `config`, which may have these properties. */
interface TrackedConfig {
  [kDeclared]?: DeclaredRoute | undefined
  readonly [kRegistration]?: number
}

/** The declaration that the registrations of a route with this `config` lead to. */
export function trackedDeclarationOf (config: object | undefined): DeclaredRoute | undefined {
  return config !== undefined && Object.hasOwn(config, kDeclared) ? (config as TrackedConfig)[kDeclared] : undefined
}

/** A route in find-my-way. `store` is Fastify's route context; its `config` is the copy. */
interface RouterRoute {
  readonly method: string
  readonly path: string
  readonly pattern: string
  readonly opts: { readonly constraints: Constraints }
  readonly store: { readonly config?: TrackedConfig } | null
}

/** The routes that a router has for one method. */
export interface CollectedRoutes<Route> {
  /** In the order of the router's tree. */
  readonly routes: readonly Route[]
  /**
   * File and position of the router's code that printed the routes. Two routers with the same value run the same code. Undefined if there are no routes, or
   * if the position is unknown.
   */
  readonly routerCode: string | undefined
}

/** The routes of a method. Throws if a value of a custom constraint cannot be printed. */
export function registeredRoutes (root: FastifyInstance, method: string): CollectedRoutes<RegisteredRoute> {
  const { routes, routerCode } = collectRoutes<RouterRoute>(method, (options) => root.printRoutes(options as never))
  return {
    routerCode,
    routes: routes.map(({ method, path, pattern, opts, store }) => {
      const config = store?.config
      return { method, path, pattern, constraints: opts.constraints, declared: config?.[kDeclared], order: config?.[kRegistration] ?? 0 }
    })
  }
}

/** Lets a router print its routes of a method, and collects them. `print` is the router's print function. */
export function collectRoutes<Route> (method: string, print: (options: object) => void): CollectedRoutes<Route> {
  const routes: Route[] = []
  let routerCode: string | undefined
  print({
    method,
    includeMeta: [],
    // The router assigns its own function to this option. The setter ignores that, so this function stays.
    get buildPrettyMeta () {
      return function collect (route: Route) {
        if (routes.push(route) === 1) routerCode = callSiteOf(collect)
        return {}
      }
    },
    set buildPrettyMeta (_replacement) {}
  })
  return { routes, routerCode }
}

/** The file and the position in it that a function is called from. */
function callSiteOf (callee: (route: never) => object): string | undefined {
  const { prepareStackTrace } = Error
  const error: { stack?: string } = {}
  try {
    Error.prepareStackTrace = (_error, [site]) => site?.getFileName() == null ? undefined : `${String(site.getFileName())}:${String(site.getPosition())}`
  } catch {
    return undefined // `Error.prepareStackTrace` is read-only
  }
  Error.captureStackTrace(error, callee)
  const { stack } = error
  Error.prepareStackTrace = prepareStackTrace
  return stack
}
