// The CORS headers of a response, by name. They are computed once per policy, then compared and written for every response: by required-headers.ts, with the
// values of response.ts and preflight/answer.ts.

/** Every `Access-Control-*` response header. */
export const CORS_HEADER_NAMES = [
  'access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers', 'access-control-allow-methods',
  'access-control-allow-headers', 'access-control-max-age', 'access-control-allow-private-network'
] as const

/** The header values for an allowed origin. `Access-Control-Allow-Origin` is always undefined here: it depends on the request. */
export type CorsHeaders = Readonly<Record<typeof CORS_HEADER_NAMES[number], string | undefined>>

/** Headers as Fastify and Node accept them, by lower-case name. */
export type Headers = Record<string, unknown>

/** Fills in the headers that are left out with undefined. All results have the same properties, which makes reading them fast. */
export function corsHeaders (values: Partial<CorsHeaders>): CorsHeaders {
  return Object.freeze({
    'access-control-allow-origin': undefined,
    'access-control-allow-credentials': values['access-control-allow-credentials'],
    'access-control-expose-headers': values['access-control-expose-headers'],
    'access-control-allow-methods': values['access-control-allow-methods'],
    'access-control-allow-headers': values['access-control-allow-headers'],
    'access-control-max-age': values['access-control-max-age'],
    'access-control-allow-private-network': undefined
  })
}

/** The CORS headers of a response to a refused origin. */
export const NO_CORS_HEADERS = corsHeaders({})

/** Whether `current` has these CORS headers and no others. Written without a loop for speed: this runs for every response. */
export function hasExactCorsHeaders (current: Headers, allowedOrigin: string | undefined, values: CorsHeaders): boolean {
  return current['access-control-allow-origin'] === allowedOrigin &&
    current['access-control-allow-credentials'] === values['access-control-allow-credentials'] &&
    current['access-control-expose-headers'] === values['access-control-expose-headers'] &&
    current['access-control-allow-methods'] === values['access-control-allow-methods'] &&
    current['access-control-allow-headers'] === values['access-control-allow-headers'] &&
    current['access-control-max-age'] === values['access-control-max-age'] &&
    current['access-control-allow-private-network'] === undefined
}

/** Writes the CORS headers to `target`; none if `allowedOrigin` is undefined. Written without a loop for speed as well. */
export function assignCorsHeaders (target: Headers, allowedOrigin: string | undefined, values: CorsHeaders): Headers {
  if (allowedOrigin === undefined) return target
  target['access-control-allow-origin'] = allowedOrigin
  if (values['access-control-allow-credentials'] !== undefined) target['access-control-allow-credentials'] = values['access-control-allow-credentials']
  if (values['access-control-expose-headers'] !== undefined) target['access-control-expose-headers'] = values['access-control-expose-headers']
  if (values['access-control-allow-methods'] !== undefined) target['access-control-allow-methods'] = values['access-control-allow-methods']
  if (values['access-control-allow-headers'] !== undefined) target['access-control-allow-headers'] = values['access-control-allow-headers']
  if (values['access-control-max-age'] !== undefined) target['access-control-max-age'] = values['access-control-max-age']
  return target
}
