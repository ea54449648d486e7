// The time-out of a handler, which Fastify answers itself while a hook of ours may still wait for an origin function.
import type { FastifyRequest } from 'fastify'

/**
 * Whether the handler's time-out has ended the request. Going on then would end the process: Fastify does not look, and whoever sends while an onError
 * hook is awaited throws where nobody catches. Only for requests that waited: `routeOptions` and `signal` are made when they are read.
 */
export function hasTimedOut (request: FastifyRequest): boolean {
  // Fastify has `handlerTimeout` since 5.8.
  return request.routeOptions.handlerTimeout > 0 && (request.signal.reason as { code?: unknown } | undefined)?.code === 'FST_ERR_HANDLER_TIMEOUT'
}

/** Never settles: a hook that returns this leaves the request to whoever ended it. */
export async function never (): Promise<never> {
  return await new Promise(() => {})
}
