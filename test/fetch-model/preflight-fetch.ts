// A model of the Fetch standard for the tests: the CORS-preflight fetch (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
import { corsCheck, type CheckFailure } from './cors-check'
import { corsUnsafeRequestHeaderNames, extractTokens, isCorsNonWildcardRequestHeaderName, type HeaderList } from './headers'
import { getHeader, isOkStatus, type CredentialsMode, type Server } from './messages'
import { isCorsSafelistedMethod } from './methods'
import { extractMaxAge, type PreflightCache } from './preflight-cache'

/** Why a preflight fails. */
export type PreflightFailure = `preflight: ${CheckFailure}` | 'preflight: status' | 'preflight: redirect' | 'preflight: unreadable list' | 'method not allowed' | 'header not allowed'

/** The request that a preflight asks about. */
export interface AnnouncedRequest {
  readonly origin: string
  readonly url: string
  readonly method: string
  readonly headers: HeaderList
  readonly credentials: CredentialsMode
  readonly useCorsPreflight: boolean
}

/** undefined is a success. */
export async function corsPreflightFetch (server: Server, request: AnnouncedRequest, cache: PreflightCache): Promise<PreflightFailure | undefined> {
  const { origin, url, method, headers, credentials } = request
  const unsafeNames = corsUnsafeRequestHeaderNames(headers)
  // Steps 1 to 6. The preflight's own credentials mode stays "same-origin": it carries none.
  const response = await server({
    method: 'OPTIONS',
    url,
    headers: [
      ['accept', '*/*'],
      ['access-control-request-method', method],
      ...(unsafeNames.length > 0 ? [['access-control-request-headers', unsafeNames.join(',')] as const] : []),
      ['origin', origin]
    ]
  })
  // Step 7: a CORS check for the announced request, with its credentials mode, and an ok status.
  const failure = corsCheck(origin, credentials, response)
  if (isRedirect(response.status)) return 'preflight: redirect' // its redirect mode is "error"
  if (failure !== undefined) return `preflight: ${failure}`
  if (!isOkStatus(response.status)) return 'preflight: status'
  // Steps 7.1 to 7.3.
  const methods = extractTokens(getHeader(response.headers, 'access-control-allow-methods'))
  const headerNames = extractTokens(getHeader(response.headers, 'access-control-allow-headers'))
  if (methods === undefined || headerNames === undefined) return 'preflight: unreadable list'
  // Step 7.4.
  const allowedMethods = methods ?? (request.useCorsPreflight ? [method] : [])
  const allowedNames = headerNames ?? []
  const wildcards = credentials !== 'include'
  // Step 7.5.
  if (!allowedMethods.includes(method) && !isCorsSafelistedMethod(method) && !(wildcards && allowedMethods.includes('*'))) return 'method not allowed'
  // Steps 7.6 and 7.7.
  const names = (name: string): boolean => allowedNames.some((each) => each.toLowerCase() === name.toLowerCase())
  if (headers.some(([name]) => isCorsNonWildcardRequestHeaderName(name) && !names(name))) return 'header not allowed'
  if (unsafeNames.some((name) => !names(name) && !(wildcards && allowedNames.includes('*')))) return 'header not allowed'
  // Steps 7.8 to 7.15.
  cache.store(request, allowedMethods, allowedNames, extractMaxAge(getHeader(response.headers, 'access-control-max-age')))
  return undefined
}

/** https://fetch.spec.whatwg.org/#redirect-status */
export function isRedirect (status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}
