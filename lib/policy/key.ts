// Keys by which equal policies are found.
import type { PolicyFields } from './fields'
import { OriginList } from '../origins/list'

/** A key that policies with the same meaning share. A function and an originList are equal only to themselves. */
export function policyKey (fields: PolicyFields): string {
  const { origin, credentials, allowedHeaders, exposedHeaders, maxAge, optionsSuccessStatus, enforceOrigin, timingOrigin, resourcePolicy } = fields
  return JSON.stringify([
    originsKey(origin),
    typeof credentials === 'object' ? originsKey(credentials) : credentials === true,
    sortedLowerCase(allowedHeaders),
    sortedLowerCase(exposedHeaders),
    maxAge,
    optionsSuccessStatus ?? 204,
    enforceOrigin,
    timingOrigin,
    resourcePolicy
  ])
}

function originsKey (origins: PolicyFields['origin']): unknown {
  if (typeof origins === 'function' || origins instanceof OriginList) return identityOf(origins)
  return sortedUnique(typeof origins === 'string' ? [origins] : (origins as readonly unknown[]).map(String))
}

function sortedLowerCase (names: PolicyFields['allowedHeaders']): readonly string[] | undefined {
  return names && sortedUnique([names].flat().map((name) => String(name).toLowerCase()))
}

function sortedUnique (texts: readonly string[]): readonly string[] {
  return texts.length === 1 ? texts : [...new Set(texts)].sort()
}

const identities = new WeakMap<object, number>()
let lastIdentity = 0

/** A number for each object. */
export function identityOf (value: object): number {
  let number = identities.get(value)
  if (number === undefined) identities.set(value, number = ++lastIdentity)
  return number
}
