// The browser model: the checks that a browser makes of a response, in the order of the standard. fetch.ts calls them, and needs the first that fails. Each
// check also says in words what it looks at and what it finds.
import { SAFELISTED_METHODS } from '../http/methods'
import { extractTokens, getHeader, isNonWildcardName, unsafeHeaderNames, type CredentialsMode, type HeaderList } from './headers'

/** Why a CORS check fails. */
export type CheckFailure = 'no Access-Control-Allow-Origin' | 'wildcard with credentials' | 'another origin' | 'credentials not allowed'

/** Why a preflight fails. */
export type PreflightFailure =
  | `preflight: ${CheckFailure}`
  | 'preflight: status'
  | 'preflight: redirect'
  | 'preflight: unreadable list'
  | 'method not allowed'
  | 'header not allowed'

/** One check of a response. */
export interface Check<Failure extends string = CheckFailure | PreflightFailure> {
  /** What is checked: a header line, `No <header name>`, or a status. The subject of a sentence. */
  readonly subject: string
  /** What it means: the rest of that sentence. */
  readonly meaning: string
  /** undefined if the check passes. */
  readonly failure: Failure | undefined
}

/** The parts of a request that the checks of its responses need. */
export interface CheckedRequest {
  /** The origin of the page, serialised; `null` if it is opaque. */
  readonly origin: string
  readonly method: string
  readonly headers: HeaderList
  readonly credentials: CredentialsMode
  /** https://fetch.spec.whatwg.org/#use-cors-preflight-flag: XMLHttpRequest with a listener on its upload. */
  readonly useCorsPreflight: boolean
}

interface Response { readonly status: number, readonly headers: HeaderList }

const ALLOW_ORIGIN = 'Access-Control-Allow-Origin'
const ALLOW_CREDENTIALS = 'Access-Control-Allow-Credentials'
const ALLOW_METHODS = 'Access-Control-Allow-Methods'
const ALLOW_HEADERS = 'Access-Control-Allow-Headers'

function passed (subject: string, meaning: string): Check<never> {
  return { subject, meaning, failure: undefined }
}

function failed<Failure extends string> (subject: string, meaning: string, failure: Failure): Check<Failure> {
  return { subject, meaning, failure }
}

/** The CORS check (https://fetch.spec.whatwg.org/#concept-cors-check). */
export function * corsChecks (
  { origin, credentials }: Pick<CheckedRequest, 'origin' | 'credentials'>, headers: HeaderList
): Generator<Check<CheckFailure>, void> {
  const allowed = getHeader(headers, 'access-control-allow-origin')
  const subject = lineOf(headers, ALLOW_ORIGIN)
  if (allowed === null) {
    return yield failed(subject, 'was sent, so only pages of the API’s own origin may read this', 'no Access-Control-Allow-Origin')
  }
  if (credentials !== 'include' && allowed === '*') return yield passed(subject, 'allows every origin, as no credentials are sent')
  if (allowed !== origin) {
    return yield failed(subject, `is not ${origin}, the origin of this page`, allowed === '*' ? 'wildcard with credentials' : 'another origin')
  }
  yield passed(subject, 'names the origin of this page')
  if (credentials === 'include') yield credentialsCheck(headers)
}

function credentialsCheck (headers: HeaderList): Check<CheckFailure> {
  const value = getHeader(headers, 'access-control-allow-credentials')
  const subject = lineOf(headers, ALLOW_CREDENTIALS)
  if (value === 'true') return passed(subject, 'allows credentials')
  return failed(subject, value === null ? 'was sent, so nobody may read this with credentials' : 'is not “true”', 'credentials not allowed')
}

/** The checks of a preflight response (https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7). */
export function * preflightChecks (request: CheckedRequest, { status, headers }: Response): Generator<Check<PreflightFailure>, void> {
  const { method, credentials } = request
  const statusLine = `Status ${status}`
  // The redirect mode of a preflight is "error".
  if (isRedirect(status)) return yield failed(statusLine, 'redirects, which a preflight response must not do', 'preflight: redirect')
  for (const { failure, ...check } of corsChecks(request, headers)) yield { ...check, failure: failure && `preflight: ${failure}` }
  const isOk = status >= 200 && status <= 299
  yield isOk ? passed(statusLine, 'is a success status') : failed(statusLine, 'is not a success status (200 to 299)', 'preflight: status')
  // Steps 7.1 to 7.3.
  for (const name of [ALLOW_METHODS, ALLOW_HEADERS]) {
    if (tokensOf(headers, name) === undefined) yield failed(lineOf(headers, name), 'is not a list of names', 'preflight: unreadable list')
  }
  const { methods, names } = allowedMethodsAndHeaders(request, headers)
  const isWildcard = (tokens: readonly string[]): boolean => credentials !== 'include' && tokens.includes('*')
  // Step 7.5.
  if (!SAFELISTED_METHODS.has(method)) {
    yield listCheck(headers, ALLOW_METHODS, method, methods.includes(method) || isWildcard(methods), 'method not allowed')
  }
  // Steps 7.6 and 7.7, in the order in which the page set the headers.
  const unsafe = new Set(unsafeHeaderNames(request.headers))
  for (const [name] of request.headers) {
    if (!unsafe.delete(name.toLowerCase())) continue
    const isNamed = names.some((each) => each.toLowerCase() === name.toLowerCase())
    yield listCheck(headers, ALLOW_HEADERS, name, isNamed || (isWildcard(names) && !isNonWildcardName(name)), 'header not allowed')
  }
}

/** What a preflight response allows, and a browser caches. A list that is invalid allows nothing (steps 7.2 to 7.4). */
export function allowedMethodsAndHeaders (
  { method, useCorsPreflight }: CheckedRequest, headers: HeaderList
): { readonly methods: readonly string[], readonly names: readonly string[] } {
  return { methods: tokensOf(headers, ALLOW_METHODS) ?? (useCorsPreflight ? [method] : []), names: tokensOf(headers, ALLOW_HEADERS) ?? [] }
}

/** The failure of the first check that fails, if one does. */
export function firstFailure<Failure extends string> (checks: Iterable<Check<Failure>>): Failure | undefined {
  return upToFailure(checks).at(-1)?.failure
}

/** The checks that a browser makes: all up to the first that fails. */
export function upToFailure<Failure extends string> (checks: Iterable<Check<Failure>>): Array<Check<Failure>> {
  const made: Array<Check<Failure>> = []
  for (const check of checks) {
    made.push(check)
    if (check.failure !== undefined) break
  }
  return made
}

/** https://fetch.spec.whatwg.org/#redirect-status */
export function isRedirect (status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

/** The check that the list in a header allows what is wanted. */
function listCheck (
  headers: HeaderList, name: string, wanted: string, isAllowed: boolean, failure: PreflightFailure
): Check<PreflightFailure> {
  const subject = lineOf(headers, name)
  if (isAllowed) return passed(subject, `allows ${wanted}`)
  const isMissing = getHeader(headers, name.toLowerCase()) === null
  return failed(subject, isMissing ? `was sent, so ${wanted} is not allowed` : `does not allow ${wanted}`, failure)
}

/** The line of a header; `No <header name>` if the response does not have it. */
function lineOf (headers: HeaderList, name: string): string {
  const value = getHeader(headers, name.toLowerCase())
  return value === null ? `No ${name}` : `${name}: ${value}`
}

function tokensOf (headers: HeaderList, name: string): string[] | null | undefined {
  return extractTokens(getHeader(headers, name.toLowerCase()))
}
