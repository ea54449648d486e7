// The URL of a route with values in place of its parameters.
import type { CorsRoute } from './types'

/** Parameters of find-my-way: `:name`, with a RegExp or `?` after it, and `*`. Two colons are one that is no parameter. */
const PARAMETER = /::|:([A-Za-z0-9_]+)(\((?:[^()]|\([^()]*\))*\))?\??|\*/g

/** A URL that reaches the route on the server, or why there is none. */
export function fillUrl ({ url, host, constraints = [] }: CorsRoute, base: URL, params: ReadonlyMap<string, string>): string | { readonly why: string } {
  if (host !== undefined && host !== base.host && host !== base.hostname) {
    return { why: `it has the host ${host}, and the server that was named is ${base.host}` }
  }
  if (constraints.length > 0) return { why: `it has the constraint ${constraints.join(', ')}, which a preflight does not carry` }
  let missing: string | undefined
  const path = url.replaceAll(PARAMETER, (text, name: string | undefined) => {
    if (text === '::') return ':'
    const value = params.get(name ?? '*')
    if (value === undefined) missing ??= name ?? '*'
    return encodeURIComponent(value ?? '').replaceAll('%2F', '/')
  })
  return missing === undefined ? new URL(path, base).href : { why: `its parameter has no value; write --param ${missing === '*' ? '"*=…"' : `${missing}=…`}` }
}
