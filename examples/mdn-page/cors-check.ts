// Why a browser let a page read a response, or did not: the checks of the Fetch standard, applied to what was really sent.
import { valueOf, type Exchange, type Header } from './exchanges'
import type { Attempt } from './scenarios'

export interface Check {
  readonly passed: boolean
  /** What was looked at: a header line, or a status. */
  readonly subject: string
  readonly meaning: string
}

/** What an attempt's exchanges say. */
export interface Explanation {
  /** What of it the API received: all, no more than its preflight, or nothing. */
  readonly reached: 'request' | 'preflight' | 'nothing'
  /** The checks of each message, as far as a browser goes: up to the first that fails. */
  readonly messages: ReadonlyArray<{ readonly title: string, readonly checks: readonly Check[] }>
}

type Init = Attempt['init']

export function explain (exchanges: readonly Exchange[], init: Init, origin: string): Explanation {
  const preflight = exchanges.find(({ request }) => request.method === 'OPTIONS')
  const actual = exchanges.find(({ request }) => request.method === init.method)
  const messages: Array<Explanation['messages'][number]> = []
  if (preflight !== undefined) {
    messages.push({ title: 'The answer to the preflight', checks: upToFailure(preflightChecks(preflight, init, origin)) })
  } else if (actual !== undefined && isPreflighted(init)) {
    messages.push({ title: 'No preflight', checks: [{ passed: true, subject: 'Access-Control-Max-Age', meaning: 'of an earlier preflight’s answer still holds, so the browser remembers what it allowed' }] })
  }
  if (actual !== undefined) messages.push({ title: `The response to the ${init.method}`, checks: upToFailure(corsChecks(actual.response.headers, init, origin)) })
  return { reached: actual !== undefined ? 'request' : preflight !== undefined ? 'preflight' : 'nothing', messages }
}

function upToFailure (checks: Iterable<Check>): Check[] {
  const made: Check[] = []
  for (const check of checks) {
    made.push(check)
    if (!check.passed) break
  }
  return made
}

/** https://fetch.spec.whatwg.org/#concept-cors-check */
function * corsChecks (headers: readonly Header[], { credentials }: Init, origin: string): Iterable<Check> {
  yield header(headers, 'Access-Control-Allow-Origin', {
    ...(credentials === 'omit' && { '*': 'allows every origin, as no credentials are sent' }),
    [origin]: 'names the origin of this page'
  }, `is not ${origin}, the origin of this page`, 'was sent, so only pages of the API’s own origin may read this')
  if (credentials === 'include') {
    yield header(headers, 'Access-Control-Allow-Credentials', { true: 'allows credentials' }, 'is not “true”', 'was sent, so nobody may read this with credentials')
  }
}

/** https://fetch.spec.whatwg.org/#cors-preflight-fetch, step 7 */
function * preflightChecks ({ response: { status, headers } }: Exchange, init: Init, origin: string): Iterable<Check> {
  yield * corsChecks(headers, init, origin)
  const ok = status >= 200 && status <= 299
  yield { passed: ok, subject: `Status ${status}`, meaning: ok ? 'is one of success' : 'is not one of success, which are 200 to 299' }
  if (!SAFELISTED_METHODS.includes(init.method)) {
    yield list(headers, 'Access-Control-Allow-Methods', (items) => items.includes(init.method) || isWildcard(items, init), init.method)
  }
  for (const name of unsafeHeaders(init)) {
    yield list(headers, 'Access-Control-Allow-Headers', (items) => items.some((item) => item.toLowerCase() === name.toLowerCase()) ||
      (isWildcard(items, init) && name.toLowerCase() !== 'authorization'), name)
  }
}

/** The check of a header that has to have one of some values. */
function header (headers: readonly Header[], name: string, meanings: Readonly<Record<string, string>>, otherwise: string, absent: string): Check {
  const value = valueOf(headers, name.toLowerCase())
  if (value === null) return { passed: false, subject: `No ${name}`, meaning: absent }
  const meaning = Object.hasOwn(meanings, value) ? meanings[value] : undefined
  return { passed: meaning !== undefined, subject: `${name}: ${value}`, meaning: meaning ?? otherwise }
}

/** The check of a header that lists what is allowed. */
function list (headers: readonly Header[], name: string, allows: (items: readonly string[]) => boolean, wanted: string): Check {
  const value = valueOf(headers, name.toLowerCase())
  if (value === null) return { passed: false, subject: `No ${name}`, meaning: `was sent, so ${wanted} is not allowed` }
  const passed = allows(value.split(',').map((item) => item.trim()))
  return { passed, subject: `${name}: ${value}`, meaning: passed ? `allows ${wanted}` : `does not allow ${wanted}` }
}

/** `*` means everything only without credentials. */
function isWildcard (items: readonly string[], { credentials }: Init): boolean {
  return items.includes('*') && credentials === 'omit'
}

function isPreflighted (init: Init): boolean {
  return !SAFELISTED_METHODS.includes(init.method) || unsafeHeaders(init).length > 0
}

/** https://fetch.spec.whatwg.org/#cors-safelisted-method */
const SAFELISTED_METHODS = ['GET', 'HEAD', 'POST']

/** https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names, for values as short and plain as the demonstration's. */
function unsafeHeaders ({ headers }: Init): string[] {
  return Object.keys(headers).filter((name) => {
    const isFormType = /^content-type$/i.test(name) && /^(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)(?:;|$)/i.test(headers[name] ?? '')
    return !/^(?:accept|accept-language|content-language)$/i.test(name) && !isFormType
  })
}
