// Lists of origins that change at run time: where they can stand, what a change does, what no change can bring in, and that they keep nothing alive.
import { fail } from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { setImmediate } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import cors, { definePolicies, originList } from '../../lib/index'
import { accessControl, application, approves, BAR, corsHeaders, EVIL, FOO, ok, preflight, refusal, request } from '../support'

const allowed = async (app: FastifyInstance, url: string, origin: string): Promise<boolean> => {
  const response = await request(app, 'GET', url, origin)
  const approved = approves(await preflight(app, 'GET', url, { origin }), 'GET')
  if (approved !== (response.headers['access-control-allow-origin'] === origin)) fail(`the preflight and the response disagree about ${origin}`)
  return approved
}

t.test('an originList can be used wherever an origin can, and a change holds for the next request', async (t) => {
  const list = originList([])
  const policies = definePolicies({ defined: { origin: list }, derived: { extends: 'defined', credentials: true } })
  t.equal(policies.defined.origin, list, 'the frozen policy has the list itself')
  const app = await application(t, { policies: { ...policies, plain: { origin: list }, own: { origin: '*' } }, defaultPolicy: { origin: list, maxAge: 5 } })
  app.get('/value', { config: { cors: policies.defined } }, ok)
  app.get('/spread', { config: { cors: { ...policies.defined, maxAge: 5 } } }, ok)
  app.get('/route', { config: { cors: { origin: list } } }, ok)
  app.get('/named', { config: { cors: { extends: 'plain' } } }, ok)
  app.get('/extended', { config: { cors: { extends: 'derived', exposedHeaders: ['ETag'] } } }, ok)
  app.get('/replaced', { config: { cors: { extends: 'own', origin: list, credentials: true } } }, ok)
  app.get('/default', ok)
  app.register(async (child) => {
    await child.register(cors, { policies: { plain: { extends: 'plain', credentials: true } } })
    child.get('/child', { config: { cors: { extends: 'plain' } } }, ok)
    child.get('/child-default', ok)
  })
  const URLS = ['/value', '/spread', '/route', '/named', '/extended', '/replaced', '/default', '/child', '/child-default']
  const verdicts = async (origin: string): Promise<boolean[]> => await Promise.all(URLS.map((url) => allowed(app, url, origin)))
  const all = (value: boolean): boolean[] => URLS.map(() => value)

  t.strictSame(await verdicts(FOO), all(false), 'an empty list allows nobody')
  list.add(FOO)
  t.strictSame(await verdicts(FOO), all(true))
  t.strictSame(await verdicts(BAR), all(false))
  list.replace(['https://*.bar.other', BAR])
  t.strictSame(await verdicts(FOO), all(false))
  t.strictSame(await verdicts('https://a.bar.other'), all(true))
  t.equal(list.delete(BAR), true)
  t.strictSame(await verdicts(BAR), all(false))
  t.strictSame(corsHeaders(await request(app, 'GET', '/route')), { vary: 'Origin' }, 'responses vary, however short the list is')
  t.equal((await request(app, 'GET', '/nowhere', 'https://a.bar.other')).headers['access-control-allow-origin'], 'https://a.bar.other', 'a 404, too')
})

t.test('a request is judged by the list as it was when the request came', async (t) => {
  const list = originList([FOO])
  const app = await application(t)
  app.get('/', { config: { cors: { origin: list } } }, async () => {
    list.replace([BAR])
    return 'ok'
  })
  t.strictSame(accessControl(await request(app, 'GET', '/', FOO)), { 'access-control-allow-origin': FOO })
  t.strictSame(accessControl(await request(app, 'GET', '/', FOO)), {})
  t.strictSame(accessControl(await request(app, 'GET', '/', BAR)), { 'access-control-allow-origin': BAR })
})

t.test('policies are equal if they have the same originList, and not if they have another with the same entries', async (t) => {
  const [one, other] = [originList([FOO]), originList([FOO])]
  const app = await application(t, { policies: { named: { origin: one, maxAge: 5 } } })
  app.get('/', { config: { cors: { origin: one, maxAge: 5 } } }, ok)
  app.put('/', { config: { cors: { extends: 'named' } } }, ok)
  app.patch('/', { config: { cors: { origin: other, maxAge: 5 } } }, ok)
  app.delete('/', { config: { cors: { origin: [FOO], maxAge: 5 } } }, ok)
  const methods = async (method: string): Promise<unknown> => (await preflight(app, method, '/')).headers['access-control-allow-methods']
  t.equal(await methods('GET'), 'GET, HEAD, PUT')
  t.equal(await methods('PATCH'), 'PATCH')
  t.equal(await methods('DELETE'), 'DELETE')
})

t.test('an entry is in the list once, and RegExps are equal by source and flags', async (t) => {
  const list = originList([FOO, FOO, /^https:\/\/a\.example$/, /^https:\/\/a\.example$/, 'null'])
  t.equal(list.size, 3)
  t.equal(list.add(FOO, BAR, BAR, /^https:\/\/a\.example$/i), list)
  t.strictSame([...list].map(String), [FOO, '/^https:\\/\\/a\\.example$/', 'null', BAR, '/^https:\\/\\/a\\.example$/i'])
  t.equal(list.delete(/^https:\/\/a\.example$/), true)
  t.equal(list.has('https://a.example'), true, 'the other RegExp is there')
  t.equal(list.delete(/^https:\/\/a\.example$/i, 'https://never.example', 'null', 'null'), true)
  t.equal(list.has('https://a.example') || list.has('null'), false)
  t.equal(list.delete('https://never.example', /^https:\/\/never\.example$/), false)
  t.equal(list.delete(), false)
  t.strictSame([...list.replace(new Set([BAR]))], [BAR])
  t.strictSame([...list.replace(originList([FOO, 'https://*.foo.example']))], [FOO, 'https://*.foo.example'], 'a list can be made of another')
  t.strictSame([...list.replace(list)], [FOO, 'https://*.foo.example'])
})

t.test('has() is true exactly if a request with that Origin is allowed', async (t) => {
  const list = originList([FOO, 'https://*.foo.example', 'http://localhost:*', /^https:\/\/[a-z]+\.regexp\.example$/])
  for (const origin of [FOO, 'https://a.b.foo.example', 'http://localhost', 'http://localhost:3000', 'https://a.regexp.example']) t.equal(list.has(origin), true, origin)
  const NONE = ['null', EVIL, '', '*', 'https://*.foo.example', 'http://localhost:*', '/^https:\\/\\/[a-z]+\\.regexp\\.example$/', 'https://FOO.example', `${FOO}/`]
  const app = await application(t)
  app.get('/', { config: { cors: { origin: list } } }, ok)
  for (const origin of NONE) {
    t.equal(list.has(origin), false, origin)
    t.strictSame(accessControl(await request(app, 'GET', '/', origin)), {}, 'nor is a request with it allowed')
  }
  for (const value of [undefined, null, 5, [FOO], { toString: () => FOO }]) t.equal(list.has(value as never), false)
})

t.test('patterns of one port and of all ports of a host are added and deleted independently', async (t) => {
  const list = originList(['https://*.a.example', 'https://*.a.example:*', 'https://*.a.example:8443'])
  list.delete('https://*.a.example:*')
  t.strictSame(['https://b.a.example', 'https://b.a.example:8443', 'https://b.a.example:1'].map((origin) => list.has(origin)), [true, true, false])
  list.delete('https://*.a.example')
  t.strictSame(['https://b.a.example', 'https://b.a.example:8443'].map((origin) => list.has(origin)), [false, true])
  list.delete('https://*.a.example:8443')
  t.equal(list.has('https://b.a.example:8443'), false)
  list.add('https://*.a.example')
  t.equal(list.has('https://b.a.example'), true)
})

t.test('changing the entries that were passed in, or those that the list shows, does not change the list', async (t) => {
  const entries: Array<string | RegExp> = [FOO]
  const regexp = /^https:\/\/a\.example$/
  const list = originList(entries).add(regexp)
  entries.push(EVIL)
  regexp.compile('^.*$')
  for (const entry of list) if (entry instanceof RegExp) entry.compile('^.*$')
  t.equal(list.has(EVIL), false)
  t.equal(list.has('https://a.example'), true)
})

t.test('an iteration shows the entries as they were when it began', async (t) => {
  const list = originList([FOO, BAR])
  const seen: unknown[] = []
  for (const origin of list) {
    seen.push(origin)
    list.add(`${String(origin)}:8443`)
    list.delete(origin)
  }
  t.strictSame(seen, [FOO, BAR])
  t.strictSame([...list], [`${FOO}:8443`, `${BAR}:8443`])
  list.replace((function * () {
    list.add(EVIL)
    yield FOO
    list.replace([])
  })())
  t.strictSame([...list], [FOO], 'entries are read before anything is replaced')
})

const problems = (change: () => unknown): string[] => refusal(change).problems.map(({ pointer, reason }) => `${pointer} ${reason}`)

t.test('entries are checked like those of an array, and all problems are reported at once', async (t) => {
  const WRONG = ['*', 'https://Example.com', 'example.com', /example\.com$/, /^a$/g, 5, ['https://a.example'], undefined, 'https://xn--a.example'] as never[]
  const REASONS = ['/1 invalid', '/2 not-canonical', '/3 invalid', '/4 unanchored-regexp', '/5 unsafe-regexp', '/6 type', '/7 type', '/8 type', '/9 invalid']
  const list = originList(['https://kept.example'])
  for (const [name, change] of [
    ['originList', () => originList([FOO, ...WRONG, BAR])],
    ['originList.add', () => list.add(FOO, ...WRONG, BAR)],
    ['originList.replace', () => list.replace([FOO, ...WRONG, BAR])],
    ['originList.delete', () => list.delete('https://kept.example', ...WRONG)]
  ] as const) {
    const error = refusal(change)
    t.match(error, { code: 'FST_ERR_CORS_INVALID_POLICY', message: new RegExp(`^${name.replace('.', '\\.')}: 9 problems\n`) })
    t.strictSame(error.problems.map(({ pointer, reason }) => `${pointer} ${reason}`), REASONS)
    t.strictSame([...list], ['https://kept.example'], 'nothing has changed')
  }
  t.match(refusal(() => list.add('https://Example.com')).problems[0], { pointer: '/0', value: 'https://Example.com', message: 'write "https://example.com"' })
  t.match(refusal(() => list.delete('https://kept.example', 'https://Kept.example')).problems[0], { pointer: '/1', value: 'https://Kept.example' }, 'the pointer leads to the argument')
})

t.test('a value that is not a list of origins is refused with what to write', async (t) => {
  const list = originList([FOO])
  for (const [value, message] of [
    [FOO, `"${FOO}" is not a list of origins; write originList(["${FOO}"])`],
    [/^a$/, '/^a$/ is not a list of origins; write originList([/^a$/])'],
    [undefined, 'undefined is not a list of origins; write originList([]) for a list without origins'],
    [null, 'null is not a list'], [{}, 'an object is not a list'], [5, '5 is not a list'],
    [Promise.resolve([FOO]), 'an object is not a list of origins; await it: originList(await …)']
  ] as const) {
    t.match(refusal(() => originList(value as never)).problems, [{ pointer: '', reason: 'type', value, message }])
    t.match(refusal(() => list.replace(value as never)).problems, [{ pointer: '', reason: 'type', value, message: message.replace('originList(', 'originList.replace(') }])
  }
  t.strictSame([...list], [FOO])
  const app = await application(t)
  t.match(refusal(() => app.get('/', { config: { cors: list as never } }, ok)).message, 'write { origin: tenants } with the list in place of tenants')
  t.match(refusal(() => app.get('/', { config: { cors: { origin: { ...list } as never } } }, ok)).problems, [{ pointer: '/origin', reason: 'type' }], 'nor is anything that looks like one')
  t.match(refusal(() => app.get('/', { config: { cors: { origin: [list] as never } } }, ok)).problems, [{ pointer: '/origin/0', reason: 'type' }])
})

t.test('a policy with credentials is refused if the list has entries that credentials forbid', async (t) => {
  const list = originList([FOO, 'http://a.example', 'null', 'https://*.github.io', 'http://localhost:3000', 'http://*.com'])
  const EXPECTED = ['/origin/1 insecure-with-credentials', '/origin/2 null-origin', '/origin/3 public-suffix', '/origin/5 insecure-with-credentials', '/origin/5 public-suffix']
  const app = await application(t, { policies: { open: { origin: list } } })
  const error = refusal(() => app.get('/', { config: { cors: { origin: list, credentials: true } } }, ok))
  t.strictSame(error.problems.map(({ pointer, reason }) => `${pointer} ${reason}`), EXPECTED)
  t.strictSame(error.problems.map(({ value }) => value), ['http://a.example', 'null', 'https://*.github.io', 'http://*.com', 'http://*.com'])
  t.strictSame(problems(() => app.get('/', { config: { cors: { extends: 'open', credentials: true } } }, ok)), EXPECTED.map((text) => text.replace(/\/origin\/\d/, '/credentials')), 'also where the list comes from the policy that is extended')
  list.add('http://b.example')
  t.equal(list.size, 7, 'what was refused has no say about changes')
})

t.test('a change is checked by the rules of every policy that uses the list', async (t) => {
  const list = originList([FOO])
  const app = await application(t, { policies: { open: { origin: list } } })
  list.add('http://a.example')
  list.delete('http://a.example')
  app.get('/lax', { config: { cors: { origin: list, credentials: true, dangerouslyAllowInsecureOrigins: true } } }, ok)
  list.add('http://a.example')
  t.strictSame(problems(() => list.add('https://*.github.io', 'null', 'http://b.example')), ['/0 public-suffix', '/1 null-origin'])
  t.strictSame(problems(() => app.get('/strict', { config: { cors: { origin: list, credentials: true, dangerouslyAllowPublicSuffixes: true } } }, ok)), ['/origin/1 insecure-with-credentials'])
  list.delete('http://a.example')
  app.get('/strict', { config: { cors: { extends: 'open', credentials: true, dangerouslyAllowPublicSuffixes: true } } }, ok)
  t.strictSame(problems(() => list.add(BAR, 'http://a.example', 'https://*.github.io')), ['/1 insecure-with-credentials', '/2 public-suffix'], 'each has a policy that refuses it')
  t.strictSame(problems(() => list.replace(['http://*.com'])), ['/0 insecure-with-credentials', '/0 public-suffix'])
  t.match(refusal(() => list.add('http://a.example')).message, 'originList.add: a problem\n  /0: a policy with credentials uses this list: an attacker on the network')
  t.strictSame([...list], [FOO])
  t.equal(await allowed(app, '/strict', BAR), false, 'nothing of a refused change was added')
  list.add(BAR, 'http://localhost:3000', 'https://*.bar.other')
  t.strictSame(accessControl(await request(app, 'GET', '/strict', 'https://a.bar.other')), { 'access-control-allow-origin': 'https://a.bar.other', 'access-control-allow-credentials': 'true' })
})

t.test('a declaration that is refused for another reason adds no rules to the list', async (t) => {
  const list = originList([FOO])
  const app = await application(t)
  t.strictSame(problems(() => app.get('/', { config: { cors: { origin: list, credentials: true, maxAge: -1 } } }, ok)), ['/maxAge out-of-range'])
  list.add('http://a.example')
  t.equal(list.size, 2)
})

// The model: what is in the list, and by which rules policies use it.
interface Rules { readonly insecure: boolean, readonly suffixes: boolean }
interface Model { entries: Map<string, string | RegExp>, rules: Rules[] }
interface Real { readonly list: cors.CorsOriginList, readonly policies: unknown[] }

const VALUES: ReadonlyArray<string | RegExp> = [
  'https://a.example', 'https://b.example', 'https://a.example:8443', 'https://*.a.example', 'https://*.a.example:*', 'https://a.example:*', 'http://a.example', 'http://*.a.example', 'http://localhost', 'http://localhost:*',
  'null', 'https://*.github.io', 'http://*.github.io', 'capacitor://localhost', /^https:\/\/[ab]\.regexp\.example$/, /^https:\/\/[ab]\.regexp\.example$/i
]
const WRONG = ['https://A.example', '*', 'a.example']
const ORIGINS = [
  'https://a.example', 'https://b.example', 'https://a.example:8443', 'https://c.a.example', 'https://d.c.a.example', 'https://c.a.example:1', 'https://a.example:1', 'http://a.example', 'http://c.a.example', 'http://localhost', 'http://localhost:1',
  'null', 'https://me.github.io', 'http://me.github.io', 'capacitor://localhost', 'https://a.regexp.example', 'https://c.regexp.example', 'https://*.a.example', 'https://evila.example'
]

/** By the words of README, one entry after the other. */
function allowsNaively (entry: string | RegExp, origin: string): boolean {
  if (entry instanceof RegExp) return entry.test(origin)
  if (!entry.includes('*')) return entry === origin
  if (origin.includes('*') || !origin.includes('://')) return false
  const [scheme, rest] = entry.split('://') as [string, string]
  const [actualScheme, actualRest] = origin.split('://') as [string, string]
  const [host, port = ''] = rest.split(':') as [string, string?]
  const [actualHost, actualPort = ''] = actualRest.split(':') as [string, string?]
  const hostFits = host.startsWith('*.') ? actualHost.endsWith(host.slice(1)) && actualHost.length >= host.length : actualHost === host
  return scheme === actualScheme && hostFits && (port === '*' || port === actualPort)
}

function refusedNaively (entry: string | RegExp, { insecure, suffixes }: Rules): boolean {
  const text = String(entry)
  return text === 'null' || (text.startsWith('http://') && !text.startsWith('http://localhost') && !insecure) || (text.includes('*.github.io') && !suffixes)
}

class Change implements fc.Command<Model, Real> {
  constructor (readonly kind: 'add' | 'delete' | 'replace', readonly values: ReadonlyArray<string | RegExp>) {}

  check (): boolean {
    return true
  }

  run (model: Model, { list }: Real): void {
    const { kind, values } = this
    const isWrong = values.some((value) => WRONG.includes(String(value)))
    // What is in the list was accepted by every policy before.
    const isRefused = kind !== 'delete' && values.some((value) => model.rules.some((rules) => refusedNaively(value, rules)))
    const expected = kind === 'replace' ? new Map() : new Map(model.entries)
    for (const value of values) {
      if (kind === 'delete') expected.delete(String(value))
      else if (!expected.has(String(value))) expected.set(String(value), value)
    }
    const hasLost = expected.size < model.entries.size
    try {
      const result = kind === 'replace' ? list.replace(values) : list[kind](...values)
      if (isWrong || isRefused) fail(`${this.toString()} was accepted`)
      if (kind === 'delete' ? result !== hasLost : result !== list) fail('it returned something else')
      model.entries = expected
    } catch (error) {
      if (!isWrong && !isRefused) throw error
      if ((error as cors.CorsPolicyError).code !== 'FST_ERR_CORS_INVALID_POLICY') throw error
    }
    agree(model, list)
  }

  toString (): string {
    return `${this.kind}(${this.values.map(String).join(', ')})`
  }
}

class Use implements fc.Command<Model, Real> {
  constructor (readonly rules: Rules) {}

  check (): boolean {
    return true
  }

  run (model: Model, { list, policies }: Real): void {
    const isRefused = [...model.entries.values()].some((entry) => refusedNaively(entry, this.rules))
    try {
      policies.push(definePolicies({ any: { origin: list, credentials: true, dangerouslyAllowInsecureOrigins: this.rules.insecure, dangerouslyAllowPublicSuffixes: this.rules.suffixes } }))
      if (isRefused) fail(`${this.toString()} was accepted`)
      model.rules.push(this.rules)
    } catch (error) {
      if (!isRefused) throw error
    }
    agree(model, list)
  }

  toString (): string {
    return `use(${JSON.stringify(this.rules)})`
  }
}

function agree ({ entries }: Model, list: cors.CorsOriginList): void {
  if (list.size !== entries.size || [...list].map(String).join() !== [...entries.keys()].join()) fail(`it has ${[...list].map(String).join()}`)
  for (const origin of ORIGINS) {
    if (list.has(origin) !== [...entries.values()].some((entry) => allowsNaively(entry, origin))) fail(`it says ${String(list.has(origin))} of ${origin}`)
  }
}

t.test('after any changes, a list equals a naive model of it', async (t) => {
  const value = fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...VALUES) }, { weight: 1, arbitrary: fc.constantFrom(...WRONG) })
  const values = fc.array(value, { maxLength: 4 })
  let runs = 0
  fc.assert(fc.property(fc.commands([
    values.map((values) => new Change('add', values)),
    values.map((values) => new Change('delete', values)),
    values.map((values) => new Change('replace', values)),
    fc.record({ insecure: fc.boolean(), suffixes: fc.boolean() }).map((rules) => new Use(rules))
  ], { maxCommands: 40 }), (commands) => {
    const setup = (): { model: Model, real: Real } => ({ model: { entries: new Map(), rules: [] }, real: { list: originList([]), policies: [] } })
    fc.modelRun(setup, commands)
    runs++
  }), { numRuns: 500 })
  t.equal(runs, 500, 'sequences of changes')
})

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Whether something is collected, given time: WeakRefs keep what was looked at until the current task ends. */
async function isCollected (reference: WeakRef<object>): Promise<boolean> {
  for (let i = 0; i < 50; i++) {
    await setImmediate()
    gc()
    if (reference.deref() === undefined) return true
  }
  return false
}

/** Some versions of Fastify keep the application that was made last alive themselves. */
async function isCollectedWithoutPlugin (): Promise<boolean> {
  const make = async (): Promise<WeakRef<object>> => {
    const app = Fastify()
    app.get('/', ok)
    await app.inject('/')
    await app.close()
    return new WeakRef(app)
  }
  return await isCollected(await make())
}

t.test('a list keeps no application in memory, and forgets the rules of those that are gone', async (t) => {
  if (!await isCollectedWithoutPlugin()) return t.plan(0, 'this Fastify keeps an application alive without the plugin')
  const list = originList([FOO])
  const make = async (): Promise<WeakRef<object>> => {
    const app = Fastify()
    await app.register(cors, { policies: { tenants: { origin: list, credentials: true } } })
    app.get('/', { config: { cors: { extends: 'tenants' } } }, ok)
    app.get('/own', { config: { cors: { origin: list, credentials: true, maxAge: 5 } } }, ok)
    t.equal(await allowed(app, '/', FOO), true)
    gc()
    t.strictSame(problems(() => list.add('http://a.example')), ['/0 insecure-with-credentials'], 'as long as there is one')
    await app.close()
    return new WeakRef(app)
  }
  t.equal(await isCollected(await make()), true)
  list.add('http://a.example')
  t.equal(list.has('http://a.example'), true)
})

t.test('a list that no policy used any more gets rules again from the next policy', async (t) => {
  const list = originList([FOO])
  const used = (): WeakRef<object> => new WeakRef(definePolicies({ any: { origin: list, credentials: true } }))
  t.equal(await isCollected(used()), true)
  await setImmediate()
  gc()
  list.add('http://a.example')
  t.strictSame(problems(() => definePolicies({ any: { origin: list, credentials: true } })), ['/any/origin/1 insecure-with-credentials'], 'what came in meanwhile is found')
})
