// Reads from Fastify's router which routes an application has, and finds out what decides between them: the router's options, and whose strategies decide on
// constraints.
import type { FastifyInstance } from 'fastify'
import { probeContexts, probeCount, unsupported } from '../fastify/probes'
import { routerEntries, type RouteContext, type RouterEntry } from '../fastify/router-entries'
import { routerOptions, type KnownRoute } from '../fastify/router-options'
import { configuredStrategies, hasOwnStrategy } from '../fastify/strategies'
import { canBePreflighted } from '../http/methods'
import { optionsRouteWith, type OptionsRoute } from '../preflight/options-route'
import type { RegisteredRoutes } from '../preflight/reachable-routes'
import type { Route } from '../response/route'
import { optionsRoutesByPath } from './options-routes'

/** The entries of an application's router. */
export interface ReadRoutes {
  /** Without the generated OPTIONS routes. */
  readonly entriesByMethod: ReadonlyMap<string, readonly RouterEntry[]>
  readonly optionsEntries: readonly RouterEntry[]
  /** Methods whose routes cannot be printed, and why. */
  readonly unreadable: ReadonlyMap<string, unknown>
}

/** Reads the routes of every method that a browser can announce. */
export function readRoutes (root: FastifyInstance): ReadRoutes {
  const entriesByMethod = new Map<string, RouterEntry[]>()
  const optionsEntries: RouterEntry[] = []
  const unreadable = new Map<string, unknown>()
  for (const method of root.supportedMethods.filter(canBePreflighted)) {
    try {
      const entries: RouterEntry[] = []
      for (const entry of routerEntries(root, method)) (optionsRouteWith(entry.constraints) === undefined ? entries : optionsEntries).push(entry)
      if (entries.length > 0) entriesByMethod.set(method, entries)
    } catch (err) {
      unreadable.set(method, err)
    }
  }
  probeContexts(root, [...optionsEntries, ...entriesByMethod.values()].flat())
  return { entriesByMethod, optionsEntries, unreadable }
}

/** The routes in groups of one declaration: those of several methods or paths share it. */
export function entriesByContext ({ entriesByMethod }: ReadRoutes): Map<RouteContext, RouterEntry[]> {
  const groups = new Map<RouteContext, RouterEntry[]>()
  for (const entry of [...entriesByMethod.values()].flat()) {
    const group = groups.get(entry.context)
    if (group === undefined) groups.set(entry.context, [entry])
    else group.push(entry)
  }
  return groups
}

/**
 * What decides between the routes that were read. Throws if the router does not hand out its routes, or does not find them as any router of its make would.
 * `declaredCount` is the number of generated OPTIONS routes.
 */
export function registeredRoutes (
  root: FastifyInstance, { entriesByMethod, optionsEntries, unreadable }: ReadRoutes, routes: ReadonlyMap<RouteContext, Route>, declaredCount: number
): RegisteredRoutes {
  if (!unreadable.has('OPTIONS')) probeCount(declaredCount, optionsEntries)
  const entries = [...entriesByMethod.values()].flat()
  const names = new Set([...entries.flatMap(({ constraints }) => Object.keys(constraints)), ...configuredStrategies(root)])
  const customConstraints = new Set([...names].filter((name) => hasOwnStrategy(root, name)))
  const options = routerOptions(root, knownRoutes(optionsEntries))
  if (options === undefined) throw unsupported('the router finds routes otherwise than its options say')
  return {
    root,
    entriesByMethod,
    unreadableMethods: new Set(unreadable.keys()),
    unknownConstraints: [...names].filter((name) => name !== 'host' || customConstraints.has(name)),
    customConstraints,
    options,
    routeOf: ({ context }) => routes.get(context)
  }
}

/** Finds the generated OPTIONS route at the path of an entry: that of its scope, or of the nearest parent scope. */
export function optionsRouteFinder (
  { optionsEntries }: ReadRoutes, scopesOf: (entry: RouterEntry) => readonly object[]
): (entry: RouterEntry) => OptionsRoute | undefined {
  const byPath = optionsRoutesByPath(optionsEntries)
  return (entry) => {
    const candidates = byPath.get(entry.path)
    for (const scope of scopesOf(entry)) {
      const found = candidates?.find((optionsRoute) => optionsRoute.isOf(scope))
      if (found !== undefined) return found
    }
    return undefined
  }
}

/** The generated OPTIONS routes that are found at one path, and by nothing but the constraint. */
function knownRoutes (optionsEntries: readonly RouterEntry[]): KnownRoute[] {
  const entriesByRoute = new Map<OptionsRoute, RouterEntry[]>()
  for (const entry of optionsEntries) {
    const optionsRoute = optionsRouteWith(entry.constraints) as OptionsRoute
    entriesByRoute.set(optionsRoute, [...entriesByRoute.get(optionsRoute) ?? [], entry])
  }
  return [...entriesByRoute.values()].filter(({ length }) => length === 1).flat()
}
