// Tells whether a request is a CORS preflight (https://fetch.spec.whatwg.org/#cors-preflight-request).
import type { IncomingHttpHeaders } from 'node:http'

/** The parts of a request that are read. Node's requests of HTTP/1 and HTTP/2 have them, and so do those of `inject`. */
export interface RawRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
}

/** Whether the request is a preflight: OPTIONS with `Origin` and `Access-Control-Request-Method`. */
export function isPreflight ({ method, headers }: RawRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}
