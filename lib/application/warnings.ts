// The warnings that an application logs when it is ready: declarations without effect, and routes whose preflights are not answered. Application calls them.
import type { FastifyBaseLogger } from 'fastify'
import { printable, quote } from '../messages/errors'
import type { Route } from './route'

/** Routes whose `config.cors` nothing reads. @fastify/cors uses the same name for its own options. */
export function warnOfUnreadDeclarations (log: FastifyBaseLogger, routes: readonly Route[]): void {
  const unread = routes.filter((route) => route.scope === undefined && route.declared?.cors !== undefined && !route.instance.hasPlugin('@fastify/cors'))
  if (unread.length === 0) return
  const names = printable(unread.map(({ name }) => name).join(', '))
  log.warn(`config.cors has no effect on ${names}: fastify-cors-policy is registered neither in the scope of these routes nor in a parent scope`)
}

/** `refused` are the messages of Fastify by URL. */
export function warnOfRefusedOptionsRoutes (log: FastifyBaseLogger, refused: ReadonlyMap<string, string>): void {
  for (const [url, message] of refused) {
    log.warn(`fastify-cors-policy answers no preflight for ${quote(url)}: Fastify refused the OPTIONS route for it (${printable(message)})`)
  }
}

/** Routes whose lists of headers come from a schema that cannot be read. */
export function warnOfUnreadableSchemas (log: FastifyBaseLogger, routes: readonly Route[]): void {
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

/** `routes` are methods and URLs whose preflights may be for a route of another policy. */
export function warnOfAmbiguousRoutes (log: FastifyBaseLogger, routes: readonly string[]): void {
  log.warn(
    `fastify-cors-policy approves no preflight for ${printable(routes.join(', '))}: a request that does not fulfil the constraints would reach another ` +
    'route, of another policy, and a preflight does not say which; write the same policy on both'
  )
}
