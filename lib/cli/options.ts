// The options of the command line, as a table, and what their values mean.

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
