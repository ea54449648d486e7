// Which route a preflight's announced request would reach. Fastify's own router answers that: every URL has one generated
// OPTIONS route that speaks for the URL's methods, and a constraint makes the router backtrack among these routes exactly as it
// does among the routes of one method. This file has the constraint, and what its values are.
import type { FastifyInstance } from 'fastify'
import { namesIn } from './http/headers'
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
  readonly fulfilment: Fulfilment
}

/**
 * What a preflight says about whether the announced request will fulfil those constraints: `always` where there are none, `version` if it does so by announcing
 * the header, `unknown` otherwise.
 */
export type Fulfilment = 'always' | 'version' | 'unknown'

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

/** Asks the router where a method's request for some host would end: the value of the constraint while {@link Search} looks. */
class Probe {
  target: PreflightTarget | undefined
  announced: Announced | undefined
  /** How many targets the router has come upon. */
  seen = 0
  readonly #ruledOut: Array<readonly [PreflightTarget, Announced]> = []

  /** `accepts` says which routes the request may reach at all. */
  constructor (readonly method: string, readonly host: string, readonly accepts: (announced: Announced) => boolean) {}

  /** Has the router look behind what it found last. */
  ruleOut (target: PreflightTarget, announced: Announced): void {
    this.#ruledOut.push([target, announced])
  }

  /** What the router's own host constraint prefers: the very host, then the first RegExp, then a route without the constraint. */
  choose (candidates: readonly PreflightTarget[]): PreflightTarget | undefined {
    let best = 0
    this.target = undefined
    for (const target of candidates) {
      this.seen++
      for (const announced of target.announced(this.method)) {
        const rank = this.#rank(announced.host)
        if (rank > best && this.accepts(announced) && !this.#isRuledOut(target, announced)) {
          best = rank
          this.target = target
          this.announced = announced
        }
      }
    }
    return this.target
  }

  #isRuledOut (target: PreflightTarget, announced: Announced): boolean {
    return this.#ruledOut.some(([other, its]) => other === target && its === announced)
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

/** What the router said about a URL that is written as it was declared, by method. */
type Known = Map<string, Resolved>

/** A URL of letters, digits and the like, which is requested as it is declared. */
const PLAIN = /^[\w.~/-]*$/

/** Teaches an application's router to route preflights. Once per application, and before it has routes if possible. */
export class PreflightRouter {
  readonly #known = new Map<string, Known>()
  #hasOwnVersions: boolean | undefined
  /** Whether some route needs a version, so that no request with a version reaches a route that needs none. */
  usesVersions = false
  /** Whether some route has constraints that a preflight cannot fulfil. */
  hasConstraints = false

  constructor (readonly root: FastifyInstance) {
    root.addConstraintStrategy({
      name: CONSTRAINT,
      // A preflight that is answered never goes to an OPTIONS route of the user's that lies on the way.
      mustMatchWhenDerived: true,
      storage: (() => new TargetStorage()) as never,
      deriveConstraint: (req) => isPreflight(req as RawRequest) ? this.#findTarget(req as RawRequest) : undefined
    })
  }

  /** What a preflight can say about a route's constraints. */
  fulfilmentOf (constraints: Constraints): Fulfilment {
    const names = Object.keys(constraints)
    if (names.length === 0) return 'always'
    this.hasConstraints = true
    if (names.join() !== 'version') return 'unknown'
    // Before there is such a route, the router says so only of an application's own strategy, which may look anywhere for its version.
    this.#hasOwnVersions ??= this.root.hasConstraintStrategy('version')
    if (this.#hasOwnVersions) return 'unknown'
    this.usesVersions = true
    return 'version'
  }

  /** The target that answers a preflight; undefined if no policy does, so that the request goes where it would have gone anyway. */
  #findTarget (req: RawRequest & Answered): PreflightTarget | undefined {
    const method = req.headers['access-control-request-method'] as string
    const url = req.url as string
    const found = this.#known.get(url)?.get(method)
    if (found !== undefined) {
      req[kAnswer] = found.answer
      return found.target
    }
    const host = (req.headers.host || req.headers[':authority'] || '') as string // as the router does
    const hasVersion = this.usesVersions && namesIn(req.headers['access-control-request-headers']).some((name) => name.toLowerCase() === 'accept-version')
    const search = new Search(this, url, host, hasVersion)
    const resolved = search.resolve(method)
    if (resolved === undefined) return undefined
    const { target, answer } = resolved
    req[kAnswer] = answer
    if (target.hasHosts || target.isRivalled || !resolved.isAlone) {
      // Browsers remember every method of the answer for this URL, so each has to be one that the route's policy is asked about here.
      req[kMethods] = answer.methods.filter((other) => other === method || search.policyOf(other, resolved) === answer.policy)
    } else if (target.url === url && !target.isPattern) {
      // It will say so again: it prefers a URL without parameters to all others, and this one has no hosts. There are only as many as were declared.
      const known = this.#known.get(url) ?? new Map<string, Resolved>()
      this.#known.set(url, known.set(method, resolved))
    }
    return target
  }

  /**
   * Finds out which targets have no rival, once all routes are known: preflights that come upon these need no second look. `rivals` are the URLs of routes
   * without target. Where there is any doubt, a target keeps its rivals.
   */
  settleRivals (targets: readonly PreflightTarget[], rivals: readonly string[]): void {
    if (!rivals.every((url) => PLAIN.test(url))) return
    const survey = new Survey()
    for (const url of rivals) this.find('OPTIONS', url, { [CONSTRAINT]: survey })
    for (const target of targets) {
      if (survey.targets.has(target) || target.hasHosts || target.hasRegExp) continue
      // The router may have refused a route that we were shown: an application can go on after that.
      const search = this.#searchFor(target)
      target.isRivalled &&= !(PLAIN.test(search.url) && target.methods.every((method) => search.locate(method)[0]?.target === target))
    }
  }

  /** The methods and URLs with a policy whose preflights are not approved, because without its constraints the request would come upon another policy. */
  ambiguous (targets: readonly PreflightTarget[]): string[] {
    return targets.flatMap((target) => target.methods
      .filter((method) => target.announced(method).some(({ answer, fulfilment }) => answer !== null && fulfilment === 'unknown') && this.#searchFor(target).resolve(method) === undefined)
      .map((method) => `${method} ${target.url}`))
  }

  /** Looks where a request for some URL of the target's ends. */
  #searchFor (target: PreflightTarget): Search {
    return new Search(this, target.url.replace(/:\w+|\*$/g, '~'), '', false)
  }

  /** The parameters with which the router finds a route. */
  find (method: string, url: string, constraints: Constraints): Params | null {
    return (this.root.findRoute({ method, url, constraints } as never)?.params ?? null) as Params | null
  }
}

type Params = Readonly<Record<string, string | undefined>>

/** A target that the router found for a method. */
interface Located {
  readonly target: PreflightTarget
  readonly answer: PreflightAnswer | null
  readonly params: Params
  /** Whether a request that comes here ends here. */
  readonly isCertain: boolean
  /** Whether the router came upon no other target, so that it will not for another method either. */
  readonly isAlone: boolean
}

interface Resolved extends Located { readonly answer: PreflightAnswer }

/** Asks the router where requests for one URL and host would end, with a version or without. */
class Search {
  constructor (readonly router: PreflightRouter, readonly url: string, readonly host: string, readonly hasVersion: boolean) {}

  /** The target whose policy answers for a method's request; undefined where there is none, or no telling which. */
  resolve (method: string): Resolved | undefined {
    const located = this.locate(method)
    const [found] = located
    if (found === undefined || found.answer === null) return undefined
    const { answer, target } = found
    const last = located.findIndex(({ isCertain }) => isCertain)
    const isOpen = located.some((other, index) => other.answer?.policy !== answer.policy && (last === -1 || index <= last || isUncertain(target, other.target)))
    return isOpen ? undefined : { ...found, answer }
  }

  /** The policy that answers for another method, when one is resolved. */
  policyOf (method: string, { target, params, isAlone }: Resolved): CompiledPolicy | undefined {
    if (!isAlone) return this.resolve(method)?.answer.policy
    const probe = new Probe(method, this.host, ACCEPT_ALL)
    return probe.choose([target]) !== undefined && this.#reaches(probe, params) ? probe.announced?.answer?.policy : undefined
  }

  /**
   * The targets that a method's request may reach, that which it does reach first. Constraints that it does not fulfil take no part where it would otherwise
   * reach nothing at all.
   */
  locate (method: string): Located[] {
    if (!this.router.hasConstraints) return this.#locate(method, ACCEPT_ALL)
    const located = this.#locate(method, ({ fulfilment }) => fulfilment === 'unknown' || (fulfilment === 'version') === this.hasVersion)
    if (located.length > 0 || this.router.find(method, this.url, { host: this.host }) !== null) return located
    return this.#locate(method, ACCEPT_ALL)
  }

  /**
   * The first target at which the router finds the announced request itself with the same parameters. It finds another where a route stands in the way that has
   * no target, because nothing but its own URL leads there, or because it was declared before the plugin was known. Behind a RegExp, or where constraints may
   * not be fulfilled, what else fits as well.
   */
  #locate (method: string, accepts: (announced: Announced) => boolean): Located[] {
    const probe = new Probe(method, this.host, accepts)
    const located: Located[] = []
    for (;;) {
      const params = this.router.find('OPTIONS', this.url, { [CONSTRAINT]: probe })
      const { target, announced } = probe
      if (params === null || target === undefined || announced === undefined) return located
      if (this.#reaches(probe, params)) {
        const isCertain = announced.fulfilment === 'always'
        located.push({ target, answer: announced.answer, params, isCertain, isAlone: probe.seen === 1 && !target.hasRegExp && !this.router.hasConstraints })
        if (isCertain && located[0]?.target.hasRegExp === false) return located
      }
      probe.ruleOut(target, announced)
    }
  }

  /** Whether the router finds the announced request itself where it found the target. */
  #reaches ({ target, announced, method }: Probe, params: Params): boolean {
    if (target?.isRivalled === false) return true
    const match = this.router.find(method, this.url, { ...announced?.constraints, host: this.host })
    return match !== null && haveSameValues(match, params)
  }
}

const ACCEPT_ALL = (): boolean => true

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
