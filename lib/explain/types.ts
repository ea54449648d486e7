// What can be asked of app.cors, and what it answers: plain JSON, so that a command line, a page or a test can show and compare it.
import type { FastifyRequest } from 'fastify'
import type { FastifyError } from '@fastify/error'
import type { CorsProblem } from '../errors'
import type { CorsRefusalReason } from '../response/refused'

/** A request that a page would make: may it, and may it read the response? */
export interface CorsQuestion {
  /** The origin of the page as browsers write it (`'https://app.example.com'`), or `'null'`. */
  readonly origin: string
  /**
   * The method, as the page writes it in `fetch()`.
   *
   * @defaultValue `'GET'`
   */
  readonly method?: string
  /** The path (`'/items/7'`), or the whole URL where the API's own origin or host matters: `'https://api.example.com/items/7'`. */
  readonly url: string
  /**
   * The headers that the page sets, by name; an array is a header that is set several times. Those that no page can set are left out, as a browser does.
   *
   * @defaultValue none
   */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /**
   * Whether the page sends credentials: `credentials: 'include'` of `fetch()`, `withCredentials` of XMLHttpRequest.
   *
   * @defaultValue `false`
   */
  readonly credentials?: boolean
  /**
   * Whether the request is preflighted whatever its method and headers are: XMLHttpRequest with a listener on its upload.
   *
   * @defaultValue `false`
   * @see https://fetch.spec.whatwg.org/#use-cors-preflight-flag
   */
  readonly useCorsPreflight?: boolean
}

/** A route, and the policy that governs it. */
export interface CorsExplainedRoute {
  readonly method: string
  readonly url: string
  /** The name of the policy that the route has or extends; null where its policy has no name, or where it has no policy. */
  readonly policy: string | null
}

/** What goes over the network: one request, and the response to it. */
export interface CorsExchange {
  readonly request: { readonly method: string, readonly url: string, readonly headers: Readonly<Record<string, string>> }
  /** `statusCode` is null for the request itself: it is never sent, and only the headers that its policy sets are known. */
  readonly response: { readonly statusCode: number | null, readonly headers: Readonly<Record<string, string>> }
}

/** The answer to a {@link CorsQuestion}. */
export interface CorsExplanation {
  /** Whether the page reads the response. */
  readonly allowed: boolean
  /** Why not; null if it is allowed. */
  readonly reason: CorsRefusalReason | null
  /** What happens, in a sentence that names the route and its policy. */
  readonly message: string
  /** What to write where; null if it is allowed. */
  readonly advice: string | null
  /** The route that the request reaches; null if there is none, or no telling which. */
  readonly route: CorsExplainedRoute | null
  /** What the browser sends and gets, in order: the preflight, if there is one, and the request, unless the preflight kept it away. */
  readonly exchanges: readonly CorsExchange[]
}

/** A method of a route that CORS concerns: it has a policy, or says that it has none. */
export interface CorsRoute {
  readonly method: string
  readonly url: string
  /** The route's host constraint: a host, or a RegExp as text. */
  readonly host?: string
  /** The names of the route's other constraints, which a preflight cannot fulfil. */
  readonly constraints?: readonly string[]
  /** The name of the policy that the route has or extends; null where its policy has no name, or where it has none. */
  readonly policy: string | null
  /** Who may read the response: `'*'`, or origins and patterns, RegExps as text and `'function'`. Empty for `cors: false`. */
  readonly origin: '*' | readonly string[]
  /** Whether pages of these origins may send credentials; or those that alone may. An `originList` is shown as it is now. */
  readonly credentials: boolean | readonly string[]
  /** The request headers that a preflight accepts, derived ones included. */
  readonly allowedHeaders: readonly string[]
  /** The response headers that a page may read besides the safelisted ones, derived ones included. */
  readonly exposedHeaders: readonly string[]
  /** Seconds; null where the policy says nothing. */
  readonly maxAge: number | null
  /** Whether a request from a page of a refused origin is answered 403 before its handler runs. */
  readonly enforceOrigin: boolean
}

/**
 * Thrown for a question that cannot be asked: a malformed URL, origin, method or header, or a policy that nobody declared. `code` is
 * `'FST_ERR_CORS_INVALID_QUESTION'`. The pointers of `problems` lead into the question.
 */
export interface CorsQuestionError extends FastifyError {
  readonly code: 'FST_ERR_CORS_INVALID_QUESTION'
  /** Everything that is wrong with it. Never empty. */
  readonly problems: readonly CorsProblem[]
}

/** `app.cors`: what an instance answers about its policies. In a child scope, it knows the names of that scope. */
export interface CorsDecoration<Name extends string = string> {
  /**
   * Says whether a page of some origin may make a request and read the response; and if not, why, and what to write. Sends the preflight
   * through the application, as `app.inject` does; the request itself is never sent, and no handler runs. Judged by a model of what browsers do.
   *
   * Loads the application first (`app.ready()`), so it cannot be awaited while a plugin of the application is loading.
   *
   * @throws CorsQuestionError (as a rejection) where the question is malformed
   * @example
   * const { allowed, message, advice } = await app.cors.explain({ origin: 'https://app.example.com', method: 'PUT', url: '/items/7' })
   * @see https://fetch.spec.whatwg.org/#http-cors-protocol
   */
  explain (question: CorsQuestion): Promise<CorsExplanation>
  /**
   * Every route of the application that CORS concerns, one entry for each method, as plain JSON sorted by URL and method: to print, or to
   * keep as a snapshot. Complete once the application is ready.
   *
   * @example console.table(app.cors.routes())
   */
  routes (): CorsRoute[]
  /**
   * What a named policy of this scope says about a request's `Origin`: true if it is allowed. A promise where the policy has an origin function
   * that answers with one. Without an `Origin`, only `origin: '*'` allows.
   *
   * @throws CorsQuestionError where no policy has that name
   * @example
   * app.addHook('onRequest', async (request, reply) => {
   *   if (!await app.cors.allows('partner', request)) return reply.code(403).send()
   * })
   */
  allows (name: Name, request: FastifyRequest): boolean | Promise<boolean>
}
