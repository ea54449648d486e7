// What the plugin knows of one Fastify application until it is ready: its routes, the scopes the plugin was registered in, and
// which policy each route has. From that it declares the generated OPTIONS routes and hooks the routes' responses.
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { checkRouteCors, type CheckedPolicy, type PolicyNames } from './declaration'
import { derivedExposedHeaders, derivedRequestHeaders, type RouteSchema } from './derive'
import { corsPolicyError, quote, type CorsProblem } from './errors'
import { canBePreflighted } from './http/methods'
import type { CompiledPolicy } from './policy'
import { PreflightAnswer } from './preflight'
import { ResponsePolicy } from './response'
import { CONSTRAINT, kAnswer, PreflightTarget, type Answered, type Constraints } from './routing'

/** One registration of the plugin. */
export interface Scope {
  readonly instance: FastifyInstance
  readonly names: PolicyNames
  readonly defaultPolicy: CheckedPolicy | false
  readonly logLevel: string | undefined
  readonly hideOptionsRoute: boolean
  /** The instance that the scope's generated routes are declared on. */
  readonly optionsRoutes: FastifyInstance
}

/** Where an instance carries its scope; the instances below inherit it. */
const kScope = Symbol('fastify-cors-policy.scope')

type Scoped = FastifyInstance & { [kScope]?: Scope }

/** The scope of an instance: its own, or that of the nearest instance around it. */
export function scopeOf (instance: FastifyInstance): Scope | undefined {
  return (instance as Scoped)[kScope]
}

/** The mark of generated routes, in their `config`. */
const kGenerated = Symbol('fastify-cors-policy.generated')

type ObservedOptions = RouteOptions & { url: string }

/** A route, from its declaration on. */
class Route {
  readonly methods: readonly string[]
  readonly url: string
  readonly host: string | RegExp | undefined
  readonly constraints: Constraints
  policy: CompiledPolicy | null = null
  /** Whether the headers of its responses are ours: it has a policy, or says that it has none. */
  governed = false
  hooked = false
  /** Known when the application is ready, and so before any request. */
  response!: ResponsePolicy

  constructor (readonly instance: FastifyInstance, readonly options: ObservedOptions) {
    const { host, ...constraints } = options.constraints ?? {}
    this.methods = [options.method].flat()
    this.url = options.url
    this.host = host
    this.constraints = constraints
  }

  /** A `/` below a prefix has two URLs, of which Fastify declares the second after its hooks, on the same object. */
  get urls (): readonly string[] {
    return this.options.url === this.url ? [this.url] : [this.url, this.options.url]
  }

  get name (): string {
    return `${this.methods.join(', ')} ${this.url}`
  }

  /** Ours come first among the route's own hooks for the request, and last for the response. */
  hook (): void {
    this.hooked = true
    const { options } = this
    options.onRequest = [(request, reply, done) => this.response.onRequest(request, reply, done), ...list(options.onRequest)]
    options.onError = [...list(options.onError), (request, reply, error, done) => this.response.onError(request, reply, error, done)]
    options.onSend = [...list(options.onSend), (request, reply, payload, done) => this.response.onSend(request, reply, payload, done)]
  }
}

function list<Hook> (hooks: Hook | Hook[] | undefined): Hook[] {
  return hooks === undefined ? [] : [hooks].flat() as Hook[]
}

/** One URL: its routes, and the targets of its preflights, one for each scope that has routes there. */
interface Place {
  readonly routes: Set<Route>
  readonly targets: Map<Scope | undefined, PreflightTarget>
}

export class Application {
  readonly #root: FastifyInstance
  readonly #routes: Route[] = []
  readonly #places = new Map<string, Place>()
  readonly #policies = new Map<string, CompiledPolicy>()
  readonly #seen = new WeakSet<object>()
  #hasScopes = false
  readonly #unfinished: Route[] = []

  constructor (root: FastifyInstance) {
    this.#root = root
  }

  /** Called for every route, by the onRoute hook of its instance. Throws what is wrong with its `config.cors`. */
  observe (instance: FastifyInstance, options: ObservedOptions): void {
    if (this.#seen.has(options) || (options.config as Record<symbol, unknown> | undefined)?.[kGenerated] === true) return
    this.#seen.add(options)
    const route = new Route(instance, options)
    if (this.#hasScopes) this.#govern(route)
    this.#routes.push(route)
  }

  /** Makes a scope of this instance and of those below, their routes so far included. */
  addScope (instance: FastifyInstance, scope: Scope): void {
    instance.decorate(kScope, scope)
    // The first scope makes all other routes of the application rivals of its own.
    const concerned = this.#hasScopes ? this.#routes.filter((route) => scopeOf(route.instance) === scope) : this.#routes
    this.#hasScopes = true
    for (const route of concerned) this.#govern(route)
  }

  #govern (route: Route): void {
    const scope = scopeOf(route.instance)
    const declared: unknown = route.options.config?.cors
    if (scope !== undefined && declared !== undefined) {
      const problems: CorsProblem[] = []
      const checked = checkRouteCors(declared, scope.names, problems)
      if (problems.length > 0) throw corsPolicyError(`config.cors of ${route.name}`, problems)
      this.#setPolicy(route, checked as CheckedPolicy | false)
      route.governed = true
    } else {
      this.#setPolicy(route, scope?.defaultPolicy ?? false)
      route.governed = route.policy !== null
    }
    this.#place(route, route.url, scope)
    this.#finishLater(route)
  }

  /** Routes whose policies are equal share one, so that whether they are equal is whether they are the same. */
  #setPolicy (route: Route, checked: CheckedPolicy | false): void {
    if (checked === false) {
      route.policy = null
      return
    }
    const { compiled } = checked
    route.policy = this.#policies.get(compiled.key) ?? compiled
    this.#policies.set(compiled.key, route.policy)
  }

  #place (route: Route, url: string, scope: Scope | undefined): void {
    const place = this.#places.get(url) ?? { routes: new Set(), targets: new Map() }
    this.#places.set(url, place)
    for (const other of place.routes) refuseConflict(route, other)
    place.routes.add(route)
    // No URL but its own leads to a route without parameters: it stands in nobody's way there.
    if (place.targets.has(scope) || (route.policy === null && !url.includes(':') && !url.includes('*') && route.host === undefined)) return
    const target = new PreflightTarget(url)
    place.targets.set(scope, target)
    this.#declareOptionsRoute(url, target, scope)
  }

  #declareOptionsRoute (url: string, target: PreflightTarget, scope: Scope | undefined): void {
    const instance = scope?.optionsRoutes ?? this.#root
    const path = url.slice(instance.prefix.length)
    instance.route({
      method: 'OPTIONS',
      // Fastify takes one of two slashes away where prefix and path meet.
      url: instance.prefix.endsWith('/') && path.startsWith('/') ? `/${path}` : path,
      prefixTrailingSlash: 'slash',
      constraints: { [CONSTRAINT]: target },
      config: { [kGenerated]: true } as never,
      ...(scope?.hideOptionsRoute !== false && { schema: HIDDEN as object }),
      ...(scope?.logLevel !== undefined && { logLevel: scope.logLevel as never }),
      onSend: restoreAnswer,
      handler: sendAnswer
    })
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
    if (route.governed && !route.hooked) route.hook()
    for (const url of route.urls) this.#place(route, url, scopeOf(route.instance))
  }

  /** Computes what requests need; nothing else of the application is kept. */
  ready (): void {
    for (const place of this.#places.values()) announce(place)
    const responses = new Cache<ResponsePolicy>()
    for (const route of this.#routes) {
      const { policy, options, instance } = route
      const exposed = policy?.exposedHeaders ?? (policy === null ? [] : derivedExposedHeaders(options.schema as RouteSchema, instance.getSchemas()))
      route.response = responses.get(policy, exposed.join(), () => new ResponsePolicy(policy, exposed))
    }
    this.#routes.length = 0
    this.#places.clear()
    this.#policies.clear()
  }

  /** Routes whose `config.cors` nothing reads: no registration of this plugin, and none of @fastify/cors, which has the same name for it. */
  unread (): string[] {
    return this.#routes
      .filter(({ options, instance }) => options.config?.cors !== undefined && scopeOf(instance) === undefined && !instance.hasPlugin('@fastify/cors'))
      .map(({ name }) => name)
  }
}

/** What was computed for a policy and a text, so that routes which need the same share it. */
class Cache<Value> {
  readonly #values = new Map<CompiledPolicy | null, Map<string, Value>>()

  get (policy: CompiledPolicy | null, key: string, create: () => Value): Value {
    const values = this.#values.get(policy) ?? new Map<string, Value>()
    this.#values.set(policy, values)
    const value = values.get(key) ?? create()
    values.set(key, value)
    return value
  }
}

/** Gives the targets of an URL their answers. */
function announce ({ routes, targets }: Place): void {
  for (const route of routes) {
    const { policy, host, constraints, options, instance } = route
    const target = targets.get(scopeOf(instance))
    if (target === undefined) continue
    for (const method of route.methods.filter(canBePreflighted)) {
      const answer = policy && new PreflightAnswer(policy, methodsLike(route, routes),
        policy.allowedHeaders === undefined ? derivedRequestHeaders(method, options.schema as RouteSchema, instance.getSchemas()) : [])
      target.add(method, { answer, host, constraints })
    }
  }
}

/** Every method of the URL and host with the route's policy: browsers remember all of them, so that one preflight serves them. */
function methodsLike (route: Route, routes: Iterable<Route>): readonly string[] {
  const alike = [...routes].filter((other) => other.policy === route.policy && sameHost(other, route))
  return [...new Set(alike.flatMap((other) => other.methods).filter(canBePreflighted))]
}

function sameHost (one: Route, other: Route): boolean {
  return String(one.host) === String(other.host)
}

/** A preflight cannot tell routes apart that differ only in what it cannot carry, such as a version: they need the same policy. */
function refuseConflict (route: Route, other: Route): void {
  const shared = route.methods.filter((method) => other.methods.includes(method))
  if (route.policy === other.policy || shared.length === 0 || !sameHost(route, other)) return
  // The same route twice is for Fastify to refuse.
  if (isDeepStrictEqual(route.constraints, other.constraints)) return
  const constraints = quote(Object.keys({ ...route.constraints, ...other.constraints }).join(', '))
  throw corsPolicyError(`config.cors of ${route.name}`, [{
    pointer: '',
    reason: 'conflict',
    value: route.options.config?.cors,
    message: `another route for ${shared.join(', ')} of this URL, which differs only in its constraints (${constraints}), has another policy; a preflight cannot carry these, so write the same policy on both`
  }])
}

/** The onRequest hook of the scopes that hold the generated routes. */
export function sendAnswer (request: FastifyRequest, reply: FastifyReply): void | Promise<unknown> {
  return answerOf(request).send(request, reply)
}

function restoreAnswer (request: FastifyRequest, reply: FastifyReply, _payload: unknown, done: () => void): void {
  answerOf(request).restore(request, reply)
  done()
}

/** Only preflights that have one are routed to the generated routes. */
function answerOf (request: FastifyRequest): PreflightAnswer {
  return (request.raw as Answered)[kAnswer] as PreflightAnswer
}

/** One for all generated routes. */
const HIDDEN = { hide: true }
