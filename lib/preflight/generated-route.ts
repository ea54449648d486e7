// The generated OPTIONS routes: one for each URL and scope that has a policy. A constraint tells them apart from the user's own OPTIONS routes and from
// each other; its value is derived from a preflight by asking which route answers it.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isPreflight, type RawRequest } from '../http/preflight-request'
import { unbound } from '../response/unbound'
import type { PreflightAnswer } from './answer'

/** The name of the constraint: it shows in `printRoutes()`. */
export const CONSTRAINT = 'corsPreflight'

let generated = 0

/** The value of the constraint on one generated route. */
export class GeneratedRoute {
  // The router compares the constraints of routes field by field: this makes each value its own.
  readonly id = ++generated

  constructor (readonly url: string) {}

  /** For `printRoutes()`. */
  toJSON (): string {
    return this.url
  }
}

/** What answers a preflight. */
export interface Resolution {
  /** The route that Fastify runs, for its hooks. */
  readonly optionsRoute: GeneratedRoute
  readonly answer: PreflightAnswer
  /** The methods that the answer may name for this very URL. */
  readonly methods: readonly string[]
}

/** Where a preflight carries what answers it, from the router to the hooks. */
const kResolution = Symbol('fastify-cors-policy.resolution')

type Resolved = RawRequest & { [kResolution]?: Resolution }

/** The routes of one node of the router's tree, by the value of their constraint. */
class GeneratedRoutes {
  readonly #masks = new Map<unknown, number>()

  get (route: unknown): number {
    return this.#masks.get(route) ?? 0
  }

  set (route: unknown, mask: number): void {
    this.#masks.set(route, mask)
  }
}

/** Teaches an application's router to lead preflights to generated routes. `resolve` says which, and undefined where none answers: the preflight then goes where it would have gone. */
export function addPreflightConstraint (root: FastifyInstance, resolve: (preflight: RawRequest) => Resolution | undefined): void {
  root.addConstraintStrategy({
    name: CONSTRAINT,
    // A preflight that is answered never goes to an OPTIONS route of the user's that lies on the way.
    mustMatchWhenDerived: true,
    storage: (() => new GeneratedRoutes()) as never,
    deriveConstraint: (request) => {
      if (!isPreflight(request as Resolved)) return undefined
      const resolution = resolve(request as Resolved)
      if (resolution === undefined) return undefined
      ;(request as Resolved)[kResolution] = resolution
      return resolution.optionsRoute
    }
  })
}

/** The onRequest hook of the instances that hold the generated routes, and the handler of these: only preflights that have an answer are led there. */
export const sendAnswer = unbound((request: FastifyRequest, reply: FastifyReply): void | Promise<unknown> => {
  const { answer, methods } = resolutionOf(request)
  return answer.send(request, reply, methods)
})

export const refuseOther = unbound((request: FastifyRequest, reply: FastifyReply, _error: Error, done: () => void): void => {
  resolutionOf(request).answer.refuse(reply)
  done()
})

export const reportOther = unbound((request: FastifyRequest, reply: FastifyReply, _payload: unknown, done: () => void): void => {
  resolutionOf(request).answer.reportOther(request, reply)
  done()
})

/** Whoever answers past Fastify, on the raw response, gets only here. */
export const reportOtherLate = unbound((request: FastifyRequest, reply: FastifyReply, done: () => void): void => reportOther(request, reply, undefined, done))

function resolutionOf (request: FastifyRequest): Resolution {
  return (request.raw as Resolved)[kResolution] as Resolution
}
