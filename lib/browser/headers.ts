// The browser model: headers. Which request headers a page may send, which of them need a preflight's permission, and which response
// headers a page may read (https://fetch.spec.whatwg.org/#headers).
import { isForbiddenRequestHeaderName, isForbiddenResponseHeaderName, isSafelistedResponseHeaderName, isToken } from '../http/headers'
import { isForbiddenMethod } from '../http/methods'

/** A header list (https://fetch.spec.whatwg.org/#concept-header-list). Names may be repeated. Each character of a value is one byte, as in `fetch()`. */
export type HeaderList = ReadonlyArray<readonly [name: string, value: string]>

/** https://fetch.spec.whatwg.org/#concept-request-credentials-mode */
export type CredentialsMode = 'omit' | 'same-origin' | 'include'

/**
 * The value of a header, or null. `name` is in lower case. The values of a repeated header are combined
 * (https://fetch.spec.whatwg.org/#concept-header-list-get).
 */
export function getHeader (headers: HeaderList, name: string): string | null {
  const values = headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)
  return values.length === 0 ? null : values.join(', ')
}

/** Headers with which some servers treat a POST as another method. */
const METHOD_OVERRIDES: ReadonlySet<string> = new Set(['x-http-method', 'x-http-method-override', 'x-method-override'])

/** Whether a browser silently drops this header (https://fetch.spec.whatwg.org/#forbidden-request-header). */
export function isForbiddenRequestHeader (name: string, value: string): boolean {
  if (isForbiddenRequestHeaderName(name)) return true
  return METHOD_OVERRIDES.has(name.toLowerCase()) && value.split(',').some((method) => isForbiddenMethod(method.trim()))
}

/** Whether `*` does not allow this header (https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name). */
export function isNonWildcardName (name: string): boolean {
  return name.toLowerCase() === 'authorization'
}

/** Whether `*` allows this header. The standard makes an exception of `Authorization`, and browsers do not: `wildcardCoversAuthorization` is theirs. */
export function isCoveredByWildcard (name: string, wildcardCoversAuthorization: boolean): boolean {
  return wildcardCoversAuthorization || !isNonWildcardName(name)
}

/** https://fetch.spec.whatwg.org/#cors-unsafe-request-header-byte */
// eslint-disable-next-line no-control-regex -- control characters are among these bytes
const UNSAFE_BYTE = /[\x00-\x08\x0a-\x1f"():<>?@[\\\]{}\x7f]/

/** https://fetch.spec.whatwg.org/#cors-safelisted-request-header: 0-9, A-Z, a-z, space and `*,-.;=` */
const LANGUAGES = /^[0-9A-Za-z *,\-.;=]*$/

/** The MIME types that an HTML form can send. */
const FORM_TYPES: ReadonlySet<string> = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'])

/** A single range with a start (https://fetch.spec.whatwg.org/#simple-range-header-value). */
const RANGE = /^bytes=([0-9]+)-([0-9]*)$/

/** The longest value of a safelisted header, in bytes. */
const MAX_VALUE_LENGTH = 128

/** The longest values of all safelisted headers together, in bytes. */
const MAX_TOTAL_LENGTH = 1024

/** Whether a request header needs no permission (https://fetch.spec.whatwg.org/#cors-safelisted-request-header). */
export function isSafelistedRequestHeader (name: string, value: string): boolean {
  if (value.length > MAX_VALUE_LENGTH) return false
  switch (name.toLowerCase()) {
    case 'accept': return !UNSAFE_BYTE.test(value)
    case 'accept-language':
    case 'content-language': return LANGUAGES.test(value)
    case 'content-type': return !UNSAFE_BYTE.test(value) && FORM_TYPES.has(essence(value))
    case 'range': return isSafelistedRange(value)
    default: return false
  }
}

/** The type and subtype of a MIME type (https://mimesniff.spec.whatwg.org/#mime-type-essence). */
function essence (value: string): string {
  const [type = ''] = value.split(';')
  return type.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '').toLowerCase()
}

function isSafelistedRange (value: string): boolean {
  const [, start, end] = RANGE.exec(value) ?? []
  return start !== undefined && (end === '' || Number(start) <= Number(end))
}

/** The names that a preflight asks for: in lower case, sorted, without duplicates (https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names). */
export function unsafeHeaderNames (headers: HeaderList): string[] {
  const safelisted = headers.filter(([name, value]) => isSafelistedRequestHeader(name, value))
  const length = safelisted.reduce((total, [, value]) => total + value.length, 0)
  const unsafe = length > MAX_TOTAL_LENGTH ? headers : headers.filter((header) => !safelisted.includes(header))
  return [...new Set(unsafe.map(([name]) => name.toLowerCase()))].sort()
}

/**
 * The elements of a list of tokens: null if the header is missing, undefined if it is not such a list
 * (https://fetch.spec.whatwg.org/#extract-header-list-values).
 */
export function extractTokens (value: string | null): string[] | null | undefined {
  if (value === null) return null
  const elements = value.split(',').map((element) => element.replace(/^[\t ]+|[\t ]+$/g, '')).filter((element) => element !== '')
  return elements.every(isToken) ? elements : undefined
}

/**
 * The names of the headers that a page can read in a response of another origin.
 *
 * @param headers the headers of the response
 * @param credentials the credentials mode of the request
 * @returns the names in lower case, sorted
 * @example exposedHeaderNames([['etag', '"1"'], ['access-control-expose-headers', 'ETag']], 'omit') // ['etag']
 * @see https://fetch.spec.whatwg.org/#concept-filtered-response-cors
 */
export function exposedHeaderNames (headers: HeaderList, credentials: CredentialsMode): string[] {
  const exposed = (extractTokens(getHeader(headers, 'access-control-expose-headers')) ?? []).map((name) => name.toLowerCase())
  // https://fetch.spec.whatwg.org/#concept-main-fetch, step 14: with credentials, `*` is a name like any other.
  const all = credentials !== 'include' && exposed.includes('*')
  return readableHeaderNames(headers).filter((name) => all || isSafelistedResponseHeaderName(name) || exposed.includes(name))
}

/** The names of the headers that a page can read in a response of its own origin (https://fetch.spec.whatwg.org/#concept-filtered-response-basic). */
export function readableHeaderNames (headers: HeaderList): string[] {
  return [...new Set(headers.map(([name]) => name.toLowerCase()))].filter((name) => !isForbiddenResponseHeaderName(name)).sort()
}
