// Compares what an application declares with what its deployment answers: for every route, and for origins that its policy allows and does not allow.
import { setTimeout } from 'node:timers/promises'
import type { Server, WireRequest, WireResponse } from '../browser/fetch'
import { quote } from '../messages/errors'
import { compareAnswers, type CorsDifference, type Question } from './compare-answers'
import { fillUrl } from './fill-url'
import type { CorsExplanation, CorsQuestion, CorsRoute } from './types'

/** What `verify` found. */
export interface Verification {
  /** How many answers were compared. */
  readonly compared: number
  readonly differences: readonly CorsDifference[]
  /** What could not be compared, and why. */
  readonly skipped: ReadonlyArray<{ readonly method: string, readonly url: string, readonly why: string }>
}

export interface VerifyOptions {
  /** The deployment, without a path. */
  readonly base: URL
  /** What stands for the parameters of routes, by name; `*` is the wildcard. */
  readonly params: ReadonlyMap<string, string>
  /** Asks the application. */
  readonly ask: (question: CorsQuestion) => Promise<CorsExplanation>
  /** Sends a request to the deployment. */
  readonly server: Server
  readonly progress: (done: number, total: number) => void
}

/** The most requests that are under way at once. */
const CONCURRENCY = 4

/** The most declared origins of a route that are tried. */
const MAX_ORIGINS = 20

/**
 * Verifies the deployment of an application with these routes. Sends preflights for all of them, and GET and HEAD themselves: nothing that changes anything.
 *
 * @throws Error where the deployment does not answer
 */
export async function verifyDeployment (routes: readonly CorsRoute[], options: VerifyOptions): Promise<Verification> {
  const skipped: Array<Verification['skipped'][number]> = []
  // The questions of one URL, in the order in which they are sent: a cache may answer one with the answer to another.
  const byUrl = new Map<string, Question[]>()
  for (const route of routes) {
    const url = fillUrl(route, options.base, options.params)
    if (typeof url === 'object') {
      skipped.push({ method: route.method, url: route.url, why: url.why })
      continue
    }
    const { tried, more } = originsFor(route)
    if (more !== undefined) skipped.push({ method: route.method, url: route.url, why: more })
    const questions: Question[] = []
    for (const origin of tried) questions.push(...await questionsFor(route, url, origin, options))
    const get = questions.find(({ isPreflight, method }) => !isPreflight && method === 'GET')
    byUrl.set(url, [...byUrl.get(url) ?? [], ...questions, ...(get === undefined ? [] : [withBody(get)])])
  }
  return { ...await compareAll([...byUrl.values()], options), skipped }
}

/** The origins that a route is tried with: those of its policy, a look-alike, an opaque one, and none. */
function originsFor ({ origin }: CorsRoute): { tried: ReadonlyArray<string | null>, more: string | undefined } {
  const declared = origin === '*' ? ['https://any.example'] : origin.flatMap(sampleOf)
  const [first = 'https://app.example'] = declared.filter((each) => each !== 'null')
  const lookAlike = `${first.replace(/:\d+$/, '')}.look-alike.example`
  const left = origin === '*' ? 0 : origin.length - Math.min(declared.length, MAX_ORIGINS)
  return {
    tried: [...new Set([...declared.slice(0, MAX_ORIGINS), lookAlike, 'null']), null],
    more: left > 0 ? `${left} of its origins were not tried: RegExps, functions, or more than ${MAX_ORIGINS}` : undefined
  }
}

/** An origin that an entry of a policy matches. None for a RegExp or a function. */
function sampleOf (entry: string): string[] {
  return entry.startsWith('/') || entry === 'function' ? [] : [entry.replace('://*.', '://verify.').replace(/:\*$/, '')]
}

/** What is sent for a route and an origin, and what the application says to it. */
async function questionsFor ({ method, url: path }: CorsRoute, url: string, origin: string | null, { ask }: VerifyOptions): Promise<Question[]> {
  const route = `${method} ${path}`
  const asked = origin ?? 'https://without.look-alike.example'
  const question = { origin: asked, method, url }
  const questions: Question[] = []
  if (origin !== null) {
    const [preflight] = (await ask({ ...question, useCorsPreflight: true })).exchanges
    // Without a preflight, the page has the origin of the API.
    if (preflight?.request.method !== 'OPTIONS') return []
    questions.push({ route, method, origin, isPreflight: true, expected: toResponse(preflight), request: preflightOf(method, url, origin) })
  }
  if (method === 'GET' || method === 'HEAD') {
    const [actual] = (await ask(question)).exchanges
    if (actual !== undefined) {
      const headers: WireRequest['headers'] = origin === null ? [] : [['origin', origin]]
      questions.push({ route, method, origin, isPreflight: false, expected: toResponse(actual), request: { method, url, headers } })
    }
  }
  return questions
}

function preflightOf (method: string, url: string, origin: string): WireRequest {
  return { method: 'OPTIONS', url, headers: [['accept', '*/*'], ['access-control-request-method', method], ['origin', origin]] }
}

/** The default of Fastify's `bodyLimit`, in bytes: a body of this length is the application's to answer. */
const BODY_LIMIT = 1_048_576

/** The same request with a body that is announced and never sent: a proxy that refuses its length answers by itself. */
function withBody (question: Question): Question {
  const { request } = question
  return { ...question, isErrorProbe: true, request: { ...request, headers: [...request.headers, ['content-length', String(BODY_LIMIT)]] } }
}

function toResponse ({ response: { statusCode, headers } }: CorsExplanation['exchanges'][number]): WireResponse {
  return { status: statusCode ?? 200, headers: Object.entries(headers) }
}

/** The time limit for an answer that does not wait for the body, in milliseconds. Most servers wait: then there is nothing to compare. */
const PROBE_TIMEOUT = 500

/** The answer to a request whose body does not come, if there is one. */
async function answerAtOnce (server: Server, { request }: Question): Promise<WireResponse | undefined> {
  const answer = server(request).catch(() => undefined)
  return await Promise.race([answer, setTimeout(PROBE_TIMEOUT, undefined, { ref: false })])
}

async function compareAll (groups: ReadonlyArray<readonly Question[]>, { server, progress }: VerifyOptions): Promise<Omit<Verification, 'skipped'>> {
  const total = groups.flat().length
  const differences: CorsDifference[] = []
  const waiting = [...groups]
  let compared = 0
  const work = async (): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      for (const question of group) {
        const answer = await (question.isErrorProbe === true ? answerAtOnce(server, question) : server(question.request))
        const difference = answer === undefined ? undefined : compareAnswers(question, answer)
        if (difference !== undefined) differences.push(difference)
        progress(++compared, total)
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
  return { compared, differences: differences.sort((one, other) => quote(one.route) < quote(other.route) ? -1 : 1) }
}
