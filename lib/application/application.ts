// The state of the plugin for one Fastify application: its scopes, its routes and their policies. An onRoute hook declares each route; when the application is
// ready, Fastify's router says which routes there are, and their `config` says what they declare by then.
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { probeWriteHead } from '../fastify/probes'
import type { Constraints, RouteContext, RouterEntry } from '../fastify/router-entries'
import type { RawRequest } from '../http/preflight-request'
import { corsPolicyError, printable, quote } from '../messages/errors'
import { misplacedPolicies } from '../messages/misplaced'
import type { RouteSchema } from '../policy/derived-headers'
import type { AnswerOptions } from '../preflight/answer'
import { addPreflightConstraint, CONSTRAINT } from '../preflight/options-route'
import { ReachableRoutes } from '../preflight/reachable-routes'
import { PreflightResolver } from '../preflight/resolve'
import { hasListeners, reportRefusal } from '../response/refused'
import { linkedRoute, linkRoute, Route } from '../response/route'
import type { Registration, ResponseSource } from '../response/source'
import { checkConflicts, Conflicts } from './conflicts'
import { copyDeclaration, declarationOf, isSameDeclaration, ownConfigOf, withOwnConfig } from './declaration'
import { isOptionsRoute, OptionsRoutes } from './options-routes'
import { RoutePolicies } from './policies'
import { entriesByContext, optionsRouteFinder, readRoutes, registeredRoutes, type ReadRoutes } from './registered-routes'
import { scopeOf, setScope, type Scope } from './scope'
import { logWarnings } from './warnings'

/** What an onRoute hook is given. */
export type RouteDeclaration = RouteOptions & { url: string }

/** A route that some onRoute hooks have not seen yet. They may change its options. */
interface UnfinishedRoute {
  readonly instance: FastifyInstance
  readonly options: RouteDeclaration
  readonly firstUrl: string
}

/** What is known once the application is ready, or of the routes so far. */
interface Snapshot {
  readonly reachable: ReachableRoutes
  readonly resolver: PreflightResolver
}

export class Application {
  readonly root: FastifyInstance
  /** Every registration of the plugin. */
  readonly scopes: Scope[] = []
  readonly #policies = new RoutePolicies()
  readonly #conflicts = new Conflicts()
  readonly #optionsRoutes: OptionsRoutes
  readonly #unfinished: UnfinishedRoute[] = []
  /** The options of the routes that were seen. */
  readonly #seen = new WeakSet<object>()
  /** The instances that have declared routes, or may have before they were observed. */
  readonly #declaringInstances = new Set<FastifyInstance>()
  #lastOrder = 0
  /** Set when every route is registered. */
  #snapshot: Snapshot | undefined

  /** Called for the first registration in an application. Nothing of Fastify is touched before. */
  constructor (root: FastifyInstance) {
    this.root = root
    this.#optionsRoutes = new OptionsRoutes(root)
    if (root.hasConstraintStrategy(CONSTRAINT)) {
      const message = `the application has a constraint strategy with the name ${quote(CONSTRAINT)}, which the plugin needs; write another name`
      throw corsPolicyError('fastify-cors-policy', [{ pointer: '', reason: 'conflict', value: CONSTRAINT, message }])
    }
    addPreflightConstraint(root, (preflight) => this.#currentSnapshot().resolver.resolve(preflight) ??
      this.#reportUnanswered(preflight, null, this.scopes[0] as Scope))
    root.addHook('onReady', async () => { this.#ready() })
    this.observe(root)
  }

  /** Sees the routes of an instance, and of the instances that are made below it later. */
  observe (instance: FastifyInstance): void {
    const { root } = this
    const seen = this.#seen
    const declare = this.#declare.bind(this)
    instance.addHook('onRoute', function (options) {
      // Instances inherit the hook of the root, and of each instance that was made before it.
      if (seen.has(options)) return
      seen.add(options)
      declare(this, options)
    })
    if (instance !== root) this.#declaringInstances.add(instance)
  }

  /** Adds a scope. It applies to its instance and the instances below, including the routes declared so far. */
  addScope (scope: Scope): void {
    setScope(scope)
    this.scopes.push(scope)
    const isAffected = (instance: FastifyInstance): boolean => scopeOf(instance)?.isWithin(scope) === true
    if (this.scopes.length > 1 && ![...this.#declaringInstances].some(isAffected)) return
    for (const [context, entries] of entriesByContext(readRoutes(this.root))) {
      const own = scopeOf(context.server)
      if (own?.isWithin(scope) !== true) continue
      const route = this.#currentRoute(context, own)
      linkRoute(context.config, route)
      if (route.policy === null) continue
      for (const { path, constraints } of entries) this.#optionsRoutes.declare({ url: path, instance: context.server, scope: own, constraints })
    }
  }

  /** Called for every route. Throws a CorsPolicyError for a wrong `config.cors` in a scope. */
  #declare (instance: FastifyInstance, options: RouteDeclaration): void {
    if (isOptionsRoute(options)) return
    this.#declaringInstances.add(instance)
    // The router reads the object again whenever it builds a part of its tree anew. The caller may have changed it by then.
    if (options.constraints != null) options.constraints = { ...options.constraints }
    const scope = scopeOf(instance)
    if (scope === undefined) return
    const misplaced = misplacedPolicies(options)
    const { url, method, schema } = options
    const declaration = copyDeclaration(declarationOf(ownConfigOf(options)))
    const methods = [method].flat()
    if (misplaced.length > 0) throw corsPolicyError(`${methods.join(', ')} ${url}`, misplaced)
    const resolved = this.#policies.resolve(declaration, scope, `${methods.join(', ')} ${url}`)
    const facts = { instance, scope, methods, url, schema: schema as RouteSchema | undefined, order: ++this.#lastOrder }
    const route = new Route(facts, declaration, resolved, this.#policies.shared(resolved))
    const conflict = this.#conflicts.add(this.root, route, (options.constraints ?? {}) as Constraints)
    if (conflict !== undefined) throw conflict
    options.config = withOwnConfig(ownConfigOf(options)) as never
    linkRoute(options.config as object, route)
    if (methods.includes('OPTIONS')) this.#optionsRoutes.countOwn(url)
    const unfinished = { instance, options, firstUrl: url }
    this.#declareOptions(unfinished)
    this.#finishAfterHooks(unfinished)
  }

  /** Declares OPTIONS routes once more after every onRoute hook has seen the routes: hooks may have changed their URLs, policies and constraints. */
  #finishAfterHooks (route: UnfinishedRoute): void {
    if (this.#unfinished.push(route) > 1) return
    const finish = (err: Error | null, done: (err: Error | null) => void): void => {
      try {
        for (const each of this.#unfinished.splice(0)) this.#declareOptions(each)
        done(err)
      } catch (error) {
        done(error as Error) // an error thrown here would end the process
      }
    }
    route.instance.after(finish as never) // Fastify's types know only its first parameter
  }

  /** Below a prefix, Fastify registers `/` with a second URL, after the hooks. */
  #declareOptions ({ instance, options, firstUrl }: UnfinishedRoute): void {
    const { url, method, constraints } = options
    const scope = scopeOf(instance) as Scope
    if (this.#policies.resolve(declarationOf(ownConfigOf(options)), scope, `${[method].flat().join(', ')} ${firstUrl}`) === false) return
    for (const each of new Set([firstUrl, url])) {
      this.#optionsRoutes.declare({ url: each, instance, scope, constraints: (constraints ?? {}) as Constraints })
    }
  }

  /** A Fastify route as it is now: hooks may have changed its `config`, or given it the one of another route. */
  #currentRoute ({ config, server: instance, schema }: RouteContext, scope: Scope): Route {
    const linked = linkedRoute(config)
    const declaration = declarationOf(config)
    const { url, method } = config as { readonly url: string, readonly method: string | string[] }
    const facts = { instance, scope, methods: [method].flat(), url, schema: schema as RouteSchema | undefined, order: linked?.order ?? ++this.#lastOrder }
    const isUnchanged = linked !== undefined && linked.scope === scope && isSameDeclaration(linked.declaration, declaration)
    // A default policy may have changed since.
    const resolved = isUnchanged && declaration !== undefined
      ? linked.resolved
      : this.#policies.resolve(declaration, scope, `${facts.methods.join(', ')} ${url}`)
    return new Route(facts, isUnchanged ? linked.declaration : copyDeclaration(declaration), resolved, this.#policies.shared(resolved))
  }

  /** Called by an onReady hook, when every route is registered. */
  #ready (): void {
    probeWriteHead()
    const read = readRoutes(this.root)
    const contexts = entriesByContext(read)
    const unseen = [...contexts.keys()].filter(({ config, server }) => linkedRoute(config) === undefined && scopeOf(server) !== undefined)
    const routes = this.#currentRoutes(contexts)
    for (const [context, route] of routes) linkRoute(context.config, route)
    this.#snapshot = this.#snapshotOf(read, routes)
    checkConflicts(read.entriesByMethod, ({ context }) => routes.get(context))
    refuseUnseen(unseen.flatMap((context) => contexts.get(context) as RouterEntry[]), routes, optionsRouteFinder(read, scopesOf))
    const ambiguous = this.#snapshot.resolver.ambiguousRoutes()
    logWarnings(this.root.log, { contexts, routes, scopes: this.scopes, refused: this.#optionsRoutes.refused, unreadable: read.unreadable, ambiguous })
    this.#conflicts.clear()
    this.#policies.clear()
    this.#optionsRoutes.clear()
    this.#declaringInstances.clear()
  }

  #currentRoutes (contexts: ReadonlyMap<RouteContext, unknown>): Map<RouteContext, Route> {
    const routes = new Map<RouteContext, Route>()
    for (const context of contexts.keys()) {
      const scope = scopeOf(context.server)
      if (scope !== undefined) routes.set(context, this.#currentRoute(context, scope))
    }
    return routes
  }

  #snapshotOf (read: ReadRoutes, routes: ReadonlyMap<RouteContext, Route>): Snapshot {
    const reachable = new ReachableRoutes(registeredRoutes(this.root, read, routes, this.#optionsRoutes.count))
    const rootHasDefaultPolicy = (): boolean => (scopeOf(this.root)?.defaultPolicy ?? false) !== false
    return { reachable, resolver: new PreflightResolver(reachable, optionsRouteFinder(read, scopesOf), rootHasDefaultPolicy) }
  }

  /** Before the application is ready, `app.cors` sees the routes so far. */
  #currentSnapshot (): Snapshot {
    if (this.#snapshot !== undefined) return this.#snapshot
    const read = readRoutes(this.root)
    return this.#snapshotOf(read, this.#currentRoutes(entriesByContext(read)))
  }

  /** What answers a preflight that reaches a not-found handler. Undefined if no policy does. */
  resolveNotFound (preflight: FastifyRequest, source: ResponseSource): AnswerOptions | undefined {
    return this.#currentSnapshot().resolver.resolveNotFound(preflight.raw, source) ?? this.#reportUnanswered(preflight.raw, preflight, source.scope)
  }

  /** The routes of the application. */
  get routes (): ReachableRoutes {
    return this.#currentSnapshot().reachable
  }

  /** A preflight that no policy answers is routed as without the plugin. `request` is null until Fastify has created it. */
  #reportUnanswered (preflight: RawRequest, request: FastifyRequest | null, { refusalLogLevel }: Registration): undefined {
    const { log } = request ?? this.root
    const { resolver } = this.#currentSnapshot()
    if (!hasListeners(log, refusalLogLevel)) return
    const refusal = resolver.refusalOf(preflight)
    // What has no route may be answered by the scope of the not-found handler, so it is reported there.
    const mayBeAnswered = refusal.reason === 'no-route' || refusal.reason === 'method-not-routed'
    const isReportedLater = mayBeAnswered && this.scopes.some(({ defaultPolicy }) => defaultPolicy !== false)
    if (isReportedLater === (request !== null)) reportRefusal(log, refusalLogLevel, request, refusal)
  }
}

/** The scope of an entry's route, and its parent scopes. */
function scopesOf ({ context }: RouterEntry): Scope[] {
  const scopes: Scope[] = []
  for (let scope = scopeOf(context.server); scope !== undefined; scope = scope.parent) scopes.push(scope)
  return scopes
}

/**
 * Throws if an instance that was made before the registration declared routes after it: no hook of the plugin has seen these, so no OPTIONS route answers their
 * preflights.
 */
function refuseUnseen (unseen: readonly RouterEntry[], routes: ReadonlyMap<RouteContext, Route>, findOptionsRoute: (entry: RouterEntry) => unknown): void {
  const uncovered = unseen.filter((entry) => routes.get(entry.context)?.policy != null && findOptionsRoute(entry) === undefined)
  if (uncovered.length === 0) return
  const names = printable(uncovered.map(({ method, path }) => `${method} ${path}`).join(', '))
  throw corsPolicyError('fastify-cors-policy', [{
    pointer: '',
    reason: 'conflict',
    value: uncovered.map(({ path }) => path),
    message: `it was registered after the instance that declares ${names}, and before these routes; write await app.register(cors) before that instance is made`
  }])
}
