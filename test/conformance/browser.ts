// A whole browser for the tests: the model of lib/browser/ judges each request, and this follows redirects
// (https://fetch.spec.whatwg.org/#concept-http-redirect-fetch), sends cookies, keeps an HTTP cache, and makes no-cors requests.
import { isRedirect } from '../../lib/browser/checks'
import { predict, type Failure as ModelFailure, type PageRequest, type WireRequest, type WireResponse } from '../../lib/browser/fetch'
import { getHeader, isForbiddenRequestHeader, isNonWildcardName, type CredentialsMode, type HeaderList } from '../../lib/browser/headers'
import type { PreflightCache } from '../../lib/browser/preflight-cache'
import { isForbiddenMethod, normalizeMethod } from '../../lib/http/methods'

/** Why a browser blocks a request. */
export type Failure = ModelFailure | 'redirect with credentials' | 'too many redirects'

export interface BrowserRequest extends Required<PageRequest> {
  readonly mode: 'cors' | 'no-cors'
  readonly body?: string
}

export interface SentRequest extends WireRequest { readonly body?: string | undefined }

export interface ReceivedResponse extends WireResponse { readonly body: string }

export type BodyServer = (request: SentRequest) => Promise<ReceivedResponse>

/** What a browser keeps between requests. */
export interface BrowserState {
  readonly preflights: PreflightCache
  readonly responses?: {
    lookUp (request: WireRequest): ReceivedResponse | undefined
    store (request: WireRequest, response: ReceivedResponse): void
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
export interface BrowserOutcome {
  /** `opaque`: the browser uses the response, but the page cannot read it. */
  readonly result: 'readable' | 'opaque' | 'blocked'
  readonly failure?: Failure
  readonly status?: number
  readonly body?: string
  readonly headerNames?: readonly string[]
  /** What reached the server. */
  readonly exchanges: ReadonlyArray<{ readonly request: SentRequest, readonly response: ReceivedResponse }>
}

type Outcome = Omit<BrowserOutcome, 'exchanges'>

/** What a browser does with a request, through all its redirects. */
export async function browse (server: BodyServer, request: BrowserRequest, browser: BrowserState): Promise<BrowserOutcome> {
  const exchanges: Array<BrowserOutcome['exchanges'][number]> = []
  const recorded: BodyServer = async (request) => {
    const response = await server(request)
    exchanges.push({ request, response })
    return response
  }
  return { ...await new Browsing(recorded, request, browser).run(), exchanges }
}

const blocked = (failure: Failure): Outcome => ({ result: 'blocked', failure })

/** Step 12 of HTTP-redirect fetch: the headers that describe a body. */
const REQUEST_BODY_HEADERS: ReadonlySet<string> = new Set(['content-encoding', 'content-language', 'content-location', 'content-type'])

class Browsing {
  readonly #server: BodyServer
  readonly #page: BrowserRequest
  readonly #browser: BrowserState
  #method: string
  #headers: HeaderList
  #body: string | undefined
  #url: string
  /** https://fetch.spec.whatwg.org/#concept-request-response-tainting */
  #tainting: 'basic' | 'cors' | 'opaque' = 'basic'
  /** https://fetch.spec.whatwg.org/#concept-request-tainted-origin: the origin becomes `null`. */
  #redirectTainted = false
  #received: ReceivedResponse | undefined

  constructor (server: BodyServer, page: BrowserRequest, browser: BrowserState) {
    this.#server = server
    this.#page = page
    this.#browser = browser
    this.#method = normalizeMethod(page.method)
    this.#headers = page.headers
    this.#body = page.body
    this.#url = page.url
  }

  async run (): Promise<Outcome> {
    for (let redirects = 0; redirects <= 20; redirects++) {
      if (this.#tainting !== 'basic' || new URL(this.#url).origin !== this.#page.origin) this.#tainting = this.#page.mode === 'cors' ? 'cors' : 'opaque'
      const { result, failure, headerNames } = this.#tainting === 'opaque' ? await this.#fetchOpaque() : await this.#fetch()
      if (failure !== undefined) return blocked(failure)
      const { status, headers, body } = this.#received as ReceivedResponse
      const location = getHeader(headers, 'location')
      if (!isRedirect(status) || location === null) {
        return result === 'opaque' ? { result } : { result: 'readable', status, body: this.#method === 'HEAD' ? '' : body, ...(headerNames !== undefined && { headerNames }) }
      }
      const redirectFailure = this.#redirect(status, new URL(location, this.#url))
      if (redirectFailure !== undefined) return blocked(redirectFailure)
    }
    return blocked('too many redirects')
  }

  get #origin (): string {
    return this.#redirectTainted ? 'null' : this.#page.origin
  }

  async #fetch () {
    const { credentials, useCorsPreflight } = this.#page
    const { preflights } = this.#browser
    const request = { origin: this.#origin, url: this.#url, method: this.#method, headers: this.#headers, credentials, useCorsPreflight }
    return await predict(async (request) => await this.#network(request), request, { preflights })
  }

  async #fetchOpaque (): Promise<Outcome> {
    if (isForbiddenMethod(this.#method)) return blocked('forbidden method')
    const headers = this.#headers.filter(([name, value]) => !isForbiddenRequestHeader(name, value))
    const hasOrigin = this.#method !== 'GET' && this.#method !== 'HEAD'
    await this.#network({ method: this.#method, url: this.#url, headers: hasOrigin ? [...headers, ['origin', this.#origin]] : headers })
    return { result: 'opaque' }
  }

  /** The response, from the HTTP cache or from the server (https://fetch.spec.whatwg.org/#concept-http-network-or-cache-fetch). */
  async #network (request: WireRequest): Promise<ReceivedResponse> {
    const isPreflight = getHeader(request.headers, 'access-control-request-method') !== null
    this.#received = isPreflight ? await this.#server(request) : await this.#cachedOrSent(request)
    return this.#received
  }

  async #cachedOrSent ({ method, url, headers }: WireRequest): Promise<ReceivedResponse> {
    const { credentials, origin } = this.#page
    const cookie = this.#browser.cookie?.({ origin, url, credentials, isSameOrigin: this.#tainting === 'basic' })
    const request: SentRequest = { method, url, headers: cookie === undefined ? headers : [...headers, ['cookie', cookie]], body: this.#body }
    const { responses } = this.#browser
    const stored = responses?.lookUp(request)
    if (stored !== undefined) return stored
    const response = await this.#server(request)
    responses?.store(request, response)
    return response
  }

  /** Changes the request for a redirect. Returns why the browser does not follow it, if so. */
  #redirect (status: number, location: URL): Failure | undefined {
    const hasUserInfo = location.username !== '' || location.password !== ''
    // Steps 8 and 9.
    if (this.#page.mode === 'cors' && hasUserInfo && (this.#page.origin !== location.origin || this.#tainting === 'cors')) return 'redirect with credentials'
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
}
