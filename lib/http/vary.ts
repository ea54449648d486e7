// The Vary header (RFC 9110, section 12.5.5): adding names to whatever value is there already.
import { uniqueNames } from './headers'

/** A header's value as Fastify and Node hold it. */
export type HeaderValue = string | number | readonly string[] | undefined

/** What a response that depends on Origin must say (https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches). */
export const VARY_ORIGIN: readonly string[] = ['Origin']

/** The same for a preflight's answer, which depends on all three of its headers. */
export const VARY_PREFLIGHT: readonly string[] = ['Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers']

/**
 * The value of Vary that names everything `current` names, and `names` besides: each once, whatever its case, in the order they first appear.
 * `*` stands for everything, so nothing is added to it.
 */
export function mergeVary (current: HeaderValue, names: readonly string[]): string {
  if (current === undefined || current === '') return names.join(', ')
  const merged = uniqueNames([...listed(current), ...names])
  return merged.includes('*') ? '*' : merged.join(', ')
}

function listed (value: Exclude<HeaderValue, undefined>): string[] {
  return String(value).split(',').map((name) => name.trim()).filter((name) => name !== '')
}
