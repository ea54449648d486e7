// Reads one string of a list of origins as an origin or a pattern, or says why it is neither and what was probably meant.
import type { CorsProblemReason } from '../messages/errors'
import { hasNamedHosts, IP_ADDRESS, isLoopback, MAX_ORIGIN_LENGTH, OPAQUE_SCHEME, parseOrigin, PUNYCODE_PREFIX, type OriginParts } from './serialised'
import { suffixAtOrBelow } from './public-suffix'

export { isSerialisedOrigin } from './serialised'

/** An origin; with `subdomains` or `anyPort`, or with the host `*`, a pattern of origins. */
export interface OriginPattern extends OriginParts {
  readonly kind: 'origin'
  readonly text: string
  readonly subdomains: boolean
  readonly anyPort: boolean
}

/** Why an entry of a list is refused. */
export interface OriginRefusal {
  readonly kind: 'refused'
  readonly reason: Extract<CorsProblemReason, 'invalid' | 'not-canonical' | 'unanchored-regexp' | 'unsafe-regexp'>
  /** What is wrong. */
  readonly message: string
  /** What to write instead: valid entries, or words if it is not clear what was meant. */
  readonly instead: ReadonlyArray<string | RegExp> | string
}

/** `'*'` is every origin. `'null'` is opaque origins, such as those of sandboxed frames. */
export type OriginEntry = OriginPattern | { readonly kind: 'any' } | { readonly kind: 'null' }

/** Reads one string of a list of origins. */
export function parseOriginEntry (text: string): OriginEntry | OriginRefusal {
  if (text === '*') return { kind: 'any' }
  if (text === 'null') return { kind: 'null' }
  const pattern = parsePattern(text)
  if (pattern?.text === text) return pattern
  if (pattern !== undefined) return { kind: 'refused', reason: 'not-canonical', message: 'browsers do not write the origin this way', instead: [pattern.text] }
  const { message, suggest, instead } = MISTAKES.find(({ when }) => typeof when === 'function' ? when(text) : when.test(text)) as Mistake
  const entries = suggest?.(text) ?? []
  return { kind: 'refused', reason: 'invalid', message, instead: entries.length > 0 ? entries : instead ?? 'an origin such as "https://app.example.com"' }
}

/** Captures scheme, `*.`, host with port, and `:*`. A slash at the end is left out. The URL parser checks host and port. */
const PARTS = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?(.*?)(:\*)?\/?$/is

/** Characters that the URL parser drops silently, or reads as others. */
// eslint-disable-next-line no-control-regex -- control characters are exactly what this looks for
const UNREADABLE = /[\u0000-\u0020\u007f\\,]/

/** Reads an origin or a pattern; `text` of the result is its canonical form. undefined if it is none in any form. */
function parsePattern (text: string): OriginPattern | undefined {
  if (text.length > MAX_ORIGIN_LENGTH) return undefined
  const exact = parseOrigin(text)
  if (exact !== undefined) return { kind: 'origin', text, ...exact, subdomains: false, anyPort: false }
  const [, scheme = '', wildcard = '', rest = '', port = ''] = PARTS.exec(text) ?? []
  if (scheme === '' || UNREADABLE.test(text) || OPAQUE.test(text) || USER.test(text)) return undefined
  if (rest === '*' && wildcard === '' && port === '') return anyHost(scheme.toLowerCase())
  if (rest.includes('*') || DOTS.test(`//${rest}`)) return undefined
  const parts = parseOrigin(`${scheme}://${rest}`) ?? canonicalOrigin(`${scheme}://${rest}`)
  if (parts === undefined || (port !== '' && parts.port !== '') || (wildcard !== '' && IP_ADDRESS.test(parts.host))) return undefined
  const canonical = `${parts.scheme}://${wildcard}${parts.host}${parts.port === '' ? port : `:${parts.port}`}`
  return { kind: 'origin', text: canonical, ...parts, subdomains: wildcard !== '', anyPort: port !== '' }
}

/** The pattern of all hosts of a scheme, for the extensions of browsers and editors: their hosts differ for each user. */
function anyHost (scheme: string): OriginPattern | undefined {
  if (hasNamedHosts(scheme)) return undefined
  return { kind: 'origin', text: `${scheme}://*`, scheme, host: '*', port: '', subdomains: false, anyPort: false }
}

/** The origin of a URL as browsers serialise it; undefined for an invalid URL. An IPv6 address may be without its brackets. */
function canonicalOrigin (text: string): OriginParts | undefined {
  const url = text.replace(/(?<=\/\/)(?:[0-9a-f]*:){2,}[0-9a-f]*$/i, '[$&]')
  if (!URL.canParse(url)) return undefined
  const { protocol, host } = new URL(url)
  return parseOrigin(`${protocol}//${host}`.toLowerCase())
}

const OPAQUE = new RegExp(`^${OPAQUE_SCHEME}`, 'i')
const USER = /^[^/]*\/\/[^/?#]*@/
const DOTS = /^[^/]*\/\/(?:[^/?#]*\.)?\./
const JSON_ARRAY = /^\s*\[\s*"/

/** A common mistake: how to recognise it, what to say about it, and what to suggest. */
interface Mistake {
  readonly when: RegExp | ((text: string) => boolean)
  readonly message: string
  /** Valid entries. None if it is not clear which were meant: then `instead` says in words what to write. */
  readonly suggest?: (text: string) => ReadonlyArray<string | RegExp>
  readonly instead?: string
}

const MISPLACED_ASTERISK = 'an asterisk may only replace whole subdomains ("https://*.example.com") or the port ("https://example.com:*")'

/** The first one that applies is reported. */
const MISTAKES: readonly Mistake[] = [
  { when: (text) => text.length > MAX_ORIGIN_LENGTH, message: `no origin is longer than ${MAX_ORIGIN_LENGTH} characters` },
  {
    when: /^[ \t\r\n]*$/,
    message: 'this text is empty (an unset variable?)',
    instead: 'an origin such as "https://app.example.com", or originsFrom(process.env.CORS_ORIGINS)'
  },
  { when: /^null$/i, message: 'browsers write it in lower case', suggest: () => ['null'] },
  { when: JSON_ARRAY, message: 'this text is JSON, not a list', suggest: (text) => entriesIn(text.replace(/[[\]"]/g, ' ')) },
  { when: /^\s*["'`]|["'`]\s*$/, message: 'the quotes are a part of this text', suggest: (text) => entriesIn(text.replace(/["'`]/g, ' ')) },
  {
    when: /^\/.*\/[a-z]*$|^\^|\$$/s,
    message: 'this is a RegExp in quotes, which is read as text',
    suggest: regexpIn,
    instead: 'the RegExp without quotes, in an array'
  },
  {
    when: OPAQUE,
    message: 'documents of this scheme have no origin of their own: browsers send "null" for them',
    instead: '"null" if you mean all of those, or leave it out'
  },
  {
    when: UNREADABLE,
    message: 'an origin has no spaces, commas, backslashes or control characters',
    suggest: entriesIn,
    instead: 'each origin as an element of an array, without them'
  },
  { when: USER, message: 'an origin has no user name or password', instead: 'it without "user:password@"' },
  { when: (text) => DOTS.test(text) || /\/\/\*\.+(?=[:/?#]|$)/.test(text), message: 'a host has no leading or doubled dot', suggest: withoutDots },
  { when: (text) => !PARTS.test(text), message: 'an origin begins with its scheme', suggest: (text) => oneEntry(originFromHost(text)) },
  { when: (text) => (PARTS.exec(text)?.[3] as string).includes('*'), message: MISPLACED_ASTERISK, suggest: withoutAsterisks },
  { when: /^[^/]*\/\/[^/]*:[0-9]+:\*/, message: 'an origin has one port', instead: 'the number, or ":*" for every port' },
  {
    when: (text) => text.includes('*.') && parsePattern(text.replace('*.', '')) !== undefined,
    message: 'an IP address has no subdomains',
    suggest: (text) => oneEntry(parsePattern(text.replace('*.', ''))?.text)
  },
  {
    when: (text) => text.includes(PUNYCODE_PREFIX),
    message: 'a label that begins with "xn--" must be valid punycode, and this one is not',
    instead: 'the international name, such as "https://bücher.example": the message then has its punycode'
  },
  {
    when: () => true,
    message: 'this is not an origin',
    instead: 'a scheme, "://", a host and perhaps a port from 1 to 65535, such as "https://app.example.com:8443"'
  }
]

function oneEntry (entry: string | undefined): readonly string[] {
  return entry === undefined ? [] : [entry]
}

/** The origin or pattern (or `'*'`) that a string was probably meant to be, as a canonical entry; undefined if that is unclear. */
export function suggestOrigin (text: string): string | undefined {
  return text === '*' || text === 'null' ? text : parsePattern(text)?.text ?? originFromHost(text)
}

/** The beginning of a URL without a proper scheme. */
const NO_SCHEME = /^(?:[^/.]*:)?\/{1,3}|^https?:/i

/** The origin of a host: http for a loopback host, else https. A name without a dot is rarely a host, so it gets no origin. */
function originFromHost (text: string): string | undefined {
  const host = text.replace(NO_SCHEME, '')
  const pattern = parsePattern(`http://${host}`)
  if (pattern === undefined || isLoopback(pattern.host)) return pattern?.text
  return pattern.host.includes('.') || pattern.host.startsWith('[') ? parsePattern(`https://${host}`)?.text : undefined
}

/** The entries in a text that contains several, separated by commas or blanks. None if one of them is unclear. */
function entriesIn (text: string): readonly string[] {
  const entries = text.split(/[\s,]+/).filter((part) => part !== '').map(suggestOrigin)
  return entries.includes(undefined) || (entries.length > 1 && entries.includes('*')) ? [] : entries as string[]
}

/** The RegExp that a text is the source of. */
function regexpIn (text: string): readonly RegExp[] {
  const [, source = text, flags] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? []
  try {
    return [new RegExp(source, flags)]
  } catch {
    return []
  }
}

/** The origin without the extra dots. A dot at the beginning was meant as `*.`. */
function withoutDots (text: string): readonly string[] {
  return oneEntry(parsePattern(text.replace(/\.+(?=[:/?#]|$)/, '').replace(/(:\/\/)\.+(?=.)/, '$1*.').replace(/\.{2,}/g, '.'))?.text)
}

/** `'*'` for `https://*`, `https://*.example.com` for `https://*example.com`, and a RegExp for `https://pr-*.example.com`. */
function withoutAsterisks (text: string): ReadonlyArray<string | RegExp> {
  if (/^https?:\/\/\*+(?::\*)?\/?$/i.test(text)) return ['*']
  const entry = parsePattern(text.replace(/(\/\/[^/]*)\/.*/s, '$1'))?.text ?? parsePattern(text.replace(/:\/\/(?:\*+\.?)+(?=[a-z0-9])/i, '://*.'))?.text
  return entry === undefined ? regexpFor(text) : [entry]
}

/** In place of an asterisk, while the text is read. */
const PLACEHOLDER = 'xasteriskx'

/** The RegExp for a pattern whose asterisks are parts of labels, or labels between others. None if it would match names that are not below one domain. */
function regexpFor (text: string): readonly RegExp[] {
  const pattern = parsePattern(text.replace(/\*+(?!$)/g, PLACEHOLDER))
  const labels = pattern?.host.split('.') ?? []
  const at = labels.findLastIndex((label) => label.includes(PLACEHOLDER))
  const domain = labels.slice(at + 1).join('.')
  if (pattern === undefined || at === -1 || !domain.includes('.') || (labels[at] === PLACEHOLDER && suffixAtOrBelow(domain) !== undefined)) return []
  const source = pattern.text.replace(/:\*$/, '').replace(/[.[\]/]/g, '\\$&').replaceAll(PLACEHOLDER, '[a-z0-9-]+')
  return [new RegExp(`^${source}${pattern.anyPort ? '(?::\\d+)?' : ''}$`)]
}
