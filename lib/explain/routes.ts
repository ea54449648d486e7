// app.cors.routes: every route that CORS concerns, as plain JSON.
import type { CheckedPolicy } from '../declaration/declaration'
import { entriesOf } from './near-misses'
import { exposedHeaders } from './response-headers'
import type { KnownRoute, RouteSource } from './source'
import type { CorsRoute } from './types'

export function routesOf ({ routes }: RouteSource): CorsRoute[] {
  return routes
    .filter(({ policy, declared }) => policy !== null || declared === 'off')
    .map(described)
    .sort((one, other) => compare(`${one.url} ${one.method}`, `${other.url} ${other.method}`))
}

/** By code units: the same on every machine. */
function compare (one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function described (route: KnownRoute): CorsRoute {
  const { method, url, host, constraints, policy, checked, requestHeaders } = route
  const allowed = policy?.allowedHeaders
  return {
    method,
    url,
    ...(host !== undefined && { host: String(host) }),
    ...(constraints.length > 0 && { constraints }),
    policy: checked?.name ?? null,
    origin: policy === null ? [] : originsOf((checked as CheckedPolicy).fields.origin),
    credentials: policy?.credentialedOrigins === undefined ? policy?.credentials === true : entriesOf((checked as CheckedPolicy).fields.credentials).map(String),
    allowedHeaders: policy === null ? [] : allowed === undefined ? [...requestHeaders] : [...(allowed.any ? ['*'] : []), ...allowed.names],
    exposedHeaders: [...exposedHeaders(policy, route)],
    maxAge: policy?.maxAge === undefined ? null : Number(policy.maxAge),
    enforceOrigin: policy?.enforceOrigin === true
  }
}

function originsOf (origin: unknown): CorsRoute['origin'] {
  if (origin === '*') return '*'
  return entriesOf(origin).map((entry) => typeof entry === 'function' ? 'function' : String(entry))
}
