// The small interface over which the conformance cases drive a browser: chromium.ts, firefox.ts and webkit.ts implement it, engines.ts lists them.
import type { ChromiumReason } from './chromium'
import type { FirefoxReason } from './firefox'
import type { WebKitReason } from './webkit'

/** Why an engine says that it blocked a request: its own names, or its own texts by names of ours. */
export interface EngineReasons {
  readonly Chromium: ChromiumReason
  readonly Firefox: FirefoxReason
  readonly WebKit: WebKitReason
}

export type EngineName = keyof EngineReasons
export type EngineReason = EngineReasons[EngineName]

export interface Blocked {
  /** The number of the case that made the request. */
  readonly id: number
  readonly reason: EngineReason
  /** What its console says, where that is how the reason is known. */
  readonly text?: string
}

export interface OpenPage {
  /** Evaluates an expression in the page, waits for its promise, and returns its value, which has to be JSON. */
  evaluate (expression: string): Promise<unknown>
}

export interface RunningBrowser {
  /** Opens a page in a tab of its own. With `sandboxed`, opens it once more in a frame of that page, with an opaque origin, and returns the frame. */
  open (url: string, sandboxed?: boolean): Promise<OpenPage>
  /** Every request so far that CORS blocked. Those of one case are in the order in which they were made. */
  blocked (): Promise<readonly Blocked[]>
  /** Ends the browser and removes its files. */
  close (): Promise<void>
}

export interface LaunchOptions {
  /** The hosts that the pages know. Each of them is this machine. */
  readonly hosts: readonly string[]
  /** Whether the browser enforces CORS at all. The default is true. */
  readonly webSecurity?: boolean
}

export interface Engine {
  readonly name: EngineName
  /** What is not installed, and how to install it. Undefined if nothing is missing. */
  readonly missing: string | undefined
  /** Whether it can be told not to enforce CORS. */
  readonly canTurnOffWebSecurity: boolean
  /** How many cases a page runs at once: one, where only the order of the console tells which case a message is about. */
  readonly casesAtOnce: number
  /** Starts the browser with a new profile that accepts cookies of other sites: users may block them, which is not a matter of CORS. */
  launch (options: LaunchOptions): Promise<RunningBrowser>
}

/** An expression that puts a frame with an opaque origin into a page, and waits until it has loaded. */
export function sandboxedFrame (url: string): string {
  return `new Promise((resolve) => {
    const frame = document.createElement('iframe')
    frame.sandbox = 'allow-scripts'
    frame.src = ${JSON.stringify(url)}
    frame.onload = () => resolve(true)
    document.body.append(frame)
  })`
}

/** The number of the case that a URL belongs to. NaN for a URL that is of none. */
export function caseOf (url: string): number {
  return Number.parseInt(new URL(url).searchParams.get('case') ?? '')
}

/** The name under which an engine's text is known. */
export function named <Name extends string> (texts: { readonly [name in Name]: string }, message: string): Name {
  const [found] = Object.entries<string>(texts).find(([, text]) => message.includes(text)) ?? []
  if (found === undefined) throw new Error(`the browser has a reason that is not known here: ${message}`)
  return found as Name
}
