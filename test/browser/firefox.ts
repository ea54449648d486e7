// Firefox for the conformance cases, driven over WebDriver BiDi (https://w3c.github.io/webdriver-bidi/). Why it blocked a request is known
// from its console, whose messages name the URL.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import WebSocket from 'ws'
import { caseOf, named, sandboxedFrame, type Blocked, type Engine, type OpenPage, type RunningBrowser } from './engine'

const FIREFOX = process.env.FIREFOX_PATH || '/usr/bin/firefox-esr'

/** Firefox's own names of its messages, in its table of texts (dom/locales/en-US/chrome/security/security.properties). */
const REASONS = {
  CORSMissingAllowOrigin: 'CORS header ‘Access-Control-Allow-Origin’ missing',
  CORSAllowOriginNotMatchingOrigin: 'CORS header ‘Access-Control-Allow-Origin’ does not match',
  CORSNotSupportingCredentials: 'Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’',
  CORSMissingAllowCredentials: 'expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’',
  CORSMethodNotFound: 'Did not find method in CORS header ‘Access-Control-Allow-Methods’',
  CORSMissingAllowHeaderFromPreflight: 'is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight response',
  CORSPreflightDidNotSucceed: 'CORS preflight response did not succeed',
  CORSExternalRedirectNotAllowed: 'CORS request external redirect not allowed',
  CORSDidNotSucceed: 'CORS request did not succeed'
} as const

export type FirefoxReason = keyof typeof REASONS

const PREFERENCES = {
  // Every name is this machine, and nothing else is reached.
  'network.dns.native-is-localhost': true,
  'network.cookie.cookieBehavior': 0,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'app.update.enabled': false,
  'app.normandy.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'services.settings.server': 'data:,'
}

export const firefox: Engine = {
  name: 'Firefox',
  missing: existsSync(FIREFOX) ? undefined : `no Firefox at ${FIREFOX}: install firefox-esr, or say where it is with FIREFOX_PATH`,
  canTurnOffWebSecurity: false,
  casesAtOnce: 4,
  launch
}

async function launch (): Promise<RunningBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'fastify-cors-policy-firefox-'))
  await writeFile(join(profile, 'user.js'), Object.entries(PREFERENCES).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`).join(''))
  const browser = spawn(FIREFOX, ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port=0', 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Its own home: a profile of root's, or none at all, would not do.
    env: { ...process.env, HOME: profile }
  })
  const kill = (): void => { browser.kill() }
  process.once('exit', kill)
  const close = async (): Promise<void> => {
    process.off('exit', kill)
    if (browser.exitCode === null && browser.signalCode === null) {
      kill()
      await once(browser, 'exit')
    }
    await rm(profile, { recursive: true, force: true, maxRetries: 10 })
  }
  try {
    const connection = await Connection.open(`${await listening(browser)}/session`)
    await connection.send('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } })
    await connection.send('session.subscribe', { events: ['log.entryAdded'] })
    return new Firefox(connection, close)
  } catch (err) {
    await close()
    throw err
  }
}

/** The address that Firefox prints when it listens. */
async function listening (browser: ChildProcess): Promise<string> {
  const lines = createInterface({ input: browser.stderr as NodeJS.ReadableStream })
  const printed: string[] = []
  for await (const line of lines) {
    const address = /^WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1]
    if (address === undefined) {
      printed.push(line)
      continue
    }
    browser.stderr?.resume()
    return address
  }
  throw new Error(`Firefox ended without listening: ${printed.join('\n')}`)
}

interface Message { id?: number, type: string, result?: unknown, error?: string, message?: string, method?: string, params?: unknown }
interface LogEntry { text: string | null }

/** Commands and their results, and the texts of the console, in order. */
class Connection {
  readonly texts: string[] = []
  readonly #socket: WebSocket
  readonly #pending = new Map<number, { resolve: (result: never) => void, reject: (err: Error) => void }>()
  #id = 0

  private constructor (socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data) => this.#receive(JSON.parse(String(data)) as Message))
    socket.on('close', () => {
      for (const { reject } of this.#pending.values()) reject(new Error('Firefox closed the connection'))
    })
  }

  static async open (address: string): Promise<Connection> {
    const socket = new WebSocket(address)
    await once(socket, 'open')
    return new Connection(socket)
  }

  async send <T>(method: string, params: object): Promise<T> {
    const id = ++this.#id
    return await new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }

  close (): void {
    this.#socket.close()
  }

  #receive ({ id, type, result, error, message, method, params }: Message): void {
    if (type === 'event') {
      if (method === 'log.entryAdded') this.texts.push((params as LogEntry).text ?? '')
      return
    }
    const pending = this.#pending.get(id as number)
    this.#pending.delete(id as number)
    if (type === 'success') pending?.resolve(result as never)
    else pending?.reject(new Error(`${error}: ${message}`))
  }
}

interface Context { readonly context: string, readonly children?: readonly Context[] }
interface Evaluated { readonly type: 'success' | 'exception', readonly result: { readonly value: string }, readonly exceptionDetails?: { readonly text: string } }

class Firefox implements RunningBrowser {
  readonly #pages: FirefoxPage[] = []
  #markers = 0

  constructor (readonly connection: Connection, readonly end: () => Promise<void>) {}

  async open (url: string, sandboxed = false): Promise<OpenPage> {
    const { context } = await this.connection.send<Context>('browsingContext.create', { type: 'tab', background: true })
    await this.connection.send('browsingContext.navigate', { context, url, wait: 'complete' })
    let page = new FirefoxPage(this.connection, context)
    if (sandboxed) {
      await page.evaluate(sandboxedFrame(url))
      const { contexts: [tab] } = await this.connection.send<{ contexts: Context[] }>('browsingContext.getTree', { root: context })
      page = new FirefoxPage(this.connection, (tab?.children?.[0] as Context).context)
    }
    this.#pages.push(page)
    return page
  }

  async blocked (): Promise<readonly Blocked[]> {
    // The console is a little late: what a page says now comes after all that was said of it.
    const { texts } = this.connection
    const markers = await Promise.all(this.#pages.map(async (page) => {
      const marker = `all is said: ${++this.#markers}`
      await page.evaluate(`console.log(${JSON.stringify(marker)}) ?? true`)
      return marker
    }))
    for (let waits = 0; !markers.every((marker) => texts.includes(marker)); waits++) {
      if (waits === 100) throw new Error('Firefox lost a line of the console')
      await setTimeout(50)
    }
    return withoutEchoes(texts.flatMap(blockedBy))
  }

  async close (): Promise<void> {
    this.connection.close()
    await this.end()
  }
}

class FirefoxPage implements OpenPage {
  constructor (readonly connection: Connection, readonly context: string) {}

  async evaluate (expression: string): Promise<unknown> {
    const { type, result, exceptionDetails } = await this.connection.send<Evaluated>('script.evaluate', {
      expression: `Promise.resolve(${expression}).then((value) => JSON.stringify(value ?? null))`,
      target: { context: this.context },
      awaitPromise: true
    })
    if (type === 'exception') throw new Error(exceptionDetails?.text)
    return JSON.parse(result.value)
  }
}

/** A message of the console, if it says that CORS blocked a request. */
function blockedBy (text: string): Blocked[] {
  const [, url, words] = /^Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at ‘?(\S+?)’?\. \(Reason: (.+)\)\./s.exec(text) ?? []
  return url === undefined || words === undefined ? [] : [{ id: caseOf(url), reason: named(REASONS, words), text: words }]
}

/** What a preflight or a redirect blocks is told twice: with its reason, and then as a request that did not succeed. */
function withoutEchoes (blocked: readonly Blocked[]): Blocked[] {
  return blocked.filter(({ id, reason }, index) => reason !== 'CORSDidNotSucceed' || blocked.slice(0, index).findLast((each) => each.id === id) === undefined)
}
