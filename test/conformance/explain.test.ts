// app.cors.explain says of every conformance case what the browser model makes of the application's real answers, which is what Chromium does
// (test/browser/conformance.test.ts); and its reason fits the browser's own error. It runs no handler.
import t from 'tap'
import { PreflightCache } from '../../lib/browser/preflight-cache'
import type { CorsExplanationReason } from '../../lib/index'
import { browse, type BodyServer, type Failure } from './browser'
import { casesOf } from './cases'
import { isExplained, Oracle, questionOf, requestOf } from './expectation'
import { IMAGINED, world } from './world'

const here = world(IMAGINED)

/** Why a response has no Access-Control-Allow-Origin. */
const NOT_ALLOWED: readonly CorsExplanationReason[] = ['no-route', 'no-policy', 'off', 'origin-not-allowed', 'null-origin', 'method-not-routed', 'origin-function-failed']

/** The reasons that fit each failure of the model, which in turn is the browser's own error. */
const FITTING: { readonly [failure in Failure]?: readonly CorsExplanationReason[] } = {
  'no Access-Control-Allow-Origin': NOT_ALLOWED,
  'preflight: no Access-Control-Allow-Origin': [...NOT_ALLOWED, 'invalid-request-headers'],
  'credentials not allowed': ['credentials-not-allowed'],
  'wildcard with credentials': ['credentials-not-allowed'],
  'preflight: credentials not allowed': ['credentials-not-allowed'],
  'preflight: wildcard with credentials': ['credentials-not-allowed'],
  'method not allowed': ['method-not-routed'],
  'header not allowed': ['header-not-allowed'],
  'forbidden method': ['forbidden-method']
}

t.test('explain predicts the verdict, the exchanges and the reason that the model of a browser finds', async (t) => {
  const oracle = await Oracle.create(here)
  t.teardown(() => oracle.close())
  const arriving: BodyServer = async (request) => {
    const { status, headers, body } = await oracle.server(request)
    return { status, headers: headers.filter(([name]) => name !== 'location' || request.method === 'OPTIONS'), body }
  }
  const reasons = new Map<CorsExplanationReason, number>()
  let asked = 0
  for (const [id, { name, steps }] of casesOf(here).entries()) {
    for (const step of steps.filter((each) => isExplained(each, here))) {
      const page = requestOf(step, here, id)
      const expected = await browse(arriving, page, { preflights: new PreflightCache() })
      // A request without an id reaches the record of no case: what explain sends is told apart by the id of its own.
      const explainId = `explain-${++asked}`
      const explained = await oracle.api.cors.explain({ ...questionOf(page), url: page.url.replace(/case=\d+$/, `case=${explainId}`) })
      const what = `${name}: ${page.method} ${step.url} from ${step.from}`
      t.equal(explained.allowed, expected.result === 'readable', what)
      t.strictSame(explained.exchanges.map(({ request: { method } }) => method), expected.exchanges.map(({ request: { method } }) => method), `${what}: the exchanges`)
      t.strictSame(oracle.record.of(explainId).flatMap(({ handler }) => handler ?? []), [], `${what}: no handler ran`)
      if (expected.failure === undefined) continue
      const { reason } = explained
      t.ok(reason !== null && FITTING[expected.failure]?.includes(reason), `${what}: "${reason}" fits "${expected.failure}"`)
      t.ok(explained.advice, `${what}: says what to do`)
      if (reason !== null) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    }
  }
  t.ok(asked > 600, `${asked} questions`)
  t.strictSame([...reasons.keys()].sort(), [
    'credentials-not-allowed', 'forbidden-method', 'header-not-allowed', 'invalid-request-headers', 'method-not-routed', 'no-policy', 'no-route', 'null-origin', 'off', 'origin-function-failed', 'origin-not-allowed'
  ])
})
