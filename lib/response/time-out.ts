// Fastify answers a request itself when its handler's time-out ends, even while a hook of the plugin still waits for an origin function. The hooks
// that wait check for that afterwards.
import type { FastifyRequest } from 'fastify'

/**
 * Whether the handler's time-out has ended the request. Fastify does not check for that, so a hook must not continue then: a reply that is sent while an
 * onError hook is awaited throws an error that nothing catches, which ends the process. Call it only after waiting: reading `routeOptions` and `signal`
 * creates them.
 */
export function hasTimedOut (request: FastifyRequest): boolean {
  // Before Fastify 5.8, `handlerTimeout` is undefined.
  return request.routeOptions.handlerTimeout > 0 && (request.signal.reason as { code?: unknown } | undefined)?.code === 'FST_ERR_HANDLER_TIMEOUT'
}

/** A promise that never settles. A hook returns it if the request has ended already, so that Fastify does not continue. */
export async function neverSettles (): Promise<never> {
  return await new Promise(() => {})
}
