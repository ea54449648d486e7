// The routes of one HTTP method, in a second router of the make that Fastify uses (find-my-way). Fastify's own router does not say which route it finds; this
// one does. Constraints whose values a preflight does not tell match every value here, so that a request can be followed to every route that it may reach.
import type { ConstraintStrategy, Instance as Router } from 'find-my-way'
import { printedRoutes, type RouterEntry } from './router-entries'

/** The values of a route's parameters in a URL. */
export type Params = Readonly<Record<string, string | undefined>>

/** A route that a request may reach. */
export interface Match {
  readonly entry: RouterEntry
  readonly params: Params
}

/** The options of Fastify's router that decide which route it finds. */
export interface RouterOptions {
  readonly caseSensitive: boolean
  readonly ignoreTrailingSlash: boolean
  readonly ignoreDuplicateSlashes: boolean
  readonly useSemicolonDelimiter: boolean
  readonly maxParamLength: number
}

/** The value of a constraint that a preflight does not tell. */
const UNKNOWN = Symbol('unknown')

/** Each table is a router of its own, so all its routes can have the same method. */
const METHOD = 'GET'

/** A storage for find-my-way: for each value of a constraint, the bit mask of the routes in one tree node that have this value. */
class BitMaskStorage {
  readonly #masks = new Map<unknown, number>()

  set (value: unknown, mask: number): void {
    this.#masks.set(value, mask)
  }

  /** `value` is a value of the constraint, `UNKNOWN` for all of them, or the set of values to leave out. */
  get (value: unknown): number {
    if (value !== UNKNOWN && !(value instanceof Set)) return this.#masks.get(value) ?? 0
    let union = 0
    for (const [each, mask] of this.#masks) if (value === UNKNOWN || !value.has(each)) union |= mask
    return union
  }
}

function anyValue (name: string): ConstraintStrategy<never> {
  return { name, mustMatchWhenDerived: false, storage: () => new BitMaskStorage() as never, validate: noop, deriveConstraint: noop as never }
}

/** Serves as handler and as strategy function. A table never handles a request, nor derives constraints from one. */
const noop = Function.prototype as () => void

/** A router of the make that Fastify uses. */
export function createRouter (options: RouterOptions, strategies: ReadonlyArray<ConstraintStrategy<never>> = []): Router<never> {
  // Loaded with the first preflight. Fastify has usually loaded the same copy already.
  const FindMyWay = require('find-my-way') as (options: object) => Router<never>
  const constraints = Object.fromEntries(strategies.map((strategy) => [strategy.name, strategy]))
  return FindMyWay({ ...options, constraints, allowUnsafeRegex: true, querystringParser: () => NO_PARAMS })
}

const NO_PARAMS: Params = Object.freeze({})

/** The parameters that a router finds for a URL. Null if it finds no route. */
export function findParams (router: Router<never>, url: string): Params | null {
  return router.find(METHOD, url)?.params ?? null
}

/** Registers a path of Fastify's router in another one with these options. */
export function addPath (router: Router<never>, path: string, { ignoreTrailingSlash }: RouterOptions, constraints: object, store: unknown): void {
  // Fastify's router has removed one trailing slash already, and this router removes another one.
  const declared = ignoreTrailingSlash && path.length > 1 && path.endsWith('/') ? `${path}/` : path
  router.on(METHOD, declared, { constraints } as never, noop, store)
}

/** What the router stores for an entry: its position. */
interface Stored { readonly position: number }

/** The tree of some entries. Methods that have the same paths share one. */
export class RouterTree {
  readonly router: Router<never>
  readonly unknownNames: readonly string[]
  /** The name of an extra constraint, which every entry has with its position as the value. Undefined if a URL and a host lead to one route only. */
  readonly positionName: string | undefined

  /**
   * `unknownNames` are the constraints of any of the application's routes whose values a preflight does not tell. Throws if the router has the routes in
   * another order than Fastify's: then it may find other routes.
   */
  constructor (entries: readonly RouterEntry[], options: RouterOptions, unknownNames: readonly string[]) {
    this.unknownNames = unknownNames
    this.positionName = unknownNames.length === 0 ? undefined : unusedName(unknownNames)
    const names = this.positionName === undefined ? [] : [...unknownNames, this.positionName]
    this.router = createRouter(options, names.map(anyValue))
    entries.forEach(({ path, constraints }, position) => {
      const own = this.positionName === undefined ? constraints : { ...constraints, [this.positionName]: position }
      addPath(this.router, path, options, own, { position })
    })
    const printed = printedRoutes<Stored>(METHOD, (options) => this.router.prettyPrint(options as never))
    const isSame = printed.length === entries.length && printed.every(({ store: { position } }, index) => position === index)
    if (!isSame) throw new Error('a second router builds a different tree from the same routes')
  }
}

export class SecondRouter {
  readonly #tree: RouterTree

  /** `tree` has the paths and the constraints of these entries. */
  constructor (readonly entries: readonly RouterEntry[], tree: RouterTree) {
    this.#tree = tree
  }

  /** Whether a URL and a host lead to one route only. */
  get isCertain (): boolean {
    return this.#tree.positionName === undefined
  }

  /** The route that is found for a URL and a host, before all others. The routes at the `excluded` positions are left out. */
  find (url: string, host: string | undefined, excluded: ReadonlySet<number> = NONE): Match | undefined {
    const { router, unknownNames, positionName } = this.#tree
    const constraints: Record<string, unknown> = { host }
    for (const name of unknownNames) constraints[name] = UNKNOWN
    if (positionName !== undefined) constraints[positionName] = excluded
    const found = router.find(METHOD, url, constraints as never)
    return found === null ? undefined : { entry: this.entries[(found.store as Stored).position] as RouterEntry, params: found.params }
  }
}

const NONE: ReadonlySet<number> = new Set()

/** A name that no constraint of the application has. */
function unusedName (names: readonly string[]): string {
  let name = 'position'
  while (names.includes(name) || name === 'host') name += '_'
  return name
}
