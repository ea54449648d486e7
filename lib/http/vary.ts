// The `Vary` header (RFC 9110, section 12.5.5): adds names to the value that a response already has.
import { uniqueNames } from './headers'

/** A header's value as Fastify and Node hold it. */
export type HeaderValue = string | number | readonly string[] | undefined

/** Names of request headers that a response depends on. */
export class Vary {
  readonly names: readonly string[]
  /** The header's value with these names alone. */
  readonly value: string

  constructor (...names: string[]) {
    this.names = names
    this.value = names.join(', ')
  }

  /**
   * The value with the names of `current`, followed by these names. Each name appears once, compared without case, at its first position.
   * If `current` contains `*`, the result is `*` alone: it includes every name.
   */
  mergedWith (current: HeaderValue): string {
    if (current === undefined || current === this.value) return this.value
    const listed = String(current).split(',').map((name) => name.trim()).filter((name) => name !== '')
    const merged = uniqueNames([...listed, ...this.names])
    return merged.includes('*') ? '*' : merged.join(', ')
  }
}

/** For a response that depends on the request's Origin (https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches). */
export const VARY_ORIGIN = new Vary('Origin')

/** For the answer to a preflight. It depends on all three headers. */
export const VARY_PREFLIGHT = new Vary('Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers')
