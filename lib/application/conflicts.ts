// Finds routes that cannot exist together: routes of different policies that no preflight can tell apart, because they differ only in constraints such as a
// version.
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { hostOf, type Constraints, type RouterEntry } from '../fastify/router-entries'
import { corsPolicyError, quote } from '../messages/errors'
import { groupByPlace } from '../preflight/resolve'
import type { Route } from '../response/route'

/** A route with its constraints. */
interface ConstrainedRoute {
  readonly route: Route
  readonly constraints: Constraints
}

/** The routes that were declared so far, by URL. */
export class Conflicts {
  readonly #byUrl = new Map<string, ConstrainedRoute[]>()

  /** Adds a route. Returns the error of a conflict with an earlier one that Fastify has registered. */
  add (root: FastifyInstance, route: Route, constraints: Constraints): Error | undefined {
    const others = this.#byUrl.get(route.url)
    const added = { route, constraints }
    if (others === undefined) {
      this.#byUrl.set(route.url, [added])
      return undefined
    }
    for (const other of others) {
      const error = conflictBetween(added, other)
      if (error !== undefined && isRegistered(root, other)) return error
    }
    others.push(added)
    return undefined
  }

  /** Called when every route is known. */
  clear (): void {
    this.#byUrl.clear()
  }
}

/** Throws if two entries of the router conflict, whose URLs or constraints hooks may have changed. */
export function checkConflicts (entriesByMethod: ReadonlyMap<string, readonly RouterEntry[]>, routeOf: (entry: RouterEntry) => Route | undefined): void {
  for (const entries of entriesByMethod.values()) {
    for (const group of entries.length > 1 ? groupByPlace(entries).values() : []) {
      const routes = group.flatMap((entry) => {
        const route = routeOf(entry)
        return route === undefined ? [] : [{ route, constraints: entry.constraints }]
      })
      for (const one of routes) {
        for (const other of routes) {
          const error = conflictBetween(one, other)
          if (error !== undefined) throw error
        }
      }
    }
  }
}

/** The error of two routes whose policies differ, and which differ only in constraints that a preflight does not carry. */
function conflictBetween ({ route, constraints }: ConstrainedRoute, { route: other, constraints: others }: ConstrainedRoute): Error | undefined {
  if (route.policy === other.policy || constraints === others) return undefined
  const [own, otherOwn] = [withoutHost(constraints), withoutHost(others)]
  if (isDeepStrictEqual(own, otherOwn) || String(hostOf(constraints)) !== String(hostOf(others))) return undefined
  const shared = route.methods.filter((method) => other.methods.includes(method))
  if (shared.length === 0) return undefined
  const names = quote(Object.keys({ ...own, ...otherOwn }).join(', '))
  return corsPolicyError(`config.cors of ${route.name}`, [{
    pointer: '',
    reason: 'conflict',
    value: route.declaration?.cors,
    message: `another route for ${shared.join(', ')} of this URL, which differs only in its constraints (${names}), has another policy; ` +
      'a preflight cannot carry these, so write the same policy on both'
  }])
}

function withoutHost ({ host, ...others }: Constraints): Constraints {
  return others
}

/** True if Fastify cannot tell: hasRoute throws for a URL that the router changes before it registers it. */
function isRegistered (root: FastifyInstance, { route: { methods, url }, constraints }: ConstrainedRoute): boolean {
  try {
    return methods.some((method) => root.hasRoute({ method: method as never, url, constraints: constraints as never }))
  } catch {
    return true
  }
}
