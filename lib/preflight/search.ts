// Asks Fastify's router where requests would end: which targets fit the preflight's URL and host, which of them the router prefers for the announced
// method, and whether the announced request itself ends there.
import type { FastifyInstance } from 'fastify'
import type { CompiledPolicy } from '../policy/policy'
import type { PreflightAnswer } from './answer'
import { isRegExp, type Announced, type Constraints, type PreflightTarget } from './preflight-target'

/** The name of the constraint: it shows in `printRoutes()`. */
export const CONSTRAINT = 'corsPreflight'

/** Asks the router where a method's request for some host would end: the value of the constraint while {@link Search} looks. */
export class Probe {
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
export class Survey {
  readonly targets = new Set<PreflightTarget>()

  /** None, so that the router goes on. */
  choose (candidates: readonly PreflightTarget[]): undefined {
    for (const target of candidates) this.targets.add(target)
  }
}

type Params = Readonly<Record<string, string | undefined>>

/** The parameters with which the router finds a route. */
export function find (root: FastifyInstance, method: string, url: string, constraints: Constraints): Params | null {
  return (root.findRoute({ method, url, constraints } as never)?.params ?? null) as Params | null
}

/** The application whose router is asked. */
interface Searched {
  readonly root: FastifyInstance
  /** Whether some route has constraints that a preflight cannot fulfil. */
  readonly hasConstraints: boolean
}

/** A target that the router found for a method. */
export interface Located {
  readonly target: PreflightTarget
  readonly answer: PreflightAnswer | null
  readonly params: Params
  /** Whether a request that comes here ends here. */
  readonly isCertain: boolean
  /** Whether the router came upon no other target, so that it will not for another method either. */
  readonly isAlone: boolean
}

export interface Resolved extends Located { readonly answer: PreflightAnswer }

/** Asks the router where requests for one URL and host would end, with a version or without. */
export class Search {
  constructor (readonly router: Searched, readonly url: string, readonly host: string, readonly hasVersion: boolean) {}

  /** The target whose policy answers for a method's request; undefined where there is none, or no telling which. */
  resolve (method: string): Resolved | undefined {
    const located = this.locate(method)
    const [found] = located
    if (found === undefined || found.answer === null) return undefined
    const { answer, target } = found
    // A request that does not end at one target goes on to the next, up to the first at which it certainly ends.
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
    if (located.length > 0 || find(this.router.root, method, this.url, { host: this.host }) !== null) return located
    return this.#locate(method, ACCEPT_ALL)
  }

  /**
   * The first target at which the router finds the announced request itself with the same parameters. It finds another where a route stands in the way that has
   * no target, because nothing but its own URL leads there, or because it was declared before the plugin was known. Behind a RegExp, or where a
   * request may not end at a target, what else fits as well.
   */
  #locate (method: string, accepts: (announced: Announced) => boolean): Located[] {
    const probe = new Probe(method, this.host, accepts)
    const located: Located[] = []
    for (;;) {
      const params = find(this.router.root, 'OPTIONS', this.url, { [CONSTRAINT]: probe })
      const { target, announced } = probe
      if (params === null || target === undefined || announced === undefined) return located
      if (this.#reaches(probe, params)) {
        const isCertain = announced.fulfilment === 'always' && !target.isDoubtful(method)
        located.push({ target, answer: announced.answer, params, isCertain, isAlone: probe.seen === 1 && !target.hasRegExp && !this.router.hasConstraints })
        if (isCertain && located[0]?.target.hasRegExp === false) return located
      }
      probe.ruleOut(target, announced)
    }
  }

  /** Whether the router finds the announced request itself where it found the target. */
  #reaches ({ target, announced, method }: Probe, params: Params): boolean {
    if (target?.isRivalled === false) return true
    const match = find(this.router.root, method, this.url, { ...announced?.constraints, host: this.host })
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
