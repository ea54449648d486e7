// Compiles a policy: checks the values of its fields, alone and together, and computes everything that requests need, once per policy.
import type { CorsProblem } from '../messages/errors'
import type { CompiledPolicy } from './compiled-policy'
import { toCorsProblem, type FieldProblem, type PolicyFields, type Report } from './fields'
import { compileHeaderList, hasWildcard } from './header-lists'
import { policyKey } from './key'
import { compileOrigin, compileOriginEntries, compileTimingOrigin, switchesOf } from './origin-rules'

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
  const timingOrigin = compileTimingOrigin(fields, report)
  if (hasWildcard(fields.exposedHeaders) && (fields.credentials === true || credentialed !== undefined)) report('exposedHeaders', EXPOSED_WILDCARD)
  if (origin === undefined || problems.length > problemsBefore) return undefined
  // `problems` has those of the whole declaration. With a problem in another policy, none of them is used.
  if (problems.length === 0) {
    origin.onAccepted?.()
    credentialed?.onAccepted?.()
  }
  const exposed = fields.exposedHeaders && compileHeaderList('exposedHeaders', fields.exposedHeaders as '*' | readonly string[])
  return Object.freeze({
    origin: Object.freeze(origin.rule),
    credentials: fields.credentials === true,
    credentialedOrigins: credentialed?.rule,
    allowedHeaders: fields.allowedHeaders && compileHeaderList('allowedHeaders', fields.allowedHeaders as '*' | readonly string[]),
    exposedHeaders: exposed?.any === true ? ['*'] : exposed?.names,
    exposesDerived: exposed?.addsDerived === true,
    maxAge: fields.maxAge === undefined ? undefined : String(fields.maxAge),
    optionsSuccessStatus: fields.optionsSuccessStatus ?? 204,
    enforceOrigin: fields.enforceOrigin,
    timingOrigin,
    resourcePolicy: fields.resourcePolicy,
    key: policyKey(fields)
  })
}

/** https://fetch.spec.whatwg.org/#http-access-control-expose-headers */
const EXPOSED_WILDCARD: FieldProblem = {
  reason: 'wildcard-with-credentials',
  message: 'with credentials, browsers read "*" as the name of a header; write the names of the headers to expose, such as ["ETag"]',
  involvedFields: ['credentials']
}
