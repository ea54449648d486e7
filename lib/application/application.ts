// The state of the plugin for one Fastify application: its scopes, its routes and the policy of each route. The observer reports every declared route;
// a registration of the plugin adds a scope. Each route with a policy gets an OPTIONS route (options-routes.ts), and hooks that set the headers of its
// responses.
// It creates the PreflightRouter, which answers preflights once every route is registered.
import type { FastifyInstance } from 'fastify'
import { checkRouteCors, isDefinedPolicy, type CheckedPolicy } from '../policy/check-policies'
import { declarationKey } from '../policy/check-fields'
import { corsPolicyError, quote, type CorsProblem } from '../messages/errors'
import type { RawRequest } from '../http/preflight-request'
import type { CompiledPolicy } from '../policy/compiled-policy'
import { addPreflightConstraint, CONSTRAINT, GeneratedRoute, sendAnswer } from '../preflight/generated-route'
import { nextOrder, registeredRoutes, trackedDeclarationOf, type DeclaredRoute, type RegisteredRoute } from '../preflight/registered'
import { PreflightRouter } from '../preflight/router'
import { hasListeners, reportRefusal } from '../response/refused'
import { ResponsePolicy } from '../response/response'
import { conflictBetween } from './conflicts'
import { Interned } from './interned'
import { OptionsRoutes, optionsRouteAt } from './options-routes'
import { Route, type ObservedOptions } from './route'
import { scopeOf, setScope, type Scope } from './scope'
import { warnOfAmbiguousRoutes, warnOfRefusedOptionsRoutes, warnOfUnreadableSchemas, warnOfUnreadDeclarations } from './warnings'

export class Application {
  readonly #root: FastifyInstance
  readonly #knowsAllRoutes: boolean
  #routes: Route[] = []
  readonly #unfinishedRoutes: Route[] = []
  /** Routes by URL, as it was declared. */
  readonly #byUrl = new Map<string, Route[]>()
  /** Checked declarations by scope and key: most routes repeat the declaration of another route. */
  readonly #checkedByKey = new Interned<CheckedPolicy | false>()
  readonly #policiesByKey = new Map<string, CompiledPolicy>()
  readonly #responsePolicies = new Interned<ResponsePolicy>()
  /** Responses whose exposed headers come from schemas. Shared schemas are known when the application is ready. */
  readonly #derivedExposures: Array<{ readonly route: Route, readonly response: ResponsePolicy }> = []
  /** Names of the constraints whose strategy the application defines. */
  readonly #customConstraints = new Set<string>()
  readonly #seenConstraints = new Set<string>()
  readonly #optionsRoutes: OptionsRoutes
  #hasScopes = false
  /** Every registration of the plugin. */
  readonly scopes: Scope[] = []
  #router: PreflightRouter | undefined
  /** Whether every route is registered. */
  #isReady = false
  /** Routes that the router's registrations do not lead back to. Set when every route is registered. */
  #untracked: ReadonlySet<DeclaredRoute> = new Set()

  /** `knowsAllRoutes` is true if every declared route is observed. */
  constructor (root: FastifyInstance, knowsAllRoutes: boolean) {
    this.#root = root
    this.#knowsAllRoutes = knowsAllRoutes
    this.#optionsRoutes = new OptionsRoutes(root)
    const { constraints, routerOptions } = root.initialConfig as { constraints?: Named, routerOptions?: { constraints?: Named } }
    for (const { name } of Object.values({ ...constraints, ...routerOptions?.constraints })) this.#customConstraints.add(name)
  }

  /** Called for every declared route, by an onRoute hook. Throws a CorsPolicyError for a wrong `config.cors`. */
  observe (instance: FastifyInstance, options: ObservedOptions): void {
    if (options.handler === sendAnswer) return
    const route = new Route(instance, options)
    if (options.constraints != null) this.#noteConstraints(route)
    route.keepDeclaration(this.#hasScopes)
    this.#applyScope(route)
    route.order = nextOrder()
    this.#routes.push(route)
  }

  /** Records custom constraints. For `host` and `version`, the router answers only before it has a route with that constraint. */
  #noteConstraints ({ constraints }: Route): void {
    for (const name of Object.keys(constraints)) {
      if (this.#seenConstraints.has(name)) continue
      this.#seenConstraints.add(name)
      if ((name !== 'host' && name !== 'version') || this.#root.hasConstraintStrategy(name)) this.#customConstraints.add(name)
    }
  }

  /** Adds a scope. It applies to its instance and the instances below, including the routes declared so far. */
  addScope (scope: Scope): void {
    if (!this.#hasScopes) this.#preparePreflights()
    setScope(scope)
    this.scopes.push(scope)
    for (const route of this.#routes) {
      if (route.scope?.isWithin(scope) !== true) continue
      route.readAgain()
      this.#applyScope(route)
    }
  }

  /** Called for the first registration. An application that never registers the plugin stays unchanged. */
  #preparePreflights (): void {
    if (this.#root.hasConstraintStrategy(CONSTRAINT)) {
      const message = `the application has a constraint strategy with the name ${quote(CONSTRAINT)}, which the plugin needs; write another name`
      throw corsPolicyError('fastify-cors-policy', [{ pointer: '', reason: 'conflict', value: CONSTRAINT, message }])
    }
    this.#hasScopes = true
    const hasEarlierRoutes = !this.#knowsAllRoutes || this.#routes.length > 0
    const earlierOptionsPaths = new Set(hasEarlierRoutes ? registeredRoutes(this.#root, 'OPTIONS').routes.map(({ path }) => path) : [])
    addPreflightConstraint(this.#root, (preflight) => this.router.resolve(preflight) ?? this.#reportUnanswered(preflight))
    // The router applies the constraint only at URLs with a route declared after it. Without one, these OPTIONS routes would receive answered preflights.
    for (const path of earlierOptionsPaths) this.#optionsRoutes.declareBeside(path)
  }

  /** A preflight that no policy answers is routed as without the plugin. Fastify has not created a request yet. */
  #reportUnanswered (preflight: RawRequest): undefined {
    const { log } = this.#root
    if (hasListeners(log)) reportRefusal(log, null, this.router.refusalOf(preflight))
  }

  /** Created when it is first needed, and kept when every route is registered: before that, `app.cors` sees the routes so far. */
  get router (): PreflightRouter {
    if (this.#router !== undefined) return this.#router
    const router = new PreflightRouter(this.#root, this.#customConstraints, this.#isReady ? this.#untracked : this.#untrackedSoFar())
    if (this.#isReady) this.#router = router
    return router
  }

  #untrackedSoFar (): Set<DeclaredRoute> {
    for (const route of this.#routes) route.readAgain()
    return untrackedRoutes(this.#routes)
  }

  /** The scope of an instance: its own, or that of the nearest parent. */
  scopeOf (instance: FastifyInstance): Scope | undefined {
    return scopeOf(instance)
  }

  #applyScope (route: Route): void {
    const { scope } = route
    if (scope === undefined) return
    this.#readPolicy(route, scope)
    this.#addUrl(route, route.firstUrl, false)
    this.#finishAfterHooks(route)
  }

  #readPolicy (route: Route, scope: Scope): void {
    const { declared } = route
    route.applied = declared
    route.checked = declared === undefined ? scope.defaultPolicy : this.#check(route, scope, declared.cors)
    route.policy = this.#sharedPolicy(route.checked)
    route.setsHeaders = declared !== undefined || route.policy !== null
  }

  #check (route: Route, scope: Scope, cors: unknown): CheckedPolicy | false {
    // A wrong declaration throws, so it is never stored.
    const check = (): CheckedPolicy | false => {
      const problems: CorsProblem[] = []
      const checked = checkRouteCors(cors, scope.names, problems)
      if (problems.length > 0) throw corsPolicyError(`config.cors of ${route.name}`, problems)
      return checked as CheckedPolicy | false
    }
    const key = isDefinedPolicy(cors) ? undefined : declarationKey(cors)
    return key === undefined ? check() : this.#checkedByKey.get(scope, key, check)
  }

  /** Equal policies become one object, so that they can be compared by identity. */
  #sharedPolicy (checked: CheckedPolicy | false): CompiledPolicy | null {
    if (checked === false) return null
    const { compiled } = checked
    const policy = this.#policiesByKey.get(compiled.key)
    if (policy === undefined) this.#policiesByKey.set(compiled.key, compiled)
    return policy ?? compiled
  }

  /** Records one URL of a route, and declares the OPTIONS route if its scope has none at this URL. `isFinished` is true after all onRoute hooks. */
  #addUrl (route: Route, url: string, isFinished: boolean): void {
    let routes = this.#byUrl.get(url)
    if (routes === undefined) this.#byUrl.set(url, routes = [])
    let isNew = true
    for (const other of routes) {
      if (other === route) isNew = false
      const conflict = conflictBetween(route, other)
      // A route that Fastify rejected conflicts with no other.
      if (conflict !== undefined && (!isFinished || this.#isRegistered(route)) && this.#isRegistered(other)) throw conflict
    }
    if (isNew) routes.push(route)
    const { scope, policy } = route
    if (policy === null || scope === undefined || optionsRouteAt(url, route) !== undefined) return
    const shared = routes.find((other) => other.scope === scope && optionsRouteAt(url, other) !== undefined)
    const optionsRoute = (shared && optionsRouteAt(url, shared)) ?? new GeneratedRoute(url)
    if (shared === undefined && !this.#optionsRoutes.declare(optionsRoute, scope, routes)) return
    route.optionsRoutes = route.optionsRoutes.length === 0 ? optionsRoute.alone : [...route.optionsRoutes, optionsRoute]
    if (this.#customConstraints.size === 0) return
    const constraints = Object.fromEntries(Object.entries(route.constraints).filter(([name]) => this.#customConstraints.has(name)))
    // A custom strategy may derive a value from preflights too, and exclude every route without that constraint.
    if (Object.keys(constraints).length > 0) this.#optionsRoutes.declare(optionsRoute, scope, routes, constraints)
  }

  /** True if Fastify cannot tell: hasRoute throws for a URL that the router changes before it registers it. */
  #isRegistered ({ methods, urls, constraints }: Route): boolean {
    try {
      return methods.some((method) => this.#root.hasRoute({ method: method as never, url: urls.at(-1) as string, constraints: constraints as never }))
    } catch {
      return true
    }
  }

  /** Finishes routes after every onRoute hook has seen them, when both their URLs are known. */
  #finishAfterHooks (route: Route): void {
    if (this.#unfinishedRoutes.push(route) > 1) return
    const finish = (err: Error | null, done: (err: Error | null) => void): void => {
      try {
        for (const each of this.#unfinishedRoutes.splice(0)) this.#finish(each)
        done(err)
      } catch (error) {
        done(error as Error) // an error thrown here would end the process
      }
    }
    route.instance.after(finish as never) // Fastify's types know only its first parameter
  }

  #finish (route: Route): void {
    const { scope } = route
    route.settle()
    const hasChanged = route.declared !== route.applied
    if (scope !== undefined && hasChanged) this.#readPolicy(route, scope)
    route.setHooks(route.setsHeaders ? this.#responseOf(route) : undefined)
    const { urls } = route
    // Nothing is new about most routes. If one without constraints conflicts with another route, that other one has constraints, and reports the conflict.
    const isUnchanged = !hasChanged && urls.length === 1 && !route.hasConstraints && (route.policy === null || route.optionsRoutes.length > 0)
    if (!isUnchanged) for (const url of urls) this.#addUrl(route, url, true)
  }

  /** Routes of one policy share their hooks, unless the exposed headers come from the route's own schemas. */
  #responseOf (route: Route): ResponsePolicy {
    const { policy } = route
    const derives = policy !== null && policy.exposedHeaders === undefined && route.describesResponses
    const make = (): ResponsePolicy => new ResponsePolicy(policy, route.policyName)
    if (!derives) return this.#responsePolicies.get(policy, route.policyName ?? '', make)
    const response = make()
    this.#derivedExposures.push({ route, response })
    return response
  }

  /**
   * What decides on the responses of a route, found by the `config` that Fastify has for it. Undefined if the plugin does not set their headers. If an onRoute
   * hook has copied that `config` from another route, it is not known which of them it is, and no origin is allowed.
   */
  responsePolicyOf (config: object): ResponsePolicy | undefined {
    const declared = trackedDeclarationOf(config) as Route | undefined
    return declared !== undefined && this.#untracked.has(declared) ? new ResponsePolicy(null, null) : declared?.response
  }

  /** Called by an onReady hook, when every route is registered. */
  ready (): void {
    this.#isReady = true
    if (!this.#hasScopes) {
      this.#routes = []
      return
    }
    for (const { route, response } of this.#derivedExposures) response.expose(route.exposedHeaders())
    for (const route of this.#routes) route.release()
    this.#untracked = untrackedRoutes(this.#routes)
    warnOfUnreadDeclarations(this.#root.log, this.#routes)
    warnOfRefusedOptionsRoutes(this.#root.log, this.#optionsRoutes.refused)
    warnOfUnreadableSchemas(this.#root.log, this.#routes)
    if ([...this.#seenConstraints, ...this.#customConstraints].some((name) => name !== 'host')) this.#checkRegisteredRoutes()
    this.#routes = []
    this.#derivedExposures.length = 0
    for (const map of [this.#byUrl, this.#checkedByKey, this.#policiesByKey, this.#responsePolicies]) map.clear()
  }

  /** Checks for conflicts again, among the URLs as the router has them, and warns of routes whose preflights are ambiguous. */
  #checkRegisteredRoutes (): void {
    for (const routes of this.router.routesByUrl) {
      for (const { method, declared: route } of routes) {
        for (const { method: otherMethod, declared: other } of routes) {
          if (method !== otherMethod || route === undefined || other === undefined) continue
          const conflict = conflictBetween(route as Route, other as Route)
          if (conflict !== undefined) throw conflict
        }
      }
    }
    if (this.#customConstraints.size === 0) return
    const ambiguous = this.router.ambiguousRoutes().map(({ method, path }: RegisteredRoute) => `${method} ${path}`)
    if (ambiguous.length > 0) warnOfAmbiguousRoutes(this.#root.log, ambiguous)
  }
}

/** The routes that registrations do not lead to, and those that they lead to in place of these: a hook may have copied the `config` of another route. */
function untrackedRoutes (routes: readonly Route[]): Set<DeclaredRoute> {
  const untracked = new Set<DeclaredRoute>()
  for (const route of routes) {
    const { trackedDeclaration } = route
    if (trackedDeclaration === route) continue
    untracked.add(route)
    if (trackedDeclaration !== undefined) untracked.add(trackedDeclaration)
  }
  return untracked
}

interface Named { readonly [key: string]: { readonly name: string } }
