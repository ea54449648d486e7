// A model of the Fetch standard for the tests, written from the standard alone: the tables of header names and the rules about
// their values (https://fetch.spec.whatwg.org/#concept-header).
import { isForbiddenMethod } from './methods'

/** A header list (https://fetch.spec.whatwg.org/#concept-header-list): names may be repeated. */
export type HeaderList = ReadonlyArray<readonly [name: string, value: string]>

const FORBIDDEN_REQUEST_HEADERS = [
  'accept-charset', 'accept-encoding', 'access-control-request-headers', 'access-control-request-method', 'connection', 'content-length',
  'cookie', 'cookie2', 'date', 'dnt', 'expect', 'host', 'keep-alive', 'origin', 'referer', 'set-cookie', 'te', 'trailer',
  'transfer-encoding', 'upgrade', 'via'
]

/** https://fetch.spec.whatwg.org/#forbidden-request-header */
export function isForbiddenRequestHeader (name: string, value: string): boolean {
  const lower = name.toLowerCase()
  if (FORBIDDEN_REQUEST_HEADERS.includes(lower) || lower.startsWith('proxy-') || lower.startsWith('sec-')) return true
  const overridesMethod = ['x-http-method', 'x-http-method-override', 'x-method-override'].includes(lower)
  return overridesMethod && value.split(',').some((method) => isForbiddenMethod(method.trim()))
}

/** https://fetch.spec.whatwg.org/#forbidden-response-header-name */
export function isForbiddenResponseHeaderName (name: string): boolean {
  return ['set-cookie', 'set-cookie2'].includes(name.toLowerCase())
}

const SAFELISTED_RESPONSE_HEADER_NAMES = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma']

/** https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name */
export function isCorsSafelistedResponseHeaderName (name: string, exposed: readonly string[]): boolean {
  const lower = name.toLowerCase()
  if (isForbiddenResponseHeaderName(lower)) return false
  return SAFELISTED_RESPONSE_HEADER_NAMES.includes(lower) || exposed.some((each) => each.toLowerCase() === lower)
}

/** https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name */
export function isCorsNonWildcardRequestHeaderName (name: string): boolean {
  return name.toLowerCase() === 'authorization'
}

/** https://fetch.spec.whatwg.org/#cors-unsafe-request-header-byte */
function hasCorsUnsafeByte (value: string): boolean {
  return [...value].some((char) => (char < ' ' && char !== '\t') || '"():<>?@[\\]{}\x7f'.includes(char))
}

/** Bytes 0-9, A-Z, a-z, space and `*,-.;=` (https://fetch.spec.whatwg.org/#cors-safelisted-request-header). */
function isLanguageValue (value: string): boolean {
  return /^[0-9A-Za-z *,\-.;=]*$/.test(value)
}

/** The essence of a MIME type, or undefined (https://mimesniff.spec.whatwg.org/#parse-a-mime-type). */
function essence (value: string): string | undefined {
  const [type = ''] = value.split(';')
  const trimmed = type.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(trimmed) ? trimmed.toLowerCase() : undefined
}

/** A single range with a start (https://fetch.spec.whatwg.org/#simple-range-header-value, without white space). */
function isSafelistedRange (value: string): boolean {
  const [, start, end] = /^bytes=([0-9]+)-([0-9]*)$/.exec(value) ?? []
  return start !== undefined && (end === '' || Number(start) <= Number(end))
}

/** https://fetch.spec.whatwg.org/#cors-safelisted-request-header */
export function isCorsSafelistedRequestHeader (name: string, value: string): boolean {
  if (Buffer.byteLength(value) > 128) return false
  switch (name.toLowerCase()) {
    case 'accept': return !hasCorsUnsafeByte(value)
    case 'accept-language':
    case 'content-language': return isLanguageValue(value)
    case 'content-type': {
      const type = essence(value)
      return !hasCorsUnsafeByte(value) && type !== undefined && ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'].includes(type)
    }
    case 'range': return isSafelistedRange(value)
    default: return false
  }
}

/** https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names: in lower case and sorted, each once. */
export function corsUnsafeRequestHeaderNames (headers: HeaderList): string[] {
  const unsafe: string[] = []
  const potentiallyUnsafe: string[] = []
  let safelistValueSize = 0
  for (const [name, value] of headers) {
    if (!isCorsSafelistedRequestHeader(name, value)) {
      unsafe.push(name)
    } else {
      potentiallyUnsafe.push(name)
      safelistValueSize += Buffer.byteLength(value)
    }
  }
  if (safelistValueSize > 1024) unsafe.push(...potentiallyUnsafe)
  return [...new Set(unsafe.map((name) => name.toLowerCase()))].sort()
}

/** https://fetch.spec.whatwg.org/#extract-header-list-values, for the headers that are lists of tokens: null without the header, undefined for a failure. */
export function extractTokens (value: string | null): string[] | null | undefined {
  if (value === null) return null
  const elements = value.split(',').map((element) => element.replace(/^[\t ]+|[\t ]+$/g, '')).filter((element) => element !== '')
  return elements.every((element) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(element)) ? elements : undefined
}
