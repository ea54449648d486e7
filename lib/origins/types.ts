// The two kinds of `origin` that no JSON Schema describes: a function, and a list that changes at run time. Types only, with the comments that editors show
// to users.
import type { FastifyRequest } from 'fastify'

/**
 * Decides whether an origin is allowed. Called once per request, and only with a syntactically valid origin that is not `null`.
 * Only `true` allows the origin. If the function throws or rejects, the origin is refused and the error is logged; the request does not fail.
 *
 * @param origin the value of the request's `Origin` header
 * @param request Fastify's request; for a preflight, that of the OPTIONS request
 * @returns whether the origin is allowed
 * @example
 * app.get('/', { config: { cors: { origin: async (origin) => await db.isPartner(origin) } } }, handler)
 * @see https://fetch.spec.whatwg.org/#origin-header
 */
export type CorsOriginFunction = (origin: string, request: FastifyRequest) => boolean | Promise<boolean>

/**
 * A list of origins that can change while the application runs. `originList` creates it; a policy uses it as `origin` or `credentials`. It has the
 * entries that an array can have: origins, patterns, RegExps and `'null'`, each once.
 *
 * A change takes effect for the next request. It is checked like an array, and by the rules of every policy that uses the list. If one entry is
 * refused, nothing changes.
 *
 * @example
 * const tenants = originList(['https://a.example'])
 * tenants.add('https://b.example', 'https://*.c.example')
 */
export interface CorsOriginList {
  /** The number of entries. */
  readonly size: number
  /**
   * Whether the list allows this origin: an entry is equal to it, or is a pattern or a RegExp that matches it.
   *
   * @param origin an origin as a request's `Origin` header has it; a pattern is never allowed
   * @example tenants.has('https://a.c.example') // true
   */
  has (origin: string): boolean
  /**
   * Adds entries. An entry that is in the list already stays where it is. The cost depends on the added entries only.
   *
   * @returns the list
   * @throws CorsPolicyError with all problems, if there are any; then nothing is added
   * @example tenants.add('https://b.example', /^https:\/\/[a-z]+\.c\.example$/)
   */
  add (...entries: ReadonlyArray<string | RegExp>): this
  /**
   * Deletes entries, written as they were added: deleting an origin does not change the patterns that match it. RegExps are equal if their source and
   * flags are. The cost depends on the deleted entries only.
   *
   * @returns whether at least one of them was in the list
   * @throws CorsPolicyError if one is not a valid entry, such as an origin that is not written as browsers serialise it; then nothing is deleted
   * @example tenants.delete('https://b.example') // true
   */
  delete (...entries: ReadonlyArray<string | RegExp>): boolean
  /**
   * Replaces all entries.
   *
   * @param entries the new entries: an array or another iterable; may be empty
   * @returns the list
   * @throws CorsPolicyError with all problems, if there are any; then the list does not change
   * @example tenants.replace(await db.origins())
   */
  replace (entries: Iterable<string | RegExp>): this
  /** Iterates over the current entries, in the order in which they were added. Changes during the iteration do not affect it. */
  [Symbol.iterator] (): IterableIterator<string | RegExp>
}
