// From a policy's fields to its compiled form: what the fields mean, alone and together, and everything that can be
// computed once per policy. Imports nothing from Fastify but a type.
import { child, quote, type CorsProblem } from './errors'
import { isHeaderName, uniqueNames, whyNotReadable, whyNotSendable } from './http/headers'
import { createMatcher, type OriginMatcher } from './origin/matcher'
import { isInsecure, parseOriginEntry, type TupleOrigin } from './origin/pattern'
import { isPublicSuffix } from './origin/public-suffix'
import { whyNotRegExp } from './origin/regexp'
import type { CorsOriginFunction } from './schema'

/** The fields of a policy after `extends`, each of its type. */
export interface PolicyFields {
  readonly origin?: string | ReadonlyArray<string | RegExp> | CorsOriginFunction
  readonly credentials?: boolean
  readonly allowedHeaders?: '*' | readonly string[]
  readonly exposedHeaders?: '*' | readonly string[]
  readonly maxAge?: number
  readonly optionsSuccessStatus?: 200 | 204
  readonly dangerouslyAllowInsecureOrigins?: boolean
  readonly dangerouslyAllowPublicSuffixes?: boolean
}

/** Who is allowed: everyone, those a matcher knows, or those a function says. */
export type OriginRule =
  | { readonly kind: 'any' }
  | { readonly kind: 'list', readonly matches: OriginMatcher }
  | { readonly kind: 'function', readonly decide: CorsOriginFunction }

/** Request headers that a preflight accepts. `undefined` in a policy means: those of the route. */
export interface AllowedHeaders {
  /** `'*'` was among them. */
  readonly any: boolean
  readonly names: readonly string[]
}

export interface CompiledPolicy {
  readonly origin: OriginRule
  readonly credentials: boolean
  readonly allowedHeaders: AllowedHeaders | undefined
  readonly exposedHeaders: readonly string[] | undefined
  readonly maxAge: string | undefined
  readonly optionsSuccessStatus: 200 | 204
  /** Equal for policies that are equal by value. */
  readonly key: string
}

/**
 * Compiles the fields of a policy. `own` are the fields that stand in this declaration (the others come from what it extends, and were
 * checked there): a problem that two fields make together is reported at one that can be changed here.
 */
export function compilePolicy (fields: PolicyFields, own: ReadonlySet<string>, pointer: string, problems: CorsProblem[]): CompiledPolicy | undefined {
  const before = problems.length
  const credentials = fields.credentials === true
  const report = (field: string, problem: Omit<CorsProblem, 'pointer'>, index?: number): void => {
    const at = [field, 'credentials', ...SWITCHES].find((candidate) => own.has(candidate)) as string
    problems.push({ pointer: child(pointer, at) + (index === undefined || at !== field ? '' : `/${index}`), ...problem })
  }
  const origin = fields.origin === undefined ? undefined : compileOrigin(fields, credentials, report)
  checkHeaderNames(fields.allowedHeaders, 'allowedHeaders', report)
  checkHeaderNames(fields.exposedHeaders, 'exposedHeaders', report)
  if (fields.exposedHeaders === '*' && credentials) {
    report('exposedHeaders', { reason: 'wildcard-with-credentials', value: '*', message: 'with credentials, browsers read "*" as the name of a header; list the names of the headers to expose' })
  }
  if (origin === undefined || problems.length > before) return undefined
  return Object.freeze({
    origin: Object.freeze(origin),
    credentials,
    allowedHeaders: fields.allowedHeaders === undefined ? undefined : allowedHeaders(fields.allowedHeaders),
    exposedHeaders: typeof fields.exposedHeaders === 'string' ? ['*'] : fields.exposedHeaders,
    maxAge: fields.maxAge === undefined ? undefined : String(fields.maxAge),
    optionsSuccessStatus: fields.optionsSuccessStatus ?? 204,
    key: valueKey(fields)
  })
}

const SWITCHES = ['dangerouslyAllowInsecureOrigins', 'dangerouslyAllowPublicSuffixes']

type Report = (field: string, problem: Omit<CorsProblem, 'pointer'>, index?: number) => void

function compileOrigin (fields: PolicyFields, credentials: boolean, report: Report): OriginRule | undefined {
  const { origin } = fields
  if (typeof origin === 'function') return { kind: 'function', decide: origin }
  if (origin === '*') {
    if (credentials) {
      report('origin', { reason: 'wildcard-with-credentials', value: origin, message: 'browsers refuse credentials with "*"; list the origins that may send them, or leave credentials out' })
    }
    return { kind: 'any' }
  }
  if (typeof origin === 'string') return compileList([origin], fields, credentials, (problem) => report('origin', problem))
  const list = origin as ReadonlyArray<string | RegExp>
  if (list.length === 0) {
    report('origin', { reason: 'invalid', value: list, message: 'an empty array allows nobody; write cors: false for that' })
  }
  return compileList(list, fields, credentials, (problem, index) => report('origin', problem, index))
}

function compileList (list: ReadonlyArray<string | RegExp>, fields: PolicyFields, credentials: boolean, report: (problem: Omit<CorsProblem, 'pointer'>, index: number) => void): OriginRule {
  const entries: TupleOrigin[] = []
  const regexps: RegExp[] = []
  let nullOrigin = false
  list.forEach((value, index) => {
    if (typeof value !== 'string') {
      const refusal = whyNotRegExp(value)
      if (refusal === undefined) regexps.push(new RegExp(value.source, value.flags))
      else report({ value, ...refusal }, index)
      return
    }
    const entry = parseOriginEntry(value)
    switch (entry.kind) {
      case 'refused':
        report({ reason: entry.reason, value, message: `${quote(value)}: ${entry.message}` }, index)
        break
      case 'any':
        report({ reason: 'invalid', value, message: '"*" allows everyone, so nothing can stand beside it; write origin: "*" alone' }, index)
        break
      case 'null':
        nullOrigin = true
        if (credentials) report({ reason: 'null-origin', value, message: 'every sandboxed frame on any site has the origin "null"; leave it out, or leave credentials out' }, index)
        break
      case 'tuple':
        entries.push(entry)
        if (credentials) checkCredentialed(entry, fields, (problem) => report(problem, index))
    }
  })
  return { kind: 'list', matches: createMatcher({ entries, nullOrigin, regexps }) }
}

function checkCredentialed (entry: TupleOrigin, fields: PolicyFields, report: (problem: Omit<CorsProblem, 'pointer'>) => void): void {
  if (isInsecure(entry) && fields.dangerouslyAllowInsecureOrigins !== true) {
    report({ reason: 'insecure-with-credentials', value: entry.text, message: `whoever sits on the network can change pages of ${quote(entry.text)} and act with its users' credentials; write ${quote(entry.text.replace(/^(http|ws):/, '$1s:'))}, or set dangerouslyAllowInsecureOrigins: true` })
  }
  if (entry.subdomains && fields.dangerouslyAllowPublicSuffixes !== true && isPublicSuffix(entry.host)) {
    report({ reason: 'public-suffix', value: entry.text, message: `anyone can register a name below ${quote(entry.host)} and act with your users' credentials; write the subdomains out, or set dangerouslyAllowPublicSuffixes: true` })
  }
}

function checkHeaderNames (value: '*' | readonly string[] | undefined, field: 'allowedHeaders' | 'exposedHeaders', report: Report): void {
  if (typeof value !== 'object') return
  const sendable = field === 'allowedHeaders'
  const whyNot = sendable ? whyNotSendable : whyNotReadable
  value.forEach((name, index) => {
    const refusal = whyNot(name)
    if (name === '*') {
      const rest = value.filter((other) => other !== '*').map((other) => other.toLowerCase())
      if (!sendable || rest.some((other) => other !== 'authorization')) {
        report(field, { reason: 'invalid', value: name, message: sendable ? '"*" allows every name but Authorization, so only that can stand beside it; write "*", or ["*", "Authorization"]' : '"*" exposes every name, so nothing can stand beside it; write exposedHeaders: "*" alone' }, index)
      }
    } else if (!isHeaderName(name)) {
      report(field, { reason: 'invalid', value: name, message: `${quote(name)} is not the name of a header; names are made of letters, digits and some signs, such as "X-Request-Id"` }, index)
    } else if (refusal !== undefined) {
      report(field, { reason: 'forbidden', value: name, message: `${quote(name)}: ${refusal}; leave it out` }, index)
    }
  })
}

function allowedHeaders (value: '*' | readonly string[]): AllowedHeaders {
  const names = value === '*' ? [] : uniqueNames(value.filter((name) => name !== '*'))
  return Object.freeze({ any: value.includes('*'), names })
}

const functionNumbers = new WeakMap<CorsOriginFunction, number>()
let functions = 0

/** A text that is the same for policies that mean the same. Functions are the same only as themselves. */
function valueKey ({ origin, credentials, allowedHeaders, exposedHeaders, maxAge, optionsSuccessStatus }: PolicyFields): string {
  return JSON.stringify([
    typeof origin === 'function' ? numberOf(origin) : [origin].flat().map(String).sort(),
    credentials === true, normalised(allowedHeaders), normalised(exposedHeaders), maxAge, optionsSuccessStatus ?? 204
  ])
}

function normalised (names: '*' | readonly string[] | undefined): readonly string[] | undefined {
  return names === undefined ? undefined : uniqueNames([names].flat()).map((name) => name.toLowerCase()).sort()
}

function numberOf (decide: CorsOriginFunction): number {
  const number = functionNumbers.get(decide) ?? ++functions
  functionNumbers.set(decide, number)
  return number
}
