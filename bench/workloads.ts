// What the contestants have to do, how each answer must look before anything is timed, and who takes part in what.
import type { Answer, Sent } from './exchange'
import type { ContestantName, RouteSetup, Setup } from './contestants'

export interface Workload {
  readonly title: string
  /**
   * `http`: over the loopback interface. `start`: a whole process until its server is ready. `boot`: the server alone, once. `restart`: building and closing it
   * again and again, in one process. `stub`: in process, through `fastify.routing`, with stub requests and responses, all of them complete when the call
   * returns. `await`: the same, waiting for each.
   */
  readonly kind: 'http' | 'start' | 'boot' | 'restart' | 'stub' | 'await'
  readonly contestants: readonly ContestantName[]
  readonly setup: () => Setup
  /** The requests, which are sent in turn. */
  readonly requests: (setup: Setup) => readonly Sent[]
  readonly expected: Expectation
}

export type Expectation = 'allowed' | 'refused' | 'no-origin' | 'preflight' | 'preflight-refused' | 'hostile'

const METHODS = ['GET', 'PUT']
const HOST = 'api.example.com'
const EVIL = 'https://evil.example.org'
const TWO = ['https://app.example.com', 'https://www.example.com']
const ALLOWED = TWO[1] as string

function one (origins: readonly string[], changes: Partial<Setup> = {}): Setup {
  return { routes: [{ url: '/items', methods: METHODS, origins }], declared: 'route', asynchronous: false, ...changes }
}

/** Headers as a browser sends them, beside those that CORS is about. */
const BROWSER = {
  host: HOST,
  connection: 'keep-alive',
  accept: '*/*',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'accept-encoding': 'gzip, deflate, br, zstd',
  'accept-language': 'en-GB,en;q=0.9'
}

function get (url: string, origin: string | undefined): Sent {
  return { method: 'GET', url, headers: origin === undefined ? BROWSER : { ...BROWSER, origin } }
}

function preflight (url: string, origin: string, requestHeaders = 'content-type', method = 'PUT'): Sent {
  return {
    method: 'OPTIONS',
    url,
    headers: { ...BROWSER, origin, 'access-control-request-method': method, 'access-control-request-headers': requestHeaders }
  }
}

/** So many of a list, from all over it, its last among them. */
function spread<T> (list: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, index) => list[(list.length - 1 - Math.floor(index * list.length / count)) % list.length] as T)
}

/** How many different URLs are asked for in turn, so that none can be remembered. */
const IN_TURN = 1024

type Kind = 'exact' | 'subdomain' | 'mixed'

function originList (kind: Kind, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const pattern = kind === 'subdomain' || (kind === 'mixed' && index % 2 === 1)
    return pattern ? `https://*.tenant-${index}.example.com` : `https://tenant-${index}.example.com`
  })
}

/** In process, two of the list in turn; of a mixed list the last of either sort, whatever the length. */
function manyOrigins (kind: Kind, count: number, how: 'stub' | 'http' = 'stub'): Workload {
  const list = originList(kind, count)
  return {
    title: `actual request, ${count.toLocaleString('en')} origins, ${kind}`,
    kind: how,
    contestants: how === 'http' ? ['ours'] : kind === 'exact' ? ['alone', 'hand', 'theirs', 'ours'] : ['alone', 'theirs', 'ours'],
    setup: () => one(list),
    requests: () => (kind === 'mixed' ? list.slice(-2) : spread(list, how === 'http' ? 1 : 2)).map((origin) => get('/items', origin.replace('*', 'shop'))),
    expected: 'allowed'
  }
}

function routeList (count: number, methods: readonly string[], own: boolean): RouteSetup[] {
  return Array.from({ length: count }, (_, index) => ({
    url: `/group-${index % 50}/resource-${index}`,
    methods,
    origins: own ? [`https://tenant-${index}.example.com`, 'https://www.example.com'] : TWO
  }))
}

function manyRoutes (count: number): Workload {
  return {
    title: `actual request, ${count.toLocaleString('en')} routes, each with a policy of its own`,
    kind: 'stub',
    contestants: ['alone', 'theirs', 'ours'],
    setup: () => ({ routes: routeList(count, ['GET'], true), declared: 'route', asynchronous: false }),
    requests: ({ routes }) => spread(routes, 1).map(({ url, origins }) => get(url, origins[0])),
    expected: 'allowed'
  }
}

const IN_FASTIFY: readonly ContestantName[] = ['alone', 'hand', 'theirs', 'ours']

function boot (): Workload {
  return {
    title: 'boot, 1,000 URLs × 4 methods, one named policy',
    kind: 'boot',
    contestants: IN_FASTIFY,
    setup: () => ({ ...one(TWO), routes: routeList(1000, ['GET', 'POST', 'PUT', 'DELETE'], false), declared: 'name' }),
    requests: ({ routes }) => spread(routes, 20).flatMap(({ url }) => [get(url, ALLOWED), preflight(url, ALLOWED, 'content-type', 'DELETE')]),
    expected: 'allowed'
  }
}

function start (): Workload {
  return {
    title: 'a process from its start until 10 routes are ready, one named policy',
    kind: 'start',
    contestants: IN_FASTIFY,
    setup: () => ({ ...one(TWO), routes: routeList(10, ['GET'], false), declared: 'name' }),
    requests: ({ routes }) => spread(routes, 2).map(({ url }) => get(url, ALLOWED)),
    expected: 'allowed'
  }
}

/** What a test suite does. */
function restart (title: string, changes: Partial<Setup>): Workload {
  return {
    title: `20 routes, made, ready and closed again and again, ${title}`,
    kind: 'restart',
    contestants: IN_FASTIFY,
    setup: () => ({ ...one(TWO), routes: Array.from({ length: 20 }, (_, index) => ({ url: `/resource-${index}`, methods: ['GET'], origins: [...TWO] })), ...changes }),
    requests: () => [get('/resource-0', ALLOWED)],
    expected: 'allowed'
  }
}

/** What arrives, by how it must be answered. */
const SENT: Readonly<Record<Expectation, Sent>> = {
  allowed: get('/items', ALLOWED),
  refused: get('/items', EVIL),
  'no-origin': get('/items', undefined),
  preflight: preflight('/items', ALLOWED),
  'preflight-refused': preflight('/items', EVIL),
  // 16 KB is what node accepts of headers altogether.
  hostile: preflight('/items', ALLOWED, ' ,\t, a'.repeat(2_600))
}

function single (kind: Workload['kind'], title: string, expected: Expectation, changes: Partial<Setup> = {}, sent: Sent = SENT[expected]): Workload {
  return { title, kind, contestants: IN_FASTIFY, setup: () => one(TWO, changes), requests: () => [sent], expected }
}

/** Each of them fits the beginning of nearly every URL of the others. */
const REGEXPS = Array.from({ length: 300 }, (_, index) => ({ url: `/items/:id(^[a-z]{1,${index + 1}}$)/part-${index}`, methods: METHODS }))

function regexpUrl (index: number): string {
  return `/items/${String.fromCharCode(97 + index % 26)}bc/part-299`
}

function inTurn (request: (index: number) => Sent): Sent[] {
  return Array.from({ length: IN_TURN }, (_, index) => request(index))
}

const ONE_METHOD = [{ url: '/items/:id', methods: ['PUT'] }]
const FIVE_METHODS = [{ url: '/items/:id', methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] }, { url: '/status', methods: ['GET'] }]

export const WORKLOADS = {
  'http-actual': single('http', 'actual request, allowed', 'allowed'),
  'http-preflight': single('http', 'preflight, allowed', 'preflight'),
  'http-preflight-parameter': preflights('http', 'of a route with a parameter', ONE_METHOD, (index) => `/items/${index}`),
  'http-preflight-five': preflights('http', 'of a route with a parameter and five methods', FIVE_METHODS, (index) => `/items/${index}`),
  'http-origins-2': manyOrigins('exact', 2, 'http'),
  'http-origins-10001': manyOrigins('exact', 10_001, 'http'),
  start: start(),
  boot: boot(),
  'restart-named': restart('one named policy', { declared: 'name' }),
  'restart-functions': restart('an origin function for each', { asynchronous: true }),
  'actual-allowed': single('stub', 'actual request, allowed', 'allowed'),
  'actual-refused': single('stub', 'actual request, refused', 'refused'),
  'actual-no-origin': single('stub', 'actual request without Origin', 'no-origin'),
  'async-origin': single('await', 'actual request, allowed by an asynchronous function', 'allowed', { asynchronous: true }),
  'preflight-allowed': single('stub', 'preflight, allowed', 'preflight'),
  'preflight-refused': single('stub', 'preflight, refused', 'preflight-refused'),
  'preflight-hostile': single('stub', 'hostile preflight: 16 KB of request headers', 'hostile'),
  'preflight-longest': single('stub', 'preflight with the most that ours reads: 4,096 characters', 'preflight', {}, preflight('/items', ALLOWED, Array.from({ length: 2048 }, () => 'a').join(','))),
  'preflight-parameter': preflights('stub', 'of a route with a parameter', ONE_METHOD, (index) => `/items/${index}`),
  'preflight-five': preflights('stub', 'of a route with a parameter and five methods', FIVE_METHODS, (index) => `/items/${index}`),
  'preflight-regexps': preflights('stub', 'beside 300 overlapping RegExp routes', REGEXPS, regexpUrl),
  'actual-regexps': { ...preflights('stub', '', REGEXPS, regexpUrl), title: 'actual request, allowed, beside 300 overlapping RegExp routes', requests: () => inTurn((index) => get(regexpUrl(index), ALLOWED)), expected: 'allowed' },
  'origins-exact-2': manyOrigins('exact', 2),
  'origins-exact-10001': manyOrigins('exact', 10_001),
  'origins-subdomain-2': manyOrigins('subdomain', 2),
  'origins-subdomain-10001': manyOrigins('subdomain', 10_001),
  'origins-mixed-2': manyOrigins('mixed', 2),
  'origins-mixed-10001': manyOrigins('mixed', 10_001),
  'routes-10': manyRoutes(10),
  'routes-10000': manyRoutes(10_000)
} as const satisfies Record<string, Workload>

export type WorkloadName = keyof typeof WORKLOADS

/** An allowed preflight for one of these routes. Many URLs in turn, so that none can be remembered. */
function preflights (kind: 'stub' | 'http', title: string, routes: ReadonlyArray<Omit<RouteSetup, 'origins'>>, url: (index: number) => string): Workload {
  return {
    title: `preflight, allowed, ${title}`,
    kind,
    contestants: IN_FASTIFY,
    setup: () => ({ ...one(TWO), routes: routes.map((route) => ({ ...route, origins: TWO })) }),
    requests: () => inTurn((index) => preflight(url(index), ALLOWED)),
    expected: 'preflight'
  }
}

function members (value: string | undefined): string[] {
  return (value ?? '').split(',').map((member) => member.trim().toLowerCase()).filter((member) => member !== '')
}

/** What is wrong with an answer; undefined if nothing is. The framework's own answers, without CORS, have only to be complete and free of it. */
export function fault (sent: Sent, answer: Answer | undefined, expected: Expectation, isAlone: boolean): string | undefined {
  if (answer === undefined) return 'it was not complete when the call returned'
  const { status, headers, body } = answer
  const { origin } = sent.headers
  const isPreflight = sent.method === 'OPTIONS'
  const allowedOrigin = headers['access-control-allow-origin']
  if (!isPreflight && (status !== 200 || body !== 'ok')) return `a response ${status} with ${JSON.stringify(body.slice(0, 80))}`
  if (isAlone) return Object.keys(headers).some((name) => name.startsWith('access-control-')) ? 'CORS headers without CORS' : undefined
  if (!members(headers['vary']).includes('origin')) return `Vary is ${JSON.stringify(headers['vary'])}`
  if (expected === 'hostile') return undefined // some refuse it, some reflect it: see refuses()
  if (expected !== 'allowed' && expected !== 'preflight') {
    return allowedOrigin === undefined ? undefined : `it allows ${JSON.stringify(allowedOrigin)}, and should allow nobody`
  }
  if (allowedOrigin !== origin) return `it allows ${JSON.stringify(allowedOrigin)} instead of ${JSON.stringify(origin)}`
  if (headers['access-control-allow-credentials'] !== 'true') return 'it does not allow credentials'
  if (!isPreflight) return undefined
  if (status !== 204 && status !== 200) return `a preflight's answer has status ${status}`
  const method = sent.headers['access-control-request-method'] as string
  if (!members(headers['access-control-allow-methods']).includes(method.toLowerCase())) return `it does not allow ${method}: ${JSON.stringify(headers['access-control-allow-methods'])}`
  if (!members(headers['access-control-allow-headers']).includes('content-type')) return 'it does not allow Content-Type'
  return undefined
}

/** Whether an answer to a preflight lets nobody through. */
export function refuses ({ headers }: Answer): boolean {
  return headers['access-control-allow-origin'] === undefined
}
