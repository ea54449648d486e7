// What an entry of `origin` may be: reads one text of a policy into an origin or a pattern, or says why it is neither.
// Also the syntax of an origin as browsers serialise it (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin).
import type { CorsProblemReason } from '../../errors'

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

const LABEL = '[a-z0-9_-]+'

/** RFC 1035, section 2.3.4. A pattern of its own, as counting makes the other one several times slower. */
const LONG_LABEL = /[^.]{64}/
const TUPLE = new RegExp(`^(?!${OPAQUE_SCHEME})([a-z][a-z0-9+.-]*)://(\\[[0-9a-f:.]+\\]|${LABEL}(?:\\.${LABEL})*)(?::([1-9][0-9]*))?$`)

interface Tuple { readonly scheme: string, readonly host: string, readonly port: string }

function readTuple (text: string): Tuple | undefined {
  if (text.length > MAX_ORIGIN_LENGTH) return undefined
  const match = TUPLE.exec(text)
  if (match === null) return undefined
  const [, scheme = '', host = '', port = ''] = match
  if (scheme.length > MAX_SCHEME_LENGTH || host.length > MAX_HOST_LENGTH || (host.length > 63 && LONG_LABEL.test(host))) return undefined
  if (port !== '' && (Number(port) > 65535 || port === DEFAULT_PORTS.get(scheme))) return undefined
  if (ADDRESS.test(host) && !isCanonicalHost(scheme, host)) return undefined
  return { scheme, host, port }
}

/** What the URL standard takes for an IP address: a host in brackets, or one that ends in a number (https://url.spec.whatwg.org/#ends-in-a-number-checker). */
const ADDRESS = /^\[|(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/

/** Whether browsers write the host this way. For addresses: four decimal numbers, or IPv6 with its longest run of zeros left out. */
function isCanonicalHost (scheme: string, host: string): boolean {
  const url = `${scheme}://${host}`
  return URL.canParse(url) && new URL(url).hostname === host
}

/** Most origins: HTTP, a name and no port, and too short for any limit. The last label begins with no digit, so that it ends no address. */
const MOST_ORIGINS = new RegExp(`^https?://(?:${LABEL}\\.)*(?![0-9])${LABEL}$`)
const SHORT = 'http://'.length + 63

/** Whether this is such an origin in a policy: no punycode, which only the URL parser can judge. The same as {@link parseOriginEntry} says, at a small part of the cost. */
export function isPlainOrigin (text: string): boolean {
  return text.length <= SHORT && MOST_ORIGINS.test(text) && !text.includes('xn--')
}

/** Whether this is an origin as browsers write them: not `null`, lower case, no default port, nothing before or behind. */
export function isSerialisedOrigin (text: string): boolean {
  return (text.length <= SHORT && MOST_ORIGINS.test(text)) || readTuple(text) !== undefined
}

/** Reads one text of a policy's `origin`. */
export function parseOriginEntry (text: string): OriginEntry | OriginRefusal {
  if (text === '*') return { kind: 'any' }
  if (text === 'null') return { kind: 'null' }
  if (text.length > MAX_ORIGIN_LENGTH) return invalid(`no origin is longer than ${MAX_ORIGIN_LENGTH} characters`)
  const mistake = MISTAKES.find(([pattern]) => pattern.test(text))
  if (mistake !== undefined) return invalid(mistake[1])
  const parts = PARTS.exec(text)
  if (parts === null) return invalid(`an origin begins with its scheme, such as ${JSON.stringify(withScheme(text))}`)
  const [, scheme = '', wildcard = '', rest = '', anyPort = ''] = parts
  if (rest.includes('*')) return invalid('an asterisk may stand only for whole subdomains ("https://*.example.com") or for the port ("https://example.com:*")')
  const tuple = canonicalTuple(`${scheme}://${rest}`)
  if (tuple === undefined) return invalid('this is not an origin; write a scheme, "://", a host and perhaps a port from 1 to 65535, such as "https://app.example.com:8443"')
  if (anyPort !== '' && tuple.port !== '') return invalid('there are two ports; keep the number, or ":*" for every port')
  if (wildcard !== '' && ADDRESS.test(tuple.host)) return invalid('an IP address has no subdomains; write the address without "*."')
  const corrected = `${tuple.scheme}://${wildcard}${tuple.host}${tuple.port === '' ? anyPort : `:${tuple.port}`}`
  if (corrected !== text) return { kind: 'refused', reason: 'not-canonical', message: `browsers do not write the origin this way; write ${JSON.stringify(corrected)}` }
  return { kind: 'tuple', text, ...tuple, subdomains: wildcard !== '', anyPort: anyPort !== '' }
}

/** What can be told from the text alone, and what to say about it. */
const MISTAKES: ReadonlyArray<readonly [RegExp, string]> = [
  [new RegExp(`^${OPAQUE_SCHEME}`, 'i'), 'documents of this scheme have no origin of their own: browsers send "null" for them; write "null" if you mean all of those'],
  // The URL parser drops these silently, or reads a backslash as a slash: such a text was not meant as it looks.
  // eslint-disable-next-line no-control-regex -- control characters are exactly what this looks for
  [/[\u0000-\u0020\u007f\\,]/, 'an origin has no spaces, commas, backslashes or control characters; leave them out, and give each origin a place of its own in an array'],
  [/^[^/]*\/\/[^/?#]*@/, 'an origin has no user name or password; leave out "@" and what stands before it'],
  [/^[^/]*\/\/(?:[^/?#]*\.)?\.|^[^/]*\/\/[^/?#]*\.(?=[:/?#]|$)/, 'a host neither begins nor ends with a dot, and has no two in a row; leave out the dot too many']
]

// scheme :// [*.] rest [:*], where whatever is wrong with the rest is for the URL parser to say
const PARTS = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?(.*?)(:\*)?\/?$/is

function invalid (message: string): OriginRefusal {
  return { kind: 'refused', reason: 'invalid', message }
}

/** What was probably meant by a host alone. */
function withScheme (text: string): string {
  const guess = parseOriginEntry(`https://${text}`)
  return guess.kind === 'tuple' ? guess.text : 'https://example.com'
}

/** The origin of this URL as a browser would write it; undefined for what is no URL, or has no origin that can be written. */
function canonicalTuple (text: string): Tuple | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, host } = new URL(text)
  return readTuple(`${protocol}//${host}`.toLowerCase())
}

/** Whether pages of this origin can be read and changed on their way: plain text, and not from this machine itself. */
export function isInsecure ({ scheme, host }: TupleOrigin): boolean {
  return (scheme === 'http' || scheme === 'ws' || scheme === 'ftp') && !isLoopback(host)
}

/** https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy */
function isLoopback (host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
