// The application in a process of its own (application.ts): starts it, asks it, ends it.
import { fork, type ChildProcess } from 'node:child_process'
import { statSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import type { Loading, Task, TaskReply, ToApplication } from './application'

/** The time limit for closing the application, after it has answered. */
const CLOSING_SECONDS = 2

/** The application that a command asks. */
export interface LoadedApplication {
  /** The answer to a task. Rejects with the reason why there is none, in one line where it can be. */
  readonly ask: (task: Task) => Promise<unknown>
}

/**
 * Loads the application, passes it to `use`, and ends it, whatever comes of that. It may take `timeout` seconds to load, and the same for each answer.
 *
 * @throws Error with the reason why the application does not load or answer
 */
export async function withApplication<Result> (
  file: string, timeout: number, use: (application: LoadedApplication) => Promise<Result>, loading?: Loading
): Promise<Result> {
  const path = resolve(file)
  if (!isFile(path)) throw new Error(`there is no file ${JSON.stringify(path)}`)
  const application = new ApplicationProcess(path, timeout)
  try {
    await application.load(loading)
    return await use(application)
  } finally {
    await application.end()
  }
}

class ApplicationProcess implements LoadedApplication {
  readonly #path: string
  readonly #child: ChildProcess
  readonly #closed: Promise<void>
  readonly #timeout: number
  /** Receives the next reply, or why there is none. */
  #waiting: ((reply: TaskReply) => void) | undefined
  /** Why no reply will come any more. */
  #failure: string | undefined

  constructor (path: string, timeout: number) {
    this.#path = path
    this.#timeout = timeout
    const child = this.#child = fork(join(__dirname, `application${extname(__filename)}`), {
      stdio: ['ignore', 2, 'inherit', 'ipc'],
      execArgv: [...process.execArgv, ...stripTypesFlags(path)]
    })
    // The application may send other messages through `process.send`.
    child.on('message', (message: TaskReply | null) => {
      if (message?.corsAnswer !== undefined || message?.corsFailure !== undefined) this.#waiting?.(message)
    })
    child.on('error', ({ message }) => this.#fail(message))
    this.#closed = new Promise((resolve) => child.once('close', (code) => {
      this.#fail(`the application ended before it was ready${code === null ? '' : `, with exit code ${code}`}`)
      resolve()
    }))
  }

  async load (loading?: Loading): Promise<void> {
    await this.#reply(loading === undefined ? { load: this.#path } : { load: this.#path, loading })
  }

  readonly ask = async (task: Task): Promise<unknown> => await this.#reply({ task })

  async #reply (message: ToApplication): Promise<unknown> {
    const timer = setTimeout(() => this.#fail(`the application did not answer within ${this.#timeout} seconds`), this.#timeout * 1000)
    try {
      const { corsAnswer, corsFailure } = await new Promise<TaskReply>((resolve) => {
        this.#waiting = resolve
        if (this.#failure !== undefined) resolve({ corsFailure: this.#failure })
        else this.#send(message)
      })
      if (corsFailure !== undefined) throw new Error(corsFailure)
      return corsAnswer
    } finally {
      clearTimeout(timer)
      this.#waiting = undefined
    }
  }

  /** If sending fails, the process has ended, and the close event reports it. */
  #send (message: ToApplication): void {
    this.#child.send(message, () => {})
  }

  #fail (failure: string): void {
    this.#failure ??= failure
    this.#waiting?.({ corsFailure: this.#failure })
  }

  /** Lets the application close itself, for a limited time. */
  async end (): Promise<void> {
    const hasFailed = this.#failure !== undefined
    // Node itself could not be started.
    if (this.#child.pid === undefined) return this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), hasFailed ? 0 : CLOSING_SECONDS * 1000)
    this.#send({ close: true })
    await this.#closed
    clearTimeout(timer)
  }
}

/** False also where `stat` fails, for example because the path is too long. */
function isFile (path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The flag with which Node runs TypeScript. Node has it from 22.6 on; later versions run TypeScript without it. */
function stripTypesFlags (path: string): string[] {
  const option = '--experimental-strip-types'
  return /\.[cm]?ts$/.test(path) && process.allowedNodeEnvironmentFlags.has(option) ? [option] : []
}
