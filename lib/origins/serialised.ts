// The syntax of origins as browsers serialise them (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin). Origin headers are checked by it.

/** The parts of an origin. `port` is `''` for the default port of the scheme. */
export interface OriginParts { readonly scheme: string, readonly host: string, readonly port: string }

/** The longest host (RFC 1035, section 2.3.4), without a dot at its end. */
const MAX_HOST_LENGTH = 253

/** Longer than every scheme in use. */
const MAX_SCHEME_LENGTH = 64

/** The longest origin: scheme, `://`, host with a dot at its end, colon and port. */
export const MAX_ORIGIN_LENGTH = MAX_SCHEME_LENGTH + 3 + MAX_HOST_LENGTH + 1 + 6

/** The default ports of the URL standard's special schemes. Browsers leave them out of an origin. */
const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([['http', '80'], ['https', '443'], ['ws', '80'], ['wss', '443'], ['ftp', '21']])

/** Schemes of documents with an opaque origin, which browsers serialise as `null`. Chromium serialises files as `file://` if they may read other files. */
export const OPAQUE_SCHEME = '(?:about|blob|data|file|javascript):'

/** The origin of files. */
export const FILE_ORIGIN = 'file://'

/** All characters that a serialised origin can have: it is ASCII, and lower case. */
export const ORIGIN_CHARACTERS = '+-./0123456789:[]_abcdefghijklmnopqrstuvwxyz'

const LABEL = '[a-z0-9_-]+'

/** Matches a host with a label that is too long (RFC 1035, section 2.3.4). ORIGIN does not count characters: it would be several times slower. */
const LONG_LABEL = /[^.]{64}/

/** The syntax of origins. Captures scheme, host and port. The host may be a dot, or empty, where a scheme has no hosts. */
const ORIGIN = new RegExp(
  `^(?!${OPAQUE_SCHEME})([a-z][a-z0-9+.-]*)://(\\[[0-9a-f:.]+\\]|${LABEL}(?:\\.${LABEL})*\\.?|\\.?(?!:))(?::([1-9][0-9]*))?$`)

/** The parts of an origin as browsers serialise it; undefined for any other string. */
export function parseOrigin (text: string): OriginParts | undefined {
  if (text.length > MAX_ORIGIN_LENGTH) return undefined
  if (text === FILE_ORIGIN) return { scheme: 'file', host: '', port: '' }
  const match = ORIGIN.exec(text)
  if (match === null) return undefined
  const [, scheme = '', host = '', port = ''] = match
  if (scheme.length > MAX_SCHEME_LENGTH || (host.length > 63 && (host.replace(/\.$/, '').length > MAX_HOST_LENGTH || LONG_LABEL.test(host)))) return undefined
  if (port !== '' && (Number(port) > 65535 || port === DEFAULT_PORTS.get(scheme))) return undefined
  if (hasNamedHosts(scheme) && (host === '' || host === '.')) return undefined
  if (IP_ADDRESS.test(host) && !isCanonicalHost(scheme, host)) return undefined
  if (host.includes(PUNYCODE_PREFIX) && hasNamedHosts(scheme) && !host.split('.').every(isValidLabel)) return undefined
  return { scheme, host, port }
}

/** Whether this is an origin as browsers serialise it: lower case, no default port, no path. `null` is not one. */
export function isSerialisedOrigin (text: string): boolean {
  return parseOrigin(text) !== undefined
}

/** Whether a scheme has hosts in DNS: one of the URL standard's special schemes. Other schemes, of apps and extensions, may have any host or none. */
export function hasNamedHosts (scheme: string): boolean {
  return DEFAULT_PORTS.has(scheme)
}

/**
 * Matches a host that the URL standard parses as an IP address: one in brackets, or one that ends in a number
 * (https://url.spec.whatwg.org/#ends-in-a-number-checker).
 */
export const IP_ADDRESS = /^\[|(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$/

/** Whether browsers serialise the host this way. An IPv4 address has four decimal numbers; an IPv6 address leaves out its longest run of zeros. */
function isCanonicalHost (scheme: string, host: string): boolean {
  const url = `${scheme}://${host}`
  return URL.canParse(url) && new URL(url).hostname === host
}

/** Begins a label in punycode. */
export const PUNYCODE_PREFIX = 'xn--'

/**
 * Characters that no international name has (https://www.unicode.org/reports/tr46/#Validity_Criteria): control characters, surrogates, private-use
 * and non-characters, white space, and format characters except the two joiners.
 */
const DISALLOWED = /[\p{Cc}\p{Cs}\p{Co}\p{Z}\p{Noncharacter_Code_Point}]|(?![\u200c\u200d])\p{Cf}|^\p{M}/u

// eslint-disable-next-line no-control-regex -- control characters are a part of ASCII
const NOT_ASCII = /[^\u0000-\u007f]/

/** Whether a label that begins like punycode is the punycode of an international name. The URL parsers of different Node versions accept different labels. */
export function isValidLabel (label: string): boolean {
  if (!label.startsWith(PUNYCODE_PREFIX)) return true
  try {
    const name = punycode().decode(label.slice(PUNYCODE_PREFIX.length))
    return NOT_ASCII.test(name) && !DISALLOWED.test(name) && name.normalize('NFKC') === name && name.toLowerCase() === name
  } catch {
    return false
  }
}

/** Loads the decoder when it is first needed: few origins have such labels. */
function punycode (): { decode: (text: string) => string } {
  // With the slash, it is the package and not the deprecated module of Node.
  return require('punycode/') as ReturnType<typeof punycode>
}

/** Whether an attacker on the network can read and change pages of this origin: it is not encrypted, and not loopback. */
export function isInsecure ({ scheme, host }: Pick<OriginParts, 'scheme' | 'host'>): boolean {
  return (scheme === 'http' || scheme === 'ws' || scheme === 'ftp') && !isLoopback(host)
}

/** Whether the host is this machine (https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy). */
export function isLoopback (host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
