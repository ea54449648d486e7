// The help of the command line, from the tables of commands and options.
import type { Command } from './command'
import { OPTIONS, type OptionName } from './options'
import { wrap } from './text'

/** The longest line, in characters. */
const WIDTH = 80

/** Where the meaning of an option begins. */
const INDENT = 22

/** The help. An option that no command takes is left out. */
export function helpText (commands: Readonly<Record<string, Command>>): string {
  const all = Object.values(commands)
  const names = Object.keys(OPTIONS) as OptionName[]
  const usage = all.flatMap(({ usage, summary }) => [...usage.map((line) => `fastify-cors-policy ${line}`), ...indented(summary, 4), ''])
  const app = definition('<app>', 'a file as fastify-cli takes it (a plugin), a module whose default export is a Fastify instance, or a program that listens')
  return [...usage, ...app, ...names.flatMap(optionLines), '', 'Exit codes: 0 good, 1 blocked or found something, 2 could not tell.', ''].join('\n')
}

function optionLines (name: OptionName): string[] {
  const option = OPTIONS[name]
  return definition(`--${name}${'value' in option ? ` ${option.value}` : ''}`, option.help)
}

function definition (term: string, meaning: string): string[] {
  const [first = '', ...rest] = wrap(meaning, WIDTH - INDENT)
  const isLong = term.length + 4 > INDENT
  return [...(isLong ? [`  ${term}`] : []), (isLong ? '' : `  ${term}`).padEnd(INDENT) + first, ...rest.map((line) => ' '.repeat(INDENT) + line)]
}

function indented (text: string, indent: number): string[] {
  return wrap(text, WIDTH - indent).map((line) => ' '.repeat(indent) + line)
}
