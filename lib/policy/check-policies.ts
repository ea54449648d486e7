// Checks the policies that a user declares: copies a declaration, checks its fields one by one, resolves `extends`, and compiles the result, where the fields
// are checked together. Reports all problems at once.
import { childPointer, corsPolicyError, quote, type CorsProblem } from '../messages/errors'
import { checkFields, copyRecord } from './check-fields'
import type { CompiledPolicy } from './compiled-policy'
import type { PolicyFields } from './fields'
import { compilePolicy } from './compile'
import { extendHeaderList, isHeaderListField } from './header-lists'
import { nearestWord } from '../messages/nearest-word'
import { arrayFor } from '../origins/entry'
import { suggestOrigin } from '../origins/pattern'
import { OriginList } from '../origins/list'
import type { Policy } from './types'
import { ExtendingPolicySchema, StandalonePolicySchema } from './compiled-schemas'

/** A policy that was checked. */
export interface CheckedPolicy {
  /** All fields, inherited ones included. Policies that extend this one inherit them. */
  readonly fields: PolicyFields
  readonly compiled: CompiledPolicy
  /** The name of this policy or, if it has none, of the policy that it extends. */
  readonly name: string | undefined
  /** The fields that the declaration sets itself: for a named policy, none. */
  readonly ownFields: ReadonlySet<string>
}

/** The policies that a declaration can extend by name. */
export interface NamedPolicies {
  /** The policy with this name: null if its own declaration is invalid, undefined if there is none. */
  get (name: string): CheckedPolicy | null | undefined
  /** All names, for suggestions. */
  names (): Iterable<string>
}

/** The policies that `definePolicies` returned. They are frozen, so they are not checked again. */
const definedPolicies = new WeakMap<object, CheckedPolicy>()

/** Whether `definePolicies` returned this policy. Such a policy has a name; a copy with equal fields has none. */
export function isDefinedPolicy (value: unknown): boolean {
  return definedPolicies.has(value as object)
}

/** What a root scope and `definePolicies` inherit: no policies. */
export const NO_NAMED_POLICIES: NamedPolicies = { get: () => undefined, names: () => [] }

/** The named policies of a scope: its own, which shadow those it inherits from the parent scope. */
export function withInherited (own: ReadonlyMap<string, CheckedPolicy | null>, inherited: NamedPolicies): NamedPolicies {
  return {
    get: (name) => own.has(name) ? own.get(name) : inherited.get(name),
    names: () => new Set([...own.keys(), ...inherited.names()])
  }
}

/** Checks a route's `config.cors` and adds problems to `problems`. Returns false for `false`, and undefined if no policy can be compiled. */
export function checkRouteCors (value: unknown, named: NamedPolicies, problems: CorsProblem[]): CheckedPolicy | false | undefined {
  return value === false ? false : checkPolicy(value, '', named, problems)
}

/** Checks one policy, which may extend those in `named`, and adds problems to `problems`. Returns undefined if no policy can be compiled. */
export function checkPolicy (value: unknown, pointer: string, named: NamedPolicies, problems: CorsProblem[]): CheckedPolicy | undefined {
  const defined = definedPolicies.get(value as object)
  if (defined !== undefined) return defined
  const declared = copyRecord(value)
  if (declared === undefined) {
    problems.push({ pointer, reason: 'type', value, message: `${quote(value)} is not a policy; ${suggestPolicy(value, named)}` })
    return undefined
  }
  const extending = declared.has('extends')
  const invalid = checkFields(extending ? ExtendingPolicySchema : StandalonePolicySchema, declared, pointer, problems)
  const extended = extending ? findExtended(declared.get('extends'), childPointer(pointer, 'extends'), named, problems) : undefined
  // What only extends another policy is that policy.
  if (extended !== undefined && declared.size === 1) return extended
  declared.delete('extends')
  const ownFields = new Set(declared.keys())
  const fields = resolveFields(declared, invalid, extending ? extended?.fields : NO_FIELDS)
  const compiled = compilePolicy(fields, ownFields, pointer, problems)
  return compiled && { fields, compiled, name: extended?.name, ownFields }
}

/**
 * The inherited fields, replaced by the declared ones. They are checked although a declared field may be invalid and the inherited ones may be unknown
 * (undefined), so that all problems are reported at once. What is invalid or unknown must cause no further problems: a field counts as not set, and a
 * switch that lifts a rule as set.
 */
function resolveFields (
  declared: ReadonlyMap<string, unknown>, invalid: ReadonlySet<string>, inherited: PolicyFields | undefined
): PolicyFields {
  // No prototype: a polluted Object.prototype must not add fields to the policy.
  const fields: Record<string, unknown> = Object.assign(Object.create(null), inherited ?? Object.fromEntries(SWITCHES_ON))
  for (const [key, field] of declared) {
    fields[key] = invalid.has(key) ? SWITCHES_ON.get(key) : isHeaderListField(key) ? extendHeaderList(field, inherited?.[key]) : field
  }
  return fields
}

/** What a policy that stands alone inherits. */
const NO_FIELDS: PolicyFields = Object.freeze({})

/** The switches that lift rules, set. */
const SWITCHES_ON: ReadonlyMap<string, true> = new Map([
  ['dangerouslyAllowInsecureOrigins', true],
  ['dangerouslyAllowPublicSuffixes', true]
])

function findExtended (name: unknown, pointer: string, named: NamedPolicies, problems: CorsProblem[]): CheckedPolicy | undefined {
  if (typeof name !== 'string') return undefined // checkFields reported the type
  const found = named.get(name)
  if (found === undefined) problems.push(unknownPolicyProblem(name, pointer, named))
  return found ?? undefined
}

/** The problem that no policy has this name. */
export function unknownPolicyProblem (name: string, pointer: string, named: NamedPolicies): CorsProblem {
  const message = `there is no policy ${quote(name)}; ${suggestExtended(name, [...named.names()])}`
  return { pointer, reason: 'unknown-policy', value: name, message }
}

/** What to write instead of the name of a policy that does not exist. `known` are the names that do. */
function suggestExtended (name: string, known: readonly string[]): string {
  const similar = nearestWord(name, known)
  if (similar !== undefined) return `did you mean ${quote(similar)}?`
  const origin = suggestOrigin(name)
  if (origin !== undefined) return `write a policy: { origin: ${quote(origin)} }`
  return known.length === 0
    ? 'no named policy can be extended here; write policies: { … } in the plugin\'s options'
    : `write one of ${known.map(quote).join(', ')}`
}

/**
 * Checks named policies, which may extend each other. A policy that extends its own name inherits from the parent scope's policy of that name.
 * An invalid policy is null in the result.
 */
export function checkPolicies (
  value: unknown, pointer: string, inherited: NamedPolicies, problems: CorsProblem[]
): Map<string, CheckedPolicy | null> {
  const checked = new Map<string, CheckedPolicy | null>()
  const policies = copyRecord(value)
  if (policies === undefined) {
    problems.push({ pointer, reason: 'type', value, message: `${quote(value)} is not an object of policies; write { public: { origin: "*" } }` })
    return checked
  }
  removeSchemaAddress(policies, pointer, problems)
  // The names of the policies whose check has begun and not ended. Each of them extends the next.
  const resolving: string[] = []
  // Checks a policy when it is first needed, which may be for another policy that extends it.
  const resolve = (name: string): CheckedPolicy | null => {
    const done = checked.get(name)
    if (done !== undefined) return done
    if (resolving.includes(name)) {
      problems.push(cycleProblem(resolving, name, pointer))
      return null
    }
    resolving.push(name)
    const found = checkPolicy(policies.get(name), childPointer(pointer, name), extendableBy(name), problems)
    resolving.pop()
    const policy = found === undefined ? null : { ...found, name, ownFields: NO_OWN_FIELDS }
    checked.set(name, policy)
    return policy
  }
  const extendableBy = (name: string): NamedPolicies => ({
    get: (other) => {
      const parents = inherited.get(other)
      if (other === name && parents !== undefined) return parents
      return policies.has(other) ? resolve(other) : parents
    },
    names: () => new Set([...[...policies.keys()].filter((other) => other !== name), ...inherited.names()])
  })
  for (const name of policies.keys()) resolve(name)
  return checked
}

/** A route that uses a named policy as it is sets no fields itself. */
const NO_OWN_FIELDS: ReadonlySet<string> = new Set()

/** Removes `$schema`, by which an editor finds the JSON Schema of a file of policies. Reports a value that is not a text: it may be meant as a policy. */
function removeSchemaAddress (policies: Map<string, unknown>, pointer: string, problems: CorsProblem[]): void {
  const $schema = policies.get('$schema')
  if (!policies.delete('$schema') || typeof $schema === 'string') return
  const message = `${quote($schema)} cannot be "$schema", which is the address of a JSON Schema for editors; write another name for the policy`
  problems.push({ pointer: childPointer(pointer, '$schema'), reason: 'type', value: $schema, message })
}

/** The problem that the last of the policies in `resolving` extends an earlier one, which has this name. */
function cycleProblem (resolving: readonly string[], name: string, pointer: string): CorsProblem {
  const cycle = [...resolving.slice(resolving.indexOf(name)), name].map(quote).join(' extends ')
  const message = `"extends" forms a cycle: ${cycle}; write one of them without "extends"`
  return { pointer: childPointer(childPointer(pointer, resolving.at(-1) as string), 'extends'), reason: 'cyclic-extends', value: name, message }
}

/** What to write instead of a value that is not an object of fields. */
function suggestPolicy (value: unknown, named: NamedPolicies): string {
  if (typeof value === 'string') {
    const name = nearestWord(value, [...named.names()])
    const origin = name === undefined ? suggestOrigin(value) : undefined
    return origin === undefined ? `write { extends: ${quote(name ?? value)} } for a named policy` : `write { origin: ${quote(origin)} }`
  }
  if (value instanceof OriginList) return 'write { origin: tenants } with the list in place of tenants'
  if (typeof value === 'function') return 'write { origin: (origin, request) => … } for a function that decides'
  if (value instanceof RegExp) return `write { origin: ${arrayFor(value, undefined) ?? '[ … ]'} }`
  if (Array.isArray(value)) return `write { origin: [${value.length > 0 && value.length <= 3 ? value.map(quote).join(', ') : ' … '}] }`
  return 'write { origin: "https://app.example.com" }, { extends: "a name" } or, on a route, cors: false'
}

/** The package's export `definePolicies`: checks named policies, and freezes them. Documented in index.ts. */
export function definePolicies<Name extends string> (policies: Readonly<Record<Name, Policy>>): Readonly<Record<Name, Policy>> {
  const problems: CorsProblem[] = []
  const checked = checkPolicies(policies, '', NO_NAMED_POLICIES, problems)
  if (problems.length > 0) throw corsPolicyError('definePolicies', problems)
  const entries = [...checked].map(([name, policy]) => {
    const { fields } = policy as CheckedPolicy // null only where there are problems
    const shown = Object.freeze(Object.fromEntries(copyRecord(fields) as Map<string, unknown>))
    definedPolicies.set(shown, policy as CheckedPolicy)
    return [name, shown]
  })
  return Object.freeze(Object.fromEntries(entries))
}
