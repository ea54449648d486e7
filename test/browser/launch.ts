// Real Chromium for the browser tests: starts it, tells what its network did, and leaves nothing behind. Without Chromium the tests
// are skipped, unless CORS_REQUIRE_BROWSER=1 asks for them.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Frame, type Page } from 'playwright-core'

export const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium'

/** Why a browser test did not run. */
export const SKIPPED = `no Chromium at ${CHROMIUM}: install it, or say where it is with CHROMIUM_PATH`

// All of its flags: Playwright's own would turn off parts of the browser that users have.
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--ignore-certificate-errors',
  // Any name below .test is this machine, and each an origin of its own; nothing else is reached.
  '--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
  '--remote-debugging-pipe'
]

export interface Launched {
  readonly browser: Browser
  /** Ends Chromium and removes its files. */
  close (): Promise<void>
}

interface LaunchOptions {
  /** More flags. */
  readonly flags?: readonly string[]
  /** Settings of the profile: what a user can change, as the file `Preferences` has it. */
  readonly preferences?: object
}

/** Starts Chromium with a new profile; undefined where there is none. */
export async function launch ({ flags = [], preferences }: LaunchOptions = {}): Promise<Launched | undefined> {
  if (!existsSync(CHROMIUM)) {
    if (process.env.CORS_REQUIRE_BROWSER === '1') throw new Error(`CORS_REQUIRE_BROWSER=1, but there is ${SKIPPED}`)
    return undefined
  }
  const profile = await mkdtemp(join(tmpdir(), 'fastify-cors-policy-chromium-'))
  const remove = (): Promise<void> => rm(profile, { recursive: true, force: true, maxRetries: 10 })
  try {
    if (preferences !== undefined) {
      await mkdir(join(profile, 'Default'))
      await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences))
    }
    const browser = await chromium.launch({ executablePath: CHROMIUM, ignoreDefaultArgs: true, args: [...FLAGS, ...flags, `--user-data-dir=${profile}`] })
    return {
      browser,
      async close () {
        await browser.close().finally(remove)
      }
    }
  } catch (err) {
    await remove()
    throw err
  }
}

/** One request that a page made; preflights are requests of their own. */
export interface NetworkRequest {
  readonly method: string
  readonly url: string
  /** The page or frame that made it. */
  readonly document: string
  readonly preflight: boolean
  status?: number
  /** Whether it has come to its end. */
  ended?: boolean
  /** Why CORS blocked it, in Chromium's words: Network.CorsError of the DevTools protocol. */
  corsError?: string
}

/** Records what a page and its frames of the same process request from now on, or a frame in a process of its own; call what it returns for the list so far. */
export async function recordNetwork (target: Page | Frame): Promise<() => readonly NetworkRequest[]> {
  const session = await ('context' in target ? target : target.page()).context().newCDPSession(target)
  const requests = new Map<string, NetworkRequest>()
  session.on('Network.requestWillBeSent', ({ requestId, request: { method, url }, documentURL, initiator }) => {
    requests.set(requestId, { method, url, document: documentURL, preflight: initiator.type === 'preflight' })
  })
  session.on('Network.responseReceived', ({ requestId, response }) => {
    const request = requests.get(requestId)
    if (request !== undefined) request.status = response.status
  })
  session.on('Network.loadingFailed', ({ requestId, corsErrorStatus }) => {
    const request = requests.get(requestId)
    if (request === undefined) return
    request.ended = true
    if (corsErrorStatus !== undefined) request.corsError = corsErrorStatus.corsError
  })
  session.on('Network.loadingFinished', ({ requestId }) => {
    const request = requests.get(requestId)
    if (request !== undefined) request.ended = true
  })
  await session.send('Network.enable')
  return () => [...requests.values()]
}
