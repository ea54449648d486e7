// The Fetch standard's tables of header names, and the syntax of names and of lists of names: which names a page can send or read, and which lists
// of requested names are valid.

/** The characters of a token, and so of a header name (RFC 9110, section 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** The longest header name that a policy can have, in characters. No name in use is longer, so a longer one is a mistake. */
const MAX_NAME_LENGTH = 256

/** Whether the text is a token. The names of headers and of methods are tokens. */
export function isToken (text: string): boolean {
  return TOKEN.test(text)
}

/** Whether a policy can have this name of a header. */
export function isHeaderName (text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && TOKEN.test(text)
}

/** Removes repeated names, compared without case. The first spelling and position of a name stay. */
export function uniqueNames (names: readonly string[]): string[] {
  const seen = new Map<string, string>()
  for (const name of names) {
    const key = name.toLowerCase()
    if (!seen.has(key)) seen.set(key, name)
  }
  return [...seen.values()]
}

/** Names that a page cannot set (https://fetch.spec.whatwg.org/#forbidden-request-header), besides those that begin with `proxy-` or `sec-`. */
const FORBIDDEN_REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'accept-charset', 'accept-encoding', 'access-control-request-headers', 'access-control-request-method',
  'access-control-request-private-network', 'connection', 'content-length', 'cookie', 'cookie2', 'date', 'dnt', 'expect', 'host',
  'keep-alive', 'origin', 'referer', 'set-cookie', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'via'
])

/** Forbidden names that a policy must not list: it would look as if it allowed cookies, or CORS itself. */
const MISLEADING_REQUEST_HEADERS = /^(?:cookie2?|set-cookie|access-control-.*)$/

/** Names that a page can never read (https://fetch.spec.whatwg.org/#forbidden-response-header-name). */
const FORBIDDEN_RESPONSE_HEADERS: ReadonlySet<string> = new Set(['set-cookie', 'set-cookie2'])

/** Request headers, and response headers of preflights. A page cannot read anything from them. */
const REQUEST_ONLY_HEADERS: ReadonlySet<string> = new Set([
  'access-control-allow-headers', 'access-control-allow-methods', 'access-control-allow-private-network', 'access-control-max-age',
  'access-control-request-headers', 'access-control-request-method', 'access-control-request-private-network', 'cookie', 'origin'
])

/**
 * Request headers that need no permission, unless their value is too long (https://fetch.spec.whatwg.org/#cors-safelisted-request-header). `content-type` and
 * `range` are left out: they need permission for some values.
 */
const SAFELISTED_REQUEST_HEADERS: ReadonlySet<string> = new Set(['accept', 'accept-language', 'content-language'])

/** Response headers that every page can read (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name). */
const SAFELISTED_RESPONSE_HEADERS: ReadonlySet<string> = new Set([
  'cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma'
])

/** Whether a page cannot set this header (https://fetch.spec.whatwg.org/#forbidden-request-header), whatever its value. */
export function isForbiddenRequestHeaderName (name: string): boolean {
  const lower = name.toLowerCase()
  return FORBIDDEN_REQUEST_HEADERS.has(lower) || lower.startsWith('proxy-') || lower.startsWith('sec-')
}

/** Whether a page can never read this header (https://fetch.spec.whatwg.org/#forbidden-response-header-name). */
export function isForbiddenResponseHeaderName (name: string): boolean {
  return FORBIDDEN_RESPONSE_HEADERS.has(name.toLowerCase())
}

/** Whether every page can read this header (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name). */
export function isSafelistedResponseHeaderName (name: string): boolean {
  return SAFELISTED_RESPONSE_HEADERS.has(name.toLowerCase())
}

/** Why a policy must not list this request header. undefined if it may. */
export function whyNotSendable (name: string): string | undefined {
  const lower = name.toLowerCase()
  if (lower.startsWith('access-control-') || lower === 'vary') return 'CORS sets this header itself: no page sends it'
  return MISLEADING_REQUEST_HEADERS.test(lower) ? 'no page can set this header: browsers send cookies where the policy has credentials' : undefined
}

/** Whether browsers set this request header by themselves, so that no page can send it and no preflight asks for it. */
export function isSetByBrowser (name: string): boolean {
  return isForbiddenRequestHeaderName(name) && !MISLEADING_REQUEST_HEADERS.test(name.toLowerCase())
}

/** Why a page cannot read this header, or undefined if it can. */
export function whyNotReadable (name: string): string | undefined {
  const lower = name.toLowerCase()
  if (isForbiddenResponseHeaderName(lower)) return 'no page can read this header: browsers always hide it'
  return REQUEST_ONLY_HEADERS.has(lower) ? 'no page reads this from a response: it belongs to requests and preflights' : undefined
}

/** Whether a route's schema may mean a header by this name: browsers read a "*" in it literally. */
function isName (name: string): boolean {
  return isHeaderName(name) && !name.includes('*')
}

/** Whether a preflight has to allow this header of a route's request schema. False for safelisted headers, and for those that no page can send. */
export function needsAllowing (name: string): boolean {
  const lower = name.toLowerCase()
  return isName(name) && !SAFELISTED_REQUEST_HEADERS.has(lower) && !isForbiddenRequestHeaderName(lower) && whyNotSendable(lower) === undefined
}

/** Whether this header of a route's response schema has to be exposed. False for safelisted headers, and for those that no page can read. */
export function needsExposing (name: string): boolean {
  return isName(name) && !isSafelistedResponseHeaderName(name) && whyNotReadable(name) === undefined
}

/** The longest `Access-Control-Request-Headers` that is accepted, in characters. Browsers list only the unsafe names of one request: far fewer. */
export const MAX_REQUEST_HEADERS_LENGTH = 4096

/** How many elements of a list may be empty. RFC 9110, section 5.6.1.2, lets a recipient accept a reasonable number. */
export const MAX_EMPTY_ELEMENTS = 16

/** The characters of a list of names. */
const LIST = /^[!#$%&'*+\-.^_`|~0-9A-Za-z \t,]*$/

/** Whether an `Access-Control-Request-Headers` value is a list of names within the bounds. A missing header is an empty list. The time is linear. */
export function isListOfNames (value = ''): boolean {
  if (value.length > MAX_REQUEST_HEADERS_LENGTH || !LIST.test(value)) return false
  const elements = value.split(',').map((element) => element.trim())
  return elements.every((name) => name === '' || TOKEN.test(name)) && elements.filter((name) => name === '').length <= MAX_EMPTY_ELEMENTS
}

/** The names in a valid list ({@link isListOfNames}), without the optional spaces and tabs around them (RFC 9110, section 5.6.3). */
export function namesIn (list: string | undefined): string[] {
  return list?.split(/[ \t,]+/).filter((name) => name !== '') ?? []
}
