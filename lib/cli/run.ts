// Runs the command line: reads the arguments, runs the command, prints what it answers, and returns the exit code.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { printable } from '../messages/errors'
import type { ExitCode, Output } from './command'
import { COMMANDS } from './commands'
import { helpText } from './help'
import { readArguments } from './arguments'

/** The members of `process` that are used. */
export interface ProcessStreams {
  readonly stdout: { write (text: string): unknown, isTTY?: boolean, columns?: number }
  readonly stderr: { write (text: string): unknown, isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Runs a command, and returns the exit code. 0: good. 1: blocked, or something was found. 2: there is no answer. */
export async function run (args: readonly string[], { stdout, stderr, env }: ProcessStreams): Promise<ExitCode> {
  try {
    const invocation = readArguments(args, COMMANDS)
    if (typeof invocation === 'string') {
      stdout.write(invocation === 'help' ? helpText(COMMANDS) : `${version()}\n`)
      return 0
    }
    const { command, args: read } = invocation
    const progress = stderr.isTTY === true ? (text: string) => { stderr.write(`\r\u001b[K${printable(text)}`) } : () => {}
    const output: Output = {
      answer (value, text) {
        progress('')
        stdout.write(read.values.json === true ? `${escapeLines(JSON.stringify(value, null, 2))}\n` : text())
      },
      progress,
      width: widthOf(stdout, env),
      colour: stdout.isTTY === true && (env['NO_COLOR'] ?? '') === ''
    }
    return await command.run(read, output)
  } catch (error) {
    stderr.write(`fastify-cors-policy: ${escapeLines((error as Error).message)}\nSee fastify-cors-policy --help\n`)
    return 2
  }
}

/** The narrowest table that can be read, in characters. */
const MIN_WIDTH = 40

/** The width that text is wrapped at: that of `COLUMNS` or of the terminal. What is piped is not wrapped. */
function widthOf ({ columns }: ProcessStreams['stdout'], { COLUMNS }: ProcessStreams['env']): number {
  const width = Number(COLUMNS ?? columns)
  return Number.isSafeInteger(width) && width > 0 ? Math.max(width, MIN_WIDTH) : Infinity
}

function version (): string {
  return (JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')) as { version: string }).version
}

/** Escapes unprintable characters, but keeps line breaks. In JSON, the escapes are those of JSON strings. */
function escapeLines (text: string): string {
  return text.split('\n').map(printable).join('\n')
}
