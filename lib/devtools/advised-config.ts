// The `config` that an advice proposes for a route: it extends a named policy that allows the request, or is a new policy.
import type { Scope } from '../application/scope'
import { isNonWildcardName, unsafeHeaderNames } from '../browser/headers'
import { printable, quote, type CorsProblem } from '../messages/errors'
import type { CheckedPolicy } from '../policy/check-policies'
import { compilePolicy } from '../policy/compile'
import type { CompiledPolicy } from '../policy/compiled-policy'
import { derivedAllowedHeaders } from '../policy/derived-headers'
import type { PolicyFields } from '../policy/fields'
import { allowedHeadersOf } from '../preflight/answer'
import { decideWithoutAsking } from '../response/decision'
import type { ExplanationContext } from './context'
import { routeName } from './messages'
import { otherMethods } from './reasons'
import type { RouteInfo } from './route-registry'

/** The request of the page that the question asks about. */
type Page = ExplanationContext['question']['page']

/** The `config` to write on the route, so that it allows the request. It extends a named policy that does, or is a new policy. */
export function configThatAllows (context: ExplanationContext, route: RouteInfo | undefined): string {
  const { question: { page }, instance, method, registry } = context
  const derived = route?.requestHeaders ?? derivedAllowedHeaders(method, undefined, {})
  const names = unsafeHeaderNames(page.headers)
  // A policy for everyone allows this page as well, but is not for routes that were closed until now.
  const allowsRequest = ({ compiled }: CheckedPolicy): boolean => compiled.origin.kind !== 'any' && policyAllows(compiled, page, names, derived)
  // A route that does not exist yet will be declared beside the other methods of its URL, or else in the scope that was asked.
  const routeScope = route === undefined ? otherMethods(context)[0]?.[1].scope ?? registry.scopeOf(instance) : route.scope
  const known = routeScope === undefined ? undefined : findNamedPolicy(routeScope, allowsRequest)
  if (known !== undefined) return `config: { cors: { extends: ${literal(known)} } }`
  // A page that the policy of the URL's other methods refuses is probably refused on purpose.
  const refusing = otherMethods(context).filter(([, { policy }]) => policy?.origin.kind === 'list' && decideWithoutAsking(policy, page.origin) === false)
  const [first] = refusing
  if (first !== undefined && refusing.length === otherMethods(context).length) {
    return `a policy, if pages of ${quote(page.origin)} are meant to use it: that of ${routeName(first[1], first[0])} does not list this origin`
  }
  const config = configOfNewPolicy(page, names, derived)
  for (const scope of registry.scopes) {
    const name = scope === routeScope ? undefined : findNamedPolicy(scope, allowsRequest)
    if (name === undefined) continue
    const prefix = quote(`${scope.instance.prefix}/`)
    return `${config}, or, once a parent scope of both declares the policy ${quote(name)}, which is known below ${prefix} only, ` +
      `config: { cors: { extends: ${literal(name)} } }`
  }
  return config
}

/** The `config` of a policy of its own that allows the page's request. */
function configOfNewPolicy (page: Page, names: readonly string[], derived: readonly string[]): string {
  const { origin } = page
  const credentials = page.credentials === 'include' && isValidPolicy({ origin, credentials: true })
  const headers = names.every((name) => derived.includes(name)) ? '' : `, allowedHeaders: ${arrayLiteral(names)}`
  return `config: { cors: { origin: ${literal(origin)}${credentials ? ', credentials: true' : ''}${headers} } }`
}

/** The name of a policy of this scope that allows the request. */
function findNamedPolicy ({ policies: named }: Scope, allowsRequest: (policy: CheckedPolicy) => boolean): string | undefined {
  // get() returns a policy for every known name: an invalid declaration has thrown at registration.
  return [...named.names()].find((name) => allowsRequest(named.get(name) as CheckedPolicy))
}

/** Whether a policy allows a page's request. False for a policy with an origin function, which cannot be asked here. */
function policyAllows (policy: CompiledPolicy, page: Page, names: readonly string[], derived: readonly string[]): boolean {
  const decision = decideWithoutAsking(policy, page.origin)
  const allowed = allowedHeadersOf(policy, () => derived)
  const allowedNames = allowed.names.map((name) => name.toLowerCase())
  return decision !== false &&
    (page.credentials !== 'include' || decision.credentials) &&
    names.every((name) => allowedNames.includes(name) || (allowed.any && (decision.credentials || !isNonWildcardName(name))))
}

/** Passed to {@link compilePolicy} as a problem that exists already, so that an `originList` does not check its changes for a policy that is only tried. */
const PROBLEM: CorsProblem = { pointer: '', reason: 'conflict', value: undefined, message: '' }

/** Whether the plugin accepts these fields. */
export function isValidPolicy (fields: PolicyFields): boolean {
  return compilePolicy(fields, new Set(Object.keys(fields)), '', [PROBLEM]) !== undefined
}

/** The text as a string literal. */
export function literal (text: string): string {
  return printable(JSON.stringify(text))
}

export function arrayLiteral (texts: readonly string[]): string {
  return `[${texts.map(literal).join(', ')}]`
}
