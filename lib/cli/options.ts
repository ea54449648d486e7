// The options of the command line, as a table, and the reading of arguments by it.
import { parseArgs } from 'node:util'
import { printable, quote } from '../messages/errors'
import { nearestWord } from '../messages/nearest-word'
import type { Command, CommandArguments } from './command'

interface Option {
  readonly type: 'string' | 'boolean'
  readonly multiple?: true
  readonly short?: string
  /** What follows the name, for the help. */
  readonly value?: string
  /** What it means, for the help. */
  readonly help: string
}

export const OPTIONS = {
  origin: { type: 'string', multiple: true, value: '<origin>', help: 'the origin of the page: https://app.example.com, or null' },
  header: {
    type: 'string', multiple: true, value: '<header>', help: 'a header that the page sets: x-request-id, or "content-type: application/json"; may be repeated'
  },
  credentials: { type: 'boolean', help: 'the page sends credentials' },
  reads: { type: 'string', multiple: true, value: '<header>', help: 'a response header that the page reads; may be repeated' },
  send: { type: 'boolean', help: 'send the request itself to a deployed server, also if it is not GET or HEAD: it may change something' },
  param: { type: 'string', multiple: true, value: '<name>=<value>', help: 'what stands for a parameter of routes: id=7, or *=a/b; may be repeated' },
  sarif: { type: 'boolean', help: 'print a SARIF 2.1.0 log, for code scanning' },
  json: { type: 'boolean', help: 'print JSON' },
  timeout: { type: 'string', value: '<s>', help: 'seconds that the application, or a server, may take for an answer (default: 30)' },
  version: { type: 'boolean', short: 'v', help: 'print the version' },
  help: { type: 'boolean', short: 'h', help: 'print this' }
} as const satisfies Readonly<Record<string, Option>>

export type OptionName = keyof typeof OPTIONS

/** The options that every command takes. */
export const COMMON_OPTIONS: readonly OptionName[] = ['json', 'timeout', 'version', 'help']

/** The values of the options that are given. */
export type OptionValues = { readonly [Name in OptionName]?: typeof OPTIONS[Name] extends { multiple: true } ? string[]
  : typeof OPTIONS[Name]['type'] extends 'string' ? string : boolean }

/** What the arguments ask for. */
export type Invocation = 'help' | 'version' | { readonly command: Command, readonly args: CommandArguments }

/**
 * Reads the arguments.
 *
 * @throws Error with what is wrong and what to write
 */
export function readArguments (args: readonly string[], commands: Readonly<Record<string, Command>>): Invocation {
  const { values, positionals: [name, ...positionals] } = parse(args)
  if (values.help === true || args.length === 0) return 'help'
  if (values.version === true) return 'version'
  if (name === undefined || !Object.hasOwn(commands, name)) throw new Error(noSuchCommand(name, Object.keys(commands)))
  const command = commands[name] as Command
  const taken: readonly string[] = [...command.options, ...COMMON_OPTIONS]
  const refused = Object.keys(values).find((option) => !taken.includes(option))
  if (refused !== undefined) throw new Error(`${name} takes no --${refused}; its options are ${taken.map((option) => `--${option}`).join(', ')}`)
  const timeout = Number(values.timeout ?? 30)
  if (!(timeout > 0 && timeout <= 3600)) throw new Error('the time-out is not a number of seconds above 0 and up to 3600; write --timeout 30')
  return { command, args: { positionals, values: { ...values }, timeout } }
}

function noSuchCommand (name: string | undefined, names: readonly string[]): string {
  if (name === undefined) return `the command is missing; write ${names.join(', ')}`
  const nearest = nearestWord(name, names)
  return `there is no command ${quote(name)}; ${nearest === undefined ? `write ${names.join(', ')}` : `did you mean ${nearest}?`}`
}

function parse (args: readonly string[]) {
  // Without `strict`, every option is read. The names are compared here, because Node's message has no suggestion.
  const { tokens } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind !== 'option' || Object.hasOwn(OPTIONS, token.name)) continue
    const nearest = nearestWord(token.name, Object.keys(OPTIONS))
    throw new Error(`there is no option ${printable(token.rawName)}; ${nearest === undefined ? 'see the help' : `did you mean --${nearest}?`}`)
  }
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    // Node's message has the argument unescaped.
    throw new Error(printable((error as Error).message))
  }
}

/** The only value of an option that may be written once. */
export function single (values: OptionValues, name: 'origin', missing: string): string {
  const [value, ...others] = values[name] ?? []
  if (value === undefined) throw new Error(missing)
  if (others.length > 0) throw new Error(`a page has one ${name}; write --${name} once`)
  return value
}

/** The headers of the options `--header`: `name`, or `name: value`. A name that is repeated has several values. */
export function readHeaders (lines: readonly string[] = []): Record<string, string[]> {
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const [name = '', ...value] = line.split(':')
    headers.set(name, [...headers.get(name) ?? [], value.join(':').trim()])
  }
  return Object.fromEntries(headers)
}
