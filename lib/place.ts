// One URL of the application: the routes declared there, and what answers the preflights for each of their methods.
import { isDeepStrictEqual } from 'node:util'
import { derivedRequestHeaders, type RouteSchema } from './derive'
import { corsPolicyError, quote } from './errors'
import { canBePreflighted } from './http/methods'
import { PreflightAnswer } from './preflight'
import type { Route } from './route'
import { isPattern, PreflightTarget } from './routing'
import type { Scope } from './scope'

export class Place {
  readonly url: string
  /** With the methods that are really theirs. */
  readonly #routes = new Map<Route, readonly string[]>()
  /** One for each scope that has routes here, as each answers on behalf of its own. */
  readonly #targets = new Map<Scope | undefined, PreflightTarget>()

  constructor (url: string) {
    this.url = url
  }

  /** Adds a route, or one whose policy has changed. Throws where a preflight could not tell it from another. */
  add (route: Route): void {
    const others = [...this.#routes].filter(([other]) => other !== route && sameHost(route, other))
    for (const [other, methods] of others) refuseConflict(route, other, methods)
    if (this.#routes.has(route)) return
    // What was declared already, Fastify refuses or leaves out: it is not this route that such a request reaches.
    const taken = others.filter(([other]) => isDeepStrictEqual(route.constraints, other.constraints)).flatMap(([, methods]) => methods)
    this.#routes.set(route, taken.length === 0 ? route.methods : route.methods.filter((method) => !taken.includes(method)))
  }

  /** The target that the route's scope lacks here and needs, made now. */
  missingTarget (route: Route): PreflightTarget | undefined {
    // No URL but its own leads to a route without parameters: it stands in nobody's way there.
    if (this.#targets.has(route.scope) || (route.policy === null && !isPattern(this.url) && route.host === undefined)) return undefined
    const target = new PreflightTarget(this.url)
    this.#targets.set(route.scope, target)
    return target
  }

  get targets (): readonly PreflightTarget[] {
    return [...this.#targets.values()]
  }

  /** Whether a route here has no target, so that preflights for it may come upon others. */
  get isRival (): boolean {
    return [...this.#routes.keys()].some(({ scope }) => !this.#targets.has(scope))
  }

  /** Gives the targets their answers. */
  announce (): void {
    const hasHosts = [...this.#routes.keys()].some(({ host }) => host !== undefined)
    for (const target of this.#targets.values()) target.hasHosts = hasHosts
    for (const [route, methods] of this.#routes) {
      const target = this.#targets.get(route.scope)
      if (target === undefined) continue
      const { policy, host, constraints } = route
      for (const method of methods.filter(canBePreflighted)) {
        target.add(method, { answer: policy && new PreflightAnswer(policy, this.#methodsLike(route), headersOf(route, method)), host, constraints })
      }
    }
  }

  /** Every method of this URL and the host with the route's policy: browsers remember all of them, so that one preflight serves them. */
  #methodsLike (route: Route): readonly string[] {
    const alike = [...this.#routes].filter(([other]) => other.policy === route.policy && sameHost(other, route))
    return [...new Set(alike.flatMap(([, methods]) => methods).filter(canBePreflighted))]
  }
}

/** What the route's schema says about request headers, where its policy says nothing. */
function headersOf ({ policy, options, instance }: Route, method: string): readonly string[] {
  return policy?.allowedHeaders === undefined ? derivedRequestHeaders(method, options.schema as RouteSchema, instance.getSchemas()) : []
}

function sameHost (one: Route, other: Route): boolean {
  return String(one.host) === String(other.host)
}

/** A preflight cannot tell routes apart that differ only in what it cannot carry, such as a version: they need the same policy. */
function refuseConflict (route: Route, other: Route, methods: readonly string[]): void {
  const shared = route.methods.filter((method) => methods.includes(method))
  if (route.policy === other.policy || shared.length === 0 || isDeepStrictEqual(route.constraints, other.constraints)) return
  const constraints = quote(Object.keys({ ...route.constraints, ...other.constraints }).join(', '))
  throw corsPolicyError(`config.cors of ${route.name}`, [{
    pointer: '',
    reason: 'conflict',
    value: route.options.config?.cors,
    message: `another route for ${shared.join(', ')} of this URL, which differs only in its constraints (${constraints}), has another policy; a preflight cannot carry these, so write the same policy on both`
  }])
}
