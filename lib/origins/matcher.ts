// Matches a request's Origin against a list of origins, patterns and RegExps. The cost does not grow with the number of origins and patterns;
// RegExps are tried one by one.
import type { Entry } from './entry'
import { PatternTable } from './pattern-table'
import { parseOrigin } from './serialised'

/** Whether this value of an Origin header is allowed. */
export type OriginMatcher = (origin: string) => boolean

/** A set of entries, in the order in which they were added. Adding or deleting an entry costs the same however many there are. */
export class OriginSet {
  readonly #entries = new Map<string, Entry['pattern']>()
  readonly #patterns = new PatternTable()
  readonly #regexps = new Map<string, OriginMatcher>()
  /** The previous origin and its result: every request asks twice, when it begins and when its response is sent. */
  #previous: { readonly origin: string, readonly matches: boolean } | undefined

  constructor (entries: Iterable<Entry>) {
    for (const entry of entries) this.add(entry)
  }

  get size (): number {
    return this.#entries.size
  }

  has (key: string): boolean {
    return this.#entries.has(key)
  }

  * [Symbol.iterator] (): Generator<Entry> {
    for (const [key, pattern] of this.#entries) yield { key, pattern }
  }

  add ({ key, pattern }: Entry): void {
    if (this.#entries.has(key)) return
    this.#entries.set(key, pattern)
    this.#previous = undefined
    if (pattern?.kind === 'regexp') this.#regexps.set(key, pattern.matches)
    else if (pattern !== undefined) this.#patterns.add(pattern)
  }

  delete (key: string): void {
    const pattern = this.#entries.get(key)
    this.#entries.delete(key)
    this.#previous = undefined
    if (pattern?.kind === 'regexp') this.#regexps.delete(key)
    else if (pattern !== undefined) this.#patterns.delete(pattern)
  }

  matches (origin: string): boolean {
    if (origin !== this.#previous?.origin) this.#previous = { origin, matches: this.#findMatch(origin) }
    return this.#previous.matches
  }

  /** `has` would not do: the text of a pattern is a key as well, and an Origin header with that text must not match. */
  #findMatch (origin: string): boolean {
    if (this.#entries.has(origin) && this.#entries.get(origin) === undefined) return true
    if (this.#patterns.isEmpty && this.#regexps.size === 0) return false
    const parts = parseOrigin(origin)
    return parts !== undefined && (this.#patterns.matches(parts) || [...this.#regexps.values()].some((matches) => matches(origin)))
  }
}

/** The cheapest matcher for entries that never change. */
export function createMatcher (entries: readonly Entry[]): OriginMatcher {
  const set = new OriginSet(entries)
  const [first] = entries
  if (first !== undefined && first.pattern === undefined && set.size === 1) {
    const { key } = first
    return (origin) => origin === key
  }
  return (origin) => set.matches(origin)
}
