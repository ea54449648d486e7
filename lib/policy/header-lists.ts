// Checks and compiles the lists of header names of a policy. Called by policy.ts.
import { quote } from '../messages/errors'
import { isHeaderName, uniqueNames, whyNotReadable, whyNotSendable } from '../http/headers'
import type { AllowedHeaders } from './compiled-policy'
import type { FieldProblem, PolicyFields, Report } from './fields'

export function checkAllowedHeaders ({ allowedHeaders }: PolicyFields, report: Report): void {
  if (typeof allowedHeaders !== 'object') return
  const mixed = allowedHeaders.some((name) => typeof name === 'string' && name !== '*' && name.toLowerCase() !== 'authorization')
  checkNames('allowedHeaders', allowedHeaders, whyNotSendable, mixed ? WILDCARD_WITH_ALLOWED_NAMES : undefined, report)
}

export function checkExposedHeaders ({ exposedHeaders, credentials }: PolicyFields, report: Report): void {
  const hasCredentials = credentials === true || typeof credentials === 'object'
  const wildcard = hasCredentials ? WILDCARD_WITH_CREDENTIALS : WILDCARD_WITH_EXPOSED_NAMES
  if (typeof exposedHeaders === 'object') checkNames('exposedHeaders', exposedHeaders, whyNotReadable, wildcard, report)
  else if (exposedHeaders === '*' && hasCredentials) report('exposedHeaders', wildcard)
}

/** `wildcard` is the problem of a `'*'` among these names, if it is one. */
function checkNames (
  field: keyof PolicyFields,
  names: readonly unknown[],
  whyForbidden: (name: string) => string | undefined,
  wildcard: FieldProblem | undefined,
  report: Report
): void {
  names.forEach((name, index) => {
    const problem = name === '*' ? wildcard : checkName(name, whyForbidden)
    if (problem !== undefined) report(field, { ...problem, index, value: name })
  })
}

function checkName (name: unknown, whyForbidden: (name: string) => string | undefined): FieldProblem | undefined {
  if (typeof name !== 'string') return { reason: 'type', message: `${quote(name)} is not the name of a header; write a text such as "X-Request-Id"` }
  if (!isHeaderName(name)) {
    return { reason: 'invalid', message: `${quote(name)} is not the name of a header; write one name for each element, such as "X-Request-Id"` }
  }
  const why = whyForbidden(name)
  return why === undefined ? undefined : { reason: 'forbidden', message: `${quote(name)}: ${why}; leave it out` }
}

/** https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name */
const WILDCARD_WITH_ALLOWED_NAMES: FieldProblem = {
  reason: 'invalid',
  message: '"*" allows every header except Authorization, the only name that can be combined with it; write "*", or ["*", "Authorization"]'
}

const WILDCARD_WITH_EXPOSED_NAMES: FieldProblem = {
  reason: 'invalid',
  message: '"*" exposes every header and cannot be an array element; write exposedHeaders: "*"'
}

/** https://fetch.spec.whatwg.org/#http-access-control-expose-headers */
const WILDCARD_WITH_CREDENTIALS: FieldProblem = {
  reason: 'wildcard-with-credentials',
  message: 'with credentials, browsers read "*" as the name of a header; write the names of the headers to expose',
  involvedFields: ['credentials']
}

export function compileAllowedHeaders (value: '*' | readonly string[]): AllowedHeaders {
  const names = value === '*' ? [] : uniqueNames(value.filter((name) => name !== '*'))
  return Object.freeze({ any: value.includes('*'), names })
}
