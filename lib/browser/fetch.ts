// The browser model: predicts what a page can read of the response to its request, and which requests reach the servers. It follows main fetch
// (https://fetch.spec.whatwg.org/#concept-main-fetch), HTTP fetch (https://fetch.spec.whatwg.org/#concept-http-fetch), CORS-preflight fetch
// and HTTP-redirect fetch, in so far as they concern CORS. lib/explain/ calls it. test/browser/ compares it with real browsers.
import {
  allowedMethodsAndHeaders,
  corsCheck,
  isRedirect,
  preflightCheck,
  type CheckFailure,
  type CheckedRequest,
  type PreflightFailure
} from './checks'
import {
  exposedHeaderNames,
  getHeader,
  isForbiddenRequestHeader,
  isNonWildcardName,
  readableHeaderNames,
  unsafeHeaderNames,
  type CredentialsMode,
  type HeaderList
} from './headers'
import { isForbiddenMethod, SAFELISTED_METHODS, normalizeMethod } from '../http/methods'
import { extractMaxAge, PreflightCache } from './preflight-cache'

/** Why a browser blocks a request. */
export type Failure = CheckFailure | PreflightFailure | 'forbidden method' | 'redirect with credentials' | 'too many redirects'

/** The request of a page. */
export interface PageRequest {
  /** The origin of the page, serialised: `null` if it is opaque. */
  readonly origin: string
  readonly url: string
  /** As the page wrote it: not normalized. */
  readonly method: string
  readonly headers: HeaderList
  readonly credentials: CredentialsMode
  readonly mode: 'cors' | 'no-cors'
  /** https://fetch.spec.whatwg.org/#use-cors-preflight-flag: XMLHttpRequest with a listener on its upload. */
  readonly useCorsPreflight: boolean
  readonly body?: string
}

/** A request that is sent over the network. */
export interface WireRequest {
  readonly method: string
  readonly url: string
  readonly headers: HeaderList
  readonly body?: string | undefined
}

/** A response that is received over the network. */
export interface WireResponse {
  readonly status: number
  readonly headers: HeaderList
  readonly body: string
}

/** Answers requests in place of the network. */
export type Server = (request: WireRequest) => Promise<WireResponse>

/** What a browser keeps between requests. Cookies and the HTTP cache are not part of CORS, so the caller brings its own. */
export interface BrowserState {
  readonly preflights: PreflightCache
  /** The HTTP cache. */
  readonly responses?: {
    lookUp (request: WireRequest): WireResponse | undefined
    store (request: WireRequest, response: WireResponse): void
  }
  /** The value of the Cookie header of a request; undefined for none. */
  cookie? (request: {
    readonly origin: string
    readonly url: string
    readonly credentials: CredentialsMode
    /** Whether the request stays within the page's origin. */
    readonly isSameOrigin: boolean
  }): string | undefined
}

/** What happens to a request. */
export interface Prediction {
  /** `opaque`: the browser uses the response, but the page cannot read it. */
  readonly result: 'readable' | 'opaque' | 'blocked'
  readonly failure?: Failure
  readonly status?: number
  readonly body?: string
  /** The names of the response headers that the page can read. */
  readonly headerNames?: readonly string[]
  /** The requests that were sent, preflights included, with their responses. */
  readonly exchanges: ReadonlyArray<{ readonly request: WireRequest, readonly response: WireResponse }>
}

/** Predicts what a browser does with a request. Without `browser`, its caches are empty. */
export async function predict (
  server: Server, request: PageRequest, browser: BrowserState = { preflights: new PreflightCache() }
): Promise<Prediction> {
  const exchanges: Array<Prediction['exchanges'][number]> = []
  const recorded: Server = async (request) => {
    const response = await server(request)
    exchanges.push({ request, response })
    return response
  }
  return { ...await new Fetch(recorded, request, browser).run(), exchanges }
}

type Outcome = Omit<Prediction, 'exchanges'>

const blocked = (failure: Failure): Outcome => ({ result: 'blocked', failure })

/** Step 12 of HTTP-redirect fetch: the headers that describe a body. */
const REQUEST_BODY_HEADERS: ReadonlySet<string> = new Set(['content-encoding', 'content-language', 'content-location', 'content-type'])

/** One request of a page, through all its redirects. */
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
      const preflightFailure = await this.#setTaintingAndPreflight()
      if (preflightFailure !== undefined) return blocked(preflightFailure)
      const response = await this.#network()
      // Step 4.7 of HTTP fetch: a CORS check also of the responses that redirect.
      const failure = this.#tainting === 'cors' ? corsCheck(this.#currentRequest, response.headers) : undefined
      if (failure !== undefined) return blocked(failure)
      const location = getHeader(response.headers, 'location')
      if (!isRedirect(response.status) || location === null) return this.#filtered(response)
      const redirectFailure = this.#redirect(response.status, new URL(location, this.#url))
      if (redirectFailure !== undefined) return blocked(redirectFailure)
    }
    return blocked('too many redirects')
  }

  /** The request as it is now. */
  get #currentRequest (): CheckedRequest & { readonly url: string } {
    const { credentials, useCorsPreflight } = this.#page
    return { origin: this.#origin, url: this.#url, method: this.#method, headers: this.#headers, credentials, useCorsPreflight }
  }

  /** https://fetch.spec.whatwg.org/#serializing-a-request-origin */
  get #origin (): string {
    return this.#redirectTainted ? 'null' : this.#page.origin
  }

  /**
   * Step 12 of main fetch: sets the response tainting, and sends a preflight if the request needs one that is not cached. Returns the failure of the
   * preflight, if it fails.
   */
  async #setTaintingAndPreflight (): Promise<PreflightFailure | undefined> {
    if (this.#tainting === 'basic' && new URL(this.#url).origin === this.#page.origin) return undefined
    if (this.#page.mode === 'no-cors') {
      this.#tainting = 'opaque'
      return undefined
    }
    this.#tainting = 'cors'
    const unsafeNames = unsafeHeaderNames(this.#headers)
    const needsNoPermission = SAFELISTED_METHODS.has(this.#method) && !this.#page.useCorsPreflight
    // Requests of fetch() have the unsafe-request flag set; requests of elements have a safelisted method and no headers.
    if (needsNoPermission && unsafeNames.length === 0) return undefined
    // Step 4.1 of HTTP fetch.
    const { preflights } = this.#browser
    const request = this.#currentRequest
    const isMethodKnown = needsNoPermission || preflights.hasMethod(request, this.#method)
    if (isMethodKnown && unsafeNames.every((name) => preflights.hasHeaderName(request, name))) return undefined
    return await this.#preflight(request, unsafeNames)
  }

  /** Sends a preflight and caches what it allows (https://fetch.spec.whatwg.org/#cors-preflight-fetch). Returns its failure, if it fails. */
  async #preflight (request: CheckedRequest & { readonly url: string }, unsafeNames: readonly string[]): Promise<PreflightFailure | undefined> {
    // Steps 1 to 6. The credentials mode of a preflight is "same-origin": it sends no credentials.
    const response = await this.#server({
      method: 'OPTIONS',
      url: request.url,
      headers: [
        ['accept', '*/*'],
        ['access-control-request-method', request.method],
        ...(unsafeNames.length > 0 ? [['access-control-request-headers', unsafeNames.join(',')] as const] : []),
        ['origin', request.origin]
      ]
    })
    const { preflights } = this.#browser
    const failure = preflightCheck(request, response)
    if (failure !== undefined) {
      // The last branch of step 12 of main fetch.
      preflights.clear(request)
      return failure
    }
    // Steps 7.8 to 7.15.
    const { methods, names } = allowedMethodsAndHeaders(request, response.headers)
    preflights.store(request, methods, names, extractMaxAge(getHeader(response.headers, 'access-control-max-age')))
    return undefined
  }

  /** The response, from the HTTP cache or from the server (https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch). */
  async #network (): Promise<WireResponse> {
    const { credentials, origin } = this.#page
    const cookie = this.#browser.cookie?.({ origin, url: this.#url, credentials, isSameOrigin: this.#tainting === 'basic' })
    // https://fetch.spec.whatwg.org/#append-a-request-origin-header
    const hasOrigin = this.#tainting === 'cors' || (this.#method !== 'GET' && this.#method !== 'HEAD')
    const request: WireRequest = {
      method: this.#method,
      url: this.#url,
      headers: [
        ...this.#headers,
        ...(hasOrigin ? [['origin', this.#origin] as const] : []),
        ...(cookie !== undefined ? [['cookie', cookie] as const] : [])
      ],
      body: this.#body
    }
    const { responses } = this.#browser
    const stored = responses?.lookUp(request)
    if (stored !== undefined) return stored
    const response = await this.#server(request)
    responses?.store(request, response)
    return response
  }

  /** Changes the request for a redirect (https://fetch.spec.whatwg.org/#concept-http-redirect-fetch). Returns why the browser does not follow it, if so. */
  #redirect (status: number, location: URL): Failure | undefined {
    const hasUserInfo = location.username !== '' || location.password !== ''
    // Steps 8 and 9.
    if (this.#page.mode === 'cors' && hasUserInfo && (this.#page.origin !== location.origin || this.#tainting === 'cors')) {
      return 'redirect with credentials'
    }
    // Step 12.
    if ((status === 303 && this.#method !== 'GET' && this.#method !== 'HEAD') || (status < 303 && this.#method === 'POST')) {
      this.#method = 'GET'
      this.#body = undefined
      this.#headers = this.#headers.filter(([name]) => !REQUEST_BODY_HEADERS.has(name.toLowerCase()))
    }
    const { origin } = new URL(this.#url)
    if (origin !== location.origin) {
      // Step 13.
      this.#headers = this.#headers.filter(([name]) => !isNonWildcardName(name))
      // https://fetch.spec.whatwg.org/#concept-request-tainted-origin
      if (origin !== this.#page.origin) this.#redirectTainted = true
    }
    this.#url = location.href
    return undefined
  }

  /** What the page can read of a response: step 14 of main fetch. */
  #filtered ({ status, headers, body }: WireResponse): Outcome {
    if (this.#tainting === 'opaque') return { result: 'opaque' }
    const headerNames = this.#tainting === 'cors' ? exposedHeaderNames(headers, this.#page.credentials) : readableHeaderNames(headers)
    return { result: 'readable', status, body: this.#method === 'HEAD' ? '' : body, headerNames }
  }
}
