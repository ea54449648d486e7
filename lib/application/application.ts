// What the plugin knows of one Fastify application until it is ready: its routes, and the policy of each. From that it declares
// the generated OPTIONS routes, and hooks the routes' responses.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { checkRouteCors, type CheckedPolicy } from '../declaration/declaration'
import { derivedExposedHeaders, type RouteSchema } from '../policy/derive'
import { corsPolicyError, printable, type CorsProblem } from '../errors'
import { writtenAs } from '../declaration/fields'
import { Interned } from './interned'
import { Place } from './place'
import type { CompiledPolicy } from '../policy/policy'
import type { PreflightAnswer } from '../preflight/answer'
import type { Announcements, PreflightTarget } from '../preflight/preflight-target'
import { ResponsePolicy } from '../response/response'
import { Route, type ObservedOptions } from './route'
import { kAnswer, kMethods, type Answered, type PreflightRouter } from '../preflight/routing'
import { scopeOf, setScope, type Scope } from './scope'
import { CONSTRAINT } from '../preflight/search'
import { unbound } from '../response/unbound'

export class Application {
  readonly #router: PreflightRouter
  readonly #routes: Route[] = []
  readonly #unfinished: Route[] = []
  readonly #places = new Map<string, Place>()
  /** What routes declare, by scope and text: most declare what others do. */
  readonly #checked = new Interned<CheckedPolicy | false>()
  readonly #policies = new Map<string, CompiledPolicy>()
  readonly #responses = new Map<CompiledPolicy | null, ResponsePolicy>()
  /** What needs the schemas of the application, which are known when it is ready. */
  readonly #exposing: Array<{ readonly route: Route, readonly response: ResponsePolicy }> = []
  #hasScopes = false

  constructor (router: PreflightRouter) {
    this.#router = router
  }

  /** Called for every route, by the onRoute hook of its instance. Throws what is wrong with its `config.cors`. */
  observe (instance: FastifyInstance, options: ObservedOptions): void {
    if (options.handler === sendAnswer) return
    const route = new Route(instance, options, this.#router)
    if (this.#hasScopes) this.#govern(route)
    this.#routes.push(route)
  }

  /** Makes a scope of its instance and of those below, their routes so far included. */
  addScope (scope: Scope): void {
    setScope(scope)
    // The first scope makes all other routes of the application rivals of its own.
    const concerned = this.#hasScopes ? this.#routes.filter((route) => route.scope === scope) : this.#routes
    this.#hasScopes = true
    for (const route of concerned) this.#govern(route)
  }

  #govern (route: Route): void {
    const { scope, options } = route
    // Present but undefined is a mistake, such as a misspelt name among policies; it would pass for the default.
    if (scope !== undefined && options.config !== undefined && 'cors' in options.config) {
      const { cors } = options.config
      // What is refused throws, and so is never remembered.
      const check = (): CheckedPolicy | false => {
        const problems: CorsProblem[] = []
        const checked = checkRouteCors(cors, scope.names, problems)
        if (problems.length > 0) throw corsPolicyError(`config.cors of ${route.name}`, problems)
        return checked as CheckedPolicy | false
      }
      const text = writtenAs(cors)
      route.policy = this.#shared(text === undefined ? check() : this.#checked.get(scope, text, check))
      route.governed = true
    } else {
      route.policy = this.#shared(scope?.defaultPolicy ?? false)
      route.governed = route.policy !== null
    }
    this.#place(route, route.url)
    this.#finishLater(route)
  }

  /** Policies that are equal become one, so that whether they are equal is whether they are the same. */
  #shared (checked: CheckedPolicy | false): CompiledPolicy | null {
    if (checked === false) return null
    const { compiled } = checked
    const policy = this.#policies.get(compiled.key)
    if (policy === undefined) this.#policies.set(compiled.key, compiled)
    return policy ?? compiled
  }

  #place (route: Route, url: string): void {
    let place = this.#places.get(url)
    if (place === undefined) this.#places.set(url, place = new Place(url))
    place.add(route)
    const target = place.missingTarget(route)
    if (target !== undefined) this.#declareOptionsRoute(url, target, route)
  }

  #declareOptionsRoute (url: string, target: PreflightTarget, { scope, policy }: Route): void {
    const instance = scope?.optionsRoutes ?? this.#router.root
    const path = url.slice(instance.prefix.length)
    instance.route({
      method: 'OPTIONS',
      // Fastify takes one of two slashes away where prefix and path meet.
      url: instance.prefix.endsWith('/') && path.startsWith('/') ? `/${path}` : path,
      prefixTrailingSlash: 'slash',
      constraints: { [CONSTRAINT]: target },
      // Without a policy there is nothing to document: the target stands in the way of others, and answers none.
      ...((scope?.hideOptionsRoute !== false || policy === null) && { schema: HIDDEN as object }),
      ...(scope?.logLevel !== undefined && { logLevel: scope.logLevel as never }),
      onError: refuseOther,
      onSend: reportOther,
      // Fastify runs it only for who logs or has such hooks, at a price: nobody hears a warning where nothing is logged.
      ...(instance.log.warn !== instance.log.info && { onResponse: reportOtherLate }),
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
    route.headWith(route.governed ? this.#responseOf(route) : undefined)
    if (route.secondUrl !== undefined) this.#place(route, route.secondUrl)
  }

  /** Routes of one policy share their hooks, but for those whose own schemas say what is exposed. */
  #responseOf (route: Route): ResponsePolicy {
    const { policy } = route
    const derives = policy !== null && policy.exposedHeaders === undefined && (route.options.schema as RouteSchema | undefined)?.response !== undefined
    const response = (derives ? undefined : this.#responses.get(policy)) ?? new ResponsePolicy(policy)
    if (derives) this.#exposing.push({ route, response })
    else this.#responses.set(policy, response)
    return response
  }

  /** Computes what requests need; nothing else of the application is kept. */
  ready (knowsEveryRoute: boolean): void {
    const places = [...this.#places.values()]
    const announcements = new Interned<Announcements>()
    for (const place of places) place.announce(announcements)
    const targets = places.flatMap((place) => place.targets)
    if (knowsEveryRoute) this.#router.settleRivals(targets, places.filter(({ isRival }) => isRival).map(({ url }) => url))
    this.#router.findDoubtful(targets)
    const ambiguous = this.#router.ambiguous(targets)
    if (ambiguous.length > 0) {
      this.#router.root.log.warn(`fastify-cors-policy approves no preflight for ${printable(ambiguous.join(', '))}: a request that does not fulfil the constraints would reach another route, of another policy, and a preflight does not say which; write the same policy on both`)
    }
    for (const { route: { options, instance }, response } of this.#exposing) response.expose(derivedExposedHeaders(options.schema as RouteSchema, instance.getSchemas()))
    this.#routes.length = 0
    this.#exposing.length = 0
    for (const map of [this.#places, this.#checked, this.#policies, this.#responses]) map.clear()
  }

  /** Routes whose `config.cors` nothing reads: no registration of this plugin, and none of @fastify/cors, which has the same name for it. */
  unread (): string[] {
    return this.#routes
      .filter(({ options, instance }) => options.config?.cors !== undefined && scopeOf(instance) === undefined && !instance.hasPlugin('@fastify/cors'))
      .map(({ name }) => name)
  }
}

/** The onRequest hook of the instances that hold the generated routes. */
export const sendAnswer = unbound((request: FastifyRequest, reply: FastifyReply): void | Promise<unknown> => answerOf(request).send(request, reply, (request.raw as Answered)[kMethods]))

const refuseOther = unbound((request: FastifyRequest, reply: FastifyReply, _error: Error, done: () => void): void => {
  answerOf(request).refuse(reply)
  done()
})

const reportOther = unbound((request: FastifyRequest, reply: FastifyReply, _payload: unknown, done: () => void): void => {
  answerOf(request).reportOther(request, reply)
  done()
})

/** Whoever answers past Fastify, on the raw response, gets only here. */
const reportOtherLate = unbound((request: FastifyRequest, reply: FastifyReply, done: () => void): void => reportOther(request, reply, undefined, done))

/** Only preflights that have one are routed to the generated routes. */
function answerOf (request: FastifyRequest): PreflightAnswer {
  return (request.raw as Answered)[kAnswer] as PreflightAnswer
}

/** One for all generated routes. */
const HIDDEN = { hide: true }
