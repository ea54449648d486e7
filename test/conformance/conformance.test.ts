// The conformance cases without a browser: what the model of the Fetch standard makes of the plugin's answers has to be what each case
// says that its policy means. test/browser/conformance.test.ts asks real browsers the same.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { differencesOf, KNOWN_DIFFERENCES } from '../browser/known-differences'
import { ENGINE_NAMES } from '../browser/reasons'
import { readable, step, type Meaning } from './case'
import { casesOf } from './cases'
import { newBrowser, Oracle, type Expectation } from './expectation'
import type { PolicyName } from './policies'
import { isPreflight, type Entry } from './record'
import { documentedPreflights, sequencesOf } from './sequences'
import { IMAGINED, world } from './world'

const here = world(IMAGINED)
const cases = casesOf(here)

/** What came of a step, in the terms of its meaning; only what the meaning speaks of. */
function observed (meaning: Meaning, { steps, failures, reached }: Expectation, index: number): Meaning {
  const { result, status, headerNames = [] } = steps[index] as Expectation['steps'][number]
  const entries = reached[index] as readonly Entry[]
  const cookies = entries.filter((entry) => !isPreflight(entry)).flatMap(({ cookie }) => cookie?.split('; ').map((pair) => pair.replace(/=.*/, '')) ?? [])
  const failure = failures[index]
  return {
    result,
    preflights: entries.filter(isPreflight).length,
    runs: entries.flatMap(({ handler }) => handler ?? []),
    ...(meaning.failure !== undefined && failure !== undefined && { failure }),
    ...(meaning.status !== undefined && status !== undefined && { status }),
    ...(meaning.sees !== undefined && { sees: meaning.sees.filter((name) => headerNames.includes(name)) }),
    ...(meaning.hides !== undefined && { hides: meaning.hides.filter((name) => !headerNames.includes(name)) }),
    ...(meaning.cookies !== undefined && { cookies: [...new Set(cookies)].sort() })
  }
}

t.test('every case has a name of its own', async (t) => {
  t.ok(cases.length >= 150, `${cases.length} cases`)
  t.strictSame(cases.length, new Set(cases.map(({ name }) => name)).size, 'every name is one case')
})

t.test('the plugin\'s answers make the model of a browser do what the policies mean', async (t) => {
  const oracle = await Oracle.create(here)
  t.teardown(() => oracle.close())
  for (const [id, theCase] of cases.entries()) {
    const expectation = await oracle.expect(theCase, id)
    const means = theCase.steps.map((step) => step.means)
    t.strictSame(means.map((meaning, index) => observed(meaning, expectation, index)), means, theCase.name)
  }
})

t.test('a browser remembers a preflight for as long as its policy says', async (t) => {
  const oracle = await Oracle.create(here)
  t.teardown(() => oracle.close())
  const url = (policy: PolicyName): string => `${here.apis.api}/${policy}`
  // Each policy, and the seconds after which a page pays again. Chromium remembers for two hours at most.
  const table: Array<[policy: PolicyName, seconds: number]> = [['exact', 5], ['kept', 600], ['kept-credentials', 600], ['kept-for-a-day', 7200], ['not-kept', 0]]
  for (const [id, [policy, seconds]] of table.entries()) {
    const browser = newBrowser(here)
    const paid: number[] = []
    for (const now of [0, Math.max(0, seconds - 1), seconds]) {
      browser.preflights.now = now
      const again = { name: policy, steps: [step('app', url(policy), readable(`PUT /${policy}`), { method: 'PUT' })] }
      const { reached } = await oracle.expect(again, cases.length + id, browser)
      paid.push(reached.flat().filter(isPreflight).length)
    }
    t.strictSame(paid, seconds === 0 ? [1, 1, 1] : [1, 0, 1], `${policy}: ${seconds} seconds`)
  }
})

t.test('a page causes as many preflights as docs/conformance.md says of the standard', async (t) => {
  const oracle = await Oracle.create(here)
  t.teardown(() => oracle.close())
  const counted: Array<[string, number | undefined]> = []
  for (const [index, sequence] of sequencesOf(here).entries()) {
    const { steps, reached } = await oracle.expect(sequence, cases.length + 100 + index)
    t.ok(steps.every(({ result }) => result === 'readable'), `${sequence.name}: every request is allowed`)
    counted.push([sequence.name, reached.flat().filter(isPreflight).length])
  }
  t.strictSame(counted, [...documentedPreflights()].map(([name, counts]) => [name, counts['the standard']]))
})

t.test('docs/conformance.md says what the cases and the known differences say', async (t) => {
  const text = readFileSync(join(__dirname, '../../docs/conformance.md'), 'utf8')
  const rows = text.split('\n').filter((line) => line.startsWith('| `')).map((line) => line.slice(2, -2).split(' | '))
  const names = new Set(cases.map(({ name }) => name))
  // The table of behaviours: tests, what they are about, our cases, engines that differ.
  const mapped = rows.filter(([, , ours = '', ...rest]) => rest.length === 1 && ours.includes(': '))
  t.ok(mapped.length > 20, `${mapped.length} rows`)
  for (const [tests, , ours = '', verdict = ''] of mapped) {
    const listed = [...ours.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string)
    t.not(listed.length, 0, `${tests}: has cases`)
    t.strictSame(listed.filter((name) => !names.has(name)), [], `${tests}: all of them exist`)
    const differing = ENGINE_NAMES.filter((engine) => listed.some((name) => differencesOf(engine).has(name)))
    t.equal(verdict, differing.join(', ') || 'none', `${tests}: the engines that differ`)
  }
  // The table of known differences: name, engines, what follows.
  const differences = rows.flatMap(([name = '', engines = '', ...rest]) => rest.length === 1 && name.replaceAll('`', '') in KNOWN_DIFFERENCES ? [[name.replaceAll('`', ''), engines.split(', ')]] : [])
  t.strictSame(differences, Object.entries(KNOWN_DIFFERENCES).map(([name, { engines }]) => [name, engines]))
  t.ok(text.includes(`${Math.floor(cases.length / 100) * 100} cases`), 'the number of cases')
})
