// The Fetch standard's tables and grammars of HTTP header names: which names a page can send or read, what a list of
// requested names may look like.

/** RFC 9110, section 5.6.2: the characters of a token, and so of a header's name. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Longer than any header name in use, and so a mistake in a policy. */
const MAX_NAME_LENGTH = 256

/** Whether this is a token: what the names of headers and methods are made of. */
export function isToken (text: string): boolean {
  return TOKEN.test(text)
}

export function isHeaderName (text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && TOKEN.test(text)
}

/** Each name once, whatever its case, as and where it first stands. */
export function uniqueNames (names: readonly string[]): string[] {
  const seen = new Map<string, string>()
  for (const name of names) {
    const key = name.toLowerCase()
    if (!seen.has(key)) seen.set(key, name)
  }
  return [...seen.values()]
}

/** Names a page cannot set (https://fetch.spec.whatwg.org/#forbidden-request-header); `proxy-` and `sec-` names besides. */
const FORBIDDEN_REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'accept-charset', 'accept-encoding', 'access-control-request-headers', 'access-control-request-method',
  'access-control-request-private-network', 'connection', 'content-length', 'cookie', 'cookie2', 'date', 'dnt', 'expect', 'host',
  'keep-alive', 'origin', 'referer', 'set-cookie', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'via'
])

/** Response headers that configurations often list among the request's by mistake: asking for them allows nothing. */
const RESPONSE_ONLY_HEADERS: ReadonlySet<string> = new Set([
  'access-control-allow-credentials', 'access-control-allow-headers', 'access-control-allow-methods', 'access-control-allow-origin',
  'access-control-allow-private-network', 'access-control-expose-headers', 'access-control-max-age', 'vary'
])

/** Names a page can never read (https://fetch.spec.whatwg.org/#forbidden-response-header-name). */
const FORBIDDEN_RESPONSE_HEADERS: ReadonlySet<string> = new Set(['set-cookie', 'set-cookie2'])

/** Request headers, and the answers to a preflight, that a page reads nothing from. */
const REQUEST_ONLY_HEADERS: ReadonlySet<string> = new Set([
  'access-control-allow-headers', 'access-control-allow-methods', 'access-control-allow-private-network', 'access-control-max-age',
  'access-control-request-headers', 'access-control-request-method', 'access-control-request-private-network', 'cookie', 'origin'
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

/** Why a page cannot send this header, or undefined if it can. */
export function whyNotSendable (name: string): string | undefined {
  const lower = name.toLowerCase()
  if (isForbiddenRequestHeaderName(lower)) {
    return 'no page can set this header: browsers forbid it, or set it themselves'
  }
  return RESPONSE_ONLY_HEADERS.has(lower) ? 'this is a response header: no request carries it' : undefined
}

/** Why a page cannot read this header, or undefined if it can. */
export function whyNotReadable (name: string): string | undefined {
  const lower = name.toLowerCase()
  if (isForbiddenResponseHeaderName(lower)) return 'no page can read this header: browsers hide it always'
  return REQUEST_ONLY_HEADERS.has(lower) ? 'no page reads this from a response: it belongs to requests and preflights' : undefined
}

/** Request headers that need no permission whatever their value is, but for over-long ones (https://fetch.spec.whatwg.org/#cors-safelisted-request-header). `content-type` and `range` do, for some values. */
const SAFELISTED_REQUEST_HEADERS: ReadonlySet<string> = new Set(['accept', 'accept-language', 'content-language'])

/** Response headers that every page can read (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name). */
const SAFELISTED_RESPONSE_HEADERS: ReadonlySet<string> = new Set([
  'cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma'
])

/** The request headers of a route's schema that a preflight has to allow: the safelisted and the impossible left out. */
export function needsAllowing (name: string): boolean {
  return isHeaderName(name) && name !== '*' && !SAFELISTED_REQUEST_HEADERS.has(name.toLowerCase()) && whyNotSendable(name) === undefined
}

/** The response headers of a route's schema that have to be exposed: the safelisted and the unreadable left out. */
export function needsExposing (name: string): boolean {
  return isHeaderName(name) && name !== '*' && !isSafelistedResponseHeaderName(name) && whyNotReadable(name) === undefined
}

/** The longest `Access-Control-Request-Headers` that is read. Browsers send the unsafe names of one request: far below this. */
export const MAX_REQUEST_HEADERS_LENGTH = 4096

/** How many elements of a list may be empty (RFC 9110, section 5.6.1.2: a recipient accepts a reasonable number of them). */
export const MAX_EMPTY_ELEMENTS = 16

/** What a character is to a list of names. */
const NAME = 1
const BLANK = 2
const COMMA = 3
const KINDS = Uint8Array.from({ length: 256 }, (_, code) => {
  const character = String.fromCharCode(code)
  return TOKEN.test(character) ? NAME : character === ' ' || character === '\t' ? BLANK : character === ',' ? COMMA : 0
})

/**
 * Whether an `Access-Control-Request-Headers` value is a list of names within the bounds. A missing header is an empty list. Reads every
 * character once, and stops at the first that has no place there.
 */
export function isListOfNames (value: string | undefined): boolean {
  if (value === undefined || value === '') return true
  if (value.length > MAX_REQUEST_HEADERS_LENGTH) return false
  let empty = 0
  let hasName = false
  let hasEnded = false
  for (let index = 0; index < value.length; index++) {
    const kind = KINDS[value.charCodeAt(index)]
    if (kind === NAME) {
      if (hasEnded) return false // two names without a comma
      hasName = true
    } else if (kind === BLANK) {
      hasEnded = hasName
    } else if (kind === COMMA) {
      if (!hasName && ++empty > MAX_EMPTY_ELEMENTS) return false
      hasName = false
      hasEnded = false
    } else {
      return false
    }
  }
  return hasName || empty < MAX_EMPTY_ELEMENTS
}

/** The names in such a list: blanks and tabs around them are optional (RFC 9110, section 5.6.3). */
export function namesIn (list: string | undefined): string[] {
  return list?.split(/[ \t,]+/).filter((name) => name !== '') ?? []
}
