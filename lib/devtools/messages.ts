// The `message` of an explanation: for each reason one sentence, which names the route and its policy.
import type { WireResponse } from '../browser/fetch'
import { MAX_REQUEST_HEADERS_LENGTH } from '../http/headers'
import { printable, quote } from '../messages/errors'
import type { ExplanationContext } from './context'
import { hiddenHeaders, otherMethods, refusedHeaders, type LocalReason } from './reasons'
import type { RouteInfo, RouteRegistry } from './route-registry'
import { suggestOrigin, suggestPath } from './suggestions'

/** The message for a reason. Without a reason, the request is allowed. */
export function messageFor (context: ExplanationContext, reason: LocalReason | undefined): string {
  return reason === undefined ? allowed(context) : MESSAGES[reason](context)
}

/** The message for a request that is allowed. */
function allowed ({ question: { page }, route, method, isSameOrigin }: ExplanationContext): string {
  if (isSameOrigin) return 'the page has the origin of the API itself, so it needs no permission'
  const what = `pages of ${quote(page.origin)} read the response${page.credentials === 'include' ? ', with credentials' : ''}`
  return route === undefined ? `no route answers, but ${what}: the default policy governs the 404` : `${policyName(route, method)} allows it: ${what}`
}

const MESSAGES: { readonly [Reason in LocalReason]: (context: ExplanationContext) => string } = {
  'no-route' ({ registry, question, method }) {
    const suggestion = suggestPath(registry, method, question.path, question.host)
    return `no route answers ${method} ${quote(question.path)}${suggestion === undefined ? '' : `; there is one for ${quote(suggestion)}`}`
  },
  'no-policy' ({ route, method, registry, preflightResponse }) {
    const { declared } = route as RouteInfo
    return declared === 'uncovered'
      ? `${routeName(route, method)} is declared on an instance where fastify-cors-policy is not registered; it is registered ${placesOf(registry)}` +
        answeredInstead(preflightResponse)
      : `${routeName(route, method)} declares no policy, and its scope has no default policy${answeredInstead(preflightResponse)}`
  },
  off ({ route, method, preflightResponse }) {
    return `${routeName(route, method)} declares cors: false, so no page of another origin may use it${answeredInstead(preflightResponse)}`
  },
  'origin-not-allowed' ({ question: { page }, route, method }) {
    const { fields } = declaredPolicy(route)
    const suggestion = suggestOrigin(page.origin, fields)
    const mismatch = typeof fields.origin === 'function' ? 'has an origin function that did not return true for' : 'does not allow'
    const instead = suggestion === undefined ? '' : `; it does allow ${quote(suggestion.origin)}, ${suggestion.difference}`
    return `${policyName(route, method)} ${mismatch} the origin ${quote(page.origin)}${instead}`
  },
  'null-origin': ({ route, method }) =>
    `the page has the origin "null", as sandboxed frames and local files do, which ${policyName(route, method)} does not allow`,
  'invalid-origin': ({ question: { page: { origin } }, route, method }) =>
    `${quote(origin)} cannot be an entry of a policy, because its host is not a valid DNS name; ${policyName(route, method)} does not allow it`,
  'method-not-routed' (context) {
    const methods = otherMethods(context).map(([method]) => method)
    return `no route answers ${context.method} ${quote(context.question.path)}; the URL has ${methods.join(', ')}`
  },
  'header-not-allowed' (context) {
    const names = refusedHeaders(context)
    return `${policyName(context.route, context.method)} does not allow the header${names.length === 1 ? '' : 's'} ${names.map(quote).join(', ')}`
  },
  'header-not-exposed' (context) {
    const { route, method, question: { page } } = context
    const headers = hiddenHeaders(context).map(quote).join(', ')
    const who = context.isSameOrigin ? 'no page can read it' : `${route === undefined ? 'the default policy' : policyName(route, method)} does not expose it`
    return `pages of ${quote(page.origin)} read the response, but not its ${headers}: ${who}`
  },
  'credentials-not-allowed': ({ question: { page }, route, method }) =>
    `${policyName(route, method)} allows ${quote(page.origin)}, but not with credentials`,
  'ambiguous-route' ({ matches, method, question }) {
    const routes = matches.map((route) => {
      const policy = route.policy === null ? 'no policy' : route.checked?.name === undefined ? 'a policy of its own' : quote(route.checked.name)
      return `${routeName(route, method)}${describeConstraints(route)} (${policy})`
    })
    return `it is not known which route ${method} ${quote(question.path)} would reach: ${routes.join(' or ')}`
  },
  'answered-before' ({ preflightResponse, route, method, question, answeredElsewhere }) {
    if (answeredElsewhere !== undefined) {
      return `no route answers ${method} ${quote(question.path)}, but a hook or another plugin answered a preflight for it with ${answeredElsewhere}; ` +
        'what it sets on the response is not known'
    }
    return preflightResponse?.status === MISDIRECTED
      ? `the option hosts of fastify-cors-policy does not list the host ${quote(question.host)}, so every request is answered ${MISDIRECTED}`
      : `a hook or a route that comes first answered the preflight with ${preflightResponse?.status}, before ${policyName(route, method)} could`
  },
  'invalid-request-headers': ({ route, method }) =>
    `the names of the request's headers are longer than ${MAX_REQUEST_HEADERS_LENGTH} characters together, so ${policyName(route, method)} does not read them`,
  'forbidden-method': ({ method }) => `no page can use the method ${method}: browsers forbid it`,
  'origin-function-failed' ({ question: { page }, route, method, preflightResponse }) {
    const how = preflightResponse === undefined ? 'did not answer in time' : 'failed'
    const log = preflightResponse === undefined ? '' : '; the log has the error'
    return `the origin function of ${policyName(route, method)} ${how} for ${quote(page.origin)}, so the origin is refused${log}`
  }
}

/** The status of a response to a host that the option `hosts` does not list. */
export const MISDIRECTED = 421

/** What to add where something other than the plugin approved a preflight. */
function answeredInstead (preflight: WireResponse | undefined): string {
  return preflight !== undefined && preflight.status < 300 ? `; something else answered its preflight with ${preflight.status}` : ''
}

/** Where the plugin is registered, for a route elsewhere. */
function placesOf ({ scopes }: RouteRegistry): string {
  const inPlugin = 'inside a plugin that is not wrapped in fastify-plugin'
  const places = scopes.map(({ instance: { prefix } }) => prefix === '' ? inPlugin : `below ${quote(`${prefix}/`)}`)
  return `${[...new Set(places)].join(', and ')} only`
}

/** For example `PUT /items/:id`. */
export function routeName (route: Pick<RouteInfo, 'url'> | undefined, method: string): string {
  return printable(`${method} ${route?.url}`)
}

function describeConstraints ({ constraints }: RouteInfo): string {
  return constraints.length === 0 ? '' : ` with the constraint ${constraints.map(quote).join(', ')}`
}

/** For example `the policy "partner" of PUT /items/:id`. */
export function policyName (route: RouteInfo | undefined, method: string): string {
  const { name, ownFields } = declaredPolicy(route)
  if (name === undefined) return `the policy of ${routeName(route, method)}`
  return ownFields.size === 0
    ? `the policy ${quote(name)} of ${routeName(route, method)}`
    : `the policy of ${routeName(route, method)} (extends ${quote(name)})`
}

/** The declaration of a route's policy. Only for routes that have a policy. */
export function declaredPolicy (route: RouteInfo | undefined): NonNullable<RouteInfo['checked']> {
  return route?.checked as NonNullable<RouteInfo['checked']>
}
