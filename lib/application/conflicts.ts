// Finds routes that cannot exist together: routes of different policies that no preflight can tell apart, and more OPTIONS routes at one URL than Fastify's
// router accepts. Application calls it for each declared route, and again when every route is registered.
import { corsPolicyError, quote } from '../messages/errors'
import type { Route } from './route'

/** How many routes of one URL and method Fastify's router takes, where they have constraints. */
const MAX_ROUTES_OF_URL = 31

/**
 * The error of two routes that have different policies, and differ only in constraints that a preflight does not carry, such as a version. Undefined if these
 * routes may exist together.
 */
export function conflictBetween (route: Route, other: Route): Error | undefined {
  if (route.policy === other.policy || route.hasSameConstraints(other) || !route.hasSameHost(other)) return undefined
  const shared = route.methods.filter((method) => other.methods.includes(method))
  if (shared.length === 0) return undefined
  const constraints = quote(Object.keys({ ...route.otherConstraints, ...other.otherConstraints }).join(', '))
  return corsPolicyError(`config.cors of ${route.name}`, [{
    pointer: '',
    reason: 'conflict',
    value: route.declared?.cors,
    message: `another route for ${shared.join(', ')} of this URL, which differs only in its constraints (${constraints}), has another policy; ` +
      'a preflight cannot carry these, so write the same policy on both'
  }])
}

/** Throws if one more scope with an OPTIONS route at this URL would exceed the router's limit. Otherwise Fastify would fail at a later, unrelated route. */
export function refuseTooMany (url: string, routes: readonly Route[]): void {
  if (2 * routes.length < MAX_ROUTES_OF_URL) return // nearly always
  const optionsRoutes = new Set(routes.flatMap((route) => route.optionsRoutes.filter((optionsRoute) => optionsRoute.url === url)))
  const own = routes.filter(({ methods }) => methods.includes('OPTIONS')).length
  if (optionsRoutes.size + own < MAX_ROUTES_OF_URL) return
  throw corsPolicyError(`config.cors of ${String(routes.at(-1)?.name)}`, [{
    pointer: '',
    reason: 'conflict',
    value: routes.at(-1)?.declared?.cors,
    message: `this URL has routes in ${optionsRoutes.size + 1} scopes with a registration of the plugin each, and so as many generated OPTIONS routes: ` +
      `with the ${own} OPTIONS routes of its own these are more than the ${MAX_ROUTES_OF_URL} that Fastify's router takes; ` +
      'register the plugin once, in a parent scope, so that they share one'
  }])
}
