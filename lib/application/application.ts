// What the plugin knows of one Fastify application: its routes, and the policy of each. From that it declares the generated OPTIONS routes and hooks
// the routes' responses; when every route is registered, preflights are asked of the router (preflight/router.ts).
import type { FastifyInstance, RouteOptions } from 'fastify'
import { checkRouteCors, isDefinedPolicy, type CheckedPolicy } from '../declaration/declaration'
import { literalKey } from '../declaration/fields'
import { corsPolicyError, printable, quote, type CorsProblem } from '../errors'
import type { RawRequest } from '../http/preflight-request'
import type { CompiledPolicy } from '../policy/policy'
import { addPreflightConstraint, CONSTRAINT, GeneratedRoute, optionsRouteOnError, optionsRouteOnSend, optionsRouteOnResponse, sendAnswer } from '../preflight/generated-route'
import { registeredRoutes, trackRegistrations, type Constraints, type RegisteredRoute } from '../preflight/registered'
import { PreflightRouter } from '../preflight/router'
import { hasListeners, reportRefusal } from '../response/refused'
import { ResponsePolicy } from '../response/response'
import { conflictBetween, refuseTooMany } from './conflicts'
import { Interned } from './interned'
import { Route, type ObservedOptions } from './route'
import { setScope, type Scope } from './scope'

export class Application {
  readonly #root: FastifyInstance
  #routes: Route[] = []
  readonly #unfinished: Route[] = []
  /** The routes that have a URL, as it is written. */
  readonly #byUrl = new Map<string, Route[]>()
  /** What routes declare, by scope and text: most declare what others do. */
  readonly #checked = new Interned<CheckedPolicy | false>()
  readonly #policies = new Map<string, CompiledPolicy>()
  readonly #responses = new Interned<ResponsePolicy>()
  /** What needs the schemas of the application, which are known when it is ready. */
  readonly #exposing: Array<{ readonly route: Route, readonly response: ResponsePolicy }> = []
  /** The constraints for which the application has strategies of its own. */
  readonly #custom = new Set<string>()
  readonly #seenConstraints = new Set<string>()
  /** URLs whose OPTIONS routes Fastify refused, and why. */
  readonly #undeclared = new Map<string, string>()
  #hasScopes = false
  /** Every registration of the plugin. */
  readonly scopes: Scope[] = []
  #router: PreflightRouter | undefined
  /** Whether every route is registered. */
  #isReady = false
  /** The routes to which no registration leads back, when every route is registered. */
  #untracked: readonly Route[] = []

  constructor (root: FastifyInstance) {
    this.#root = root
    const { constraints, routerOptions } = root.initialConfig as { constraints?: Named, routerOptions?: { constraints?: Named } }
    for (const { name } of Object.values({ ...constraints, ...routerOptions?.constraints })) this.#custom.add(name)
  }

  /** Called for every route, by the onRoute hook of its instance. Throws what is wrong with its `config.cors`. */
  observe (instance: FastifyInstance, options: ObservedOptions): void {
    if (options.handler === sendAnswer) return
    const route = new Route(instance, options)
    if (options.constraints != null) this.#noteConstraints(route)
    if (this.#hasScopes || route.config !== undefined) route.keepDeclaration(this.#hasScopes)
    this.#govern(route)
    this.#routes.push(route)
  }

  /** Whether a constraint has a strategy of the application's own. Of `host` and `version` the router says so only before it has routes with them. */
  #noteConstraints ({ constraints }: Route): void {
    for (const name of Object.keys(constraints)) {
      if (this.#seenConstraints.has(name)) continue
      this.#seenConstraints.add(name)
      if ((name !== 'host' && name !== 'version') || this.#root.hasConstraintStrategy(name)) this.#custom.add(name)
    }
  }

  /** Makes a scope of its instance and of those below, their routes so far included. */
  addScope (scope: Scope): void {
    if (!this.#hasScopes) this.#begin()
    setScope(scope)
    this.scopes.push(scope)
    for (const route of this.#routes.filter((route) => route.scope?.isWithin(scope) === true)) this.#govern(route)
  }

  /** From the first registration on, preflights are answered. An application without one is left as it is. */
  #begin (): void {
    if (this.#root.hasConstraintStrategy(CONSTRAINT)) throw corsPolicyError('fastify-cors-policy', [{ pointer: '', reason: 'conflict', value: CONSTRAINT, message: `the application has a constraint strategy with the name ${quote(CONSTRAINT)}, which the plugin needs; write another name` }])
    this.#hasScopes = true
    const declaredBefore = new Set(registeredRoutes(this.#root, 'OPTIONS').routes.map(({ path }) => path))
    addPreflightConstraint(this.#root, (preflight) => this.router.resolve(preflight) ?? this.#reportUnanswered(preflight))
    // The router knows of the constraint only where a route is declared after it: these routes of the user's would take answered preflights on their way.
    for (const path of declaredBefore) this.#root.route(this.#optionsRoute(path, new GeneratedRoute(path), undefined))
  }

  /** A preflight that no policy answers goes where it would have gone without the plugin. There is no request of Fastify's yet. */
  #reportUnanswered (preflight: RawRequest): undefined {
    const { log } = this.#root
    if (hasListeners(log)) reportRefusal(log, null, this.router.refusalOf(preflight))
  }

  /** Created when it is first needed, and kept when every route is registered: before that, `app.cors` sees the routes so far. */
  get router (): PreflightRouter {
    if (this.#router !== undefined) return this.#router
    const router = new PreflightRouter(this.#root, this.#custom, [...this.#untracked, ...this.#routes.filter(({ isUntracked }) => isUntracked)])
    if (this.#isReady) this.#router = router
    return router
  }

  #govern (route: Route): void {
    const { scope } = route
    if (scope === undefined) return
    this.#readPolicy(route, scope)
    this.#addUrl(route, route.urls[0] as string, false)
    this.#finishLater(route)
  }

  #readPolicy (route: Route, scope: Scope): void {
    const { declared } = route
    route.checked = declared === undefined ? scope.defaultPolicy : this.#check(route, scope, declared.cors)
    route.policy = this.#shared(route.checked)
    route.isGoverned = declared !== undefined || route.policy !== null
  }

  #check (route: Route, scope: Scope, cors: unknown): CheckedPolicy | false {
    // What is refused throws, and so is never remembered.
    const check = (): CheckedPolicy | false => {
      const problems: CorsProblem[] = []
      const checked = checkRouteCors(cors, scope.names, problems)
      if (problems.length > 0) throw corsPolicyError(`config.cors of ${route.name}`, problems)
      return checked as CheckedPolicy | false
    }
    const text = isDefinedPolicy(cors) ? undefined : literalKey(cors)
    return text === undefined ? check() : this.#checked.get(scope, text, check)
  }

  /** Policies that are equal become one, so that whether they are equal is whether they are the same. */
  #shared (checked: CheckedPolicy | false): CompiledPolicy | null {
    if (checked === false) return null
    const { compiled } = checked
    const policy = this.#policies.get(compiled.key)
    if (policy === undefined) this.#policies.set(compiled.key, compiled)
    return policy ?? compiled
  }

  /** Notes one URL of a route, and declares the OPTIONS route that its scope lacks there. */
  #addUrl (route: Route, url: string, isFinished: boolean): void {
    let routes = this.#byUrl.get(url)
    if (routes === undefined) this.#byUrl.set(url, routes = [])
    let isNew = true
    for (const other of routes) {
      if (other === route) isNew = false
      const conflict = conflictBetween(route, other)
      // A route that Fastify refused stands in nobody's way.
      if (conflict !== undefined && (!isFinished || this.#isRegistered(route)) && this.#isRegistered(other)) throw conflict
    }
    if (isNew) routes.push(route)
    const { scope, policy } = route
    if (policy === null || scope === undefined || optionsRouteAt(url, route) !== undefined) return
    const shared = routes.find((other) => other.scope === scope && optionsRouteAt(url, other) !== undefined)
    const optionsRoute = (shared && optionsRouteAt(url, shared)) ?? new GeneratedRoute(url)
    if (shared === undefined && !this.#declareOptionsRoute(optionsRoute, scope, routes)) return
    route.optionsRoutes = [...route.optionsRoutes, optionsRoute]
    if (this.#custom.size === 0) return
    const constraints = Object.fromEntries(Object.entries(route.constraints).filter(([name]) => this.#custom.has(name)))
    // A strategy may derive a value from preflights as well, and refuse every route without it.
    if (Object.keys(constraints).length > 0) this.#declareOptionsRoute(optionsRoute, scope, routes, constraints)
  }

  /** Where it cannot be asked, as for a URL that the router takes only after it has changed it, it is taken to be. */
  #isRegistered ({ methods, urls, constraints }: Route): boolean {
    try {
      return methods.some((method) => this.#root.hasRoute({ method: method as never, url: urls.at(-1) as string, constraints: constraints as never }))
    } catch {
      return true
    }
  }

  /** Whether it was declared: an instance cannot declare what is outside its prefix. */
  #declareOptionsRoute (optionsRoute: GeneratedRoute, scope: Scope, routes: readonly Route[], constraints: Constraints = {}): boolean {
    const instance = scope.optionsRoutes
    const { url } = optionsRoute
    if (!url.startsWith(instance.prefix)) return scope.parent !== undefined && this.#declareOptionsRoute(optionsRoute, scope.parent, routes, constraints)
    refuseTooMany(url, routes)
    const path = url.slice(instance.prefix.length)
    // Fastify takes one of two slashes away where prefix and path meet.
    try {
      instance.route(this.#optionsRoute(instance.prefix.endsWith('/') && path.startsWith('/') ? `/${path}` : path, optionsRoute, scope, constraints))
      return true
    } catch (err) {
      // Most often Fastify refuses the route itself for the same reason, and says so.
      this.#undeclared.set(url, (err as Error).message)
      return false
    }
  }

  #optionsRoute (url: string, optionsRoute: GeneratedRoute, scope: Scope | undefined, constraints: Constraints = {}): RouteOptions {
    return {
      method: 'OPTIONS',
      url,
      prefixTrailingSlash: 'slash',
      config: trackRegistrations({}, undefined) as never,
      constraints: { ...constraints, [CONSTRAINT]: optionsRoute },
      ...(scope?.hideOptionsRoute !== false && { schema: HIDDEN as object }),
      ...(scope?.logLevel !== undefined && { logLevel: scope.logLevel as never }),
      onError: optionsRouteOnError,
      onSend: optionsRouteOnSend,
      // Fastify runs it only for who logs or has such hooks, at a price: nobody hears a warning where nothing is logged.
      ...(this.#root.log.warn !== this.#root.log.info && { onResponse: optionsRouteOnResponse }),
      handler: sendAnswer
    }
  }

  /** Finishes routes when every other onRoute hook has seen them, and when both their URLs are known. */
  #finishLater (route: Route): void {
    if (this.#unfinished.push(route) > 1) return
    const finish = (err: Error | null, done: (err: Error | null) => void): void => {
      try {
        for (const each of this.#unfinished.splice(0)) this.#finish(each)
        done(err)
      } catch (error) {
        done(error as Error) // thrown here, it would end the process
      }
    }
    route.instance.after(finish as never) // Fastify's types know only its first parameter
  }

  #finish (route: Route): void {
    const { scope } = route
    if (scope !== undefined && route.hasChanged) this.#readPolicy(route, scope)
    route.headWith(route.isGoverned ? this.#responseOf(route) : undefined)
    for (const url of route.urls) this.#addUrl(route, url, true)
  }

  /** Routes of one policy share their hooks, but for those whose own schemas say what is exposed. */
  #responseOf (route: Route): ResponsePolicy {
    const { policy } = route
    const derives = policy !== null && policy.exposedHeaders === undefined && route.describesResponses
    const make = (): ResponsePolicy => new ResponsePolicy(policy, route.policyName)
    if (!derives) return this.#responses.get(policy, route.policyName ?? '', make)
    const response = make()
    this.#exposing.push({ route, response })
    return response
  }

  /** Called when every route is registered. */
  ready (): void {
    this.#isReady = true
    if (!this.#hasScopes) {
      this.#routes = []
      return
    }
    for (const { route, response } of this.#exposing) response.expose(route.exposedHeaders())
    this.#warnOfUnread()
    this.#warnOfUndeclared()
    this.#warnOfUnreadable()
    if ([...this.#seenConstraints, ...this.#custom].some((name) => name !== 'host')) this.#checkConstraints()
    this.#untracked = this.#routes.filter(({ isUntracked }) => isUntracked)
    for (const route of this.#routes) route.settle()
    this.#routes = []
    this.#exposing.length = 0
    for (const map of [this.#byUrl, this.#checked, this.#policies, this.#responses]) map.clear()
  }

  /** Looks once more for conflicts, now among the URLs as the router has them, and says where none can be seen but a preflight is ambiguous. */
  #checkConstraints (): void {
    for (const routes of this.router.routesByUrl) {
      for (const { method, declared: route } of routes) {
        for (const { method: otherMethod, declared: other } of routes) {
          const conflict = method === otherMethod && route !== undefined && other !== undefined && conflictBetween(route as Route, other as Route)
          if (conflict instanceof Error) throw conflict
        }
      }
    }
    if (this.#custom.size === 0) return
    const ambiguous = this.router.ambiguousRoutes().map(({ method, path }: RegisteredRoute) => `${method} ${path}`)
    if (ambiguous.length > 0) {
      this.#root.log.warn(`fastify-cors-policy approves no preflight for ${printable(ambiguous.join(', '))}: a request that does not fulfil the constraints would reach another route, of another policy, and a preflight does not say which; write the same policy on both`)
    }
  }

  #warnOfUndeclared (): void {
    for (const [url, reason] of this.#undeclared) {
      this.#root.log.warn(`fastify-cors-policy answers no preflight for ${quote(url)}: Fastify refused the OPTIONS route for it (${printable(reason)})`)
    }
  }

  /** Routes whose `config.cors` nothing reads: no registration of this plugin, and none of @fastify/cors, which has the same name for it. */
  #warnOfUnread (): void {
    const unread = this.#routes.filter((route) => route.scope === undefined && (route.declared?.cors !== undefined) && !route.instance.hasPlugin('@fastify/cors'))
    if (unread.length === 0) return
    this.#root.log.warn(`config.cors has no effect on ${printable(unread.map(({ name }) => name).join(', '))}: fastify-cors-policy is registered neither in the scope of these routes nor in one around it`)
  }

  /** Routes whose lists of headers are to be derived from a schema that cannot be read. */
  #warnOfUnreadable (): void {
    const unreadable = { allowedHeaders: [] as string[], exposedHeaders: [] as string[] }
    for (const route of this.#routes) {
      const { policy } = route
      if (policy === null || (policy.allowedHeaders !== undefined && policy.exposedHeaders !== undefined)) continue
      for (const list of route.unreadableLists()) if (policy[list] === undefined) unreadable[list].push(route.name)
    }
    for (const [list, names] of Object.entries(unreadable)) {
      if (names.length === 0) continue
      const what = list === 'allowedHeaders' ? 'schema.headers' : 'the headers of the response schemas'
      this.#root.log.warn(`fastify-cors-policy cannot read ${what} of ${printable(names.join(', '))}: it is no JSON Schema, and offers none; list ${list} in the policy of the route`)
    }
  }
}

/** The generated route that a route has at this URL. */
function optionsRouteAt (url: string, { optionsRoutes }: Route): GeneratedRoute | undefined {
  return optionsRoutes.find((optionsRoute) => optionsRoute.url === url)
}

interface Named { readonly [key: string]: { readonly name: string } }

/** One for all generated routes. */
const HIDDEN = { hide: true }
