// Which Origin headers a list of origins allows: the same that a naive reading of the list does, and none of an attacker's.
import { fail } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { printable } from '../../lib/messages/errors'
import { readEntry, type Entry } from '../../lib/origins/entry'
import { createMatcher, OriginSet, type OriginMatcher } from '../../lib/origins/matcher'
import { parseOriginEntry } from '../../lib/origins/pattern'
import { isSerialisedOrigin } from '../../lib/origins/serialised'

const read = (value: string | RegExp): Entry => {
  const entry = readEntry(value, { list: 'origin' })
  return 'key' in entry ? entry : fail(JSON.stringify(entry))
}

/** The matcher of a list as a policy has it. */
function matcherOf (list: ReadonlyArray<string | RegExp>): OriginMatcher {
  return createMatcher(list.map(read))
}

interface Parts { scheme: string, labels: string[], port: string }

const DEFAULT_PORTS: Record<string, string> = { http: '80', https: '443', ws: '80', wss: '443', ftp: '21' }

/** Reads an origin piece by piece, with no regular expression for the whole. */
function readNaively (origin: string): Parts | undefined {
  if (origin === 'file://') return { scheme: 'file', labels: [''], port: '' }
  const [scheme = '', authority, ...more] = origin.split('://')
  if (more.length > 0 || scheme.length > 64 || authority === undefined) return undefined
  if (['about', 'blob', 'data', 'file', 'javascript'].includes(scheme)) return undefined
  if (![...scheme].every((char, i) => 'abcdefghijklmnopqrstuvwxyz'.includes(char) || (i > 0 && '0123456789+-.'.includes(char)))) return undefined
  if (scheme === '') return undefined
  const bracket = authority.lastIndexOf(']')
  const colon = authority.indexOf(':', bracket + 1)
  const host = colon === -1 ? authority : authority.slice(0, colon)
  const port = colon === -1 ? '' : authority.slice(colon + 1)
  if (colon !== -1 && (String(Number(port)) !== port || Number(port) < 1 || Number(port) > 65535 || !Number.isInteger(Number(port)))) return undefined
  if (port !== '' && DEFAULT_PORTS[scheme] === port) return undefined
  if (host.startsWith('[')) {
    return URL.canParse(`http://${host}`) && new URL(`http://${host}`).host === host && host.endsWith(']') ? { scheme, labels: [host], port } : undefined
  }
  if (!(scheme in DEFAULT_PORTS) && (authority === '' || authority === '.')) return { scheme, labels: [authority], port }
  const labels = host.split('.')
  if (labels.length > 1 && labels.at(-1) === '') labels.pop()
  if (labels.join('.').length > 253) return undefined
  for (const label of labels) {
    if (label.length < 1 || label.length > 63) return undefined
    for (const char of label) if (!'abcdefghijklmnopqrstuvwxyz0123456789-_'.includes(char)) return undefined
  }
  const last = labels.at(-1) ?? ''
  const endsInNumber = [...last].every((char) => '0123456789'.includes(char)) || (last.startsWith('0x') && [...last.slice(2)].every((char) => '0123456789abcdef'.includes(char)))
  if (scheme in DEFAULT_PORTS && endsInNumber && !(labels.length === 4 && labels.every((label) => [...label].every((char) => '0123456789'.includes(char)) && String(Number(label)) === label && Number(label) < 256))) return undefined
  if (scheme in DEFAULT_PORTS && endsInNumber && host.endsWith('.')) return undefined
  return { scheme, labels: host.split('.'), port }
}

/** Compares an origin with each entry in turn. */
function allowsNaively (list: ReadonlyArray<string | RegExp>, origin: string): boolean {
  if (origin === 'null') return list.includes('null')
  const actual = readNaively(origin)
  if (actual === undefined) return false
  return list.some((entry) => {
    if (entry instanceof RegExp) return entry.test(origin)
    if (entry === 'null') return false
    const subdomains = entry.includes('://*.')
    const anyPort = entry.endsWith(':*')
    const listed = readNaively(entry.replace('*.', '').replace(':*', '')) ?? fail(entry)
    const rest = actual.labels.slice(-listed.labels.length)
    return actual.scheme === listed.scheme && (anyPort || actual.port === listed.port) && rest.join() === listed.labels.join() &&
      (subdomains ? actual.labels.length > listed.labels.length : actual.labels.length === listed.labels.length)
  })
}

// Everything is made of few words, so that origins and entries share beginnings and ends.
const scheme = fc.constantFrom('https', 'https', 'https', 'http', 'http', 'ws', 'capacitor', 'http+x', 'a')
const host = fc.oneof(
  fc.constantFrom('foo.net', 'bar.net', 'barfoo.net', 'a.foo.net', 'b.a.foo.net', 'foo.net.evil.com', 'net', 'xfoo.net', 'foo.neta', 'foo-net', 'afoo.net', 'localhost', '127.0.0.1', '27.0.0.1', '1.2', '[::1]', '[::2]', '[::1:0]'),
  fc.array(fc.constantFrom('foo', 'bar', 'barfoo', 'a', 'net', 'com', 'evil', '0', '1', '_', '-'), { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'))
)
const port = fc.constantFrom('', '', '', ':80', ':443', ':8080', ':808', ':80801', ':1', ':65535')
const origin = fc.tuple(scheme, host, port).map(([scheme, host, port]) => `${scheme}://${host}${port}`)

const REGEXPS = [/^https:\/\/(?:foo|bar)\.net$/, /^http:\/\/.*foo.*$/i, /^.*:80801$/, /^[^]*\.evil\.com$/]
const entry = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(scheme, fc.constantFrom('', '', '*.'), host, fc.oneof(port, fc.constant(':*'))).map((parts) => `${parts[0]}://${parts[1]}${parts[2]}${parts[3]}`) },
  { weight: 1, arbitrary: fc.constant('null') },
  { weight: 1, arbitrary: fc.constantFrom(...REGEXPS) }
)
const list = fc.array(entry, { maxLength: 12 }).map((entries) => entries.filter((entry) => entry instanceof RegExp || parseOriginEntry(entry).kind !== 'refused'))

/** An origin that an entry allows, or nearly so. */
const near = fc.tuple(list, fc.nat(), fc.array(fc.constantFrom('a', 'foo', 'bar', 'evil', 'net'), { maxLength: 3 }), port).map(([list, index, labels, port]) => {
  const chosen = String(list[index % Math.max(1, list.length)] ?? 'https://foo.net')
  return { list, origin: chosen.replace('*.', labels.map((label) => `${label}.`).join('')).replace(':*', port) }
})

const mutation = fc.record({ at: fc.nat(400), remove: fc.nat(2), insert: fc.constantFrom('', '.', '..', ':', ':80', ':443', '://', '*', '*.', '@', '/', '\\', '#', '?', ',', ' ', '\t', '\u0000', '-', '_', '0', 'a', 'A', 'é', '[', ']', '%2e', '.evil.com', 'foo.net', 'https://', 'x'.repeat(64)) })

function mutate (text: string, mutations: ReadonlyArray<{ at: number, remove: number, insert: string }>): string {
  return mutations.reduce((text, { at, remove, insert }) => {
    const start = at % (text.length + 1)
    return text.slice(0, start) + insert + text.slice(start + remove)
  }, text)
}

const attempt = fc.oneof(
  fc.record({ list, origin }),
  near,
  fc.tuple(near, fc.array(mutation, { minLength: 1, maxLength: 2 })).map(([{ list, origin }, mutations]) => ({ list, origin: mutate(origin, mutations) })),
  fc.tuple(list, fc.string({ unit: 'binary' })).map(([list, origin]) => ({ list, origin }))
)

t.test('the matcher gives the verdict of a naive reading of the list', async (t) => {
  const verdicts = { allowed: 0, refused: 0 }
  fc.assert(fc.property(attempt, ({ list, origin }) => {
    const expected = allowsNaively(list, origin)
    verdicts[expected ? 'allowed' : 'refused']++
    if (matcherOf(list)(origin) !== expected) fail(`${JSON.stringify(list.map(String))} should ${expected ? 'allow' : 'refuse'} ${JSON.stringify(origin)}`)
  }), { numRuns: 10_000 })
  t.ok(verdicts.allowed > 1000 && verdicts.refused > 1000, `${verdicts.allowed} allowed, ${verdicts.refused} refused`)
})

t.test('a text is an origin exactly if a naive reading finds one', async (t) => {
  fc.assert(fc.property(attempt, ({ origin }) => isSerialisedOrigin(origin) === (readNaively(origin) !== undefined)), { numRuns: 10_000 })
  t.pass('10,000 texts')
})

const LIST = [
  'https://example.com', 'https://*.example.com', 'http://*.example.com:8080', 'https://example.com:*', 'https://*.any.example.com:*', 'https://*.co.uk',
  'http://127.0.0.1:*', 'http://[::1]:*', 'http://localhost:3000', 'capacitor://localhost', /^https:\/\/[a-z0-9-]+\.example\.org$/
]

t.test('a list allows what it names', async (t) => {
  const matches = matcherOf(LIST)
  for (const origin of [
    'https://example.com', 'https://example.com:8443', 'https://example.com:80', 'https://a.example.com', 'https://a.b.c.example.com', 'https://example.com.example.com', 'https://-.example.com', 'https://_.example.com',
    'http://a.example.com:8080', 'https://a.any.example.com:1', 'https://a.any.example.com', 'https://any.example.com', 'https://example.co.uk', 'http://127.0.0.1', 'http://127.0.0.1:1', 'http://[::1]', 'http://[::1]:65535',
    'http://localhost:3000', 'capacitor://localhost', 'https://a.example.org'
  ]) {
    t.equal(matches(origin), true, origin)
  }
})

t.test('well-formed origins of others are refused, however near they are', async (t) => {
  const matches = matcherOf(LIST)
  const FOREIGN = [
    // prefix and suffix tricks
    'https://evilexample.com', 'https://example.com.evil.com', 'https://example.comevil.com', 'https://example.co', 'https://example.com-evil.com', 'https://example.com_evil.com', 'https://a.example.com.evil.io',
    'https://aexample.com', 'https://-example.com', 'https://_example.com', 'https://com', 'https://example', 'https://ex.ample.com', 'https://evil-any.example.co', 'https://uk', 'https://co.uk', 'https://xco.uk',
    // scheme
    'http://example.com', 'http://a.example.com', 'ws://example.com', 'wss://example.com', 'httpss://example.com', 'xhttps://example.com', 'capacitors://localhost', 'http://localhost', 'https://localhost:3000',
    // port
    'https://a.example.com:8443', 'https://a.example.com:80', 'http://a.example.com:808', 'http://a.example.com:8081', 'http://localhost:300', 'http://localhost:30000', 'capacitor://localhost:1',
    // addresses
    'http://27.0.0.1', 'http://127.0.0.2', 'http://127.0.0.1.example.com', 'http://1.127.0.0', 'http://[::2]', 'http://[::1:0]', 'https://127.0.0.1', 'https://[::1]',
    // through the RegExp
    'https://example.org', 'https://a.b.example.org', 'https://a.exampleXorg'.toLowerCase(), 'https://a.example.org.evil.com'
  ]
  for (const origin of FOREIGN) {
    t.equal(isSerialisedOrigin(origin), true, `${origin} is an origin`)
    t.equal(matches(origin), false, `${origin} is not allowed`)
  }
  t.equal(matches('null'), false, 'null has to be named')
  t.equal(matcherOf(['null'])('null'), true)
  t.equal(matcherOf(['null', 'https://*.example.com'])('null'), true)
})

t.test('an Origin that no browser sends is refused, even by a RegExp that matches everything', async (t) => {
  const matchers = [matcherOf(LIST), matcherOf([/^[^]*$/]), matcherOf(['https://example.com']), matcherOf(['https://*.com:*']), matcherOf(['https://*.example.com', 'https://example.com:*', 'http://[::1]:*'])]
  const HOSTILE = [
    '', ' ', '*', 'NULL', 'null ', 'undefined', 'https', 'https:', 'https:/', 'https://', '://', '//', '//example.com', '://example.com', 'example.com', 'https:example.com', 'https:/example.com', 'https:///example.com',
    // case
    'HTTPS://example.com', 'https://EXAMPLE.com', 'https://example.COM', 'https://A.example.com', 'Https://a.example.com',
    // dots and labels
    'https://.example.com', 'https://..example.com', 'https://a..example.com', 'https://.', 'https://example..com', `https://${'a'.repeat(64)}.example.com`, `https://${'a.'.repeat(122)}example.com`,
    // ports
    'https://example.com:', 'https://example.com:443', 'https://a.any.example.com:443', 'http://127.0.0.1:80', 'http://[::1]:80', 'https://example.com:0', 'https://example.com:00', 'https://example.com:065', 'https://example.com:08443',
    'https://example.com:65536', 'https://example.com:99999', 'https://example.com:100000', 'https://example.com:-1', 'https://example.com:+1', 'https://example.com:1e3', 'https://example.com:0x50', 'https://example.com:1.0', 'https://example.com:8443:8443',
    'https://example.com:*', 'https://example.com:8443/', 'https://example.com:８４４３',
    // more than an origin
    'https://example.com/', 'https://example.com/path', 'https://example.com?', 'https://example.com#', 'https://evil.com/.example.com', 'https://evil.com?.example.com', 'https://evil.com#.example.com', 'https://evil.com#@example.com',
    // user information
    'https://@example.com', 'https://user@example.com', 'https://user:password@example.com', 'https://evil.com@example.com', 'https://example.com@evil.com', 'https://evil.com:80@a.example.com', 'https://a:b.example.com', 'https://evil.com:443.example.com',
    // what some URL parsers end a host at
    'https://evil.com\\.example.com', 'https://evil.com\\@a.example.com', 'https://evil.com`.example.com', 'https://evil.com{.example.com', 'https://evil.com|.example.com', 'https://evil.com^.example.com', 'https://evil.com!.example.com',
    "https://evil.com'.example.com", 'https://evil.com".example.com', 'https://evil.com$.example.com', 'https://evil.com&.example.com', 'https://evil.com(.example.com', 'https://evil.com+.example.com', 'https://evil.com=.example.com',
    'https://evil.com~.example.com', 'https://evil.com;.example.com', 'https://evil.com<.example.com', 'https://evil.com%.example.com', 'https://evil.com%00.example.com', 'https://evil.com%2f.example.com', 'https://a%2eexample.com',
    // patterns are not origins
    'https://*.example.com', 'https://*', 'https://*.example.com:*',
    // lists
    'https://example.com,https://evil.com', 'https://evil.com,https://a.example.com', 'https://evil.com, https://a.example.com', 'https://example.com https://evil.com', 'https://evil.com https://a.example.com', 'null, https://example.com', 'null null',
    // blanks and control characters
    ' https://example.com', 'https://example.com ', '\thttps://example.com', 'https://example.com\t', 'https://example.com\r\n', 'https://example.com\n', 'https://evil.com\n.example.com', 'https://evil.com\u0000.example.com', 'https://\u0000a.example.com',
    'https://evil.com\u007f.example.com', 'https://evil.com\u0085.example.com', 'https://evil.com\u2028.example.com', 'https://exa\u00admple.com', 'https://evil.com\u200b.example.com',
    // international names
    'https://bücher.example.com', 'https://ａ.example.com', 'https://a。example.com', 'https://ex\u0430mple.com', 'https://İ.example.com', 'https://ſ.example.com', 'https://\u212a.example.com',
    // addresses
    'http://127.1', 'http://127.0.0.01', 'http://0x7f.0.0.1', 'http://2130706433', 'http://127.0.0.1.', 'http://256.0.0.1', 'http://127.0.0.1.1', 'https://example.1', 'http://[0:0:0:0:0:0:0:1]', 'http://[::01]', 'http://[::1', 'http://::1', 'http://[::1].example.com',
    'http://[::1]8080', 'http://[::1]]', 'http://[[::1]]', 'http://a[::1]', 'http://[::1%25lo]', 'http://[::ffff:1.2.3.4]', 'http://[]', 'http://[:]',
    // schemes without origins, or that are none
    'file://example.com', 'data://example.com', 'blob:https://example.com', 'about:blank', 'javascript://example.com', '1https://example.com', '+https://example.com', 'ht tps://example.com', 'ht_tps://example.com', 'https%3A//example.com', 'https://https://example.com',
    // length
    `https://${'a'.repeat(16_384)}.example.com`, `https://${'a.'.repeat(8192)}example.com`, `${'a'.repeat(16_384)}://example.com`, `https://example.com:${'0'.repeat(16_384)}`, '.'.repeat(16_384), 'https://a.example.com'.repeat(800), `${'a'.repeat(65)}://example.com`
  ]
  for (const origin of HOSTILE) {
    const name = printable(JSON.stringify(origin.length > 60 ? `${origin.slice(0, 40)}… (${origin.length})` : origin))
    t.strictSame(matchers.map((matches) => matches(origin)), matchers.map(() => false), name)
  }
})

/** How often anything is looked up in a Map or a Set during this work. */
function lookUps (work: () => void): number {
  let count = 0
  const counting = <Method extends (this: never, key: never) => unknown>(method: Method): Method => function (this: never, key: never) {
    count++
    return method.call(this, key)
  } as Method
  const maps: Map<unknown, unknown> = Map.prototype
  const sets: Set<unknown> = Set.prototype
  const { get, has: hasKey } = maps
  const { has } = sets
  Object.assign(maps, { get: counting(get), has: counting(hasKey) })
  Object.assign(sets, { has: counting(has) })
  try {
    work()
  } finally {
    Object.assign(maps, { get, has: hasKey })
    Object.assign(sets, { has })
  }
  return count
}

t.test('10,000 origins and 10,000 patterns take as many look-ups as one of each', async (t) => {
  const listOf = (size: number): string[] => Array.from({ length: size }, (_, i) => [`https://host${i}.example.com`, `https://*.tenant${i}.example.org`, `https://*.tenant${i}.example.org:${8000 + i % 1000}`, `http://*.dev${i}.example.org:*`, `http://local${i}:*`]).flat()
  const few = matcherOf(listOf(1))
  const many = matcherOf(listOf(10_000))
  const CASES: ReadonlyArray<readonly [string, boolean]> = [
    ['https://host0.example.com', true], ['https://a.tenant0.example.org', true], ['https://a.b.c.tenant0.example.org:8000', true], ['http://a.dev0.example.org:1', true], ['http://local0:9', true],
    ['https://host.example.com', false], ['https://tenant0.example.org', false], ['https://a.tenant.example.org', false], ['https://a.tenant0.example.org:1', false], ['https://a.b.c.d.e.f.g.h.i.j', false], ['ws://a.tenant0.example.org', false]
  ]
  for (const [origin, expected] of CASES) {
    const answers: boolean[] = []
    const count = lookUps(() => { answers.push(many(origin)) })
    t.ok(count > 0 && count === lookUps(() => { answers.push(few(origin)) }), `${origin}: ${count} look-ups`)
    t.strictSame(answers, [expected, expected], origin)
    t.equal(lookUps(() => { answers.push(many(origin)) }), 0, 'none if it was the last that was asked for')
    t.equal(answers.at(-1), expected, 'and the same answer')
  }
  t.ok(lookUps(() => many(`https://${'a.'.repeat(100)}evil.com`)) < 300, 'for each label of the origin, one at most')
  t.equal(many('https://host9999.example.com'), true, 'the last origin')
  t.equal(many('https://a.tenant9999.example.org:8999'), true, 'the last pattern')
})

t.test('a matcher does not change with the list that it was made of', async (t) => {
  const entries = [read('https://*.example.com')]
  const matches = createMatcher(entries)
  entries.push(read('https://*.evil.com'))
  t.equal(matches('https://a.evil.com'), false)
  t.equal(matches('https://a.example.com'), true)
})

t.test('a set of entries that changes gives the verdict of a naive reading of what is in it', async (t) => {
  const change = fc.record({ entry: fc.integer({ min: 0, max: 40 }), add: fc.boolean() })
  const entries = fc.array(entry, { minLength: 1, maxLength: 12 }).map((entries) => entries.filter((entry) => entry instanceof RegExp || parseOriginEntry(entry).kind !== 'refused'))
  const verdicts = { allowed: 0, refused: 0 }
  fc.assert(fc.property(entries, fc.array(change, { maxLength: 30 }), fc.array(fc.tuple(near, origin), { minLength: 1, maxLength: 8 }), (entries, changes, origins) => {
    if (entries.length === 0) return
    const set = new OriginSet([])
    const model = new Map<string, string | RegExp>()
    for (const { entry, add } of changes) {
      const value = entries[entry % entries.length] as string | RegExp
      const { key } = read(value)
      if (add) {
        set.add(read(value))
        model.set(key, value)
      } else {
        set.delete(key)
        model.delete(key)
      }
      const candidates = [...origins.flatMap(([{ origin }, other]) => [origin, other]), ...entries.map((entry) => String(entry).replace('*.', 'a.').replace(':*', ':8080'))]
      for (const candidate of candidates) {
        const expected = allowsNaively([...model.values()], candidate)
        verdicts[expected ? 'allowed' : 'refused']++
        if (set.matches(candidate) !== expected) fail(`${JSON.stringify([...model.keys()])} should ${expected ? 'allow' : 'refuse'} ${candidate}`)
      }
    }
    if (set.size !== model.size || [...set].map(({ key }) => key).join() !== [...model.keys()].join()) fail('it has other entries')
  }), { numRuns: 1000 })
  t.ok(verdicts.allowed > 1000 && verdicts.refused > 1000, JSON.stringify(verdicts))
})
