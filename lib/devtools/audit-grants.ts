// What a response permits to a page, by the browser model.
import { corsCheck, preflightCheck } from '../browser/checks'
import { getHeader, type CredentialsMode } from '../browser/headers'
import type { Attempt } from './audit-origins'
import type { RecordedRoute } from './application-recorder'
import type { Answer, AuditRequests, Target } from './audit-requests'

/** What a page of an origin may do: nothing, read what everyone reads (`*`), read because of its origin, or read with credentials. */
export type Grant = 'none' | 'wildcard' | 'reading' | 'credentials'

/** An origin that was tried on a route. */
export interface Trial extends Attempt {
  readonly preflight: Answer
  readonly response: Answer
  readonly preflightGrant: Grant
  readonly responseGrant: Grant
}

/** All that was asked about one route. */
export interface Observation {
  readonly route: RecordedRoute
  readonly target: Target
  /** The response to a request without `Origin`. */
  readonly plain: Answer
  readonly trials: readonly Trial[]
}

/** Asks about one route; undefined if no request reaches it. */
export async function observe (requests: AuditRequests, route: RecordedRoute, attempts: readonly Attempt[]): Promise<Observation | undefined> {
  const target = await requests.targetOf(route)
  if (target === undefined) return undefined
  const plain = await requests.send(target)
  const trials: Trial[] = []
  for (const attempt of attempts) {
    const response = await requests.send(target, attempt.origin)
    const preflight = await requests.preflight(target, attempt.origin)
    const preflightGrant = preflightGrantOf(preflight, attempt.origin, route.method)
    trials.push({ ...attempt, response, preflight, preflightGrant, responseGrant: responseGrantOf(response, attempt.origin) })
  }
  return { route, target, plain, trials }
}

export function responseGrantOf ({ headers }: Answer, origin: string): Grant {
  return grantOf(headers, (credentials) => corsCheck({ origin, credentials }, headers) === undefined)
}

/** What a preflight approves for a method and for names of request headers. */
export function preflightGrantOf (answer: Answer, origin: string, method: string, names: readonly string[] = []): Grant {
  // A value that is too long to be safelisted: the preflight has to name every header.
  const headers = names.map((name) => [name, 'x'.repeat(129)] as const)
  return grantOf(answer.headers, (credentials) => preflightCheck({ origin, method, headers, credentials, useCorsPreflight: true }, answer) === undefined)
}

function grantOf (headers: Answer['headers'], passes: (credentials: CredentialsMode) => boolean): Grant {
  if (passes('include')) return 'credentials'
  if (!passes('omit')) return 'none'
  return getHeader(headers, 'access-control-allow-origin') === '*' ? 'wildcard' : 'reading'
}

/** What an origin gets at a route. Where no response permits anything, a handler may do so, which did not run: the preflight tells. */
export function decisiveTrials ({ route, trials }: Observation): ReadonlyArray<Attempt & { readonly grant: Grant, readonly answer: Answer }> {
  const byResponse = route.cors !== undefined || trials.some(({ responseGrant }) => responseGrant !== 'none')
  return trials.map(({ origin, kind, response, responseGrant, preflight, preflightGrant }) =>
    ({ origin, kind, grant: byResponse ? responseGrant : preflightGrant, answer: byResponse ? response : preflight }))
}
