// A model of the Fetch standard for the tests: the requests and responses that it works on, and origins.
import { isCorsSafelistedResponseHeaderName, isForbiddenResponseHeaderName, extractTokens, type HeaderList } from './headers'

/** https://fetch.spec.whatwg.org/#concept-request-credentials-mode */
export type CredentialsMode = 'omit' | 'same-origin' | 'include'

/** What a page asks for. */
export interface PageRequest {
  /** The origin of the page, serialised: `null` if it is opaque. */
  readonly origin: string
  readonly url: string
  /** As the page wrote it. */
  readonly method: string
  readonly headers: HeaderList
  readonly credentials: CredentialsMode
  readonly mode: 'cors' | 'no-cors'
  /** https://fetch.spec.whatwg.org/#use-cors-preflight-flag: XMLHttpRequest with a listener on its upload. */
  readonly useCorsPreflight: boolean
  readonly body?: string
}

/** What goes over the network. */
export interface WireRequest {
  readonly method: string
  readonly url: string
  readonly headers: HeaderList
  readonly body?: string | undefined
}

export interface WireResponse {
  readonly status: number
  readonly headers: HeaderList
  readonly body: string
}

export type Server = (request: WireRequest) => Promise<WireResponse>

/** https://fetch.spec.whatwg.org/#concept-header-list-get: the values of a repeated header are one list. */
export function getHeader (headers: HeaderList, name: string): string | null {
  const values = headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)
  return values.length === 0 ? null : values.join(', ')
}

/** https://fetch.spec.whatwg.org/#ok-status */
export function isOkStatus (status: number): boolean {
  return status >= 200 && status <= 299
}

/** https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin of an URL. */
export function originOf (url: string): string {
  return new URL(url).origin
}

/** The names of the headers that the page sees in a CORS filtered response (https://fetch.spec.whatwg.org/#concept-filtered-response-cors). */
export function corsExposedHeaderNames ({ headers }: WireResponse, credentials: CredentialsMode): string[] {
  // https://fetch.spec.whatwg.org/#concept-main-fetch: how the CORS-exposed header-name list is set.
  const names = extractTokens(getHeader(headers, 'access-control-expose-headers')) ?? []
  const all = [...new Set(headers.map(([name]) => name.toLowerCase()))].sort()
  if (credentials !== 'include' && names.includes('*')) return all.filter((name) => !isForbiddenResponseHeaderName(name))
  return all.filter((name) => isCorsSafelistedResponseHeaderName(name, names))
}

/** The names of the headers that the page sees in a basic filtered response (https://fetch.spec.whatwg.org/#concept-filtered-response-basic). */
export function basicHeaderNames ({ headers }: WireResponse): string[] {
  return [...new Set(headers.map(([name]) => name.toLowerCase()))].filter((name) => !isForbiddenResponseHeaderName(name)).sort()
}
