// How a preflight finds its route:
// 1. For each HTTP method there is a routing table, built with Fastify's own router from the routes that Fastify has registered (application-routes.ts).
// 2. The table of the announced method tells which routes the announced request may reach.
// 3. If all of them have one policy, and Fastify's router confirms the match, that policy answers; otherwise the preflight goes to the user's OPTIONS
//    route, or gets a 404.
// The constraint in generated-route.ts calls `resolve` for every preflight; lib/explain calls `reachable`.
import type { FastifyInstance } from 'fastify'
import { isListOfNames, namesIn } from '../http/headers'
import { canBePreflighted, SAFELISTED_METHODS } from '../http/methods'
import type { RawRequest } from '../http/preflight-request'
import type { CompiledPolicy } from '../policy/compiled-policy'
import { allowsWithoutAsking } from '../response/decision'
import type { CorsRefusal, CorsRefusalReason } from '../response/refused'
import { PreflightAnswer } from './answer'
import { ApplicationRoutes, type AnnouncedRequest } from './application-routes'
import type { GeneratedRoute, Resolution } from './generated-route'
import type { DeclaredRoute, RegisteredRoute } from './registered'
import type { Match } from './routing-table'

/** What answers the preflights of one registered route. */
interface RouteAnswer {
  readonly answer: PreflightAnswer
  /** Undefined if no OPTIONS route could be generated for the route's URL: then nothing answers. */
  readonly optionsRoute: GeneratedRoute | undefined
  /** The result of `resolve` if the answer names all of its methods. */
  readonly resolution: Resolution
}

export class PreflightRouter {
  readonly #root: FastifyInstance
  readonly #routes: ApplicationRoutes
  readonly #routeAnswers = new Map<RegisteredRoute, RouteAnswer>()
  /** Resolutions of static URLs that were requested exactly as they were declared, by URL and method. Only declared URLs are added, so its size is bounded. */
  readonly #staticResolutions = new Map<string, Map<string, Resolution>>()

  /** Call it when every route is registered. See `ApplicationRoutes` for the parameters. */
  constructor (root: FastifyInstance, customConstraints: ReadonlySet<string>, untracked: ReadonlySet<DeclaredRoute>) {
    this.#root = root
    this.#routes = new ApplicationRoutes(root, customConstraints, untracked)
  }

  /** Every route of a method that a browser can announce. */
  get routes (): RegisteredRoute[] {
    return this.#routes.all
  }

  /** The same routes in groups of one URL and host. */
  get routesByUrl (): Iterable<readonly RegisteredRoute[]> {
    return this.#routes.byUrl
  }

  /** The routes that a request may reach, in the router's order of preference. */
  reachable (announced: AnnouncedRequest): readonly Match[] {
    return this.#routes.reachable(announced)
  }

  /** What answers a preflight. Undefined if no policy does: Fastify then routes the preflight as if the plugin were absent. */
  resolve (preflight: RawRequest): Resolution | undefined {
    const { url = '', headers } = preflight
    const method = headers['access-control-request-method'] as string
    const remembered = this.#staticResolutions.get(url)?.get(method)
    if (remembered !== undefined) return remembered
    const table = this.#routes.tableOf(method)
    // The short way: only the URL decides, and Fastify runs the same router code, so a second look-up would find the same route.
    if (table?.isFastifysCode === true && table.dependsOnUrlOnly) {
      const route = table.routeOf(url)
      if (route === undefined) return this.#answerForUnroutedMethod(preflight, this.#announcedRequest(preflight))
      return route.declared?.policy == null ? undefined : this.#resolutionFor(route.declared.policy, route, preflight)
    }
    const announced = this.#announcedRequest(preflight)
    const matches = this.reachable(announced)
    const [match] = matches
    if (match === undefined) return this.#answerForUnroutedMethod(preflight, announced)
    const policy = commonPolicy(matches)
    return policy === null || !this.#isConfirmedByFastify(announced, match) ? undefined : this.#resolutionFor(policy, match.route, preflight, announced)
  }

  #announcedRequest ({ url = '', headers }: RawRequest): AnnouncedRequest {
    const requestedHeaders = headers['access-control-request-headers']
    return {
      method: headers['access-control-request-method'] as string,
      url,
      host: (headers.host || headers[':authority']) as string | undefined, // the same expression as in find-my-way
      // An invalid list needs no care here: every policy's answer refuses it.
      hasVersion: this.#routes.hasVersions && isListOfNames(requestedHeaders) &&
        namesIn(requestedHeaders).some((name) => name.toLowerCase() === 'accept-version')
    }
  }

  /** Why no policy answers a preflight, for logs. Call it only where `resolve` returned undefined. */
  refusalOf (preflight: RawRequest): CorsRefusal {
    const announced = this.#announcedRequest(preflight)
    const matches = this.reachable(announced)
    const route = `${announced.method} ${matches[0]?.route.path ?? '(none)'}`
    return { reason: this.#whyUnanswered(announced, matches), origin: preflight.headers.origin as string, route, policy: null }
  }

  #whyUnanswered (announced: AnnouncedRequest, matches: readonly Match[]): CorsRefusalReason {
    const [match] = matches
    if (match === undefined) {
      const otherHasPolicy = this.#routes.methods.some((method) => hasPolicy(this.reachable({ ...announced, method })[0]))
      return otherHasPolicy ? 'method-not-routed' : 'no-route'
    }
    if (matches.some(hasPolicy)) return 'ambiguous-route'
    return match.route.declared?.isOff === true ? 'off' : 'no-policy'
  }

  /** Fastify's router has to find the same parameters for the announced request. Otherwise the two routers disagree, and nothing is approved. */
  #isConfirmedByFastify ({ method, url, host }: AnnouncedRequest, { route: { constraints }, params }: Match): boolean {
    const found = this.#root.findRoute({ method: method as never, url, constraints: { ...constraints, host } as never })
    return found !== null && haveSameValues(found.params, params)
  }

  /** `announced` is computed from the preflight if it is left out, where it is needed: many URLs have one method. */
  #resolutionFor (policy: CompiledPolicy, route: RegisteredRoute, preflight: RawRequest, announced?: AnnouncedRequest): Resolution | undefined {
    const { url = '', headers } = preflight
    const method = announced?.method ?? headers['access-control-request-method'] as string
    const { optionsRoute, answer, resolution: withAllMethods } = this.#routeAnswerOf(policy, route)
    if (optionsRoute === undefined) return undefined
    const methods = answer.methods.length === 1
      ? answer.methods
      : this.#methodsWithPolicy(policy, answer.methods, announced ?? this.#announcedRequest(preflight))
    const resolution = methods === answer.methods ? withAllMethods : { optionsRoute, answer, methods }
    // A static URL always reaches the same route, if nothing but the URL decides for any of its methods.
    if (route.path === url && !/[:*]/.test(url) && answer.methods.every((other) => this.#routes.tableOf(other)?.dependsOnUrlOnly === true)) {
      const byMethod = this.#staticResolutions.get(url) ?? new Map<string, Resolution>()
      this.#staticResolutions.set(url, byMethod.set(method, resolution))
    }
    return resolution
  }

  /**
   * Those of `methods` that reach this policy at the announced URL: browsers cache every method of the answer for that URL. If all do, `methods` itself is
   * returned, without a copy.
   */
  #methodsWithPolicy (policy: CompiledPolicy, methods: readonly string[], announced: AnnouncedRequest): readonly string[] {
    let some: string[] | undefined
    for (let index = 0; index < methods.length; index++) {
      const method = methods[index] as string
      if (method === announced.method || this.#policyOfMethod(method, announced) === policy) some?.push(method)
      else some ??= methods.slice(0, index)
    }
    return some ?? methods
  }

  #policyOfMethod (method: string, announced: AnnouncedRequest): CompiledPolicy | null {
    const table = this.#routes.tableOf(method)
    return table?.dependsOnUrlOnly === true ? table.routeOf(announced.url)?.declared?.policy ?? null : commonPolicy(this.reachable({ ...announced, method }))
  }

  #routeAnswerOf (policy: CompiledPolicy, route: RegisteredRoute): RouteAnswer {
    const existing = this.#routeAnswers.get(route)
    if (existing !== undefined) return existing
    const withPolicy = this.#routes.withUrlOf(route).filter(({ declared }) => declared?.policy === policy)
    const methods = withPolicy.sort((one, other) => one.order - other.order || declaredIndexOf(one) - declaredIndexOf(other)).map(({ method }) => method)
    const declared = route.declared as DeclaredRoute // a route with a policy has a declaration
    const requestHeaders = policy.allowedHeaders === undefined ? declared.requestHeaders(route.method) : []
    const optionsRoute = this.#optionsRouteOf(declared, route.path)
    const answer = new PreflightAnswer(policy, [...new Set(methods)], requestHeaders, { url: route.path, policy: declared.policyName ?? null })
    const routeAnswer = { answer, optionsRoute, resolution: { optionsRoute: optionsRoute as GeneratedRoute, answer, methods: answer.methods } }
    this.#routeAnswers.set(route, routeAnswer)
    return routeAnswer
  }

  /** A route may have two URLs. A URL outside the prefix of the route's scope may have no generated route. */
  #optionsRouteOf ({ urls, optionsRoutes }: DeclaredRoute, path: string): GeneratedRoute | undefined {
    return urls.length === 1 ? optionsRoutes[0] : optionsRoutes.find(({ url }) => this.#routes.pathsOf(url).includes(path))
  }

  /**
   * The answer for a method that has no route, at a URL whose other methods have one policy that allows the origin. It lets the browser report the method as
   * the cause. GET, HEAD and POST are excluded: browsers need no permission for them, so the answer would approve the request
   * (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
   */
  #answerForUnroutedMethod (preflight: RawRequest, announced: AnnouncedRequest): Resolution | undefined {
    if (SAFELISTED_METHODS.has(announced.method) || !canBePreflighted(announced.method) || !this.#routes.areCertain) return undefined
    // An OPTIONS route of the user's may answer the preflight. The preflight itself never carries a version.
    if (this.reachable({ ...announced, method: 'OPTIONS', hasVersion: false }).length > 0) return undefined
    const matches = this.#routes.methods.flatMap((method) => this.reachable({ ...announced, method }))
    const [match] = matches
    const policy = commonPolicy(matches)
    if (match === undefined || policy === null) return undefined
    // An origin function is called only for routes that exist.
    if (!allowsWithoutAsking(policy, preflight.headers.origin as string)) return undefined
    return this.#resolutionFor(policy, match.route, preflight, { ...announced, method: match.route.method })
  }

  /** The routes with a policy whose preflights are not approved, because the announced request may also reach a route with another policy. */
  ambiguousRoutes (): RegisteredRoute[] {
    return this.routes.filter((route) => {
      const { method, path, constraints, declared } = route
      const url = path.replace(/:\w+|\*$/g, '~')
      if (declared?.policy == null || constraints.host !== undefined || !PLAIN_URL.test(url)) return false
      const matches = this.reachable({ method, url, host: undefined, hasVersion: constraints.version !== undefined && this.#routes.hasVersions })
      return matches.some((match) => match.route === route) && commonPolicy(matches) === null
    })
  }
}

/** A URL without parameters, regular expressions or encoded characters. */
const PLAIN_URL = /^[\w.~/-]*$/

function hasPolicy (match: Match | undefined): boolean {
  return match?.route.declared?.policy != null
}

/** The policy that all these routes have. Null if they have different policies, or if one has none. */
function commonPolicy (matches: readonly Match[]): CompiledPolicy | null {
  const policy = matches[0]?.route.declared?.policy ?? null
  return matches.every(({ route }) => route.declared?.policy === policy) ? policy : null
}

/** The position of the route's method in its declaration. */
function declaredIndexOf ({ declared, method }: RegisteredRoute): number {
  return (declared as DeclaredRoute).methods.indexOf(method)
}

function haveSameValues (one: object, other: object): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name as never] === other[name as never])
}
