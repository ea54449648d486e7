// A model for the tests of as much of an HTTP cache as CORS meets (https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches): one
// stored response for each URL, which is used again if it is fresh and the request headers that its Vary names are the same.
import type { WireRequest } from '../../lib/browser/fetch'
import { getHeader, type HeaderList } from '../../lib/browser/headers'
import type { ReceivedResponse } from './browser'

interface Stored { readonly request: HeaderList, readonly response: ReceivedResponse }

export class HttpCache {
  readonly #stored = new Map<string, Stored>()

  /** RFC 9111, section 4.1. */
  lookUp ({ method, url, headers }: WireRequest): ReceivedResponse | undefined {
    const stored = this.#stored.get(url)
    if (method !== 'GET' || stored === undefined) return undefined
    const names = (getHeader(stored.response.headers, 'vary') ?? '').split(',').map((name) => name.trim().toLowerCase()).filter((name) => name !== '')
    return !names.includes('*') && names.every((name) => getHeader(headers, name) === getHeader(stored.request, name)) ? stored.response : undefined
  }

  /** Only what says that it stays fresh (RFC 9111, section 3). */
  store ({ method, url, headers }: WireRequest, response: ReceivedResponse): void {
    if (method !== 'GET' || response.status !== 200 || !/(^|[, ])max-age=[1-9]/.test(getHeader(response.headers, 'cache-control') ?? '')) return
    this.#stored.set(url, { request: headers, response })
  }
}
