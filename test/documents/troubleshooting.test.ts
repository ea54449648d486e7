// docs/troubleshooting.md: its programs compile, and print what is shown; its table has every reason once. That explain gives the advice there is
// for test/explain/explain.test.ts, that the browsers say so for test/browser/troubleshooting.test.ts.
import t from 'tap'
import { Examples, printed } from '../support/run-examples'
import { BROWSERS, REASONS, troubles } from '../support/troubles'

const docs = new Examples('docs/troubleshooting.md')

t.test('the programs of docs/troubleshooting.md compile, and print what is shown', async (t) => {
  t.same(docs.compileErrors(), [])
  const outputs = [...docs.text.matchAll(/^```text\n([^]*?)^```$/gm)].map(([, output]) => output)
  t.equal(docs.blocks.length, 2)
  for (const [index, code] of docs.blocks.entries()) t.equal(await printed(t, code), outputs[index])
})

t.test('the table of docs/troubleshooting.md has every reason once, and what each browser says', async (t) => {
  t.strictSame(troubles.map(({ reason }) => reason), REASONS)
  for (const { reason, says } of troubles) for (const browser of BROWSERS) t.not(says[browser], '', `${reason}: ${browser}`)
})
