// Checks the options that a user passes to `register`, the policies among them. Reports all problems at once.
import { checkPolicies, checkPolicy, unknownPolicyProblem, withInherited, type CheckedPolicy, type NamedPolicies } from './check-policies'
import { quote, type CorsProblem } from '../messages/errors'
import { compileHosts, type HostMatcher } from '../origins/hosts'
import { checkFields, copyRecord, isRecord } from './check-fields'
import { PluginOptionsSchema } from './compiled-schemas'

/** Options of Fastify's `register` itself, which Fastify passes on to every plugin. */
const FASTIFY_REGISTER_OPTIONS: ReadonlySet<string> = new Set(['prefix', 'logSerializers'])

/** The plugin's options, checked. */
export interface CheckedOptions {
  /** The policies of this registration by name; an invalid one is null. */
  readonly policies: Map<string, CheckedPolicy | null>
  /** undefined if it is left out. */
  readonly defaultPolicy: CheckedPolicy | false | undefined
  readonly logLevel: string | undefined
  readonly hideOptionsRoute: boolean
  /** undefined if it is left out: as the parent scope has it, or false. */
  readonly enforceOrigin: boolean | 'report' | undefined
  /** undefined if every host is accepted. */
  readonly matchesHost: HostMatcher | undefined
  /** A host that it matches. */
  readonly ownHost: string | undefined
  /** undefined if it is left out: `debug`. */
  readonly refusalLogLevel: string | undefined
}

/** Checks the plugin's options. `inherited` are the named policies of the parent scope. Adds problems to `problems`. */
export function checkOptions (value: unknown, inherited: NamedPolicies, problems: CorsProblem[]): CheckedOptions {
  if (!isRecord(value)) {
    problems.push({ pointer: '', reason: 'type', value, message: `${quote(value)} is not an object of options; write { policies: { … } }` })
  }
  const declared = copyRecord(value) ?? new Map<string, unknown>()
  for (const key of FASTIFY_REGISTER_OPTIONS) declared.delete(key)
  const invalid = checkFields(PluginOptionsSchema, declared, '', problems)
  const valid = (key: string): unknown => invalid.has(key) ? undefined : declared.get(key)
  const hosts = valid('hosts') as readonly unknown[] | undefined
  const policies = declared.has('policies')
    ? checkPolicies(declared.get('policies'), '/policies', inherited, problems)
    : new Map<string, CheckedPolicy | null>()
  return {
    policies,
    defaultPolicy: declared.has('defaultPolicy')
      ? checkDefaultPolicy(declared.get('defaultPolicy'), withInherited(policies, inherited), problems)
      : undefined,
    logLevel: valid('logLevel') as string | undefined,
    hideOptionsRoute: valid('hideOptionsRoute') !== false,
    enforceOrigin: valid('enforceOrigin') as CheckedOptions['enforceOrigin'],
    matchesHost: hosts && compileHosts(hosts, '/hosts', problems),
    ownHost: typeof hosts?.[0] === 'string' ? hosts[0].replace(/^\*(?=\.)/, 'any').replace(/:\*$/, '') : undefined,
    refusalLogLevel: valid('refusalLogLevel') as string | undefined
  }
}

/** Unlike a route's `config.cors`, a default policy may be the name of a policy. */
function checkDefaultPolicy (value: unknown, named: NamedPolicies, problems: CorsProblem[]): CheckedOptions['defaultPolicy'] {
  if (value === false) return false
  if (typeof value !== 'string') return checkPolicy(value, '/defaultPolicy', named, problems)
  const policy = named.get(value)
  if (policy === undefined) problems.push(unknownPolicyProblem(value, '/defaultPolicy', named))
  return policy ?? undefined
}
