// The browser model: the cache of preflight results (https://fetch.spec.whatwg.org/#concept-cache).
import { isCoveredByWildcard, type CredentialsMode } from './headers'

/** Identifies the entries of a request. There is no network partition key, as a cache serves one page. */
export interface CacheKey {
  readonly origin: string
  readonly url: string
  readonly credentials: CredentialsMode
}

/** An entry for a method or for a header name (https://fetch.spec.whatwg.org/#cache-entry). */
interface Entry {
  readonly origin: string
  readonly url: string
  readonly credentials: boolean
  readonly method?: string
  readonly headerName?: string
  expires: number
}

/**
 * The preflights that a browser remembers. Times are in seconds.
 *
 * @example
 * const preflights = new PreflightCache()
 * await predict(server, request, { preflights })
 * preflights.now = 600
 * const { exchanges } = await predict(server, request, { preflights }) // what the browser sends ten minutes later
 * @see https://fetch.spec.whatwg.org/#concept-cache
 */
export class PreflightCache {
  #entries: Entry[] = []
  /** The clock, in seconds. The caller sets it. */
  now = 0
  readonly #limit: number

  /** @param limit the browser's limit on max-age, in seconds. The standard leaves it to the browser; the default is Chromium's, two hours */
  constructor (limit = 7200) {
    this.#limit = limit
  }

  /** https://fetch.spec.whatwg.org/#concept-cache-match */
  #matching (key: CacheKey): Entry[] {
    return this.#entries.filter(({ origin, url, credentials, expires }) =>
      expires > this.now && origin === key.origin && url === key.url && (credentials || key.credentials !== 'include'))
  }

  /** https://fetch.spec.whatwg.org/#concept-cache-match-method */
  hasMethod (key: CacheKey, method: string): boolean {
    return this.#matching(key).some((entry) => matchesMethod(entry, method))
  }

  /** https://fetch.spec.whatwg.org/#concept-cache-match-header */
  hasHeaderName (key: CacheKey, name: string, wildcardCoversAuthorization = false): boolean {
    return this.#matching(key).some((entry) => matchesHeaderName(entry, name, wildcardCoversAuthorization))
  }

  /** Steps 7.11 to 7.15 of https://fetch.spec.whatwg.org/#cors-preflight-fetch: entries that match get the new max-age, the others are created. */
  store (key: CacheKey, methods: readonly string[], headerNames: readonly string[], maxAge: number): void {
    const expires = this.now + Math.min(maxAge, this.#limit)
    const { origin, url } = key
    const credentials = key.credentials === 'include'
    for (const method of methods) {
      this.#storeEntry({ origin, url, credentials, method, expires }, this.#matching(key).filter((entry) => matchesMethod(entry, method)))
    }
    for (const headerName of headerNames) {
      this.#storeEntry({ origin, url, credentials, headerName, expires }, this.#matching(key).filter((entry) => matchesHeaderName(entry, headerName, false)))
    }
  }

  #storeEntry (created: Entry, matching: readonly Entry[]): void {
    if (matching.length === 0) this.#entries.push(created)
    for (const entry of matching) entry.expires = created.expires
  }

  /** https://fetch.spec.whatwg.org/#concept-cache-clear */
  clear ({ origin, url }: CacheKey): void {
    this.#entries = this.#entries.filter((entry) => entry.origin !== origin || entry.url !== url)
  }
}

function matchesMethod (entry: Entry, method: string): boolean {
  return entry.method === method || entry.method === '*'
}

function matchesHeaderName ({ headerName }: Entry, name: string, wildcardCoversAuthorization: boolean): boolean {
  return headerName?.toLowerCase() === name.toLowerCase() || (headerName === '*' && isCoveredByWildcard(name, wildcardCoversAuthorization))
}

/**
 * The max-age of a preflight response in seconds: 5 if the header is missing or not a number (https://fetch.spec.whatwg.org/#cors-preflight-fetch, steps
 * 7.8 and 7.9).
 */
export function extractMaxAge (value: string | null): number {
  return value !== null && /^[0-9]+$/.test(value) ? Number(value) : 5
}
