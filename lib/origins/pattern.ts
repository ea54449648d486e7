// Parses one string of a list of origins into an origin or a pattern, or says why it is neither and what was probably meant. entry.ts calls it.
// Also tells whether a string is an origin as browsers serialise it (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin): lib/response/
// and matcher.ts check the Origin headers of requests with it.
import type { CorsProblemReason } from '../messages/errors'
import type * as Punycode from './punycode'

/** `'*'`: every origin. */
export interface AnyOrigin { readonly kind: 'any' }

/** `'null'`: opaque origins, such as those of sandboxed frames and local files. */
export interface NullOrigin { readonly kind: 'null' }

/** An origin; with `subdomains` or `anyPort`, a pattern of origins. `port` is `''` for the default port of the scheme. */
export interface TupleOrigin {
  readonly kind: 'tuple'
  readonly text: string
  readonly scheme: string
  readonly host: string
  readonly port: string
  readonly subdomains: boolean
  readonly anyPort: boolean
}

export type OriginEntry = AnyOrigin | NullOrigin | TupleOrigin

/** Why a string is neither an origin nor a pattern. */
export interface OriginRefusal {
  readonly kind: 'refused'
  readonly reason: Extract<CorsProblemReason, 'invalid' | 'not-canonical'>
  readonly message: string
  /** The same origin as browsers serialise it, if there is one. */
  readonly corrected?: string
}

/** The longest host (RFC 1035, section 2.3.4). */
const MAX_HOST_LENGTH = 253

/** Longer than every scheme in use. */
const MAX_SCHEME_LENGTH = 64

/** The longest origin: scheme, `://`, host, colon and port. */
export const MAX_ORIGIN_LENGTH = MAX_SCHEME_LENGTH + 3 + MAX_HOST_LENGTH + 6

/** The default ports of the URL standard's special schemes. Browsers leave them out of an origin. */
const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([['http', '80'], ['https', '443'], ['ws', '80'], ['wss', '443'], ['ftp', '21']])

/** Schemes of documents with an opaque origin, which browsers serialise as `null`. */
const OPAQUE_SCHEME = '(?:about|blob|data|file|javascript):'

/** All characters that a serialised origin can have: it is ASCII, and lower case. */
export const ORIGIN_CHARACTERS = '+-./0123456789:[]_abcdefghijklmnopqrstuvwxyz'

const LABEL = '[a-z0-9_-]+'

/** Matches a host with a label that is too long (RFC 1035, section 2.3.4). TUPLE_ORIGIN does not count characters: it would be several times slower. */
const LONG_LABEL = /[^.]{64}/

/** The syntax of origins. Captures scheme, host and port. */
const TUPLE_ORIGIN = new RegExp(`^(?!${OPAQUE_SCHEME})([a-z][a-z0-9+.-]*)://(\\[[0-9a-f:.]+\\]|${LABEL}(?:\\.${LABEL})*)(?::([1-9][0-9]*))?$`)

interface Tuple { readonly scheme: string, readonly host: string, readonly port: string }

/** The parts of an origin as browsers serialise it; undefined for any other string. */
function readTuple (text: string): Tuple | undefined {
  if (text.length > MAX_ORIGIN_LENGTH) return undefined
  const match = TUPLE_ORIGIN.exec(text)
  if (match === null) return undefined
  const [, scheme = '', host = '', port = ''] = match
  if (scheme.length > MAX_SCHEME_LENGTH || host.length > MAX_HOST_LENGTH || (host.length > 63 && LONG_LABEL.test(host))) return undefined
  if (port !== '' && (Number(port) > 65535 || port === DEFAULT_PORTS.get(scheme))) return undefined
  if (IP_ADDRESS.test(host) && !isCanonicalHost(scheme, host)) return undefined
  if (host.includes(PUNYCODE_PREFIX) && DEFAULT_PORTS.has(scheme) && !hasPunycode(host)) return undefined
  return { scheme, host, port }
}

/** Begins a label in punycode. Only the hosts of special schemes have such labels. */
const PUNYCODE_PREFIX = 'xn--'

let punycode: typeof Punycode | undefined

/** Whether all labels that begin like punycode are punycode. Loads the decoder when it is first needed: few origins have such labels. */
function hasPunycode (host: string): boolean {
  const { isPunycode } = punycode ??= require('./punycode') as typeof Punycode
  return host.split('.').every((label) => !label.startsWith(PUNYCODE_PREFIX) || isPunycode(label))
}

/**
 * Matches a host that the URL standard parses as an IP address: one in brackets, or one that ends in a number
 * (https://url.spec.whatwg.org/#ends-in-a-number-checker).
 */
export const IP_ADDRESS = /^\[|(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/

/** Whether browsers serialise the host this way. An IPv4 address has four decimal numbers; an IPv6 address leaves out its longest run of zeros. */
function isCanonicalHost (scheme: string, host: string): boolean {
  const url = `${scheme}://${host}`
  return URL.canParse(url) && new URL(url).hostname === host
}

/** The syntax of most origins: HTTP(S), a host name, no port. The last label does not begin with a digit, so it is no IP address. */
const PLAIN_ORIGIN = new RegExp(`^https?://(?:${LABEL}\\.)*(?![0-9])${LABEL}$`)

/** A plain origin of this length exceeds no limit: neither its host nor a label can be too long. */
const MAX_PLAIN_LENGTH = 'http://'.length + 63

/** Whether a string of a policy is an origin of this syntax, without punycode. A fast path: {@link parseOriginEntry} accepts all of these. */
export function isPlainOrigin (text: string): boolean {
  return text.length <= MAX_PLAIN_LENGTH && PLAIN_ORIGIN.test(text) && !text.includes(PUNYCODE_PREFIX)
}

/** Whether this is an origin as browsers serialise it: lower case, no default port, no path. `null` is not one. */
export function isSerialisedOrigin (text: string): boolean {
  return (text.length <= MAX_PLAIN_LENGTH && !text.includes(PUNYCODE_PREFIX) && PLAIN_ORIGIN.test(text)) || readTuple(text) !== undefined
}

/** Parses one string of a list of origins. */
export function parseOriginEntry (text: string): OriginEntry | OriginRefusal {
  return parse(text, true)
}

/** Suggests what was probably meant by a string, as code; undefined without a valid suggestion. Consists of canonical origins, so it is safe in messages. */
type Suggest = (text: string) => string | undefined

/** `withSuggestions` is false for a string that may itself become a suggestion: the functions that suggest call this one again. */
function parse (text: string, withSuggestions: boolean): OriginEntry | OriginRefusal {
  if (text === '*') return { kind: 'any' }
  if (text === 'null') return { kind: 'null' }
  if (text.length > MAX_ORIGIN_LENGTH) return invalid(`no origin is longer than ${MAX_ORIGIN_LENGTH} characters`)
  const suggestion = (suggest: Suggest | undefined): string | undefined => withSuggestions ? suggest?.(text) : undefined
  const mistake = MISTAKES.find(({ pattern }) => pattern.test(text))
  if (mistake !== undefined) return invalid(mistake.message, suggestion(mistake.suggest))
  const parts = PARTS.exec(text)
  if (parts === null) return invalid(`an origin begins with its scheme, such as ${suggestion(withScheme) ?? '"https://app.example.com"'}`)
  const [, scheme = '', wildcard = '', rest = '', anyPort = ''] = parts
  if (rest.includes('*')) return invalid(MISPLACED_ASTERISK, suggestion(withoutAsterisks))
  const tuple = readTuple(`${scheme}://${rest}`) ?? canonicalTuple(`${scheme}://${rest}`)
  if (tuple === undefined) return invalid(rest.includes(PUNYCODE_PREFIX) ? NOT_PUNYCODE : NOT_AN_ORIGIN)
  if (anyPort !== '' && tuple.port !== '') return invalid('an origin has one port; write the number, or ":*" for every port')
  if (wildcard !== '' && IP_ADDRESS.test(tuple.host)) return invalid('an IP address has no subdomains; write the address without "*."')
  const corrected = `${tuple.scheme}://${wildcard}${tuple.host}${tuple.port === '' ? anyPort : `:${tuple.port}`}`
  if (corrected !== text) {
    const message = `browsers do not write the origin this way; write ${JSON.stringify(corrected)}`
    return { kind: 'refused', reason: 'not-canonical', message, corrected }
  }
  return { kind: 'tuple', text, ...tuple, subdomains: wildcard !== '', anyPort: anyPort !== '' }
}

const MISPLACED_ASTERISK = 'an asterisk may only replace whole subdomains ("https://*.example.com") or the port ("https://example.com:*")'

const NOT_AN_ORIGIN = 'this is not an origin; write a scheme, "://", a host and perhaps a port from 1 to 65535, such as ' +
  '"https://app.example.com:8443"'

const NOT_PUNYCODE = 'a label that begins with "xn--" must be valid punycode, and this one is not; write the international name, such as ' +
  '"https://bücher.example": the message then has its punycode'

/** A common mistake: how to recognise it, what to say about it, and what to suggest. */
interface Mistake {
  readonly pattern: RegExp
  readonly message: string
  readonly suggest?: Suggest
}

const MISTAKES: readonly Mistake[] = [
  { pattern: /^null$/i, message: 'browsers write it in lower case; write "null"' },
  {
    pattern: new RegExp(`^${OPAQUE_SCHEME}`, 'i'),
    message: 'documents of this scheme have no origin of their own: browsers send "null" for them; write "null" if you mean all of those'
  },
  {
    // The URL parser drops these characters silently, or reads a backslash as a slash.
    // eslint-disable-next-line no-control-regex -- control characters are exactly what this looks for
    pattern: /[\u0000-\u0020\u007f\\,]/,
    message: 'an origin has no spaces, commas, backslashes or control characters; leave them out, and write each origin as an element of an array',
    suggest: separately
  },
  { pattern: /^[^/]*\/\/[^/?#]*@/, message: 'an origin has no user name or password; write it without "user:password@"' },
  {
    pattern: /^[^/]*\/\/(?:[^/?#]*\.)?\.|^[^/]*\/\/[^/?#]*\.(?=[:/?#]|$)/,
    message: 'a host has no leading, trailing or doubled dot; leave out the extra dot',
    suggest: withoutDots
  }
]

/** Captures scheme, `*.`, host with port, and `:*`. A slash at the end is left out. The URL parser checks host and port. */
const PARTS = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?(.*?)(:\*)?\/?$/is

/** `suggestion` is code that is known to be valid. */
function invalid (message: string, suggestion?: string): OriginRefusal {
  return { kind: 'refused', reason: 'invalid', message: suggestion === undefined ? message : `${message}: write ${suggestion}` }
}

/** The string as a canonical entry; undefined if it cannot be one. */
function canonicalEntry (guess: string): string | undefined {
  const entry = parse(guess, false)
  if (entry.kind === 'refused') return entry.corrected
  return entry.kind === 'tuple' ? entry.text : undefined
}

/** The origin or pattern (or `'*'`) that a string was probably meant to be, as a canonical entry; undefined if that is unclear. */
export function suggestOrigin (text: string): string | undefined {
  return text === '*' ? text : canonicalEntry(text) ?? originFromHost(text)
}

/** An entry as a string literal. */
function asCode (entry: string | undefined): string | undefined {
  return entry && JSON.stringify(entry)
}

/** The beginning of a URL without a proper scheme. */
const NO_SCHEME = /^(?:[^/.]*:)?\/{1,3}|^https?:/i

/** Suggests an origin for a host without a scheme. */
function withScheme (text: string): string | undefined {
  return asCode(originFromHost(text))
}

/** The origin of a host: http for a loopback host, else https. A name without a dot is rarely a host, so it gets no origin. */
function originFromHost (text: string): string | undefined {
  const host = text.replace(NO_SCHEME, '')
  const entry = canonicalEntry(`http://${host}`)
  if (entry === undefined) return undefined
  const { host: name } = readTuple(entry.replace('*.', '').replace(/:\*$/, '')) as Tuple
  if (isLoopback(name)) return entry
  return name.includes('.') || name.startsWith('[') ? canonicalEntry(`https://${host}`) : undefined
}

/** Suggests the origins in a string that contains several. */
function separately (text: string): string | undefined {
  const texts = text.split(/[\s,]+/).filter((part) => part !== '').map(canonicalEntry)
  return texts.length > 0 && texts.every((entry) => entry !== undefined) ? texts.map(asCode).join(', ') : undefined
}

/** Suggests the origin without the extra dots. A dot at the beginning was meant as `*.`. */
function withoutDots (text: string): string | undefined {
  const entry = canonicalEntry(text.replace(/\.+(?=[:/?#]|$)/, '').replace(/(:\/\/)\.+(?=.)/, '$1*.').replace(/\.{2,}/g, '.'))
  return asCode(entry)
}

/** Suggests `'*'` for `https://*`, and `https://*.example.com` for `https://*example.com`. */
function withoutAsterisks (text: string): string | undefined {
  if (/^https?:\/\/\*+(?::\*)?\/?$/i.test(text)) return '"*"'
  const entry = canonicalEntry(text.replace(/:\/\/(?:\*+\.?)+/, '://*.'))
  return asCode(entry)
}

/** The origin of a URL as browsers serialise it; undefined for an invalid URL, or one with an opaque origin. */
function canonicalTuple (text: string): Tuple | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, host } = new URL(text)
  return readTuple(`${protocol}//${host}`.toLowerCase())
}

/** Whether an attacker on the network can read and change pages of this origin: it is not encrypted, and not loopback. */
export function isInsecure ({ scheme, host }: Pick<TupleOrigin, 'scheme' | 'host'>): boolean {
  return (scheme === 'http' || scheme === 'ws' || scheme === 'ftp') && !isLoopback(host)
}

/** Whether the host is this machine (https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy). */
export function isLoopback (host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
