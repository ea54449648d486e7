// The routes of one method once more, in an instance of the router that Fastify uses. Fastify's own does not say which route it finds; this one does.
import type { FastifyInstance } from 'fastify'
import type { ConstraintStrategy, Instance as Router } from 'find-my-way'
import { collectRoutes, type Collected, type Constraints, type RegisteredRoute } from './registered'

export type Params = Readonly<Record<string, string | undefined>>

/** A route that requests for some URL may reach. */
export interface Match {
  readonly route: RegisteredRoute
  readonly params: Params
}

/** What decides in an application, beside the URL and the host, which route a request reaches. A preflight says little about it. */
export interface AppConstraints {
  /** Whether there are routes with a version. */
  readonly versions: boolean
  /** The application's own constraints: among them `host` and `version`, if it has strategies of its own for these. */
  readonly custom: ReadonlySet<string>
}

/** The options that decide what a router finds. */
const ROUTER_OPTIONS = ['caseSensitive', 'ignoreTrailingSlash', 'ignoreDuplicateSlashes', 'maxParamLength', 'useSemicolonDelimiter'] as const

/** The value of a constraint that a preflight says nothing about: the request may fulfil it. */
const UNKNOWN = Symbol('unknown')

/** The constraint that tells the routes of one table apart. Its value in a look-up is the set of those to leave out. */
const POSITION = 'position'

const METHOD = 'GET'

/** Where a node of the router's tree looks up which of its routes have some value of a constraint, as a bit mask. */
class Masks {
  readonly #masks = new Map<unknown, number>()

  set (value: unknown, mask: number): void {
    this.#masks.set(value, mask)
  }

  get (value: unknown): number {
    if (value !== UNKNOWN && !(value instanceof Set)) return this.#masks.get(value) ?? 0
    let union = 0
    for (const [each, mask] of this.#masks) {
      if (value === UNKNOWN || !value.has(each)) union |= mask
    }
    return union
  }
}

function strategy (name: string, mustMatchWhenDerived: boolean): ConstraintStrategy<never> {
  return { name, mustMatchWhenDerived, storage: () => new Masks() as never, validate: nothing, deriveConstraint: nothing as never }
}

/** Nothing is ever handled here, and no request is ever asked for its constraints. */
const nothing = Function.prototype as () => void

/** A router of which each route is a position in a list of routes. */
class StoredRouter {
  #lastUrl: string | undefined
  #lastPosition: number | undefined

  constructor (readonly router: Router<never>) {}

  /** The methods of one answer are looked for one after the other, most often in the same router. */
  positionOf (url: string): number | undefined {
    if (this.#lastUrl !== url) {
      this.#lastPosition = (this.router.find(METHOD, url)?.store as Position | undefined)?.position
      this.#lastUrl = url
    }
    return this.#lastPosition
  }
}

/** Makes the tables of an application. Methods that have the same paths in the same order share one router. */
export class RoutingTables {
  readonly #routers = new Map<string, StoredRouter>()
  readonly #options: object
  readonly #takesPathsAsTheyAre: boolean
  readonly #ignoresTrailingSlash: boolean

  constructor (root: FastifyInstance, readonly constraints: AppConstraints) {
    // Before Fastify 5.5, all router options are at the top level.
    const given = { ...root.initialConfig, ...(root.initialConfig as { routerOptions?: object }).routerOptions } as Record<string, unknown>
    this.#ignoresTrailingSlash = given.ignoreTrailingSlash === true
    this.#takesPathsAsTheyAre = !this.#ignoresTrailingSlash && given.ignoreDuplicateSlashes !== true
    this.#options = { ...Object.fromEntries(ROUTER_OPTIONS.map((name) => [name, given[name]])), allowUnsafeRegex: true, querystringParser: () => NO_PARAMS }
  }

  /** A table of a method's routes, which are given in the order of Fastify's tree, with the code of Fastify's router. Throws where our router does not come to the same tree. */
  make ({ routes, code }: Collected<RegisteredRoute>): RoutingTable {
    const ordered = [...routes].sort((one, other) => one.order - other.order || Number(ENDS_IN_PARAMETER.test(other.path)) - Number(ENDS_IN_PARAMETER.test(one.path)))
    const names = new Set(routes.flatMap(({ constraints }) => Object.keys(constraints)))
    const { custom, versions } = this.constraints
    const isWalked = versions || custom.size > 0 || [...names].some((name) => name !== 'host')
    const key = names.size === 0 && !isWalked ? ordered.map(({ path }) => path).join('\n') : undefined
    const router = (key !== undefined && this.#routers.get(key)) || this.#build(ordered, names, isWalked)
    if (key !== undefined) this.#routers.set(key, router)
    // Only where both trees have the same routes in the same places, both find the same.
    const visited = collectRoutes<{ store: Position }>(METHOD, (options) => router.router.prettyPrint(options as never))
    const isSame = visited.routes.length === routes.length && visited.routes.every(({ store: { position } }, index) => ordered[position] === routes[index])
    if (!isSame) throw new Error('the same routes make another tree')
    return new RoutingTable(router, ordered, names, isWalked, this.constraints, code !== undefined && code === visited.code)
  }

  /** The paths that the router makes of a URL. */
  pathsOf (url: string): readonly string[] {
    if (this.#takesPathsAsTheyAre && !url.includes('?')) return [url]
    const router = this.#router([])
    try {
      router.on(METHOD, url, nothing)
    } catch {
      return [] // Fastify's router refuses it as well
    }
    return collectRoutes<RegisteredRoute>(METHOD, (options) => router.prettyPrint(options as never)).routes.map(({ path }) => path)
  }

  #build (ordered: readonly RegisteredRoute[], names: ReadonlySet<string>, isWalked: boolean): StoredRouter {
    const { custom } = this.constraints
    const own = [...names].filter((name) => name !== 'host' || custom.has(name)).map((name) => strategy(name, name === 'version' && !custom.has(name)))
    const router = this.#router(isWalked ? [...own, strategy(POSITION, false)] : own)
    ordered.forEach(({ path, constraints }, position) => {
      // Fastify's router has taken one slash away already, and ours takes one as well.
      const declaredPath = this.#ignoresTrailingSlash && path.length > 1 && path.endsWith('/') ? `${path}/` : path
      router.on(METHOD, declaredPath, { constraints: isWalked ? { ...constraints, [POSITION]: position } : constraints } as never, nothing, { position })
    })
    return new StoredRouter(router)
  }

  #router (strategies: Array<ConstraintStrategy<never>>): Router<never> {
    // Loaded when the first preflight comes, unless Fastify has loaded the very same.
    const FindMyWay = require('find-my-way') as (options: object) => Router<never>
    return FindMyWay({ ...this.#options, constraints: Object.fromEntries(strategies.map((each) => [each.name, each])) })
  }
}

interface Position { readonly position: number }

const NO_PARAMS = Object.freeze({})

/** Of the two paths of a URL with an optional parameter, the router takes this one first. */
const ENDS_IN_PARAMETER = /\/:[^/]*$/

/** The routes of one method. */
export class RoutingTable {
  readonly #router: StoredRouter
  readonly #routes: readonly RegisteredRoute[]
  readonly #hasHosts: boolean
  /** Whether there may be several routes that a request reaches. */
  readonly #isWalked: boolean
  /** Whether no route is ever certain: a strategy of the application's own may refuse every route that has no value for it. */
  readonly #isUncertain: boolean
  readonly #custom: readonly string[]
  /** Whether nothing but the URL decides which route is found. */
  readonly dependsOnUrlOnly: boolean

  /** `isSameCode` says whether Fastify's router is the same code as ours. */
  constructor (router: StoredRouter, routes: readonly RegisteredRoute[], names: ReadonlySet<string>, isWalked: boolean, { custom }: AppConstraints, readonly isSameCode: boolean) {
    this.#router = router
    this.#routes = routes
    this.#hasHosts = names.has('host')
    this.#isWalked = isWalked
    this.dependsOnUrlOnly = !isWalked && !this.#hasHosts
    this.#isUncertain = custom.size > 0
    this.#custom = [...names].filter((name) => custom.has(name))
  }

  /** The route that a request reaches, where nothing but the URL decides. */
  routeOf (url: string): RegisteredRoute | undefined {
    const position = this.#router.positionOf(url)
    return position === undefined ? undefined : this.#routes[position]
  }

  /**
   * The routes that a request may reach, in the router's order of preference; the first alone where it reaches that one certainly. A request with an
   * `Accept-Version` header reaches routes with a version, any other those without.
   */
  reachable (url: string, host: string | undefined, hasVersion: boolean): readonly Match[] {
    if (!this.#isWalked) {
      const match = this.#find(url, this.#hasHosts ? { host } : undefined)
      return match === undefined ? NO_MATCHES : [match]
    }
    const found = new Set<number>()
    const constraints: Record<string, unknown> = { host, [POSITION]: found }
    if (hasVersion) constraints.version = UNKNOWN
    for (const name of this.#custom) constraints[name] = UNKNOWN
    const matches: Match[] = []
    for (let match = this.#find(url, constraints, found); match !== undefined; match = this.#find(url, constraints, found)) {
      matches.push(match)
      if (!hasVersion && !this.#isUncertain) break
    }
    return matches
  }

  #find (url: string, constraints: Constraints | undefined, found?: Set<number>): Match | undefined {
    const match = this.#router.router.find(METHOD, url, constraints as never)
    if (match === null) return undefined
    const { position } = match.store as Position
    found?.add(position)
    return { route: this.#routes[position] as RegisteredRoute, params: match.params }
  }
}

const NO_MATCHES: readonly Match[] = []
