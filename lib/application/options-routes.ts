// Declares the generated OPTIONS routes of an application: one for each URL and scope that has a policy.
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { parentOf } from '../fastify/instances'
import type { Constraints, RouterEntry } from '../fastify/router-entries'
import { hasOwnStrategy } from '../fastify/strategies'
import { corsPolicyError } from '../messages/errors'
import { sendAnswer } from '../preflight/answer'
import { CONSTRAINT, OptionsRoute, optionsRouteWith, preflightMatchOf } from '../preflight/options-route'
import { scopeOf, type Scope } from './scope'

/** A URL with a policy. */
export interface PreflightedUrl {
  readonly url: string
  readonly instance: FastifyInstance
  readonly scope: Scope
  readonly constraints: Constraints
}

/** The constraints with which a route was declared. */
interface Declared {
  readonly optionsRoute: OptionsRoute
  readonly constraints: Constraints[]
}

export class OptionsRoutes {
  readonly #root: FastifyInstance
  readonly #declaredByUrl = new Map<string, Declared[]>()
  /** How many OPTIONS routes each URL has, with the application's own. */
  readonly #countByUrl = new Map<string, number>()
  /** How many Fastify accepted. */
  count = 0
  /** Why Fastify rejected an OPTIONS route, by URL. */
  readonly refused = new Map<string, string>()

  constructor (root: FastifyInstance) {
    this.#root = root
  }

  /** Called when every route is known. */
  clear (): void {
    this.#declaredByUrl.clear()
    this.#countByUrl.clear()
  }

  /** Counts an OPTIONS route of the application's own, which is about to be registered. */
  countOwn (url: string): void {
    this.#countByUrl.set(url, (this.#countByUrl.get(url) ?? 0) + 1)
  }

  /** Declares the OPTIONS route of a URL, unless the scope has one. If the URL is outside the prefix of the instance, a parent in a scope declares it. */
  declare ({ url, instance, scope, constraints }: PreflightedUrl): void {
    const declared = this.#declaredByUrl.get(url) ?? []
    this.#declaredByUrl.set(url, declared)
    let own = declared.find(({ optionsRoute }) => optionsRoute.isOf(scope))
    if (own === undefined) declared.push(own = { optionsRoute: new OptionsRoute(url, scope), constraints: [] })
    // A strategy of the application's may have a value for preflights too, and exclude every route without that constraint.
    const names = Object.keys(constraints).filter((name) => hasOwnStrategy(this.#root, name))
    const ownConstraints = Object.fromEntries(names.map((name) => [name, constraints[name]]))
    const variants = names.length === 0 || !isPrintable(ownConstraints) ? [{}] : [{}, ownConstraints]
    const declaring = declaringInstance(instance, url)
    for (const variant of variants) {
      if (own.constraints.some((other) => isDeepStrictEqual(other, variant))) continue
      own.constraints.push(variant)
      this.#declare(declaring, own.optionsRoute, scope, variant)
    }
  }

  #declare (instance: FastifyInstance | undefined, optionsRoute: OptionsRoute, scope: Scope, constraints: Constraints): void {
    if (instance === undefined) return
    const { url } = optionsRoute
    const count = this.#countByUrl.get(url) ?? 0
    if (count >= MAX_ROUTES_OF_URL) throw tooManyError(url)
    this.#countByUrl.set(url, count + 1)
    const path = url.slice(instance.prefix.length)
    const options: RouteOptions = {
      method: 'OPTIONS',
      // Fastify removes one of two slashes where prefix and path meet.
      url: instance.prefix.endsWith('/') && path.startsWith('/') ? `/${path}` : path,
      prefixTrailingSlash: 'slash',
      // Hooks of others read it.
      config: {},
      constraints: { [CONSTRAINT]: optionsRoute, ...constraints },
      handler: answerHandler,
      ...(scope.logLevel !== undefined && { logLevel: scope.logLevel as never }),
      ...(scope.hideOptionsRoute && { schema: { hide: true } as never })
    }
    try {
      instance.route(options)
      this.count++
    } catch (err) {
      // Most often Fastify rejects the route itself for the same reason, and reports that.
      this.refused.set(url, (err as Error).message)
    }
  }
}

/** The instance, or the nearest parent whose prefix the URL has. Undefined where that has no registration of the plugin. */
function declaringInstance (instance: FastifyInstance, url: string): FastifyInstance | undefined {
  let declaring: FastifyInstance | undefined = instance
  while (declaring !== undefined && !url.startsWith(declaring.prefix)) declaring = parentOf(declaring)
  return declaring === undefined || scopeOf(declaring) === undefined ? undefined : declaring
}

/** The hook of the instance has answered before. The handler answers where a hook of the application's removed that hook. */
function answerHandler (request: FastifyRequest, reply: FastifyReply): void {
  const match = preflightMatchOf(request.raw)
  if (match !== undefined) sendAnswer(request, reply, match.answer)
}

/** Whether the router can print these constraints: not those with a BigInt. With one, it could not print the OPTIONS routes of other URLs either. */
function isPrintable (constraints: Constraints): boolean {
  try {
    return JSON.stringify(constraints) !== undefined
  } catch {
    return false
  }
}

/** How many routes of one URL and method Fastify's router takes, where they have constraints. With more, it would fail at a later, unrelated route. */
const MAX_ROUTES_OF_URL = 31

function tooManyError (url: string): Error {
  return corsPolicyError(`the OPTIONS route for ${url}`, [{
    pointer: '',
    reason: 'conflict',
    value: url,
    message: 'each registration of the plugin with a policy at this URL needs an OPTIONS route of its own: with those of the application these are more than ' +
      `the ${MAX_ROUTES_OF_URL} that Fastify's router takes; register the plugin once, in a parent scope, so that they share one`
  }])
}

/** Whether an onRoute hook is given a generated OPTIONS route. */
export function isOptionsRoute ({ constraints }: { readonly constraints?: object | null }): boolean {
  return optionsRouteWith((constraints ?? undefined) as Constraints | undefined) !== undefined
}

/** The generated OPTIONS routes by path, as the router has them. */
export function optionsRoutesByPath (entries: readonly RouterEntry[]): Map<string, OptionsRoute[]> {
  const byPath = new Map<string, OptionsRoute[]>()
  for (const { path, constraints } of entries) {
    const optionsRoute = optionsRouteWith(constraints) as OptionsRoute
    const others = byPath.get(path)
    if (others === undefined) byPath.set(path, [optionsRoute])
    else others.push(optionsRoute)
  }
  return byPath
}
