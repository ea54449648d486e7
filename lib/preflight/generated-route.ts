// The generated OPTIONS routes: one for each URL and scope that has a policy. A constraint separates them from each other and from the user's own OPTIONS
// routes. Its value is derived from a preflight: the generated route that answers it. lib/application declares these routes.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isPreflight, type RawRequest } from '../http/preflight-request'
import { sharedHook } from '../response/shared-hook'
import type { PreflightAnswer } from './answer'

/** The name of the constraint. `printRoutes()` shows it. */
export const CONSTRAINT = 'corsPreflight'

let generated = 0

/** The value of the constraint on one generated route. */
export class GeneratedRoute {
  // The router compares constraint values field by field. The id makes every value different.
  readonly id = ++generated
  // Private, so that the router does not compare it.
  readonly #alone = [this] as const

  constructor (readonly url: string) {}

  /** A list of this route only, which the routes of a URL share. */
  get alone (): readonly GeneratedRoute[] {
    return this.#alone
  }

  /** The text that `printRoutes()` shows. */
  toJSON (): string {
    return this.url
  }
}

/** What answers a preflight. */
export interface Resolution {
  /** The OPTIONS route that Fastify runs. Its scope decides which hooks run. */
  readonly optionsRoute: GeneratedRoute
  readonly answer: PreflightAnswer
  /** The methods that the answer may name for this URL. */
  readonly methods: readonly string[]
}

/** Where a preflight carries its resolution, from the constraint to the hooks. */
const kResolution = Symbol('fastify-cors-policy.resolution')

type ResolvedRequest = RawRequest & { [kResolution]?: Resolution }

/** The constraint's storage for find-my-way: for each generated route, the bit mask of that route in one tree node. Most nodes have one. */
class GeneratedRouteStorage {
  #first: unknown
  #mask = 0
  #others: Map<unknown, number> | undefined

  get (route: unknown): number {
    return route === this.#first ? this.#mask : this.#others?.get(route) ?? 0
  }

  set (route: unknown, mask: number): void {
    this.#first ??= route
    if (route === this.#first) this.#mask = mask
    else (this.#others ??= new Map<unknown, number>()).set(route, mask)
  }
}

/**
 * Adds the constraint to an application, so that its router sends answered preflights to generated routes. `resolve` returns undefined if no policy answers:
 * then Fastify routes the preflight as if the plugin were absent.
 */
export function addPreflightConstraint (root: FastifyInstance, resolve: (preflight: RawRequest) => Resolution | undefined): void {
  root.addConstraintStrategy({
    name: CONSTRAINT,
    // An answered preflight never reaches one of the user's OPTIONS routes for the same URL.
    mustMatchWhenDerived: true,
    storage: (() => new GeneratedRouteStorage()) as never,
    deriveConstraint: (request) => {
      if (!isPreflight(request as ResolvedRequest)) return undefined
      const resolution = resolve(request as ResolvedRequest)
      if (resolution === undefined) return undefined
      ;(request as ResolvedRequest)[kResolution] = resolution
      return resolution.optionsRoute
    }
  })
}

/** The onRequest hook of generated routes, and their handler. Only answered preflights reach it. */
export const sendAnswer = sharedHook((request: FastifyRequest, reply: FastifyReply): void | Promise<unknown> => {
  const { answer, methods } = resolutionOf(request) as Resolution
  return answer.send(request, reply, methods)
})

/** The onSend hook of generated routes: an earlier hook may have sent the response. */
export const optionsRouteOnSend = sharedHook((request: FastifyRequest, reply: FastifyReply, _payload: unknown, done: () => void): void => {
  const { answer } = resolutionOf(request) as Resolution
  answer.warnIfAnsweredBefore(request, reply)
  done()
})

/** The onResponse hook of generated routes: no other hook runs for a response that an earlier hook wrote to `reply.raw`. */
export const optionsRouteOnResponse = sharedHook(
  (request: FastifyRequest, reply: FastifyReply, done: () => void): void => optionsRouteOnSend(request, reply, undefined, done)
)

/** What answers a preflight that reaches a generated route. Undefined for any other request. */
export function resolutionOf (request: FastifyRequest): Resolution | undefined {
  return (request.raw as ResolvedRequest)[kResolution]
}
