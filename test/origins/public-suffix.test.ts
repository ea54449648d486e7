// Credentials and the public suffix list (scripts/public-suffixes.mjs): no pattern or RegExp reaches a name that a stranger can register. What a stranger can
// register is judged by tldts, not by the package.
import { fail } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { getDomain, parse } from 'tldts'
import cors from '../../lib/index'
import { isKnownDomain, isPublicSuffix, isRegistrableDomain, suffixAtOrBelow } from '../../lib/origins/public-suffix'
import { compileRegExp, type OriginRegExp } from '../../lib/origins/regexp-matcher'
import { templatesOf } from '../../lib/origins/regexp-templates'
import { isSerialisedOrigin } from '../../lib/origins/serialised'

const RULES = require('../../lib/origins/tldts') as readonly string[]
const RESERVED = ['example', 'internal', 'invalid', 'local', 'localhost', 'test']
const ADDRESSES = ['127.0.0.1', '192.0.2.1', '[::1]', '[2001:db8::1]']

/** The host of a rule of the list, and each of its parents. */
function hostsAbove (rule: string): string[] {
  const labels = rule.replace('!', '').replace('*.', '').split('.')
  return labels.map((_, index) => labels.slice(index).join('.')).slice(rule.startsWith('!') ? 1 : 0)
}

/** The reasons for which an origin is refused with credentials. */
function reasonsFor (origin: string | readonly RegExp[], rest: object = {}): string[] {
  try {
    cors.definePolicies({ policy: { origin, credentials: true, ...rest } })
    return []
  } catch (error) {
    return (error as cors.CorsPolicyError).problems.map(({ reason }) => reason)
  }
}

t.test('the list has every rule of tldts', async (t) => {
  t.ok(RULES.length > 10_000, `${RULES.length} rules`)
  const hosts = new Set([...RULES.flatMap(hostsAbove), ...RULES.map((rule) => rule.replace('*', 'a').replace('!', '')), 'unknown', 'www.ck', 'city.kawasaki.jp', ...RESERVED, ...ADDRESSES])
  let wrong = 0
  for (const host of [...hosts].flatMap((host) => [host, `me.${host}`, `www.me.${host}`])) {
    const { publicSuffix, domain } = parse(host, { allowPrivateDomains: true })
    if (isPublicSuffix(host) === (publicSuffix === host && !RESERVED.includes(host)) && isRegistrableDomain(host) === (domain === host)) continue
    if (!/\[/.test(host) && wrong++ < 20) t.fail(host)
  }
  t.equal(wrong, 0)
  t.strictSame(['www.ck', 'city.kawasaki.jp', ...RESERVED, ...ADDRESSES].filter(isPublicSuffix), [], 'nobody can register a name below these')
})

t.test('a known domain lies below a rule of the list, or is reserved for examples', async (t) => {
  const hosts = new Set([...RULES.flatMap(hostsAbove), ...RULES.map((rule) => rule.replace('*', 'a').replace('!', '')), 'module.exports', 'a.b.unknown', '1.2.3', 'www.ck', 'a.www.ck'])
  const known = (host: string): boolean => {
    const { domain, isIcann, isPrivate } = parse(host, { allowPrivateDomains: true })
    return domain !== null && (isIcann === true || isPrivate === true)
  }
  t.strictSame([...hosts].flatMap((host) => [host, `me.${host}`, `www.me.${host}`]).filter((host) => isKnownDomain(host) !== known(host)), [], 'as tldts says')
  t.strictSame(['app.example', 'app.test', 'app.invalid', 'app.localhost', 'module.exports', 'app.internal'].map(isKnownDomain), [true, true, true, true, false, false])
})

t.test('no pattern and no RegExp reaches below a rule of the list, nor below any of its parents', async (t) => {
  const hosts = new Set(RULES.flatMap(hostsAbove))
  t.ok(hosts.size > 10_000, `${hosts.size} hosts`)
  let accepted = 0
  for (const host of hosts) {
    if (reasonsFor(`https://*.${host}`).join() !== 'public-suffix' && accepted++ < 20) t.fail(`https://*.${host} is accepted`)
    if (suffixAtOrBelow(host) === undefined) t.fail(host)
  }
  t.equal(accepted, 0, 'as patterns')
  for (const host of [...hosts].filter((_, index) => index % 10 === 0)) {
    const regexp = new RegExp(`^https://[a-z0-9.-]+\\.${host.replaceAll('.', '\\.')}(?::\\d+)?$`)
    if (!reasonsFor([regexp]).includes('public-suffix') && accepted++ < 20) t.fail(`${String(regexp)} is accepted`)
  }
  t.equal(accepted, 0, 'as RegExps')
  for (const host of ['amazonaws.com', 'windows.net', 'amazoncognito.com', 'render.com', 'linode.com', 'nordland.no', 'kawasaki.jp', 'com.', 'amazonaws.com.']) {
    t.strictSame(reasonsFor(`https://*.${host}`), ['public-suffix'], host)
    t.strictSame(reasonsFor(`https://*.${host}`, { dangerouslyAllowPublicSuffixes: true }), [], 'the switch lifts it')
  }
  for (const host of ['example.com', 'my-app.s3.amazonaws.com', 'city.kawasaki.jp', 'me.github.io', 'app.test', 'example.com.']) t.strictSame(reasonsFor(`https://*.${host}`), [], host)
})

/** Words that a stranger would put into what varies. No RegExp below has "evil" in it. */
const WORDS = ['evil', 'evil.com', 'evil.', '.evil', 'x.evil', 'evil.s3', 'evil.github', '//evil.com', '//evil', '://evil.com', 'evil.com:1', 's://evil.com', 's://evil', 'https://evil.com', 'evil.co', '1', '', ':1', '.', '-evil', 'evil-']

/** undefined for a RegExp that takes too long to match. */
function readable (regexp: RegExp): OriginRegExp | undefined {
  try {
    return compileRegExp(regexp)
  } catch {
    return undefined
  }
}

/** Origins that a RegExp may match, with these words for what varies. */
function attempts (regexp: RegExp): string[] {
  const { expression } = readable(regexp) ?? {}
  return (expression === undefined ? [] : templatesOf(expression) ?? []).slice(0, 40).flatMap((template) => WORDS.flatMap((word) => ['', '.com', '.github.io'].map((end) =>
    template.map((item, index) => typeof item === 'string' ? item : index === template.length - 1 ? word + end : word).join(''))))
}

t.test('a RegExp with credentials matches no origin that a stranger can register, however it is written', async (t) => {
  const part = fc.constantFrom(
    'https', 'http', 'https?', 'h', 's', '(?:http|https)', '(?:https|wss)', 'https:\\/\\/', 'https?:\\/\\/', 'http(s)?:\\/\\/', ':\\/\\/', ':', ':\\/', '\\/\\/', '\\/', '(?:https:\\/\\/)?', '[a-z]+:\\/\\/',
    '.*', '.+', '.', '[\\w.\\/-]+', '[^.]+', '[^]*', '[a-z0-9-]+', '(?:[a-z0-9-]+\\.)*', '(?:[a-z0-9-]+\\.)?', '(?:.+\\.)?', '[a-z]', '[a-z0-9-]{1,63}', '(?:app|www)', '(?:a|.*)', '\\S+', '\\b', '(?:|.*)',
    'app', 'example', '\\.', 'example\\.com', '\\.example\\.com', '\\.com', '\\.github\\.io', '\\.me\\.github\\.io', '\\.s3\\.amazonaws\\.com', '\\.amazonaws\\.com', '\\.co\\.uk', '\\.(?:com|example\\.com)', '\\.localhost', '(?:\\.example\\.com){0,1}', '(?:\\.example\\.com){2}',
    '(?::\\d+)?', ':\\d+', '(?::.*)?', ':8443', '\\d*', '\\.?'
  )
  const regexp = fc.oneof(
    fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('')),
    fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `https:\\/\\/${parts.join('')}`),
    fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `https:\\/\\/${parts.join('')}\\.example\\.com`),
    fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `https:${parts.join('')}`)
  ).map((source) => new RegExp(`^(?:${source})$`))
  const seen = { accepted: 0, refused: 0, hostile: 0 }
  fc.assert(fc.property(regexp, fc.constantFrom({}, { dangerouslyAllowInsecureOrigins: true }), (regexp, switches) => {
    const hostile = attempts(regexp).filter((origin) => isSerialisedOrigin(origin) && regexp.test(origin) && getDomain(origin, { allowPrivateDomains: true })?.includes('evil') && !/\.(?:localhost|example)\.?(?::\d+)?$/.test(origin))
    const isRefused = reasonsFor([regexp], switches).length > 0
    seen[isRefused ? 'refused' : 'accepted']++
    if (hostile.length > 0) seen.hostile++
    if (!isRefused && hostile.length > 0) fail(`${String(regexp)} allows ${hostile[0] as string}, with ${JSON.stringify(switches)}`)
  }), { numRuns: 4000 })
  t.ok(seen.accepted > 200 && seen.hostile > 200, JSON.stringify(seen))
  t.comment(JSON.stringify(seen))
})

t.test('what cannot be read into scheme, host and port is refused with credentials, whatever the switches say', async (t) => {
  const switches = { dangerouslyAllowInsecureOrigins: true, dangerouslyAllowPublicSuffixes: true }
  for (const regexp of [/^https:.*$/, /^https?:.*$/, /^(?:http|https):.+$/, /^https:[\w./-]+$/, /^.*$/, /^[a-z]+:\/\/app\.example\.com$/, /^h.*\.example\.com$/, /^https:\/.*$/]) {
    for (const lifted of [{}, { dangerouslyAllowInsecureOrigins: true }, switches]) t.strictSame(reasonsFor([regexp], lifted), ['insecure-with-credentials'], String(regexp))
  }
  for (const origin of ['moz-extension://*', 'chrome-extension://*', 'vscode-webview://*']) t.strictSame(reasonsFor(origin, switches), ['public-suffix'], origin)
  t.strictSame(reasonsFor('file://', switches), ['null-origin'])
  t.strictSame(reasonsFor([/^file:\/\/.*$/], switches), ['null-origin'])
  for (const origin of ['app://.', 'app://', 'chrome-extension://abcdefghijklmnopabcdefghijklmnop', 'https://example.com.']) t.strictSame(reasonsFor(origin), [], `${origin} is one origin`)
})
