// Checks and compiles the origins of a policy: `origin`, `credentials` where it is a list, and `timingOrigin`.
import { quote, type CorsProblemReason } from '../messages/errors'
import type { CompiledPolicy, ListRule, OriginRule } from './compiled-policy'
import type { PolicyFields, Report } from './fields'
import type { CredentialSwitches } from '../origins/credentials'
import { credentialProblems, readEntry, type Entry } from '../origins/entry'
import { NOBODY } from '../origins/from-text'
import { OriginList } from '../origins/list'
import { createMatcher } from '../origins/matcher'

/** A rule that was compiled. */
export interface CompiledRule<Rule extends OriginRule> {
  readonly rule: Rule
  /** Called once the whole declaration is accepted: from then on, an originList refuses entries that the policy would refuse. */
  readonly onAccepted?: () => void
}

/** Compiles the `origin` of a policy. */
export function compileOrigin (fields: PolicyFields, origin: NonNullable<PolicyFields['origin']>, report: Report): CompiledRule<OriginRule> {
  if (typeof origin === 'function') return { rule: { kind: 'function', decide: origin } }
  if (origin === '*') {
    if (fields.credentials === true) {
      report('origin', {
        reason: 'wildcard-with-credentials',
        message: 'browsers refuse credentials with "*"; write credentials: ["https://app.example.com"] for the origins that may send them, ' +
          'or leave credentials out',
        involvedFields: ['credentials']
      })
    }
    return { rule: { kind: 'any' } }
  }
  return compileOriginEntries('origin', origin, fields.credentials === true ? switchesOf(fields) : undefined, report)
}

/** The value of `Timing-Allow-Origin`, or `true` for the origins that the policy allows. The header has exact origins only. */
export function compileTimingOrigin ({ timingOrigin }: PolicyFields, report: Report): CompiledPolicy['timingOrigin'] {
  if (typeof timingOrigin !== 'object') return timingOrigin
  if (timingOrigin.length === 0) report('timingOrigin', { reason: 'invalid', message: 'an empty array allows nobody; leave it out' })
  timingOrigin.forEach((value, index) => {
    const entry = readEntry(value, { list: 'timingOrigin' })
    if (!('key' in entry)) report('timingOrigin', { ...entry, index, value })
    else if (entry.pattern !== undefined) {
      const message = `${quote(value)} is a pattern, and Timing-Allow-Origin has none; write exact origins, such as "https://app.example.com", ` +
        'or timingOrigin: true'
      report('timingOrigin', { reason: 'invalid', message, index, value })
    }
  })
  return timingOrigin.join(', ')
}

/** The switches of a policy that lift rules of credentials. */
export function switchesOf ({ dangerouslyAllowInsecureOrigins = false, dangerouslyAllowPublicSuffixes = false }: PolicyFields): CredentialSwitches {
  return { dangerouslyAllowInsecureOrigins, dangerouslyAllowPublicSuffixes }
}

/** `switches` are set if these origins may send credentials, so that the rules of credentials apply. */
export function compileOriginEntries (
  field: 'origin' | 'credentials',
  origins: string | readonly unknown[] | OriginList,
  switches: CredentialSwitches | undefined,
  report: Report
): CompiledRule<ListRule> {
  return origins instanceof OriginList
    ? compileOriginList(field, origins, switches, report)
    : { rule: compileOriginArray(field, origins, switches, report) }
}

function compileOriginList (
  field: 'origin' | 'credentials', list: OriginList, switches: CredentialSwitches | undefined, report: Report
): CompiledRule<ListRule> {
  for (const problem of switches === undefined ? [] : list.credentialProblems(switches)) {
    report(field, { ...problem, involvedFields: INVOLVED_FIELDS[problem.reason] })
  }
  const rule = list.ruleFor(switches)
  return { rule, onAccepted: () => list.enforceRule(rule) }
}

/** A single origin is compiled as an array of one. */
function compileOriginArray (
  field: 'origin' | 'credentials', origins: string | readonly unknown[], switches: CredentialSwitches | undefined, report: Report
): ListRule {
  const values = typeof origins === 'string' ? [origins] : origins
  if (values.length === 0 && values !== NOBODY) {
    const instead = field === 'origin' ? 'cors: false' : 'credentials: false'
    const message = `an empty array allows nobody; write ${instead} for that, or originsFrom(process.env.CORS_ORIGINS) for a list that may be empty`
    report(field, { reason: 'invalid', message })
  }
  const entries: Entry[] = []
  values.forEach((value, index) => {
    const element = typeof origins === 'string' ? {} : { index, value }
    const entry = readEntry(value, { list: field, switches, isWholeValue: typeof origins === 'string' })
    if (!('key' in entry)) return report(field, { ...entry, ...element, involvedFields: INVOLVED_FIELDS[entry.reason] })
    entries.push(entry)
    for (const problem of switches === undefined ? [] : credentialProblems(entry, switches)) {
      report(field, { ...problem, ...element, involvedFields: INVOLVED_FIELDS[problem.reason] })
    }
  })
  return { kind: 'list', matches: createMatcher(entries) }
}

/** The other fields without which an entry of a list would have no such problem. */
const INVOLVED_FIELDS: Partial<Record<CorsProblemReason, ReadonlyArray<keyof PolicyFields>>> = {
  'null-origin': ['credentials'],
  'insecure-with-credentials': ['credentials', 'dangerouslyAllowInsecureOrigins'],
  'public-suffix': ['credentials', 'dangerouslyAllowPublicSuffixes']
}
