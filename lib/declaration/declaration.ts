// From what a user wrote to checked policies: copies a declaration, has its fields checked, and resolves what it extends, by itself or among
// named policies. Reports every problem it finds and goes on; what the fields mean together is for policy.ts to say.
import { childPointer, corsPolicyError, quote, type CorsProblem } from '../errors'
import { checkFields, copyRecord } from './fields'
import { compilePolicy, type CompiledPolicy, type PolicyFields } from '../policy/policy'
import type * as NearestWord from './nearest-word'
import { suggestOrigin } from '../policy/origin/pattern'
import { OriginList } from '../policy/origin/list'
import type { Policy } from '../schema'
import { ExtendingPolicySchema, StandalonePolicySchema } from '../schema/compiled'

/** A policy that was checked: its fields after `extends`, to extend further, and what they compile to. */
export interface CheckedPolicy {
  readonly fields: PolicyFields
  readonly compiled: CompiledPolicy
  /** The named policy that this is, or the nearest one that it extends. */
  readonly name: string | undefined
  /** The fields that this declaration has besides those of the named policy. */
  readonly ownFields: ReadonlySet<string>
}

/** The policies that can be extended by name at some place. A name whose policy is too wrong to extend is there as null. */
export interface NamedPolicies {
  get (name: string): CheckedPolicy | null | undefined
  /** For suggestions. */
  names (): Iterable<string>
}

/** What `definePolicies` returned: frozen, so that it needs no second check. */
const definedPolicies = new WeakMap<object, CheckedPolicy>()

/** Whether this is a policy that `definePolicies` returned. It has a name, which another that is written the same has not. */
export function isDefinedPolicy (value: unknown): boolean {
  return definedPolicies.has(value as object)
}

/** Where no names are known. */
export const NO_NAMED_POLICIES: NamedPolicies = { get: () => undefined, names: () => [] }

/** The names of a scope: its own first, then those of the scope around it. */
export function withInherited (own: ReadonlyMap<string, CheckedPolicy | null>, inherited: NamedPolicies): NamedPolicies {
  return {
    get: (name) => own.has(name) ? own.get(name) : inherited.get(name),
    names: () => new Set([...own.keys(), ...inherited.names()])
  }
}

/** Checks a route's `config.cors`. `false` is itself. What is wrong is added to `problems`; undefined means that it is too much to go on with. */
export function checkRouteCors (value: unknown, names: NamedPolicies, problems: CorsProblem[]): CheckedPolicy | false | undefined {
  return value === false ? false : checkPolicy(value, '', names, problems)
}

/** Checks a policy. What it extends is looked up in `names`. */
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
  // All problems at once: the other fields are judged, too. What is wrong or unknown is taken to be right for that.
  const values = Object.fromEntries([...declared].map(([key, field]) => [key, invalid.has(key) ? DANGEROUS_SWITCHES_ON.get(key) : field]))
  // Without a prototype: what is polluted there must not become a field of the policy.
  const fields: PolicyFields = Object.assign(Object.create(null), base ?? Object.fromEntries(DANGEROUS_SWITCHES_ON), values)
  const ownFields = new Set(declared.keys())
  const compiled = compilePolicy(fields, ownFields, pointer, problems)
  return compiled && { fields, compiled, name: extended?.name, ownFields }
}

const NO_FIELDS_INHERITED: PolicyFields = Object.freeze({})

/** A named policy is all its own. */
const NO_OWN_FIELDS: ReadonlySet<string> = new Set()

/** Fields that permit what would be a problem without them. */
const DANGEROUS_SWITCHES_ON: ReadonlyMap<string, true> = new Map([['dangerouslyAllowInsecureOrigins', true], ['dangerouslyAllowPublicSuffixes', true]])

function findExtended (name: unknown, pointer: string, names: NamedPolicies, problems: CorsProblem[]): CheckedPolicy | undefined {
  if (typeof name !== 'string') return undefined // said already: not of its type
  const found = names.get(name)
  if (found === undefined) problems.push(unknownPolicyProblem(name, pointer, names))
  return found ?? undefined
}

/** The problem of a name that nobody declared. */
export function unknownPolicyProblem (name: string, pointer: string, names: NamedPolicies): CorsProblem {
  const known = [...names.names()]
  const suggestion = nearestWord(name, known)
  const origin = suggestOrigin(name)
  const instead = suggestion !== undefined
    ? `did you mean ${quote(suggestion)}?`
    : origin !== undefined
      ? `write a policy: { origin: ${quote(origin)} }`
      : known.length === 0 ? 'no policy has a name here: give them to the plugin as `policies`' : `the names here are ${known.map(quote).join(', ')}`
  return { pointer, reason: 'unknown-policy', value: name, message: `there is no policy ${quote(name)}; ${instead}` }
}

/**
 * Checks policies that may extend each other. A policy that extends its own name means the one of the scope around.
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
    problems.push({ pointer: childPointer(pointer, '$schema'), reason: 'type', value: $schema, message: `${quote($schema)} cannot be "$schema", by which an editor finds the JSON Schema of a file; write another name for the policy` })
  }
  const resolving: string[] = []
  const resolve = (name: string): CheckedPolicy | null => {
    const done = checked.get(name)
    if (done !== undefined) return done
    if (resolving.includes(name)) {
      const cycle = [...resolving.slice(resolving.indexOf(name)), name].map(quote).join(' extends ')
      const at = childPointer(childPointer(pointer, resolving.at(-1) as string), 'extends')
      problems.push({ pointer: at, reason: 'cyclic-extends', value: name, message: `policies cannot extend each other, or themselves, in a circle: ${cycle}; write one of them without "extends"` })
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
    const policy = found === undefined ? null : { ...found, name, own: NO_OWN_FIELDS }
    resolving.pop()
    checked.set(name, policy)
    return policy
  }
  for (const name of policies.keys()) resolve(name)
  return checked
}

/** Loaded when first needed: for a message. */
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

/** What the package exports by this name: checks named policies, and freezes them. Its documentation is in index.ts. */
export function definePolicies<Name extends string> (policies: Readonly<Record<Name, Policy>>): Readonly<Record<Name, Policy>> {
  const problems: CorsProblem[] = []
  const checked = checkPolicies(policies, '', NO_NAMED_POLICIES, problems)
  if (problems.length > 0) throw corsPolicyError('definePolicies', problems)
  const entries = [...checked].map(([name, policy]) => {
    const { fields } = policy as CheckedPolicy // there were no problems
    const shown = Object.freeze(Object.fromEntries(copyRecord(fields) as Map<string, unknown>))
    definedPolicies.set(shown, policy as CheckedPolicy)
    return [name, shown]
  })
  return Object.freeze(Object.fromEntries(entries))
}
