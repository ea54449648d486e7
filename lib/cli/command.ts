// What a command of the command line is: one entry of the table in commands.ts.
import type { OptionName, OptionValues } from './options'

/** 0: good. 1: blocked, or something was found. 2: could not tell. */
export type ExitCode = 0 | 1 | 2

export interface Command {
  /** What to write, for the help: one line for each form, each of at most 80 characters. */
  readonly usage: readonly string[]
  /** What it does, for the help. */
  readonly summary: string
  /** The options that it takes, besides those of every command ({@link COMMON_OPTIONS}). */
  readonly options: readonly OptionName[]
  /**
   * Runs it.
   *
   * @throws Error with what is wrong and what to write, in one line; the exit code is then 2
   */
  run (args: CommandArguments, output: Output): Promise<ExitCode>
}

export interface CommandArguments {
  /** What follows the name of the command, without the options. */
  readonly positionals: readonly string[]
  readonly values: OptionValues
  /** The time limit for the application, or for a server, in seconds. */
  readonly timeout: number
}

/** Where a command prints its answer. */
export interface Output {
  /** Prints a text, or with `--json` the value. */
  answer (value: unknown, text: () => string): void
  /** Says on a terminal how far the command is, in one line that the next one replaces. An empty text removes it. */
  progress (text: string): void
  /** The longest line that fits, in characters. Infinity where the output is not a terminal. */
  readonly width: number
  /** Whether colours are wanted. */
  readonly colour: boolean
}
