// What an entry of `origin` may be: reads one text of a policy into an origin or a pattern, or says why it is neither.
// Also the syntax of an origin as browsers serialise it (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin).
import type { CorsProblemReason } from '../../errors'
import type * as Punycode from './punycode'

/** `'*'`: every origin. */
export interface AnyOrigin { readonly kind: 'any' }

/** `'null'`: the opaque origins, which all sandboxed frames and local files share. */
export interface NullOrigin { readonly kind: 'null' }

/** An origin, or with `subdomains` or `anyPort` a pattern of origins. `port` is `''` for the scheme's default. */
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

/** Why a text is not an entry. */
export interface OriginRefusal {
  readonly kind: 'refused'
  readonly reason: Extract<CorsProblemReason, 'invalid' | 'not-canonical'>
  readonly message: string
  /** How browsers write it, where it is only written otherwise. */
  readonly corrected?: string
}

/** RFC 1035, section 2.3.4. */
const MAX_HOST_LENGTH = 253

/** No scheme in use comes near it. */
const MAX_SCHEME_LENGTH = 64

/** Nothing longer is an origin: scheme, `://`, host, colon and port. */
export const MAX_ORIGIN_LENGTH = MAX_SCHEME_LENGTH + 3 + MAX_HOST_LENGTH + 6

/** The default ports of the URL standard's special schemes: a browser never writes them. */
const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([['http', '80'], ['https', '443'], ['ws', '80'], ['wss', '443'], ['ftp', '21']])

/** Schemes of documents whose origin is opaque, so that browsers write `null` for them. */
const OPAQUE_SCHEME = '(?:about|blob|data|file|javascript):'

/** The characters that a serialised origin can have: it is ASCII and lower case, and has no others. */
export const ORIGIN_CHARACTERS = '+-./0123456789:[]_abcdefghijklmnopqrstuvwxyz'

const LABEL = '[a-z0-9_-]+'

/** RFC 1035, section 2.3.4. A pattern of its own, as counting makes the other one several times slower. */
const LONG_LABEL = /[^.]{64}/
const TUPLE_ORIGIN = new RegExp(`^(?!${OPAQUE_SCHEME})([a-z][a-z0-9+.-]*)://(\\[[0-9a-f:.]+\\]|${LABEL}(?:\\.${LABEL})*)(?::([1-9][0-9]*))?$`)

interface Tuple { readonly scheme: string, readonly host: string, readonly port: string }

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

/** A label that begins so is encoded: of the hosts that the URL standard reads as names, which are those of special schemes. */
const PUNYCODE_PREFIX = 'xn--'

let punycode: typeof Punycode | undefined

/** Loads what reads punycode when it is first needed: few origins have any. */
function hasPunycode (host: string): boolean {
  const { isPunycode } = punycode ??= require('./punycode') as typeof Punycode
  return host.split('.').every((label) => !label.startsWith(PUNYCODE_PREFIX) || isPunycode(label))
}

/** What the URL standard takes for an IP address: a host in brackets, or one that ends in a number (https://url.spec.whatwg.org/#ends-in-a-number-checker). */
export const IP_ADDRESS = /^\[|(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/

/** Whether browsers write the host this way. For addresses: four decimal numbers, or IPv6 with its longest run of zeros left out. */
function isCanonicalHost (scheme: string, host: string): boolean {
  const url = `${scheme}://${host}`
  return URL.canParse(url) && new URL(url).hostname === host
}

/** Most origins: HTTP, a name and no port, and too short for any limit. The last label begins with no digit, so that it ends no address. */
const PLAIN_ORIGIN = new RegExp(`^https?://(?:${LABEL}\\.)*(?![0-9])${LABEL}$`)
const MAX_PLAIN_LENGTH = 'http://'.length + 63

/** Whether this is such an origin in a policy: no punycode, which only the URL parser can judge. The same as {@link parseOriginEntry} says, at a small part of the cost. */
export function isPlainOrigin (text: string): boolean {
  return text.length <= MAX_PLAIN_LENGTH && PLAIN_ORIGIN.test(text) && !text.includes('xn--')
}

/** Whether this is an origin as browsers write them: not `null`, lower case, no default port, nothing before or behind. */
export function isSerialisedOrigin (text: string): boolean {
  return (text.length <= MAX_PLAIN_LENGTH && !text.includes(PUNYCODE_PREFIX) && PLAIN_ORIGIN.test(text)) || readTuple(text) !== undefined
}

/** Reads one text of a policy's `origin`. */
export function parseOriginEntry (text: string): OriginEntry | OriginRefusal {
  return parse(text, (guess, text) => guess(text))
}

/** What was probably meant by a text, as code; undefined where nothing is right. Is made of canonical origins, so it needs no quoting of its own. */
type Suggest = (text: string) => string | undefined

function parse (text: string, instead: (guess: Suggest, text: string) => string | undefined): OriginEntry | OriginRefusal {
  if (text === '*') return { kind: 'any' }
  if (text === 'null') return { kind: 'null' }
  if (text.length > MAX_ORIGIN_LENGTH) return invalid(`no origin is longer than ${MAX_ORIGIN_LENGTH} characters`)
  const mistake = MISTAKES.find(([pattern]) => pattern.test(text))
  if (mistake !== undefined) return invalid(mistake[1], mistake[2] && instead(mistake[2], text))
  const parts = PARTS.exec(text)
  if (parts === null) return invalid(`an origin begins with its scheme, such as ${instead(withScheme, text) ?? '"https://app.example.com"'}`)
  const [, scheme = '', wildcard = '', rest = '', anyPort = ''] = parts
  if (rest.includes('*')) return invalid('an asterisk may stand only for whole subdomains ("https://*.example.com") or for the port ("https://example.com:*")', instead(withoutAsterisks, text))
  const tuple = readTuple(`${scheme}://${rest}`) ?? canonicalTuple(`${scheme}://${rest}`)
  if (tuple === undefined) return rest.includes(PUNYCODE_PREFIX) ? invalid(NOT_PUNYCODE) : invalid('this is not an origin; write a scheme, "://", a host and perhaps a port from 1 to 65535, such as "https://app.example.com:8443"')
  if (anyPort !== '' && tuple.port !== '') return invalid('there are two ports; keep the number, or ":*" for every port')
  if (wildcard !== '' && IP_ADDRESS.test(tuple.host)) return invalid('an IP address has no subdomains; write the address without "*."')
  const corrected = `${tuple.scheme}://${wildcard}${tuple.host}${tuple.port === '' ? anyPort : `:${tuple.port}`}`
  if (corrected !== text) return { kind: 'refused', reason: 'not-canonical', message: `browsers do not write the origin this way; write ${JSON.stringify(corrected)}`, corrected }
  return { kind: 'tuple', text, ...tuple, subdomains: wildcard !== '', anyPort: anyPort !== '' }
}

const NOT_PUNYCODE = 'a name that begins with "xn--" is the punycode of an international one, and this is none; write the international name, such as "https://bücher.example", and the message has its punycode'

/** What can be told from the text alone, what to say about it, and what was probably meant. */
const MISTAKES: ReadonlyArray<readonly [RegExp, string, Suggest?]> = [
  [/^null$/i, 'browsers write it in lower case; write "null"'],
  [new RegExp(`^${OPAQUE_SCHEME}`, 'i'), 'documents of this scheme have no origin of their own: browsers send "null" for them; write "null" if you mean all of those'],
  // The URL parser drops these silently, or reads a backslash as a slash: such a text was not meant as it looks.
  // eslint-disable-next-line no-control-regex -- control characters are exactly what this looks for
  [/[\u0000-\u0020\u007f\\,]/, 'an origin has no spaces, commas, backslashes or control characters; leave them out, and give each origin a place of its own in an array', separately],
  [/^[^/]*\/\/[^/?#]*@/, 'an origin has no user name or password; leave out "@" and what stands before it'],
  [/^[^/]*\/\/(?:[^/?#]*\.)?\.|^[^/]*\/\/[^/?#]*\.(?=[:/?#]|$)/, 'a host neither begins nor ends with a dot, and has no two in a row; leave out the dot too many', withoutDots]
]

// scheme :// [*.] rest [:*], where whatever is wrong with the rest is for the URL parser to say
const PARTS = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?(.*?)(:\*)?\/?$/is

/** `instead` is code that was tried out. */
function invalid (message: string, instead?: string): OriginRefusal {
  return { kind: 'refused', reason: 'invalid', message: instead === undefined ? message : `${message}: write ${instead}` }
}

/** A guess, as browsers write it; undefined if it is no entry. */
function canonicalEntry (guess: string): string | undefined {
  const entry = parse(guess, () => undefined)
  if (entry.kind === 'refused') return entry.corrected
  return entry.kind === 'tuple' ? entry.text : undefined
}

/** The origin or pattern that a text means, whatever is to be said about how it is written; `'*'` too. undefined where it means none, or might mean anything. */
export function suggestOrigin (text: string): string | undefined {
  return text === '*' ? text : canonicalEntry(text) ?? originFromHost(text)
}

function asCode (entry: string | undefined): string | undefined {
  return entry && JSON.stringify(entry)
}

/** The beginning of a URL, with whatever stands there instead of a scheme. */
const NO_SCHEME = /^(?:[^/.]*:)?\/{1,3}|^https?:/i

/** What was probably meant by a host without a scheme. This machine is seldom asked over https, and a single name is seldom a host. */
function withScheme (text: string): string | undefined {
  return asCode(originFromHost(text))
}

function originFromHost (text: string): string | undefined {
  const host = text.replace(NO_SCHEME, '')
  const entry = canonicalEntry(`http://${host}`)
  if (entry === undefined) return undefined
  const { host: name } = readTuple(entry.replace('*.', '').replace(/:\*$/, '')) as Tuple
  const isHost = name.includes('.') || name.startsWith('[')
  return isLoopback(name) ? entry : isHost ? canonicalEntry(`https://${host}`) : undefined
}

/** Several origins in one text. */
function separately (text: string): string | undefined {
  const texts = text.split(/[\s,]+/).filter((part) => part !== '').map(canonicalEntry)
  return texts.length > 0 && texts.every((entry) => entry !== undefined) ? texts.map(asCode).join(', ') : undefined
}

function withoutDots (text: string): string | undefined {
  const entry = canonicalEntry(text.replace(/\.+(?=[:/?#]|$)/, '').replace(/(:\/\/)\.+(?=.)/, '$1*.').replace(/\.{2,}/g, '.'))
  return asCode(entry)
}

/** `https://*` is everyone, and `https://*example.com` lacks the dot. */
function withoutAsterisks (text: string): string | undefined {
  if (/^https?:\/\/\*+(?::\*)?\/?$/i.test(text)) return '"*"'
  const entry = canonicalEntry(text.replace(/:\/\/(?:\*+\.?)+/, '://*.'))
  return asCode(entry)
}

/** The origin of this URL as a browser would write it; undefined for what is no URL, or has no origin that can be written. */
function canonicalTuple (text: string): Tuple | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, host } = new URL(text)
  return readTuple(`${protocol}//${host}`.toLowerCase())
}

/** Whether pages of this origin can be read and changed on their way: plain text, and not from this machine itself. */
export function isInsecure ({ scheme, host }: Pick<TupleOrigin, 'scheme' | 'host'>): boolean {
  return (scheme === 'http' || scheme === 'ws' || scheme === 'ftp') && !isLoopback(host)
}

/** https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy */
export function isLoopback (host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
