// What the tests of the plugin share: short ways to make an application, to send it preflights and requests, and to read the CORS headers back.
import type { FastifyInstance, FastifyServerOptions, LightMyRequestResponse } from 'fastify'
import cors from '../../lib/index'
import { fastify } from './features'
import { EVIL, FOO } from './origins'

export { BAR, EVIL, FOO } from './origins'

/** An application with the plugin, closed at the end of the test. */
export async function application (t: { teardown: (fn: () => Promise<void>) => void }, options: cors.CorsPluginOptions = {}, server: FastifyServerOptions = {}): Promise<FastifyInstance> {
  const app = fastify(server)
  t.teardown(async () => { await app.close() })
  await app.register(cors, options)
  return app
}

interface PreflightOptions { origin?: string | undefined, requestHeaders?: string, headers?: Record<string, string> }

/** Sends a preflight for a method of an URL. */
export async function preflight (app: FastifyInstance, method: string, url: string, { origin = FOO, requestHeaders, headers = {} }: PreflightOptions = {}): Promise<LightMyRequestResponse> {
  return await app.inject({
    method: 'OPTIONS',
    url,
    headers: {
      origin,
      'access-control-request-method': method,
      ...(requestHeaders !== undefined && { 'access-control-request-headers': requestHeaders }),
      ...headers
    }
  })
}

/** Sends an actual request, from an origin or from none. */
export async function request (app: FastifyInstance, method: string, url: string, origin?: string, rest: { headers?: Record<string, string>, payload?: string | object } = {}): Promise<LightMyRequestResponse> {
  return await app.inject({ method: method as 'GET', url, ...rest, headers: { ...(origin !== undefined && { origin }), ...rest.headers } })
}

/** The headers of a response that concern CORS: every `Access-Control-*`, and Vary. */
export function corsHeaders (response: LightMyRequestResponse): Record<string, unknown> {
  return Object.fromEntries(Object.entries(response.headers).filter(([name]) => name.startsWith('access-control-') || name === 'vary'))
}

/** Only the `Access-Control-*` headers. */
export function accessControl (response: LightMyRequestResponse): Record<string, unknown> {
  const { vary, ...rest } = corsHeaders(response)
  return rest
}

export { PREFLIGHT_VARY } from './traffic'

/** Whether a preflight was approved: an ok status with an allowed origin and the method. */
export function approves (response: LightMyRequestResponse, method: string): boolean {
  const methods = String(response.headers['access-control-allow-methods'] ?? '').split(', ')
  return response.statusCode < 300 && response.headers['access-control-allow-origin'] !== undefined && methods.includes(method)
}

/** Policies that allow one origin each. */
export const ONE = { origin: FOO } as const
export const OTHER = { origin: EVIL } as const

export const ok = async (): Promise<string> => 'ok'

/** The error of a declaration that has to be refused. */
export function refusal (declare: () => unknown): cors.CorsPolicyError {
  try {
    declare()
  } catch (error) {
    return error as cors.CorsPolicyError
  }
  throw new Error('nothing was refused')
}
