// app.cors.routes: lists every route and its policy, as plain JSON.
import type { CheckedPolicy } from '../policy/check-policies'
import { allowedHeadersOf } from '../preflight/answer'
import { enforcementOf } from '../response/source'
import type { RouteInfo, RouteRegistry } from './route-registry'
import { entriesOf } from './suggestions'
import type { CorsRoute } from './types'

/** The function `app.cors.routes` of an application. types.ts documents it. */
export function listRoutes ({ routes }: RouteRegistry): CorsRoute[] {
  return routes
    .map(toCorsRoute)
    .sort((one, other) => compareTexts(`${one.url} ${one.method}`, `${other.url} ${other.method}`))
}

/** Compares code units, so that the order does not depend on the locale. */
function compareTexts (one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function toCorsRoute (route: RouteInfo): CorsRoute {
  const { method, url, host, constraints, policy, checked, scope } = route
  return {
    method,
    url,
    ...(host !== undefined && { host: String(host) }),
    ...(constraints.length > 0 && { constraints }),
    policy: checked?.name ?? null,
    declaration: declarationOf(route),
    origin: policy === null ? [] : originTexts((checked as CheckedPolicy).fields.origin),
    credentials: policy?.credentialedOrigins === undefined
      ? policy?.credentials === true
      : entriesOf((checked as CheckedPolicy).fields.credentials).map(String),
    allowedHeaders: allowedHeaders(route),
    exposedHeaders: policy === null ? [] : [...route.responseHeaders],
    maxAge: policy?.maxAge === undefined ? null : Number(policy.maxAge),
    // Where the plugin is not registered, nothing is enforced.
    enforceOrigin: scope === undefined ? false : enforcementOf({ policy, scope })
  }
}

function declarationOf ({ declared, policy }: RouteInfo): CorsRoute['declaration'] {
  return declared === 'none' && policy !== null ? 'default' : declared
}

/** The request headers that a preflight accepts. */
function allowedHeaders ({ policy, requestHeaders }: RouteInfo): string[] {
  if (policy === null) return []
  const { any, names } = allowedHeadersOf(policy, () => requestHeaders)
  return [...(any ? ['*'] : []), ...names]
}

function originTexts (origin: unknown): CorsRoute['origin'] {
  if (origin === '*') return '*'
  return entriesOf(origin).map((entry) => typeof entry === 'function' ? 'function' : String(entry))
}
