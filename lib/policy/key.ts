// Keys by which equal policies are found. policy.ts gives each compiled policy one.
import type { PolicyFields } from './fields'
import { OriginList } from './origin/list'

/** A key that policies with the same meaning share. A function and an originList are equal only to themselves. */
export function policyKey ({ origin, credentials, allowedHeaders, exposedHeaders, maxAge, optionsSuccessStatus, enforceOrigin }: PolicyFields): string {
  return JSON.stringify([
    originsKey(origin),
    typeof credentials === 'object' ? originsKey(credentials) : credentials === true,
    sortedLowerCase(allowedHeaders),
    sortedLowerCase(exposedHeaders),
    maxAge,
    optionsSuccessStatus ?? 204,
    enforceOrigin === true
  ])
}

function originsKey (origins: PolicyFields['origin']): unknown {
  if (typeof origins === 'function' || origins instanceof OriginList) return identityOf(origins)
  return [...new Set([origins].flat().map(String))].sort()
}

function sortedLowerCase (names: PolicyFields['allowedHeaders']): readonly string[] | undefined {
  return names === undefined ? undefined : [...new Set([names].flat().map((name) => String(name).toLowerCase()))].sort()
}

const identities = new WeakMap<object, number>()
let lastIdentity = 0

/** A number for each object. */
export function identityOf (value: object): number {
  const number = identities.get(value) ?? ++lastIdentity
  identities.set(value, number)
  return number
}
