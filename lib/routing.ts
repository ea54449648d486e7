// Which route a preflight's announced request would reach. Fastify's own router answers that: every URL has one generated
// OPTIONS route that speaks for the URL's methods, and a constraint makes the router backtrack among these routes exactly as it
// does among the routes of one method. This file has the constraint, and what its values are.
import type { FastifyInstance } from 'fastify'
import { isPreflight, type RawRequest } from './http/preflight-request'
import type { CompiledPolicy } from './policy'
import type { PreflightAnswer } from './preflight'

/** Where a preflight carries the answer that was found for it. */
export const kAnswer = Symbol('fastify-cors-policy.answer')

/** Where it carries the methods that its answer may name, if these are fewer than the route's. */
export const kMethods = Symbol('fastify-cors-policy.methods')

export interface Answered {
  [kAnswer]?: PreflightAnswer
  [kMethods]?: readonly string[]
}

/** The name of the constraint: it shows in `printRoutes()`. */
export const CONSTRAINT = 'corsPreflight'

/** Constraints of a route, by name. */
export type Constraints = Readonly<Record<string, unknown>>

/** One method of a target, as one route has it. */
export interface Announced {
  /** What answers the preflight; null approves nothing. */
  readonly answer: PreflightAnswer | null
  /** The route's host constraint; a RegExp without state. */
  readonly host: string | RegExp | undefined
  /** The route's other constraints, which a preflight cannot fulfil: needed to find the route again. */
  readonly constraints: Constraints
}

const NOTHING: readonly Announced[] = []
const NO_ANNOUNCEMENTS: Announcements = new Map()

/** Whether a route's URL stands for others than itself. */
export function isPattern (url: string): boolean {
  return url.includes(':') || url.includes('*')
}

/** What a target says about each of its methods; one method may have several routes, of different hosts. Many targets say the same, and share it. */
export type Announcements = ReadonlyMap<string, readonly Announced[]>

let targets = 0

/** One URL, and what answers the preflights for each of its methods: the value of the constraint on its generated route. */
export class PreflightTarget {
  // The router compares the constraints of routes field by field: this makes each target its own.
  readonly id = ++targets
  /** Known when the application is ready. */
  announcements: Announcements = NO_ANNOUNCEMENTS
  /** Whether other URLs than its own lead here. */
  readonly isPattern: boolean
  /** Whether there are segments that the router turns into RegExps, so that what it prefers depends on the order of declarations. */
  readonly hasRegExp: boolean
  /** Whether a route here has a host constraint. */
  hasHosts = false
  /** Whether a request that leads here may really lead to a route without target, so that each time the router has to be asked. */
  isRivalled: boolean

  constructor (readonly url: string) {
    this.isPattern = isPattern(url)
    this.isRivalled = this.isPattern
    this.hasRegExp = this.isPattern && url.split('/').some(isRegExp)
  }

  announced (method: string): readonly Announced[] {
    return this.announcements.get(method) ?? NOTHING
  }

  get methods (): readonly string[] {
    return [...this.announcements.keys()]
  }

  /** For `printRoutes()`. */
  toJSON (): string {
    return this.methods.join(', ')
  }
}

/** Asks the router where a method's request for some host would end: the value of the constraint while {@link locate} looks. */
class Probe {
  target: PreflightTarget | undefined
  announced: Announced | undefined
  /** How many targets the router has come upon. */
  seen = 0
  #ruledOut: Set<PreflightTarget> | undefined

  constructor (readonly method: string, readonly host: string) {}

  /** Has the router look behind this target. */
  ruleOut (target: PreflightTarget): void {
    this.#ruledOut ??= new Set()
    this.#ruledOut.add(target)
  }

  /** What the router's own host constraint prefers: the very host, then the first RegExp, then a route without the constraint. */
  choose (candidates: readonly PreflightTarget[]): PreflightTarget | undefined {
    let best = 0
    this.target = undefined
    for (const target of candidates) {
      this.seen++
      if (this.#ruledOut?.has(target) === true) continue
      for (const announced of target.announced(this.method)) {
        const rank = this.#rank(announced.host)
        if (rank > best) {
          best = rank
          this.target = target
          this.announced = announced
        }
      }
    }
    return this.target
  }

  #rank (host: string | RegExp | undefined): number {
    if (host === undefined) return 1
    if (typeof host === 'string') return host === this.host ? 3 : 0
    return host.test(this.host) ? 2 : 0
  }
}

/** Asks the router for all targets that a URL leads to, whatever the method and the host. */
class Survey {
  readonly targets = new Set<PreflightTarget>()

  /** None, so that the router goes on. */
  choose (candidates: readonly PreflightTarget[]): undefined {
    for (const target of candidates) this.targets.add(target)
  }
}

/** The strategy's storage: which of the routes at one place of the router's tree match a value, as a bit mask. There is one for each generated route. */
class TargetStorage {
  /** Nearly always the only one. */
  #first: PreflightTarget | undefined
  #mask = 0
  #others: Map<PreflightTarget, number> | undefined

  set (target: PreflightTarget, mask: number): void {
    if (this.#first === undefined) {
      this.#first = target
      this.#mask = mask
    } else {
      this.#others ??= new Map()
      this.#others.set(target, mask)
    }
  }

  get (sought: unknown): number {
    const target = sought instanceof Probe || sought instanceof Survey ? sought.choose(this.#targets()) : sought
    return target === this.#first ? this.#mask : this.#others?.get(target as PreflightTarget) ?? 0
  }

  #targets (): PreflightTarget[] {
    return [this.#first as PreflightTarget, ...this.#others?.keys() ?? []]
  }
}

/** Teaches an application's router to route preflights. Once per application, and before it has routes if possible. */
export function addPreflightRouting (root: FastifyInstance): void {
  const known: Known = new Map()
  root.addConstraintStrategy({
    name: CONSTRAINT,
    // A preflight that is answered never goes to an OPTIONS route of the user's that lies on the way.
    mustMatchWhenDerived: true,
    storage: (() => new TargetStorage()) as never,
    deriveConstraint: (req) => isPreflight(req as RawRequest) ? findTarget(root, known, req as RawRequest) : undefined
  })
}

/** What the router said about URLs that are written as they were declared, by URL and method. */
type Known = Map<string, Map<string, Resolved>>

/** The target that answers a preflight; undefined if no policy does, so that the request goes where it would have gone anyway. */
function findTarget (root: FastifyInstance, known: Known, req: RawRequest & Answered): PreflightTarget | undefined {
  const method = req.headers['access-control-request-method'] as string
  const url = req.url as string
  const found = known.get(url)?.get(method)
  if (found !== undefined) {
    req[kAnswer] = found.answer
    return found.target
  }
  const search = new Search(root, url, (req.headers.host || req.headers[':authority'] || '') as string) // as the router does
  const resolved = search.resolve(method)
  if (resolved === undefined) return undefined
  const { target, answer } = resolved
  req[kAnswer] = answer
  if (target.hasHosts || target.isRivalled || !resolved.isAlone) {
    // Browsers remember every method of the answer for this URL, so each has to be one that the route's policy is asked about here.
    req[kMethods] = answer.methods.filter((other) => other === method || search.policyOf(other, resolved) === answer.policy)
  } else if (target.url === url && !target.isPattern) {
    // It will say so again: it prefers a URL without parameters to all others, and this one has no hosts. There are only as many as were declared.
    const methods = known.get(url) ?? new Map<string, Resolved>()
    known.set(url, methods.set(method, resolved))
  }
  return target
}

/** A URL of letters, digits and the like, which is requested as it is declared. */
const PLAIN = /^[\w.~/-]*$/

/**
 * Finds out which targets have no rival, once all routes are known: preflights that come upon these need no second look. `rivals` are the URLs of routes
 * without target. Where there is any doubt, a target keeps its rivals.
 */
export function settleRivals (root: FastifyInstance, targets: Iterable<PreflightTarget>, rivals: readonly string[]): void {
  if (!rivals.every((url) => PLAIN.test(url))) return
  const survey = new Survey()
  for (const url of rivals) root.findRoute({ method: 'OPTIONS', url, constraints: { [CONSTRAINT]: survey } } as never)
  for (const target of targets) {
    if (survey.targets.has(target) || target.hasHosts || target.hasRegExp) continue
    // The router may have refused a route that we were shown: an application can go on after that.
    const example = target.url.replace(/:\w+|\*$/g, '~')
    const search = new Search(root, example, '')
    target.isRivalled &&= !(PLAIN.test(example) && target.methods.every((method) => search.locate(method)[0]?.target === target))
  }
}

type Params = Readonly<Record<string, string | undefined>>

/** A target that the router found for a method. */
interface Located {
  readonly target: PreflightTarget
  readonly answer: PreflightAnswer | null
  readonly params: Params
  /** Whether the router came upon no other target, so that it will not for another method either. */
  readonly isAlone: boolean
}

interface Resolved extends Located { readonly answer: PreflightAnswer }

/** Asks the router where requests for one URL and host would end. */
class Search {
  constructor (readonly root: FastifyInstance, readonly url: string, readonly host: string) {}

  /** The target whose policy answers for a method's request; undefined where there is none, or no telling which. */
  resolve (method: string): Resolved | undefined {
    const [found, ...others] = this.locate(method)
    if (found === undefined || found.answer === null) return undefined
    const { answer, target } = found
    return others.some((other) => other.answer?.policy !== answer.policy && isUncertain(target, other.target)) ? undefined : { ...found, answer }
  }

  /** The policy that answers for another method, when one is resolved. */
  policyOf (method: string, { target, params, isAlone }: Resolved): CompiledPolicy | undefined {
    if (!isAlone) return this.resolve(method)?.answer.policy
    const probe = new Probe(method, this.host)
    return probe.choose([target]) !== undefined && this.#reaches(probe, params) ? probe.announced?.answer?.policy : undefined
  }

  /**
   * The targets that a method's request may reach, that which it does reach first: the first at which the router finds the announced request itself with the same parameters. It finds another
   * where a route stands in the way that has no target, because nothing but its own URL leads there, or because it was declared before the plugin was known.
   * Behind a RegExp, whatever else fits as well.
   */
  locate (method: string): Located[] {
    const probe = new Probe(method, this.host)
    const located: Located[] = []
    for (;;) {
      const match = this.#find('OPTIONS', { [CONSTRAINT]: probe })
      const { target, announced } = probe
      if (match === null || target === undefined || announced === undefined) return located
      if (this.#reaches(probe, match)) {
        located.push({ target, answer: announced.answer, params: match, isAlone: probe.seen === 1 && !target.hasRegExp })
        if (located[0]?.target.hasRegExp === false) return located
      }
      probe.ruleOut(target)
    }
  }

  /** Whether the router finds the announced request itself where it found the target. */
  #reaches ({ target, announced, method }: Probe, params: Params): boolean {
    if (target?.isRivalled === false) return true
    const match = this.#find(method, { ...announced?.constraints, host: this.host })
    return match !== null && haveSameValues(match, params)
  }

  /** The parameters with which the router finds a route. */
  #find (method: string, constraints: Constraints): Params | null {
    return (this.root.findRoute({ method, url: this.url, constraints } as never)?.params ?? null) as Params | null
  }
}

function haveSameValues (one: Params, other: Params): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
}

/**
 * Whether the router may prefer the one for some methods and the other for others. It prefers static segments to parameters, and parameters with a RegExp to those without;
 * but of two RegExps, the one that was declared first for the method. Where policies differ, nothing is approved then.
 */
function isUncertain (one: PreflightTarget, other: PreflightTarget): boolean {
  const [segments, others] = [one.url.split('/'), other.url.split('/')]
  const index = segments.findIndex((segment, at) => segment !== others[at])
  return isRegExp(String(segments[index])) && isRegExp(String(others[index]))
}

/** A parameter with a RegExp of its own, or with anything beside it in its segment. */
function isRegExp (segment: string): boolean {
  return segment.includes(':') && !/^:\w+\??$/.test(segment)
}
