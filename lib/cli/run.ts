// Runs a command: asks the application in a process of its own, prints the answer, and says with which code to end.
import { fork } from 'node:child_process'
import { statSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { printable } from '../errors'
import type { CorsExplanation, CorsRoute } from '../explain/types'
import type { Outcome, Task } from './application'
import { HELP, readArguments, type Command } from './arguments'
import { explanationText, routesText } from './text'

/** What is used of `process`. */
export interface Io {
  readonly stdout: { write (text: string): unknown, isTTY?: boolean }
  readonly stderr: { write (text: string): unknown }
  readonly env: Readonly<Record<string, string | undefined>>
}

/** How long an application that has answered may take to close. */
const CLOSING_SECONDS = 2

/** 0: allowed, or the routes are printed. 1: blocked. 2: could not tell. */
export async function run (args: readonly string[], { stdout, stderr, env }: Io): Promise<0 | 1 | 2> {
  try {
    const command = readArguments(args)
    if (command === 'help') {
      stdout.write(HELP)
      return 0
    }
    const answer = await ask(command)
    const colour = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === ''
    if (command.json) stdout.write(`${escaped(JSON.stringify(answer, null, 2))}\n`)
    else stdout.write(command.question === undefined ? routesText(answer as CorsRoute[]) : explanationText(answer as CorsExplanation, colour))
    return command.question === undefined || (answer as CorsExplanation).allowed ? 0 : 1
  } catch (error) {
    stderr.write(`fastify-cors-policy: ${escaped((error as Error).message)}\nSee fastify-cors-policy --help\n`)
    return 2
  }
}

/** Line by line. In JSON, an escape stays the character. */
function escaped (text: string): string {
  return text.split('\n').map(printable).join('\n')
}

function ask ({ file, question, timeout }: Command): Promise<unknown> {
  const path = resolve(file)
  if (!isFile(path)) throw new Error(`there is no file ${JSON.stringify(path)}`)
  return new Promise((resolve, reject) => {
    const child = fork(join(__dirname, `application${extname(__filename)}`), {
      stdio: ['ignore', 2, 'inherit', 'ipc'],
      execArgv: [...process.execArgv, ...typesStripped(path)]
    })
    let outcome: Outcome | undefined
    let why = 'the application ended before it was ready'
    const endAfter = (seconds: number): NodeJS.Timeout => setTimeout(() => {
      why = `the application did not answer within ${seconds} seconds`
      child.kill('SIGKILL')
    }, seconds * 1000)
    let timer = endAfter(timeout)
    // The application may send messages of its own.
    child.on('message', (message: Outcome | null) => {
      if (outcome !== undefined || (message?.corsAnswer === undefined && message?.corsFailure === undefined)) return
      outcome = message
      clearTimeout(timer)
      timer = endAfter(CLOSING_SECONDS)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      if (outcome?.corsAnswer !== undefined) resolve(outcome.corsAnswer)
      else reject(new Error(outcome?.corsFailure ?? (code === null ? why : `${why}, with exit code ${code}`)))
    })
    const task: Task = question === undefined ? { file: path } : { file: path, question }
    // Where it cannot be sent, the process has ended, and that is told above.
    child.send(task, () => {})
  })
}

/** A path that cannot be looked at, such as one that is too long, leads to no file either. */
function isFile (path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The option with which Node runs TypeScript: from 22.6 on it has one, and later it needs none. */
function typesStripped (path: string): string[] {
  const option = '--experimental-strip-types'
  return /\.[cm]?ts$/.test(path) && process.allowedNodeEnvironmentFlags.has(option) ? [option] : []
}
