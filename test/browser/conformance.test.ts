// The conformance cases in real browsers, beside the model of the Fetch standard: what the pages could read, why the browser blocked the rest,
// and what reached the servers have to be what the model expects. Where they are not, known-differences.ts says why. Then how many preflights
// the browser pays, and the negative control: the same cases in a browser that does not enforce CORS, which has to show. One engine after the
// other, as each of them fills a machine of two cores.
import t, { type Test } from 'tap'
import type { Step } from '../conformance/case'
import { casesOf } from '../conformance/cases'
import { isExplained, Oracle, reachedLines, type Expectation } from '../conformance/expectation'
import { isPreflight, Record } from '../conformance/record'
import { documentedPreflights, sequencesOf } from '../conformance/sequences'
import { hostsOf, observe, type Comparable, type Observed } from './conformance-browser'
import { startServers } from './conformance-servers'
import type { EngineName } from './engine'
import { ENGINES, skipped } from './engines'
import { differencesOf, KNOWN_DIFFERENCES, unfittingOf, UNFITTING_REASONS } from './known-differences'
import { isFitting, reasonsOf, type Failure } from './reasons'

/** What the switch does not allow: methods that are forbidden to every page, and, in Chromium, names and passwords in the addresses of redirects. */
function staysBlocked (engine: EngineName, failure: Failure): boolean {
  return failure === 'forbidden method' || (failure === 'redirect with credentials' && engine === 'Chromium')
}

/** Whether the route leads elsewhere: explain judges one URL. */
function isRedirect ({ url }: Step): boolean {
  return new URL(url).searchParams.has('to')
}

const TIMEOUT = 300_000
t.setTimeout(TIMEOUT)

t.test('real browsers do what the model of the Fetch standard says', { timeout: TIMEOUT }, async (t) => {
  const record = new Record()
  const servers = await startServers(record)
  t.teardown(servers.close)
  const { world } = servers
  const cases = casesOf(world)
  const sequences = sequencesOf(world)
  const oracle = await Oracle.create(world)
  t.teardown(() => oracle.close())
  const expected: Expectation[] = []
  for (const [id, each] of cases.entries()) expected.push(await oracle.expect(each, id))
  const documented = documentedPreflights()
  // Every run of the cases has numbers of its own.
  let next = 0
  const numbers = (count: number): number => (next += count) - count

  const names = [...Object.values(KNOWN_DIFFERENCES).flatMap((difference) => Object.keys(difference.cases)), ...UNFITTING_REASONS.flatMap((difference) => difference.cases)]
  t.strictSame(names.filter((name) => !cases.some((each) => each.name === name)), [], 'every known difference is one of a case')

  for (const engine of ENGINES) {
    await t.test(`${engine.name} does what the model of the Fetch standard says`, { timeout: TIMEOUT }, async (t) => {
      const reason = skipped(engine)
      if (reason !== undefined) return t.plan(0, reason)
      const started = performance.now()
      const browser = await engine.launch({ hosts: hostsOf(world) })
      t.teardown(() => browser.close())

      await t.test(`what ${engine.name} reads, blocks and sends is what the standard says, but for the known differences`, async (t: Test) => {
        const differences = differencesOf(engine.name)
        const first = numbers(cases.length)
        const observed = await observe(browser, engine, world, cases, first)
        for (const [index, { name, steps }] of cases.entries()) {
          const { failures, reached, steps: outcomes } = expected[index] as Expectation
          const standard: Comparable = { steps: outcomes, reasons: reasonsOf(engine.name, failures, steps.map(({ by }) => by)), reached: reachedLines(reached.flat()) }
          const actual: Comparable = { ...observed[index] as Observed, reached: reachedLines(record.of(first + index)) }
          const difference = differences.get(name)
          if (difference !== undefined) t.strictNotSame(actual, standard, `${name}: differs from the standard`)
          t.strictSame(actual, difference?.(standard, world, engine.name) ?? standard, name)
        }
        const overTls = cases.flatMap((_case, index) => record.of(first + index)).filter(({ host }) => host === new URL(world.apis.secure).host)
        t.strictSame([...new Set(overTls.map(({ httpVersion }) => httpVersion))], ['2.0'], `${overTls.length} requests came over HTTP/2`)

        await t.test(`the reason of explain fits the reason that ${engine.name} has for blocking`, async (t: Test) => {
          const known = unfittingOf(engine.name)
          const unfitting: string[] = []
          let compared = 0
          for (const [index, { name, steps }] of cases.entries()) {
            const { steps: [outcome], reasons: [reason, ...more] } = observed[index] as Observed
            const [step, ...later] = steps as [Step]
            if (later.length > 0 || outcome?.result !== 'blocked' || isRedirect(step) || !isExplained(step, world)) continue
            if (reason === undefined) {
              t.strictSame(reasonsOf(engine.name, (expected[index] as Expectation).failures, [step.by]), [], `${name}: of this the engine says nothing`)
              continue
            }
            t.strictSame(more, [], `${name}: one request, one reason`)
            const { reason: explained } = await oracle.explain(step, first + index)
            const fits = explained !== null && isFitting(engine.name, reason as never, explained)
            if (!fits) unfitting.push(name)
            t.ok(fits || known.includes(name), `${name}: ${explained} fits ${reason}`)
            compared++
          }
          t.strictSame(unfitting.sort(), known, 'the known differences show, and nothing else differs')
          t.ok(compared > 100, `${compared} reasons were compared`)
        })
      })

      await t.test(`${engine.name} sends as many preflights as docs/conformance.md says`, async (t: Test) => {
        const first = numbers(sequences.length)
        const observed = await observe(browser, engine, world, sequences, first)
        t.ok(observed.every(({ steps }) => steps.every(({ result }) => result === 'readable')), 'every request is allowed')
        const counted = sequences.map(({ name }, index) => [name, record.of(first + index).filter(isPreflight).length])
        t.strictSame(counted, [...documented].map(([name, counts]) => [name, counts[engine.name]]))
      })

      if (engine.canTurnOffWebSecurity) {
        await t.test(`without web security, ${engine.name} reads what it blocked, but for what it never reads`, async (t: Test) => {
          await browser.close()
          const insecure = await engine.launch({ hosts: hostsOf(world), webSecurity: false })
          t.teardown(() => insecure.close())
          const first = numbers(cases.length)
          const observed = await observe(insecure, engine, world, cases, first)
          for (const [index, { name, steps }] of cases.entries()) {
            const { steps: standard, failures } = expected[index] as Expectation
            const blocked = standard.map(({ result }, at) => ({ at, result, failure: failures[at] as Failure })).filter(({ result }) => result === 'blocked')
            if (blocked.length === 0) continue
            t.strictSame(
              blocked.map(({ at }) => observed[index]?.steps[at]?.result),
              blocked.map(({ failure }) => staysBlocked(engine.name, failure) ? 'blocked' : 'readable'),
              `${name}: ${steps.length} requests`
            )
          }
          t.strictSame(cases.flatMap((_case, index) => record.of(first + index).filter(isPreflight)), [], 'no page paid a preflight')
        })
      }
      t.comment(`${engine.name}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
    })
  }
})
