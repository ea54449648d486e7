// WebKit for the conformance cases: webkit-browser.py, driven over WebDriver (https://www.w3.org/TR/webdriver2/). Why it blocked a request is
// known from its console. The message with the reason has no URL, so the order of the messages tells which case it is about: each case
// announces itself there, and runs alone.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { named, sandboxedFrame, type Blocked, type Engine, type LaunchOptions, type OpenPage, type RunningBrowser } from './engine'

/** WebKit's texts, by names of ours, for it has none (Source/WebCore/loader/CrossOriginAccessControl.cpp). */
const REASONS = {
  OriginNotAllowed: 'is not allowed by Access-Control-Allow-Origin',
  WildcardWithCredentials: 'Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true',
  CredentialsNotAllowed: 'Access-Control-Allow-Credentials is not "true"',
  MethodNotAllowed: 'is not allowed by Access-Control-Allow-Methods',
  HeaderNotAllowed: 'is not allowed by Access-Control-Allow-Headers',
  PreflightNotSuccessful: 'Preflight response is not successful',
  RedirectWithCredentials: 'denied by Cross-Origin Resource Sharing policy: redirection URL'
} as const

export type WebKitReason = keyof typeof REASONS

const DRIVER = '/usr/bin/WebKitWebDriver'
const BROWSER = join(__dirname, 'webkit-browser.py')
const PACKAGES = 'webkit2gtk-driver, xvfb, xauth, python3-gi and gir1.2-webkit2-4.1'

export const webkit: Engine = {
  name: 'WebKit',
  missing: isComplete() ? undefined : `no WebKitGTK that can be driven: install ${PACKAGES}, all of them`,
  canTurnOffWebSecurity: true,
  casesAtOnce: 1,
  launch
}

function isComplete (): boolean {
  if (![DRIVER, '/usr/bin/xvfb-run', '/usr/bin/xauth', '/usr/bin/unshare'].every((file) => existsSync(file))) return false
  return spawnSync('/usr/bin/python3', ['-c', "import gi; gi.require_version('WebKit2', '4.1')"]).status === 0
}

async function launch ({ hosts, webSecurity = true }: LaunchOptions): Promise<RunningBrowser> {
  const home = await mkdtemp(join(tmpdir(), 'fastify-cors-policy-webkit-'))
  const names = join(home, 'hosts')
  await writeFile(names, ['localhost', ...hosts].map((host) => `127.0.0.1 ${host}\n`).join(''))
  const port = await freePort()
  // WebKit asks the system for names. Those in this file are its own: nobody else sees the mount.
  const mount = process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount']
  const script = 'mount --bind "$1" /etc/hosts && exec xvfb-run -a "$2" --port="$3"'
  const driver = spawn('unshare', [...mount, 'sh', '-c', script, 'sh', names, DRIVER, String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own, to be ended as a whole
    env: { ...process.env, HOME: home, TMPDIR: home, XDG_RUNTIME_DIR: home, NO_AT_BRIDGE: '1' }
  })
  const printed: string[] = []
  for (const input of [driver.stdout, driver.stderr]) createInterface({ input }).on('line', (line) => printed.push(line))
  const kill = (): void => { process.kill(-(driver.pid as number)) }
  process.once('exit', kill)
  const close = async (): Promise<void> => {
    process.off('exit', kill)
    if (isRunning(driver)) {
      kill()
      await once(driver, 'exit')
    }
    await rm(home, { recursive: true, force: true, maxRetries: 10 })
  }
  try {
    const address = `http://127.0.0.1:${port}`
    while (!await fetch(`${address}/status`).then(({ ok }) => ok, () => false)) {
      if (!isRunning(driver)) throw new Error(`WebKitWebDriver ended: ${printed.join('\n')}`)
      await setTimeout(50)
    }
    const { sessionId } = await command<{ sessionId: string }>('POST', `${address}/session`, {
      capabilities: {
        alwaysMatch: {
          acceptInsecureCerts: true,
          timeouts: { script: 120_000 },
          'webkitgtk:browserOptions': { binary: BROWSER, args: webSecurity ? [home] : [home, '--disable-web-security'] }
        }
      }
    })
    return new WebKit(`${address}/session/${sessionId}`, printed, close)
  } catch (err) {
    await close()
    throw err
  }
}

function isRunning ({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** One command of WebDriver, and its value. */
async function command <T> (method: string, url: string, body?: object): Promise<T> {
  const response = await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body) }) })
  const { value } = await response.json() as { value: T & { error?: string, message?: string } }
  if (!response.ok) throw new Error(`WebDriver: ${value.error}: ${value.message}`)
  return value
}

class WebKit implements RunningBrowser {
  readonly #session: string
  readonly #printed: readonly string[]
  readonly close: () => Promise<void>
  /** WebDriver does one thing at a time, in the window that it was switched to last. */
  #last: Promise<unknown> = Promise.resolve()
  #markers = 0

  constructor (session: string, printed: readonly string[], close: () => Promise<void>) {
    this.#session = session
    this.#printed = printed
    this.close = close
  }

  async open (url: string, sandboxed = false): Promise<OpenPage> {
    return await this.#alone(async () => {
      const { handle } = await this.#command<{ handle: string }>('/window/new', { type: 'window' })
      await this.#command('/window', { handle })
      await this.#command('/url', { url })
      if (sandboxed) await this.#evaluate(sandboxedFrame(url))
      return {
        evaluate: async (expression: string) => await this.#alone(async () => {
          await this.#command('/window', { handle })
          await this.#command('/frame', { id: sandboxed ? 0 : null })
          const value = await this.#evaluate(expression)
          await this.#isSaid()
          return value
        })
      }
    })
  }

  async blocked (): Promise<readonly Blocked[]> {
    const blocked: Blocked[] = []
    let id = NaN
    for (const line of this.#printed) {
      const [, kind, message] = /^CONSOLE (LOG|SECURITY ERROR) (.*)$/.exec(line) ?? []
      if (kind === 'LOG') id = Number(/^case (\d+)$/.exec(message as string)?.[1] ?? NaN)
      // Elements have a second message: that they were not loaded.
      if (kind === 'SECURITY ERROR' && !/ due to access control checks\.$/.test(message as string)) blocked.push({ id, reason: named(REASONS, message as string), text: message as string })
    }
    return blocked
  }

  /** The console is a little late: what a page says now comes after all that was said of it. */
  async #isSaid (): Promise<void> {
    const marker = `all is said: ${++this.#markers}`
    await this.#evaluate(`console.log(${JSON.stringify(marker)})`)
    for (let waits = 0; !this.#printed.some((line) => line.endsWith(marker)); waits++) {
      if (waits === 200) throw new Error('WebKit lost a line of the console')
      await setTimeout(10)
    }
  }

  async #alone <T> (task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task)
    this.#last = result.catch(() => {})
    return await result
  }

  async #command <T> (path: string, body: object): Promise<T> {
    return await command<T>('POST', this.#session + path, body)
  }

  async #evaluate (expression: string): Promise<unknown> {
    const script = `const done = arguments[0]; Promise.resolve(${expression}).then((value) => done(JSON.stringify({ value })), (error) => done(JSON.stringify({ error: String(error) })))`
    const { value, error } = JSON.parse(await this.#command<string>('/execute/async', { script, args: [] })) as { value?: unknown, error?: string }
    if (error !== undefined) throw new Error(error)
    return value
  }
}
