// Runs a command: starts the child process that loads the application (application.ts), prints the answer, and returns the exit code. cli.ts calls it.
import { fork } from 'node:child_process'
import { statSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { printable } from '../messages/errors'
import type { CorsExplanation, CorsRoute } from '../devtools/types'
import type { Task, TaskReply } from './application'
import { HELP, readArguments, type Command } from './arguments'
import { explanationText, routesText } from './text'

/** The members of `process` that are used. */
export interface ProcessStreams {
  readonly stdout: { write (text: string): unknown, isTTY?: boolean }
  readonly stderr: { write (text: string): unknown }
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The time limit for closing the application, after it has answered. */
const CLOSING_SECONDS = 2

/** Runs a command, and returns the exit code. 0: the request is allowed, or the routes are listed. 1: the request is blocked. 2: there is no answer. */
export async function run (args: readonly string[], { stdout, stderr, env }: ProcessStreams): Promise<0 | 1 | 2> {
  try {
    const command = readArguments(args)
    if (command === 'help') {
      stdout.write(HELP)
      return 0
    }
    const answer = await askApplication(command)
    const colour = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === ''
    if (command.json) stdout.write(`${escapeLines(JSON.stringify(answer, null, 2))}\n`)
    else stdout.write(command.question === undefined ? routesText(answer as CorsRoute[]) : explanationText(answer as CorsExplanation, colour))
    return command.question === undefined || (answer as CorsExplanation).allowed ? 0 : 1
  } catch (error) {
    stderr.write(`fastify-cors-policy: ${escapeLines((error as Error).message)}\nSee fastify-cors-policy --help\n`)
    return 2
  }
}

/** Escapes unprintable characters, but keeps line breaks. In JSON, the escapes are those of JSON strings. */
function escapeLines (text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** The answer of the application. Rejects with the reason why there is none. */
function askApplication ({ file, question, timeout }: Command): Promise<unknown> {
  const path = resolve(file)
  if (!isFile(path)) throw new Error(`there is no file ${JSON.stringify(path)}`)
  return new Promise((resolve, reject) => {
    const child = fork(join(__dirname, `application${extname(__filename)}`), {
      stdio: ['ignore', 2, 'inherit', 'ipc'],
      execArgv: [...process.execArgv, ...stripTypesFlags(path)]
    })
    let reply: TaskReply | undefined
    let failure = 'the application ended before it was ready'
    const killAfter = (seconds: number): NodeJS.Timeout => setTimeout(() => {
      failure = `the application did not answer within ${seconds} seconds`
      child.kill('SIGKILL')
    }, seconds * 1000)
    let timer = killAfter(timeout)
    // The application may send other messages through `process.send`.
    child.on('message', (message: TaskReply | null) => {
      if (reply !== undefined || (message?.corsAnswer === undefined && message?.corsFailure === undefined)) return
      reply = message
      clearTimeout(timer)
      timer = killAfter(CLOSING_SECONDS)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      if (reply?.corsAnswer !== undefined) resolve(reply.corsAnswer)
      else reject(new Error(reply?.corsFailure ?? (code === null ? failure : `${failure}, with exit code ${code}`)))
    })
    const task: Task = question === undefined ? { file: path } : { file: path, question }
    // If sending fails, the process has ended, and the close event reports it.
    child.send(task, () => {})
  })
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
