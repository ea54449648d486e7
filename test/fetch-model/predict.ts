// A model of the Fetch standard for the tests: what a page that makes a request can read, and what reaches the servers. It follows main
// fetch (https://fetch.spec.whatwg.org/#concept-main-fetch), HTTP fetch (https://fetch.spec.whatwg.org/#concept-http-fetch) and
// HTTP-redirect fetch (https://fetch.spec.whatwg.org/#concept-http-redirect-fetch) as far as CORS goes.
import { cookiesSent, type Cookie } from './cookies'
import { corsCheck, type CheckFailure } from './cors-check'
import { corsUnsafeRequestHeaderNames, isCorsNonWildcardRequestHeaderName, isForbiddenRequestHeader, type HeaderList } from './headers'
import { HttpCache } from './http-cache'
import { basicHeaderNames, corsExposedHeaderNames, getHeader, originOf, type PageRequest, type Server, type WireRequest, type WireResponse } from './messages'
import { isCorsSafelistedMethod, isForbiddenMethod, normalizeMethod } from './methods'
import { PreflightCache } from './preflight-cache'
import { corsPreflightFetch, isRedirect, type PreflightFailure } from './preflight-fetch'

export type Failure = CheckFailure | PreflightFailure | 'forbidden method' | 'redirect with credentials' | 'too many redirects'

/** What a browser remembers between requests. */
export interface BrowserState {
  readonly preflights: PreflightCache
  readonly responses: HttpCache
  readonly cookies: readonly Cookie[]
}

export interface Prediction {
  /** `opaque`: the response is used, but the page cannot read it. */
  readonly result: 'readable' | 'opaque' | 'blocked'
  readonly failure?: Failure
  readonly status?: number
  readonly body?: string
  /** The names of the response headers that the page sees. */
  readonly headerNames?: readonly string[]
  /** Every request that a server got, preflights included. */
  readonly sent: readonly WireRequest[]
}

export function newBrowser (cookies: readonly Cookie[] = []): BrowserState {
  return { preflights: new PreflightCache(), responses: new HttpCache(), cookies }
}

export async function predict (server: Server, request: PageRequest, browser: BrowserState = newBrowser()): Promise<Prediction> {
  const sent: WireRequest[] = []
  const recorded: Server = async (each) => {
    sent.push(each)
    return await server(each)
  }
  return { ...await new Fetch(recorded, request, browser).run(), sent }
}

type Outcome = Omit<Prediction, 'sent'>

const blocked = (failure: Failure): Outcome => ({ result: 'blocked', failure })

class Fetch {
  readonly #server: Server
  readonly #page: PageRequest
  readonly #browser: BrowserState
  #method: string
  #headers: HeaderList
  #body: string | undefined
  #url: string
  /** https://fetch.spec.whatwg.org/#concept-request-response-tainting */
  #tainting: 'basic' | 'cors' | 'opaque' = 'basic'
  /** https://fetch.spec.whatwg.org/#concept-request-tainted-origin: the origin becomes `null`. */
  #redirectTainted = false

  constructor (server: Server, page: PageRequest, browser: BrowserState) {
    this.#server = server
    this.#page = page
    this.#browser = browser
    this.#method = normalizeMethod(page.method)
    // https://fetch.spec.whatwg.org/#headers-validate: forbidden request-headers are left out silently.
    this.#headers = page.headers.filter(([name, value]) => !isForbiddenRequestHeader(name, value))
    this.#body = page.body
    this.#url = page.url
  }

  async run (): Promise<Outcome> {
    // https://fetch.spec.whatwg.org/#dom-request: a TypeError.
    if (isForbiddenMethod(this.#method)) return blocked('forbidden method')
    for (let redirects = 0; redirects <= 20; redirects++) {
      const preflight = await this.#mainFetch()
      if (preflight !== undefined) return blocked(preflight)
      const response = await this.#network()
      // Step 4.7 of HTTP fetch: a CORS check also of the responses that redirect.
      const failure = this.#tainting === 'cors' ? corsCheck(this.#origin, this.#page.credentials, response) : undefined
      if (failure !== undefined) return blocked(failure)
      const location = getHeader(response.headers, 'location')
      if (!isRedirect(response.status) || location === null) return this.#filtered(response)
      const refused = this.#redirect(response.status, new URL(location, this.#url))
      if (refused !== undefined) return blocked(refused)
    }
    return blocked('too many redirects')
  }

  /** https://fetch.spec.whatwg.org/#serializing-a-request-origin */
  get #origin (): string {
    return this.#redirectTainted ? 'null' : this.#page.origin
  }

  /** Step 12 of main fetch: which of its branches it is, with the preflight that the last one makes. */
  async #mainFetch (): Promise<PreflightFailure | undefined> {
    if (this.#tainting === 'basic' && originOf(this.#url) === this.#page.origin) return undefined
    if (this.#page.mode === 'no-cors') {
      this.#tainting = 'opaque'
      return undefined
    }
    this.#tainting = 'cors'
    const unsafeNames = corsUnsafeRequestHeaderNames(this.#headers)
    const { useCorsPreflight, credentials } = this.#page
    // Every request of the API has its unsafe-request flag set; those of elements have neither methods nor headers of their own.
    if (!useCorsPreflight && isCorsSafelistedMethod(this.#method) && unsafeNames.length === 0) return undefined
    // Step 4.1 of HTTP fetch.
    const { preflights } = this.#browser
    const announced = { origin: this.#origin, url: this.#url, method: this.#method, headers: this.#headers, credentials, useCorsPreflight }
    const methodIsKnown = preflights.hasMethod(announced, this.#method) || (isCorsSafelistedMethod(this.#method) && !useCorsPreflight)
    if (methodIsKnown && unsafeNames.every((name) => preflights.hasHeaderName(announced, name))) return undefined
    const failure = await corsPreflightFetch(this.#server, announced, preflights)
    if (failure !== undefined) preflights.clear(announced) // the last branch of main fetch
    return failure
  }

  /** https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch */
  async #network (): Promise<WireResponse> {
    const { credentials, origin } = this.#page
    const cookies = cookiesSent(this.#browser.cookies, origin, this.#url, credentials, this.#tainting === 'basic')
    // https://fetch.spec.whatwg.org/#append-a-request-origin-header
    const hasOrigin = this.#tainting === 'cors' || !['GET', 'HEAD'].includes(this.#method)
    const request: WireRequest = {
      method: this.#method,
      url: this.#url,
      headers: [
        ...this.#headers,
        ...(hasOrigin ? [['origin', this.#origin] as const] : []),
        ...(cookies.length > 0 ? [['cookie', cookies.map((name) => `${name}=1`).join('; ')] as const] : [])
      ],
      body: this.#body
    }
    const stored = this.#browser.responses.lookUp(request)
    if (stored !== undefined) return stored
    const response = await this.#server(request)
    this.#browser.responses.store(request, response)
    return response
  }

  /** https://fetch.spec.whatwg.org/#concept-http-redirect-fetch */
  #redirect (status: number, location: URL): Failure | undefined {
    const hasUserInfo = location.username !== '' || location.password !== ''
    // Steps 8 and 9.
    if (this.#page.mode === 'cors' && hasUserInfo && (this.#page.origin !== location.origin || this.#tainting === 'cors')) return 'redirect with credentials'
    // Step 12.
    if ((status === 303 && !['GET', 'HEAD'].includes(this.#method)) || (status < 303 && this.#method === 'POST')) {
      this.#method = 'GET'
      this.#body = undefined
      const ofBody = ['content-encoding', 'content-language', 'content-location', 'content-type']
      this.#headers = this.#headers.filter(([name]) => !ofBody.includes(name.toLowerCase()))
    }
    if (originOf(this.#url) !== location.origin) {
      // Step 13.
      this.#headers = this.#headers.filter(([name]) => !isCorsNonWildcardRequestHeaderName(name))
      // https://fetch.spec.whatwg.org/#concept-request-tainted-origin
      if (originOf(this.#url) !== this.#page.origin) this.#redirectTainted = true
    }
    this.#url = location.href
    return undefined
  }

  /** Step 14 of main fetch. */
  #filtered (response: WireResponse): Outcome {
    if (this.#tainting === 'opaque') return { result: 'opaque' }
    const headerNames = this.#tainting === 'cors' ? corsExposedHeaderNames(response, this.#page.credentials) : basicHeaderNames(response)
    return { result: 'readable', status: response.status, body: this.#method === 'HEAD' ? '' : response.body, headerNames }
  }
}
