// Tests of the browser model of lib/browser/: the CORS check, preflights, their cache, redirects, cookies and HTTP caches, against servers
// that are written here. Nothing of the plugin takes part. That the model is what browsers do, test/browser/conformance.test.ts shows.
import t from 'tap'
import { corsCheck, preflightCheck, type CheckedRequest } from '../../lib/browser/checks'
import { predict } from '../../lib/browser/fetch'
import { exposedHeaderNames, type CredentialsMode } from '../../lib/browser/headers'
import { extractMaxAge, PreflightCache } from '../../lib/browser/preflight-cache'
import { browse, type BodyServer, type BrowserOutcome, type BrowserRequest, type BrowserState, type ReceivedResponse, type SentRequest } from './browser'
import { cookieHeader, cookiesSent, siteOf, type Cookie } from './cookies'
import { HttpCache } from './http-cache'

const PAGE = 'https://page.test'
const API = 'https://api.test'

type Headers = Record<string, string>

const answer = (headers: Headers = {}, status = 200, body = ''): ReceivedResponse => ({ status, headers: Object.entries(headers), body })

/** A server that answers preflights with some headers, and other requests with others. */
function serving (preflight: Headers, actual: Headers, preflightStatus = 204): BodyServer {
  return async ({ method, headers }) => method === 'OPTIONS' && headers.some(([name]) => name === 'access-control-request-method')
    ? answer(preflight, preflightStatus)
    : answer(actual, 200, 'body')
}

function asking (changes: Partial<BrowserRequest> = {}): BrowserRequest {
  return { origin: PAGE, url: `${API}/`, method: 'GET', headers: [], credentials: 'same-origin', mode: 'cors', useCorsPreflight: false, ...changes }
}

/** What a browser that remembers nothing makes of a request. */
async function browseWith (server: BodyServer, request: BrowserRequest, browser: BrowserState = { preflights: new PreflightCache() }): Promise<BrowserOutcome> {
  return await browse(server, request, browser)
}

const sentBy = ({ exchanges }: BrowserOutcome): SentRequest[] => exchanges.map(({ request }) => request)
const linesOf = (prediction: BrowserOutcome): string[] => sentBy(prediction).map(({ method, url }) => `${method} ${url}`)

t.test('the CORS check passes for * or the origin itself, and with credentials for the origin alone', async (t) => {
  const check = (origin: string, credentials: 'include' | 'omit', headers: Headers): string | undefined => corsCheck({ origin, credentials }, Object.entries(headers))
  t.equal(check(PAGE, 'omit', {}), 'no Access-Control-Allow-Origin')
  t.equal(check(PAGE, 'omit', { 'Access-Control-Allow-Origin': '*' }), undefined)
  t.equal(check(PAGE, 'include', { 'access-control-allow-origin': '*', 'access-control-allow-credentials': 'true' }), 'wildcard with credentials')
  t.equal(check(PAGE, 'omit', { 'access-control-allow-origin': PAGE }), undefined)
  for (const other of [`${PAGE}/`, PAGE.toUpperCase(), 'null', '', `${PAGE}, ${PAGE}`]) t.equal(check(PAGE, 'omit', { 'access-control-allow-origin': other }), 'another origin', other)
  t.equal(check('null', 'omit', { 'access-control-allow-origin': 'null' }), undefined)
  for (const value of ['True', 'TRUE', '1', '']) t.equal(check(PAGE, 'include', { 'access-control-allow-origin': PAGE, 'access-control-allow-credentials': value }), 'credentials not allowed', value)
  t.equal(check(PAGE, 'include', { 'access-control-allow-origin': PAGE, 'access-control-allow-credentials': 'true' }), undefined)
})

t.test('the check of a preflight fails for the first reason that the standard looks at', async (t) => {
  const put: CheckedRequest = { origin: PAGE, method: 'PUT', headers: [['X-One', '1'], ['Accept', 'a/b'], ['x-one', '2']], credentials: 'omit', useCorsPreflight: false }
  const named = { 'access-control-allow-origin': PAGE }
  const good = { ...named, 'access-control-allow-methods': 'PUT', 'access-control-allow-headers': 'x-two, x-one' }
  const check = (headers: Headers, request = put, status = 200): string | undefined => preflightCheck(request, answer(headers, status))
  t.equal(check(good), undefined)
  t.equal(check({}), 'preflight: no Access-Control-Allow-Origin')
  t.equal(check({}, put, 404), 'preflight: no Access-Control-Allow-Origin')
  for (const status of [199, 300, 304, 404, 500]) t.equal(check(good, put, status), 'preflight: status', `${status}`)
  for (const status of [204, 299]) t.equal(check(good, put, status), undefined, `${status}`)
  for (const status of [301, 302, 303, 307, 308]) t.equal(check({}, put, status), 'preflight: redirect', `${status}`)
  t.equal(check(named), 'method not allowed')
  t.equal(check({ ...good, 'access-control-allow-methods': 'put' }), 'method not allowed')
  for (const list of ['access-control-allow-methods', 'access-control-allow-headers']) t.equal(check({ ...good, [list]: 'X One' }), 'preflight: unreadable list', list)
  t.equal(check({ ...good, 'access-control-allow-headers': 'X-Two' }), 'header not allowed')
  t.equal(check({ ...good, 'access-control-allow-headers': '*' }), undefined)
  const { 'access-control-allow-headers': _, ...without } = good
  t.equal(check(without), 'header not allowed')
  const include = { ...put, credentials: 'include' as const }
  const allowing = { 'access-control-allow-origin': PAGE, 'access-control-allow-credentials': 'true' }
  t.equal(check({ ...good, ...allowing }, include), undefined)
  t.equal(check({ 'access-control-allow-origin': '*' }, include), 'preflight: wildcard with credentials')
  t.equal(check(good, include), 'preflight: credentials not allowed')
  t.equal(check({ ...good, ...allowing, 'access-control-allow-credentials': 'TRUE' }, include), 'preflight: credentials not allowed')
})

t.test('a page reads the headers that are exposed to it', async (t) => {
  const { headers: response } = answer({ ETag: '1', 'X-A': '1', 'set-cookie': 'a=1', 'content-type': 'a/b', 'access-control-expose-headers': '*' })
  t.strictSame(exposedHeaderNames(response, 'omit'), ['access-control-expose-headers', 'content-type', 'etag', 'x-a'])
  t.strictSame(exposedHeaderNames(response, 'include'), ['content-type'], 'with credentials, * is a name')
  t.strictSame(exposedHeaderNames(answer({ ETag: '1', 'access-control-expose-headers': 'etag, set-cookie' }).headers, 'omit'), ['etag'])
})

t.test('a simple request is sent without a preflight', async (t) => {
  const prediction = await browseWith(serving({}, { 'access-control-allow-origin': PAGE }), asking({ method: 'post', headers: [['Accept', 'a/b'], ['Cookie', 'a=1']] }))
  t.match(prediction, { result: 'readable', status: 200, body: 'body' })
  t.strictSame(sentBy(prediction)[0]?.headers, [['Accept', 'a/b'], ['origin', PAGE]], 'with its origin, without what is forbidden')
  t.match(await browseWith(serving({}, {}), asking()), { result: 'blocked', failure: 'no Access-Control-Allow-Origin', exchanges: [{ request: { method: 'GET' } }] })
  t.match(await browseWith(serving({}, {}), asking({ mode: 'no-cors' })), { result: 'opaque' })
  t.match(await browseWith(serving({}, {}), asking({ origin: API, method: 'PUT' })), { result: 'readable', exchanges: [{ request: { method: 'PUT' } }] }, 'the same origin')
  t.strictSame(await browseWith(serving({}, {}), asking({ method: 'trace' })), { result: 'blocked', failure: 'forbidden method', exchanges: [] })
})

t.test('a request that is not simple needs a preflight that allows it', async (t) => {
  const good = { 'access-control-allow-origin': PAGE }
  const put = asking({ method: 'PUT', headers: [['X-B', '1'], ['X-A', '1']] })
  const result = async (preflight: Headers, request = put, status = 204): Promise<string | undefined> => (await browseWith(serving(preflight, good, status), request)).failure
  const all = { ...good, 'access-control-allow-methods': 'GET, PUT', 'access-control-allow-headers': 'x-a, X-B' }

  const approved = await browseWith(serving(all, good), put)
  t.strictSame(linesOf(approved), [`OPTIONS ${API}/`, `PUT ${API}/`])
  t.strictSame(sentBy(approved)[0]?.headers, [['accept', '*/*'], ['access-control-request-method', 'PUT'], ['access-control-request-headers', 'x-a,x-b'], ['origin', PAGE]])
  t.equal(await result({}), 'preflight: no Access-Control-Allow-Origin')
  t.equal(await result(all, put, 200), undefined)
  t.equal(await result(all, put, 404), 'preflight: status')
  t.equal(await result(all, put, 302), 'preflight: redirect')
  t.equal(await result({ ...all, 'access-control-allow-methods': 'put' }), 'method not allowed', 'methods are case-sensitive')
  t.equal(await result({ ...all, 'access-control-allow-methods': 'PUT POST' }), 'preflight: unreadable list')
  t.equal(await result({ ...all, 'access-control-allow-headers': 'x-a' }), 'header not allowed')
  const star = { ...good, 'access-control-allow-methods': '*', 'access-control-allow-headers': '*', 'access-control-allow-credentials': 'true' }
  t.equal(await result(star), undefined)
  t.equal(await result(star, { ...put, headers: [['authorization', 'a']] }), 'header not allowed', 'not covered by the wildcard')
  t.equal(await result({ ...star, 'access-control-allow-headers': '*, Authorization' }, { ...put, headers: [['authorization', 'a']] }), undefined)
  t.equal(await result(star, { ...put, credentials: 'include' }), 'method not allowed', 'with credentials, * is a name')
  t.equal(await result({ ...star, 'access-control-allow-methods': 'PUT' }, { ...put, credentials: 'include' }), 'header not allowed')
  t.equal(await result(good, asking({ method: 'PATCH' })), 'method not allowed')
  t.equal(await result(good, asking({ method: 'POST', useCorsPreflight: true })), undefined, 'safelisted methods need not be listed')
})

t.test('the preflight cache saves preflights until its entries expire', async (t) => {
  const browser = { preflights: new PreflightCache() }
  const allowed = { 'access-control-allow-origin': PAGE, 'access-control-allow-credentials': 'true' }
  const server = serving({ ...allowed, 'access-control-allow-methods': 'PUT, DELETE', 'access-control-allow-headers': 'X-A', 'access-control-max-age': '60' }, allowed)
  const count = async (changes: Partial<BrowserRequest>): Promise<number> => sentBy(await browseWith(server, asking(changes), browser)).filter(({ method }) => method === 'OPTIONS').length
  t.equal(await count({ method: 'PUT' }), 1)
  t.equal(await count({ method: 'DELETE' }), 0, 'every method of the answer is remembered')
  t.equal(await count({ headers: [['x-a', '1']] }), 0, 'and every header')
  t.equal(await count({ method: 'PUT', url: `${API}/other` }), 1, 'of that URL')
  t.equal(await count({ method: 'PUT', credentials: 'include' }), 1, 'not for credentials')
  t.equal(await count({ method: 'PUT', credentials: 'include' }), 0)
  browser.preflights.now = 59
  t.equal(await count({ method: 'PUT' }), 0)
  browser.preflights.now = 60
  t.equal(await count({ method: 'PUT' }), 1, 'until it is too old')
  t.equal(await count({ method: 'PATCH' }), 1)
  t.equal(await count({ method: 'PUT' }), 1, 'a failure clears it')

  const renewed = new PreflightCache()
  const of = { origin: PAGE, url: API, credentials: 'omit' as const }
  renewed.store(of, ['PUT'], ['X-A', '*'], 10)
  renewed.now = 5
  renewed.store(of, ['PUT'], ['x-a', 'X-B', 'Authorization'], 10)
  renewed.now = 12
  t.ok(renewed.hasMethod(of, 'PUT') && renewed.hasHeaderName(of, 'x-a') && renewed.hasHeaderName(of, 'x-other') && renewed.hasHeaderName(of, 'authorization'), 'what is allowed again is kept for longer')
  renewed.now = 15
  t.notOk(renewed.hasMethod(of, 'PUT') || renewed.hasHeaderName(of, 'x-a') || renewed.hasHeaderName(of, 'x-other'))

  const cache = new PreflightCache(100)
  const key = { origin: PAGE, url: API, credentials: 'omit' as const }
  cache.store(key, ['*'], ['*'], 1000)
  t.ok(cache.hasMethod(key, 'ANY'))
  t.ok(cache.hasHeaderName(key, 'x-any'))
  t.notOk(cache.hasHeaderName(key, 'Authorization'))
  t.notOk(cache.hasMethod({ ...key, origin: API }, 'ANY'))
  cache.now = 100
  t.notOk(cache.hasMethod(key, 'ANY'), 'no longer than the limit')
  t.strictSame([null, '', '0', '600', '-1', '1.5', 'x'].map(extractMaxAge), [5, 5, 0, 600, 5, 5, 5])
})

t.test('a redirect is checked at each step', async (t) => {
  const seen: Array<string | undefined> = []
  const server = (location: string, status: number, headers: Headers = { 'access-control-allow-origin': '*' }): BodyServer => async (request) => {
    seen.push(request.headers.find(([name]) => name === 'origin')?.[1])
    return request.url === `${API}/` ? answer({ ...headers, location }, status) : answer({ 'access-control-allow-origin': '*' })
  }
  t.strictSame(linesOf(await browseWith(server('/next', 302), asking({ method: 'POST' }))), [`POST ${API}/`, `GET ${API}/next`])
  t.strictSame(linesOf(await browseWith(server('/next', 307), asking({ method: 'POST' }))), [`POST ${API}/`, `POST ${API}/next`])
  t.strictSame(linesOf(await browseWith(server('/next', 303), asking({ method: 'HEAD' }))), [`HEAD ${API}/`, `HEAD ${API}/next`])
  t.strictSame(linesOf(await browseWith(server('/next', 303), asking({ method: 'POST', headers: [['Content-Type', 'text/plain'], ['Accept', '*/*']], body: 'text' }))), [`POST ${API}/`, `GET ${API}/next`])
  seen.length = 0
  t.match(await browseWith(server('https://other.test/', 302), asking()), { result: 'readable' })
  t.strictSame(seen, [PAGE, 'null'], 'from one foreign origin to another')
  t.match(await browseWith(server('/next', 302, {}), asking()), { failure: 'no Access-Control-Allow-Origin', exchanges: [{}] }, 'which has to allow it, too')
  t.match(await browseWith(server('https://user@other.test/', 302), asking()), { failure: 'redirect with credentials' })
  t.match(await browseWith(server('https://:secret@other.test/', 302), asking()), { failure: 'redirect with credentials' })
  t.match(await browseWith(server('https://user@other.test/', 302), asking({ mode: 'no-cors' })), { result: 'opaque' }, 'which concerns CORS only')
  t.match(await browseWith(server('https://user@api.test/next', 302), asking({ origin: API })), { result: 'readable' }, 'and other origins')
  t.match(await browseWith(server('https://user@other.test/next', 302), asking({ origin: API })), { failure: 'redirect with credentials' })
  t.match(await browseWith(server('/', 302), asking()), { failure: 'too many redirects' })
  const prediction = await browseWith(async ({ method, url }) => {
    const allowed = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization' }
    return url === `${API}/` && method === 'GET' ? answer({ ...allowed, location: 'https://other.test/' }, 302) : answer(allowed)
  }, asking({ headers: [['Authorization', 'a']] }))
  t.strictSame(sentBy(prediction).map(({ headers }) => headers.some(([name]) => name === 'Authorization')), [false, true, false], 'Authorization stays behind')
})

t.test('which cookies are sent depends on their site and on the credentials mode', async (t) => {
  const cookies: Cookie[] = [
    { name: 'lax', host: 'api.site.test', sameSite: 'Lax', secure: false },
    { name: 'none', host: 'api.site.test', sameSite: 'None', secure: true },
    { name: 'elsewhere', host: 'other.site.test', sameSite: 'None', secure: true }
  ]
  const url = 'https://api.site.test/'
  t.equal(siteOf('https://a.b.site.test:8443/x'), 'https://site.test')
  const sent = (origin: string, to: string, credentials: CredentialsMode, isSameOrigin = false): string[] => cookiesSent(cookies, { origin, url: to, credentials, isSameOrigin })
  t.strictSame(sent('https://app.site.test', url, 'include'), ['lax', 'none'])
  t.strictSame(sent('http://app.site.test', url, 'include'), ['none'], 'another scheme is another site')
  t.strictSame(sent('http://app.site.test', 'http://api.site.test/', 'include'), ['lax'], 'Secure')
  t.strictSame(sent('null', url, 'include'), ['none'])
  t.strictSame(sent('https://app.site.test', url, 'same-origin'), [])
  t.strictSame(sent('https://api.site.test', url, 'same-origin', true), ['lax', 'none'])
  t.strictSame(sent('https://app.site.test', url, 'omit', true), [])
  const browser = { preflights: new PreflightCache(), cookie: (request: Parameters<typeof cookieHeader>[1]) => cookieHeader(cookies, request) }
  const cookie = async (credentials: CredentialsMode): Promise<string | undefined> => sentBy(await browseWith(serving({}, {}), asking({ origin: 'https://app.site.test', url, credentials }), browser))[0]?.headers.find(([name]) => name === 'cookie')?.[1]
  t.equal(await cookie('include'), 'lax=1; none=1')
  t.equal(await cookie('omit'), undefined)
})

t.test('an HTTP cache answers by URL and Vary', async (t) => {
  const cache = new HttpCache()
  const get = (origin: string, method = 'GET'): SentRequest => ({ method, url: API, headers: [['origin', origin]] })
  const kept = { 'cache-control': 'max-age=60' }
  cache.store(get(PAGE), answer({ 'cache-control': 'no-store' }))
  cache.store(get(PAGE, 'POST'), answer(kept))
  t.equal(cache.lookUp(get(PAGE)), undefined)
  cache.store(get(PAGE), answer(kept))
  t.ok(cache.lookUp(get('https://other.test')), 'without Vary, for everyone')
  cache.store(get(PAGE), answer({ ...kept, vary: 'Accept, Origin' }))
  t.ok(cache.lookUp(get(PAGE)))
  t.equal(cache.lookUp(get('https://other.test')), undefined)
  cache.store(get(PAGE), answer({ ...kept, vary: '*' }))
  t.equal(cache.lookUp(get(PAGE)), undefined)
})

t.test('the model judges one request: it does not follow redirects', async (t) => {
  const redirecting = async (headers: Headers, status = 302) => await predict(async () => answer(headers, status), { origin: PAGE, url: `${API}/a/` })
  t.match(await redirecting({ 'access-control-allow-origin': '*', location: '../b' }), { result: 'redirected', status: 302, location: `${API}/b`, exchanges: [{ request: { method: 'GET', url: `${API}/a/` } }] })
  t.match(await redirecting({ location: '../b' }), { result: 'blocked', failure: 'no Access-Control-Allow-Origin' }, 'a redirect needs permission, too')
  t.match(await redirecting({ 'access-control-allow-origin': '*' }), { result: 'readable', status: 302 }, 'without a location it is a response like any other')
  t.match(await redirecting({ 'access-control-allow-origin': '*', location: '../b' }, 200), { result: 'readable', status: 200 })
})

t.test('one switch decides whether the wildcard covers Authorization, in a preflight and in what is remembered of it', async (t) => {
  const server = serving({ 'access-control-allow-origin': '*', 'access-control-allow-headers': '*', 'access-control-max-age': '60' }, { 'access-control-allow-origin': '*' })
  const request = { origin: PAGE, url: API, headers: [['Authorization', 'a']] } as const
  t.match(await predict(server, request), { result: 'blocked', failure: 'header not allowed' }, 'in the standard it does not')
  for (const wildcardCoversAuthorization of [true, false]) {
    const preflights = new PreflightCache()
    const sent = async (): Promise<string[]> => (await predict(server, request, { preflights, wildcardCoversAuthorization })).exchanges.map(({ request: { method } }) => method)
    t.strictSame(await sent(), wildcardCoversAuthorization ? ['OPTIONS', 'GET'] : ['OPTIONS'])
    t.strictSame(await sent(), wildcardCoversAuthorization ? ['GET'] : ['OPTIONS'])
  }
  const credentialed = serving({ 'access-control-allow-origin': PAGE, 'access-control-allow-credentials': 'true', 'access-control-allow-headers': '*' }, {})
  t.match(await predict(credentialed, { ...request, credentials: 'include' }, { wildcardCoversAuthorization: true }), { failure: 'header not allowed' }, 'with credentials, * is a name')
})

t.test('what a server throws ends the prediction', async (t) => {
  await t.rejects(predict(async () => { throw new Error('no network') }, { origin: PAGE, url: API }), { message: 'no network' })
  await t.rejects(predict(serving({}, {}), { origin: PAGE, url: '/relative' }), { code: 'ERR_INVALID_URL' })
})
