// The `advice` of an explanation: for each reason, what to write so that the request is allowed, or what to do where it cannot be allowed.
// The plugin accepts every policy that is proposed here.
import { whyNotReadable } from '../http/headers'
import { quote } from '../messages/errors'
import { isSerialisedOrigin } from '../origins/pattern'
import type { PolicyFields } from '../policy/fields'
import { decideWithoutAsking } from '../response/decision'
import { arrayLiteral, configThatAllows, isValidPolicy, literal } from './advised-config'
import type { ExplanationContext } from './context'
import { declaredPolicy, MISDIRECTED, routeName } from './messages'
import { hiddenHeaders, otherMethods, refusedHeaders, type LocalReason } from './reasons'
import type { RouteInfo } from './route-registry'
import { suggestOrigin, suggestPath, suggestPrefix, suggestsUpperCase } from './suggestions'

/** The advice for a reason. */
export function adviceFor (context: ExplanationContext, reason: LocalReason): string {
  // No policy can name such an origin, and a page should not need "null" to be named.
  const { question: { page: { origin } } } = context
  if (reason === 'no-route' || reason === 'no-policy' || reason === 'method-not-routed') {
    if (origin === 'null') return OPAQUE
    if (!isSerialisedOrigin(origin)) return ADVICE['invalid-origin'](context)
  }
  return ADVICE[reason](context)
}

/** For a page with the origin `null`: anyone can make one, so a policy should not be changed for it. */
const OPAQUE = 'give the page an origin of its own (a sandboxed frame: with allow-same-origin)'

const ADVICE: { readonly [Reason in LocalReason]: (context: ExplanationContext) => string } = {
  'no-route' (context) {
    const { registry, question, method } = context
    const suggestion = suggestPath(registry, method, question.path, question.host)
    const prefix = suggestPrefix(registry, method, question.path, question.host)
    if (suggestsUpperCase(registry, method, question.path, question.host)) return capitals(method)
    if (prefix !== undefined) return `ask about ${quote(prefix.path)} if a proxy removes ${quote(prefix.prefix)}; if none does, request ${quote(prefix.path)}`
    return suggestion === undefined
      ? `declare the route, with ${configThatAllows(context, undefined)}; or write another URL in the request`
      : `request ${quote(suggestion)}, or let Fastify accept both with routerOptions: { ignoreTrailingSlash: true }`
  },
  'no-policy' (context) {
    const { route, method } = context
    if (route?.declared === 'uncovered') {
      const wrap = isEncapsulated(context, route) ? ' (where a plugin of yours registers it: wrap that plugin in fastify-plugin)' : ''
      const register = `register the plugin on the instance that declares ${routeName(route, method)}, or on a parent instance, before the route${wrap}`
      return route.hasCorsConfig ? register : `${register}, and write ${configThatAllows(context, route)} on the route`
    }
    return `write ${configThatAllows(context, route)} on ${routeName(route, method)}`
  },
  off (context) {
    const { route, method } = context
    const shared = otherMethods(context).find(([, other]) => listsOrigin(context, other))
    const name = shared?.[1].checked?.name
    const instead = shared === undefined || name === undefined
      ? 'a policy that lists this origin'
      : `config: { cors: { extends: ${literal(name)} } }, as ${routeName(shared[1], shared[0])} does,`
    return `cors: false is a decision of whoever declared ${routeName(route, method)}; ` +
      `if pages of other origins are meant to use it, write ${instead} in its place`
  },
  'origin-not-allowed' (context) {
    const { question: { page: { origin } }, route, method } = context
    const { fields } = declaredPolicy(route)
    if (typeof fields.origin === 'function') {
      return `make the origin function of ${fieldLocation('origin', route, method)} return true for ${quote(origin)}`
    }
    const suggestion = suggestOrigin(origin, fields)
    const options: string[] = []
    // A page is never made less secure for the sake of a policy.
    const isDowngrade = origin.startsWith('https:') && suggestion?.origin.startsWith('http:') === true
    if (suggestion !== undefined && !isDowngrade) options.push(`open the page at ${quote(suggestion.origin)}`)
    if (isValidPolicy({ ...fields, origin: [origin] })) options.push(addToField('origin', [origin], route, method))
    return options.length > 0
      ? options.join(', or ')
      : `serve the page over https and allow that origin: a policy with credentials allows this one only with ${switchesFor({ ...fields, origin: [origin] })}`
  },
  'null-origin' ({ route, method }) {
    const { fields } = declaredPolicy(route)
    const canBeAllowed = typeof fields.origin !== 'function' && isValidPolicy({ ...fields, origin: ['null'] })
    const alternative = canBeAllowed ? `, or ${addToField('origin', ['null'], route, method)}` : ''
    return `${OPAQUE}${alternative}`
  },
  'invalid-origin': () => 'serve the page from a host whose labels have letters, digits and hyphens only, at most 63 characters each and 253 together',
  'method-not-routed' (context) {
    const { method } = context
    const others = otherMethods(context).map(([other]) => other)
    // https://fetch.spec.whatwg.org/#concept-method-normalize
    const upper = method.toUpperCase()
    if (others.includes(upper)) return capitals(method)
    return `declare a route for ${method} at this URL, with ${configThatAllows(context, undefined)}; or use ${others.join(', ')}`
  },
  'header-not-allowed' (context) {
    const { route, method } = context
    const names = refusedHeaders(context)
    const { fields } = declaredPolicy(route)
    if (fields.allowedHeaders !== undefined) return addToField('allowedHeaders', names, route, method)
    const allowedHeaders = arrayLiteral([...(route as RouteInfo).requestHeaders, ...names])
    return `write allowedHeaders: ${allowedHeaders} in config.cors of ${routeName(route, method)}, ` +
      `or declare ${names.map(literal).join(', ')} in the route's schema.headers`
  },
  'header-not-exposed' (context) {
    const { route, method } = context
    const hidden = hiddenHeaders(context)
    const never = hidden.find((name) => whyNotReadable(name) !== undefined)
    if (never !== undefined) return `leave out ${quote(never)}: ${whyNotReadable(never)}`
    if (route === undefined) return `add ${hidden.map(literal).join(', ')} to exposedHeaders of defaultPolicy`
    const { fields } = declaredPolicy(route)
    if (fields.exposedHeaders !== undefined) return addToField('exposedHeaders', hidden, route, method)
    return `write exposedHeaders: ${arrayLiteral([...route.responseHeaders, ...hidden])} in config.cors of ${routeName(route, method)}, ` +
      `or declare ${hidden.map(literal).join(', ')} in the headers of the route's response schema`
  },
  'credentials-not-allowed' (context) {
    const { question: { page: { origin } }, route, method } = context
    const { fields } = declaredPolicy(route)
    if (!isValidPolicy({ ...fields, credentials: [origin] })) {
      const switches = switchesFor({ ...fields, credentials: [origin] })
      return switches === undefined
        ? `send the request without credentials: no policy can allow them to ${quote(origin)}`
        : `send the request without credentials: a policy allows them to ${quote(origin)} only with ${switches}`
    }
    const alternative = 'or send the request without credentials'
    if (typeof fields.credentials === 'object') return `${addToField('credentials', [origin], route, method)}, ${alternative}`
    const credentials = isValidPolicy({ ...fields, credentials: true }) ? 'true' : arrayLiteral([origin])
    return `write credentials: ${credentials} in ${fieldLocation('credentials', route, method)}, ${alternative}`
  },
  'ambiguous-route' ({ matches, method }) {
    const names = new Set(matches.map((route) => routeName(route, method)))
    return `declare the same policy on ${[...names].join(' and ')}, for every value of the constraint`
  },
  'answered-before' ({ preflightResponse, answeredElsewhere, question, method }) {
    if (answeredElsewhere !== undefined) return `ask the running server, with explain https://… ${method}, or declare a route with a policy for it`
    const status = preflightResponse?.status ?? 0
    if (status === MISDIRECTED) return `add ${literal(question.host)} to hosts, or ask about a URL whose host is listed`
    if (status >= 300 && status < 400) {
      return 'register fastify-cors-policy before the hook that redirects, or request the URL that it redirects to: browsers follow no redirect for a preflight'
    }
    return status === 401 || status === 403
      ? 'register fastify-cors-policy before the hook or the plugin that answers: preflights carry no credentials, so no hook can authenticate them'
      : 'register fastify-cors-policy before the hook or the plugin that answers'
  },
  'invalid-request-headers': () => 'send fewer headers, or shorter names',
  'forbidden-method': ({ method }) => `use another method than ${method}, such as POST`,
  'origin-function-failed': ({ route, method }) =>
    `fix the origin function of ${fieldLocation('origin', route, method)}, so that it returns true or false`
}

function capitals (method: string): string {
  return `write the method in capitals, ${quote(method.toUpperCase())}: browsers change the case of DELETE, GET, HEAD, OPTIONS, POST and PUT only`
}

/** Whether the plugin is registered in a child scope of the route's instance that has the same prefix: in a plugin that encapsulates it by mistake. */
function isEncapsulated ({ registry }: ExplanationContext, { instance: declaring }: RouteInfo): boolean {
  return registry.scopes.some(({ instance }) => instance.prefix === declaring.prefix && Object.prototype.isPrototypeOf.call(declaring, instance))
}

/** Where the field of a route's policy is declared: in a named policy, in `defaultPolicy` or in the route's `config.cors`. */
function fieldLocation (field: string, route: RouteInfo | undefined, method: string): string {
  const { name, ownFields } = declaredPolicy(route)
  if (name !== undefined && !ownFields.has(field)) return `the policy ${quote(name)}`
  return route?.declared === 'none' ? 'defaultPolicy' : `config.cors of ${routeName(route, method)}`
}

/** Advice to add values to a field of a route's policy. */
function addToField (
  field: 'origin' | 'credentials' | 'allowedHeaders' | 'exposedHeaders', values: readonly string[], route: RouteInfo | undefined, method: string
): string {
  const { fields } = declaredPolicy(route)
  const current = fields[field]
  if (typeof current === 'string') return `write ${field}: ${arrayLiteral([current, ...values])} in ${fieldLocation(field, route, method)}`
  return `add ${values.map(literal).join(', ')} to ${field} of ${fieldLocation(field, route, method)}`
}

/** The switches with which the plugin accepts these fields, if it does. */
function switchesFor (fields: PolicyFields): string | undefined {
  const names = ['dangerouslyAllowInsecureOrigins', 'dangerouslyAllowPublicSuffixes'] as const
  const tried = [[names[0]], [names[1]], names]
  const enough = tried.find((switches) => isValidPolicy({ ...fields, ...Object.fromEntries(switches.map((name) => [name, true])) }))
  return enough?.map((name) => `${name}: true`).join(' and ')
}

/** Whether the policy of a route lists the page's origin: `'*'` lists none. */
function listsOrigin ({ question: { page } }: ExplanationContext, { policy }: RouteInfo): boolean {
  return policy !== null && policy.origin.kind === 'list' && decideWithoutAsking(policy, page.origin) !== false
}
