// Compiles a policy: checks the values of its fields, alone and together, and computes everything that requests need, once per policy.
// lib/declaration/ calls it when a route is declared or the plugin is registered, and lib/explain/ to try out advice.
import { childPointer, quote, type CorsProblem, type CorsProblemReason } from '../errors'
import { isHeaderName, uniqueNames, whyNotReadable, whyNotSendable } from '../http/headers'
import type { CredentialSwitches } from './origin/credentials'
import { readEntry, credentialProblems, type Entry } from './origin/entry'
import { OriginList } from './origin/list'
import { createMatcher, type OriginMatcher } from './origin/matcher'
import type { CorsOriginFunction } from '../schema/origins'

/** The fields of a policy after `extends` is resolved. Each field has the right type; the elements of arrays are checked here. */
export interface PolicyFields {
  readonly origin?: string | readonly unknown[] | OriginList | CorsOriginFunction
  readonly credentials?: boolean | readonly unknown[] | OriginList
  readonly allowedHeaders?: '*' | readonly unknown[]
  readonly exposedHeaders?: '*' | readonly unknown[]
  readonly maxAge?: number
  readonly optionsSuccessStatus?: 200 | 204
  readonly enforceOrigin?: boolean
  readonly dangerouslyAllowInsecureOrigins?: boolean
  readonly dangerouslyAllowPublicSuffixes?: boolean
}

/** Allows the origins that a list matches. */
export interface ListRule { readonly kind: 'list', readonly matches: OriginMatcher }

/** Which origins are allowed: all of them, those that a list matches, or those that a function accepts. */
export type OriginRule =
  | { readonly kind: 'any' }
  | ListRule
  | { readonly kind: 'function', readonly decide: CorsOriginFunction }

/** The request headers that a preflight allows. */
export interface AllowedHeaders {
  /** Whether `'*'` is among them. */
  readonly any: boolean
  readonly names: readonly string[]
}

/** A policy in the form that requests are answered with. */
export interface CompiledPolicy {
  readonly origin: OriginRule
  /** Whether all allowed origins may send credentials. */
  readonly credentials: boolean
  /** The origins that may send credentials, if `credentials` is a list. They are allowed in addition to those of `origin`. */
  readonly credentialedOrigins: ListRule | undefined
  /** undefined: derived from the route. */
  readonly allowedHeaders: AllowedHeaders | undefined
  /** undefined: derived from the route. */
  readonly exposedHeaders: readonly string[] | undefined
  /** The value of `Access-Control-Max-Age`, in seconds. */
  readonly maxAge: string | undefined
  readonly optionsSuccessStatus: 200 | 204
  /** Whether a request of a refused origin is answered 403 before its handler runs. */
  readonly enforceOrigin: boolean
  /** Two policies with equal fields have equal keys. */
  readonly key: string
}

/** A problem of a field. */
interface FieldProblem {
  readonly reason: CorsProblemReason
  readonly message: string
  /** The position and the value of the array element that has the problem. */
  readonly index?: number
  readonly value?: unknown
  /** The other fields without which there would be no problem. */
  readonly involvedFields?: ReadonlyArray<keyof PolicyFields> | undefined
}

type Report = (field: keyof PolicyFields, problem: FieldProblem) => void

/**
 * Compiles the fields of a policy, and adds problems to `problems`. `ownFields` are the fields that the declaration sets itself; the others are
 * inherited, and were checked where they were declared.
 */
export function compilePolicy (
  fields: PolicyFields, ownFields: ReadonlySet<string>, pointer: string, problems: CorsProblem[]
): CompiledPolicy | undefined {
  const problemsBefore = problems.length
  const report: Report = (field, problem) => problems.push(toCorsProblem(field, problem, fields, ownFields, pointer))
  const origin = fields.origin === undefined ? undefined : compileOrigin(fields, fields.origin, report)
  const credentialed = typeof fields.credentials === 'object'
    ? compileOriginEntries('credentials', fields.credentials, switchesOf(fields), report)
    : undefined
  checkAllowedHeaders(fields, report)
  checkExposedHeaders(fields, report)
  if (origin === undefined || problems.length > problemsBefore) return undefined
  // `problems` has those of the whole declaration. With a problem in another policy, none of them is used.
  if (problems.length === 0) {
    origin.onAccepted?.()
    credentialed?.onAccepted?.()
  }
  return Object.freeze({
    origin: Object.freeze(origin.rule),
    credentials: fields.credentials === true,
    credentialedOrigins: credentialed?.rule,
    allowedHeaders: fields.allowedHeaders === undefined
      ? undefined
      : compileAllowedHeaders(fields.allowedHeaders as '*' | readonly string[]),
    exposedHeaders: fields.exposedHeaders === undefined ? undefined : uniqueNames([fields.exposedHeaders].flat() as string[]),
    maxAge: fields.maxAge === undefined ? undefined : String(fields.maxAge),
    optionsSuccessStatus: fields.optionsSuccessStatus ?? 204,
    enforceOrigin: fields.enforceOrigin === true,
    key: valueKey(fields)
  })
}

/**
 * A problem of a field, with its pointer. A problem of several fields is reported at one that the declaration sets itself: the first field that has it
 * may be inherited, and is valid where it was declared.
 */
function toCorsProblem (
  field: keyof PolicyFields,
  { reason, message, index, value, involvedFields = [] }: FieldProblem,
  fields: PolicyFields,
  ownFields: ReadonlySet<string>,
  pointer: string
): CorsProblem {
  const reported = [field, ...involvedFields].find((candidate) => ownFields.has(candidate)) as keyof PolicyFields
  const fieldPointer = childPointer(pointer, reported)
  if (reported !== field || index === undefined) return { pointer: fieldPointer, reason, value: fields[reported], message }
  return { pointer: childPointer(fieldPointer, index), reason, value, message }
}

interface CompiledRule<Rule extends OriginRule> {
  readonly rule: Rule
  /** Called once the whole declaration is accepted: from then on, an originList refuses entries that the policy would refuse. */
  readonly onAccepted?: () => void
}

function compileOrigin (fields: PolicyFields, origin: NonNullable<PolicyFields['origin']>, report: Report): CompiledRule<OriginRule> {
  if (typeof origin === 'function') return { rule: { kind: 'function', decide: origin } }
  if (origin === '*') {
    if (fields.credentials === true) {
      report('origin', {
        reason: 'wildcard-with-credentials',
        message: 'browsers refuse credentials with "*"; write credentials: ["https://app.example.com"] for the origins that may send them, ' +
          'or leave credentials out',
        involvedFields: ['credentials']
      })
    }
    if (fields.enforceOrigin === true) {
      report('enforceOrigin', {
        reason: 'conflict',
        message: 'origin: "*" refuses no origin, so there is nothing to enforce; write the origins that may send requests, or leave enforceOrigin out',
        involvedFields: ['origin']
      })
    }
    return { rule: { kind: 'any' } }
  }
  return compileOriginEntries('origin', origin, fields.credentials === true ? switchesOf(fields) : undefined, report)
}

function switchesOf ({ dangerouslyAllowInsecureOrigins = false, dangerouslyAllowPublicSuffixes = false }: PolicyFields): CredentialSwitches {
  return { dangerouslyAllowInsecureOrigins, dangerouslyAllowPublicSuffixes }
}

/** `switches` are set if these origins may send credentials, so that the rules of credentials apply. */
function compileOriginEntries (
  field: 'origin' | 'credentials',
  origins: string | readonly unknown[] | OriginList,
  switches: CredentialSwitches | undefined,
  report: Report
): CompiledRule<ListRule> {
  return origins instanceof OriginList
    ? compileOriginList(field, origins, switches, report)
    : { rule: compileOriginArray(field, origins, switches, report) }
}

function compileOriginList (
  field: 'origin' | 'credentials', list: OriginList, switches: CredentialSwitches | undefined, report: Report
): CompiledRule<ListRule> {
  for (const problem of switches === undefined ? [] : list.credentialProblems(switches)) {
    report(field, { ...problem, involvedFields: INVOLVED_FIELDS[problem.reason] })
  }
  const rule = list.ruleFor(switches)
  return { rule, onAccepted: () => list.enforceRule(rule) }
}

/** A single origin is compiled as an array of one. */
function compileOriginArray (
  field: 'origin' | 'credentials', origins: string | readonly unknown[], switches: CredentialSwitches | undefined, report: Report
): ListRule {
  const values = typeof origins === 'string' ? [origins] : origins
  if (values.length === 0) {
    const instead = field === 'origin' ? 'cors: false' : 'credentials: false'
    report(field, { reason: 'invalid', message: `an empty array allows nobody; write ${instead} for that` })
  }
  const entries: Entry[] = []
  values.forEach((value, index) => {
    const element = typeof origins === 'string' ? {} : { index, value }
    const entry = readEntry(value, field)
    if (!('key' in entry)) return report(field, { ...entry, ...element, involvedFields: INVOLVED_FIELDS[entry.reason] })
    entries.push(entry)
    for (const problem of switches === undefined ? [] : credentialProblems(entry, switches)) {
      report(field, { ...problem, ...element, involvedFields: INVOLVED_FIELDS[problem.reason] })
    }
  })
  return { kind: 'list', matches: createMatcher(entries) }
}

/** The other fields without which an entry of a list would have no such problem. */
const INVOLVED_FIELDS: Partial<Record<CorsProblemReason, ReadonlyArray<keyof PolicyFields>>> = {
  'null-origin': ['credentials'],
  'insecure-with-credentials': ['credentials', 'dangerouslyAllowInsecureOrigins'],
  'public-suffix': ['credentials', 'dangerouslyAllowPublicSuffixes']
}

function checkAllowedHeaders ({ allowedHeaders }: PolicyFields, report: Report): void {
  if (typeof allowedHeaders !== 'object') return
  const mixed = allowedHeaders.some((name) => typeof name === 'string' && name !== '*' && name.toLowerCase() !== 'authorization')
  checkNames('allowedHeaders', allowedHeaders, whyNotSendable, mixed ? WILDCARD_WITH_ALLOWED_NAMES : undefined, report)
}

function checkExposedHeaders ({ exposedHeaders, credentials }: PolicyFields, report: Report): void {
  const hasCredentials = credentials === true || typeof credentials === 'object'
  const wildcard = hasCredentials ? WILDCARD_WITH_CREDENTIALS : WILDCARD_WITH_EXPOSED_NAMES
  if (typeof exposedHeaders === 'object') checkNames('exposedHeaders', exposedHeaders, whyNotReadable, wildcard, report)
  else if (exposedHeaders === '*' && hasCredentials) report('exposedHeaders', wildcard)
}

/** `wildcard` is the problem of a `'*'` among these names, if it is one. */
function checkNames (
  field: keyof PolicyFields,
  names: readonly unknown[],
  whyForbidden: (name: string) => string | undefined,
  wildcard: FieldProblem | undefined,
  report: Report
): void {
  names.forEach((name, index) => {
    const problem = name === '*' ? wildcard : checkName(name, whyForbidden)
    if (problem !== undefined) report(field, { ...problem, index, value: name })
  })
}

function checkName (name: unknown, whyForbidden: (name: string) => string | undefined): FieldProblem | undefined {
  if (typeof name !== 'string') return { reason: 'type', message: `${quote(name)} is not the name of a header; write a text such as "X-Request-Id"` }
  if (!isHeaderName(name)) {
    return { reason: 'invalid', message: `${quote(name)} is not the name of a header; write one name for each element, such as "X-Request-Id"` }
  }
  const why = whyForbidden(name)
  return why === undefined ? undefined : { reason: 'forbidden', message: `${quote(name)}: ${why}; leave it out` }
}

/** https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name */
const WILDCARD_WITH_ALLOWED_NAMES: FieldProblem = {
  reason: 'invalid',
  message: '"*" allows every header except Authorization, the only name that can be combined with it; write "*", or ["*", "Authorization"]'
}

const WILDCARD_WITH_EXPOSED_NAMES: FieldProblem = {
  reason: 'invalid',
  message: '"*" exposes every header and cannot be an array element; write exposedHeaders: "*"'
}

/** https://fetch.spec.whatwg.org/#http-access-control-expose-headers */
const WILDCARD_WITH_CREDENTIALS: FieldProblem = {
  reason: 'wildcard-with-credentials',
  message: 'with credentials, browsers read "*" as the name of a header; write the names of the headers to expose',
  involvedFields: ['credentials']
}

function compileAllowedHeaders (value: '*' | readonly string[]): AllowedHeaders {
  const names = value === '*' ? [] : uniqueNames(value.filter((name) => name !== '*'))
  return Object.freeze({ any: value.includes('*'), names })
}

/** A key that policies with the same meaning share. A function and an originList are equal only to themselves. */
function valueKey ({ origin, credentials, allowedHeaders, exposedHeaders, maxAge, optionsSuccessStatus, enforceOrigin }: PolicyFields): string {
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
