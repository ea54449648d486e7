// The table of the engines' reasons, without a browser: each engine's reason for a failure of the model fits every reason of `explain` with
// which the plugin causes that failure, and tells the others apart as far as the engine does.
import t from 'tap'
import type { CorsExplanationReason } from '../../lib/index'
import type { EngineName, EngineReason } from './engine'
import { ENGINE_NAMES, ENGINE_REASONS, FITTING, isFitting, type Failure } from './reasons'

/** The reasons of explain that lead to each failure that an answer of the plugin can cause. */
const CAUSES: { readonly [failure in Failure]?: readonly CorsExplanationReason[] } = {
  'no Access-Control-Allow-Origin': ['origin-not-allowed', 'null-origin', 'invalid-origin', 'origin-function-failed', 'no-route', 'no-policy', 'off'],
  'wildcard with credentials': ['credentials-not-allowed'],
  'credentials not allowed': ['credentials-not-allowed'],
  'preflight: no Access-Control-Allow-Origin': [
    'origin-not-allowed', 'null-origin', 'invalid-origin', 'origin-function-failed', 'no-route', 'no-policy', 'off', 'ambiguous-route', 'method-not-routed',
    'invalid-request-headers', 'answered-before'
  ],
  'preflight: wildcard with credentials': ['credentials-not-allowed'],
  'preflight: credentials not allowed': ['credentials-not-allowed'],
  'method not allowed': ['method-not-routed'],
  'header not allowed': ['header-not-allowed']
}

const fits = (engine: EngineName, reason: EngineReason, refusal: CorsExplanationReason): boolean => isFitting(engine, reason as never, refusal)

for (const engine of ENGINE_NAMES) {
  t.test(`each reason of ${engine} fits the reasons of explain that cause it`, async (t) => {
    for (const [failure, causes] of Object.entries(CAUSES)) {
      const reason = ENGINE_REASONS[engine][failure as Failure] as EngineReason
      t.strictSame(causes.filter((cause) => !fits(engine, reason, cause)), [], `${failure}: ${reason} fits all that causes it`)
    }
    const { 'header not allowed': header, 'method not allowed': method, 'credentials not allowed': credentials, 'no Access-Control-Allow-Origin': origin } = ENGINE_REASONS[engine] as Record<Failure, EngineReason>
    for (const [reason, own] of [[header, 'header-not-allowed'], [method, 'method-not-routed'], [credentials, 'credentials-not-allowed'], [origin, 'origin-not-allowed']] as const) {
      const others = (['header-not-allowed', 'method-not-routed', 'credentials-not-allowed', 'origin-not-allowed'] as const).filter((each) => each !== own && !(reason === 'CORSMissingAllowOrigin' && each === 'method-not-routed'))
      t.strictSame(others.filter((each) => fits(engine, reason, each)), [], `${reason} is nothing but ${own}`)
    }
    for (const reason of Object.keys(FITTING[engine])) t.notOk(fits(engine, reason as EngineReason, 'forbidden-method'), `${reason}: what is never asked for has no reason`)
  })
}
