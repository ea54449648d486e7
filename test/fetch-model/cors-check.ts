// A model of the Fetch standard for the tests: the CORS check (https://fetch.spec.whatwg.org/#cors-check).
import { getHeader, type CredentialsMode, type WireResponse } from './messages'

/** Why a CORS check fails. */
export type CheckFailure = 'no Access-Control-Allow-Origin' | 'wildcard with credentials' | 'another origin' | 'credentials not allowed'

/** undefined is a success. `origin` is the request's, serialised (https://fetch.spec.whatwg.org/#byte-serializing-a-request-origin). */
export function corsCheck (origin: string, credentials: CredentialsMode, response: WireResponse): CheckFailure | undefined {
  const allowed = getHeader(response.headers, 'access-control-allow-origin')
  if (allowed === null) return 'no Access-Control-Allow-Origin'
  if (credentials !== 'include' && allowed === '*') return undefined
  if (origin !== allowed) return allowed === '*' ? 'wildcard with credentials' : 'another origin'
  if (credentials !== 'include') return undefined
  return getHeader(response.headers, 'access-control-allow-credentials') === 'true' ? undefined : 'credentials not allowed'
}
