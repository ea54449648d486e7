// What explain says to write, for each reason: something that makes the request pass, or that it cannot pass, and what to do instead.
// Policies that it proposes are such as the plugin accepts.
import { scopeOf, type Scope } from '../application/scope'
import type { PageRequest } from '../browser/fetch'
import { isNonWildcardName, unsafeHeaderNames } from '../browser/headers'
import type { CheckedPolicy } from '../declaration/declaration'
import { printable, quote, type CorsProblem } from '../errors'
import { derivedAllowedHeaders } from '../policy/derived-headers'
import { isSerialisedOrigin } from '../policy/origin/pattern'
import { compilePolicy, type CompiledPolicy, type PolicyFields } from '../policy/policy'
import type { CorsRefusalReason } from '../response/refused'
import { checkedOf, nameOf } from './messages'
import { nearOrigin, nearPath } from './near-misses'
import { othersAt, refusedHeaders } from './reasons'
import { isCredentialed } from './response-headers'
import type { Situation } from './situation'
import type { KnownRoute } from './source'

export function advise (situation: Situation, reason: CorsRefusalReason): string {
  return ADVICE[reason](situation)
}

const ADVICE: { readonly [Reason in CorsRefusalReason]: (situation: Situation) => string } = {
  'no-route' (situation) {
    const { source, asked, method } = situation
    const near = nearPath(source, method, asked.path, asked.host)
    return near === undefined
      ? `declare the route, with ${configFor(situation, undefined)}; or write another URL in the request`
      : `request ${quote(near)}, or let Fastify accept both with routerOptions: { ignoreTrailingSlash: true }`
  },
  'no-policy' (situation) {
    const { route, method } = situation
    if (route?.declared === 'outside') {
      const register = `register the plugin on the instance that declares ${nameOf(route, method)}, or on one around it, before that`
      return route.hasConfig ? register : `${register}, and write ${configFor(situation, route)} on the route`
    }
    return `write ${configFor(situation, route)} on ${nameOf(route, method)}`
  },
  off: (situation) => `write ${configFor(situation, situation.route)} on ${nameOf(situation.route, situation.method)}, in place of cors: false`,
  'origin-not-allowed' (situation) {
    const { asked: { page: { origin } }, route, method } = situation
    const { fields } = checkedOf(route)
    if (typeof fields.origin === 'function') return `let the origin function of ${placeOf('origin', route, method)} answer true for ${quote(origin)}`
    const near = nearOrigin(origin, fields)
    const options = [
      ...(near === undefined ? [] : [`open the page at ${quote(near.origin)}`]),
      ...(isAccepted({ ...fields, origin: [origin] }) ? [adding('origin', [origin], route, method)] : [])
    ]
    return options.length > 0 ? options.join(', or ') : 'serve the page over https, and allow that origin: the policy allows credentials, which are for no other'
  },
  'null-origin' ({ route, method }) {
    const { fields } = checkedOf(route)
    const canBeAllowed = typeof fields.origin !== 'function' && isAccepted({ ...fields, origin: ['null'] })
    return `give the page an origin of its own (a sandboxed frame: with allow-same-origin)${canBeAllowed ? `, or ${adding('origin', ['null'], route, method)}` : ''}`
  },
  'invalid-origin': () => 'open the page at a host that has labels of letters, digits and hyphens, of at most 63 characters each and 253 together',
  'method-not-routed' (situation) {
    const { method } = situation
    const others = othersAt(situation).map(([other]) => other)
    // https://fetch.spec.whatwg.org/#concept-method-normalize
    const upper = method.toUpperCase()
    if (others.includes(upper)) return `write the method in capitals, ${quote(upper)}: browsers change the case of DELETE, GET, HEAD, OPTIONS, POST and PUT only`
    return `declare a route for ${method} at this URL, with ${configFor(situation, undefined)}; or use ${others.join(', ')}`
  },
  'header-not-allowed' (situation) {
    const { route, method } = situation
    const names = refusedHeaders(situation)
    const { fields } = checkedOf(route)
    if (fields.allowedHeaders !== undefined) return adding('allowedHeaders', names, route, method)
    return `write allowedHeaders: ${listOf([...(route as KnownRoute).requestHeaders, ...names])} in config.cors of ${nameOf(route, method)}, or declare ${names.map(literal).join(', ')} in the route's schema.headers`
  },
  'credentials-not-allowed' (situation) {
    const { asked: { page: { origin } }, route, method } = situation
    const { fields } = checkedOf(route)
    const instead = 'or send the request without credentials'
    const place = placeOf('credentials', route, method)
    if (isAccepted({ ...fields, credentials: [origin] })) {
      if (typeof fields.credentials === 'object') return `${adding('credentials', [origin], route, method)}, ${instead}`
      return `write credentials: ${isAccepted({ ...fields, credentials: true }) ? 'true' : listOf([origin])} in ${place}, ${instead}`
    }
    return `send the request without credentials: no policy can allow them to ${quote(origin)}`
  },
  'ambiguous-route': ({ reached, method }) => `declare the same policy on ${[...new Set(reached.map((route) => nameOf(route, method)))].join(' and ')}, for every value of the constraint`,
  'answered-before': () => 'register fastify-cors-policy before the hook or the plugin that answers: preflights carry no credentials, so none of them can authenticate',
  'invalid-request-headers': () => 'send fewer headers, or shorter names',
  'forbidden-method': ({ method }) => `use another method than ${method}, such as POST`,
  'origin-function-failed': ({ route, method }) => `mend the origin function of ${placeOf('origin', route, method)}, so that it answers true or false`
}

/** `config` of a route that allows the request: with a named policy that does, or with a policy of its own. */
function configFor (situation: Situation, route: KnownRoute | undefined): string {
  const { asked: { page }, instance, method, source } = situation
  const derived = route?.requestHeaders ?? derivedAllowedHeaders(method, undefined, {})
  const names = unsafeHeaderNames(page.headers)
  const fits = ({ compiled }: CheckedPolicy): boolean => allowsPage(compiled, page, names, derived)
  const here = route === undefined ? othersAt(situation)[0]?.[1].scope ?? scopeOf(instance) : route.scope
  const own = here === undefined ? undefined : namedPolicy(here, fits)
  if (own !== undefined) return `config: { cors: { extends: ${literal(own)} } }`
  const origin = isSerialisedOrigin(page.origin) || page.origin === 'null' ? page.origin : '*'
  const credentials = page.credentials === 'include' && isAccepted({ origin, credentials: true })
  const headers = names.every((name) => derived.includes(name)) ? '' : `, allowedHeaders: ${listOf(names)}`
  const config = `config: { cors: { origin: ${literal(origin)}${credentials ? ', credentials: true' : ''}${headers} } }`
  for (const scope of source.scopes) {
    const name = scope === here ? undefined : namedPolicy(scope, fits)
    if (name !== undefined) return `${config}, or, once a scope around both declares the policy ${quote(name)}, which is known below ${quote(`${scope.instance.prefix}/`)} only, config: { cors: { extends: ${literal(name)} } }`
  }
  return config
}

function namedPolicy ({ names }: Scope, fits: (policy: CheckedPolicy) => boolean): string | undefined {
  return [...names.names()].find((name) => fits(names.get(name) as CheckedPolicy)) // what is too wrong to be one has thrown
}

/** Whether a policy allows what a page asks for; not, where only an origin function can say that. */
function allowsPage (policy: CompiledPolicy, page: PageRequest, names: readonly string[], derived: readonly string[]): boolean {
  const { origin, allowedHeaders } = policy
  const isListed = isCredentialed(policy, page.origin)
  const credentials = policy.credentials || isListed
  const allowed = allowedHeaders ?? { any: false, names: derived }
  const allowedNames = allowed.names.map((name) => name.toLowerCase())
  return (isListed || origin.kind === 'any' || (origin.kind === 'list' && origin.matches(page.origin))) &&
    (page.credentials !== 'include' || credentials) &&
    names.every((name) => allowedNames.includes(name) || (allowed.any && (credentials || !isNonWildcardName(name))))
}

/** Where a field is to be written. A named policy changes for every route that has it. */
function placeOf (field: string, route: KnownRoute | undefined, method: string): string {
  const { name, ownFields: own } = checkedOf(route)
  if (name !== undefined && !own.has(field)) return `the policy ${quote(name)}`
  return route?.declared === 'nothing' ? 'defaultPolicy' : `config.cors of ${nameOf(route, method)}`
}

/** Says to add to the list of a policy. */
function adding (field: 'origin' | 'credentials' | 'allowedHeaders', values: readonly string[], route: KnownRoute | undefined, method: string): string {
  const { fields } = checkedOf(route)
  const now = fields[field]
  if (typeof now === 'string') return `write ${field}: ${listOf([now, ...values])} in ${placeOf(field, route, method)}`
  return `add ${values.map(literal).join(', ')} to ${field} of ${placeOf(field, route, method)}`
}

const PROBLEM: CorsProblem = { pointer: '', reason: 'conflict', value: undefined, message: '' }

function isAccepted (fields: PolicyFields): boolean {
  // With a problem already there, nothing is put into effect: a list of origins would obey the rules of a policy that was only thought of.
  return compilePolicy(fields, new Set(Object.keys(fields)), '', [PROBLEM]) !== undefined
}

/** A text as it is written in a program. */
function literal (text: string): string {
  return printable(JSON.stringify(text))
}

function listOf (texts: readonly string[]): string {
  return `[${texts.map(literal).join(', ')}]`
}
