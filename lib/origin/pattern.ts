// What an entry of `origin` may be: reads one text of a policy into an origin or a pattern, or says why it is neither.
// Also the syntax of an origin as browsers serialise it (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin).
import type { CorsProblemReason } from '../errors'

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
const OPAQUE_SCHEMES: ReadonlySet<string> = new Set(['about', 'blob', 'data', 'file', 'javascript'])

const LABEL = '[a-z0-9_-]{1,63}'
const TUPLE = new RegExp(`^([a-z][a-z0-9+.-]*)://(\\[[0-9a-f:.]+\\]|${LABEL}(?:\\.${LABEL})*)(?::([1-9][0-9]{0,4}))?$`)

interface Tuple { readonly scheme: string, readonly host: string, readonly port: string }

function readTuple (text: string): Tuple | undefined {
  if (text.length > MAX_ORIGIN_LENGTH) return undefined
  const match = TUPLE.exec(text)
  if (match === null) return undefined
  const [, scheme = '', host = '', port = ''] = match
  if (scheme.length > MAX_SCHEME_LENGTH || host.length > MAX_HOST_LENGTH) return undefined
  if (Number(port) > 65535 || port === DEFAULT_PORTS.get(scheme)) return undefined
  return { scheme, host, port }
}

/** Whether this is an origin as browsers write them: not `null`, lower case, no default port, nothing before or behind. */
export function isSerialisedOrigin (text: string): boolean {
  return readTuple(text) !== undefined
}

/** Reads one text of a policy's `origin`. */
export function parseOriginEntry (text: string): OriginEntry | OriginRefusal {
  if (text === '*') return { kind: 'any' }
  if (text === 'null') return { kind: 'null' }
  if (text.length > MAX_ORIGIN_LENGTH) return invalid(`no origin is longer than ${MAX_ORIGIN_LENGTH} characters`)
  const parts = PARTS.exec(text)
  if (parts === null) return invalid(whyNoParts(text))
  const [, scheme = '', wildcard = '', rest = '', anyPort = ''] = parts
  if (OPAQUE_SCHEMES.has(scheme.toLowerCase())) {
    return invalid(`documents of this scheme have no origin of their own: browsers send "null" for them; write "null" if you mean all of those`)
  }
  const base = `${scheme}://${rest}`
  if (base.includes('*')) return invalid('an asterisk may stand only for whole subdomains ("https://*.example.com") or for the port ("https://example.com:*")')
  const canonical = canonicalOrigin(base)
  if (canonical === undefined) return invalid(`this is not an origin; write a scheme, "://", a host and perhaps a port, such as "https://example.com"`)
  const tuple = readTuple(canonical)
  if (tuple === undefined || isMalformedHost(tuple.host)) return invalid('this host or scheme cannot stand in an origin')
  if (anyPort !== '' && tuple.port !== '') return invalid('there are two ports; keep the number, or ":*" for every port')
  if (wildcard !== '' && isAddress(tuple.host)) return invalid('an IP address has no subdomains; write the address without "*."')
  const corrected = `${tuple.scheme}://${wildcard}${canonical.slice(tuple.scheme.length + 3)}${anyPort}`
  if (corrected !== text) return { kind: 'refused', reason: 'not-canonical', message: `browsers do not write the origin this way; write ${JSON.stringify(corrected)}` }
  return { kind: 'tuple', text, ...tuple, subdomains: wildcard !== '', anyPort: anyPort !== '' }
}

// scheme :// [*.] rest [:*], where whatever is wrong with the rest is for the URL parser to say
const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(\*\.)?([^*].*?)(:\*)?\/?$/s

function invalid (message: string): OriginRefusal {
  return { kind: 'refused', reason: 'invalid', message }
}

function whyNoParts (text: string): string {
  if (text.includes('*')) return 'an asterisk may stand only for whole subdomains ("https://*.example.com") or for the port ("https://example.com:*")'
  return 'an origin begins with its scheme, such as "https://example.com"'
}

/** How a browser would write the origin of this URL; undefined for what is no URL, or has more to it than an origin's harmless misspelling. */
function canonicalOrigin (text: string): string | undefined {
  if (HIDDEN.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.host === '') return undefined
  return `${url.protocol}//${url.host}`.toLowerCase()
}

// The URL parser drops these silently, or reads a backslash as a slash: a text that has them was not meant as it looks.
// eslint-disable-next-line no-control-regex -- control characters are exactly what this looks for
const HIDDEN = /[\u0000-\u0020\u007f\\]/

function isAddress (host: string): boolean {
  return host.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(host)
}

/** Hosts that the URL parser lets pass only because their scheme is not one of its special ones. */
function isMalformedHost (host: string): boolean {
  return !URL.canParse(`http://${host}`) || new URL(`http://${host}`).hostname !== host
}

/** Whether pages of this origin can be read and changed on their way: plain text, and not from this machine itself. */
export function isInsecure ({ scheme, host }: TupleOrigin): boolean {
  return (scheme === 'http' || scheme === 'ws' || scheme === 'ftp') && !isLoopback(host)
}

/** https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy */
function isLoopback (host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
