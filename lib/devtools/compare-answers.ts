// Compares one answer of a deployment with what the application says: the difference, if there is one, and who probably makes it.
import { corsCheck, preflightCheck } from '../browser/checks'
import type { WireRequest, WireResponse } from '../browser/fetch'
import { getHeader, type HeaderList } from '../browser/headers'
import { quote } from '../messages/errors'
import { answererOf, duplicatedHeader } from './deployment-reasons'

/**
 * In what a deployment differs from the application. A closed set.
 *
 * | reason | what is different |
 * |---|---|
 * | `duplicate-header` | a header that has one value comes twice: mostly of a proxy and of the application |
 * | `vary-stripped` | the answer depends on the origin, and `Vary` does not say so: a cache may give it to another origin |
 * | `cached-permission` | the answer is the one for another origin: a cache ignores `Vary` |
 * | `extra-permission` | the deployment allows what the application does not |
 * | `missing-permission` | the deployment does not allow what the application does |
 */
export type CorsDifferenceReason = 'duplicate-header' | 'vary-stripped' | 'cached-permission' | 'extra-permission' | 'missing-permission'

export interface CorsDifference {
  readonly reason: CorsDifferenceReason
  /** Method and URL of the route, as it is declared. */
  readonly route: string
  /** What was sent. */
  readonly request: { readonly method: string, readonly url: string }
  /** The origin of the page. Null: none was sent. */
  readonly origin: string | null
  readonly message: string
}

/** One request to the deployment, and the answer that the application's policy gives to it. */
export interface Question {
  readonly route: string
  /** The method that the page uses: a preflight announces it. */
  readonly method: string
  readonly origin: string | null
  readonly isPreflight: boolean
  /** The request is one that a proxy may refuse by itself. Only such an answer is compared. */
  readonly isErrorProbe?: boolean
  readonly expected: WireResponse
  readonly request: WireRequest
}

/** The difference between what the application says and what the deployment answers. */
export function compareAnswers (question: Question, actual: WireResponse): CorsDifference | undefined {
  const found = difference(question, actual)
  if (found === undefined) return undefined
  const { route, request: { method, url }, origin, isPreflight } = question
  const [reason, what] = found
  const who = origin === null ? 'without an origin' : `of ${quote(origin)}`
  const message = `${isPreflight ? `the preflight for ${question.method}` : `the ${method}`} ${who}: ${what}`
  return { reason, route, request: { method, url }, origin, message }
}

function difference (question: Question, actual: WireResponse): readonly [CorsDifferenceReason, string] | undefined {
  const { origin, isPreflight, expected, isErrorProbe = false } = question
  const { status, headers } = actual
  if (isErrorProbe && (status < 400 || status === expected.status)) return undefined
  const duplicated = duplicatedHeader(headers)
  if (duplicated !== undefined) {
    return ['duplicate-header', `${duplicated.name} comes with ${duplicated.values.map(quote).join(' and ')}; browsers accept one value only${byWhom(headers)}`]
  }
  const allowed = getHeader(headers, 'access-control-allow-origin')
  const isOfAnother = allowed !== null && allowed !== '*' && allowed !== origin && allowed !== getHeader(expected.headers, 'access-control-allow-origin')
  if (isOfAnother) return ['cached-permission', `it gets the answer for ${quote(allowed)}: a cache ignores Vary: Origin${byWhom(headers)}`]
  const [declared, given] = [permission(question, expected), permission(question, actual)]
  if (given > declared) return ['extra-permission', `the deployment allows it ${LEVELS[given]}, the application ${LEVELS[declared]}${byWhom(headers)}`]
  if (given < declared) {
    const age = getHeader(headers, 'age')
    if (age !== null) return ['cached-permission', `it gets an answer for another request from a cache, ${quote(age)} seconds old${byWhom(headers)}`]
    const location = getHeader(headers, 'location')
    const answer = `answered with ${status}${location === null ? '' : ` to ${quote(location)}`}`
    return ['missing-permission', `the application allows it ${LEVELS[declared]}, the deployment ${LEVELS[given]}: ${answer}${byWhom(headers)}`]
  }
  const isStripped = !isPreflight && !isErrorProbe && status < 300 && variesByOrigin(expected.headers) && !variesByOrigin(headers)
  return isStripped ? ['vary-stripped', `the answer depends on the origin, and Vary does not name it${byWhom(headers)}`] : undefined
}

const LEVELS = ['not at all', 'without credentials', 'with credentials'] as const

/** What a browser makes of an answer: 0 for nothing, 1 for an anonymous request, 2 for one with credentials as well. */
function permission ({ origin, isPreflight, method }: Question, response: WireResponse): 0 | 1 | 2 {
  if (origin === null) return 0
  const isAllowed = (credentials: 'omit' | 'include'): boolean => {
    const request = { origin, method, headers: [], credentials, useCorsPreflight: true }
    return (isPreflight ? preflightCheck(request, response) : corsCheck(request, response.headers)) === undefined
  }
  return isAllowed('include') ? 2 : isAllowed('omit') ? 1 : 0
}

function variesByOrigin (headers: HeaderList): boolean {
  const names = (getHeader(headers, 'vary') ?? '').toLowerCase().split(',').map((name) => name.trim())
  return names.includes('origin') || names.includes('*')
}

function byWhom (headers: HeaderList): string {
  const answeredBy = answererOf(headers)
  return answeredBy === undefined ? '' : `; the answer names ${answeredBy}`
}
