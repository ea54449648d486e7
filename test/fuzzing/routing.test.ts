// The routing fuzzer, 30 random applications of each kind: no preflight is approved whose request reaches another route's policy, none that could be is
// missed, and everything else is as it is without the plugin. Every run has the same applications (FUZZ_TABLES: more): `npm run fuzz` makes others, as many as one has time for.
import t from 'tap'
import fc from 'fast-check'
import { check, printed } from './routing/check'
import { KINDS, type Table } from './routing/table'

/** Where applications have strategies of their own, few preflights can be approved: no route is certain then. */
const FEW = new Set(['custom constraints', 'own host and version', 'hooks that constrain', 'everything'])

/** What is not settled yet: the next session's first work. Options of no type that a router has may find no answer; a strategy that must match may lead to a 404. */
const OPEN = new Set(['options in both places', 'options of other types', 'custom constraints', 'own host and version', 'hooks that constrain', 'everything'])

const { FUZZ_TABLES: count = '30', FUZZ_SEED: seed = '1' } = process.env
const numRuns = Number(count)

for (const [kind, tables] of Object.entries(KINDS)) {
  t.test(`preflights are answered by the routes that Fastify itself reaches, in random applications of the kind "${kind}"`, { todo: OPEN.has(kind) && 'see OPEN' }, async (t) => {
    const sums = { started: 0, preflights: 0, approved: 0 }
    await fc.assert(fc.asyncProperty(tables, async (table: Table) => {
      const { findings, preflights, approved, skipped } = await check(table)
      if (skipped === undefined) sums.started++
      sums.preflights += preflights
      sums.approved += approved
      if (findings.length > 0) throw new Error(`${findings.map(({ fault, text }) => `${fault}: ${text}`).join('\n')}\n${printed(table)}`)
    }), { numRuns, seed: Number(seed) })
    t.comment(JSON.stringify(sums))
    t.ok(sums.started > numRuns / 2, `most of the applications start: ${sums.started}`)
    t.ok(sums.approved > numRuns / (FEW.has(kind) ? 20 : 3) && sums.preflights - sums.approved > numRuns / 3, `there are approvals and refusals: ${sums.approved} of ${sums.preflights}`)
  })
}
