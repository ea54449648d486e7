// The routes that are registered in one application, and a routing table for each HTTP method. They tell which routes a request may reach.
// The preflight router (router.ts) makes one of these when every route is registered.
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { canBePreflighted } from '../http/methods'
import { registeredRoutes, type CollectedRoutes, type DeclaredRoute, type RegisteredRoute } from './registered'
import { RoutingTableFactory, type ApplicationConstraints, type Match, type RoutingTable } from './routing-table'

/** The request that a preflight announces, as far as the preflight describes it. */
export interface AnnouncedRequest {
  readonly method: string
  readonly url: string
  readonly host: string | undefined
  /** Whether the request carries an `Accept-Version` header. */
  readonly hasVersion: boolean
}

export class ApplicationRoutes {
  readonly #root: FastifyInstance
  readonly #constraints: ApplicationConstraints
  /** In the order of Fastify's routing tree. */
  readonly #registeredByMethod = new Map<string, CollectedRoutes<RegisteredRoute>>()
  readonly #byUrl = new Map<string, RegisteredRoute[]>()
  readonly #tableFactory: RoutingTableFactory
  readonly #tablesByMethod = new Map<string, RoutingTable>()
  /** Methods whose routes could not be read, or for which no table could be built. Their routes are unknown, so none of their preflights is approved. */
  readonly #unreadableMethods = new Set<string>()

  /**
   * Call it when every route is registered. `customConstraints` are the constraints for which the application has its own strategies. `untracked` are the
   * declarations whose registrations lead to no declaration or to another one (see `trackRegistrations`), and these others.
   */
  constructor (root: FastifyInstance, customConstraints: ReadonlySet<string>, untracked: ReadonlySet<DeclaredRoute>) {
    this.#root = root
    const constraints = { custom: customConstraints, versions: false }
    this.#constraints = constraints
    this.#tableFactory = new RoutingTableFactory(root, constraints)
    const untrackedByPath = this.#byPath(untracked)
    for (const method of root.supportedMethods.filter(canBePreflighted)) {
      const registered = this.#readRoutes(method, untracked, untrackedByPath)
      const { routes } = registered
      if (routes.length > 0) this.#registeredByMethod.set(method, registered)
      constraints.versions ||= !customConstraints.has('version') && routes.some(({ constraints }) => constraints.version !== undefined)
      for (const route of routes) addTo(this.#byUrl, urlKey(route), route)
    }
  }

  /** Every route of a method that a browser can announce. */
  get all (): RegisteredRoute[] {
    return [...this.#registeredByMethod.values()].flatMap(({ routes }) => routes)
  }

  /** The same routes in groups. The routes of a group have the same URL and host, so a browser requests them all at one URL. */
  get byUrl (): Iterable<readonly RegisteredRoute[]> {
    return this.#byUrl.values()
  }

  /** The routes of every method that have the URL and the host of this route. */
  withUrlOf (route: RegisteredRoute): readonly RegisteredRoute[] {
    return this.#byUrl.get(urlKey(route)) as RegisteredRoute[]
  }

  /** The methods that have routes. */
  get methods (): string[] {
    return [...this.#registeredByMethod.keys()]
  }

  /** Whether a route has a version constraint of Fastify's own strategy. */
  get hasVersions (): boolean {
    return this.#constraints.versions
  }

  /** Whether the routes of every method are known, and no custom constraint may reject a request. */
  get areCertain (): boolean {
    return this.#unreadableMethods.size === 0 && this.#constraints.custom.size === 0
  }

  /** The paths that Fastify's router makes of a URL. */
  pathsOf (url: string): readonly string[] {
    return this.#tableFactory.pathsOf(url)
  }

  /**
   * The routes that a request may reach, in the router's order of preference. If an unversioned request reaches none, the routes with a version are
   * returned: a gateway may add the header. With custom constraints, it is unknown whether it reaches any.
   */
  reachable ({ method, url, host, hasVersion }: AnnouncedRequest): readonly Match[] {
    const table = this.tableOf(method)
    if (table === undefined) return NO_MATCHES
    const matches = table.reachable(url, host, hasVersion)
    if (hasVersion || !this.hasVersions || (matches.length > 0 && this.#constraints.custom.size === 0)) return matches
    return [...matches, ...table.reachable(url, host, true)]
  }

  /** The routing table of a method, built when it is first needed. Undefined if the method has no routes, or if they are unknown. */
  tableOf (method: string): RoutingTable | undefined {
    const existing = this.#tablesByMethod.get(method)
    if (existing !== undefined) return existing
    const registered = this.#registeredByMethod.get(method)
    if (registered === undefined || this.#unreadableMethods.has(method)) return undefined
    try {
      const table = this.#tableFactory.make(registered)
      this.#tablesByMethod.set(method, table)
      return table
    } catch (err) {
      this.#markUnreadable(method, err)
      return undefined
    }
  }

  #byPath (declarations: Iterable<DeclaredRoute>): Map<string, DeclaredRoute[]> {
    const byPath = new Map<string, DeclaredRoute[]>()
    for (const declared of declarations) {
      for (const path of declared.urls.flatMap((url) => this.pathsOf(url))) addTo(byPath, path, declared)
    }
    return byPath
  }

  #readRoutes (
    method: string, untracked: ReadonlySet<DeclaredRoute>, untrackedByPath: ReadonlyMap<string, readonly DeclaredRoute[]>
  ): CollectedRoutes<RegisteredRoute> {
    try {
      const { routes, routerCode } = registeredRoutes(this.#root, method)
      if (untracked.size === 0) return { routes, routerCode }
      const isUntracked = ({ declared, order }: RegisteredRoute): boolean => declared === undefined ? order === 0 : untracked.has(declared)
      return { routerCode, routes: routes.map((route) => isUntracked(route) ? { ...route, ...untrackedDeclarationOf(route, untrackedByPath) } : route) }
    } catch (err) {
      this.#markUnreadable(method, err)
      return { routerCode: undefined, routes: [] }
    }
  }

  #markUnreadable (method: string, err: unknown): void {
    this.#unreadableMethods.add(method)
    this.#root.log.error({ err }, `fastify-cors-policy cannot read the routes of ${method} from Fastify's router, so it approves no preflight for ${method}`)
  }
}

const NO_MATCHES: readonly Match[] = []

/**
 * The declaration of a route that was registered untracked, found by its path. If several declarations with different policies fit, the result is undefined:
 * Fastify refused all but one of them, and it is unknown which one it accepted.
 */
function untrackedDeclarationOf (
  { method, path, constraints }: RegisteredRoute, untracked: ReadonlyMap<string, readonly DeclaredRoute[]>
): Pick<RegisteredRoute, 'declared' | 'order'> {
  const fits = (declared: DeclaredRoute): boolean => declared.methods.includes(method) && isDeepStrictEqual(declared.constraints, constraints)
  const [first, ...others] = untracked.get(path)?.filter(fits) ?? []
  const isUnknown = first === undefined || others.some(({ policy }) => policy !== first.policy)
  return isUnknown ? { declared: undefined, order: 0 } : { declared: first, order: first.order }
}

/** Equal for the routes that a browser requests at one URL. */
function urlKey ({ pattern, constraints: { host } }: RegisteredRoute): string {
  return `${pattern} ${String(host)}`
}

function addTo<Value> (groups: Map<string, Value[]>, key: string, value: Value): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [value])
  else group.push(value)
}
