// One entry of an origin list of @fastify/cors, as entries of a policy: written as browsers write origins, anchored, and safe with credentials. What the
// package refuses is replaced by what its message says, if that is accepted.
import type { CheckPolicy } from './migrate-translation'

/** The entries for one entry. `problem` is why there are none. */
export interface MigratedEntries { readonly entries: ReadonlyArray<string | RegExp>, readonly note?: string, readonly problem?: string }

export function migrateEntry (entry: string | RegExp, credentials: boolean, check: CheckPolicy): MigratedEntries {
  let entries: ReadonlyArray<string | RegExp> = [entry]
  // A correction may have a problem of its own: a RegExp that is anchored now may allow an unencrypted origin.
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const problems = entries.map((each) => check({ origin: [each], credentials })[0]?.message)
    if (problems.every((problem) => problem === undefined)) {
      return round === 0 ? { entries } : { entries, note: `${String(entry)} becomes ${entries.map(String).join(', ')}` }
    }
    const corrected = entries.flatMap((each, index) => problems[index] === undefined ? [each] : correctionsIn(problems[index]))
    if (corrected.length === 0) return { entries: [], problem: `${String(entry)}: ${problems.find((problem) => problem !== undefined)}` }
    entries = corrected
  }
  return { entries: [], problem: `${String(entry)}: write the origins in full` }
}

const MAX_ROUNDS = 4

/** The entries that a message says to write: literals after the last "write", up to what sets a switch. */
function correctionsIn (message: string): Array<string | RegExp> {
  const advice = message.split('; write ').at(-1)?.split(', or ')[0] ?? ''
  const literals = [...advice.matchAll(/("(?:[^"\\]|\\.)*")|\/((?:[^/\\[]|\\.|\[(?:[^\]\\]|\\.)*\])+)\/([a-z]*)/g)]
  const rest = literals.reduce((text, [literal]) => text.replace(literal, ''), advice)
  // Advice in words has examples, which are not what to write.
  if (/[^\s,]/.test(rest)) return []
  return literals.map(([, text, source = '', flags]) => text === undefined ? new RegExp(source, flags) : JSON.parse(text) as string)
}
