// Why the plugin refuses an origin or a preflight, or a browser blocks a request; and the diagnostics channel on which refusals are published.
import diagnostics from 'node:diagnostics_channel'
import type { FastifyRequest } from 'fastify'
import { printable, quote } from '../errors'
import { isPreflight } from '../http/preflight-request'
import { isSerialisedOrigin } from '../policy/origin/pattern'

/**
 * Why a browser blocks a request, or the plugin refuses an origin. A closed set: a program may switch over it, and a new reason is a breaking
 * change.
 *
 * | reason | what is refused |
 * |---|---|
 * | `no-route` | there is no route for the URL |
 * | `no-policy` | the route declares no policy, and its scope has no default policy |
 * | `off` | the route says `cors: false` |
 * | `origin-not-allowed` | the policy does not allow the page's origin |
 * | `null-origin` | the page has the origin `null`, which the policy does not allow |
 * | `invalid-origin` | the `Origin` is none that a policy can allow |
 * | `method-not-routed` | the URL has no route for this method; other methods of the URL have a policy |
 * | `header-not-allowed` | the policy does not allow a header of the request |
 * | `credentials-not-allowed` | the policy allows the origin, but not with credentials |
 * | `ambiguous-route` | the preflight does not tell which of several routes with different policies the request would reach |
 * | `answered-before` | a hook or a route that comes before the policy answered the preflight |
 * | `invalid-request-headers` | the preflight's `Access-Control-Request-Headers` is no list of names, or too long |
 * | `forbidden-method` | no page can use this method |
 * | `origin-function-failed` | the policy's origin function threw, or its promise was rejected |
 */
export type CorsRefusalReason =
  | 'no-route' | 'no-policy' | 'off' | 'origin-not-allowed' | 'null-origin' | 'invalid-origin' | 'method-not-routed' | 'header-not-allowed'
  | 'credentials-not-allowed' | 'ambiguous-route' | 'answered-before' | 'invalid-request-headers' | 'forbidden-method' | 'origin-function-failed'

/** What is logged of a refusal, as `cors`. Everything that a request says is escaped, and cut where it is long. */
export interface CorsRefusal {
  readonly reason: CorsRefusalReason
  /** The request's Origin. */
  readonly origin: string
  /** The method and the URL of the route, as `PUT /items/:id`; of a preflight, those of the route that it announces. */
  readonly route: string
  /** The name of the policy that the route has or extends, if there is one. */
  readonly policy: string | null
}

/** What is published for a refusal. */
export interface CorsRefusalMessage extends CorsRefusal {
  /** The refused request; null for a preflight that no policy answers, which is known before Fastify has made one. */
  readonly request: FastifyRequest | null
}

/** `fastify-cors-policy.refused`: a {@link CorsRefusalMessage} for every refusal, for counters. */
export const refusedChannel = diagnostics.channel('fastify-cors-policy.refused')

/** A logger of Fastify's: pino's, the application's own, or none. */
type Logger = FastifyRequest['log']

/** Whether anybody would hear of a refusal. Pino's functions below its level are one that does nothing, and so are all of Fastify's where it has no logger. */
export function isHeard (log: Logger): boolean {
  return isDebugging(log) || refusedChannel.hasSubscribers
}

function isDebugging ({ debug, silent, fatal }: Logger): boolean {
  return debug !== silent && debug !== fatal
}

/** Logs and publishes a refusal. Call it only where it is heard: see {@link isHeard}. */
export function report (log: Logger, request: FastifyRequest | null, { reason, origin, route, policy }: CorsRefusal): void {
  const cors: CorsRefusal = { reason, origin: shown(origin), route: shown(route), policy }
  if (refusedChannel.hasSubscribers) refusedChannel.publish({ ...cors, request } satisfies CorsRefusalMessage)
  log.debug({ cors }, `CORS refuses a ${request === null || isPreflight(request.raw) ? 'preflight' : 'request'}: ${reason}`)
}

/** Says at debug which headers of a handler or a hook gave way to those of the policy. */
export function reportReplaced (request: FastifyRequest, headers: readonly string[], policy: string | null): void {
  if (isDebugging(request.log)) request.log.debug({ cors: { replaced: headers, route: routeOf(request), policy } }, `CORS replaces headers that the policy does not set: ${headers.join(', ')}`)
}

/** Says that a response is not for the request's origin: once per request. `name` is that of the policy; without a policy, the route says `cors: false`. */
export function reportOrigin (request: FastifyRequest, policy: object | null, name: string | null): void {
  const { origin, 'sec-fetch-site': site } = request.raw.headers
  // Browsers send an Origin with every POST, also to their own.
  if (origin === undefined || site === 'same-origin' || !isHeard(request.log)) return
  const reason = request.is404 ? 'no-route' : policy === null ? 'off' : whyNotOrigin(request, origin)
  report(request.log, request, { reason, origin, route: routeOf(request), policy: name })
}

/** Which reason it is that a policy refuses an origin. */
export function whyNotOrigin (request: FastifyRequest | undefined, origin: string): Extract<CorsRefusalReason, 'null-origin' | 'invalid-origin' | 'origin-not-allowed' | 'origin-function-failed'> {
  if (origin === 'null') return 'null-origin'
  if (!isSerialisedOrigin(origin)) return 'invalid-origin'
  return request !== undefined && failed.has(request) ? 'origin-function-failed' : 'origin-not-allowed'
}

const failed = new WeakSet<FastifyRequest>()

/** Remembers that an origin function failed. */
export function noteFailure (request: FastifyRequest): void {
  failed.add(request)
}

const warned = new WeakSet<object>()

/** An origin function that means yes has to say `true`: what is truthy, but not that, is told once of each function. */
export function warnOfTruthy (request: FastifyRequest, ask: object, answer: unknown): void {
  if (!answer || warned.has(ask)) return
  warned.add(ask)
  request.log.warn(`${quote(ask)} of config.cors answered ${quote(answer)}, which is not true: the origin is refused; write a function that returns true or false`)
}

function routeOf ({ method, routeOptions }: FastifyRequest): string {
  return `${method} ${routeOptions.url ?? '(none)'}`
}

const SHOWN_LENGTH = 256

function shown (text: string): string {
  return printable(text.slice(0, SHOWN_LENGTH))
}

/** Listens for refusals until it is ended. */
export class Refusals {
  readonly #reasons = new Map<object | undefined, CorsRefusalReason>()
  readonly #listen = (message: unknown): void => {
    const { reason, request } = message as CorsRefusalMessage
    this.#reasons.set(request?.raw, reason)
  }

  constructor () {
    refusedChannel.subscribe(this.#listen)
  }

  of (raw: object): CorsRefusalReason | undefined {
    return this.#reasons.get(raw)
  }

  end (): void {
    refusedChannel.unsubscribe(this.#listen)
  }
}
