// Which of the reasons it is: from where the browser model stops, and what is known of the route.
import type { Failure, WireResponse } from '../browser/fetch'
import { extractTokens, getHeader, isNonWildcardName, unsafeHeaderNames } from '../browser/headers'
import { originRefusalReason, type CorsRefusalReason } from '../response/refused'
import type { Situation } from './situation'
import type { KnownRoute } from './source'

export function diagnose (situation: Situation, failure: Failure): CorsRefusalReason {
  const { route, reached, preflight, refused, asked: { page } } = situation
  if (failure === 'forbidden method') return 'forbidden-method'
  // What was answered by something else is known only by what it lacks: first comes what the policies say.
  if (reached.length === 0) return othersAt(situation).length > 0 ? 'method-not-routed' : 'no-route'
  if (route === undefined) return 'ambiguous-route'
  if (route.policy === null) return route.declared === 'off' ? 'off' : 'no-policy'
  if (refused !== undefined && refused !== 'header-not-allowed') return refused
  switch (failure) {
    case 'header not allowed': return 'header-not-allowed'
    case 'preflight: credentials not allowed':
    case 'preflight: wildcard with credentials':
    case 'credentials not allowed':
    case 'wildcard with credentials': return 'credentials-not-allowed'
  }
  // The plugin publishes what it refuses.
  return preflight === undefined ? originRefusalReason(undefined, page.origin) : 'answered-before'
}

/** What the URL has for other methods, where that has a policy: the method, and its route. */
export function othersAt ({ source, asked: { path, host } }: Situation): Array<readonly [method: string, route: KnownRoute]> {
  const methods = new Set(source.routes.map((route) => route.method))
  return [...methods].sort().flatMap((method) => {
    const [first] = source.reach(method, path, host, false)
    return first !== undefined && first.policy !== null ? [[method, first] as const] : []
  })
}

/** The names that the answer to the preflight does not allow, as the page wrote them. */
export function refusedHeaders ({ asked: { page }, preflight }: Situation): string[] {
  const allowed = (extractTokens(getHeader((preflight as WireResponse).headers, 'access-control-allow-headers')) ?? []).map((name) => name.toLowerCase())
  const any = page.credentials !== 'include' && allowed.includes('*')
  const refused = unsafeHeaderNames(page.headers).filter((name) => !allowed.includes(name) && !(any && !isNonWildcardName(name)))
  return refused.map((name) => page.headers.find(([each]) => each.toLowerCase() === name)?.[0] as string)
}
