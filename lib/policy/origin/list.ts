// Lists of origins that change while the application runs: `originList`. A list knows by which rules the policies that use it judge their
// origins, so that no change can bring in what one of them would refuse.
import { corsPolicyError, quote, type CorsProblem } from '../../errors'
import type { CorsOriginList } from '../../schema'
import { keyOf, readEntry, whyNotWithCredentials, type Entry, type EntryProblem } from './entry'
import type { CredentialSwitches } from './credentials'
import { OriginSet, type OriginMatcher } from './matcher'

/** What is wrong with one entry of a list. */
export interface ListedProblem extends EntryProblem {
  readonly index: number
  readonly value: string | RegExp
}

/** A list as the policies of one set of rules use it. They share it, and the list refers to it weakly: no list keeps an application alive. */
export class OriginListUse {
  readonly kind = 'list'

  constructor (readonly matches: OriginMatcher, readonly rules: CredentialSwitches | undefined) {}
}

export class OriginList implements CorsOriginList {
  #set: OriginSet
  /** By their rules: at most one for each of the four sets of rules that credentials can have. */
  readonly #uses = new Map<string, WeakRef<OriginListUse>>()

  constructor (entries: Iterable<string | RegExp>) {
    this.#set = new OriginSet(this.#read(valuesOf(entries, 'originList'), 'originList'))
  }

  get size (): number {
    return this.#set.size
  }

  has (origin: string): boolean {
    return typeof origin === 'string' && this.#set.matches(origin)
  }

  [Symbol.iterator] (): IterableIterator<string | RegExp> {
    return [...this.#set].map(shown).values()
  }

  add (...entries: ReadonlyArray<string | RegExp>): this {
    for (const entry of this.#read(entries.map(copied), 'originList.add', this.#set)) this.#set.add(entry)
    return this
  }

  delete (...entries: ReadonlyArray<string | RegExp>): boolean {
    const values = entries.map(copied)
    // What is no entry was meant to be one: not to delete it, and to say nothing, would leave in what was to be taken out.
    readAll(values, 'originList.delete', NO_RULES, this.#set)
    const size = this.#set.size
    for (const value of values) this.#set.delete(keyOf(value) as string)
    return this.#set.size < size
  }

  replace (entries: Iterable<string | RegExp>): this {
    this.#set = new OriginSet(this.#read(valuesOf(entries, 'originList.replace'), 'originList.replace'))
    return this
  }

  /** What a policy with these rules would have against the list as it is. */
  problemsWith (rules: CredentialSwitches): ListedProblem[] {
    if (this.#use(rules) !== undefined) return [] // what the list has was judged by these rules already
    return [...this.#set].flatMap((entry, index) => whyNotWithCredentials(entry, rules).map((problem) => ({ ...problem, index, value: shown(entry) })))
  }

  /** The list for a policy with these rules, or with none. */
  useWith (rules: CredentialSwitches | undefined): OriginListUse {
    return (rules && this.#use(rules)) ?? new OriginListUse((origin) => this.#set.matches(origin), rules)
  }

  /** Has changes judged by the rules of this use, for as long as a policy refers to it. */
  hold (use: OriginListUse): void {
    if (use.rules !== undefined) this.#uses.set(JSON.stringify(use.rules), new WeakRef(use))
  }

  #use (rules: CredentialSwitches): OriginListUse | undefined {
    return this.#uses.get(JSON.stringify(rules))?.deref()
  }

  /** Reads entries by the rules of all policies that use the list. Those in `known` were read before. */
  #read (values: readonly unknown[], subject: string, known?: OriginSet): Entry[] {
    const rules = [...this.#uses.values()].flatMap((reference) => reference.deref()?.rules ?? [])
    if (rules.length === 0) return readAll(values, subject, NO_RULES, known)
    const strictest: CredentialSwitches = {
      dangerouslyAllowInsecureOrigins: rules.every(({ dangerouslyAllowInsecureOrigins }) => dangerouslyAllowInsecureOrigins === true),
      dangerouslyAllowPublicSuffixes: rules.every(({ dangerouslyAllowPublicSuffixes }) => dangerouslyAllowPublicSuffixes === true)
    }
    return readAll(values, subject, (entry) => whyNotWithCredentials(entry, strictest), known, 'a policy with credentials uses this list: ')
  }
}

const NOTHING: readonly EntryProblem[] = []
const NO_RULES = (): readonly EntryProblem[] => NOTHING

/** Reads every value that is not known, or throws everything that is wrong. */
function readAll (values: readonly unknown[], subject: string, whyNot: (entry: Entry) => readonly EntryProblem[], known?: OriginSet, because = ''): Entry[] {
  const entries: Entry[] = []
  const problems: CorsProblem[] = []
  for (const [index, value] of values.entries()) {
    if (known !== undefined && isIn(known, value)) continue
    const entry = readEntry(value, 'originList')
    if ('key' in entry) entries.push(entry)
    else problems.push({ pointer: `/${index}`, value, ...entry })
    for (const { reason, message } of 'key' in entry ? whyNot(entry) : NOTHING) problems.push({ pointer: `/${index}`, reason, value, message: because + message })
  }
  if (problems.length > 0) throw corsPolicyError(subject, problems)
  return entries
}

function isIn (set: OriginSet, value: unknown): boolean {
  const key = keyOf(value)
  return key !== undefined && set.has(key)
}

/** The values of what was given as a list. The caller's code, such as a generator's, runs here and nowhere later. */
function valuesOf (entries: unknown, subject: string): unknown[] {
  if (typeof entries === 'object' && entries !== null && Symbol.iterator in entries) return Array.from(entries as Iterable<unknown>, copied)
  const instead = typeof entries === 'string' || entries instanceof RegExp
    ? `write ${subject}([${quote(entries)}])`
    : entries instanceof Promise ? `await it: ${subject}(await …)` : `write ${subject}([]) for a list without origins`
  throw corsPolicyError(subject, [{ pointer: '', reason: 'type', value: entries, message: `${quote(entries)} is not a list of origins; ${instead}` }])
}

/** Nothing that the caller keeps can change what was read. */
function copied (value: unknown): unknown {
  return value instanceof RegExp ? new RegExp(value) : value
}

/** An entry as it was written. */
function shown ({ key, form }: Entry): string | RegExp {
  return form !== 'exact' && form.kind === 'regexp' ? new RegExp(form.regexp.source, form.regexp.flags) : key
}

/** What the package exports: index.ts documents it. */
export function originList (entries: Iterable<string | RegExp>): CorsOriginList {
  return new OriginList(entries)
}
