// The conformance cases in real Chromium, beside the model of the Fetch standard: what the pages could read, why Chromium blocked the rest,
// and what reached the servers have to be what the model expects. Where they are not, known-differences.ts says why. Then the negative
// control: the same cases in a Chromium that does not enforce CORS, which has to show.
import t, { type Test } from 'tap'
import type { Failure } from '../../lib/browser/fetch'
import type { Step } from '../conformance/case'
import { casesOf } from '../conformance/cases'
import { Oracle, reachedLines, type Expectation } from '../conformance/expectation'
import { isPreflight, Record } from '../conformance/record'
import { observe, tellsReason, type Comparable } from './conformance-browser'
import { startServers } from './conformance-servers'
import { KNOWN_DIFFERENCES } from './known-differences'
import { launch, SKIPPED, type Launched } from './launch'

/** Chromium's words for the failures of the CORS check. */
const CHECK_REASONS = {
  'no Access-Control-Allow-Origin': 'MissingAllowOriginHeader',
  'wildcard with credentials': 'WildcardOriginNotAllowed',
  'another origin': 'AllowOriginMismatch',
  'credentials not allowed': 'InvalidAllowCredentials'
} as const

/** Chromium's words for the failures of the model. What a page may not even ask for is no network request, and has none. */
const REASONS: { readonly [failure in Failure]: string | undefined } = {
  ...CHECK_REASONS,
  'preflight: no Access-Control-Allow-Origin': `Preflight${CHECK_REASONS['no Access-Control-Allow-Origin']}`,
  'preflight: wildcard with credentials': `Preflight${CHECK_REASONS['wildcard with credentials']}`,
  'preflight: another origin': `Preflight${CHECK_REASONS['another origin']}`,
  'preflight: credentials not allowed': `Preflight${CHECK_REASONS['credentials not allowed']}`,
  'preflight: status': 'PreflightInvalidStatus',
  'preflight: redirect': 'PreflightDisallowedRedirect',
  'preflight: unreadable list': 'InvalidAllowMethodsPreflightResponse',
  'method not allowed': 'MethodDisallowedByPreflightResponse',
  'header not allowed': 'HeaderDisallowedByPreflightResponse',
  'redirect with credentials': 'RedirectContainsCredentials',
  'too many redirects': undefined,
  'forbidden method': undefined
}

function comparable ({ steps, failures, reached }: Expectation, asked: readonly Step[]): Comparable {
  const reasons = failures.flatMap((failure, index) => failure === undefined || !tellsReason(asked[index] as Step) ? [] : REASONS[failure] ?? [])
  return { steps, reasons, reached: reachedLines(reached.flat()) }
}

/** What no switch allows: methods that are forbidden to every page, and names and passwords in the addresses of redirects. */
const NOT_OF_WEB_SECURITY: readonly Failure[] = ['forbidden method', 'redirect with credentials']

/** Cookies of other sites are a matter of the user's settings, not of CORS: Chromium's tests of them need a user that allows them. */
const WITH_CROSS_SITE_COOKIES = { profile: { cookie_controls_mode: 0 } }

t.setTimeout(120_000)

t.test('conformance', { timeout: 120_000 }, async (t) => {
  const started = (flags: string[] = []): Promise<Launched | undefined> => launch({ flags, preferences: WITH_CROSS_SITE_COOKIES })
  const launched = await started()
  if (launched === undefined) return t.plan(0, SKIPPED)
  t.teardown(launched.close)
  const record = new Record()
  const servers = await startServers(record)
  t.teardown(servers.close)
  const { world } = servers
  const cases = casesOf(world)
  const oracle = await Oracle.create(world)
  t.teardown(() => oracle.close())
  const expected: Expectation[] = []
  for (const [id, each] of cases.entries()) expected.push(await oracle.expect(each, id))

  await t.test('Chromium does what the standard says', async (t: Test) => {
    const differences = new Map(Object.values(KNOWN_DIFFERENCES).flatMap((difference) => Object.entries(difference.cases)))
    t.strictSame([...differences.keys()].filter((name) => !cases.some((each) => each.name === name)), [], 'every known difference is one of a case')
    const observed = await observe(launched.browser, world, cases, 0)
    for (const [id, { name, steps }] of cases.entries()) {
      const standard = comparable(expected[id] as Expectation, steps)
      const actual: Comparable = { ...observed[id] as Comparable, reached: reachedLines(record.of(id)) }
      const difference = differences.get(name)
      if (difference !== undefined) t.strictNotSame(actual, standard, `${name}: differs from the standard`)
      t.strictSame(actual, difference?.(standard, world) ?? standard, name)
    }
    const overTls = cases.flatMap((_case, id) => record.of(id)).filter(({ host }) => host === new URL(world.apis.secure).host)
    t.strictSame([...new Set(overTls.map(({ httpVersion }) => httpVersion))], ['2.0'], `${overTls.length} requests came over HTTP/2`)
  })

  await t.test('without web security, what was blocked turns readable', async (t: Test) => {
    const insecure = await started(['--disable-web-security']) as Launched
    t.teardown(insecure.close)
    const observed = await observe(insecure.browser, world, cases, cases.length)
    for (const [id, { name, steps }] of cases.entries()) {
      const { steps: standard, failures } = expected[id] as Expectation
      const blocked = standard.map(({ result }, index) => ({ index, result, failure: failures[index] as Failure })).filter(({ result }) => result === 'blocked')
      if (blocked.length === 0) continue
      t.strictSame(
        blocked.map(({ index }) => observed[id]?.steps[index]?.result),
        blocked.map(({ failure }) => NOT_OF_WEB_SECURITY.includes(failure) ? 'blocked' : 'readable'),
        `${name}: ${steps.length} requests`
      )
    }
    t.strictSame(cases.flatMap((_case, id) => record.of(cases.length + id).filter(isPreflight)), [], 'no page paid a preflight')
  })
})
