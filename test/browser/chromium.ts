// Chromium for the conformance cases. Why it blocked a request is told by the DevTools protocol.
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { BrowserContext, Frame, Page } from 'playwright-core'
import { caseOf, sandboxedFrame, type Blocked, type Engine, type LaunchOptions, type OpenPage, type RunningBrowser } from './engine'
import { CHROMIUM, launch as launchChromium, recordNetwork, SKIPPED, type NetworkRequest } from './launch'

/** Network.CorsError of the DevTools protocol, as far as a server can be the cause. */
export type ChromiumReason =
  | 'MissingAllowOriginHeader' | 'MultipleAllowOriginValues' | 'InvalidAllowOriginValue' | 'AllowOriginMismatch' | 'WildcardOriginNotAllowed' | 'InvalidAllowCredentials'
  | 'PreflightMissingAllowOriginHeader' | 'PreflightMultipleAllowOriginValues' | 'PreflightInvalidAllowOriginValue' | 'PreflightAllowOriginMismatch'
  | 'PreflightWildcardOriginNotAllowed' | 'PreflightInvalidAllowCredentials' | 'PreflightInvalidStatus' | 'PreflightDisallowedRedirect'
  | 'InvalidAllowMethodsPreflightResponse' | 'InvalidAllowHeadersPreflightResponse' | 'MethodDisallowedByPreflightResponse'
  | 'HeaderDisallowedByPreflightResponse' | 'RedirectContainsCredentials'

export const chromium: Engine = {
  name: 'Chromium',
  missing: existsSync(CHROMIUM) ? undefined : SKIPPED,
  canTurnOffWebSecurity: true,
  casesAtOnce: 4,
  launch
}

// The setting "block third-party cookies", turned off.
const PREFERENCES = { profile: { cookie_controls_mode: 0 } }

async function launch ({ webSecurity = true }: LaunchOptions): Promise<RunningBrowser> {
  const launched = await launchChromium({ flags: webSecurity ? [] : ['--disable-web-security'], preferences: PREFERENCES })
  if (launched === undefined) throw new Error(SKIPPED)
  return new Chromium(await launched.browser.newContext({ ignoreHTTPSErrors: true }), launched.close)
}

type Network = () => readonly NetworkRequest[]

class Chromium implements RunningBrowser {
  readonly #context: BrowserContext
  readonly #networks: Network[] = []
  readonly close: () => Promise<void>

  constructor (context: BrowserContext, close: () => Promise<void>) {
    this.#context = context
    this.close = close
  }

  async open (url: string, sandboxed = false): Promise<OpenPage> {
    const page = await this.#context.newPage()
    await page.goto(url)
    let target: Page | Frame = page
    if (sandboxed) {
      await page.evaluate(sandboxedFrame(url))
      target = page.frames().find((each) => each !== page.mainFrame()) as Frame
    }
    this.#networks.push(await recordNetwork(target))
    return { evaluate: async (expression) => await target.evaluate(expression) }
  }

  async blocked (): Promise<readonly Blocked[]> {
    await Promise.all(this.#networks.map(ended))
    return this.#networks.flatMap((network) => network()).flatMap(({ url, corsError }) => corsError === undefined ? [] : { id: caseOf(url), reason: corsError as ChromiumReason })
  }
}

/** Pages know outcomes a little before the DevTools protocol tells of them. It may never tell of the end of a response that no page can read; CORS let that one pass. */
async function ended (network: Network): Promise<void> {
  const unfinished = (): NetworkRequest[] => network().filter(({ url, preflight, status, ended }) => url.includes('case=') && !preflight && status === undefined && ended !== true)
  for (let waits = 0; unfinished().length > 0; waits++) {
    if (waits === 100) throw new Error(`Chromium never told of the end of ${unfinished().map(({ method, url }) => `${method} ${url}`).join(', ')}`)
    await setTimeout(50)
  }
}
