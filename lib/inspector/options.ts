// Checks the inspector's options when it is registered. The error lists all problems, and what to write instead.
import { childPointer, corsPolicyError, quote, type CorsProblem } from '../messages/errors'
import { compileHosts, type HostMatcher } from '../origins/hosts'

/** Fastify's own options of `register`, which it passes to every plugin. */
const OPTIONS_OF_REGISTER: ReadonlySet<string> = new Set(['logLevel', 'logSerializers'])

/**
 * Checks the options, `NODE_ENV`, and that `app.cors` exists.
 *
 * @returns what matches the option `hosts`
 * @throws CorsPolicyError with all problems
 */
export function checkInspectorOptions (options: object, hasCors: boolean): HostMatcher {
  const problems: CorsProblem[] = []
  for (const [name, value] of Object.entries(options)) {
    if (OPTIONS_OF_REGISTER.has(name)) continue
    const check = CHECKS.get(name)
    if (check !== undefined) {
      check(value, problems)
      continue
    }
    const message = `the inspector has no option ${quote(name)}; its options are ${[...CHECKS.keys()].join(', ')}`
    problems.push({ pointer: childPointer('', name), reason: 'unknown-property', value, message })
  }
  const { hosts = [], dangerouslyInProduction } = options as { hosts?: string[], dangerouslyInProduction?: unknown }
  if (process.env['NODE_ENV'] === 'production' && dangerouslyInProduction !== true) {
    const message = 'NODE_ENV is "production", where the inspector would show all policies to everybody who reaches it; ' +
      'register it in development only, or write dangerouslyInProduction: true'
    problems.push({ pointer: '/dangerouslyInProduction', reason: 'missing', value: dangerouslyInProduction, message })
  }
  if (!hasCors) {
    const message = 'app.cors does not exist; write app.register(cors, { … }) before app.register(inspector, { … })'
    problems.push({ pointer: '', reason: 'missing', value: undefined, message })
  }
  if (problems.length > 0) throw corsPolicyError('the options of fastify-cors-policy/inspector', problems)
  // The port of a development server varies, and only names keep rebound pages out.
  return compileHosts([...hosts, ...hosts.filter((host) => !/:\d+$|:\*$/.test(host)).map((host) => `${host}:*`)], '/hosts', [])
}

/** Checks the value of an option, and adds problems to `problems`. */
type Check = (value: unknown, problems: CorsProblem[]) => void

/** The options, by name. */
const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['prefix', checkPrefix],
  ['hosts', checkHosts],
  ['dangerouslyInProduction', checkDangerouslyInProduction]
])

/** Fastify checks everything else about the prefix. With a slash at its end, no route can be declared for the path without the slash. */
function checkPrefix (value: unknown, problems: CorsProblem[]): void {
  if (typeof value !== 'string' || !/.\/$/.test(value)) return
  const message = `${quote(value)} ends with a slash; write ${quote(value.replace(/(?<!\/)\/+$/, ''))}`
  problems.push({ pointer: '/prefix', reason: 'not-canonical', value, message })
}

function checkHosts (value: unknown, problems: CorsProblem[]): void {
  const message = `${quote(value)} is not an array of hosts; write ["dev.example.com"]`
  if (!Array.isArray(value)) problems.push({ pointer: '/hosts', reason: 'type', value, message })
  else if (value.length > 0) compileHosts(value, '/hosts', problems)
}

function checkDangerouslyInProduction (value: unknown, problems: CorsProblem[]): void {
  if (typeof value === 'boolean') return
  const message = `${quote(value)} is neither true nor false; write one of them`
  problems.push({ pointer: '/dangerouslyInProduction', reason: 'type', value, message })
}
