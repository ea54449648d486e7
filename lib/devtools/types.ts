// The types of app.cors: questions and answers. Answers are plain JSON, so the command line, the inspector and tests can show and compare them.
import type { FastifyRequest } from 'fastify'
import type { FastifyError } from '@fastify/error'
import type { CorsProblem } from '../messages/errors'
import type { CorsRefusalReason } from '../response/refusal'

/**
 * A request that a page makes. `app.cors.explain` answers whether browsers allow it.
 *
 * @example
 * const question: CorsQuestion = { origin: 'https://app.example.com', method: 'PUT', url: '/items/7', headers: { 'x-request-id': '1' } }
 */
export interface CorsQuestion {
  /**
   * The origin of the page, as browsers serialise it (`'https://app.example.com'`), or `'null'`.
   *
   * @see https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin
   */
  readonly origin: string
  /**
   * The method, as the page passes it to `fetch()`: at most 64 characters. `fetch()` changes only DELETE, GET, HEAD, OPTIONS, POST and PUT to upper case.
   *
   * @defaultValue `'GET'`
   * @see https://fetch.spec.whatwg.org/#concept-method-normalize
   */
  readonly method?: string
  /** The path (`'/items/7'`), or an absolute URL where the host of the API matters: `'https://api.example.com/items/7'`. A path is always cross-origin. */
  readonly url: string
  /**
   * The headers that the page sets, by name. An array sets a header several times. Forbidden request-headers are ignored, as in a browser.
   *
   * @defaultValue none
   * @see https://fetch.spec.whatwg.org/#forbidden-request-header
   */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /**
   * Whether the page sends credentials: `credentials: 'include'` in `fetch()`, `withCredentials` in XMLHttpRequest.
   *
   * @defaultValue `false`
   */
  readonly credentials?: boolean
  /**
   * Whether the request is always preflighted. XMLHttpRequest does so where its `upload` has an event listener.
   *
   * @defaultValue `false`
   * @see https://fetch.spec.whatwg.org/#use-cors-preflight-flag
   */
  readonly useCorsPreflight?: boolean
  /**
   * The response headers that the page reads, besides those that every page can read.
   *
   * @defaultValue none
   * @see https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
   */
  readonly reads?: readonly string[]
}

/**
 * Why a browser blocks a request, or hides a part of the response. Besides the reasons for which the plugin refuses, these:
 *
 * | reason | what happens |
 * |---|---|
 * | `header-not-exposed` | the page may read the response, but not a header that it wants |
 * | `duplicate-header` | a deployed server sends `Access-Control-Allow-Origin` or `-Credentials` twice: mostly a proxy and the application |
 * | `preflight-redirected` | a deployed server answers the preflight with a redirect |
 * | `preflight-refused` | a deployed server answers the preflight with an error, before anything that knows CORS |
 * | `error-without-headers` | a deployed server answers the request with an error or a redirect that has no CORS headers |
 *
 * @example
 * const { reason } = await app.cors.explain({ origin: 'https://app.example.com', url: '/items/7', reads: ['ETag'] })
 * console.log(reason) // 'header-not-exposed'
 */
export type CorsExplanationReason =
  | CorsRefusalReason | 'header-not-exposed' | 'duplicate-header' | 'preflight-redirected' | 'preflight-refused' | 'error-without-headers'

/** The route that a request matches, and its policy. */
export interface CorsExplainedRoute {
  readonly method: string
  readonly url: string
  /** The name of the policy that the route has or extends. Null where its policy has no name, or where it has no policy. */
  readonly policy: string | null
}

/** One request, and the response to it. Header names are in lower case. */
export interface CorsExchange {
  readonly request: { readonly method: string, readonly url: string, readonly headers: Readonly<Record<string, string>> }
  /** `statusCode` is null for the request itself: it is never sent, and `headers` are those that its policy sets. */
  readonly response: { readonly statusCode: number | null, readonly headers: Readonly<Record<string, string>> }
}

/** The answer to a {@link CorsQuestion}. */
export interface CorsExplanation {
  /** Whether the page can read the response. */
  readonly allowed: boolean
  /** Why the browser blocks the request. Null if it is allowed. */
  readonly reason: CorsExplanationReason | null
  /** What happens, in one sentence that names the route and its policy. */
  readonly message: string
  /** What to write, and where. Null if the request is allowed. */
  readonly advice: string | null
  /** The route that the request matches. Null if there is none, or if it cannot be known which. */
  readonly route: CorsExplainedRoute | null
  /** What no server can decide, where it applies: SameSite of cookies, Local Network Access, `sendBeacon`, redirects. Often empty. */
  readonly notes: readonly string[]
  /** What the browser sends and receives, in order: the preflight, if there is one; then the request, if the preflight allows it. */
  readonly exchanges: readonly CorsExchange[]
}

/** One method of a route. */
export interface CorsRoute {
  readonly method: string
  readonly url: string
  /** The route's host constraint: a host, or a RegExp as text. */
  readonly host?: string
  /** The names of the route's other constraints, which a preflight does not carry. */
  readonly constraints?: readonly string[]
  /** The name of the policy that the route has or extends. Null where its policy has no name, or where it has no policy. */
  readonly policy: string | null
  /**
   * Where the policy comes from, or why there is none.
   *
   * | value | meaning |
   * |---|---|
   * | `'policy'` | the route's `config.cors` is a policy |
   * | `'default'` | the route declares nothing, and has the `defaultPolicy` of its scope |
   * | `'off'` | the route declares `cors: false` |
   * | `'none'` | the route declares nothing, and its scope has no default policy |
   * | `'uncovered'` | the plugin is registered neither on the route's instance nor on a parent of it |
   */
  readonly declaration: 'policy' | 'default' | 'off' | 'none' | 'uncovered'
  /** The allowed origins: `'*'`, or an array of origins, patterns, RegExps as text, and `'function'` for an origin function. Empty without a policy. */
  readonly origin: '*' | readonly string[]
  /** Whether allowed origins may send credentials, or the list of those that may. The entries of an `originList` are those of the moment of the call. */
  readonly credentials: boolean | readonly string[]
  /** The request headers that a preflight accepts, derived ones included. */
  readonly allowedHeaders: readonly string[]
  /** The response headers that a page may read besides the safelisted ones, derived ones included. */
  readonly exposedHeaders: readonly string[]
  /** `Access-Control-Max-Age` in seconds, 0 to 86400. Null where the policy has no `maxAge`: browsers then use 5 seconds. */
  readonly maxAge: number | null
  /** Whether requests from refused origins are answered 403 before the handler runs, or only reported: by the policy, else by the registration. */
  readonly enforceOrigin: boolean | 'report'
}

/**
 * Thrown by `app.cors.explain` for a malformed question, and by `app.cors.allows` for an unknown policy name. `code` is
 * `'FST_ERR_CORS_INVALID_QUESTION'`. The pointers of `problems` are JSON pointers into the question.
 *
 * @example
 * try {
 *   await app.cors.explain({ origin: 'app.example.com', url: '/items/7' })
 * } catch (error) {
 *   for (const problem of (error as CorsQuestionError).problems) console.error(problem.pointer, problem.message)
 * }
 */
export interface CorsQuestionError extends FastifyError {
  readonly code: 'FST_ERR_CORS_INVALID_QUESTION'
  /** All problems of the question. Never empty. */
  readonly problems: readonly CorsProblem[]
}

/**
 * `app.cors`: answers questions about the policies of an application. Every instance has it once the plugin is registered anywhere in the application; in a
 * child scope, it knows the policy names of that scope.
 */
export interface CorsDecoration<Name extends string = string> {
  /**
   * Whether a browser lets a page make a request and read the response; if not, why, and what to write. The preflight is injected into the
   * application, as with `app.inject`. The request itself is never sent, and no handler of its route runs. A model of the Fetch standard judges the exchange.
   *
   * It calls `app.ready()` first, so do not await it while a plugin of the application is loading.
   *
   * @param question the request that the page makes
   * @returns whether it is allowed, why not, and the exchange
   * @throws CorsQuestionError (as a rejection) where the question is malformed
   * @example
   * const { allowed, message, advice } = await app.cors.explain({ origin: 'https://app.example.com', method: 'PUT', url: '/items/7' })
   * @see https://fetch.spec.whatwg.org/#http-cors-protocol
   */
  explain (question: CorsQuestion): Promise<CorsExplanation>
  /**
   * The routes of the application, those without a policy included. One entry for each method, as plain JSON, sorted by URL and method, so that it can be
   * printed or kept as a snapshot. Complete once the application is ready.
   *
   * @example console.table(app.cors.routes())
   */
  routes (): CorsRoute[]
  /**
   * Whether a named policy of this scope allows a request's `Origin`. A promise where the policy's origin function returns one. Without an
   * `Origin`, only `origin: '*'` allows the request.
   *
   * @param name the name of the policy
   * @param request the request to check
   * @throws CorsQuestionError where this scope has no policy of that name
   * @example
   * app.addHook('onRequest', async (request, reply) => {
   *   if (!await app.cors.allows('partner', request)) return reply.code(403).send()
   * })
   */
  allows (name: Name, request: FastifyRequest): boolean | Promise<boolean>
}
