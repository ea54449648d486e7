// Reads one entry of a list of origins: an origin, a pattern or a RegExp. Says what is wrong with it, also by the rules of credentials.
// Used for the arrays of policies (policy.ts) and for originList (list.ts), so that both follow the same rules.
import { quote, type CorsProblemReason } from '../messages/errors'
import type * as Credentials from './credentials'
import type { CredentialSwitches } from './credentials'
import { isInsecure, isPlainOrigin, parseOriginEntry, type TupleOrigin } from './pattern'
import type * as Regexp from './regexp'
import type { OriginRegExp } from './regexp-re2'

/** How an entry matches an origin: `'exact'` if both are equal (also `'null'`), or as a pattern or a RegExp. */
export type EntryForm = 'exact' | TupleOrigin | OriginRegExp

/** A valid entry. Equal entries have equal keys: the string itself, or the RegExp's source and flags. A problem of an entry has no key. */
export interface Entry {
  readonly key: string
  readonly form: EntryForm
}

/** A problem of an entry. */
export interface EntryProblem {
  readonly reason: CorsProblemReason
  readonly message: string
}

/** The key of a value; undefined for a value that cannot be an entry. */
export function entryKey (value: unknown): string | undefined {
  return typeof value === 'string' ? value : value instanceof RegExp ? String(value) : undefined
}

const WILDCARD_IN_LIST: EntryProblem = { reason: 'invalid', message: '"*" allows every origin and cannot be an entry of a list; write origin: "*"' }
const WILDCARD_WITH_CREDENTIALS: EntryProblem = {
  reason: 'wildcard-with-credentials',
  message: 'browsers refuse credentials with "*"; write the origins that may send them'
}

// Modules that are loaded when they are first needed: most lists contain only exact origins.
let regexps: typeof Regexp | undefined
let credentials: typeof Credentials | undefined

/** Reads one value of a list. A RegExp is kept, so it must be a copy. `list` says which list it is, for messages. */
export function readEntry (value: unknown, list: 'origin' | 'credentials' | 'originList'): Entry | EntryProblem {
  if (value instanceof RegExp) {
    regexps ??= require('./regexp') as typeof Regexp
    const regexp = regexps.parseOriginRegExp(value)
    if (regexp.kind === 'refused') return { reason: regexp.reason, message: `${quote(value)}: ${regexp.message}` }
    return { key: String(value), form: regexp }
  }
  if (typeof value !== 'string') {
    const message = `${quote(value)} cannot be an entry of ${quote(list)}; write an origin such as "https://app.example.com", a pattern of ` +
      'origins, or a RegExp'
    return { reason: 'type', message }
  }
  if (isPlainOrigin(value)) return { key: value, form: 'exact' }
  const entry = parseOriginEntry(value)
  switch (entry.kind) {
    case 'refused': return { reason: entry.reason, message: `${quote(value)}: ${entry.message}` }
    case 'any': return list === 'credentials' ? WILDCARD_WITH_CREDENTIALS : WILDCARD_IN_LIST
    case 'null': return { key: value, form: 'exact' }
    case 'tuple': return { key: value, form: entry.subdomains || entry.anyPort ? entry : 'exact' }
  }
}

const NO_PROBLEMS: readonly EntryProblem[] = []

const NULL_WITH_CREDENTIALS: EntryProblem = {
  reason: 'null-origin',
  message: 'every sandboxed frame on any site has the origin "null"; leave it out, or leave credentials out'
}

/** The problems of this entry in a list whose origins may send credentials. Mostly none. */
export function credentialProblems ({ key, form }: Entry, switches: CredentialSwitches): readonly EntryProblem[] {
  if (form === 'exact' && key.startsWith('https://')) return NO_PROBLEMS // nearly all entries
  if (key === 'null') return [NULL_WITH_CREDENTIALS]
  const entry = form === 'exact' ? parseOriginEntry(key) as TupleOrigin : form
  // Encrypted or loopback, and without subdomains: the public suffix list is not needed.
  if (entry.kind === 'tuple' && !entry.subdomains && !isInsecure(entry)) return NO_PROBLEMS
  credentials ??= require('./credentials') as typeof Credentials
  return credentials.checkCredentialedEntry(entry, switches)
}
