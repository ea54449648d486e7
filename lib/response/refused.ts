// The reasons why the plugin refuses an origin or a preflight, or why a browser blocks a request. Logs refusals, and publishes them on a diagnostics channel.
import { channel } from 'node:diagnostics_channel'
import type { FastifyRequest } from 'fastify'
import type { CorsRefusal, CorsRefusalMessage, CorsRefusalReason } from './refusal'
import { printable, quote } from '../messages/errors'
import { isPreflight } from '../http/preflight-request'
import { isSerialisedOrigin } from '../origins/serialised'
import type { ResponseSource } from './source'

/** Publishes a {@link CorsRefusalMessage} for every refusal, for counters. */
export const refusedChannel = channel('fastify-cors-policy.refused')

/** A Fastify logger: pino's, the application's own, or the one that does nothing. */
type Logger = FastifyRequest['log']

/** Whether a refusal would be logged at this level or received by a subscriber. Otherwise it need not be computed. */
export function hasListeners (log: Logger, level: string): boolean {
  return logs(log, level) || refusedChannel.hasSubscribers
}

/** Whether the logger logs this level. Pino uses one empty function for all disabled levels; without a logger, Fastify uses one for all levels. */
function logs (log: Logger, level: string): boolean {
  const method = log[level as 'debug']
  return method !== log.silent && (method !== log.fatal || level === 'fatal')
}

/** Logs and publishes a refusal. Call it only if {@link hasListeners}. */
export function reportRefusal (log: Logger, level: string, request: FastifyRequest | null, { reason, origin, route, header, ...rest }: CorsRefusal): void {
  const values = { reason, origin: printableText(origin), route: printableText(route), ...(header !== undefined && { header: printableText(header) }) }
  const cors: CorsRefusal = { ...values, ...rest }
  if (refusedChannel.hasSubscribers) refusedChannel.publish({ ...cors, request } satisfies CorsRefusalMessage)
  const what = request === null || isPreflight(request.raw) ? 'preflight' : 'request'
  log[level as 'debug']({ cors }, `CORS refuses a ${what}: ${reason}${values.header === undefined ? '' : ` (${values.header})`}`)
}

/** Logs at debug which headers of a handler or a hook were replaced by those of the policy. */
export function reportReplacedHeaders (request: FastifyRequest, headers: readonly string[], policy: string | null): void {
  if (!logs(request.log, 'debug')) return
  const cors = { replaced: headers, route: routeName(request), policy }
  request.log.debug({ cors }, `CORS replaces headers that the policy does not set: ${headers.join(', ')}`)
}

/** The policies and routes for which a warning was logged: once for each. */
const warned = new WeakSet<object>()

function isFirst (subject: object): boolean {
  const first = !warned.has(subject)
  warned.add(subject)
  return first
}

/** Warns that the policy exposes fewer response headers than the handler of a route. */
export function warnOfHiddenHeaders (request: FastifyRequest, source: object, names: readonly string[]): void {
  if (names.length === 0 || !isFirst(source)) return
  request.log.warn(`CORS hides ${printable(names.join(', '))} of ${routeName(request)} from pages: its handler exposes what exposedHeaders of its policy ` +
    `does not list; write exposedHeaders: ['...', ${names.map(quote).join(', ')}], or leave the field out`)
}

/** A request header that a policy does not allow, although it allows the origin. */
interface RefusedHeader { readonly header: string, readonly route: string, readonly policyName: string | null }

/** Warns of the first header that a policy refuses. */
export function warnOfRefusedHeader (request: FastifyRequest, policy: object, { header, route, policyName }: RefusedHeader): void {
  if (!isFirst(policy)) return
  const [name, where] = [quote(header.slice(0, MAX_LOGGED_LENGTH)), printableText(route)]
  const field = policyName === null ? `the policy of ${where}` : `the policy ${quote(policyName)}`
  request.log.warn(`CORS does not allow the request header ${name} for ${where}: browsers block the request; write allowedHeaders: ['...', ${name}] in ` +
    `${field}, if pages may send it`)
}

/**
 * Reports that an actual request's origin is refused. Call it once per request, and only if {@link hasListeners}. `enforced` is undefined if `enforceOrigin`
 * does not refuse the request.
 */
export function reportRefusedOrigin (request: FastifyRequest, source: Omit<ResponseSource, 'headers'>, enforced: boolean | undefined): void {
  const { policy, policyName, setsHeaders, scope } = source
  const { origin, 'sec-fetch-site': site } = request.raw.headers
  // Browsers send an Origin with every POST, same-origin requests included. Those need no permission.
  if (origin === undefined || site === 'same-origin') return
  const reason = request.is404 ? 'no-route' : policy !== null ? originRefusalReason(request, origin) : setsHeaders ? 'off' : 'no-policy'
  const refusal = { reason, origin, route: routeName(request), policy: policyName, ...(enforced !== undefined && { enforced }) } as const
  reportRefusal(request.log, scope.refusalLogLevel, request, refusal)
}

/** Why a policy refuses an origin. `request` is undefined if no origin function was called for it. */
export function originRefusalReason (
  request: FastifyRequest | undefined, origin: string
): Extract<CorsRefusalReason, 'null-origin' | 'invalid-origin' | 'origin-not-allowed' | 'origin-function-failed'> {
  if (origin === 'null') return 'null-origin'
  if (!isSerialisedOrigin(origin)) return 'invalid-origin'
  return request !== undefined && failedRequests.has(request) ? 'origin-function-failed' : 'origin-not-allowed'
}

/** The requests whose origin function failed. */
const failedRequests = new WeakSet<FastifyRequest>()

/** Records that the reason for this request's refusal is `origin-function-failed`. */
export function recordOriginFunctionFailure (request: FastifyRequest): void {
  failedRequests.add(request)
}

/** Warns that an origin function answered with a truthy value other than `true`: its author probably meant to allow the origin. */
export function warnOfTruthyAnswer (request: FastifyRequest, originFunction: object, answer: unknown): void {
  if (!answer || !isFirst(originFunction)) return
  const problem = `${quote(originFunction)} of config.cors answered ${quote(answer)}, which is not true: the origin is refused`
  request.log.warn(`${problem}; write a function that returns true or false`)
}

function routeName ({ method, routeOptions }: FastifyRequest): string {
  return `${method} ${routeOptions.url ?? '(none)'}`
}

/** The longest part of a request's value that is logged, in characters. */
const MAX_LOGGED_LENGTH = 256

function printableText (text: string): string {
  return printable(text.slice(0, MAX_LOGGED_LENGTH))
}

/** Records the reasons of refusals, by request, from its construction until `stop` is called. `app.cors.explain` reads them. */
export class RefusalRecorder {
  readonly #reasons = new Map<object | undefined, CorsRefusalReason>()
  readonly #record = (message: unknown): void => {
    const { reason, request } = message as CorsRefusalMessage
    this.#reasons.set(request?.raw, reason)
  }

  constructor () {
    refusedChannel.subscribe(this.#record)
  }

  /** The last reason for which Node's request was refused. Undefined if it was not. */
  reasonOf (raw: object): CorsRefusalReason | undefined {
    return this.#reasons.get(raw)
  }

  stop (): void {
    refusedChannel.unsubscribe(this.#record)
  }
}
