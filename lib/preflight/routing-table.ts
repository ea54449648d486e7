// The routes of one HTTP method, in a second instance of the router that Fastify uses (find-my-way). Fastify's own router does not tell which route it
// finds; this one does. application-routes.ts builds a table for each method.
import type { FastifyInstance } from 'fastify'
import type { ConstraintStrategy, Instance as Router } from 'find-my-way'
import { collectRoutes, type CollectedRoutes, type Constraints, type RegisteredRoute } from './registered'

/** The values of a route's parameters in a URL. */
export type Params = Readonly<Record<string, string | undefined>>

/** A route that a request may reach. */
export interface Match {
  readonly route: RegisteredRoute
  readonly params: Params
}

/** The constraints of an application's routes whose values a preflight does not tell. */
export interface ApplicationConstraints {
  /** Whether there are routes with a version. */
  readonly versions: boolean
  /** The constraints with a strategy of the application's own. They include `host` and `version` if the application replaced Fastify's strategies. */
  readonly custom: ReadonlySet<string>
}

/** The options of Fastify's router that change which route it finds. */
const ROUTER_OPTIONS = ['caseSensitive', 'ignoreTrailingSlash', 'ignoreDuplicateSlashes', 'maxParamLength', 'useSemicolonDelimiter'] as const

/** The value of a constraint that a preflight does not tell. It matches every route, because the request may fulfil the constraint. */
const UNKNOWN = Symbol('unknown')

/** An extra constraint with a different value on every route of a table. A look-up passes the set of values to exclude. */
const POSITION = 'position'

/** Each table is a router of its own, so all its routes can have the same method. */
const TABLE_METHOD = 'GET'

/** A storage for find-my-way: for each value of a constraint, the bit mask of the routes in one tree node that have this value. */
class BitMaskStorage {
  readonly #masks = new Map<unknown, number>()

  set (value: unknown, mask: number): void {
    this.#masks.set(value, mask)
  }

  /** `value` is a constraint's value, `UNKNOWN`, or the set of positions to exclude. */
  get (value: unknown): number {
    if (value !== UNKNOWN && !(value instanceof Set)) return this.#masks.get(value) ?? 0
    let union = 0
    for (const [each, mask] of this.#masks) {
      if (value === UNKNOWN || !value.has(each)) union |= mask
    }
    return union
  }
}

function constraintStrategy (name: string, mustMatchWhenDerived: boolean): ConstraintStrategy<never> {
  return { name, mustMatchWhenDerived, storage: () => new BitMaskStorage() as never, validate: noop, deriveConstraint: noop as never }
}

/** Serves as handler and as strategy function. A table never handles a request, nor derives constraints from one. */
const noop = Function.prototype as () => void

/** A router that finds the position of a route in a list. Tables with the same paths share one router, each with its own list. */
class PositionRouter {
  #lastUrl: string | undefined
  #lastPosition: number | undefined

  constructor (readonly router: Router<never>) {}

  /** Remembers the last URL: an answer looks up several methods of one URL in turn, and their tables often share this router. */
  positionOf (url: string): number | undefined {
    if (this.#lastUrl !== url) {
      this.#lastPosition = (this.router.find(TABLE_METHOD, url)?.store as StoredPosition | undefined)?.position
      this.#lastUrl = url
    }
    return this.#lastPosition
  }
}

/** What a table's router stores for a route. */
interface StoredPosition { readonly position: number }

/** Builds the tables of an application. Methods that have the same paths in the same order share one router. */
export class RoutingTableFactory {
  readonly #routers = new Map<string, PositionRouter>()
  readonly #options: object
  /** Whether Fastify's router registers paths without normalising their slashes. */
  readonly #keepsPathsUnchanged: boolean
  readonly #ignoresTrailingSlash: boolean

  constructor (root: FastifyInstance, readonly constraints: ApplicationConstraints) {
    // Before Fastify 5.5, all router options are top-level options.
    const configured = { ...root.initialConfig, ...(root.initialConfig as { routerOptions?: object }).routerOptions } as Record<string, unknown>
    this.#ignoresTrailingSlash = configured.ignoreTrailingSlash === true
    this.#keepsPathsUnchanged = !this.#ignoresTrailingSlash && configured.ignoreDuplicateSlashes !== true
    const options = Object.fromEntries(ROUTER_OPTIONS.map((name) => [name, configured[name]]))
    this.#options = { ...options, allowUnsafeRegex: true, querystringParser: () => NO_PARAMS }
  }

  /**
   * Builds the table of a method from the routes that Fastify's router printed. Throws if the new router has them in another order: then it may find other
   * routes.
   */
  make ({ routes, routerCode }: CollectedRoutes<RegisteredRoute>): RoutingTable {
    const ordered = [...routes].sort((one, other) => one.order - other.order || endsInParameter(other) - endsInParameter(one))
    const constraintNames = new Set(routes.flatMap(({ constraints }) => Object.keys(constraints)))
    const { custom, versions } = this.constraints
    const mayMatchSeveral = versions || custom.size > 0 || [...constraintNames].some((name) => name !== 'host')
    const key = constraintNames.size === 0 && !mayMatchSeveral ? ordered.map(({ path }) => path).join('\n') : undefined
    const router = (key !== undefined && this.#routers.get(key)) || this.#build(ordered, constraintNames, mayMatchSeveral)
    if (key !== undefined) this.#routers.set(key, router)
    // Two routers find the same routes only if both trees have the same routes in the same places.
    const printed = collectRoutes<{ store: StoredPosition }>(TABLE_METHOD, (options) => router.router.prettyPrint(options as never))
    const isSame = printed.routes.length === routes.length && printed.routes.every(({ store: { position } }, index) => ordered[position] === routes[index])
    if (!isSame) throw new Error('a second router builds a different tree from the same routes')
    const isFastifysCode = routerCode !== undefined && routerCode === printed.routerCode
    return new RoutingTable(router, ordered, constraintNames, mayMatchSeveral, this.constraints, isFastifysCode)
  }

  /** The paths that Fastify's router registers for a URL. */
  pathsOf (url: string): readonly string[] {
    if (this.#keepsPathsUnchanged && !url.includes('?')) return [url]
    const router = this.#router([])
    try {
      router.on(TABLE_METHOD, url, noop)
    } catch {
      return [] // Fastify's router refuses the URL as well
    }
    return collectRoutes<RegisteredRoute>(TABLE_METHOD, (options) => router.prettyPrint(options as never)).routes.map(({ path }) => path)
  }

  #build (ordered: readonly RegisteredRoute[], constraintNames: ReadonlySet<string>, mayMatchSeveral: boolean): PositionRouter {
    const { custom } = this.constraints
    const replaced = [...constraintNames].filter((name) => name !== 'host' || custom.has(name))
    const strategies = replaced.map((name) => constraintStrategy(name, name === 'version' && !custom.has(name)))
    const router = this.#router(mayMatchSeveral ? [...strategies, constraintStrategy(POSITION, false)] : strategies)
    ordered.forEach(({ path, constraints }, position) => {
      // Fastify's router has removed one trailing slash already, and this router removes another one.
      const declaredPath = this.#ignoresTrailingSlash && path.length > 1 && path.endsWith('/') ? `${path}/` : path
      const withPosition = mayMatchSeveral ? { ...constraints, [POSITION]: position } : constraints
      router.on(TABLE_METHOD, declaredPath, { constraints: withPosition } as never, noop, { position })
    })
    return new PositionRouter(router)
  }

  #router (strategies: Array<ConstraintStrategy<never>>): Router<never> {
    // Loaded with the first preflight. Fastify has usually loaded the same copy already.
    const FindMyWay = require('find-my-way') as (options: object) => Router<never>
    return FindMyWay({ ...this.#options, constraints: Object.fromEntries(strategies.map((strategy) => [strategy.name, strategy])) })
  }
}

const NO_PARAMS = Object.freeze({})

/** 1 or 0. A URL with an optional parameter is registered as two paths, the one with the parameter first. */
function endsInParameter ({ path }: RegisteredRoute): number {
  return Number(/\/:[^/]*$/.test(path))
}

/** The routes of one method. */
export class RoutingTable {
  readonly #router: PositionRouter
  readonly #routes: readonly RegisteredRoute[]
  readonly #hasHosts: boolean
  /** Whether a request may match several routes, because of constraints whose values a preflight does not tell. */
  readonly #mayMatchSeveral: boolean
  /** With custom constraints no match is certain: a strategy may reject every route that has no value for it. */
  readonly #hasCustomConstraints: boolean
  readonly #customConstraintNames: readonly string[]
  /** Whether only the URL decides which route is found. */
  readonly dependsOnUrlOnly: boolean

  /** `isFastifysCode` tells whether this table's router runs the same code as Fastify's router. */
  constructor (
    router: PositionRouter, routes: readonly RegisteredRoute[], constraintNames: ReadonlySet<string>, mayMatchSeveral: boolean,
    { custom }: ApplicationConstraints, readonly isFastifysCode: boolean
  ) {
    this.#router = router
    this.#routes = routes
    this.#hasHosts = constraintNames.has('host')
    this.#mayMatchSeveral = mayMatchSeveral
    this.dependsOnUrlOnly = !mayMatchSeveral && !this.#hasHosts
    this.#hasCustomConstraints = custom.size > 0
    this.#customConstraintNames = [...constraintNames].filter((name) => custom.has(name))
  }

  /** The route that a request reaches. Call it only if `dependsOnUrlOnly`. */
  routeOf (url: string): RegisteredRoute | undefined {
    const position = this.#router.positionOf(url)
    return position === undefined ? undefined : this.#routes[position]
  }

  /**
   * The routes that a request may reach, in the router's order of preference. The first one alone if the request certainly reaches it. A request with an
   * `Accept-Version` header reaches routes with a version; any other request reaches routes without one.
   */
  reachable (url: string, host: string | undefined, hasVersion: boolean): readonly Match[] {
    if (!this.#mayMatchSeveral) {
      const match = this.#find(url, this.#hasHosts ? { host } : undefined)
      return match === undefined ? NO_MATCHES : [match]
    }
    // Each look-up excludes the routes that were found before it.
    const excluded = new Set<number>()
    const constraints: Record<string, unknown> = { host, [POSITION]: excluded }
    if (hasVersion) constraints.version = UNKNOWN
    for (const name of this.#customConstraintNames) constraints[name] = UNKNOWN
    const matches: Match[] = []
    for (let match = this.#find(url, constraints, excluded); match !== undefined; match = this.#find(url, constraints, excluded)) {
      matches.push(match)
      if (!hasVersion && !this.#hasCustomConstraints) break
    }
    return matches
  }

  #find (url: string, constraints: Constraints | undefined, excluded?: Set<number>): Match | undefined {
    const match = this.#router.router.find(TABLE_METHOD, url, constraints as never)
    if (match === null) return undefined
    const { position } = match.store as StoredPosition
    excluded?.add(position)
    return { route: this.#routes[position] as RegisteredRoute, params: match.params }
  }
}

const NO_MATCHES: readonly Match[] = []
