// What the public suites of other CORS implementations try, as data of our own: the cases are theirs in kind, the texts and the verdicts ours.
import type { CorsProblemReason } from '../../../lib/index'

const LABEL_63 = 'a'.repeat(63)
const HOST_253 = `${LABEL_63}.${LABEL_63}.${LABEL_63}.${'a'.repeat(61)}`

/** In the manner of jub0bs/cors: patterns, each accepted or refused with its reason. */
export const ORIGIN_PATTERNS: ReadonlyArray<readonly [string, CorsProblemReason | 'accepted']> = [
  ['https://example.com', 'accepted'], ['http://example.com', 'accepted'], ['https://example.com:8443', 'accepted'], ['https://ex_am-ple.com:3999', 'accepted'], ['https://localhost', 'accepted'], ['http://localhost:9090', 'accepted'],
  ['connector://foo', 'accepted'], ['capacitor://localhost', 'accepted'], ['chrome-extension://abcdefghijklmnopabcdefghijklmnop', 'accepted'], ['https://a.b.c.d.e.f.example.com', 'accepted'], ['https://foo.bar.01234567890123456789.ab', 'accepted'],
  ['https://*.example.com', 'accepted'], ['http://*.example.com:3999', 'accepted'], ['https://*.example.com:*', 'accepted'], ['https://example.com:*', 'accepted'], ['https://*.com', 'accepted'], ['https://*.github.io', 'accepted'], ['connector://*.foo', 'accepted'],
  ['http://127.0.0.1:90', 'accepted'], ['https://127.0.0.1:90', 'accepted'], ['http://69.254.169.254', 'accepted'], ['http://[::1]:90', 'accepted'], ['https://[::1]:90', 'accepted'], ['http://[2001:db8:aaaa:1111::100]:9090', 'accepted'], ['http://[::ffff:7f7f:7f7f]:90', 'accepted'],
  [`https://${HOST_253}`, 'accepted'], [`https://${LABEL_63}.com`, 'accepted'], ['https://xn--bcher-kva.example', 'accepted'], ['null', 'accepted'], ['*', 'accepted'],
  [`https://a${HOST_253}`, 'invalid'], [`https://a${LABEL_63}.com`, 'invalid'], ['https://user:password@example.com:6060', 'invalid'], ['https://example.com:6060/foo', 'not-canonical'], ['https://example.com:6060?', 'not-canonical'], ['https://example.com:6060?foo=bar', 'not-canonical'], ['https://example.com:6060#nav', 'not-canonical'],
  ['ab', 'invalid'], ['ab:', 'invalid'], ['https://', 'invalid'], [' http://example.com:6060 ', 'invalid'], ['file:///foo', 'invalid'], ['42-chrome-extension://foo', 'invalid'], ['chrome-extension*://foo', 'invalid'], ['http://foo:80', 'not-canonical'], ['https://foo:443', 'not-canonical'],
  ['https://^foo', 'invalid'], ['https://foo.^bar', 'invalid'], ['http://1:6060', 'not-canonical'], ['https://résumé.com', 'not-canonical'], ['https://foo:', 'not-canonical'], ['https://foo:-1', 'invalid'], ['https://foo:0', 'invalid'], ['https://foo:abc', 'invalid'], ['https://foo:06060', 'not-canonical'], ['https://foo:12345foo', 'invalid'],
  ['https://foo:123456', 'invalid'], ['https://foo:65536', 'invalid'], ['https://foo:12390abc', 'invalid'], ['http://foo.bar.255:6060', 'invalid'], ['http://foo.bar.baz.012345678901234567890123456789:6060', 'invalid'], ['http://[::1]1:6060', 'invalid'], ['http://127.0.0.1:', 'not-canonical'], ['http://127.0.0.1:-1', 'invalid'], ['http://127.0.0.1:0', 'invalid'],
  ['https://127.0.0.1.:90', 'not-canonical'], ['http://127.0.0.1.1', 'invalid'], ['http://[example]:90', 'invalid'], ['https://::1:90', 'not-canonical'], ['http://[::1:90', 'invalid'], ['https://::1]:90', 'invalid'], ['https://abc[::1]:90', 'invalid'], ['https://[::1]abc:90', 'invalid'], ['http://127.1:3999', 'not-canonical'], ['http://[::::::::::::::::1]:90', 'invalid'],
  ['http://[2001:4860:4860:0000:0000:0000:0000:8888]:90', 'not-canonical'], ['http://[fe80::1ff:fe23:4567:890a%eth2]:90', 'invalid'], ['http://exAmplE.coM:3999', 'not-canonical'], ['http://example.com.:3999', 'accepted'], ['http://example.com..:3999', 'invalid'], ['http://example..com:3999', 'invalid'], ['http://xn--f', 'invalid'], ['https://xn--a.example', 'invalid'],
  ['http://**.example.com:3999', 'invalid'], ['http://fooo.*.example.com:3999', 'invalid'], ['http://*example.com:3999', 'invalid'], ['http://*.[::1]:3999', 'invalid'], ['http://*.127.0.0.1:3999', 'invalid'], ['https://*.*.example.com', 'invalid'], ['https://example.*', 'invalid'], ['https://*', 'invalid'], ['https://example.com:8*', 'invalid']
]

/** Hosts whose pages can be changed on their way when they are served over http. */
export const INSECURE_HOSTS: readonly string[] = [
  'example.com', 'www.example.com', '*.example.com', 'a.b.example.com', 'example', 'app.test', 'printer.local', 'intranet', 'host.internal', 'xn--bcher-kva.example', 'github.io', '*.github.io', 'localhost.example.com', 'notlocalhost', 'localhost-example.com', 'localhost.', 'locaihost',
  '0.0.0.0', '1.1.1.1', '8.8.8.8', '10.0.0.1', '10.255.255.255', '100.64.0.1', '126.255.255.255', '128.0.0.1', '172.16.0.1', '172.31.255.255', '192.0.2.1', '192.168.0.1', '192.168.255.255', '169.254.169.254', '198.18.0.1', '224.0.0.1', '255.255.255.255', '1.127.0.0', '127.0.0.1.example.com',
  '[::]', '[::2]', '[::ffff:7f00:1]', '[::7f00:1]', '[2001:db8::1]', '[2001:db8:aaaa:1111::100]', '[fe80::1]', '[fc00::1]', '[ff02::1]'
]

/** Values of Origin that no browser sends. */
export const MALFORMED_ORIGINS: readonly string[] = [
  '', 'ab', 'ab:', '1ab://example.com', 'https://', 'https:', 'http://[example]:90', 'http://[::1:90', 'http://[::1:]', 'http://::1', 'http://[::1].:90', 'http://[::1]:', 'https://example.com:', 'https://example.com:0', 'https://.example.com', 'https://example.com^8080', 'https://example.com?', 'https://example.com:abcd', 'https://example.com:123ab',
  'http://127.0.0.1:', 'http://127.0.0.1:0', 'http://1:6060', 'http://127.0.0.1.', 'http://127.0.0.1.1', 'http://256.0.0.1', 'http://127.0.0.1.:6060', 'http://foo.bar.255:6060', 'http://[2001:0db8:85a3:0000:0000:8a2e:0370:7334]:6060', 'http://foo.bar.baz.012345678901234567890123456789:6060', `http://${'foo.bar.baz.qux.'.repeat(20)}example.com:6060`,
  'https://example.com/', 'https://example.com#', 'https://user@example.com', 'https://EXAMPLE.com', 'HTTPS://example.com', 'https://example.com:443', 'http://example.com:80', 'https://example.com:08443', 'https://example.com:65536', 'https://example..com', 'https://exa mple.com', 'https://bücher.example', 'https://xn--a.example', 'file://example.com', 'https://*.example.com'
]

/** What web-platform-tests' cors/origin.htm sends as Access-Control-Allow-Origin to a page of this origin, as entries of a policy. But for `http://*.…`, which is a pattern here. */
export function webPlatformTests (page: string): { readonly allow: readonly string[], readonly disallow: readonly string[] } {
  const { protocol, host, hostname } = new URL(page)
  const parent = host.replace(/^[^.]+\./, '')
  return {
    allow: ['*', page],
    disallow: [
      // blanks around a value are the header's, not an origin's
      ' *  ', '\t*', ` ${page}`, ` ${page}   \t `, `\t${page}`,
      `${protocol}//www2.${host}`, `//${host}`, `://${host}`, `ftp://${host}`, `http:://${host}`, `http:/${host}`, `http:${host}`, host, `${page}?`, `${page}/`, `${page} /`, `${page}#`, `${page}%23`, `${protocol}//${hostname}:80`, `${page}, *`, `${page}\0`, page.toUpperCase(), `${protocol.toUpperCase()}//${host}`,
      '-', '**', '\0*', '*\0', "'*'", '"*"', '* *', '* null', `*${protocol}//*`, `*${page}`, `* ${page}`, `*, ${page}`, `\0${page}`, `null ${page}`, 'http://example.net', 'null', 'null *', '', `${page}/cors/origin.htm`, `${page}/cors/`, 'http://www1.api.example', parent, `.${parent}`, `*.${parent}`, `http://${parent}`, `http://.${parent}`, `ftp://*.${parent}`,
      // two headers, as a browser joins them
      ', *', '*, ', '*, *', `, ${page}`, `${page}, ${page}`
    ]
  }
}

/** In the manner of ASP.NET Core: what it normalises is refused here with the normal form, and what it takes for an origin although it is none is refused. */
export const NORMALISED: ReadonlyArray<readonly [string, string]> = [
  ['http://www.EXAMPLE.com', 'http://www.example.com'], ['HTTPS://example2.com', 'https://example2.com'], ['HTTP://www.example.com', 'http://www.example.com'], ['http://www.Example.Com', 'http://www.example.com'], ['http://www.Example.com:80', 'http://www.example.com'], ['https://www.Example.com:8080', 'https://www.example.com:8080'],
  ['http://Bücher.example', 'http://xn--bcher-kva.example'], ['http://Bücher.example.com:83', 'http://xn--bcher-kva.example.com:83'], ['https://example.қаз', 'https://example.xn--80ao21a'], ['https://www.example.இந்தியா:443', 'https://www.example.xn--xkc2dl3a5ee0h'], ['FTP://Some-url', 'ftp://some-url'], ['https://faß.example', 'https://xn--fa-hia.example'], ['https://☕.example', 'https://xn--53h.example'],
  ['https://*.Bücher.example', 'https://*.xn--bcher-kva.example']
]

export const MALFORMED_NAMES: readonly string[] = ['Some-String', 'x:\\Test', 'x:/test', '/relative', 'http:', 'http://', 'http://?', 'http:// ', 'http:///', '', 'http://\ud800.example', 'https://bü\u200bcher.example:99999']

/** Subdomains as ASP.NET Core tells them: a pattern, and an origin that it allows or refuses. */
export const SUBDOMAINS: ReadonlyArray<readonly [string, string, boolean]> = [
  ['http://*.domain', 'http://sub.domain', true], ['https://*.domain', 'https://sub.domain', true], ['https://*.domain:5678', 'https://sub.domain:5678', true], ['http://*.domain', 'http://sub.sub.domain', true], ['http://*.sub.domain', 'http://sub.sub.domain', true],
  ['http://*.domain', 'http://subdomain', false], ['http://*.domain', 'https://sub.domain', false], ['https://*.domain:5678', 'https://sub.domain:1234', false], ['http://*.domain', 'http://domain.tld', false], ['http://*.domain', 'http://sub.domain.tld', false], ['http://*.example.com', 'http://example.com', false]
]
