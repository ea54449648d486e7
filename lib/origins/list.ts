// The package's export `originList`: lists of origins that change while the application runs. A list knows which rules of credentials the policies that
// use it have, so that a change cannot add an entry that one of these policies would refuse.
import { corsPolicyError, quote, type CorsProblem } from '../messages/errors'
import type { CorsOriginList } from './types'
import { entryKey, readEntry, credentialProblems, type Entry, type EntryProblem } from './entry'
import type { CredentialSwitches } from './credentials'
import { OriginSet, type OriginMatcher } from './matcher'

/** A problem of one entry of a list. */
export interface ListProblem extends EntryProblem {
  readonly index: number
  readonly value: string | RegExp
}

/**
 * The rule of policies that use a list (see ListRule of policy/compiled-policy.ts). Policies with equal switches share one. The list refers to it weakly, so
 * that a list does not keep an application alive. `switches` is undefined if the policies send no credentials.
 */
export class OriginListRule {
  readonly kind = 'list'

  constructor (readonly matches: OriginMatcher, readonly switches: CredentialSwitches | undefined) {}
}

/** What `originList` returns. Users know it as the interface CorsOriginList, which documents its members. */
export class OriginList implements CorsOriginList {
  #set: OriginSet
  /** The rules of policies with credentials, by their switches: at most four. */
  readonly #rulesWithCredentials = new Map<string, WeakRef<OriginListRule>>()

  constructor (entries: Iterable<string | RegExp>) {
    this.#set = new OriginSet(this.#read(valuesIn(entries, 'originList'), 'originList'))
  }

  get size (): number {
    return this.#set.size
  }

  has (origin: string): boolean {
    return typeof origin === 'string' && this.#set.matches(origin)
  }

  [Symbol.iterator] (): IterableIterator<string | RegExp> {
    return [...this.#set].map(asWritten).values()
  }

  add (...entries: ReadonlyArray<string | RegExp>): this {
    for (const entry of this.#read(entries.map(copyValue), 'originList.add', this.#set)) this.#set.add(entry)
    return this
  }

  delete (...entries: ReadonlyArray<string | RegExp>): boolean {
    const values = entries.map(copyValue)
    // An invalid value throws: ignoring it would leave an origin allowed that was meant to be deleted.
    readAll(values, 'originList.delete', undefined, this.#set)
    const size = this.#set.size
    for (const value of values) this.#set.delete(entryKey(value) as string)
    return this.#set.size < size
  }

  replace (entries: Iterable<string | RegExp>): this {
    this.#set = new OriginSet(this.#read(valuesIn(entries, 'originList.replace'), 'originList.replace'))
    return this
  }

  /** The problems of the current entries in a policy with credentials and these switches. */
  credentialProblems (switches: CredentialSwitches): ListProblem[] {
    if (this.#findRule(switches) !== undefined) return [] // all entries were checked with these switches already
    return [...this.#set].flatMap((entry, index) =>
      credentialProblems(entry, switches).map((problem) => ({ ...problem, index, value: asWritten(entry) })))
  }

  /** The rule for a policy with these switches, or for one without credentials. */
  ruleFor (switches: CredentialSwitches | undefined): OriginListRule {
    return (switches && this.#findRule(switches)) ?? new OriginListRule((origin) => this.#set.matches(origin), switches)
  }

  /** Checks changes from now on by the switches of this rule, for as long as a policy refers to the rule. */
  enforceRule (rule: OriginListRule): void {
    if (rule.switches !== undefined) this.#rulesWithCredentials.set(JSON.stringify(rule.switches), new WeakRef(rule))
  }

  #findRule (switches: CredentialSwitches): OriginListRule | undefined {
    return this.#rulesWithCredentials.get(JSON.stringify(switches))?.deref()
  }

  /** Reads values by the rules of all policies that use the list. Skips those that are in `present`. */
  #read (values: readonly unknown[], subject: string, present?: OriginSet): Entry[] {
    return readAll(values, subject, this.#strictestSwitches(), present)
  }

  /** The switches of all policies with credentials that use the list: one is set if all policies set it. undefined if there is no such policy. */
  #strictestSwitches (): CredentialSwitches | undefined {
    const switches = [...this.#rulesWithCredentials.values()].flatMap((reference) => reference.deref()?.switches ?? [])
    if (switches.length === 0) return undefined
    return {
      dangerouslyAllowInsecureOrigins: switches.every(({ dangerouslyAllowInsecureOrigins }) => dangerouslyAllowInsecureOrigins === true),
      dangerouslyAllowPublicSuffixes: switches.every(({ dangerouslyAllowPublicSuffixes }) => dangerouslyAllowPublicSuffixes === true)
    }
  }
}

/** Reads all values that are not in `present`; with `switches`, by the rules of credentials as well. Throws one error with all problems. */
function readAll (
  values: readonly unknown[], subject: string, switches: CredentialSwitches | undefined, present: OriginSet | undefined
): Entry[] {
  const entries: Entry[] = []
  const problems: CorsProblem[] = []
  for (const [index, value] of values.entries()) {
    if (present !== undefined && contains(present, value)) continue
    const entry = readEntry(value, { list: 'originList', switches })
    if (!('key' in entry)) {
      problems.push({ pointer: `/${index}`, value, ...entry })
      continue
    }
    entries.push(entry)
    if (switches === undefined) continue
    for (const { reason, message } of credentialProblems(entry, switches)) {
      problems.push({ pointer: `/${index}`, reason, value, message: `a policy with credentials uses this list: ${message}` })
    }
  }
  if (problems.length > 0) throw corsPolicyError(subject, problems)
  return entries
}

function contains (set: OriginSet, value: unknown): boolean {
  const key = entryKey(value)
  return key !== undefined && set.has(key)
}

/** The values of an iterable, copied. Code of the caller, such as a generator, runs only here: before the list changes. */
function valuesIn (entries: unknown, subject: string): unknown[] {
  if (typeof entries === 'object' && entries !== null && Symbol.iterator in entries) return Array.from(entries as Iterable<unknown>, copyValue)
  const message = `${quote(entries)} is not a list of origins; ${suggestCall(entries, subject)}`
  throw corsPolicyError(subject, [{ pointer: '', reason: 'type', value: entries, message }])
}

/** How to call the function with a list, instead of with this value. */
function suggestCall (value: unknown, subject: string): string {
  if (typeof value === 'string' || value instanceof RegExp) return `write ${subject}([${quote(value)}])`
  return value instanceof Promise ? `await it: ${subject}(await …)` : `write ${subject}([]) for a list without origins`
}

/** Copies a RegExp: the caller must not be able to change it after it was checked. */
function copyValue (value: unknown): unknown {
  return value instanceof RegExp ? new RegExp(value) : value
}

/** An entry as the user wrote it. A RegExp is a new copy. */
function asWritten ({ key, pattern }: Entry): string | RegExp {
  return pattern?.kind === 'regexp' ? new RegExp(pattern.regexp.source, pattern.regexp.flags) : key
}

/** The package's export `originList`. Documented in index.ts. */
export function originList (entries: Iterable<string | RegExp>): CorsOriginList {
  return new OriginList(entries)
}
