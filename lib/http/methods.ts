// The Fetch standard's tables of HTTP methods.

/** Methods that no page can ask for (https://fetch.spec.whatwg.org/#forbidden-method): there is no preflight for them. */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK'])

/** Methods that need no permission of a preflight (https://fetch.spec.whatwg.org/#cors-safelisted-method). */
export const SAFELISTED_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST'])

/** The only methods that a page cannot give a body to (https://fetch.spec.whatwg.org/#dom-request). */
const BODYLESS_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** Whether a browser can announce this method in a preflight. */
export function canBePreflighted (method: string): boolean {
  return !FORBIDDEN_METHODS.has(method)
}

/** Whether a page can send a body with this method, and so a `Content-Type`: with every one but GET and HEAD. */
export function takesBody (method: string): boolean {
  return !BODYLESS_METHODS.has(method)
}
