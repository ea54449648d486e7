// One entry of a list of origins: reads what a user wrote into an origin, a pattern or a RegExp, or says why it is none, and what the rules of
// credentials have against it. Used for the arrays of policies and by originList, which so have the same rules.
import { quote, type CorsProblemReason } from '../../errors'
import { isInsecure, isPlainOrigin, parseOriginEntry, type TupleOrigin } from './pattern'
import { isPublicSuffix } from './public-suffix'
import { whyNotRegExp } from './regexp'

/** How an entry is matched: as it is written (`'null'` among these), as a pattern, or as a RegExp. */
export type EntryForm = 'exact' | TupleOrigin | RegExp

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

/** What a policy with credentials accepts all the same. */
export interface CredentialRules {
  readonly allowsInsecureOrigins: boolean
  readonly allowsPublicSuffixes: boolean
}

/** The key of a value, if it can be an entry at all. */
export function keyOf (value: unknown): string | undefined {
  return typeof value === 'string' ? value : value instanceof RegExp ? String(value) : undefined
}

const ANY_IN_LIST: EntryProblem = { reason: 'invalid', message: '"*" allows everyone, so nothing can stand beside it; write origin: "*" alone' }
const ANY_WITH_CREDENTIALS: EntryProblem = { reason: 'wildcard-with-credentials', message: 'browsers refuse credentials with "*"; write the origins that may send them' }

/** Reads one value. RegExps are the caller's own copies. `list` is what the value stands in. */
export function readEntry (value: unknown, list: 'origin' | 'credentials' | 'originList'): Entry | EntryProblem {
  if (value instanceof RegExp) {
    const refusal = whyNotRegExp(value)
    return refusal === undefined ? { key: String(value), form: value } : { reason: refusal.reason, message: `${quote(value)}: ${refusal.message}` }
  }
  if (typeof value !== 'string') {
    return { reason: 'type', message: `${quote(value)} cannot stand in ${quote(list)}; write an origin such as "https://app.example.com", a pattern of origins, or a RegExp` }
  }
  if (isPlainOrigin(value)) return { key: value, form: 'exact' }
  const entry = parseOriginEntry(value)
  switch (entry.kind) {
    case 'refused': return { reason: entry.reason, message: `${quote(value)}: ${entry.message}` }
    case 'any': return list === 'credentials' ? ANY_WITH_CREDENTIALS : ANY_IN_LIST
    case 'null': return { key: value, form: 'exact' }
    case 'tuple': return { key: value, form: entry.subdomains || entry.anyPort ? entry : 'exact' }
  }
}

const NOTHING: readonly EntryProblem[] = []

/** What credentials with this entry would mean: nothing bad, mostly. */
export function whyNotWithCredentials ({ key, form }: Entry, { allowsInsecureOrigins, allowsPublicSuffixes }: CredentialRules): readonly EntryProblem[] {
  if (form instanceof RegExp || (form === 'exact' && key.startsWith('https://'))) return NOTHING // as nearly all
  if (key === 'null') return [{ reason: 'null-origin', message: 'every sandboxed frame on any site has the origin "null"; leave it out, or leave credentials out' }]
  const problems: EntryProblem[] = []
  const tuple = form === 'exact' ? parseOriginEntry(key) as TupleOrigin : form
  if (!allowsInsecureOrigins && isInsecure(tuple)) {
    problems.push({
      reason: 'insecure-with-credentials',
      message: `whoever sits on the network can change pages of ${quote(key)} and act with its users' credentials; write ${quote(secured(key))}, or set dangerouslyAllowInsecureOrigins: true`
    })
  }
  if (!allowsPublicSuffixes && tuple.subdomains && isPublicSuffix(tuple.host)) {
    problems.push({
      reason: 'public-suffix',
      message: `anyone can register a name below ${quote(tuple.host)} and act with your users' credentials; write the subdomains out, or set dangerouslyAllowPublicSuffixes: true`
    })
  }
  return problems
}

/** The encrypted form of an insecure origin. */
function secured (text: string): string {
  return text.replace(/^(?:http|ftp):/, 'https:').replace(/^ws:/, 'wss:').replace(/:443$/, '')
}
