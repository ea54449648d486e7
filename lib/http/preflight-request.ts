// What a CORS preflight is (https://fetch.spec.whatwg.org/#cors-preflight-request).
import type { IncomingHttpHeaders } from 'node:http'

/** As much of a request as it takes to tell: Node's requests of HTTP/1 and HTTP/2, and those of `inject`. */
export interface RawRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
}

/** Whether a browser asks permission here: OPTIONS, with an Origin and the method it means to use. */
export function isPreflight ({ method, headers }: RawRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}
