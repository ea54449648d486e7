// One URL of the application: the routes declared there, and what answers the preflights for each of their methods.
import { isDeepStrictEqual } from 'node:util'
import { derivedRequestHeaders, type RouteSchema } from '../policy/derive'
import { corsPolicyError, quote } from '../errors'
import { canBePreflighted } from '../http/methods'
import { Interned } from './interned'
import { PreflightAnswer } from '../preflight/answer'
import { isPattern, PreflightTarget, type Announced, type Announcements } from '../preflight/preflight-target'
import { NO_CONSTRAINTS, type Route } from './route'
import type { Scope } from './scope'

/** A route, and the methods that are really its own. */
interface Entry { readonly route: Route, readonly methods: readonly string[] }

export class Place {
  readonly url: string
  readonly #entries: Entry[] = []
  /** One for each scope that has routes here, as each answers on behalf of its own. */
  readonly #targets: Array<{ readonly scope: Scope | undefined, readonly target: PreflightTarget }> = []

  constructor (url: string) {
    this.url = url
  }

  /** Adds a route, or one whose policy has changed. Throws where a preflight could not tell it from another. */
  add (route: Route): void {
    let { methods } = route
    let isNew = true
    for (const { route: other, methods: taken } of this.#entries) {
      if (other === route) isNew = false
      else if (sameHost(route, other)) {
        refuseConflict(route, other, taken)
        // What was declared already, Fastify refuses or leaves out: it is not this route that such a request reaches.
        if (sameConstraints(route, other) && methods.some((method) => taken.includes(method))) methods = methods.filter((method) => !taken.includes(method))
      }
    }
    if (isNew) this.#entries.push({ route, methods })
  }

  /** The target that the route's scope lacks here and needs, made now. */
  missingTarget (route: Route): PreflightTarget | undefined {
    // No URL but its own leads to a route without parameters: it stands in nobody's way there.
    if (this.#hasTarget(route) || (route.policy === null && !isPattern(this.url) && route.host === undefined && route.constraints === NO_CONSTRAINTS)) return undefined
    const target = new PreflightTarget(this.url)
    this.#targets.push({ scope: route.scope, target })
    return target
  }

  #hasTarget (route: Route): boolean {
    const { scope } = route
    return this.#targets.some((other) => other.scope === scope)
  }

  get targets (): readonly PreflightTarget[] {
    return this.#targets.map(({ target }) => target)
  }

  /** Whether a route here has no target, so that preflights for it may come upon others. */
  get isRival (): boolean {
    return !this.#entries.every(({ route }) => this.#hasTarget(route))
  }

  /** Gives the targets what they announce. Most URLs of an application have the same methods and the same policy: these announce one thing. */
  announce (shared: Interned<Announcements>): void {
    const [{ route: { policy, scope } }] = this.#entries as [Entry]
    const isUniform = this.#entries.every(({ route }) => route.policy === policy && route.scope === scope && isPlain(route))
    const hasHosts = this.#entries.some(({ route }) => route.host !== undefined)
    for (const { scope: own, target } of this.#targets) {
      target.hasHosts = hasHosts
      target.announcements = isUniform && own === scope
        ? shared.get(policy, this.#entries.map(({ methods }) => methods).join(';'), () => this.#announcements(own))
        : this.#announcements(own)
    }
  }

  /** What the routes of a scope say about their methods. */
  #announcements (scope: Scope | undefined): Announcements {
    const announcements = new Map<string, Announced[]>()
    const answers = new Interned<PreflightAnswer>()
    for (const { route, methods } of this.#entries) {
      if (route.scope !== scope) continue
      const { policy, host, constraints, fulfilment } = route
      const like = this.#methodsLike(route)
      for (const method of methods.filter(canBePreflighted)) {
        const headers = headersOf(route, method)
        const answer = policy && answers.get(policy, `${like.join()} ${headers.join()}`, () => new PreflightAnswer(policy, like, headers))
        const list = announcements.get(method) ?? []
        announcements.set(method, list)
        list.push({ answer, host, constraints, fulfilment })
      }
    }
    return announcements
  }

  /** Every method of this URL and the host with the route's policy: browsers remember all of them, so that one preflight serves them. */
  #methodsLike (route: Route): readonly string[] {
    const alike = this.#entries.filter(({ route: other }) => other.policy === route.policy && sameHost(other, route))
    return [...new Set(alike.flatMap(({ methods }) => methods).filter(canBePreflighted))]
  }
}

/** What the route's schema says about request headers, where its policy says nothing. */
function headersOf ({ policy, options, instance }: Route, method: string): readonly string[] {
  return policy?.allowedHeaders === undefined ? derivedRequestHeaders(method, options.schema as RouteSchema, instance.getSchemas()) : []
}

/** Whether its policy and its method are all that a preflight for the route depends on. */
function isPlain ({ host, constraints, options }: Route): boolean {
  return host === undefined && constraints === NO_CONSTRAINTS && (options.schema as RouteSchema | undefined)?.headers === undefined
}

function sameConstraints (one: Route, other: Route): boolean {
  return one.constraints === other.constraints || isDeepStrictEqual(one.constraints, other.constraints)
}

function sameHost (one: Route, other: Route): boolean {
  return one.host === other.host || String(one.host) === String(other.host)
}

/** A preflight cannot tell routes apart that differ only in what it cannot carry, such as a version: they need the same policy. */
function refuseConflict (route: Route, other: Route, methods: readonly string[]): void {
  if (route.policy === other.policy || sameConstraints(route, other)) return
  const shared = route.methods.filter((method) => methods.includes(method))
  if (shared.length === 0) return
  const constraints = quote(Object.keys({ ...route.constraints, ...other.constraints }).join(', '))
  throw corsPolicyError(`config.cors of ${route.name}`, [{
    pointer: '',
    reason: 'conflict',
    value: route.options.config?.cors,
    message: `another route for ${shared.join(', ')} of this URL, which differs only in its constraints (${constraints}), has another policy; a preflight cannot carry these, so write the same policy on both`
  }])
}
