// Reads the arguments of the command line by the tables of commands and options.
import { parseArgs } from 'node:util'
import { printable, quote } from '../messages/errors'
import { nearestWord } from '../messages/nearest-word'
import type { Command, CommandArguments } from './command'
import { COMMON_OPTIONS, OPTIONS } from './options'

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
