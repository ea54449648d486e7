// The engines that the conformance cases run in, in this order. One that is not installed is skipped, unless CORS_REQUIRE_BROWSER=1 asks for all.
// CORS_BROWSERS=Firefox,WebKit runs these alone.
import { chromium } from './chromium'
import type { Engine } from './engine'
import { firefox } from './firefox'
import { webkit } from './webkit'

export const ENGINES: readonly Engine[] = [chromium, firefox, webkit]

/** Why the tests of an engine do not run, or undefined if they do. */
export function skipped ({ name, missing }: Engine): string | undefined {
  const chosen = process.env.CORS_BROWSERS?.split(',')
  if (chosen !== undefined && !chosen.includes(name)) return `${name} is not among CORS_BROWSERS`
  if (missing !== undefined && process.env.CORS_REQUIRE_BROWSER === '1') throw new Error(`CORS_REQUIRE_BROWSER=1, but ${name} is not complete: ${missing}`)
  return missing
}
