// Finds the reason why a request is blocked, from the failure that the browser model reports and from what is known of the route.
import { refusedHeaderNames } from '../browser/checks'
import type { Failure, WireResponse } from '../browser/fetch'
import { exposedHeaderNames, readableHeaderNames } from '../browser/headers'
import { originRefusalReason } from '../response/refused'
import type { CorsRefusalReason } from '../response/refusal'
import type { ExplanationContext } from './context'
import type { RouteInfo } from './route-registry'

/** Why the browser blocks the request, as a reason that a developer can act on. */
export function reasonFor (context: ExplanationContext, failure: Failure): CorsRefusalReason {
  const { route, matches, preflightResponse, reportedReason, question: { page } } = context
  if (failure === 'forbidden method') return 'forbidden-method'
  // A missing route or policy is the more useful reason, so it comes before the browser's failure.
  if (context.answeredElsewhere !== undefined) return 'answered-before'
  if (matches.length === 0) return otherMethods(context).length > 0 ? 'method-not-routed' : 'no-route'
  if (route === undefined) return 'ambiguous-route'
  if (route.policy === null) return route.declared === 'off' ? 'off' : 'no-policy'
  if (reportedReason !== undefined && reportedReason !== 'header-not-allowed') return reportedReason
  // With handlerTimeout, Fastify answers in place of an origin function that is late.
  if (preflightResponse?.status === 503 && route.policy.origin.kind === 'function') return 'origin-function-failed'
  switch (failure) {
    case 'header not allowed': return 'header-not-allowed'
    case 'preflight: credentials not allowed':
    case 'preflight: wildcard with credentials':
    case 'credentials not allowed':
    case 'wildcard with credentials': return 'credentials-not-allowed'
  }
  // The plugin reports every preflight that it refuses. This one failed without a report, so something else answered it.
  return preflightResponse === undefined ? originRefusalReason(undefined, page.origin) : 'answered-before'
}

/** The reasons that an application can have. The others are those of a deployed server. */
export type LocalReason = CorsRefusalReason | 'header-not-exposed'

/** The response headers that the page wants to read and cannot. */
export function hiddenHeaders ({ question: { page, reads }, response, isSameOrigin }: ExplanationContext): string[] {
  const headers = [...(response?.headers ?? []), ...reads.map((name) => [name, ''] as const)]
  const names = isSameOrigin ? readableHeaderNames(headers) : exposedHeaderNames(headers, page.credentials)
  return reads.filter((name) => !names.includes(name.toLowerCase()))
}

/** The methods of the URL that have a route with a policy, each with its route. */
export function otherMethods ({ registry, question: { path, host } }: ExplanationContext): Array<readonly [method: string, route: RouteInfo]> {
  const methods = new Set(registry.routes.map((route) => route.method))
  return [...methods].sort().flatMap((method) => {
    const [first] = registry.match(method, path, host)
    return first !== undefined && first.policy !== null ? [[method, first] as const] : []
  })
}

/** The names of the request headers that the preflight's response does not allow, spelled as in the question. */
export function refusedHeaders ({ question: { page }, preflightResponse }: ExplanationContext): string[] {
  const refused = refusedHeaderNames(page, (preflightResponse as WireResponse).headers)
  return refused.map((name) => page.headers.find(([each]) => each.toLowerCase() === name)?.[0] as string)
}
