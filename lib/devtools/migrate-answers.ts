// What an application answers to the requests of pages. Asked before and after the migration, and compared.
import type { FastifyInstance } from 'fastify'
import { corsCheck, preflightCheck, type CheckFailure, type PreflightFailure } from '../browser/checks'
import { getHeader, unsafeHeaderNames, type CredentialsMode, type HeaderList } from '../browser/headers'
import { SAFELISTED_METHODS } from '../http/methods'
import type { ApplicationRecord, RecordedRoute } from './application-recorder'
import { attemptsFor, type Attempt } from './audit-origins'
import { AuditRequests, type Answer, type Target } from './audit-requests'

/** Why a browser blocks a request. */
export type Failure = CheckFailure | PreflightFailure

/** A request of a page. Plain JSON: the same is asked of two processes. */
export interface PageQuestion {
  /** `PUT /items/:id`. */
  readonly route: string
  /** Whether a route answers it. If not, what a page may read is a 404. */
  readonly isRouted: boolean
  readonly target: Target
  readonly origin: string
  /** What the page sets. */
  readonly headers: HeaderList
}

/** What a page gets. */
export interface PageAnswer {
  readonly allowed: 'no' | 'without credentials' | 'with credentials'
  /** Why the browser blocks it, also without credentials. */
  readonly failure?: Failure
  /** The status of the preflight; null where the browser sends none. */
  readonly preflight: number | null
  readonly status: number
  /** The names that are exposed, in lower case and sorted; empty where the page may not read the response. */
  readonly exposed: readonly string[]
}

/** A URL that no application has. */
const NOWHERE = '/fastify-cors-policy-migrate/nowhere'

/** The questions about some routes. `headerLines` are headers of real clients. */
export async function questionsAbout (
  root: FastifyInstance, record: ApplicationRecord, routes: readonly RecordedRoute[], origins: readonly string[], headerLines: HeaderList
): Promise<PageQuestion[]> {
  const requests = new AuditRequests(root, record)
  const attempts = attemptsFor(origins)
  const questions: PageQuestion[] = []
  const urls = new Map<string, Target>()
  for (const route of routes) {
    const target = await requests.targetOf(route)
    if (target === undefined) continue
    urls.set(route.url, target)
    questions.push(...questionsFor(`${route.method} ${route.url}`, target, attempts, headerLines))
  }
  for (const [url, target] of [...urls, [NOWHERE, { url: NOWHERE, headers: {} }] as const]) {
    const method = ['DELETE', 'PATCH', 'PUT'].find((each) => !routes.some((route) => route.url === url && route.method === each))
    if (method === undefined) continue
    const route = url === NOWHERE ? 'a URL without a route' : `${method} ${url} (no route)`
    questions.push(...questionsFor(route, { ...target, method }, attempts.filter(isMain), []).map((question) => ({ ...question, isRouted: false })))
  }
  return questions
}

function isMain ({ kind }: Attempt): boolean {
  return kind === 'known' || kind === 'unrelated'
}

function questionsFor (route: string, target: Target, attempts: readonly Attempt[], headerLines: HeaderList): PageQuestion[] {
  const json: HeaderList = target.method === 'GET' || target.method === 'HEAD' ? [] : [['content-type', 'application/json']]
  const withHeader = (line: HeaderList[number]): HeaderList => [...json, line]
  const sets: HeaderList[] = [[], ...json.length > 0 ? [json] : [], withHeader(['authorization', 'Bearer 1']), ...headerLines.map(withHeader)]
  return attempts.flatMap((attempt) => (isMain(attempt) ? sets : sets.slice(0, 1))
    .map((headers) => ({ route, isRouted: true, target, origin: attempt.origin, headers })))
}

/** Asks them one after the other. */
export async function answersTo (root: FastifyInstance, record: ApplicationRecord, questions: readonly PageQuestion[]): Promise<PageAnswer[]> {
  const requests = new AuditRequests(root, record)
  const answers: PageAnswer[] = []
  for (const question of questions) answers.push(await answerTo(requests, question))
  return answers
}

async function answerTo (requests: AuditRequests, { target, origin, headers }: PageQuestion): Promise<PageAnswer> {
  const names = unsafeHeaderNames(headers)
  const needsPreflight = names.length > 0 || !SAFELISTED_METHODS.has(target.method)
  const preflight = needsPreflight ? await requests.preflight(target, origin, names) : undefined
  // The body that the content type announces is not sent, and neither is the token: nothing reads them.
  const response = await requests.send(target, origin)
  const check = (credentials: CredentialsMode): Failure | undefined =>
    (preflight && preflightCheck({ origin, method: target.method, headers, credentials, useCorsPreflight: false }, preflight)) ??
    corsCheck({ origin, credentials }, response.headers)
  const failure = check('omit')
  const allowed = check('include') === undefined ? 'with credentials' : failure === undefined ? 'without credentials' : 'no'
  const exposed = allowed === 'no' ? [] : exposedBy(response)
  return { allowed, ...(failure !== undefined && { failure }), preflight: preflight?.status ?? null, status: response.status, exposed }
}

function exposedBy ({ headers }: Answer): string[] {
  const names = getHeader(headers, 'access-control-expose-headers')?.split(',').map((name) => name.trim().toLowerCase()) ?? []
  return [...new Set(names)].filter((name) => name !== '').sort()
}
