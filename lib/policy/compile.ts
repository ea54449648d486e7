// Compiles a policy: checks the values of its fields, alone and together, and computes everything that requests need, once per policy.
// lib/declaration/ calls it when a route is declared or the plugin is registered, and lib/explain/ to try out advice.
import type { CorsProblem } from '../messages/errors'
import { uniqueNames } from '../http/headers'
import type { CompiledPolicy } from './compiled-policy'
import { toCorsProblem, type PolicyFields, type Report } from './fields'
import { checkAllowedHeaders, checkExposedHeaders, compileAllowedHeaders } from './header-lists'
import { policyKey } from './key'
import { compileOrigin, compileOriginEntries, switchesOf } from './origin-rules'

/**
 * Compiles the fields of a policy, and adds problems to `problems`. `ownFields` are the fields that the declaration sets itself; the others are
 * inherited, and were checked where they were declared.
 */
export function compilePolicy (
  fields: PolicyFields, ownFields: ReadonlySet<string>, pointer: string, problems: CorsProblem[]
): CompiledPolicy | undefined {
  const problemsBefore = problems.length
  const report: Report = (field, problem) => problems.push(toCorsProblem(field, problem, fields, ownFields, pointer))
  const origin = fields.origin === undefined ? undefined : compileOrigin(fields, fields.origin, report)
  const credentialed = typeof fields.credentials === 'object'
    ? compileOriginEntries('credentials', fields.credentials, switchesOf(fields), report)
    : undefined
  checkAllowedHeaders(fields, report)
  checkExposedHeaders(fields, report)
  if (origin === undefined || problems.length > problemsBefore) return undefined
  // `problems` has those of the whole declaration. With a problem in another policy, none of them is used.
  if (problems.length === 0) {
    origin.onAccepted?.()
    credentialed?.onAccepted?.()
  }
  return Object.freeze({
    origin: Object.freeze(origin.rule),
    credentials: fields.credentials === true,
    credentialedOrigins: credentialed?.rule,
    allowedHeaders: fields.allowedHeaders === undefined
      ? undefined
      : compileAllowedHeaders(fields.allowedHeaders as '*' | readonly string[]),
    exposedHeaders: fields.exposedHeaders === undefined ? undefined : uniqueNames([fields.exposedHeaders].flat() as string[]),
    maxAge: fields.maxAge === undefined ? undefined : String(fields.maxAge),
    optionsSuccessStatus: fields.optionsSuccessStatus ?? 204,
    enforceOrigin: fields.enforceOrigin === true,
    key: policyKey(fields)
  })
}
