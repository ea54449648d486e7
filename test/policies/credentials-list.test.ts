// Credentials for some: a policy whose `credentials` is a list of origins answers these by name and with credentials, and everyone else as the policy without
// credentials would.
import { fail } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import cors, { definePolicies, originList } from '../../lib/index'
import { accessControl, application, approves, BAR, corsHeaders, EVIL, FOO, ok, preflight, PREFLIGHT_VARY, refusal, request } from '../support'

const APP = 'https://app.example.com'
const withCredentials = (origin: string): object => ({ 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' })

t.test('with origin "*" and a list of credentials, everyone may read, and the listed origins with credentials', async (t) => {
  const app = await application(t)
  app.get('/', { config: { cors: { origin: '*', credentials: [APP, 'https://*.partners.example'], exposedHeaders: ['ETag'], maxAge: 5 } } }, ok)
  const exposed = { 'access-control-expose-headers': 'ETag' }
  for (const origin of [APP, 'https://a.partners.example']) {
    t.strictSame(corsHeaders(await request(app, 'GET', '/', origin)), { vary: 'Origin', ...withCredentials(origin), ...exposed }, origin)
    const asked = await preflight(app, 'GET', '/', { origin })
    t.equal(asked.statusCode, 204)
    t.strictSame(corsHeaders(asked), { vary: PREFLIGHT_VARY, ...withCredentials(origin), 'access-control-allow-methods': 'GET, HEAD', 'access-control-max-age': '5' })
  }
  for (const origin of [EVIL, 'null', 'https://partners.example', `${APP}:8443`, 'http://app.example.com', 'https://APP.example.com', `${APP}, ${EVIL}`, '']) {
    t.strictSame(corsHeaders(await request(app, 'GET', '/', origin)), { vary: 'Origin', 'access-control-allow-origin': '*', ...exposed }, origin)
    const asked = await preflight(app, 'GET', '/', { origin })
    t.strictSame(corsHeaders(asked), { vary: PREFLIGHT_VARY, 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, HEAD', 'access-control-max-age': '5' })
  }
  t.strictSame(corsHeaders(await request(app, 'GET', '/')), { vary: 'Origin', 'access-control-allow-origin': '*', ...exposed }, 'without an Origin the response varies, too: caches keep it for all')
})

t.test('the origins listed in credentials are allowed besides those of origin', async (t) => {
  const asked: string[] = []
  const app = await application(t)
  app.get('/array', { config: { cors: { origin: [FOO, 'null'], credentials: [APP] } } }, ok)
  app.get('/function', { config: { cors: { origin: async (origin) => { asked.push(origin); return origin === FOO }, credentials: [APP] } } }, ok)
  app.get('/both', { config: { cors: { origin: [FOO, APP], credentials: [APP] } } }, ok)
  for (const url of ['/array', '/function', '/both']) {
    t.strictSame(corsHeaders(await request(app, 'GET', url, APP)), { vary: 'Origin', ...withCredentials(APP) }, url)
    t.strictSame(corsHeaders(await request(app, 'GET', url, FOO)), { vary: 'Origin', 'access-control-allow-origin': FOO })
    t.strictSame(corsHeaders(await request(app, 'GET', url, EVIL)), { vary: 'Origin' })
    t.strictSame(corsHeaders(await request(app, 'GET', url)), { vary: 'Origin' })
    t.match(await preflight(app, 'GET', url, { origin: APP }), { statusCode: 204, headers: withCredentials(APP) })
    t.strictSame(accessControl(await preflight(app, 'GET', url, { origin: FOO })), { 'access-control-allow-origin': FOO, 'access-control-allow-methods': 'GET, HEAD' })
    const refused = await preflight(app, 'GET', url, { origin: EVIL })
    t.equal(refused.statusCode, 403)
    t.strictSame(accessControl(refused), {})
  }
  t.strictSame(accessControl(await request(app, 'GET', '/array', 'null')), { 'access-control-allow-origin': 'null' }, 'null, without credentials')
  t.notOk(asked.includes(APP), 'the function is not asked about listed origins')
})

t.test('a list of credentials replaces the credentials of the extended policy, and is replaced', async (t) => {
  const list = originList([APP])
  const policies = definePolicies({
    all: { origin: FOO, credentials: true },
    some: { origin: '*', credentials: [APP] },
    live: { origin: '*', credentials: list },
    fewer: { extends: 'all', credentials: [APP] },
    none: { extends: 'some', credentials: false },
    more: { extends: 'some', credentials: [APP, BAR] },
    closed: { extends: 'some', origin: FOO },
    both: { origin: list, credentials: list }
  })
  const app = await application(t, { policies, defaultPolicy: 'some' })
  for (const name of Object.keys(policies)) app.get(`/${name}`, { config: { cors: { extends: name, optionsSuccessStatus: 200 } } }, ok)
  const answer = async (url: string, origin: string): Promise<object> => accessControl(await request(app, 'GET', url, origin))
  t.strictSame([await answer('/fewer', FOO), await answer('/fewer', APP)], [{ 'access-control-allow-origin': FOO }, withCredentials(APP)])
  t.strictSame([await answer('/none', FOO), await answer('/none', APP)], [{ 'access-control-allow-origin': '*' }, { 'access-control-allow-origin': '*' }])
  t.strictSame([await answer('/more', BAR), await answer('/some', BAR)], [withCredentials(BAR), { 'access-control-allow-origin': '*' }])
  t.strictSame([await answer('/closed', BAR), await answer('/closed', APP)], [{}, withCredentials(APP)])
  t.strictSame(await answer('/nowhere', APP), withCredentials(APP), 'a 404')
  list.replace([BAR])
  t.strictSame([await answer('/live', APP), await answer('/live', BAR)], [{ 'access-control-allow-origin': '*' }, withCredentials(BAR)])
  t.strictSame([await answer('/both', APP), await answer('/both', BAR)], [{}, withCredentials(BAR)])
  t.match(await preflight(app, 'GET', '/live', { origin: BAR }), { statusCode: 200, headers: withCredentials(BAR) })
})

t.test('allowedHeaders "*" names the requested headers for listed origins, and is the wildcard for others', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: '*', credentials: [APP], allowedHeaders: '*' } } }, ok)
  app.put('/authorization', { config: { cors: { origin: '*', credentials: [APP], allowedHeaders: ['*', 'Authorization'] } } }, ok)
  const allowed = async (url: string, origin: string): Promise<string[]> => {
    const response = await preflight(app, 'PUT', url, { origin, requestHeaders: 'authorization, x-one' })
    return String(response.headers['access-control-allow-headers']).toLowerCase().split(', ').sort()
  }
  t.strictSame(await allowed('/', APP), ['authorization', 'x-one'])
  t.strictSame(await allowed('/authorization', APP), ['authorization', 'x-one'])
  const others = await allowed('/', EVIL)
  t.ok(others.includes('*') && !others.includes('authorization'), others.join())
  t.ok((await allowed('/authorization', EVIL)).includes('authorization'))
})

t.test('policies are equal only if they list the same origins, or the same originList, in credentials', async (t) => {
  const list = originList([APP])
  const app = await application(t)
  for (const method of ['SEARCH', 'LOCK']) app.addHttpMethod(method)
  app.get('/', { config: { cors: { origin: '*', credentials: [APP, BAR] } } }, ok)
  app.put('/', { config: { cors: { origin: '*', credentials: [BAR, APP] } } }, ok)
  app.patch('/', { config: { cors: { origin: '*', credentials: [APP] } } }, ok)
  app.delete('/', { config: { cors: { origin: '*' } } }, ok)
  app.post('/', { config: { cors: { origin: '*', credentials: list } } }, ok)
  app.route({ method: 'SEARCH', url: '/', config: { cors: { origin: '*', credentials: list } }, handler: ok })
  app.route({ method: 'LOCK', url: '/', config: { cors: { origin: '*', credentials: originList([APP]) } }, handler: ok })
  const methods = async (method: string): Promise<unknown> => (await preflight(app, method, '/', { origin: APP })).headers['access-control-allow-methods']
  t.equal(await methods('GET'), 'GET, HEAD, PUT')
  t.equal(await methods('PATCH'), 'PATCH')
  t.equal(await methods('DELETE'), 'DELETE')
  t.equal(await methods('POST'), 'POST, SEARCH')
  t.equal(await methods('LOCK'), 'LOCK')
})

t.test('the list in credentials obeys the rules of credentials, and origin those without', async (t) => {
  const app = await application(t, { policies: { open: { origin: ['http://a.example', 'null', 'https://*.github.io'], exposedHeaders: '*' } } })
  const problems = (policy: object): string[] => refusal(() => app.get('/', { config: { cors: policy as cors.RouteCors } }, ok)).problems.map(({ pointer, reason }) => `${pointer} ${reason}`)
  t.strictSame(problems({ origin: '*', credentials: [APP, 'http://a.example', 'null', 'https://*.github.io', '*', 'https://A.example', 5] }), [
    '/credentials/1 insecure-with-credentials', '/credentials/2 null-origin', '/credentials/3 public-suffix', '/credentials/4 wildcard-with-credentials', '/credentials/5 not-canonical', '/credentials/6 type'
  ])
  t.strictSame(problems({ origin: '*', credentials: [] }), ['/credentials invalid'])
  t.strictSame(problems({ origin: '*', credentials: APP }), ['/credentials type'])
  t.strictSame(problems({ origin: '*', credentials: '*' }), ['/credentials type'])
  t.strictSame(problems({ origin: '*', credentials: {} }), ['/credentials type'])
  t.strictSame(problems({ origin: '*', credentials: () => true }), ['/credentials type'])
  t.strictSame(problems({ credentials: [APP] }), ['/origin missing'])
  t.strictSame(problems({ origin: '*', credentials: [APP], exposedHeaders: '*' }), ['/exposedHeaders wildcard-with-credentials'])
  t.strictSame(problems({ extends: 'open', credentials: [APP] }), ['/credentials wildcard-with-credentials'])
  t.strictSame(problems({ origin: '*', credentials: originList(['http://a.example']) }), ['/credentials/0 insecure-with-credentials'])
  t.match(refusal(() => app.get('/', { config: { cors: { origin: '*', credentials: APP as never } } }, ok)).message, `write ["${APP}"]`)
  t.match(refusal(() => app.get('/', { config: { cors: { origin: '*', credentials: [] } } }, ok)).message, 'write credentials: false for that')
  app.get('/', { config: { cors: { extends: 'open', exposedHeaders: [], credentials: [APP, 'http://localhost:3000'] } } }, ok)
  app.put('/', { config: { cors: { origin: '*', credentials: ['http://a.example', 'https://*.github.io'], dangerouslyAllowInsecureOrigins: true, dangerouslyAllowPublicSuffixes: true } } }, ok)
  const list = originList([])
  app.delete('/', { config: { cors: { origin: '*', credentials: list } } }, ok)
  t.throws(() => list.add('http://a.example'), { code: 'FST_ERR_CORS_INVALID_POLICY' }, 'whatever comes in later, too')
  const other = originList([])
  app.patch('/', { config: { cors: { origin: other, credentials: [APP] } } }, ok)
  t.equal(other.add('http://a.example', 'null').size, 2, 'a list that has no credentials is free')
})

t.test('errors and headers that handlers set are treated as under any policy', async (t) => {
  const app = await application(t)
  const policy: cors.RouteCors = { origin: '*', credentials: [APP] }
  app.get('/error', { config: { cors: policy } }, async () => { throw new Error('broken') })
  app.get('/foreign', { config: { cors: policy } }, async (_request, reply) => {
    reply.headers({ 'access-control-allow-origin': EVIL, 'access-control-allow-credentials': 'true', vary: 'Accept' })
    return 'ok'
  })
  t.match(await request(app, 'GET', '/error', APP), { statusCode: 500, headers: withCredentials(APP) })
  t.strictSame(accessControl(await request(app, 'GET', '/error', EVIL)), { 'access-control-allow-origin': '*' })
  t.strictSame(corsHeaders(await request(app, 'GET', '/foreign', EVIL)), { vary: 'Accept, Origin', 'access-control-allow-origin': '*' }, 'no credentials with the wildcard, whoever sets them')
  t.strictSame(corsHeaders(await request(app, 'GET', '/foreign', APP)), { vary: 'Accept, Origin', ...withCredentials(APP) })
})

t.test('every combination of origin and credentials is answered as by a naive reading', async (t) => {
  const ORIGINS = [APP, FOO, BAR, 'https://a.partners.example', EVIL]
  const subset = fc.subarray(ORIGINS.slice(0, 4), { minLength: 1 })
  const allowed = fc.oneof(fc.constant('*' as const), subset, subset.map((origins) => originList(origins)), subset.map((origins) => (origin: string) => origins.includes(origin)))
  const has = (origins: '*' | readonly string[] | cors.CorsOriginList | ((origin: string) => boolean), origin: string): boolean => {
    return origins === '*' || (typeof origins === 'function' ? origins(origin) : [...origins].includes(origin))
  }
  let cases = 0
  await fc.assert(fc.asyncProperty(allowed, fc.oneof(subset, subset.map((origins) => originList(origins))), async (origin, credentials) => {
    const app = await application({ teardown: () => {} }, { defaultPolicy: { origin, credentials } })
    app.get('/', ok)
    for (const from of ORIGINS) {
      const name = has(credentials, from) || origin !== '*' ? from : '*'
      const expected = has(credentials, from) ? withCredentials(from) : has(origin, from) ? { 'access-control-allow-origin': name } : {}
      const response = accessControl(await request(app, 'GET', '/', from))
      if (JSON.stringify(response) !== JSON.stringify(expected)) fail(`${JSON.stringify(response)} instead of ${JSON.stringify(expected)}`)
      if (approves(await preflight(app, 'GET', '/', { origin: from }), 'GET') !== ('access-control-allow-origin' in expected)) fail('the preflight says something else')
      cases++
    }
    await app.close()
  }), { numRuns: 60 })
  t.equal(cases, 300)
})
