// Which route a preflight's announced request would reach. Fastify's own router answers that: every URL has one generated
// OPTIONS route that speaks for the URL's methods, and a constraint makes the router backtrack among these routes exactly as it
// does among the routes of one method. This file has the constraint, and what its values are.
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { isPreflight, type RawRequest } from './http/preflight-request'
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

/** Whether a route's URL stands for others than itself. */
export function isPattern (url: string): boolean {
  return url.includes(':') || url.includes('*')
}

let targets = 0

/** One URL, and what answers the preflights for each of its methods: the value of the constraint on its generated route. */
export class PreflightTarget {
  // The router compares the constraints of routes field by field: this makes each target its own.
  readonly id = ++targets
  readonly #methods = new Map<string, Announced[]>()
  /** Whether other URLs than its own lead here. */
  readonly isPattern: boolean
  /** Whether the same request might reach another target by another method: through a pattern, or a host constraint. */
  isShared: boolean
  /** The URL's segments, of which the router turns some into RegExps. */
  readonly segments: readonly string[]
  /** Whether there are such segments, so that what the router prefers depends on the order of declarations. */
  readonly hasRegExp: boolean

  constructor (url: string) {
    this.isPattern = isPattern(url)
    this.isShared = this.isPattern
    this.segments = url.split('/')
    this.hasRegExp = this.segments.some(isRegExp)
  }

  add (method: string, announced: Announced): void {
    const list = this.#methods.get(method)
    if (list === undefined) this.#methods.set(method, [announced])
    else list.push(announced)
  }

  announced (method: string): readonly Announced[] {
    return this.#methods.get(method) ?? NOTHING
  }

  /** For `printRoutes()`. */
  toJSON (): string {
    return [...this.#methods.keys()].join(', ')
  }
}

const NOTHING: readonly Announced[] = []

/** Asks the router where a method's request for some host would end: the value of the constraint while {@link locate} looks. */
class Probe {
  target: PreflightTarget | undefined
  announced: Announced | undefined
  #ruledOut: Set<PreflightTarget> | undefined

  constructor (readonly method: string, readonly host: string) {}

  /** Has the router look behind this target. */
  ruleOut (target: PreflightTarget): void {
    this.#ruledOut ??= new Set()
    this.#ruledOut.add(target)
  }

  /** What the router's own host constraint prefers: the very host, then the first RegExp, then a route without the constraint. */
  choose (candidates: Iterable<PreflightTarget>): PreflightTarget | undefined {
    let best = 0
    this.target = undefined
    for (const target of candidates) {
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

/** The strategy's storage: which of the routes at one place of the router's tree match a value, as a bit mask. */
function createStorage (): { get (sought: unknown): number, set (target: PreflightTarget, bits: number): void } {
  const masks = new Map<PreflightTarget, number>()
  return {
    set: (target, bits) => { masks.set(target, bits) },
    get: (sought) => masks.get((sought instanceof Probe ? sought.choose(masks.keys()) : sought) as PreflightTarget) ?? 0
  }
}

/** Teaches an application's router to route preflights. Once per application, and before it has routes if possible. */
export function addPreflightRouting (root: FastifyInstance): void {
  root.addConstraintStrategy({
    name: CONSTRAINT,
    // A preflight that is answered never goes to an OPTIONS route of the user's that lies on the way.
    mustMatchWhenDerived: true,
    storage: createStorage as never,
    deriveConstraint: (req) => isPreflight(req as RawRequest) ? findTarget(root, req as RawRequest) : undefined
  })
}

/** The target that answers a preflight; undefined if no policy does, so that the request goes where it would have gone anyway. */
function findTarget (root: FastifyInstance, req: RawRequest & Answered): PreflightTarget | undefined {
  const method = req.headers['access-control-request-method'] as string
  const host = (req.headers.host || req.headers[':authority'] || '') as string // as the router does
  const found = resolve(root, method, req.url as string, host)
  if (found === undefined) return undefined
  const { target, answer } = found
  req[kAnswer] = answer
  if (target.isShared) {
    // Browsers remember every method of the answer for this URL, so each has to be one that the route's policy is asked about here.
    req[kMethods] = answer.methods.filter((other) => other === method || resolve(root, other, req.url as string, host)?.answer.policy === answer.policy)
  }
  return target
}

interface Resolved { readonly target: PreflightTarget, readonly answer: PreflightAnswer }

/** The target whose policy answers for a method's request; undefined where there is none, or no telling which. */
function resolve (root: FastifyInstance, method: string, url: string, host: string): Resolved | undefined {
  const [found, ...others] = locate(root, method, url, host)
  if (found === undefined || found.answer === null) return undefined
  const { target, answer } = found
  return others.some((other) => other.answer?.policy !== answer.policy && isUncertain(target, other.target)) ? undefined : { target, answer }
}

interface Located { readonly target: PreflightTarget, readonly answer: PreflightAnswer | null }

/**
 * The target that a method's request would reach: the first at which the router finds the announced request itself with the same parameters. It finds another
 * where a route stands in the way that has no target, because nothing but its own URL leads there, or because it was declared before the plugin was known.
 * Behind a RegExp, whatever else fits as well.
 */
function locate (root: FastifyInstance, method: string, url: string, host: string): Located[] {
  const probe = new Probe(method, host)
  const located: Located[] = []
  for (;;) {
    const match = find(root, 'OPTIONS', url, { [CONSTRAINT]: probe })
    const { target, announced } = probe
    if (match === null || target === undefined) return located
    const { answer, constraints } = announced as Announced
    if (!target.isPattern || isDeepStrictEqual(find(root, method, url, { ...constraints, host })?.params, match.params)) located.push({ target, answer })
    if (located[0] !== undefined && !located[0].target.hasRegExp) return located
    probe.ruleOut(target)
  }
}

function find (root: FastifyInstance, method: string, url: string, constraints: Constraints): ReturnType<FastifyInstance['findRoute']> | null {
  return root.findRoute({ method, url, constraints } as never)
}

/**
 * Whether the router may prefer the one for some methods and the other for others. It prefers static segments to parameters, and parameters with a RegExp to those without;
 * but of two RegExps, the one that was declared first for the method. Where policies differ, nothing is approved then.
 */
function isUncertain (one: PreflightTarget, other: PreflightTarget): boolean {
  const index = one.segments.findIndex((segment, at) => segment !== other.segments[at])
  return isRegExp(String(one.segments[index])) && isRegExp(String(other.segments[index]))
}

/** A parameter with a RegExp of its own, or with anything beside it in its segment. */
function isRegExp (segment: string): boolean {
  return segment.includes(':') && !/^:\w+\??$/.test(segment)
}
