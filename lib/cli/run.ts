// Runs a command: asks the application in a process of its own, prints the answer, and says with which code to end.
import { fork } from 'node:child_process'
import { statSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { printable } from '../errors'
import type { CorsExplanation, CorsRoute } from '../explain/types'
import type { Outcome } from './application'
import { HELP, readArguments, type Command } from './arguments'
import { explanationText, routesText } from './text'

/** What is used of `process`. */
export interface Io {
  readonly stdout: { write (text: string): unknown, isTTY?: boolean }
  readonly stderr: { write (text: string): unknown }
  readonly env: Readonly<Record<string, string | undefined>>
}

/** 0: allowed, or the routes are printed. 1: blocked. 2: could not tell. */
export async function run (args: readonly string[], { stdout, stderr, env }: Io): Promise<0 | 1 | 2> {
  try {
    const command = readArguments(args)
    if (command === 'help') {
      stdout.write(HELP)
      return 0
    }
    const value = await ask(command)
    const colour = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === ''
    if (command.json) stdout.write(`${escaped(JSON.stringify(value, null, 2))}\n`)
    else stdout.write(command.question === undefined ? routesText(value as CorsRoute[]) : explanationText(value as CorsExplanation, colour))
    return command.question === undefined || (value as CorsExplanation).allowed ? 0 : 1
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
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) throw new Error(`there is no file ${path}`)
  const typescript = /\.[cm]?ts$/.test(path) && process.allowedNodeEnvironmentFlags.has('--experimental-strip-types')
  return new Promise((resolve, reject) => {
    const child = fork(join(__dirname, `application${extname(__filename)}`), [JSON.stringify([path, question])], {
      stdio: ['ignore', 2, 'inherit', 'ipc'],
      execArgv: [...process.execArgv, ...(typescript ? ['--experimental-strip-types'] : [])]
    })
    let outcome: Outcome | undefined
    let late = false
    const timer = setTimeout(() => { late = true; child.kill('SIGKILL') }, timeout * 1000)
    child.on('message', (message: Outcome | null) => {
      if (message?.corsAnswer !== undefined || message?.corsFailure !== undefined) outcome ??= message
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      if (outcome?.corsAnswer !== undefined) resolve(outcome.corsAnswer)
      else reject(new Error(outcome?.corsFailure ?? (late ? `the application was not ready after ${timeout} seconds` : `the application ended before it was ready, with exit code ${code}`)))
    })
  })
}
