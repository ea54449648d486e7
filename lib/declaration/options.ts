// From what a user gave to `register` to checked options: every problem at once, those of the policies among them included.
import { checkPolicies, checkPolicy, unknownPolicy, within, type CheckedPolicy, type PolicyNames } from './declaration'
import { quote, type CorsProblem } from '../errors'
import { checkFields, copyRecord, isRecord } from './fields'
import { CorsPluginOptionsSchema } from '../schema/compiled'

/** Fastify's own options of `register`, which it passes on to every plugin. */
const OPTIONS_OF_REGISTER: ReadonlySet<string> = new Set(['prefix', 'logSerializers'])

/** What is left of the plugin's options when they were checked. */
export interface CheckedOptions {
  readonly policies: Map<string, CheckedPolicy | null>
  /** undefined: left out. */
  readonly defaultPolicy: CheckedPolicy | false | undefined
  readonly logLevel: string | undefined
  readonly hideOptionsRoute: boolean
}

/** Checks the plugin's options. */
export function checkOptions (value: unknown, outer: PolicyNames, problems: CorsProblem[]): CheckedOptions {
  const copy = copyRecord(value) ?? new Map<string, unknown>()
  if (!isRecord(value)) problems.push({ pointer: '', reason: 'type', value, message: `${quote(value)} is not an object of options; write { policies: { … } }` })
  for (const key of OPTIONS_OF_REGISTER) copy.delete(key)
  checkFields(CorsPluginOptionsSchema, copy, '', problems)
  const policies = copy.has('policies') ? checkPolicies(copy.get('policies'), '/policies', outer, problems) : new Map<string, CheckedPolicy | null>()
  const names = within(policies, outer)
  const given = copy.get('defaultPolicy')
  let defaultPolicy: CheckedOptions['defaultPolicy']
  if (typeof given === 'string') {
    const named = names.get(given)
    if (named === undefined) problems.push(unknownPolicy(given, '/defaultPolicy', names))
    defaultPolicy = named ?? undefined
  } else if (copy.has('defaultPolicy')) {
    defaultPolicy = given === false ? false : checkPolicy(given, '/defaultPolicy', names, problems)
  }
  const logLevel = copy.get('logLevel')
  return { policies, defaultPolicy, logLevel: typeof logLevel === 'string' ? logLevel : undefined, hideOptionsRoute: copy.get('hideOptionsRoute') !== false }
}
