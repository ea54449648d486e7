// A model of the Fetch standard for the tests, written from the standard alone: methods (https://fetch.spec.whatwg.org/#concept-method).

/** https://fetch.spec.whatwg.org/#cors-safelisted-method */
export function isCorsSafelistedMethod (method: string): boolean {
  return ['GET', 'HEAD', 'POST'].includes(method)
}

/** https://fetch.spec.whatwg.org/#forbidden-method: whatever the case of its letters. */
export function isForbiddenMethod (method: string): boolean {
  return ['CONNECT', 'TRACE', 'TRACK'].includes(method.toUpperCase())
}

/** https://fetch.spec.whatwg.org/#concept-method-normalize: six methods only. `patch` stays `patch`. */
export function normalizeMethod (method: string): string {
  const upper = method.toUpperCase()
  return ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'].includes(upper) ? upper : method
}
