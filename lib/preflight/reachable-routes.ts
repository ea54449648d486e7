// Which routes of an application an announced request may reach. A preflight does not tell versions and custom constraints, and browsers remember an approval
// for a URL whatever headers later requests have: so every route counts that the method and the URL may reach with any of them.
import type { FastifyInstance } from 'fastify'
import type { RouterEntry } from '../fastify/router-entries'
import { haveSameParams } from '../fastify/router-options'
import { RouterTree, SecondRouter, type Match, type RouterOptions } from '../fastify/second-router'
import { canBePreflighted } from '../http/methods'
import type { CompiledPolicy } from '../policy/compiled-policy'
import type { Route } from '../response/route'

/** The request that a preflight announces. */
export interface AnnouncedRequest {
  readonly method: string
  readonly url: string
  readonly host: string | undefined
}

/** The routes that an application has registered. */
export interface RegisteredRoutes {
  readonly root: FastifyInstance
  /** The entries of each method in the order of the router's tree, without those of generated OPTIONS routes. */
  readonly entriesByMethod: ReadonlyMap<string, readonly RouterEntry[]>
  /** Methods whose routes could not be read. None of their preflights is approved. */
  readonly unreadableMethods: ReadonlySet<string>
  /** The constraints of any of the routes whose values a preflight does not tell: all but the host, unless the application has a strategy of its own for it. */
  readonly unknownConstraints: readonly string[]
  /** The constraints for which the application has strategies of its own. */
  readonly customConstraints: ReadonlySet<string>
  readonly options: RouterOptions
  /** The route of an entry. Undefined if no registration of the plugin covers it. */
  routeOf (entry: RouterEntry): Route | undefined
}

/** How many routes one preflight looks up at most. Each look-up costs less than a request; nothing that needs more is approved. */
const MAX_LOOKUPS = 100

/** Counts the look-ups of one preflight. */
export class LookupBudget {
  #left = MAX_LOOKUPS

  /** Takes one look-up. False if none is left. */
  take (): boolean {
    return this.#left-- > 0
  }
}

export class ReachableRoutes {
  readonly #tables = new Map<string, Table | null>()
  /** By their paths, if they have no constraints. */
  readonly #trees = new Map<string, RouterTree>()

  constructor (readonly registered: RegisteredRoutes) {}

  /**
   * The routes that a request may reach, in the router's order of preference; of several with one path and one policy, the first. Undefined if they are
   * unknown, or too many.
   */
  reachable ({ method, url, host }: AnnouncedRequest, budget = new LookupBudget()): readonly Match[] | undefined {
    if (this.registered.unreadableMethods.has(method)) return undefined
    if (!this.registered.entriesByMethod.has(method)) return NO_MATCHES
    const table = this.#tableOf(method)
    if (table === null) return undefined
    const matches: Match[] = []
    const excluded = new Set<number>()
    while (budget.take()) {
      const match = table.router.find(url, host, excluded)
      if (match === undefined) return matches
      matches.push(match)
      if (table.router.isCertain) return matches
      // The others of this path that have its policy change nothing.
      for (const position of table.alike(match.entry)) excluded.add(position)
    }
    return undefined
  }

  /**
   * Whether Fastify's router finds a match for a request as well. It has to find the same parameters: otherwise the two routers disagree. A request may have a
   * value for a constraint that the route does not have: where its strategy must match, such a request reaches no route.
   */
  isConfirmed ({ method, url, host }: AnnouncedRequest, { entry: { constraints }, params }: Match): boolean {
    const { root, customConstraints } = this.registered
    const own = customConstraints.has('host') ? constraints : { ...constraints, host }
    const find = (others: object): ReturnType<FastifyInstance['findRoute']> | null =>
      root.findRoute({ method: method as never, url, constraints: { ...own, ...others } as never })
    const found = find({})
    if (found === null || !haveSameParams(found.params, params)) return false
    for (const name of customConstraints) {
      if (!Object.hasOwn(constraints, name) && !isFound(() => find({ [name]: SOME_VALUE }))) return false
    }
    return true
  }

  /** Whether a request certainly reaches a not-found handler. */
  hasNoRoute (announced: AnnouncedRequest): boolean {
    const { root, customConstraints } = this.registered
    const { method, url, host } = announced
    if (customConstraints.size > 0 || !canBePreflighted(method) || !root.supportedMethods.includes(method as never)) return false
    return this.reachable(announced)?.length === 0 && root.findRoute({ method: method as never, url, constraints: { host } as never }) === null
  }

  /** The methods that have routes. */
  get methods (): string[] {
    return [...this.registered.entriesByMethod.keys()]
  }

  policyOf (entry: RouterEntry): CompiledPolicy | null {
    return this.registered.routeOf(entry)?.policy ?? null
  }

  /** Built when it is first needed. Null if its router is not the same as Fastify's. */
  #tableOf (method: string): Table | null {
    let table = this.#tables.get(method)
    if (table === undefined) this.#tables.set(method, table = this.#build(method))
    return table
  }

  #build (method: string): Table | null {
    const { root, entriesByMethod, options, unknownConstraints } = this.registered
    try {
      const entries = entriesByMethod.get(method) as readonly RouterEntry[]
      const isPlain = unknownConstraints.length === 0 && entries.every(({ constraints }) => Object.keys(constraints).length === 0)
      const paths = isPlain ? entries.map(({ path }) => path).join('\n') : undefined
      const tree = (paths !== undefined ? this.#trees.get(paths) : undefined) ?? new RouterTree(entries, options, unknownConstraints)
      if (paths !== undefined) this.#trees.set(paths, tree)
      return new Table(new SecondRouter(entries, tree), (entry) => this.policyOf(entry))
    } catch (err) {
      root.log.error({ err }, `fastify-cors-policy cannot follow Fastify's router for ${method}, so it approves no preflight for ${method}`)
      return null
    }
  }
}

const NO_MATCHES: readonly Match[] = []

/** A value that no route has for its constraint. */
const SOME_VALUE = 'fastify-cors-policy'

/** A strategy of the application's may throw for a value that it does not know. */
function isFound (find: () => object | null): boolean {
  try {
    return find() !== null
  } catch {
    return false
  }
}

/** The second router of a method, and which of its entries are alike. */
class Table {
  readonly #positionsByPath = new Map<string, number[]>()

  constructor (readonly router: SecondRouter, readonly policyOf: (entry: RouterEntry) => CompiledPolicy | null) {
    if (router.isCertain) return
    router.entries.forEach(({ path }, position) => {
      const positions = this.#positionsByPath.get(path)
      if (positions === undefined) this.#positionsByPath.set(path, [position])
      else positions.push(position)
    })
  }

  /** The positions of the entries with the path and the policy of this one. */
  alike (entry: RouterEntry): number[] {
    const policy = this.policyOf(entry)
    const positions = this.#positionsByPath.get(entry.path) as number[]
    return positions.filter((position) => this.policyOf(this.router.entries[position] as RouterEntry) === policy)
  }
}

/** The policy that all these routes have. Null if they have different policies, or if one has none. */
export function commonPolicy (matches: readonly Match[], policyOf: (entry: RouterEntry) => CompiledPolicy | null): CompiledPolicy | null {
  const [first, ...others] = matches
  const policy = first === undefined ? null : policyOf(first.entry)
  return others.every(({ entry }) => policyOf(entry) === policy) ? policy : null
}
