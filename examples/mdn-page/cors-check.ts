// Why a browser let a page read a response, or did not: the checks of the Fetch standard, applied to what was really sent.
// It stops at the first check that fails, as a browser does.
import { valueOf, type Exchange, type Header } from './exchanges'
import type { Attempt } from './scenarios'

export interface Finding {
  readonly passed: boolean
  /** The message it was found in: the answer to the preflight, or the response itself. */
  readonly message: 'preflight' | 'response'
  /** What was looked at: a header line, or a status. */
  readonly subject: string
  readonly meaning: string
}

type Init = Attempt['init']

/** Every check of an attempt, from the exchanges that it caused. */
export function explain (exchanges: readonly Exchange[], init: Init, origin: string): Finding[] {
  const preflight = exchanges.find(({ request }) => request.method === 'OPTIONS')
  const actual = exchanges.find(({ request }) => request.method === init.method)
  const findings: Finding[] = []
  if (preflight !== undefined) {
    findings.push(...preflightCheck(preflight, init, origin))
  } else if (isPreflighted(init) && actual !== undefined) {
    findings.push({ passed: true, subject: 'No preflight', meaning: 'the browser remembers the permission of an earlier one, for as long as Access-Control-Max-Age said' })
  }
  if (actual !== undefined) findings.push(...corsCheck(actual.response.headers, init, origin))
  if (preflight === undefined && actual === undefined) findings.push({ passed: false, subject: 'No request', meaning: 'reached the API' })
  return findings
}

/** What of an attempt the API received: all of it, no more than its preflight, or nothing. */
export function reached (exchanges: readonly Exchange[], { method }: Init): 'request' | 'preflight' | 'nothing' {
  if (exchanges.length === 0) return 'nothing'
  return exchanges.some(({ request }) => request.method === method) ? 'request' : 'preflight'
}

/** https://fetch.spec.whatwg.org/#concept-cors-check */
export function corsCheck (headers: readonly Header[], { credentials }: Pick<Init, 'credentials'>, origin: string): Finding[] {
  const allowOrigin = valueOf(headers, 'access-control-allow-origin')
  if (allowOrigin === null) return [missing('Access-Control-Allow-Origin', 'only pages of the API’s own origin may read this response')]
  const subject = `access-control-allow-origin: ${allowOrigin}`
  if (allowOrigin === '*' && credentials === 'omit') return [{ passed: true, subject, meaning: 'allows every origin, as no credentials are sent' }]
  if (allowOrigin === '*') return [{ passed: false, subject, meaning: 'is not enough with credentials: the origin must be named' }]
  if (allowOrigin !== origin) return [{ passed: false, subject, meaning: `names another origin than that of this page, ${origin}` }]
  const named: Finding = { passed: true, subject, meaning: 'names the origin of this page' }
  if (credentials === 'omit') return [named]
  return [named, listed(headers, 'Access-Control-Allow-Credentials', (value) => value === 'true', 'allows credentials', 'does not allow credentials; it must be “true”')]
}

/** https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7 */
function preflightCheck ({ response: { status, headers } }: Exchange, init: Init, origin: string): Finding[] {
  const findings = corsCheck(headers, init, origin)
  const check = (finding: () => Finding): void => {
    if (findings.every(({ passed }) => passed)) findings.push(finding())
  }
  check(() => ({ passed: status >= 200 && status <= 299, subject: `The preflight’s status ${status}`, meaning: status >= 200 && status <= 299 ? 'is one of success' : 'is not one of success (200 to 299)' }))
  if (!SAFELISTED_METHODS.includes(init.method)) {
    check(() => listed(headers, 'Access-Control-Allow-Methods', (value) => includes(value, init.method, init), `allows ${init.method}`, `does not allow ${init.method}`))
  }
  const names = unsafeHeaders(init)
  if (names.length > 0) {
    check(() => listed(headers, 'Access-Control-Allow-Headers', (value) => names.every((name) => includes(value.toLowerCase(), name, init)), `allows ${names.join(' and ')}`, `does not allow all of ${names.join(', ')}`))
  }
  return findings
}

function missing (name: string, meaning: string): Finding {
  return { passed: false, subject: `No ${name}`, meaning }
}

function listed (headers: readonly Header[], name: string, passes: (value: string) => boolean, yes: string, no: string): Finding {
  const value = valueOf(headers, name.toLowerCase())
  if (value === null) return missing(name, no)
  const passed = passes(value)
  return { passed, subject: `${name.toLowerCase()}: ${value}`, meaning: passed ? yes : no }
}

/** The wildcard is one without credentials only, and never stands for Authorization. */
function includes (list: string, item: string, { credentials }: Init): boolean {
  const items = list.split(',').map((each) => each.trim())
  return items.includes(item) || (items.includes('*') && credentials === 'omit' && item !== 'authorization')
}

/** https://fetch.spec.whatwg.org/#cors-safelisted-method */
const SAFELISTED_METHODS = ['GET', 'HEAD', 'POST']

/** https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names, for values as short as the demonstration's */
function unsafeHeaders ({ headers }: Init): string[] {
  return Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name, value]) => !['accept', 'accept-language', 'content-language'].includes(name) &&
      !(name === 'content-type' && /^(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)(?:;|$)/i.test(value)))
    .map(([name]) => name)
}

function isPreflighted (init: Init): boolean {
  return !SAFELISTED_METHODS.includes(init.method) || unsafeHeaders(init).length > 0
}
