// The Fetch standard's tables of HTTP methods.

/** Methods that no page can ask for (https://fetch.spec.whatwg.org/#forbidden-method): there is no preflight for them. */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK'])

/** Methods that need no permission of a preflight (https://fetch.spec.whatwg.org/#cors-safelisted-method). */
export const SAFELISTED_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST'])

/** The only methods that a page cannot give a body to (https://fetch.spec.whatwg.org/#dom-request). */
const BODYLESS_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** Methods that a page may write in any case (https://fetch.spec.whatwg.org/#concept-method-normalize). `patch` is not one of them. */
const NORMALIZED_METHODS: ReadonlySet<string> = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'])

/** Whether a browser can announce this method in a preflight. */
export function canBePreflighted (method: string): boolean {
  return !FORBIDDEN_METHODS.has(method)
}

/** Whether a page can send a body with this method, and so a `Content-Type`: with every one but GET and HEAD. */
export function takesBody (method: string): boolean {
  return !BODYLESS_METHODS.has(method)
}

/** Whether no page can ask for this method, whatever the case of its letters. */
export function isForbiddenMethod (method: string): boolean {
  return FORBIDDEN_METHODS.has(method.toUpperCase())
}

/** The method that a browser sends for the one that a page wrote. */
export function normalizeMethod (method: string): string {
  const upper = method.toUpperCase()
  return NORMALIZED_METHODS.has(upper) ? upper : method
}
