// What the model of the Fetch standard expects of a conformance case, given what the plugin answers.
import type { FastifyInstance } from 'fastify'
import type { HeaderList } from '../../lib/browser/headers'
import { PreflightCache } from '../../lib/browser/preflight-cache'
import { api, pageServer } from './application'
import { browse, type BodyServer, type BrowserOutcome, type BrowserRequest, type BrowserState, type Failure } from './browser'
import type { CorsExplanation, CorsQuestion } from '../../lib/index'
import { READERS, urlFor, type Case, type Step } from './case'
import { cookieHeader, type Cookie } from './cookies'
import { HttpCache } from './http-cache'
import { describe, Record, type Entry } from './record'
import type { World } from './world'

/** What is observed of a step, by the model or in a browser. */
export interface Outcome {
  readonly result: BrowserOutcome['result']
  readonly status?: number | undefined
  readonly body?: string | undefined
  readonly headerNames?: readonly string[] | undefined
}

export interface Expectation {
  readonly steps: readonly Outcome[]
  /** Why the model says that they are blocked. */
  readonly failures: ReadonlyArray<Failure | undefined>
  /** What reached the servers in each step. */
  readonly reached: ReadonlyArray<readonly Entry[]>
}

/** Headers of the connection, not of the response; and the date. */
const OF_THE_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding', 'date']

/** What can be compared of an outcome. */
export function comparable ({ by }: Step, { result, status, body, headerNames }: Outcome): Outcome {
  if (result !== 'readable' || !READERS.includes(by)) return { result }
  return { result, status, body, headerNames: headerNames?.filter((name) => !OF_THE_CONNECTION.includes(name)) }
}

/** The cookies that the API's login pages set. */
export function cookiesOf ({ apis }: World): Cookie[] {
  const host = new URL(apis.site).hostname
  return [
    { name: 'lax', host, sameSite: 'Lax', secure: false },
    { name: 'strict', host, sameSite: 'Strict', secure: false },
    { name: 'none', host, sameSite: 'None', secure: true },
    { name: 'secure-lax', host, sameSite: 'Lax', secure: true }
  ]
}

/** A browser that has been at the API's login pages, and nowhere else. */
export function newBrowser (world: World): BrowserState {
  const cookies = cookiesOf(world)
  return { preflights: new PreflightCache(), responses: new HttpCache(), cookie: (request) => cookieHeader(cookies, request) }
}

/** What a page asks for in a step. */
export function requestOf (step: Step, world: World, id: number): BrowserRequest {
  const { by, url, method, headers, credentials, mode, upload, body, from } = step
  return {
    origin: world.pages[from],
    url: urlFor(url, id),
    method,
    headers: [...headers, ...headersBy(step)],
    credentials: by === 'xhr' && credentials !== 'include' ? 'same-origin' : credentials,
    mode,
    useCorsPreflight: upload,
    ...(body !== undefined && { body })
  }
}

/** The same, as `app.cors.explain` is asked. */
export function questionOf ({ origin, url, method, headers, credentials, useCorsPreflight }: BrowserRequest): CorsQuestion {
  const lists: { [name: string]: string[] } = {}
  for (const [name, value] of headers) lists[name] = [...lists[name] ?? [], value]
  return { origin, method, url, headers: lists, credentials: credentials === 'include', useCorsPreflight }
}

/** Whether explain can know what becomes of a request: CORS concerns it, and its answer is the plugin's. Redirects it judges where they begin. */
export function isExplained ({ mode, url }: Step, { apis }: World): boolean {
  // Headers that a handler writes where no policy governs are not known.
  const isByHand = url === `${apis.site}/cached/without-vary`
  return mode === 'cors' && Object.values<string>(apis).includes(new URL(url).origin) && !isByHand
}

/** The applications, without any network. */
export class Oracle {
  readonly #world: World
  readonly #record: Record
  readonly #api: FastifyInstance
  readonly #pages: FastifyInstance

  /** The application of the API, to be asked what it says of its policies. */
  get api (): FastifyInstance {
    return this.#api
  }

  /** What reached the servers. */
  get record (): Record {
    return this.#record
  }

  private constructor (world: World, record: Record, apiApp: FastifyInstance, pages: FastifyInstance) {
    this.#world = world
    this.#record = record
    this.#api = apiApp
    this.#pages = pages
  }

  static async create (world: World): Promise<Oracle> {
    const record = new Record()
    return new Oracle(world, record, await api(world, record), await pageServer(record))
  }

  async close (): Promise<void> {
    await Promise.all([this.#api.close(), this.#pages.close()])
  }

  /** What the case's steps come to, one after the other in one browser: a new one, if it is not given. */
  async expect (theCase: Case, id: number, browser = newBrowser(this.#world)): Promise<Expectation> {
    const steps: Outcome[] = []
    const failures: Array<Failure | undefined> = []
    const reached: Array<readonly Entry[]> = []
    for (const step of theCase.steps) {
      const before = this.#record.of(id).length
      const prediction = await browse(this.server, requestOf(step, this.#world, id), browser)
      steps.push(comparable(step, prediction))
      failures.push(prediction.failure)
      reached.push(this.#record.of(id).slice(before))
    }
    return { steps, failures, reached }
  }

  /** What explain says of a step. */
  async explain (step: Step, id: number): Promise<CorsExplanation> {
    return await this.#api.cors.explain(questionOf(requestOf(step, this.#world, id)))
  }

  /** What the servers answer. */
  readonly server: BodyServer = async ({ method, url, headers, body }) => {
    const { host, pathname, search, origin } = new URL(url)
    const app = Object.values<string>(this.#world.apis).includes(origin) ? this.#api : this.#pages
    const response = await app.inject({
      method: method as 'GET',
      url: pathname + search,
      headers: { ...Object.fromEntries(joined(headers)), host },
      ...(body !== undefined && { payload: body })
    })
    const list: Array<[string, string]> = Object.entries(response.headers).flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, String(each)]))
    return { status: response.statusCode, headers: list, body: response.body }
  }
}

/** A body that is text has a type of its own (https://fetch.spec.whatwg.org/#concept-bodyinit-extract). */
function headersBy ({ body, headers }: Step): HeaderList {
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type')
  return body === undefined || hasType ? [] : [['content-type', 'text/plain;charset=UTF-8']]
}

function joined (headers: HeaderList): Map<string, string> {
  const map = new Map<string, string>()
  for (const [name, value] of headers) map.set(name.toLowerCase(), map.has(name.toLowerCase()) ? `${map.get(name.toLowerCase())}, ${value}` : value)
  return map
}

/** The whole case's record, to compare. */
export function reachedLines (entries: readonly Entry[]): string[] {
  return entries.map(describe)
}
