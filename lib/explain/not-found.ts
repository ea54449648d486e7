// Which policy a 404 carries: that of the scope of the not-found handler that answers for a URL.
import type { FastifyInstance } from 'fastify'
import { instanceChain } from '../application/observer'
import { scopeOf } from '../application/scope'
import type { CompiledPolicy } from '../policy/policy'
import type { RouteSource } from './source'

/** What Fastify calls the symbol under which an instance keeps its not-found handler: it has no public name. */
const NOT_FOUND = 'fastify.404ContextKey'

interface Handler { readonly server?: FastifyInstance }

/** The policy of a 404 for this path; null where the handler's scope has none, or cannot be known. */
export function policyOfNotFound (instance: FastifyInstance, { routes, scopes }: RouteSource, path: string): CompiledPolicy | null {
  const pathname = path.slice(0, `${path}?`.indexOf('?'))
  let nearest: FastifyInstance | undefined
  for (const each of new Set([instance, ...scopes.map((scope) => scope.instance), ...routes.flatMap((route) => route.instance ?? [])])) {
    const server = handlerOf(each)?.server
    if (server === undefined || !isWithin(pathname, server.prefix)) continue
    if (nearest === undefined || server.prefix.length > nearest.prefix.length) nearest = server
  }
  const policy = nearest === undefined ? undefined : scopeOf(nearest)?.defaultPolicy
  return policy === undefined || policy === false ? null : policy.compiled
}

function isWithin (pathname: string, prefix: string): boolean {
  return `${pathname}/`.startsWith(prefix.replace(/\/*$/, '/'))
}

/** The handler that an instance has or inherits. */
function handlerOf (instance: FastifyInstance): Handler | null | undefined {
  const symbol = instanceChain(instance).flatMap((each) => Object.getOwnPropertySymbols(each)).find(({ description }) => description === NOT_FOUND)
  return (instance as unknown as Record<symbol, Handler | null>)[symbol as symbol]
}
