// The Vary header (RFC 9110, section 12.5.5): adding names to whatever value is there already.
import { uniqueNames } from './headers'

/** A header's value as Fastify and Node hold it. */
export type HeaderValue = string | number | readonly string[] | undefined

/** Names of request headers that a response depends on. */
export class Vary {
  readonly names: readonly string[]
  /** The header's value where nothing else adds to it. */
  readonly text: string

  constructor (...names: string[]) {
    this.names = names
    this.text = names.join(', ')
  }

  /**
   * The value that names everything `current` names, and these names besides: each once, whatever its case, in the order they first appear.
   * `*` stands for everything, so nothing is added to it.
   */
  mergedWith (current: HeaderValue): string {
    if (current === undefined || current === this.text) return this.text
    const listed = String(current).split(',').map((name) => name.trim()).filter((name) => name !== '')
    const merged = uniqueNames([...listed, ...this.names])
    return merged.includes('*') ? '*' : merged.join(', ')
  }
}

/** What a response that depends on Origin must say (https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches). */
export const VARY_ORIGIN = new Vary('Origin')

/** The same for a preflight's answer, which depends on all three of its headers. */
export const VARY_PREFLIGHT = new Vary('Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers')
