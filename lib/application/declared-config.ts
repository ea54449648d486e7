// Copies and compares `config.cors`: Route copies it when a route is declared, and compares after all onRoute hooks.
import { isDefinedPolicy } from '../policy/check-policies'
import { isRecord } from '../policy/check-fields'

/** A copy of a declaration and its arrays. A policy of `definePolicies` is frozen, and is returned as it is. Functions, RegExps and lists are not copied. */
export function copyDeclaration (cors: unknown): unknown {
  if (!isPlain(cors) || isDefinedPolicy(cors)) return cors
  const copy = shallowCopy(cors)
  for (const name of Object.keys(copy)) {
    const field = copy[name]
    if (Array.isArray(field)) copy[name] = [...field]
  }
  return copy
}

/** Like `{ ...object }`, which takes five times as long: V8 gives each of its results a hidden class of its own. */
export function shallowCopy<Copied extends object> (object: Copied): Copied {
  return Object.hasOwn(object, '__proto__') ? { ...object } : Object.assign({}, object)
}

/** Whether two declarations have equal fields. */
export function isSameDeclaration (one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (!isPlain(one) || !isPlain(other)) return false
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => isSameField(one[name], other[name]))
}

function isSameField (one: unknown, other: unknown): boolean {
  return one === other || (Array.isArray(one) && Array.isArray(other) && one.length === other.length && one.every((element, index) => element === other[index]))
}

function isPlain (value: unknown): value is Record<string, unknown> {
  if (!isRecord(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
