// RegExps in `origin`: which are accepted, which are refused with or without credentials and why, and what is suggested instead.
import { fail } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { runInThisContext } from 'node:vm'
import t from 'tap'
import cors from '../../lib/index'
import { credentialRisks } from '../../lib/origins/credentials'
import { isSerialisedOrigin } from '../../lib/origins/serialised'
import { parseOriginRegExp } from '../../lib/origins/regexp'
import type { OriginRegExp } from '../../lib/origins/regexp-matcher'
import type { OriginRefusal } from '../../lib/origins/pattern'
import { SHOWN_REGEXPS } from './catalogues/regexps'
import { application, ok, request } from '../support'

/** The problems of a policy whose origin is this list; none if it is accepted. */
function problemsOf (origin: ReadonlyArray<string | RegExp>, rest: object = {}): readonly cors.CorsProblem[] {
  try {
    cors.definePolicies({ policy: { origin, ...rest } })
    return []
  } catch (error) {
    return (error as cors.CorsPolicyError).problems
  }
}

/** A RegExp, read without the rules of credentials. */
function read (regexp: RegExp | { source: string, flags: string }): OriginRegExp | OriginRefusal {
  return parseOriginRegExp(regexp, () => true)
}

/** The entries that a message says to write; undefined where it gives advice in words. */
function corrected (message: string): Array<string | RegExp> | undefined {
  const code = /; write (\[?["/].*?)(?:, or set dangerouslyAllow\w+: true)?$/.exec(message)?.[1]
  if (code?.startsWith('"+"') === true) return undefined
  return code === undefined ? undefined : runInThisContext(`[${code}]`) as Array<string | RegExp>
}

/** Which of these origins a route with this list allows. */
async function allowed (t: Parameters<typeof application>[0], origin: ReadonlyArray<string | RegExp>, origins: readonly string[]): Promise<string[]> {
  const app = await application(t)
  app.get('/', { config: { cors: { origin } } }, ok)
  const answers = await Promise.all(origins.map(async (origin) => (await request(app, 'GET', '/', origin)).headers['access-control-allow-origin']))
  return origins.filter((origin, index) => answers[index] === origin)
}

t.test('each RegExp of the catalogue is permitted, or refused with its reason and a suggestion that allows what was meant', async (t) => {
  for (const { regexp, refused, credentialed = [], unreadable = false, meant, notMeant = [], inWords } of SHOWN_REGEXPS) {
    const [problem, ...more] = problemsOf([regexp])
    t.strictSame([problem?.reason, more.length], [refused, 0], `${String(regexp)}: ${problem?.message ?? 'permitted'}`)
    if (refused === undefined) {
      t.strictSame(await allowed(t, [regexp], meant), meant, 'allows what was meant')
      t.strictSame(await allowed(t, [regexp], notMeant), [], 'and nothing else')
      const problems = problemsOf([regexp], { credentials: true })
      t.strictSame(problems.map(({ reason }) => reason), credentialed, `with credentials: ${problems.map(({ message }) => message).join('; ') || 'permitted'}`)
      for (const { message } of problems) {
        const suggestion = corrected(message)
        if (suggestion === undefined) continue
        t.strictSame(problemsOf(suggestion, { credentials: true }), [], `accepted: ${suggestion.map(String).join(', ')}`)
        const secure = meant.map((origin) => origin.replace(/^http:/, 'https:'))
        t.strictSame(await allowed(t, suggestion, secure), secure, 'and allows what was meant')
      }
      if (credentialed.length === 1) t.equal(corrected(problems[0]?.message ?? '') === undefined, inWords === true, `corrected in code, or in words where nothing can be known: ${String(regexp)}: ${problems[0]?.message ?? ''}`)
      const switches = { 'insecure-with-credentials': 'dangerouslyAllowInsecureOrigins', 'public-suffix': 'dangerouslyAllowPublicSuffixes' } as Record<string, string>
      for (const { reason, message } of problems) t.equal(message.includes(`or set ${switches[reason] as string}: true`), !unreadable, message)
      const all = Object.fromEntries(Object.values(switches).map((name) => [name, true]))
      t.strictSame(problemsOf([regexp], { credentials: true, ...all }).map(({ reason }) => reason), unreadable ? credentialed : [], 'the switches lift what can be read')
      t.strictSame(problemsOf([regexp], { credentials: true, dangerouslyAllowInsecureOrigins: true }).map(({ reason }) => reason), unreadable ? credentialed : credentialed.filter((reason) => reason === 'public-suffix'), 'each its own rule')
    } else {
      const suggestion = corrected(problem?.message ?? '')
      t.equal(suggestion === undefined, inWords === true, `corrected in code, or in words where nothing can be known: ${problem?.message ?? ''}`)
      if (suggestion === undefined) continue
      t.strictSame(problemsOf(suggestion), [], `accepted: ${suggestion.map(String).join(', ')}`)
      t.strictSame(await allowed(t, suggestion, meant), meant, 'and allows what was meant')
      t.strictSame(await allowed(t, suggestion, notMeant), [], 'and nothing else')
    }
  }
})

t.test('the matcher matches what the RegExps of the catalogue match', async (t) => {
  let compared = 0
  for (const { regexp, refused, from, meant } of SHOWN_REGEXPS) {
    const entry = read(regexp)
    t.equal(entry.kind, refused === undefined ? 'regexp' : 'refused', String(regexp))
    // Those that are hostile would take V8 for ever.
    if (entry.kind === 'refused' || from === 'hostile') continue
    for (const origin of [...meant, ...SHOWN_REGEXPS.flatMap(({ meant, notMeant = [] }) => [...meant, ...notMeant])]) {
      for (const near of [origin, `${origin}:8443`, `${origin}.evil.com`, origin.replace('://', '://evil'), origin.replace('://', '://a.b.'), origin.replace('https:', 'http:'), origin.slice(0, -1)]) {
        if (entry.matches(near) !== regexp.test(near)) t.fail(`${String(regexp)} on ${near}`)
        compared++
      }
    }
  }
  t.ok(compared > 20_000, `${compared} times`)
})

t.test('RegExps that would take a backtracking engine for ever answer at once', async (t) => {
  for (const { regexp, meant } of SHOWN_REGEXPS.filter(({ from }) => from === 'hostile')) {
    const entry = read(regexp)
    if (entry.kind === 'refused') fail(entry.message)
    const evil = [`https://${'a'.repeat(63)}.${'a'.repeat(63)}.evil`, `https://${'a.'.repeat(120)}evil`, `https://${'a'.repeat(40)}-example.com`, `https://${'a'.repeat(40)}.example.com.evil`]
    for (const origin of evil) t.equal(isSerialisedOrigin(origin) && entry.matches(origin), false, `${String(regexp)} refuses ${origin.slice(0, 40)}`)
    for (const origin of meant) t.equal(entry.matches(origin), true, origin)
  }
  const dashes = read(/^https:\/\/(.*)-(.*)-(.*)-(.*)\.example\.com$/)
  t.equal(dashes.kind === 'regexp' && dashes.matches(`https://${'-'.repeat(63)}.${'-'.repeat(63)}.${'-'.repeat(63)}.evil`), false)
})

t.test('syntax that needs backtracking, that is unknown, or that takes too long, is refused with what to write', async (t) => {
  const words = 'what is allowed as a RegExp without it, or a function (origin) => boolean that decides'
  const UNSUPPORTED: ReadonlyArray<readonly [{ source: string, flags: string }, string, string]> = [
    [/^https:\/\/(?=a)a$/, 'a lookahead cannot be matched in linear time', words],
    [/^https:\/\/(?!a)a$/, 'a lookahead cannot be matched in linear time', words],
    [/^https:\/\/(?<=a)a$/, 'a lookbehind cannot be matched in linear time', words],
    [/^https:\/\/(?<!a)a$/, 'a lookbehind cannot be matched in linear time', words],
    [/^https:\/\/(a)\1$/, 'a back-reference cannot be matched in linear time', words],
    [/^https:\/\/(?<b>a)\k<b>$/, 'a back-reference cannot be matched in linear time', words],
    [{ source: '^https://[\\q{ab|c}]$', flags: 'v' }, 'a class that matches strings of several characters ("\\q{…}", or a property of strings) is not supported', '"(?:ab|c)" instead of "[\\q{ab|c}]"'],
    [{ source: '^https://[[a-z]--\\q{b}]$', flags: 'v' }, 'a class that matches strings of several characters ("\\q{…}", or a property of strings) is not supported', '"(?:ab|c)" instead of "[\\q{ab|c}]"'],
    [{ source: '^https://\\p{RGI_Emoji}$', flags: 'v' }, 'a class that matches strings of several characters ("\\q{…}", or a property of strings) is not supported', '"(?:ab|c)" instead of "[\\q{ab|c}]"'],
    // Node 20 has no flags inside RegExps, no flag "x", and cannot make a RegExp of what is none.
    [{ source: '^https://(?i:a)$', flags: '' }, 'flags inside a RegExp ("(?i:…)") are not supported', 'the flag behind it, or a RegExp for each part'],
    [{ source: '^https://a$', flags: 'ix' }, 'the flags "x" are not supported', 'it without them'],
    [{ source: '^https://(a$', flags: '' }, 'this RegExp has a syntax that is not supported', words],
    // too many states, too many ways between them, too many steps
    [/^https:\/\/(?:a{300}){400}$/, 'this RegExp takes too long to match', '"+" or "*" in place of its counted repetitions ("{1,63}"), or origins in place of its alternatives'],
    [new RegExp(`^https://(?:${Array.from({ length: 1000 }, (_, index) => `a${index}`).join('|')})*$`), 'this RegExp takes too long to match', '"+" or "*" in place of its counted repetitions ("{1,63}"), or origins in place of its alternatives'],
    [/^https:\/\/(?:.*[a-z0-9.-]{1,200}){6}\.com$/, 'this RegExp takes too long to match', '"+" or "*" in place of its counted repetitions ("{1,63}"), or origins in place of its alternatives']
  ]
  for (const [regexp, message, instead] of UNSUPPORTED) {
    t.strictSame(read(regexp), { kind: 'refused', reason: 'unsafe-regexp', message, instead }, regexp.source.slice(0, 40))
  }
  // What the messages say to write.
  t.strictSame(problemsOf([/^https:\/\/(?:ab|c)$/, /^https:\/\/a+$/]), [])
  t.strictSame(await allowed(t, [/^https:\/\/(?:[a-z0-9-]{1,63}\.)+example\.com$/], ['https://a.b.example.com']), ['https://a.b.example.com'])
  const app = await application(t)
  app.get('/', { config: { cors: { origin: (origin) => /^https:\/\/(?!evil)[a-z]+\.example\.com$/.test(origin) } } }, ok)
  t.equal((await request(app, 'GET', '/', 'https://a.example.com')).headers['access-control-allow-origin'], 'https://a.example.com')
})

t.test('a RegExp keeps its flags', async (t) => {
  const origins = ['https://a.example', 'https://k.example']
  t.strictSame(await allowed(t, [/^HTTPS:\/\/A\.EXAMPLE$/i], origins), ['https://a.example'])
  t.strictSame(await allowed(t, [/^https:\/\/\u212a\.example$/iu], origins), ['https://k.example'], 'with i and u, the Kelvin sign is a k')
  t.strictSame(problemsOf([/^https:\/\/\u212a\.example$/i]).map(({ reason }) => reason), ['invalid'], 'with i alone, it is not')
  t.strictSame(await allowed(t, [/^https:\/\/\u{61}\.example$/u], origins), ['https://a.example'])
  // eslint-disable-next-line prefer-regex-literals -- for our target, TypeScript does not know this flag
  t.strictSame(await allowed(t, [new RegExp('^https://[\\w--k]\\.example$', 'v')], origins), ['https://a.example'])
  t.strictSame(await allowed(t, [/^https:\/\/a.example$/s, /^https:\/\/k\.example$/d], origins), origins)
})

t.test('a RegExp with too many alternatives to be judged is permitted without credentials, and refused with them', async (t) => {
  const names = (count: number): string => Array.from({ length: count }, (_, index) => `n${index}`).join('|')
  for (const [source, judged] of [[`https://(?:${names(4000)})\\.example\\.com`, true], [`https://(?:${names(5001)})\\.example\\.com`, false], [`https://(?:${names(80)})-(?:${names(80)})\\.example\\.com`, false]] as const) {
    const regexp = new RegExp(`^${source}$`)
    t.strictSame(problemsOf([regexp]), [], 'permitted without')
    const problems = problemsOf([regexp], { credentials: true })
    t.strictSame(problems.map(({ reason }) => reason), judged ? [] : ['insecure-with-credentials'])
    t.equal(problemsOf([regexp], { credentials: true, dangerouslyAllowInsecureOrigins: true, dangerouslyAllowPublicSuffixes: true }).length, judged ? 0 : 1, 'whatever the switches say')
    const [unanchored] = problemsOf([new RegExp(source)])
    t.match(unanchored, { reason: 'unanchored-regexp', message: 'write a RegExp from "^https:' }, 'what is too long to be shown is not suggested')
  }
})

t.test('a RegExp with credentials permits no origin that an attacker can have, over generated beginnings and ends', async (t) => {
  const scheme = ['https:\\/\\/', 'https?:\\/\\/', 'http:\\/\\/', '(?:https:\\/\\/)?', '.*', '[a-z]+:\\/\\/', '(?:https|ws):\\/\\/', 'h.*']
  const middle = ['', '.*', '.+\\.', '[a-z]+', '(?:[a-z]+\\.)?', '(?:[a-z]+\\.)*', '(?:a\\.|b\\.)', '(?:.*\\.|)', '[^.]*.', '(?:x.*\\.)+']
  const end = ['example\\.com', '\\.example\\.com', 'com', '\\.com', 'example\\.com\\d*', 'example\\.[a-z]+', 'localhost', '\\.localhost', 'github\\.io', '\\.co\\.uk', '\\.0\\.0\\.1', '127\\.0\\.0\\.1', '.*']
  const port = ['', '(?::\\d+)?', ':8080', ':?\\d*', '(?::.*)?', '\\d?']
  const ATTACKERS = ['http://evil.example.com', 'http://example.com', 'http://aexample.com', 'http://localhost.evil.com', 'http://evil.com', 'ws://example.com', 'ws://evil.example.com', 'https://evil.com', 'https://a.com', 'https://evilexample.com', 'https://aexample.com', 'https://bexample.com', 'https://x.evilexample.com', 'https://example.evil', 'https://example.com1', 'https://evil.github.io', 'https://evilgithub.io', 'https://evil.co.uk', 'https://com', 'https://9.0.0.1', 'http://9.0.0.1', 'http://evil.localhost.com', 'https://evillocalhost.com']
    .flatMap((origin) => [origin, `${origin}:8080`, `${origin}:1`])
  // Who owns these is the author.
  const OWN = new Set(['https://com', 'https://example.com', 'https://a.com', 'https://example.evil'])
  let permitted = 0
  let refused = 0
  for (const a of scheme) {
    for (const b of middle) {
      for (const c of end) {
        for (const d of port) {
          const regexp = new RegExp(`^${a}${b}${c}${d}$`)
          const entry = read(regexp)
          const right = entry.kind === 'regexp' && credentialRisks(entry, {}).length === 0
          if (!right) {
            refused++
            continue
          }
          permitted++
          for (const origin of ATTACKERS) {
            if (!OWN.has(origin.replace(/:\d+$/, '')) && isSerialisedOrigin(origin) && regexp.test(origin)) t.fail(`${String(regexp)} allows ${origin}`)
          }
        }
      }
    }
  }
  t.ok(permitted > 200 && refused > 3000, `${permitted} permitted, ${refused} refused`)
})

t.test('the engine, the parser and the public suffix list are loaded only where a policy needs them', async (t) => {
  const loaded = (policy: string): string[] => {
    const script = `const cors = require(${JSON.stringify(join(__dirname, '..', '..', 'dist', 'index.js'))}); cors.definePolicies({ policy: ${policy} }); ` +
      // eslint-disable-next-line no-template-curly-in-string -- it is a program
      'process.stdout.write(JSON.stringify(["regexp-matcher", "regexpp", "tldts"].filter((name) => Object.keys(require.cache).some((file) => file.includes(`/${name}/`) || file.endsWith(`/${name}.js`)))))'
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    return stdout === '' ? fail(stderr) : JSON.parse(stdout) as string[]
  }
  t.strictSame(loaded("{ origin: ['https://a.example', 'https://*.b.example'] }"), [])
  t.strictSame(loaded("{ origin: ['https://a.example', 'https://*.b.example'], credentials: true }"), ['tldts'])
  t.strictSame(loaded('{ origin: [/^https:\\/\\/a\\.example$/] }'), ['regexp-matcher', 'regexpp'])
  t.notOk(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8').includes('safe-regex2'))
})
