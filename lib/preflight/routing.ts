// Which route a preflight's announced request would reach. Fastify's own router answers that: every URL has one generated
// OPTIONS route that speaks for the URL's methods, and a constraint makes the router backtrack among these routes exactly as it
// does among the routes of one method. This file has the constraint, and what is remembered of the router's answers.
import type { FastifyInstance } from 'fastify'
import { namesIn } from '../http/headers'
import { isPreflight, type RawRequest } from '../http/preflight-request'
import type { PreflightAnswer } from './answer'
import { isRegExp, type Constraints, type Fulfilment, type PreflightTarget } from './preflight-target'
import { CONSTRAINT, find, Probe, Search, Survey, type Resolved } from './search'

/** Where a preflight carries the answer that was found for it. */
export const kAnswer = Symbol('fastify-cors-policy.answer')

/** Where it carries the methods that its answer may name, if these are fewer than the route's. */
export const kMethods = Symbol('fastify-cors-policy.methods')

export interface Answered {
  [kAnswer]?: PreflightAnswer
  [kMethods]?: readonly string[]
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
   * Finds the methods of RegExp URLs that were declared twice in the eyes of the router, which tells parameters apart by neither name nor RegExp. It refuses the
   * second, but an application can go on after that, and the same parameters may then be those of a third route.
   */
  findDoubtful (targets: readonly PreflightTarget[]): void {
    const first = new Map<string, PreflightTarget>()
    for (const target of targets.filter(({ hasRegExp }) => hasRegExp)) {
      for (const method of target.methods) {
        for (const { host } of target.announced(method).filter(({ fulfilment }) => fulfilment === 'always')) {
          const key = `${method} ${shapeOf(target.url)} ${String(host)}`
          const other = first.get(key)
          if (other === undefined) first.set(key, target)
          else if (other.url !== target.url) [other, target].forEach((each) => each.doubt(method))
        }
      }
    }
  }

  /**
   * Finds out which targets have no rival, once all routes are known: preflights that come upon these need no second look. `rivals` are the URLs of routes
   * without target. Where there is any doubt, a target keeps its rivals.
   */
  settleRivals (targets: readonly PreflightTarget[], rivals: readonly string[]): void {
    if (!rivals.every((url) => PLAIN.test(url))) return
    const survey = new Survey()
    for (const url of rivals) find(this.root, 'OPTIONS', url, { [CONSTRAINT]: survey })
    for (const target of targets.filter(({ isRivalled }) => isRivalled)) {
      // The router may have refused a route that we were shown: an application can go on after that.
      const search = this.#exampleOf(target)
      target.isRivalled = survey.targets.has(target) || search === undefined || !target.methods.every((method) => search.locate(method)[0]?.target === target)
    }
  }

  /** The methods and URLs with a policy whose preflights are not approved, because without its constraints the request would come upon another policy. */
  ambiguous (targets: readonly PreflightTarget[]): string[] {
    if (!this.hasConstraints) return []
    return targets.flatMap((target) => {
      const search = this.#exampleOf(target)
      const open = target.methods.filter((method) => target.announced(method).some(({ answer, fulfilment }) => answer !== null && fulfilment === 'unknown'))
      return open.filter((method) => search !== undefined && search.resolve(method) === undefined).map((method) => `${method} ${target.url}`)
    })
  }

  /** Looks where requests for some URL of the target's end. Undefined where it takes more than to fill in its parameters to be led there. */
  #exampleOf ({ url, hasHosts, hasRegExp }: PreflightTarget): Search | undefined {
    const example = url.replace(/:\w+|\*$/g, '~')
    return hasHosts || hasRegExp || !PLAIN.test(example) ? undefined : new Search(this, example, '', false)
  }
}

/** A URL without the names and the RegExps of its parameters, but with the difference that a RegExp makes. */
function shapeOf (url: string): string {
  const marked = url.replace(/\([^()]*\)/g, '!')
  if (marked !== url) return shapeOf(marked)
  return url.split('/').map((segment) => segment.replace(/:\w+!?/g, isRegExp(segment) ? '()' : ':')).join('/')
}
