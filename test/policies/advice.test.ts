// What the messages say to write is followed mechanically: one step leads to a declaration that is accepted, and that allows what was plainly meant and nothing
// wider.
import { fail } from 'node:assert/strict'
import { runInThisContext } from 'node:vm'
import t from 'tap'
import cors from '../../lib/index'
import { misplacedPolicies } from '../../lib/messages/misplaced'
import { accessControl, application, ok, preflight, refusal, request } from '../support'

/** The policy that the messages say to write in place of this one: their first code, put where the problem is, or into the field that it names. */
function followed (policy: Record<string, unknown>): Record<string, unknown> {
  const next: Record<string, unknown> = { ...policy }
  const elements = new Map<string, unknown[]>()
  for (const { pointer, message } of refusal(() => cors.definePolicies({ policy: policy as never })).problems) {
    const [, , field = '', index] = pointer.split('/')
    const advice = message.slice(message.lastIndexOf('; ') + 2)
    const [, named] = /^write (\w+): /.exec(advice) ?? []
    const value = advice.startsWith('leave it out') ? [] : codeIn(advice) ?? fail(`nothing to write in: ${message}`)
    if (index !== undefined && named === undefined) elements.set(pointer, value)
    else if (value.length === 0) delete next[field]
    else next[named ?? field] = value.length === 1 ? value[0] : value
  }
  for (const [field, list] of Object.entries(policy)) {
    if (Array.isArray(list) && next[field] === list) next[field] = list.flatMap((element, index) => elements.get(`/policy/${field}/${index}`) ?? [element])
  }
  return next
}

/** The values of the first code in an advice: literals between commas. */
function codeIn (advice: string): unknown[] | undefined {
  for (let start = advice.search(/["[/]/); start !== -1 && start < advice.length; start++) {
    if (!'"[/'.includes(advice.charAt(start))) continue
    for (let end = advice.length; end > start; end--) {
      try {
        return runInThisContext(`[${advice.slice(start, end)}]`) as unknown[]
      } catch {
        // not code, or not all of it
      }
    }
  }
  return undefined
}

const SECURE = { credentials: true }

interface Mistake {
  readonly policy: Record<string, unknown>
  readonly allows: readonly string[]
  readonly refuses?: readonly string[]
}

const EVIL = ['https://evil.com', 'https://evilexample.com', 'https://example.com.evil.com', 'http://example.com', 'null']

const MISTAKES: readonly Mistake[] = [
  { policy: { origin: true, ...SECURE }, allows: ['https://app.example.com'], refuses: EVIL },
  { policy: { origin: true }, allows: ['https://evil.com'] },
  { policy: { origin: [/example\.com$/] }, allows: ['https://example.com', 'https://a.example.com'], refuses: EVIL },
  { policy: { origin: /example\.com$/ }, allows: ['https://example.com', 'https://a.example.com'], refuses: EVIL },
  { policy: { origin: /example\.com$/, ...SECURE }, allows: ['https://example.com', 'https://a.example.com'], refuses: EVIL },
  { policy: { origin: [/localhost/] }, allows: ['http://localhost', 'http://localhost:3000'], refuses: ['http://localhost.evil.com', 'http://evillocalhost'] },
  { policy: { origin: /localhost/, ...SECURE }, allows: ['http://localhost', 'http://localhost:3000'], refuses: ['http://localhost.evil.com', 'http://evillocalhost'] },
  { policy: { origin: 'https://*-team.vercel.app' }, allows: ['https://a-team.vercel.app'], refuses: ['https://evil.vercel.app', 'https://a.b-team.vercel.app'] },
  { policy: { origin: 'https://pr-*.preview.example.com', ...SECURE }, allows: ['https://pr-1.preview.example.com'], refuses: ['https://x.preview.example.com', 'https://pr-1.evil.com'] },
  { policy: { origin: ['https://pr-*.preview.example.com'] }, allows: ['https://pr-1.preview.example.com'], refuses: ['https://x.preview.example.com'] },
  { policy: { origin: 'https://*example.com', ...SECURE }, allows: ['https://a.example.com'], refuses: EVIL },
  { policy: { origin: 'https://example.com/*', ...SECURE }, allows: ['https://example.com'], refuses: EVIL },
  { policy: { origin: 'https://*', ...SECURE }, allows: [], refuses: EVIL },
  { policy: { origin: ['*'], ...SECURE }, allows: [], refuses: EVIL },
  { policy: { origin: ['https://*'] }, allows: ['https://evil.com'] },
  { policy: { origin: 'HTTP://App.Example.com/', ...SECURE }, allows: ['https://app.example.com'], refuses: EVIL },
  { policy: { origin: 'http://*.example.com', ...SECURE }, allows: ['https://a.example.com'], refuses: ['http://a.example.com'] },
  { policy: { origin: 'https://*.github.io', ...SECURE }, allows: ['https://your-app.github.io'], refuses: ['https://evil.github.io'] },
  { policy: { origin: 'http://*.amazonaws.com', ...SECURE }, allows: ['https://your-app.amazonaws.com'], refuses: ['https://evil.s3.amazonaws.com', 'http://your-app.amazonaws.com'] },
  { policy: { origin: [/^https?:\/\/.*\.example\.com$/], ...SECURE }, allows: ['https://a.example.com'], refuses: [...EVIL, 'http://a.example.com'] },
  { policy: { origin: 'example.com' }, allows: ['https://example.com'], refuses: EVIL },
  { policy: { origin: 'https://a.example, https://b.example' }, allows: ['https://a.example', 'https://b.example'], refuses: EVIL },
  { policy: { origin: ['https://a.example, https://b.example'], ...SECURE }, allows: ['https://a.example', 'https://b.example'], refuses: EVIL },
  { policy: { origin: '["https://a.example"]' }, allows: ['https://a.example'], refuses: EVIL },
  { policy: { origin: '"https://a.example"' }, allows: ['https://a.example'], refuses: EVIL },
  { policy: { origin: '/^https:\\/\\/a\\.example$/' }, allows: ['https://a.example'], refuses: EVIL },
  { policy: { origin: '/example\\.com$/', ...SECURE }, allows: ['https://example.com', 'https://a.example.com'], refuses: EVIL },
  { policy: { origin: '' }, allows: ['https://app.example.com'], refuses: EVIL },
  { policy: { origin: undefined, ...SECURE }, allows: ['https://app.example.com'], refuses: EVIL },
  { policy: { origin: [undefined] }, allows: ['https://app.example.com'], refuses: EVIL },
  { policy: { origin: 'NULL' }, allows: ['null'], refuses: ['https://evil.com'] },
  { policy: { origin: ['null', 'https://a.example'], ...SECURE }, allows: ['https://a.example'], refuses: EVIL },
  { policy: { origin: ['moz-extension://*'], ...SECURE }, allows: ['https://app.example.com'], refuses: ['moz-extension://abc', ...EVIL] },
  { policy: { origin: 'https://2001:db8::1' }, allows: ['https://[2001:db8::1]'], refuses: EVIL },
  { policy: { origin: '*', credentials: true }, allows: ['https://app.example.com', 'https://evil.com'] },
  { policy: { origin: '*', credentials: /example\.com$/ }, allows: ['https://a.example.com'], refuses: [] },
  { policy: { origin: '*', allowedHeaders: ['x-amz-meta-*', 'Cookie', 'x-a, x-b', 'Access-Control-Allow-Origin'] }, allows: ['https://evil.com'] },
  { policy: { origin: '*', allowedHeaders: 'x-a x-b' }, allows: ['https://evil.com'] },
  { policy: { origin: 'https://a.example', ...SECURE, exposedHeaders: '*' }, allows: ['https://a.example'], refuses: EVIL },
  { policy: { origin: 'https://a.example', timingOrigin: ['https://A.example'] }, allows: ['https://a.example'], refuses: EVIL },
  { policy: { origin: 'https://a.example', timingOrigin: 'https://a.example' }, allows: ['https://a.example'], refuses: EVIL }
]

t.test('one step from each mistake leads to a declaration that allows what was meant and nothing wider', async (t) => {
  for (const { policy, allows, refuses = [] } of MISTAKES) {
    const next = followed(policy)
    const app = await application(t)
    t.doesNotThrow(() => app.get('/', { config: { cors: next as never } }, ok), `${String(policy.origin)} becomes ${String(next.origin)}`)
    for (const origin of allows) {
      const headers = accessControl(await request(app, 'GET', '/', origin))
      t.ok([origin, '*'].includes(String(headers['access-control-allow-origin'])), `${String(next.origin)} allows ${origin}`)
    }
    for (const origin of refuses) t.strictSame(accessControl(await request(app, 'GET', '/', origin)), {}, `${String(next.origin)} refuses ${origin}`)
  }
})

t.test('a name of a preview host that a stranger can register is refused with credentials, and the message says who could have it', async (t) => {
  const { problems: [problem] } = refusal(() => cors.definePolicies({ policy: { origin: 'https://*-team.vercel.app', credentials: true } }))
  t.match(problem?.message, 'anyone can register a name that this RegExp matches, such as "https://evil-team.vercel.app"')
  t.match(problem?.message, 'or set dangerouslyAllowPublicSuffixes: true')
})

t.test('names that browsers set by themselves are left out, and no preflight names them', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: '*', allowedHeaders: ['Accept-Encoding', 'X-A', 'DNT', 'Origin', 'Sec-Fetch-Site', 'Proxy-Authorization'] } } }, ok)
  t.equal((await preflight(app, 'PUT', '/')).headers['access-control-allow-headers'], 'X-A')
})

t.test('"..." is the list of the extended policy, without one it stays for what the route derives', async (t) => {
  const policies = cors.definePolicies({
    base: { origin: '*', allowedHeaders: ['X-A', 'X-B'], exposedHeaders: ['ETag'] },
    more: { extends: 'base', allowedHeaders: ['...', 'X-C', 'x-a'], exposedHeaders: ['Link', '...'] },
    most: { extends: 'more', allowedHeaders: ['X-D', '...'] },
    any: { origin: '*', allowedHeaders: '*', exposedHeaders: '*' },
    anyMore: { extends: 'any', allowedHeaders: ['...', 'Authorization', 'X-A'], exposedHeaders: ['...', 'ETag'] },
    derived: { origin: '*', allowedHeaders: ['...', 'traceparent'] },
    still: { extends: 'derived', allowedHeaders: ['...', 'X-E'] }
  })
  const app = await application(t, { policies })
  for (const name of Object.keys(policies)) app.put(`/${name}`, { config: { cors: { extends: name } } }, ok)
  t.match(refusal(() => app.get('/x', { config: { cors: { extends: 'base', allowedHeaders: ['...', 'Cookie'] } } }, ok)).problems, [{ pointer: '/allowedHeaders/1', reason: 'forbidden', value: 'Cookie' }])
  const allowed = async (name: string): Promise<unknown> => (await preflight(app, 'PUT', `/${name}`, { requestHeaders: 'x-q' })).headers['access-control-allow-headers']
  t.equal(await allowed('more'), 'X-C, x-a, X-B')
  t.equal(await allowed('most'), 'X-D, X-C, x-a, X-B')
  t.match(await allowed('anyMore'), /\*/)
  t.match(await allowed('anyMore'), /authorization/i)
  t.strictSame(policies.anyMore.exposedHeaders, ['*'])
  t.strictSame(policies.still.allowedHeaders, ['X-E', '...', 'traceparent'], 'derived headers are added where a policy has a route')
})

t.test('a policy beside config, or under a near miss of its name, is found, and other keys are left alone', async (t) => {
  const policy = { origin: '*' }
  const FOUND: ReadonlyArray<readonly [object, string, string]> = [
    [{ cors: policy }, '/cors', '"cors" is ignored here; write config: { cors: { … } }'],
    [{ cors: false }, '/cors', 'write config: { cors: false }'],
    [{ config: { CORS: policy } }, '/config/CORS', '"CORS" is ignored here; write config: { cors: { … } }'],
    [{ config: { Cors: 'partner' } }, '/config/Cors', 'write config: { cors: "partner" }'],
    [{ config: { crs: policy } }, '/config/crs', 'write config: { cors: { … } }'],
    [{ config: { corss: false } }, '/config/corss', 'write config: { cors: false }']
  ]
  for (const [options, pointer, message] of FOUND) {
    const [problem, ...more] = misplacedPolicies(options)
    t.match(problem, { pointer, reason: 'unknown-property' })
    t.ok(problem?.message.includes(message), String(problem?.message))
    t.strictSame(more, [])
  }
  for (const options of [{}, { config: {} }, { config: undefined }, { config: null }, { config: { cors: policy, auth: true, core: policy, crs: 'EPSG:4326', course: {} } }]) t.strictSame(misplacedPolicies(options), [])
})

t.test('originsFrom reads what an operator writes, and throws for what it cannot read', async (t) => {
  const READ: ReadonlyArray<readonly [string | undefined, '*' | readonly string[]]> = [
    [undefined, []], ['', []], [' ', []], ['[]', []], ['*', '*'], ['["*"]', '*'],
    ['https://a.example', ['https://a.example']],
    ['https://A.example/, https://b.example:443  https://*.c.example', ['https://a.example', 'https://b.example', 'https://*.c.example']],
    ['["https://a.example", "https://a.example/"]', ['https://a.example']],
    ['http://[::0001]:3000', ['http://[::1]:3000']]
  ]
  for (const [text, origins] of READ) t.strictSame(cors.originsFrom(text), origins, String(text))
  const REFUSED: ReadonlyArray<readonly [unknown, string, string]> = [
    ['a.example', '/0', '"a.example" is not an origin; write "https://a.example"'],
    ['https://a.example, *', '/1', 'cannot be an entry of a list; write it alone'],
    ['[5]', '/0', '5 is not an origin; write "https://app.example.com"'],
    ['[::1]:80', '/0', 'write "http://[::1]"'],
    [['https://a.example'], '', 'write originsFrom(process.env.CORS_ORIGINS), or the array itself as origin']
  ]
  for (const [text, pointer, message] of REFUSED) {
    const { problems } = refusal(() => cors.originsFrom(text as string))
    t.match(problems, [{ pointer, message }], String(text))
  }
  t.match(refusal(() => cors.definePolicies({ policy: { origin: Object.create(null) as never } })).problems, [{ reason: 'type' }])
  t.match(refusal(() => cors.definePolicies({ policy: { origin: 'wss://*.example.com', credentials: true, timingOrigin: [`https://${'a.'.repeat(90)}example.com/`] } })).problems, [{ message: 'patterns such as' }])
  t.match(refusal(() => cors.definePolicies({ policy: { origin: 'ws://*.github.io', credentials: true } })).problems[0]?.message, 'such as "wss://your-app.github.io"')
  const app = await application(t, { policies: { nobody: { origin: cors.originsFrom(undefined), credentials: true } } })
  app.get('/', { config: { cors: { extends: 'nobody' } } }, ok)
  t.strictSame(accessControl(await request(app, 'GET', '/', 'https://a.example')), {}, 'an empty list allows nobody')
})

t.test('whatever an origin function returns or throws, the origin is refused and the response is good', async (t) => {
  const app = await application(t)
  const hostile = (): unknown => { throw new Error('hostile') }
  const values: unknown[] = [
    Object.defineProperty(() => true, 'name', { get: hostile }), Object.defineProperty(() => true, 'name', { value: {} }), new Proxy({}, { getPrototypeOf: hostile as () => null, get: hostile as () => null }),
    Symbol('a'), Object.create(null), { get then () { return hostile() } }, 1, 'true', [true], new Boolean(true) // eslint-disable-line no-new-wrappers -- not true
  ]
  values.forEach((value, index) => {
    app.get(`/${index}`, { config: { cors: { origin: () => value as boolean } } }, ok)
    app.get(`/async/${index}`, { config: { cors: { origin: async () => value as boolean } } }, ok)
  })
  for (const [index] of values.entries()) {
    for (const url of [`/${index}`, `/async/${index}`]) {
      const response = await request(app, 'GET', url, 'https://a.example')
      t.equal(response.statusCode, 200, url)
      t.strictSame(accessControl(response), {})
    }
  }
})
