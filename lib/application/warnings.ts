// The warnings that an application logs when it is ready: declarations without effect, and routes whose preflights are not answered.
import type { FastifyBaseLogger } from 'fastify'
import { instanceChain } from '../fastify/instances'
import type { RouteContext, RouterEntry } from '../fastify/router-entries'
import { printable, quote } from '../messages/errors'
import type { Route } from '../response/route'
import { declarationOf } from './declaration'
import type { Scope } from './scope'

/** What is known of an application when it is ready. */
export interface ReadyApplication {
  readonly contexts: ReadonlyMap<RouteContext, readonly RouterEntry[]>
  readonly routes: ReadonlyMap<RouteContext, Route>
  readonly scopes: readonly Scope[]
  /** Why Fastify refused an OPTIONS route, by URL. */
  readonly refused: ReadonlyMap<string, string>
  /** Why the routes of a method cannot be read. */
  readonly unreadable: ReadonlyMap<string, unknown>
  /** Routes whose preflights may be for a route of another policy. */
  readonly ambiguous: readonly RouterEntry[]
}

export function logWarnings (log: FastifyBaseLogger, { contexts, routes, scopes, refused, unreadable, ambiguous }: ReadyApplication): void {
  warnOfUnreadDeclarations(log, [...contexts].filter(([context]) => !routes.has(context)))
  for (const scope of scopes) if (coversNothing(scope, routes)) warnOfUnusedScope(log, scope)
  for (const [url, message] of refused) {
    log.warn(`fastify-cors-policy answers no preflight for ${quote(url)}: Fastify refused the OPTIONS route for it (${printable(message)})`)
  }
  warnOfUnreadableSchemas(log, [...routes.values()])
  warnOfLeftOutHeaders(log, [...routes.values()])
  if (ambiguous.length > 0) warnOfAmbiguousRoutes(log, ambiguous)
  for (const [method, err] of unreadable) {
    log.error({ err }, `fastify-cors-policy cannot read the routes of ${method} from Fastify's router, so it approves no preflight for ${method}`)
  }
}

/** Routes whose `config.cors` nothing reads. @fastify/cors uses the same name for its own options. */
function warnOfUnreadDeclarations (log: FastifyBaseLogger, outside: ReadonlyArray<readonly [RouteContext, readonly RouterEntry[]]>): void {
  const unread = outside.filter(([{ config, server }]) => declarationOf(config)?.cors !== undefined && !server.hasPlugin('@fastify/cors'))
  if (unread.length === 0) return
  const names = printable(unread.flatMap(([, entries]) => entries.map(({ method, path }) => `${method} ${path}`)).join(', '))
  log.warn(`config.cors has no effect on ${names}: fastify-cors-policy is registered neither in the scope of these routes nor in a parent scope`)
}

/** Whether a scope has neither routes nor a policy for 404 responses. */
function coversNothing (scope: Scope, routes: ReadonlyMap<RouteContext, Route>): boolean {
  if (scope.notFound.policy !== null || scope.enforceOrigin !== false || scope.matchesHost !== undefined) return false
  return ![...routes.keys()].some(({ server }) => instanceChain(server).some((instance) => instance === scope.instance))
}

function warnOfUnusedScope (log: FastifyBaseLogger, { instance }: Scope): void {
  const where = instance.prefix === '' ? 'this registration' : `the registration below ${quote(instance.prefix)}`
  const instead = 'register it on the instance that declares the routes, or on its parent'
  log.warn(`fastify-cors-policy covers no route: no route is declared in the scope of ${where}; ${instead}`)
}

/** Routes whose lists of headers come from a schema that cannot be read. */
function warnOfUnreadableSchemas (log: FastifyBaseLogger, routes: readonly Route[]): void {
  const unreadable = { allowedHeaders: [] as string[], exposedHeaders: [] as string[] }
  for (const route of routes) {
    const { policy } = route
    if (policy === null || (policy.allowedHeaders !== undefined && policy.exposedHeaders !== undefined)) continue
    for (const list of route.unreadableLists()) if (policy[list] === undefined) unreadable[list].push(route.name)
  }
  for (const [list, names] of Object.entries(unreadable)) {
    if (names.length === 0) continue
    const what = list === 'allowedHeaders' ? 'schema.headers' : 'the headers of the response schemas'
    const routesWithThem = printable(names.join(', '))
    log.warn(`fastify-cors-policy cannot read ${what} of ${routesWithThem}: it is no JSON Schema, and offers none; list ${list} in the policy of the route`)
  }
}

/** Names in `allowedHeaders` that no page can send: lists that libraries export have them. */
function warnOfLeftOutHeaders (log: FastifyBaseLogger, routes: readonly Route[]): void {
  const names = new Set(routes.flatMap(({ policy }) => policy?.allowedHeaders?.leftOut ?? []))
  if (names.size === 0) return
  const list = printable([...names].join(', '))
  log.warn(`fastify-cors-policy leaves ${list} out of allowedHeaders: browsers set these headers by themselves, and ask for no permission`)
}

function warnOfAmbiguousRoutes (log: FastifyBaseLogger, routes: readonly RouterEntry[]): void {
  log.warn(
    `fastify-cors-policy approves no preflight for ${printable(routes.map(({ method, path }) => `${method} ${path}`).join(', '))}: a request that does not ` +
    'fulfil the constraints would reach another route, of another policy, and a preflight does not say which; write the same policy on both'
  )
}
