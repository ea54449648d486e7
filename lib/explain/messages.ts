// What explain says happens: a sentence for each reason, which names the route and its policy.
import { MAX_REQUEST_HEADERS_LENGTH } from '../http/headers'
import { printable, quote } from '../errors'
import type { CorsRefusalReason } from '../response/refused'
import { nearOrigin, nearPath } from './near-misses'
import { othersAt, refusedHeaders } from './reasons'
import type { Situation } from './situation'
import type { KnownRoute } from './source'

/** What happens; without a reason, the request is allowed. */
export function describe (situation: Situation, reason: CorsRefusalReason | undefined): string {
  return reason === undefined ? allowed(situation) : MESSAGES[reason](situation)
}

function allowed ({ asked: { page }, route, method, isSameOrigin }: Situation): string {
  if (isSameOrigin) return 'the page has the origin of the API itself, so it needs no permission'
  const what = `pages of ${quote(page.origin)} read the response${page.credentials === 'include' ? ', with credentials' : ''}`
  return route === undefined ? `no route answers, but ${what}: the default policy governs the 404` : `${policyOf(route, method)} allows it: ${what}`
}

const MESSAGES: { readonly [Reason in CorsRefusalReason]: (situation: Situation) => string } = {
  'no-route' ({ source, asked, method }) {
    const near = nearPath(source, method, asked.path, asked.host)
    return `no route answers ${method} ${quote(asked.path)}${near === undefined ? '' : `; there is one for ${quote(near)}`}`
  },
  'no-policy' ({ route, method }) {
    const { declared } = route as KnownRoute
    return declared === 'outside'
      ? `fastify-cors-policy is registered neither in the scope of ${nameOf(route, method)} nor in one around it`
      : `${nameOf(route, method)} declares no policy, and its scope has no default policy`
  },
  off: ({ route, method }) => `${nameOf(route, method)} says cors: false, so no page of another origin may use it`,
  'origin-not-allowed' ({ asked: { page }, route, method }) {
    const { fields } = checkedOf(route)
    const near = nearOrigin(page.origin, fields)
    const says = typeof fields.origin === 'function' ? 'has an origin function, which did not answer true for' : 'does not allow'
    return `${policyOf(route, method)} ${says} the origin ${quote(page.origin)}${near === undefined ? '' : `; it does allow ${quote(near.origin)}, ${near.difference}`}`
  },
  'null-origin': ({ route, method }) => `the page has the origin "null", as sandboxed frames and local files do, which ${policyOf(route, method)} does not allow`,
  'invalid-origin': ({ asked: { page }, route, method }) => `${quote(page.origin)} is no origin that can be named in a policy, for its host is none that DNS knows; ${policyOf(route, method)} does not allow it`,
  'method-not-routed' (situation) {
    const methods = othersAt(situation).map(([method]) => method)
    return `no route answers ${situation.method} ${quote(situation.asked.path)}; the URL has ${methods.join(', ')}`
  },
  'header-not-allowed' (situation) {
    const names = refusedHeaders(situation)
    return `${policyOf(situation.route, situation.method)} does not allow the header${names.length === 1 ? '' : 's'} ${names.map(quote).join(', ')}`
  },
  'credentials-not-allowed': ({ asked: { page }, route, method }) => `${policyOf(route, method)} allows ${quote(page.origin)}, but not with credentials`,
  'ambiguous-route' ({ reached, method, asked }) {
    const routes = reached.map((route) => `${nameOf(route, method)}${constrained(route)} (${route.policy === null ? 'no policy' : route.checked?.name === undefined ? 'a policy of its own' : quote(route.checked.name)})`)
    return `it is not known which route ${method} ${quote(asked.path)} would reach: ${routes.join(' or ')}`
  },
  'answered-before': ({ preflight, route, method }) => `a hook or a route that comes first answered the preflight with ${preflight?.status}, before ${policyOf(route, method)} could`,
  'invalid-request-headers': ({ route, method }) => `the names of the request's headers are longer than ${MAX_REQUEST_HEADERS_LENGTH} characters together, so ${policyOf(route, method)} does not read them`,
  'forbidden-method': ({ method }) => `no page can use the method ${method}: browsers forbid it`,
  'origin-function-failed': ({ asked: { page }, route, method }) => `the origin function of ${policyOf(route, method)} failed for ${quote(page.origin)}, which is therefore refused; the log says how`
}

/** As `PUT /items/:id`. */
export function nameOf (route: Pick<KnownRoute, 'url'> | undefined, method: string): string {
  return printable(`${method} ${route?.url}`)
}

function constrained ({ constraints }: KnownRoute): string {
  return constraints.length === 0 ? '' : ` with the constraint ${constraints.map(quote).join(', ')}`
}

/** As `the policy "partner" of PUT /items/:id`. */
export function policyOf (route: KnownRoute | undefined, method: string): string {
  const { name, ownFields: own } = checkedOf(route)
  if (name === undefined) return `the policy of ${nameOf(route, method)}`
  return own.size === 0 ? `the policy ${quote(name)} of ${nameOf(route, method)}` : `the policy of ${nameOf(route, method)} (extends ${quote(name)})`
}

/** What the policy of a route that has one was declared as. */
export function checkedOf (route: KnownRoute | undefined): NonNullable<KnownRoute['checked']> {
  return route?.checked as NonNullable<KnownRoute['checked']>
}
