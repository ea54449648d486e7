// Matches a request's Origin against a list of origins, patterns and RegExps. The cost does not grow with the number of origins and patterns;
// RegExps are tried one by one. Used for the arrays of policies (policy.ts) and for originList (list.ts), whose entries can change.
import type { Entry, EntryForm } from './entry'
import { isSerialisedOrigin } from './pattern'
import { PatternTable } from './pattern-table'
import type { RegExpMatcher } from './regexp-re2'

/** Whether this value of an Origin header is allowed. */
export type OriginMatcher = (origin: string) => boolean

/** A set of entries, in the order in which they were added. Adding or deleting an entry costs the same however many there are. */
export class OriginSet {
  /** All entries: forms by key. */
  readonly #forms = new Map<string, EntryForm>()
  readonly #patterns = new PatternTable()
  readonly #regexps = new Map<string, RegExpMatcher>()
  /** The last origin and its result are kept: every request asks twice, when it begins and when its response is sent. */
  #lastOrigin = ''
  #lastResult = false

  constructor (entries: Iterable<Entry>) {
    for (const entry of entries) this.add(entry)
  }

  get size (): number {
    return this.#forms.size
  }

  has (key: string): boolean {
    return this.#forms.has(key)
  }

  * [Symbol.iterator] (): Generator<Entry> {
    for (const [key, form] of this.#forms) yield { key, form }
  }

  add ({ key, form }: Entry): void {
    if (this.#forms.has(key)) return
    this.#forms.set(key, form)
    if (form !== 'exact') {
      if (form.kind === 'regexp') this.#regexps.set(key, form.matches)
      else this.#patterns.add(form)
    }
    this.#lastOrigin = ''
    this.#lastResult = false
  }

  /** Deletes an entry. Returns whether it was in the set. */
  delete (key: string): boolean {
    const form = this.#forms.get(key)
    if (form === undefined) return false
    this.#forms.delete(key)
    if (form !== 'exact') {
      if (form.kind === 'regexp') this.#regexps.delete(key)
      else this.#patterns.delete(form)
    }
    this.#lastOrigin = ''
    this.#lastResult = false
    return true
  }

  matches (origin: string): boolean {
    if (this.#patterns.isEmpty && this.#regexps.size === 0) return this.#forms.get(origin) === 'exact'
    if (origin !== this.#lastOrigin) {
      this.#lastResult = this.#findMatch(origin)
      this.#lastOrigin = origin
    }
    return this.#lastResult
  }

  /** `has` would not do: the text of a pattern is a key as well, and an Origin header with that text must not match. */
  #findMatch (origin: string): boolean {
    return this.#forms.get(origin) === 'exact' || (isSerialisedOrigin(origin) && (this.#patterns.matches(origin) || this.#matchesRegExp(origin)))
  }

  #matchesRegExp (origin: string): boolean {
    for (const matches of this.#regexps.values()) {
      if (matches(origin)) return true
    }
    return false
  }
}

/** The cheapest matcher for entries that never change. */
export function createMatcher (entries: readonly Entry[]): OriginMatcher {
  const set = new OriginSet(entries)
  const [first] = entries
  if (first !== undefined && first.form === 'exact' && set.size === 1) {
    const { key } = first
    return (origin) => origin === key
  }
  return (origin) => set.matches(origin)
}
