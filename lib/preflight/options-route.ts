// The generated OPTIONS routes: one for each URL and scope that has a policy. A constraint separates them from each other and from the user's own OPTIONS
// routes. Its value is derived from a preflight: the OPTIONS route that answers it.
import type { FastifyInstance } from 'fastify'
import type { Constraints } from '../fastify/router-entries'
import { isPreflight, type RawRequest } from '../http/preflight-request'
import type { AnswerOptions } from './answer'

/** The name of the constraint. `printRoutes()` shows it. */
export const CONSTRAINT = 'corsPreflight'

let created = 0

/** The value of the constraint on one OPTIONS route. */
export class OptionsRoute {
  // The router compares constraint values field by field. The id makes every value different.
  readonly id = ++created
  readonly #scope: object | undefined

  constructor (readonly url: string, scope: object | undefined) {
    this.#scope = scope
  }

  /** Whether a scope declared it. */
  isOf (scope: object | undefined): boolean {
    return this.#scope === scope
  }

  /** The text that `printRoutes()` shows. */
  toJSON (): string {
    return this.url
  }
}

/** The OPTIONS route with these constraints. Undefined for a route of the application's. */
export function optionsRouteWith (constraints: Constraints | undefined): OptionsRoute | undefined {
  return constraints?.[CONSTRAINT] as OptionsRoute | undefined
}

/** What answers a preflight. */
export interface PreflightMatch {
  /** The OPTIONS route that Fastify runs. Its instance decides which hooks run. */
  readonly optionsRoute: OptionsRoute
  readonly answer: AnswerOptions
}

/** Where a preflight carries its match, from the constraint to the hooks. */
const kMatch = Symbol('fastify-cors-policy.match')

type MatchedRequest = RawRequest & { [kMatch]?: PreflightMatch }

/** The constraint's storage for find-my-way: for each OPTIONS route, the bit mask of that route in one tree node. */
function storage (): { get: (route: unknown) => number, set: (route: unknown, mask: number) => void } {
  const masks = new Map<unknown, number>()
  return { get: (route) => masks.get(route) ?? 0, set: (route, mask) => { masks.set(route, mask) } }
}

/**
 * Adds the constraint to an application, so that its router sends answered preflights to the OPTIONS routes. `resolve` returns undefined if no policy answers:
 * then Fastify routes the preflight as if the plugin were absent.
 */
export function addPreflightConstraint (root: FastifyInstance, resolve: (preflight: RawRequest) => PreflightMatch | undefined): void {
  root.addConstraintStrategy({
    name: CONSTRAINT,
    // An answered preflight never reaches one of the user's OPTIONS routes for the same URL.
    mustMatchWhenDerived: true,
    storage: storage as never,
    deriveConstraint: (request) => {
      if (!isPreflight(request as MatchedRequest)) return undefined
      const match = resolve(request as MatchedRequest)
      if (match === undefined) return undefined
      ;(request as MatchedRequest)[kMatch] = match
      return match.optionsRoute
    }
  })
}

/** What answers a preflight. Undefined for any other request. */
export function preflightMatchOf (raw: RawRequest): PreflightMatch | undefined {
  return (raw as MatchedRequest)[kMatch]
}
