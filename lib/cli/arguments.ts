// Parses the command line into a command. run.ts uses it.
import { parseArgs } from 'node:util'
import { printable } from '../messages/errors'
import type { CorsQuestion } from '../devtools/types'

/** What the command line asks for. */
export interface Command {
  /** The application's file. */
  readonly file: string
  /** The question for `app.cors.explain`. Without it, the command lists the routes. */
  readonly question?: CorsQuestion
  readonly json: boolean
  /** The time limit for loading the application and answering, in seconds. */
  readonly timeout: number
}

export const HELP = `fastify-cors-policy routes <app> [--json]
fastify-cors-policy explain <app> [method] <url> --origin <origin> [options]

  <app>               a file as fastify-cli takes it (a plugin), or a module
                      whose default export is a Fastify instance
  --origin <origin>   the origin of the page: https://app.example.com, or null
  --header <header>   a header that the page sets: x-request-id, or
                      "content-type: application/json"; may be repeated
  --credentials       the page sends credentials
  --json              print JSON
  --timeout <s>       seconds that the application may take (default: 30)
  --help              print this

Exit codes: 0 allowed, 1 blocked, 2 could not tell.
`

/**
 * The command, or `'help'`.
 *
 * @throws Error with what to write, where the arguments are neither
 */
export function readArguments (args: readonly string[]): Command | 'help' {
  const { values, positionals: [name, file, ...rest] } = parse(args)
  if (values.help === true) return 'help'
  const timeout = Number(values.timeout ?? 30)
  if (!(timeout > 0 && timeout <= 3600)) throw new Error('the time-out is not a number of seconds above 0 and up to 3600; write --timeout 30')
  if (name !== 'routes' && name !== 'explain') throw new Error('there is no such command; write routes or explain')
  if (file === undefined) throw new Error(`the application is missing; write ${name} app.js`)
  const shared = { file, json: values.json === true, timeout }
  if (name === 'routes') {
    const hasQuestion = rest.length > 0 || values.origin !== undefined || values.header !== undefined || values.credentials !== undefined
    if (hasQuestion) throw new Error('routes takes the application alone; write routes app.js')
    return shared
  }
  if (rest.length < 1 || rest.length > 2) throw new Error('explain takes a method and a URL; write explain app.js PUT /items/7')
  const [origin, ...others] = values.origin ?? []
  if (origin === undefined) throw new Error('the origin of the page is missing; write --origin https://app.example.com')
  if (others.length > 0) throw new Error('a page has one origin; write --origin once')
  const [method, url] = rest.length === 1 ? ['GET', rest[0] as string] : rest as [string, string]
  return { ...shared, question: { origin, method, url, headers: parseHeaders(values.header ?? []), credentials: values.credentials === true } }
}

const OPTIONS = {
  origin: { type: 'string', multiple: true },
  header: { type: 'string', multiple: true },
  credentials: { type: 'boolean' },
  json: { type: 'boolean' },
  timeout: { type: 'string' },
  help: { type: 'boolean', short: 'h' }
} as const

function parse (args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS })
  } catch (error) {
    // Node's message has the argument unescaped.
    throw new Error(printable((error as Error).message))
  }
}

/** The headers of the options `--header`: `name`, or `name: value`. A name that is repeated has several values. */
function parseHeaders (lines: readonly string[]): Record<string, string[]> {
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const [name = '', ...value] = line.split(':')
    headers.set(name, [...headers.get(name) ?? [], value.join(':').trim()])
  }
  return Object.fromEntries(headers)
}
