// The entries of a policy's `origin`: which texts and RegExps are read, as what, and what is said about the others.
import { fail } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { printable } from '../../lib/messages/errors'
import { parseOriginEntry, type OriginPattern, type OriginRefusal } from '../../lib/origins/pattern'
import { isInsecure, isSerialisedOrigin, MAX_ORIGIN_LENGTH } from '../../lib/origins/serialised'
import { isPublicSuffix } from '../../lib/origins/public-suffix'

/** What a text is read as, short enough for a table: scheme, host, port; and which of them are patterns. */
function read (text: string): string {
  const entry = parseOriginEntry(text)
  if (entry.kind !== 'origin') return entry.kind
  const { scheme, host, port, subdomains, anyPort } = entry
  return [scheme, host, port, subdomains ? 'subdomains' : '', anyPort ? 'any port' : ''].join(' ').trimEnd()
}

function refused (text: string): OriginRefusal {
  const entry = parseOriginEntry(text)
  return entry.kind === 'refused' ? entry : fail(`${text.slice(0, 100)} was read as ${entry.kind}`)
}

/** What a refusal says to write, as in a message. */
function written ({ instead }: OriginRefusal): string {
  return typeof instead === 'string' ? instead : instead.map((entry) => entry instanceof RegExp ? String(entry) : JSON.stringify(entry)).join(', ')
}

function pattern (text: string): OriginPattern {
  const entry = parseOriginEntry(text)
  return entry.kind === 'origin' ? entry : fail(JSON.stringify(entry))
}

const LABEL_63 = 'a'.repeat(63)
const HOST_253 = `${LABEL_63}.${LABEL_63}.${LABEL_63}.${'a'.repeat(61)}`
const SCHEME_64 = `a${'+'.repeat(63)}`

t.test('an origin or pattern as a browser writes it is accepted', async (t) => {
  const PERMITTED: ReadonlyArray<readonly [string, string]> = [
    // hosts
    ['https://example.com', 'https example.com'],
    ['http://example.com', 'http example.com'],
    ['https://a.b.c.d.example.com', 'https a.b.c.d.example.com'],
    ['https://localhost', 'https localhost'],
    ['https://xn--bcher-kva.example', 'https xn--bcher-kva.example'],
    ['https://my_host.example.com', 'https my_host.example.com'],
    ['https://-a-.example.com', 'https -a-.example.com'],
    ['https://1a.example.com', 'https 1a.example.com'],
    ['https://1.example.com', 'https 1.example.com'],
    ['https://example.0x', 'refused'],
    ['https://example.x0', 'https example.x0'],
    [`https://${LABEL_63}.com`, `https ${LABEL_63}.com`],
    [`https://${HOST_253}`, `https ${HOST_253}`],
    [`https://${HOST_253}:65535`, `https ${HOST_253} 65535`],
    // addresses
    ['http://127.0.0.1', 'http 127.0.0.1'],
    ['http://255.255.255.255:8080', 'http 255.255.255.255 8080'],
    ['http://[::1]', 'http [::1]'],
    ['http://[::1]:3000', 'http [::1] 3000'],
    ['https://[2001:db8::8a2e:370:7334]', 'https [2001:db8::8a2e:370:7334]'],
    ['https://[::ffff:102:304]', 'https [::ffff:102:304]'],
    // ports
    ['https://example.com:1', 'https example.com 1'],
    ['https://example.com:65535', 'https example.com 65535'],
    ['https://example.com:80', 'https example.com 80'],
    ['http://example.com:443', 'http example.com 443'],
    ['capacitor://localhost:80', 'capacitor localhost 80'],
    // other schemes
    ['capacitor://localhost', 'capacitor localhost'],
    ['ionic://localhost', 'ionic localhost'],
    ['tauri://localhost', 'tauri localhost'],
    ['app://-', 'app -'],
    ['app://1.2', 'app 1.2'],
    ['chrome-extension://abcdefghijklmnopabcdefghijklmnop', 'chrome-extension abcdefghijklmnopabcdefghijklmnop'],
    ['moz-extension://1e3b1a2c-9d8f-4c7b-8a6d-5e4f3c2b1a09', 'moz-extension 1e3b1a2c-9d8f-4c7b-8a6d-5e4f3c2b1a09'],
    ['a+b.c-1://host', 'a+b.c-1 host'],
    [`${SCHEME_64}://host`, `${SCHEME_64} host`],
    [`${SCHEME_64}://${HOST_253}:65535`, `${SCHEME_64} ${HOST_253} 65535`],
    // patterns
    ['https://*.example.com', 'https example.com  subdomains'],
    ['https://*.com', 'https com  subdomains'],
    ['https://*.localhost', 'https localhost  subdomains'],
    ['https://*.example.com:8443', 'https example.com 8443 subdomains'],
    ['https://example.com:*', 'https example.com   any port'],
    ['https://*.example.com:*', 'https example.com  subdomains any port'],
    ['http://127.0.0.1:*', 'http 127.0.0.1   any port'],
    ['http://[::1]:*', 'http [::1]   any port'],
    ['capacitor://*.localhost:*', 'capacitor localhost  subdomains any port'],
    // a name with the dot of the root
    ['https://example.com.', 'https example.com.'],
    ['https://example.com.:8443', 'https example.com. 8443'],
    ['https://*.example.com.', 'https example.com.  subdomains'],
    [`https://${HOST_253}.`, `https ${HOST_253}.`],
    // schemes without hosts in DNS
    ['app://.', 'app .'],
    ['app://', 'app'],
    ['file://', 'file'],
    ['moz-extension://*', 'moz-extension *'],
    ['vscode-webview://*', 'vscode-webview *'],
    // by name
    ['*', 'any'],
    ['null', 'null']
  ]
  for (const [text, expected] of PERMITTED) {
    t.equal(read(text), expected, text)
    const isOrigin = /^[a-z]/.test(text) && text !== 'null' && expected !== 'refused' && !text.includes('*')
    t.equal(isSerialisedOrigin(text), isOrigin, `${text} is ${isOrigin ? 'an origin' : 'none'}`)
  }
})

t.test('an origin in another form than browsers write it is refused with the form that they write', async (t) => {
  const MISSPELT: ReadonlyArray<readonly [string, string]> = [
    ['https://App.Example.com:443/', 'https://app.example.com'],
    ['HTTPS://EXAMPLE.COM', 'https://example.com'],
    ['https://example.com/', 'https://example.com'],
    ['https://example.com/path', 'https://example.com'],
    ['https://example.com/path/', 'https://example.com'],
    ['https://example.com?query', 'https://example.com'],
    ['https://example.com/#fragment', 'https://example.com'],
    ['https://example.com/path?query#fragment', 'https://example.com'],
    ['https://example.com/@user', 'https://example.com'],
    ['https:///example.com', 'https://example.com'],
    // default ports
    ['http://example.com:80', 'http://example.com'],
    ['https://example.com:443', 'https://example.com'],
    ['ws://example.com:80', 'ws://example.com'],
    ['wss://example.com:443', 'wss://example.com'],
    ['ftp://example.com:21', 'ftp://example.com'],
    ['https://example.com:', 'https://example.com'],
    ['https://example.com:00443', 'https://example.com'],
    ['https://example.com:08443', 'https://example.com:8443'],
    // international names
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['https://BÜCHER.example', 'https://xn--bcher-kva.example'],
    ['https://例え.テスト', 'https://xn--r8jz45g.xn--zckzah'],
    ['https://example。com', 'https://example.com'],
    ['https://exa\u00admple.com', 'https://example.com'],
    ['https://*.bücher.example', 'https://*.xn--bcher-kva.example'],
    // addresses
    ['http://127.1', 'http://127.0.0.1'],
    ['http://2130706433', 'http://127.0.0.1'],
    ['http://0x7f.1', 'http://127.0.0.1'],
    ['http://0177.0.0.1', 'http://127.0.0.1'],
    ['http://[0:0:0:0:0:0:0:1]', 'http://[::1]'],
    ['http://[2001:DB8::1]:80', 'http://[2001:db8::1]'],
    ['http://[::ffff:1.2.3.4]', 'http://[::ffff:102:304]'],
    ['capacitor://[0::1]', 'capacitor://[::1]'],
    // patterns
    ['https://*.Example.com/', 'https://*.example.com'],
    ['https://*.example.com:443', 'https://*.example.com'],
    ['https://*.example.com/path', 'https://*.example.com'],
    ['https://example.com:443:*', 'https://example.com:*'],
    ['https://example.com:*/', 'https://example.com:*'],
    ['MOZ-EXTENSION://*', 'moz-extension://*'],
    // IPv6
    ['https://2001:DB8::1', 'https://[2001:db8::1]'],
    ['http://::1', 'http://[::1]'],
    ['https://[2001:0db8:0:0:0:0:0:1]:8443', 'https://[2001:db8::1]:8443'],
    // a dot at the end
    ['https://Example.com.', 'https://example.com.'],
    ['https://1.2.3.4.', 'https://1.2.3.4'],
    ['https://example.com./', 'https://example.com.'],
    ['HTTP://LOCALHOST:*', 'http://localhost:*'],
    ['Capacitor://LocalHost', 'capacitor://localhost']
  ]
  for (const [text, corrected] of MISSPELT) {
    t.match(refused(text), { reason: 'not-canonical', message: 'browsers do not write the origin this way', instead: [corrected] }, `${text} -> ${corrected}`)
    t.equal(parseOriginEntry(corrected).kind, 'origin', `${corrected} is accepted`)
    t.equal(isSerialisedOrigin(text), false, `${text} is no origin`)
  }
})

t.test('a text that means no origin is refused with the reason why', async (t) => {
  const app = 'an origin such as "https://app.example.com"'
  const begins = `an origin begins with its scheme; write ${app}`
  const beginsHere = 'an origin begins with its scheme; write "https://example.com"'
  const misplaced = 'an asterisk may only replace whole subdomains ("https://*.example.com") or the port ("https://example.com:*")'
  const asterisk = `${misplaced}; write ${app}`
  const asteriskHere = `${misplaced}; write "https://*.example.com"`
  const dot = 'a host has no leading or doubled dot'
  const character = 'an origin has no spaces, commas, backslashes or control characters'
  const user = 'an origin has no user name or password; write it without "user:password@"'
  const opaque = 'documents of this scheme have no origin of their own: browsers send "null" for them; write "null" if you mean all of those, or leave it out'
  const none = 'this is not an origin; write a scheme, "://", a host and perhaps a port from 1 to 65535, such as "https://app.example.com:8443"'
  const empty = 'this text is empty (an unset variable?); write an origin such as "https://app.example.com", or originsFrom(process.env.CORS_ORIGINS)'
  const length = `no origin is longer than ${MAX_ORIGIN_LENGTH} characters`
  const PROHIBITED: ReadonlyArray<readonly [string, string]> = [
    // scheme
    ['', empty],
    [' ', empty],
    ['example.com', beginsHere],
    ['*.example.com', 'write "https://*.example.com"'],
    ['example.com:8080', 'write "https://example.com:8080"'],
    ['localhost', 'write "http://localhost"'],
    ['Example.com', beginsHere],
    ['//example.com', beginsHere],
    ['://example.com', beginsHere],
    ['https:example.com', beginsHere],
    ['https:/example.com', beginsHere],
    ['*://example.com', beginsHere],
    ['http*://example.com', beginsHere],
    ['1http://example.com', beginsHere],
    ['hättps://example.com', beginsHere],
    ['Null', 'browsers write it in lower case; write "null"'],
    ['**', begins],
    ['\u2028', begins],
    // schemes without an origin
    ['file:///etc/passwd', opaque],
    ['FILE://host', opaque],
    ['data:text/html,x', opaque],
    ['blob:https://example.com/1e3b', opaque],
    ['about:blank', opaque],
    ['about://blank', opaque],
    ['javascript:alert(1)', opaque],
    ['file://*', opaque],
    // from the environment
    ['"https://a.example"', 'the quotes are a part of this text; write "https://a.example"'],
    ["'https://a.example'", 'write "https://a.example"'],
    ['["https://a.example", "https://b.example/"]', 'this text is JSON, not a list; write "https://a.example", "https://b.example"'],
    ['["nothing"]', `this text is JSON, not a list; write ${app}`],
    ['/^https:\\/\\/a\\.example$/i', 'this is a RegExp in quotes, which is read as text; write /^https:\\/\\/a\\.example$/i'],
    ['^https://a\\.example$', 'write /^https:\\/\\/a\\.example$/'],
    ['/(/', 'write the RegExp without quotes, in an array'],
    // host
    ['https://', none],
    ['https:///', none],
    ['https://:8080', none],
    ['https://:*', none],
    ['https://.example.com', dot],
    ['https://.', dot],
    ['https://a..example.com', dot],
    ['https://*..example.com', dot],
    ['https://*.', dot],
    ['https://*.:*', dot],
    [`https://${LABEL_63}a.com`, none],
    [`https://${HOST_253}a`, none],
    ['https://exa mple.com', character],
    ['https://a.example,https://b.example', character],
    ['https://a.example, https://b.example', character],
    ['https://a.example https://b.example', character],
    [' https://example.com', character],
    ['https://example.com\n', character],
    ['https://exam\tple.com', character],
    ['https://example.com\u0000', character],
    ['https://example.com\u007f', character],
    ['https:\\\\example.com', character],
    ['https://example.com\\.evil.com', character],
    ['https://example.com`.evil.com', none],
    ['https://example.com%2eevil.com', 'write "https://example.com.evil.com"'],
    ['https://example.com{}', none],
    ['https://exam!ple.com', none],
    ["https://exam'ple.com", none],
    ['https://<host>', none],
    ['https://example.com\u0085', none],
    ['https://example.com\ud800', none],
    ['capacitor://bücher', none],
    // addresses
    ['https://1.2.3.4.5', none],
    ['https://256.1.1.1', none],
    ['https://example.1', none],
    ['https://[::1', none],
    ['https://[::1%25eth0]', none],
    ['https://[1::2::3]', none],
    ['https://[fffff::]', none],
    ['https://*.1.2.3.4', 'an IP address has no subdomains; write "https://1.2.3.4"'],
    ['https://*.127.1', 'an IP address has no subdomains'],
    ['https://*.[::1]', 'an IP address has no subdomains'],
    // user information
    ['https://user@example.com', user],
    ['https://user:password@example.com', user],
    ['https://@example.com', user],
    ['https://example.com@evil.com', user],
    ['https://*.user@example.com', user],
    // ports
    ['https://example.com:0', none],
    ['https://example.com:00', none],
    ['https://example.com:65536', none],
    ['https://example.com:100000', none],
    ['https://example.com:-1', none],
    ['https://example.com:http', none],
    ['https://example.com:8080:*', 'an origin has one port; write the number, or ":*" for every port'],
    // asterisks
    ['https://*', `${misplaced}; write "*"`],
    ['https://**', `${misplaced}; write "*"`],
    ['https://*:*', `${misplaced}; write "*"`],
    ['https://*example.com', asteriskHere],
    ['https://ex*mple.com', asterisk],
    ['https://example.*', asterisk],
    ['https://www.*.example.com', `${misplaced}; write /^https:\\/\\/www\\.[a-z0-9-]+\\.example\\.com$/`],
    ['https://pr-*.preview.example.com', `${misplaced}; write /^https:\\/\\/pr-[a-z0-9-]+\\.preview\\.example\\.com$/`],
    ['https://*-team.vercel.app', `${misplaced}; write /^https:\\/\\/[a-z0-9-]+-team\\.vercel\\.app$/`],
    ['https://a-*-b.example.com:*', `${misplaced}; write /^https:\\/\\/a-[a-z0-9-]+-b\\.example\\.com(?::\\d+)?$/`],
    ['https://www.*.com', asterisk],
    ['https://*.a*', asterisk],
    ['https://*.*.example.com', asteriskHere],
    ['https://**.example.com', asteriskHere],
    ['https://example.com:80*', asterisk],
    ['https://example.com:*80', asterisk],
    ['https://example.com:*:*', asterisk],
    ['https://example.com/*', `${misplaced}; write "https://example.com"`],
    ['https://example.com:*/path', `${misplaced}; write "https://example.com:*"`],
    // length
    [`${SCHEME_64}+://host`, none],
    [`https://${'a.'.repeat(200)}example.com`, length],
    ['a'.repeat(100_000), length],
    [`https://${'*.'.repeat(50_000)}`, length]
  ]
  for (const [text, message] of PROHIBITED) {
    const refusal = refused(text)
    const said = `${refusal.message}; write ${written(refusal)}`
    const name = printable(JSON.stringify(text.length > 80 ? `${text.slice(0, 40)}… (${text.length})` : text))
    t.ok(said.includes(message), `${name}: ${said}`)
    t.equal(refusal.reason, message.startsWith('write "https://example.com.evil.com') ? 'not-canonical' : 'invalid', name)
    t.equal(isSerialisedOrigin(text), false, `${name} is no origin`)
  }
})

t.test('any text is accepted or refused, and every suggested correction is accepted', async (t) => {
  const part = fc.constantFrom('http', 'https', 'ws', 'capacitor', 'file', '://', ':', '/', '*.', ':*', '*', '.', '..', '@', 'example', 'EXAMPLE', 'com', 'bücher', '127', '1', '0x7f', '[::1]', '[', ']', ':80', ':443', ':8080', ':0', ':65536', '?', '#', ' ', '\\', '\u0007', '_', '-', 'xn--')
  const text = fc.oneof(fc.array(part, { maxLength: 9 }).map((parts) => parts.join('')), fc.webUrl(), fc.string({ unit: 'binary' }))
  fc.assert(fc.property(text, (text) => {
    const entry = parseOriginEntry(text)
    if (entry.kind === 'origin' && entry.text !== text) fail(`${text} was read as ${entry.text}`)
    if (entry.kind !== 'refused') return
    // eslint-disable-next-line no-control-regex -- control characters are exactly what must not be there
    if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(entry.message)) fail(`raw control characters in ${JSON.stringify(entry.message)}`)
    for (const instead of typeof entry.instead === 'string' ? [] : entry.instead) if (typeof instead === 'string' && parseOriginEntry(instead).kind === 'refused') fail(`${text}: ${instead}`)
  }), { numRuns: 5000 })
  t.pass('5,000 texts')
})

t.test('an http or https origin is what the URL standard serialises, if its labels are valid in DNS', async (t) => {
  const scheme = fc.constantFrom('http', 'https', 'HTTP', 'ftp')
  const label = fc.constantFrom('a', 'example', 'com', 'A', '1', '127', '256', '0x1', '0', '-', '_', 'a~b', 'é', '', LABEL_63, `${LABEL_63}b`)
  const host = fc.oneof(fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.')), fc.constantFrom('[::1]', '[::0]', '[1::]', '[::1.2.3.4]', '[zz]', '[:::]', '[]'))
  const port = fc.constantFrom('', ':', ':1', ':01', ':0', ':21', ':80', ':443', ':65535', ':65536')
  const tail = fc.constantFrom('', '', '', '/', '?', '#')
  fc.assert(fc.property(scheme, host, port, tail, (scheme, host, port, tail) => {
    const text = `${scheme}://${host}${port}${tail}`
    const isDns = host.startsWith('[') || host.replace(/(?<=[^.])\.$/, '').split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label))
    const expected = isDns && URL.canParse(text) && new URL(text).origin === text && port !== ':0'
    if (isSerialisedOrigin(text) !== expected) fail(`${text} should ${expected ? '' : 'not '}be an origin`)
  }), { numRuns: 5000 })
  t.pass('5,000 URLs')
})

t.test('an http origin is insecure unless its host is loopback', async (t) => {
  for (const text of ['http://example.com', 'http://*.example.com', 'http://192.168.0.1', 'http://1.127.0.0', 'http://[::2]', 'http://localhost.example.com', 'http://notlocalhost', 'http://127.0.0.1.example.com', 'ws://example.com', 'ftp://example.com']) {
    t.equal(isInsecure(pattern(text)), true, text)
  }
  for (const text of ['http://localhost', 'http://localhost:*', 'http://app.localhost:3000', 'http://*.localhost', 'http://127.0.0.1:8080', 'http://127.255.255.254', 'http://[::1]', 'ws://localhost', 'https://example.com', 'wss://example.com', 'capacitor://localhost', 'chrome-extension://abc']) {
    t.equal(isInsecure(pattern(text)), false, text)
  }
})

t.test('a public suffix is a host below which strangers can register names', async (t) => {
  for (const host of ['com', 'co.uk', 'uk', 'github.io', 'herokuapp.com', 'blogspot.com', 'pages.dev', 's3.amazonaws.com', 'xn--p1ai', 'ck', 'anything.ck', 'kawasaki.jp', 'onion', 'home.arpa', 'unknown', 'lan', 'corp', '-']) {
    t.equal(isPublicSuffix(host), true, host)
  }
  for (const host of ['example.com', 'example.co.uk', 'me.github.io', 'www.ck', 'city.kawasaki.jp', 'example', 'test', 'invalid', 'localhost', 'internal', 'local', 'app.test', 'foo.unknown', '[::1]']) {
    t.equal(isPublicSuffix(host), false, host)
  }
})
