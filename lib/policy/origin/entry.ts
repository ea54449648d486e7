// One entry of a list of origins: reads what a user wrote into an origin, a pattern or a RegExp, or says why it is none, and what the rules of
// credentials have against it. Used for the arrays of policies and by originList, which so have the same rules.
import { quote, type CorsProblemReason } from '../../errors'
import type * as Credentials from './credentials'
import type { CredentialSwitches } from './credentials'
import { isInsecure, isPlainOrigin, parseOriginEntry, type TupleOrigin } from './pattern'
import type * as Regexp from './regexp'
import type { OriginRegExp } from './regexp-re2'

/** How an entry is matched: as it is written (`'null'` among these), as a pattern, or as a RegExp. */
export type EntryForm = 'exact' | TupleOrigin | OriginRegExp

/** An entry that was read. Equal entries have one key: a text itself, or a RegExp's source and flags. */
export interface Entry {
  readonly key: string
  readonly form: EntryForm
}

/** What is wrong with an entry. */
export interface EntryProblem {
  readonly reason: CorsProblemReason
  readonly message: string
}

/** The key of a value, if it can be an entry at all. */
export function entryKey (value: unknown): string | undefined {
  return typeof value === 'string' ? value : value instanceof RegExp ? String(value) : undefined
}

const WILDCARD_IN_LIST: EntryProblem = { reason: 'invalid', message: '"*" allows everyone, so nothing can stand beside it; write origin: "*" alone' }
const WILDCARD_WITH_CREDENTIALS: EntryProblem = { reason: 'wildcard-with-credentials', message: 'browsers refuse credentials with "*"; write the origins that may send them' }

// Loaded when first needed: most lists have nothing but origins.
let regexps: typeof Regexp | undefined
let credentials: typeof Credentials | undefined

/** Reads one value. RegExps are the caller's own copies. `list` is what the value stands in. */
export function readEntry (value: unknown, list: 'origin' | 'credentials' | 'originList'): Entry | EntryProblem {
  if (value instanceof RegExp) {
    regexps ??= require('./regexp') as typeof Regexp
    const regexp = regexps.parseOriginRegExp(value)
    return regexp.kind === 'regexp' ? { key: String(value), form: regexp } : { reason: regexp.reason, message: `${quote(value)}: ${regexp.message}` }
  }
  if (typeof value !== 'string') {
    return { reason: 'type', message: `${quote(value)} cannot stand in ${quote(list)}; write an origin such as "https://app.example.com", a pattern of origins, or a RegExp` }
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

/** What credentials with this entry would mean: nothing bad, mostly. */
export function credentialProblems ({ key, form }: Entry, switches: CredentialSwitches): readonly EntryProblem[] {
  if (form === 'exact' && key.startsWith('https://')) return NO_PROBLEMS // as nearly all
  if (key === 'null') return [{ reason: 'null-origin', message: 'every sandboxed frame on any site has the origin "null"; leave it out, or leave credentials out' }]
  const entry = form === 'exact' ? parseOriginEntry(key) as TupleOrigin : form
  // On this machine, or encrypted: without subdomains that could be somebody else's, there is no rule left to look up.
  if (entry.kind === 'tuple' && !entry.subdomains && !isInsecure(entry)) return NO_PROBLEMS
  credentials ??= require('./credentials') as typeof Credentials
  return credentials.checkCredentialedEntry(entry, switches)
}
