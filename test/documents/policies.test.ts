// Runs every line of the tables in docs/policies.md: what it says to write is accepted, what it says not to write is refused with its reason.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runInThisContext } from 'node:vm'
import t from 'tap'
import cors from '../../lib/index'
import { application, ok, refusal } from '../support'

const text = readFileSync(join(__dirname, '..', '..', 'docs', 'policies.md'), 'utf8')

interface Row { readonly line: string, readonly write: unknown, readonly not: unknown, readonly reason: string }

/** The cells of the tables that compare; a `|` inside a cell is written `\|` in Markdown. */
const rows: Row[] = text.split('\n').filter((line) => /^\| `/.test(line)).map((line) => {
  const [write, not, reason] = line.split(/(?<!\\)\|/).slice(1).map((cell) => cell.trim().replace(/^`|`$/g, '').replaceAll('\\|', '|'))
  return { line, write: value(write), not: value(not), reason: reason as string }
})

/** RegExps of another realm would be no RegExps to the plugin, nor would its arrays be arrays: evaluated in this one. */
function value (code: string | undefined): unknown {
  return runInThisContext(`(originList) => (${code})`)(cors.originList)
}

const policies = cors.definePolicies({ public: { origin: '*' }, partner: { origin: 'https://app.example.com', credentials: true } })

t.test('every line of the tables', async (t) => {
  const app = await application(t, { policies })
  for (const [index, { line, write, not, reason }] of rows.entries()) {
    t.doesNotThrow(() => app.get(`/${index}`, { config: { cors: write as cors.RouteCors } }, ok), line)
    const error = refusal(() => app.put(`/${index}`, { config: { cors: not as cors.RouteCors } }, ok))
    t.ok(error.problems?.some((problem) => problem.reason === reason), `${line}: ${error.message}`)
  }
})

t.test('the tables name every field and nearly every reason', async (t) => {
  t.ok(rows.length > 60)
  for (const field of ['origin', 'credentials', 'allowedHeaders', 'exposedHeaders', 'maxAge', 'optionsSuccessStatus', 'enforceOrigin', 'extends']) t.match(text, `## \`${field}\``)
  const reasons = new Set(rows.map(({ reason }) => reason))
  // Refused where the plugin is registered.
  t.match(text, '`cyclic-extends`')
  t.equal(reasons.size, 15)
})
