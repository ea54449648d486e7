// Resolves a preflight: which route the announced request reaches, whose policy answers, and which methods the answer names. If it may reach several routes,
// all must have one policy. Fastify's own router confirms the announced method and every method that is named, each time: browsers remember them all.
import { hostOf, type RouterEntry } from '../fastify/router-entries'
import type { Match } from '../fastify/second-router'
import { canBePreflighted, SAFELISTED_METHODS, takesBody } from '../http/methods'
import type { RawRequest } from '../http/preflight-request'
import type { CompiledPolicy } from '../policy/compiled-policy'
import { decideWithoutAsking } from '../response/decision'
import type { GuardSource } from '../response/guard'
import type { CorsRefusal, CorsRefusalReason } from '../response/refusal'
import type { Route } from '../response/route'
import { allowedHeadersOf, type AnswerOptions } from './answer'
import type { OptionsRoute, PreflightMatch } from './options-route'
import { commonPolicy, LookupBudget, type AnnouncedRequest, type ReachableRoutes } from './reachable-routes'

/** What answers the preflights of one entry of the router. */
interface EntryAnswer {
  readonly answer: AnswerOptions
  /** Undefined if no OPTIONS route could be declared for the URL: then nothing answers. */
  readonly optionsRoute: OptionsRoute | undefined
}

export class PreflightResolver {
  readonly #routes: ReachableRoutes
  readonly #optionsRouteOf: (entry: RouterEntry) => OptionsRoute | undefined
  readonly #rootHasDefaultPolicy: () => boolean
  readonly #answers = new Map<RouterEntry, EntryAnswer>()
  readonly #entriesByPlace: ReadonlyMap<string, readonly RouterEntry[]>

  /**
   * `optionsRouteOf` finds the generated OPTIONS route at the URL of an entry that has a policy. `rootHasDefaultPolicy` tells whether the root instance has a
   * policy for its 404s: then the scope of the not-found handler answers preflights for a method without a route.
   */
  constructor (routes: ReachableRoutes, optionsRouteOf: (entry: RouterEntry) => OptionsRoute | undefined, rootHasDefaultPolicy: () => boolean) {
    this.#routes = routes
    this.#rootHasDefaultPolicy = rootHasDefaultPolicy
    this.#optionsRouteOf = optionsRouteOf
    this.#entriesByPlace = groupByPlace([...routes.registered.entriesByMethod.values()].flat())
  }

  /** What answers a preflight. Undefined if no policy does: Fastify then routes the preflight as if the plugin were absent. */
  resolve (preflight: RawRequest): PreflightMatch | undefined {
    const announced = announcedRequest(preflight)
    const budget = new LookupBudget()
    const matches = this.#routes.reachable(announced, budget)
    if (matches === undefined) return undefined
    const [match] = matches
    if (match === undefined) return this.#rootHasDefaultPolicy() ? undefined : this.#matchForUnroutedMethod(preflight, announced, budget)
    const policy = this.#commonPolicy(matches)
    return policy === null || !this.#routes.isConfirmed(announced, match) ? undefined : this.#matchFor(policy, match, announced, budget)
  }

  /** What answers a preflight that reaches a not-found handler: the default policy of its scope, or else what names the method. */
  resolveNotFound (preflight: RawRequest, { policy, ...source }: GuardSource): AnswerOptions | undefined {
    const announced = announcedRequest(preflight)
    if (!this.#routes.hasNoRoute(announced)) return undefined
    if (policy === null) return this.#matchForUnroutedMethod(preflight, announced, new LookupBudget())?.answer
    const { method } = announced
    const allowedHeaders = allowedHeadersOf(policy, () => takesBody(method) ? ['content-type'] : [])
    const maxAge = this.#reachesNoOther(policy, announced) ? policy.maxAge : '0'
    return { ...source, policy, methods: [method], allowedHeaders, maxAge, url: '(none)' }
  }

  /**
   * Whether no method of a URL reaches a route with another policy. Browsers remember an allowed header for every method of the URL
   * (https://fetch.spec.whatwg.org/#concept-cache-match-header): they would send it to that route, which has not allowed it.
   */
  #reachesNoOther (policy: CompiledPolicy, announced: AnnouncedRequest): boolean {
    const budget = new LookupBudget()
    const isOf = ({ entry }: Match): boolean => this.#routes.policyOf(entry)?.key === policy.key
    return this.#routes.methods.every((method) => this.#routes.reachable({ ...announced, method }, budget)?.every(isOf) === true)
  }

  #commonPolicy (matches: readonly Match[]): CompiledPolicy | null {
    return commonPolicy(matches, (entry) => this.#routes.policyOf(entry))
  }

  /** Whether a request certainly reaches this policy. */
  #reaches (policy: CompiledPolicy, announced: AnnouncedRequest, budget: LookupBudget): boolean {
    const matches = this.#routes.reachable(announced, budget)
    const match = matches?.[0]
    return match !== undefined && this.#commonPolicy(matches as readonly Match[]) === policy && this.#routes.isConfirmed(announced, match)
  }

  /** `announced` has been confirmed for the match. The answer names those of its methods that reach the policy at this URL. */
  #matchFor (policy: CompiledPolicy, { entry }: Match, announced: AnnouncedRequest, budget: LookupBudget): PreflightMatch | undefined {
    const { answer, optionsRoute } = this.#answerOf(policy, entry)
    if (optionsRoute === undefined) return undefined
    const methods = answer.methods.filter((method) => method === announced.method || this.#reaches(policy, { ...announced, method }, budget))
    return { optionsRoute, answer: methods.length === answer.methods.length ? answer : { ...answer, methods } }
  }

  #answerOf (policy: CompiledPolicy, entry: RouterEntry): EntryAnswer {
    const existing = this.#answers.get(entry)
    if (existing !== undefined) return existing
    const route = this.#routes.registered.routeOf(entry) as Route // an entry with a policy has a route
    const atPlace = this.#entriesByPlace.get(placeOf(entry)) as readonly RouterEntry[]
    const withPolicy = atPlace.filter((other) => this.#routes.policyOf(other) === policy)
      .map((entry) => ({ entry, route: this.#routes.registered.routeOf(entry) as Route }))
    withPolicy.sort((one, other) => one.route.order - other.route.order || methodIndex(one) - methodIndex(other))
    const answer = {
      policy,
      policyName: route.policyName,
      scope: route.scope,
      setsHeaders: true,
      url: entry.path,
      maxAge: policy.maxAge,
      methods: [...new Set(withPolicy.map(({ entry }) => entry.method))],
      allowedHeaders: allowedHeadersOf(policy, () => route.requestHeaders(entry.method))
    }
    const entryAnswer = { answer, optionsRoute: this.#optionsRouteOf(entry) }
    this.#answers.set(entry, entryAnswer)
    return entryAnswer
  }

  /**
   * The answer for a method that has no route, at a URL whose other methods have one policy that allows the origin. It lets the browser report the method as
   * the cause. GET, HEAD and POST are excluded: browsers need no permission for them, so the answer would approve the request
   * (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
   */
  #matchForUnroutedMethod (preflight: RawRequest, announced: AnnouncedRequest, budget: LookupBudget): PreflightMatch | undefined {
    const { unreadableMethods, customConstraints } = this.#routes.registered
    if (SAFELISTED_METHODS.has(announced.method) || !canBePreflighted(announced.method)) return undefined
    if (unreadableMethods.size > 0 || customConstraints.size > 0) return undefined
    // An OPTIONS route of the user's may answer the preflight.
    if (this.#routes.reachable({ ...announced, method: 'OPTIONS' }, budget)?.length !== 0) return undefined
    const matches: Match[] = []
    for (const method of this.#routes.methods) {
      const reachable = this.#routes.reachable({ ...announced, method }, budget)
      if (reachable === undefined) return undefined
      matches.push(...reachable)
    }
    const [match] = matches
    const policy = this.#commonPolicy(matches)
    // An origin function is called only for routes that exist.
    if (match === undefined || policy === null || decideWithoutAsking(policy, preflight.headers.origin as string) === false) return undefined
    const routed = { ...announced, method: match.entry.method }
    return this.#routes.isConfirmed(routed, match) ? this.#matchFor(policy, match, routed, budget) : undefined
  }

  /** The routes with a policy whose preflights are not approved, because the announced request may also reach a route with another policy. */
  ambiguousRoutes (): RouterEntry[] {
    const { entriesByMethod, unknownConstraints } = this.#routes.registered
    if (unknownConstraints.length === 0) return []
    return [...entriesByMethod.values()].flat().filter((entry) => {
      const url = entry.path.replace(/:[^/().-]+|\*$/g, '~')
      if (this.#routes.policyOf(entry) === null || hostOf(entry.constraints) !== undefined || !PLAIN_URL.test(url)) return false
      const matches = this.#routes.reachable({ method: entry.method, url, host: undefined })
      return matches === undefined || (matches.some((match) => match.entry === entry) && this.#commonPolicy(matches) === null)
    })
  }

  /** Why no policy answers a preflight, for logs. Call it only where `resolve` returned undefined. */
  refusalOf (preflight: RawRequest): CorsRefusal {
    const announced = announcedRequest(preflight)
    const matches = this.#routes.reachable(announced)
    const route = `${announced.method} ${matches?.[0]?.entry.path ?? '(none)'}`
    return { reason: this.#whyUnanswered(announced, matches), origin: preflight.headers.origin as string, route, policy: null }
  }

  #whyUnanswered (announced: AnnouncedRequest, matches: readonly Match[] | undefined): CorsRefusalReason {
    if (matches === undefined) return 'ambiguous-route'
    const hasPolicy = ({ entry }: Match): boolean => this.#routes.policyOf(entry) !== null
    if (matches.length === 0) {
      const otherHasPolicy = this.#routes.methods.some((method) => this.#routes.reachable({ ...announced, method })?.some(hasPolicy))
      return otherHasPolicy ? 'method-not-routed' : 'no-route'
    }
    if (matches.some(hasPolicy)) return 'ambiguous-route'
    return this.#routes.registered.routeOf((matches[0] as Match).entry)?.isOff === true ? 'off' : 'no-policy'
  }
}

/** A URL without parameters, regular expressions or encoded characters. */
const PLAIN_URL = /^[\w.~/-]*$/

function announcedRequest ({ url = '', headers }: RawRequest): AnnouncedRequest {
  return {
    method: headers['access-control-request-method'] as string,
    url,
    host: (headers.host || headers[':authority']) as string | undefined // the same expression as in find-my-way
  }
}

/** Equal for the entries that a browser requests at one URL: parameters may have other names. */
function placeOf ({ path, constraints }: RouterEntry): string {
  return `${path.replace(/::|:[^/().-]*/g, (part) => part === '::' ? part : ':')} ${String(hostOf(constraints))}`
}

export function groupByPlace (entries: readonly RouterEntry[]): Map<string, RouterEntry[]> {
  const groups = new Map<string, RouterEntry[]>()
  for (const entry of entries) {
    const place = placeOf(entry)
    const group = groups.get(place)
    if (group === undefined) groups.set(place, [entry])
    else group.push(entry)
  }
  return groups
}

function methodIndex ({ entry: { method }, route: { methods } }: { readonly entry: RouterEntry, readonly route: Route }): number {
  return methods.indexOf(method)
}
