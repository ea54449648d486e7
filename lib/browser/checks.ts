// The browser model: the checks that a browser makes of a response, in the order of the standard.
import { SAFELISTED_METHODS } from '../http/methods'
import { extractTokens, getHeader, isCoveredByWildcard, unsafeHeaderNames, type CredentialsMode, type HeaderList } from './headers'

/** Why the CORS check of a response fails. */
export type CheckFailure = 'no Access-Control-Allow-Origin' | 'wildcard with credentials' | 'another origin' | 'credentials not allowed'

/** Why a preflight fails. */
export type PreflightFailure =
  | `preflight: ${CheckFailure}`
  | 'preflight: status'
  | 'preflight: redirect'
  | 'preflight: unreadable list'
  | 'method not allowed'
  | 'header not allowed'

/** The parts of a request that the checks of its responses need. */
export interface CheckedRequest {
  /** The origin of the page, serialised; `null` if it is opaque. */
  readonly origin: string
  readonly method: string
  readonly headers: HeaderList
  readonly credentials: CredentialsMode
  /** https://fetch.spec.whatwg.org/#use-cors-preflight-flag: XMLHttpRequest with a listener on its upload. */
  readonly useCorsPreflight: boolean
}

interface Response { readonly status: number, readonly headers: HeaderList }

/**
 * The CORS check of a response.
 *
 * @param request the page's origin and the credentials mode of its request
 * @param headers the headers of the response
 * @returns why the check fails, or undefined if it passes
 * @example
 * corsCheck({ origin: 'https://app.example.com', credentials: 'include' }, [['access-control-allow-origin', '*']]) // 'wildcard with credentials'
 * @see https://fetch.spec.whatwg.org/#concept-cors-check
 */
export function corsCheck (
  { origin, credentials }: Pick<CheckedRequest, 'origin' | 'credentials'>, headers: HeaderList
): CheckFailure | undefined {
  const allowed = getHeader(headers, 'access-control-allow-origin')
  if (allowed === null) return 'no Access-Control-Allow-Origin'
  if (credentials !== 'include' && allowed === '*') return undefined
  if (allowed !== origin) return allowed === '*' ? 'wildcard with credentials' : 'another origin'
  return credentials === 'include' && getHeader(headers, 'access-control-allow-credentials') !== 'true' ? 'credentials not allowed' : undefined
}

/**
 * The check of a preflight's response.
 *
 * @param request the request that the preflight announces
 * @param response the response to the preflight
 * @param wildcardCoversAuthorization see `BrowserOptions`
 * @returns why the check fails, or undefined if it passes
 * @example
 * const request = { origin: 'https://app.example.com', method: 'PUT', headers: [], credentials: 'omit', useCorsPreflight: false } as const
 * preflightCheck(request, { status: 204, headers: [['access-control-allow-origin', '*']] }) // 'method not allowed'
 * @see https://fetch.spec.whatwg.org/#cors-preflight-fetch
 */
export function preflightCheck (
  request: CheckedRequest, { status, headers }: Response, wildcardCoversAuthorization = false
): PreflightFailure | undefined {
  const { method, credentials } = request
  // The redirect mode of a preflight is "error".
  if (isRedirect(status)) return 'preflight: redirect'
  // Step 7.
  const failure = corsCheck(request, headers)
  if (failure !== undefined) return `preflight: ${failure}`
  if (status < 200 || status > 299) return 'preflight: status'
  // Steps 7.1 to 7.3.
  if ([ALLOW_METHODS, ALLOW_HEADERS].some((name) => tokensOf(headers, name) === undefined)) return 'preflight: unreadable list'
  const { methods } = allowedMethodsAndHeaders(request, headers)
  // Step 7.5.
  if (!SAFELISTED_METHODS.has(method) && !methods.includes(method) && !(credentials !== 'include' && methods.includes('*'))) return 'method not allowed'
  return refusedHeaderNames(request, headers, wildcardCoversAuthorization).length === 0 ? undefined : 'header not allowed'
}

/** The names of the request's headers that a preflight response does not allow, in lower case and sorted (steps 7.6 and 7.7). */
export function refusedHeaderNames (
  request: Pick<CheckedRequest, 'headers' | 'credentials'>, headers: HeaderList, wildcardCoversAuthorization = false
): string[] {
  const allowed = (tokensOf(headers, ALLOW_HEADERS) ?? []).map((name) => name.toLowerCase())
  const hasWildcard = request.credentials !== 'include' && allowed.includes('*')
  return unsafeHeaderNames(request.headers)
    .filter((name) => !allowed.includes(name) && !(hasWildcard && isCoveredByWildcard(name, wildcardCoversAuthorization)))
}

const ALLOW_METHODS = 'access-control-allow-methods'
const ALLOW_HEADERS = 'access-control-allow-headers'

/** What a preflight response allows, and a browser caches. A list that is invalid allows nothing (steps 7.2 to 7.4). */
export function allowedMethodsAndHeaders (
  { method, useCorsPreflight }: CheckedRequest, headers: HeaderList
): { readonly methods: readonly string[], readonly names: readonly string[] } {
  return { methods: tokensOf(headers, ALLOW_METHODS) ?? (useCorsPreflight ? [method] : []), names: tokensOf(headers, ALLOW_HEADERS) ?? [] }
}

/** https://fetch.spec.whatwg.org/#redirect-status */
export function isRedirect (status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

function tokensOf (headers: HeaderList, name: string): string[] | null | undefined {
  return extractTokens(getHeader(headers, name))
}
