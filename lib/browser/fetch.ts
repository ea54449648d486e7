// The browser model: predicts which requests a browser sends for a request of a page, and what the page can read of the response. It follows main fetch
// (https://fetch.spec.whatwg.org/#concept-main-fetch), HTTP fetch (https://fetch.spec.whatwg.org/#concept-http-fetch) and CORS-preflight fetch.
import { isForbiddenMethod, normalizeMethod, SAFELISTED_METHODS } from '../http/methods'
import {
  allowedMethodsAndHeaders,
  corsCheck,
  isRedirect,
  preflightCheck,
  type CheckedRequest,
  type CheckFailure,
  type PreflightFailure
} from './checks'
import {
  exposedHeaderNames,
  getHeader,
  isForbiddenRequestHeader,
  readableHeaderNames,
  unsafeHeaderNames,
  type CredentialsMode,
  type HeaderList
} from './headers'
import { extractMaxAge, PreflightCache } from './preflight-cache'

/** Why a browser blocks a request. A closed set: a program may switch over it, and a new failure is a breaking change. */
export type Failure = CheckFailure | PreflightFailure | 'forbidden method'

/** A request that a page makes with `fetch()` or XMLHttpRequest. */
export interface PageRequest {
  /**
   * The origin of the page, as browsers serialise it: `'https://app.example.com'`, or `'null'` if it is opaque.
   *
   * @see https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin
   */
  readonly origin: string
  /** The absolute URL that is requested. */
  readonly url: string
  /**
   * The method, as the page wrote it.
   *
   * @defaultValue `'GET'`
   * @see https://fetch.spec.whatwg.org/#concept-method-normalize
   */
  readonly method?: string
  /**
   * The headers that the page sets. Forbidden request-headers are left out silently, as in a browser.
   *
   * @defaultValue none
   * @see https://fetch.spec.whatwg.org/#forbidden-request-header
   */
  readonly headers?: HeaderList
  /**
   * The credentials mode.
   *
   * @defaultValue `'same-origin'`
   * @see https://fetch.spec.whatwg.org/#concept-request-credentials-mode
   */
  readonly credentials?: CredentialsMode
  /**
   * Whether the request is always preflighted. XMLHttpRequest does so where its `upload` has an event listener.
   *
   * @defaultValue `false`
   * @see https://fetch.spec.whatwg.org/#use-cors-preflight-flag
   */
  readonly useCorsPreflight?: boolean
}

/** A request that is sent to the server: the preflight, or the request itself. */
export interface WireRequest {
  readonly method: string
  readonly url: string
  readonly headers: HeaderList
}

/** What the server answers. The model reads no bodies. */
export interface WireResponse {
  /** 100 to 599. */
  readonly status: number
  readonly headers: HeaderList
}

/** Answers the requests of the model: over the network, by `app.inject`, or from a table. A rejection ends the prediction with the same error. */
export type Server = (request: WireRequest) => Promise<WireResponse>

/** What the model knows besides the request. */
export interface BrowserOptions {
  /**
   * The preflights that the browser remembers. Pass the same cache again to ask about a browser that has made requests before.
   *
   * @defaultValue an empty cache
   */
  readonly preflights?: PreflightCache
  /**
   * Whether `*` in `Access-Control-Allow-Headers` allows `Authorization`. In the standard it does not. In Chromium, Firefox and WebKit it does, and the
   * standard may follow them (https://github.com/whatwg/fetch/issues/1919).
   *
   * @defaultValue `false`
   * @see https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
   */
  readonly wildcardCoversAuthorization?: boolean
}

/** One request, and the response to it. */
export interface WireExchange { readonly request: WireRequest, readonly response: WireResponse }

/** What a browser does with a request. */
export interface Prediction {
  /** `redirected`: the response is a redirect that passes the CORS check. A browser follows it; the model does not. */
  readonly result: 'readable' | 'blocked' | 'redirected'
  /** Why it is blocked. */
  readonly failure?: Failure
  /** The status of the response that the page can read. */
  readonly status?: number
  /** The names of the response headers that the page can read, in lower case and sorted. */
  readonly headerNames?: readonly string[]
  /** Where a redirect leads to: an absolute URL. */
  readonly location?: string
  /** The requests that were sent, the preflight included, with their responses, in order. */
  readonly exchanges: readonly WireExchange[]
}

/**
 * Predicts what a browser does with a request of a page: it asks the server for what the browser would send, and checks the responses as the browser does.
 *
 * @param server answers the requests
 * @param request what the page asks for
 * @param options what the browser remembers
 * @returns whether the page can read the response, and the exchanges
 * @throws TypeError (as a rejection) where `url` is not an absolute URL, and whatever the server throws
 * @example
 * const server: Server = async () => ({ status: 204, headers: [['access-control-allow-origin', '*']] })
 * const { failure } = await predict(server, { origin: 'https://app.example.com', url: 'https://api.example.com/items/7', method: 'PUT' })
 * console.log(failure) // 'method not allowed'
 * @see https://fetch.spec.whatwg.org/#concept-main-fetch
 */
export async function predict (server: Server, request: PageRequest, options: BrowserOptions = {}): Promise<Prediction> {
  const exchanges: WireExchange[] = []
  const recorded: Server = async (sent) => {
    const response = await server(sent)
    exchanges.push({ request: sent, response })
    return response
  }
  return { ...await judge(recorded, withDefaults(request), options), exchanges }
}

type Outcome = Omit<Prediction, 'exchanges'>

/** A request as it is sent: normalized, without what the page cannot set. */
type Fetched = CheckedRequest & { readonly url: string }

function withDefaults ({ origin, url, method = 'GET', headers = [], credentials = 'same-origin', useCorsPreflight = false }: PageRequest): Fetched {
  return {
    origin,
    url,
    method: normalizeMethod(method),
    // https://fetch.spec.whatwg.org/#headers-validate
    headers: headers.filter(([name, value]) => !isForbiddenRequestHeader(name, value)),
    credentials,
    useCorsPreflight
  }
}

async function judge (server: Server, request: Fetched, options: BrowserOptions): Promise<Outcome> {
  const { origin, url, method, headers, credentials } = request
  // https://fetch.spec.whatwg.org/#dom-request: a TypeError.
  if (isForbiddenMethod(method)) return { result: 'blocked', failure: 'forbidden method' }
  const isSameOrigin = new URL(url).origin === origin
  const preflightFailure = isSameOrigin ? undefined : await preflight(server, request, options)
  if (preflightFailure !== undefined) return { result: 'blocked', failure: preflightFailure }
  // https://fetch.spec.whatwg.org/#append-a-request-origin-header
  const hasOrigin = !isSameOrigin || (method !== 'GET' && method !== 'HEAD')
  const response = await server({ method, url, headers: hasOrigin ? [...headers, ['origin', origin]] : headers })
  // Step 4.7 of HTTP fetch: a CORS check also of the responses that redirect.
  const failure = isSameOrigin ? undefined : corsCheck(request, response.headers)
  if (failure !== undefined) return { result: 'blocked', failure }
  const location = getHeader(response.headers, 'location')
  if (isRedirect(response.status) && location !== null) return { result: 'redirected', status: response.status, location: new URL(location, url).href }
  // Step 14 of main fetch.
  const headerNames = isSameOrigin ? readableHeaderNames(response.headers) : exposedHeaderNames(response.headers, credentials)
  return { result: 'readable', status: response.status, headerNames }
}

/**
 * Sends a preflight, if the request needs one that is not remembered, and remembers what it allows. Returns why the preflight fails, if it does
 * (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
 */
async function preflight (
  server: Server, request: Fetched, { preflights = new PreflightCache(), wildcardCoversAuthorization = false }: BrowserOptions
): Promise<PreflightFailure | undefined> {
  const { method, headers, useCorsPreflight, url, origin } = request
  const unsafeNames = unsafeHeaderNames(headers)
  // Requests of fetch() have the unsafe-request flag set (step 12 of main fetch).
  const needsNoPermission = SAFELISTED_METHODS.has(method) && !useCorsPreflight
  // Step 4.1 of HTTP fetch.
  const isMethodKnown = needsNoPermission || preflights.hasMethod(request, method)
  if (isMethodKnown && unsafeNames.every((name) => preflights.hasHeaderName(request, name, wildcardCoversAuthorization))) return undefined
  // Steps 1 to 6. The credentials mode of a preflight is "same-origin": it sends no credentials.
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
  const failure = preflightCheck(request, response, wildcardCoversAuthorization)
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
