// Reads one entry of a list of origins: an origin, a pattern or a RegExp. Says what is wrong with it, also by the rules of credentials, and what to write
// instead: whatever is suggested is accepted in its place.
import { quote, type CorsProblemReason } from '../messages/errors'
import type * as Credentials from './credentials'
import type { CredentialRisk, CredentialSwitches } from './credentials'
import { parseOriginEntry, type OriginPattern, type OriginRefusal } from './pattern'
import type * as RegExps from './regexp'
import type { OriginRegExp } from './regexp-matcher'
import { isInsecure } from './serialised'

/** A valid entry. Equal entries have equal keys: the string itself, or the RegExp's source and flags. A problem of an entry has no key. */
export interface Entry {
  readonly key: string
  /** undefined if the entry matches only the equal origin (also `'null'`). */
  readonly pattern: OriginPattern | OriginRegExp | undefined
}

/** A problem of an entry. */
export interface EntryProblem {
  readonly reason: CorsProblemReason
  readonly message: string
}

/** The list that an entry is in. */
export interface EntryContext {
  readonly list: 'origin' | 'credentials' | 'timingOrigin' | 'originList'
  /** Set if the origins of the list may send credentials. */
  readonly switches?: CredentialSwitches | undefined
  /** Whether the entry is the value of the field, and not an element of an array. */
  readonly isWholeValue?: boolean
}

/** The key of a value; undefined for a value that cannot be an entry. */
export function entryKey (value: unknown): string | undefined {
  return typeof value === 'string' ? value : value instanceof RegExp ? String(value) : undefined
}

// Loaded when they are first needed: most lists contain only exact origins.
const regexps = (): typeof RegExps => require('./regexp') as typeof RegExps
const credentials = (): typeof Credentials => require('./credentials') as typeof Credentials

const WILDCARD_IN_LIST: EntryProblem = { reason: 'invalid', message: '"*" allows every origin and cannot be an entry of a list; write origin: "*"' }
const WILDCARD_WITH_CREDENTIALS = 'browsers refuse credentials with "*"; write the origins that may send them, such as "https://app.example.com"'

/** Reads one value of a list. A RegExp is kept, so it must be a copy. */
export function readEntry (value: unknown, context: EntryContext): Entry | EntryProblem {
  if (typeof value !== 'string' && !(value instanceof RegExp)) {
    const unset = value === undefined ? ' (an unset variable?)' : ''
    const message = `${quote(value)}${unset} cannot be an entry of ${quote(context.list)}; write an origin such as "https://app.example.com", a pattern ` +
      'of origins, or a RegExp'
    return { reason: 'type', message }
  }
  const parsed = parse(value, context.switches)
  switch (parsed.kind) {
    case 'refused': return { reason: parsed.reason, message: `${quote(value)}: ${adviceOf(parsed, context)}` }
    case 'any':
      if (context.switches === undefined) return WILDCARD_IN_LIST
      return { reason: context.list === 'credentials' ? 'wildcard-with-credentials' : 'invalid', message: WILDCARD_WITH_CREDENTIALS }
    case 'null': return { key: 'null', pattern: undefined }
    case 'origin': return { key: parsed.text, pattern: parsed.subdomains || parsed.anyPort || parsed.host === '*' ? parsed : undefined }
    case 'regexp': return { key: String(value), pattern: parsed }
  }
}

function parse (value: string | RegExp, switches: CredentialSwitches | undefined): ReturnType<typeof parseOriginEntry> | OriginRegExp {
  return typeof value === 'string' ? parseOriginEntry(value) : regexps().parseOriginRegExp(value, (entry) => isAcceptable(entry, switches))
}

/** Whether a list of this kind accepts an entry. */
function isAcceptable (entry: OriginPattern | OriginRegExp, switches: CredentialSwitches | undefined): boolean {
  return switches === undefined || credentials().credentialRisks(entry, switches).length === 0
}

/** What is wrong and what to write. What is suggested may be refused as well: then the message says both, and what is accepted. */
function adviceOf (refusal: OriginRefusal, { list, switches, isWholeValue = false }: EntryContext): string {
  const { message, instead } = refusal
  for (const entry of typeof instead === 'string' ? [] : instead) {
    const next = entry === '*' && (switches !== undefined || !isWholeValue) ? readEntry(entry, { list, switches }) as EntryProblem : problemOf(entry, switches)
    if (next !== undefined) return `${message}, and ${next.message}`
  }
  return `${message}; write ${typeof instead === 'string' ? instead : codeOf(instead, isWholeValue)}`
}

/** The first problem of an entry, `'*'` excepted. */
function problemOf (value: string | RegExp, switches: CredentialSwitches | undefined): EntryProblem | undefined {
  if (value === '*') return undefined
  const entry = readEntry(value, { list: 'origin', switches })
  return 'key' in entry ? switches && credentialProblems(entry, switches)[0] : entry
}

/** Entries as code: separated by commas, or in an array where one string is not enough. In words, if they are too long to be shown. */
function codeOf (entries: ReadonlyArray<string | RegExp>, isWholeValue: boolean): string {
  const code = entries.map(quote)
  if (code.some(isTruncated)) return 'patterns such as "https://*.example.com"'
  return isWholeValue && (code.length > 1 || entries[0] instanceof RegExp) ? `[${code.join(', ')}]` : code.join(', ')
}

/** An array, as code, that allows what was meant by one value in place of a list. undefined for a value that cannot be an entry. */
export function arrayFor (value: unknown, switches: CredentialSwitches | undefined): string | undefined {
  if (typeof value !== 'string' && !(value instanceof RegExp)) return undefined
  const parsed = parse(value, switches)
  if (parsed.kind === 'refused' && typeof parsed.instead === 'string') return undefined
  const code = (parsed.kind === 'refused' ? parsed.instead as ReadonlyArray<string | RegExp> : [value]).map(quote)
  return code.some(isTruncated) ? undefined : `[${code.join(', ')}]`
}

/** Whether a quote is only the beginning of a value, which is not code. */
function isTruncated (code: string): boolean {
  return code.endsWith('…')
}

const NO_PROBLEMS: readonly EntryProblem[] = []

const NULL_WITH_CREDENTIALS: EntryProblem = {
  reason: 'null-origin',
  message: 'every sandboxed frame on any site has the origin "null"; leave it out, or leave credentials out'
}

/** The problems of this entry in a list whose origins may send credentials. Mostly none. */
export function credentialProblems ({ key, pattern }: Entry, switches: CredentialSwitches): readonly EntryProblem[] {
  if (pattern === undefined && key.startsWith('https://')) return NO_PROBLEMS // nearly all entries
  if (key === 'null') return [NULL_WITH_CREDENTIALS]
  const entry = pattern ?? parseOriginEntry(key) as OriginPattern
  // Encrypted or loopback, and one host: the public suffix list is not needed.
  if (entry.kind === 'origin' && entry.host !== '*' && entry.host !== '' && !entry.subdomains && !isInsecure(entry)) return NO_PROBLEMS
  const { credentialRisks, withoutRisks } = credentials()
  const risks = credentialRisks(entry, switches)
  if (risks.length === 0) return NO_PROBLEMS
  const instead = entry.kind === 'origin'
    ? withoutRisks(entry, switches)
    : regexps().correctionOf(entry, (accepted) => isAcceptable(accepted, switches)) ?? OWN_REGEXP
  const advice = typeof instead === 'string' ? instead : codeOf(instead, false)
  return risks.map((risk) => ({ reason: risk.reason, message: `${risk.message}; write ${advice}${liftOf(risk, risks)}` }))
}

const OWN_REGEXP = 'the origins out, or a RegExp that begins with "^https:\\/\\/" and ends in a dot and a domain of your own, such as "\\.example\\.com$"'

/** A switch is named only if it helps. */
function liftOf ({ liftedBy }: CredentialRisk, risks: readonly CredentialRisk[]): string {
  return liftedBy === undefined || risks.some((risk) => risk.liftedBy === undefined) ? '' : `, or set ${liftedBy}: true`
}
