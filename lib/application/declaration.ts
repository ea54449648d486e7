// Reads, copies and compares the `cors` of a route's `config`. The caller may change its objects later, and onRoute hooks may change the route's.
import { isRecord } from '../policy/check-fields'
import { isDefinedPolicy } from '../policy/check-policies'
import type { Declaration } from '../response/route'

/** The `config` in the options of a route. A polluted prototype has no effect, here and below. */
export function ownConfigOf (options: object): object | null | undefined {
  return Object.hasOwn(options, 'config') ? (options as { config: object | null | undefined }).config : undefined
}

/** The declaration in a route's `config`. */
export function declarationOf (config: object | null | undefined): Declaration {
  return config != null && Object.hasOwn(config, 'cors') ? { cors: (config as { cors: unknown }).cors } : undefined
}

/** A `config` of the route's own, with a copy of its declaration. An instance of a class keeps its prototype. */
export function withOwnConfig (config: object | null | undefined): object {
  const own = Object.assign(Object.create(config == null ? Object.prototype : Object.getPrototypeOf(config) as object) as { cors?: unknown }, config)
  if (Object.hasOwn(own, 'cors')) own.cors = copyCors(own.cors)
  return own
}

export function copyDeclaration (declaration: Declaration): Declaration {
  return declaration && { cors: copyCors(declaration.cors) }
}

/** A copy of an object and its arrays. A policy of `definePolicies` is frozen, and is returned as it is. Functions, RegExps and lists are not copied. */
function copyCors (cors: unknown): unknown {
  if (!isPlain(cors) || isDefinedPolicy(cors)) return cors
  const copy: Record<string, unknown> = Object.hasOwn(cors, '__proto__') ? { ...cors } : Object.assign({}, cors)
  for (const name of Object.keys(copy)) {
    const field = copy[name]
    // `originsFrom` returns frozen arrays, which keep their identity.
    if (Array.isArray(field) && !Object.isFrozen(field)) copy[name] = [...field] as unknown
  }
  return copy
}

/** Whether two declarations have equal fields. */
export function isSameDeclaration (one: Declaration, other: Declaration): boolean {
  if (one === undefined || other === undefined) return one === other
  if (one.cors === other.cors) return true
  if (!isPlain(one.cors) || !isPlain(other.cors)) return false
  const [fields, others] = [one.cors, other.cors]
  const names = Object.keys(fields)
  return names.length === Object.keys(others).length && names.every((name) => isSameField(fields[name], others[name]))
}

function isSameField (one: unknown, other: unknown): boolean {
  return one === other || (Array.isArray(one) && Array.isArray(other) && one.length === other.length && one.every((element, index) => element === other[index]))
}

function isPlain (value: unknown): value is Record<string, unknown> {
  if (!isRecord(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
