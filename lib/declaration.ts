// From what a user wrote to checked fields: copies a declaration, checks it against its schema, and resolves what it extends.
// Reports every problem it finds and goes on; what the fields mean together is for policy.ts to say.
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { child, corsPolicyError, quote, type CorsProblem } from './errors'
import { compilePolicy, type CompiledPolicy, type PolicyFields } from './policy'
import { nearest } from './nearest'
import { CorsPluginOptionsSchema, ExtendingPolicySchema, StandalonePolicySchema, type CorsPolicy } from './schema'

/** A policy that was checked: its fields after `extends`, to extend further, and what they compile to. */
export interface CheckedPolicy {
  readonly fields: PolicyFields
  readonly compiled: CompiledPolicy
}

/** The policies that can be extended by name at some place. A name whose policy is too wrong to extend is there as null. */
export interface PolicyNames {
  get (name: string): CheckedPolicy | null | undefined
  /** For suggestions. */
  known (): Iterable<string>
}

/** What `definePolicies` returned: frozen, so that it needs no second check. */
const definedPolicies = new WeakMap<object, CheckedPolicy>()

/** Where no names are known. */
export const NO_NAMES: PolicyNames = { get: () => undefined, known: () => [] }

/** The names of a scope: its own first, then those of the scope around it. */
export function within (own: ReadonlyMap<string, CheckedPolicy | null>, outer: PolicyNames): PolicyNames {
  return {
    get: (name) => own.has(name) ? own.get(name) : outer.get(name),
    known: () => new Set([...own.keys(), ...outer.known()])
  }
}

/** Checks a route's `config.cors`. `false` is itself. What is wrong is added to `problems`; undefined means that it is too much to go on with. */
export function checkRouteCors (value: unknown, names: PolicyNames, problems: CorsProblem[]): CheckedPolicy | false | undefined {
  return value === false ? false : checkPolicy(value, '', names, problems)
}

/** A text that is the same for declarations which are written the same; undefined where JSON cannot say that, as for functions. */
export function writtenAs (value: unknown): string | undefined {
  return isRecord(value) && !('toJSON' in value) && Object.values(value).every(isText) ? JSON.stringify(value) : undefined
}

function isText (field: unknown): boolean {
  return typeof field === 'string' || typeof field === 'number' || typeof field === 'boolean' ||
    (Array.isArray(field) && !('toJSON' in field) && field.every((element) => typeof element === 'string'))
}

/** Checks a policy. What it extends is looked up in `names`. */
export function checkPolicy (value: unknown, pointer: string, names: PolicyNames, problems: CorsProblem[]): CheckedPolicy | undefined {
  const defined = definedPolicies.get(value as object)
  if (defined !== undefined) return defined
  const copy = copyRecord(value)
  if (copy === undefined) {
    problems.push({ pointer, reason: 'type', value, message: `${quote(value)} is not a policy; ${insteadOf(value, names)}` })
    return undefined
  }
  const extending = copy.has('extends')
  const wrong = checkFields(extending ? ExtendingPolicySchema : StandalonePolicySchema, copy, pointer, problems)
  const base = extending ? lookUp(copy.get('extends'), child(pointer, 'extends'), names, problems) : NOTHING
  copy.delete('extends')
  // All problems at once: the other fields are judged, too. What is wrong or unknown is taken to be right for that.
  const own = Object.fromEntries([...copy].map(([key, field]) => [key, wrong.has(key) ? LENIENT.get(key) : field]))
  const fields: PolicyFields = { ...(base ?? Object.fromEntries(LENIENT)), ...own }
  const compiled = compilePolicy(fields, new Set(copy.keys()), pointer, problems)
  return compiled && { fields, compiled }
}

const NOTHING: PolicyFields = Object.freeze({})

/** Fields that permit what would be a problem without them. */
const LENIENT: ReadonlyMap<string, true> = new Map([['dangerouslyAllowInsecureOrigins', true], ['dangerouslyAllowPublicSuffixes', true]])

function lookUp (name: unknown, pointer: string, names: PolicyNames, problems: CorsProblem[]): PolicyFields | undefined {
  if (typeof name !== 'string') return undefined // said already: not of its type
  const found = names.get(name)
  if (found === undefined) problems.push(unknownPolicy(name, pointer, names))
  return found?.fields
}

/** The problem of a name that nobody declared. */
export function unknownPolicy (name: string, pointer: string, names: PolicyNames): CorsProblem {
  const known = [...names.known()]
  const suggestion = nearest(name, known)
  const instead = suggestion !== undefined
    ? `did you mean ${quote(suggestion)}?`
    : looksLikeOrigin(name)
      ? `write a policy: { origin: ${quote(name)} }`
      : known.length === 0 ? 'no policy has a name here: give them to the plugin as `policies`' : `the names here are ${known.map(quote).join(', ')}`
  return { pointer, reason: 'unknown-policy', value: name, message: `there is no policy ${quote(name)}; ${instead}` }
}

function looksLikeOrigin (text: string): boolean {
  return text === '*' || text.includes('://')
}

/**
 * Checks policies that may extend each other. A policy that extends its own name means the one of the scope around.
 */
export function checkPolicies (value: unknown, pointer: string, outer: PolicyNames, problems: CorsProblem[]): Map<string, CheckedPolicy | null> {
  const checked = new Map<string, CheckedPolicy | null>()
  const policies = copyRecord(value)
  if (policies === undefined) {
    problems.push({ pointer, reason: 'type', value, message: `${quote(value)} is not an object of policies; write { public: { origin: "*" } }` })
    return checked
  }
  const open: string[] = []
  const resolve = (name: string): CheckedPolicy | null => {
    const done = checked.get(name)
    if (done !== undefined) return done
    if (open.includes(name)) {
      const circle = [...open.slice(open.indexOf(name)), name].map(quote).join(' extends ')
      const at = child(child(pointer, open.at(-1) as string), 'extends')
      problems.push({ pointer: at, reason: 'cyclic-extends', value: name, message: `policies cannot extend each other, or themselves, in a circle: ${circle}; write one of them without "extends"` })
      return null
    }
    open.push(name)
    const names: PolicyNames = {
      get: (other) => {
        const outside = outer.get(other)
        return policies.has(other) && (other !== name || outside === undefined) ? resolve(other) : outside
      },
      known: () => new Set([...[...policies.keys()].filter((other) => other !== name), ...outer.known()])
    }
    const policy = checkPolicy(policies.get(name), child(pointer, name), names, problems) ?? null
    open.pop()
    checked.set(name, policy)
    return policy
  }
  for (const name of policies.keys()) resolve(name)
  return checked
}

/** Fastify's own options of `register`, which it passes on to every plugin. */
const OPTIONS_OF_REGISTER: ReadonlySet<string> = new Set(['prefix', 'logSerializers'])

/** What is left of the plugin's options when they were checked. */
export interface CheckedOptions {
  readonly policies: Map<string, CheckedPolicy | null>
  /** undefined: left out. */
  readonly defaultPolicy: CheckedPolicy | false | undefined
  readonly logLevel: string | undefined
  readonly hideOptionsRoute: boolean
}

/** Checks the plugin's options. */
export function checkOptions (value: unknown, outer: PolicyNames, problems: CorsProblem[]): CheckedOptions {
  const copy = copyRecord(value) ?? new Map<string, unknown>()
  if (!isRecord(value)) problems.push({ pointer: '', reason: 'type', value, message: `${quote(value)} is not an object of options; write { policies: { … } }` })
  for (const key of OPTIONS_OF_REGISTER) copy.delete(key)
  checkFields(CorsPluginOptionsSchema, copy, '', problems)
  const policies = copy.has('policies') ? checkPolicies(copy.get('policies'), '/policies', outer, problems) : new Map<string, CheckedPolicy | null>()
  const names = within(policies, outer)
  const given = copy.get('defaultPolicy')
  let defaultPolicy: CheckedOptions['defaultPolicy']
  if (typeof given === 'string') {
    const named = names.get(given)
    if (named === undefined) problems.push(unknownPolicy(given, '/defaultPolicy', names))
    defaultPolicy = named ?? undefined
  } else if (copy.has('defaultPolicy')) {
    defaultPolicy = given === false ? false : checkPolicy(given, '/defaultPolicy', names, problems)
  }
  const logLevel = copy.get('logLevel')
  return { policies, defaultPolicy, logLevel: typeof logLevel === 'string' ? logLevel : undefined, hideOptionsRoute: copy.get('hideOptionsRoute') !== false }
}

function isRecord (value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RegExp)
}

/** The own fields of an object, its arrays and their RegExps copied, so that nothing the caller keeps can change what was checked. */
function copyRecord (value: unknown): Map<string, unknown> | undefined {
  return isRecord(value) ? new Map(Object.entries(value).map(([key, field]) => [key, copyField(field)])) : undefined
}

function copyField (field: unknown): unknown {
  return Array.isArray(field) ? Object.freeze(Array.from(field, (element: unknown) => element instanceof RegExp ? new RegExp(element) : element)) : field
}

function insteadOf (value: unknown, names: PolicyNames): string {
  if (typeof value === 'string') {
    return looksLikeOrigin(value)
      ? `write { origin: ${quote(value)} }`
      : `write { extends: ${quote(nearest(value, [...names.known()]) ?? value)} } for a named policy`
  }
  if (typeof value === 'function') return 'write { origin: (origin, request) => … } for a function that decides'
  if (Array.isArray(value) || value instanceof RegExp) return 'write { origin: [ … ] }'
  return 'write { origin: "https://app.example.com" }, { extends: "a name" } or, on a route, cors: false'
}

interface ObjectSchema { readonly properties: Record<string, TSchema>, readonly required?: string[] | undefined }

/** What belongs in a field, for a message. */
const EXPECTED: Readonly<Record<string, string>> = {
  origin: 'an origin such as "https://app.example.com", "*", an array of origins and RegExps, or a function',
  extends: 'the name of a policy',
  credentials: 'true or false',
  allowedHeaders: '"*" or an array of header names',
  exposedHeaders: '"*" or an array of header names',
  maxAge: 'a whole number of seconds from 0 to 86400',
  optionsSuccessStatus: '204 or 200',
  dangerouslyAllowInsecureOrigins: 'true or false',
  dangerouslyAllowPublicSuffixes: 'true or false',
  logLevel: 'the name of a log level',
  hideOptionsRoute: 'true or false'
}

/** Fields in which a wrong whole number is of the right type. */
const WHOLE_NUMBERS: ReadonlySet<string> = new Set(['maxAge', 'optionsSuccessStatus'])

const HEADER_LISTS: ReadonlySet<string> = new Set(['allowedHeaders', 'exposedHeaders'])

/** Fields whose own checks say more than their schema can. */
const CHECKED_ELSEWHERE: ReadonlySet<string> = new Set(['policies', 'defaultPolicy'])

/** Checks fields by their schema. Returns the keys of those that are wrong. */
function checkFields (schema: ObjectSchema, fields: ReadonlyMap<string, unknown>, pointer: string, problems: CorsProblem[]): Set<string> {
  const { required = [] } = schema
  const wrong = new Set<string>()
  const report = (key: string, problem: Pick<CorsProblem, 'reason' | 'message'>): void => {
    wrong.add(key)
    problems.push({ pointer: child(pointer, key), value: fields.get(key), ...problem })
  }
  for (const [key, field] of fields) {
    const fieldSchema = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
    if (fieldSchema === undefined) report(key, { reason: 'unknown-property', message: unknownField(key, schema) })
    else if (!CHECKED_ELSEWHERE.has(key) && !isWellFormed(key, fieldSchema, field)) report(key, malformed(key, field, key === 'extends' || !required.includes(key)))
  }
  for (const key of required) {
    if (!fields.has(key)) report(key, { reason: 'missing', message: `${quote(key)} is missing; write one, such as ${key}: "https://app.example.com", or extend a policy that has one` })
  }
  return wrong
}

function unknownField (key: string, schema: ObjectSchema): string {
  if (key === 'methods') return 'there is no option "methods"; leave it out: a preflight allows the methods that the URL has routes for'
  if (schema === CorsPluginOptionsSchema && Object.hasOwn(ExtendingPolicySchema.properties, key)) {
    return `${quote(key)} belongs in a policy; write defaultPolicy: { ${key}: … } for the routes that declare none`
  }
  const known = Object.keys(schema.properties)
  const suggestion = nearest(key, known)
  return `there is no option ${quote(key)}; ${suggestion === undefined ? `the options are ${known.join(', ')}` : `did you mean ${quote(suggestion)}?`}`
}

/** Whether a field is of its type. What its texts and arrays hold is for policy.ts to judge, which knows the correction. */
function isWellFormed (key: string, schema: TSchema, value: unknown): boolean {
  if (key === 'origin' && typeof value === 'string') return true
  if ((key === 'origin' || HEADER_LISTS.has(key)) && Array.isArray(value)) return true
  return Value.Check(schema, value)
}

function malformed (key: string, value: unknown, canBeLeftOut: boolean): Pick<CorsProblem, 'reason' | 'message'> {
  return {
    reason: Number.isInteger(value) && WHOLE_NUMBERS.has(key) ? 'out-of-range' : 'type',
    message: `${quote(value)} cannot be ${quote(key)}; ${correction(key, value, canBeLeftOut)}`
  }
}

function correction (key: string, value: unknown, canBeLeftOut: boolean): string {
  if (typeof value === 'string' && HEADER_LISTS.has(key)) return `write [${value.split(',').map((name) => quote(name.trim())).join(', ')}]`
  if (value instanceof RegExp && key === 'origin') return `write [${quote(value)}]`
  return `${value === undefined && canBeLeftOut ? 'leave it out, or ' : ''}write ${EXPECTED[key]}`
}

/**
 * Checks named policies, and freezes them, so that routes can refer to them as values: `config: { cors: policies.public }`. They may
 * extend each other by name; what is returned is complete, and extends nothing.
 *
 * @param policies the policies by name
 * @returns the same names with their checked, frozen policies
 * @throws CorsPolicyError with every problem, where there is one
 * @example
 * const policies = definePolicies({
 *   public: { origin: '*' },
 *   partner: { origin: 'https://*.partners.example.com', credentials: true }
 * })
 */
export function definePolicies<Name extends string> (policies: Readonly<Record<Name, CorsPolicy>>): Readonly<Record<Name, CorsPolicy>> {
  const problems: CorsProblem[] = []
  const checked = checkPolicies(policies, '', NO_NAMES, problems)
  if (problems.length > 0) throw corsPolicyError('definePolicies', problems)
  const entries = [...checked].map(([name, policy]) => {
    const { fields } = policy as CheckedPolicy // there were no problems
    const shown = Object.freeze(Object.fromEntries(copyRecord(fields) as Map<string, unknown>))
    definedPolicies.set(shown, policy as CheckedPolicy)
    return [name, shown]
  })
  return Object.freeze(Object.fromEntries(entries))
}
