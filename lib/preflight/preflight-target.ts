// What a preflight is routed to: one URL, and what its routes say about each of their methods.
import type { PreflightAnswer } from './answer'

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

/** What a target says about each of its methods; one method may have several routes, of different hosts. Many targets say the same, and share it. */
export type Announcements = ReadonlyMap<string, readonly Announced[]>

const NOTHING: readonly Announced[] = []
const NO_ANNOUNCEMENTS: Announcements = new Map()

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

  /** Methods of which the router refused a route here, or in the place of this one: nearly always none. */
  #doubtful: Set<string> | undefined

  constructor (readonly url: string) {
    this.isPattern = isPattern(url)
    this.isRivalled = this.isPattern
    this.hasRegExp = this.isPattern && url.split('/').some(isRegExp)
  }

  announced (method: string): readonly Announced[] {
    return this.announcements.get(method) ?? NOTHING
  }

  /** Says that a method's route may not be there. */
  doubt (method: string): void {
    this.#doubtful ??= new Set()
    this.#doubtful.add(method)
  }

  isDoubtful (method: string): boolean {
    return this.#doubtful?.has(method) === true
  }

  get methods (): readonly string[] {
    return [...this.announcements.keys()]
  }

  /** For `printRoutes()`. */
  toJSON (): string {
    return this.methods.join(', ')
  }
}

/** Whether a route's URL stands for others than itself. */
export function isPattern (url: string): boolean {
  return url.includes(':') || url.includes('*')
}

/** A parameter with a RegExp of its own, or with anything beside it in its segment. */
export function isRegExp (segment: string): boolean {
  return segment.includes(':') && !/^:\w+\??$/.test(segment)
}
