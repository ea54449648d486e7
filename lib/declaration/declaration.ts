// Checks the policies that a user declares: copies a declaration, checks the types of its fields (fields.ts), resolves `extends`, and compiles
// the result (policy.ts, which also checks the fields together). Reports all problems at once.
// The application calls it for each route's `config.cors`, options.ts for the plugin's options, and index.ts for `definePolicies`.
import { childPointer, corsPolicyError, quote, type CorsProblem } from '../errors'
import { checkFields, copyRecord } from './fields'
import { compilePolicy, type CompiledPolicy, type PolicyFields } from '../policy/policy'
import type * as NearestWord from './nearest-word'
import { suggestOrigin } from '../policy/origin/pattern'
import { OriginList } from '../policy/origin/list'
import type { Policy } from '../schema'
import { ExtendingPolicySchema, StandalonePolicySchema } from '../schema/compiled'

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
export function checkRouteCors (value: unknown, names: NamedPolicies, problems: CorsProblem[]): CheckedPolicy | false | undefined {
  return value === false ? false : checkPolicy(value, '', names, problems)
}

/** Checks one policy, which may extend those in `names`, and adds problems to `problems`. Returns undefined if no policy can be compiled. */
export function checkPolicy (value: unknown, pointer: string, names: NamedPolicies, problems: CorsProblem[]): CheckedPolicy | undefined {
  const defined = definedPolicies.get(value as object)
  if (defined !== undefined) return defined
  const declared = copyRecord(value)
  if (declared === undefined) {
    problems.push({ pointer, reason: 'type', value, message: `${quote(value)} is not a policy; ${suggestPolicy(value, names)}` })
    return undefined
  }
  const extending = declared.has('extends')
  const invalid = checkFields(extending ? ExtendingPolicySchema : StandalonePolicySchema, declared, pointer, problems)
  const extended = extending ? findExtended(declared.get('extends'), childPointer(pointer, 'extends'), names, problems) : undefined
  const base = extending ? extended?.fields : NO_FIELDS_INHERITED
  declared.delete('extends')
  // The other fields are checked although some are invalid, so that all problems are reported at once. Invalid fields must cause no further
  // problems: they count as not set, and the switches as set.
  const values = Object.fromEntries([...declared].map(([key, field]) => [key, invalid.has(key) ? DANGEROUS_SWITCHES_ON.get(key) : field]))
  // No prototype: a polluted Object.prototype must not add fields to the policy.
  const fields: PolicyFields = Object.assign(Object.create(null), base ?? Object.fromEntries(DANGEROUS_SWITCHES_ON), values)
  const ownFields = new Set(declared.keys())
  const compiled = compilePolicy(fields, ownFields, pointer, problems)
  return compiled && { fields, compiled, name: extended?.name, ownFields }
}

const NO_FIELDS_INHERITED: PolicyFields = Object.freeze({})

/** A route that uses a named policy as it is sets no fields itself. */
const NO_OWN_FIELDS: ReadonlySet<string> = new Set()

/** The switches that lift rules, set. They replace fields that cannot be known. */
const DANGEROUS_SWITCHES_ON: ReadonlyMap<string, true> = new Map([['dangerouslyAllowInsecureOrigins', true], ['dangerouslyAllowPublicSuffixes', true]])

function findExtended (name: unknown, pointer: string, names: NamedPolicies, problems: CorsProblem[]): CheckedPolicy | undefined {
  if (typeof name !== 'string') return undefined // checkFields reported the type
  const found = names.get(name)
  if (found === undefined) problems.push(unknownPolicyProblem(name, pointer, names))
  return found ?? undefined
}

/** The problem that no policy has this name. */
export function unknownPolicyProblem (name: string, pointer: string, names: NamedPolicies): CorsProblem {
  const known = [...names.names()]
  const suggestion = nearestWord(name, known)
  const origin = suggestOrigin(name)
  const instead = suggestion !== undefined
    ? `did you mean ${quote(suggestion)}?`
    : origin !== undefined
      ? `write a policy: { origin: ${quote(origin)} }`
      : known.length === 0 ? 'no named policy can be extended here; write policies: { … } in the plugin\'s options' : `write one of ${known.map(quote).join(', ')}`
  return { pointer, reason: 'unknown-policy', value: name, message: `there is no policy ${quote(name)}; ${instead}` }
}

/**
 * Checks named policies, which may extend each other. A policy that extends its own name inherits from the parent scope's policy of that name.
 * An invalid policy is null in the result.
 */
export function checkPolicies (value: unknown, pointer: string, inherited: NamedPolicies, problems: CorsProblem[]): Map<string, CheckedPolicy | null> {
  const checked = new Map<string, CheckedPolicy | null>()
  const policies = copyRecord(value)
  if (policies === undefined) {
    problems.push({ pointer, reason: 'type', value, message: `${quote(value)} is not an object of policies; write { public: { origin: "*" } }` })
    return checked
  }
  const $schema = policies.get('$schema')
  if (policies.delete('$schema') && typeof $schema !== 'string') {
    const message = `${quote($schema)} cannot be "$schema", which is the address of a JSON Schema for editors; write another name for the policy`
    problems.push({ pointer: childPointer(pointer, '$schema'), reason: 'type', value: $schema, message })
  }
  const resolving: string[] = []
  const resolve = (name: string): CheckedPolicy | null => {
    const done = checked.get(name)
    if (done !== undefined) return done
    if (resolving.includes(name)) {
      const cycle = [...resolving.slice(resolving.indexOf(name)), name].map(quote).join(' extends ')
      const at = childPointer(childPointer(pointer, resolving.at(-1) as string), 'extends')
      problems.push({ pointer: at, reason: 'cyclic-extends', value: name, message: `"extends" forms a cycle: ${cycle}; write one of them without "extends"` })
      return null
    }
    resolving.push(name)
    const names: NamedPolicies = {
      get: (other) => {
        const parents = inherited.get(other)
        return policies.has(other) && (other !== name || parents === undefined) ? resolve(other) : parents
      },
      names: () => new Set([...[...policies.keys()].filter((other) => other !== name), ...inherited.names()])
    }
    const found = checkPolicy(policies.get(name), childPointer(pointer, name), names, problems)
    const policy = found === undefined ? null : { ...found, name, ownFields: NO_OWN_FIELDS }
    resolving.pop()
    checked.set(name, policy)
    return policy
  }
  for (const name of policies.keys()) resolve(name)
  return checked
}

/** Loads the module when a message first needs it. */
function nearestWord (text: string, words: readonly string[]): string | undefined {
  return (require('./nearest-word') as typeof NearestWord).nearestWord(text, words)
}

function suggestPolicy (value: unknown, names: NamedPolicies): string {
  if (typeof value === 'string') {
    const name = nearestWord(value, [...names.names()])
    const origin = name === undefined ? suggestOrigin(value) : undefined
    return origin === undefined ? `write { extends: ${quote(name ?? value)} } for a named policy` : `write { origin: ${quote(origin)} }`
  }
  if (value instanceof OriginList) return 'write { origin: tenants } with the list in place of tenants'
  if (typeof value === 'function') return 'write { origin: (origin, request) => … } for a function that decides'
  if (value instanceof RegExp) return `write { origin: [${quote(value)}] }`
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
