// Finds the policy of a 404 response: the default policy of the scope whose not-found handler answers for the URL. explain.ts uses it.
import type { FastifyInstance } from 'fastify'
import { instanceChain } from '../application/observer'
import type { CompiledPolicy } from '../policy/compiled-policy'
import type { RouteRegistry } from './route-registry'

/** The description of the symbol under which Fastify keeps an instance's not-found handler. Fastify has no public name for it. */
const NOT_FOUND = 'fastify.404ContextKey'

interface Handler { readonly server?: FastifyInstance }

/** The policy of a 404 for this path. Null where the handler's scope has no default policy, or where the handler cannot be found. */
export function notFoundPolicy (instance: FastifyInstance, registry: RouteRegistry, path: string): CompiledPolicy | null {
  const { routes, scopes } = registry
  const [pathname] = path.split('?', 1) as [string]
  let nearest: FastifyInstance | undefined
  for (const each of new Set([instance, ...scopes.map((scope) => scope.instance), ...routes.flatMap((route) => route.instance ?? [])])) {
    const server = notFoundHandlerOf(each)?.server
    if (server === undefined || !hasPrefix(pathname, server.prefix)) continue
    if (nearest === undefined || server.prefix.length > nearest.prefix.length) nearest = server
  }
  const policy = nearest === undefined ? undefined : registry.scopeOf(nearest)?.defaultPolicy
  return policy === undefined || policy === false ? null : policy.compiled
}

/** Whether a path is below a prefix, or equal to it. */
function hasPrefix (pathname: string, prefix: string): boolean {
  return `${pathname}/`.startsWith(prefix.replace(/\/*$/, '/'))
}

/** The handler of an instance, its own or an inherited one. */
function notFoundHandlerOf (instance: FastifyInstance): Handler | null | undefined {
  const symbol = instanceChain(instance).flatMap((each) => Object.getOwnPropertySymbols(each)).find(({ description }) => description === NOT_FOUND)
  return (instance as unknown as Record<symbol, Handler | null>)[symbol as symbol]
}
