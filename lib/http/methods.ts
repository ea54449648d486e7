// The Fetch standard's tables of HTTP methods.

/** Methods that a page cannot use (https://fetch.spec.whatwg.org/#forbidden-method). Browsers send no preflights for them. */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK'])

/** Methods that need no permission from a preflight (https://fetch.spec.whatwg.org/#cors-safelisted-method). */
export const SAFELISTED_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST'])

/** The methods with which a page cannot send a body (https://fetch.spec.whatwg.org/#dom-request). */
const BODYLESS_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** Methods that a browser turns into upper case (https://fetch.spec.whatwg.org/#concept-method-normalize). It leaves `patch` as it is. */
const NORMALIZED_METHODS: ReadonlySet<string> = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'])

/** Whether a browser can announce this method in a preflight. The method is upper-case, as in a route. */
export function canBePreflighted (method: string): boolean {
  return !FORBIDDEN_METHODS.has(method)
}

/** Whether a page can send a body, and so a `Content-Type`, with this method. True for every method but GET and HEAD. */
export function takesBody (method: string): boolean {
  return !BODYLESS_METHODS.has(method)
}

/** Whether a page cannot use this method, in upper or lower case. */
export function isForbiddenMethod (method: string): boolean {
  return FORBIDDEN_METHODS.has(method.toUpperCase())
}

/** The method that a browser sends if a page passes this one to `fetch`. */
export function normalizeMethod (method: string): string {
  const upper = method.toUpperCase()
  return NORMALIZED_METHODS.has(upper) ? upper : method
}
