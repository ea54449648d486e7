// The catalogues: what other CORS implementations try, judged by this one through its public API.
import t from 'tap'
import cors from '../../lib/index'
import { quote } from '../../lib/messages/errors'
import { isValidLabel } from '../../lib/origins/serialised'
import { INSECURE_HOSTS, MALFORMED_NAMES, MALFORMED_ORIGINS, NORMALISED, ORIGIN_PATTERNS, SUBDOMAINS, webPlatformTests } from './catalogues/origins'
import { accessControl, application, ok, preflight, refusal, request } from '../support'

const reasonOf = (policy: object): string => {
  try {
    cors.definePolicies({ policy: policy as cors.CorsPolicy })
    return 'accepted'
  } catch (error) {
    return (error as cors.CorsPolicyError).problems.map(({ reason }) => reason).join(' ')
  }
}

t.test('an origin pattern of the catalogue is accepted, or refused, as it should be', async (t) => {
  t.ok(ORIGIN_PATTERNS.length >= 75, `${ORIGIN_PATTERNS.length}`)
  for (const [text, expected] of ORIGIN_PATTERNS) t.equal(reasonOf({ origin: text }), expected, quote(text))
})

t.test('insecure hosts are refused with credentials, and loopback hosts are not', async (t) => {
  t.ok(INSECURE_HOSTS.length >= 42, `${INSECURE_HOSTS.length}`)
  for (const host of INSECURE_HOSTS.filter((host) => !host.endsWith('.'))) {
    const reasons = reasonOf({ origin: `http://${host}`, credentials: true })
    t.match(reasons, /^insecure-with-credentials/, host)
    t.notMatch(reasonOf({ origin: `https://${host}`, credentials: true }), /insecure/, `https: ${host}`)
    t.equal(reasonOf({ origin: [new RegExp(`^http://${host.replace(/[.[\]]/g, '\\$&').replace('*\\.', '[a-z]+\\.')}$`)], credentials: true }).includes('insecure-with-credentials'), true, `as a RegExp: ${host}`)
  }
  for (const host of ['localhost', 'a.localhost', '*.localhost', '127.0.0.1', '127.127.127.127', '127.255.255.254', '[::1]']) {
    t.equal(reasonOf({ origin: [`http://${host}`, `http://${host}:*`], credentials: true }), 'accepted', host)
  }
})

t.test('malformed origins are refused by lists and functions, and never sent back', async (t) => {
  t.ok(MALFORMED_ORIGINS.length >= 40, `${MALFORMED_ORIGINS.length}`)
  const app = await application(t)
  let asked = 0
  app.put('/list', { config: { cors: { origin: ['https://example.com', 'https://*.example.com:*', 'https://example.com:*', 'http://127.0.0.1:*', /^[^]*$/], credentials: false } } }, ok)
  app.put('/function', { config: { cors: { origin: () => { asked++; return true } } } }, ok)
  for (const origin of MALFORMED_ORIGINS) {
    for (const url of ['/list', '/function']) {
      t.strictSame(accessControl(await request(app, 'PUT', url, origin)), {}, `${url} ${quote(origin)}`)
      t.strictSame(accessControl(await preflight(app, 'PUT', url, { origin })), {})
    }
  }
  t.equal(asked, 0)
})

t.test('the values of web-platform-tests allow a page exactly where they do there', async (t) => {
  for (const page of ['http://www1.web-platform.example:8000', 'https://www1.web-platform.example:8443']) {
    const { allow, disallow } = webPlatformTests(page)
    t.ok(allow.length + disallow.length >= 53, `${allow.length + disallow.length}`)
    for (const [values, expected] of [[allow, true], [disallow, false]] as const) {
      for (const value of values) {
        const app = await application(t)
        try {
          app.get('/', { config: { cors: { origin: value } } }, ok)
        } catch (error) {
          t.equal(expected, false, `${quote(value)}: ${(error as Error).message.slice(0, 100)}`)
          continue
        }
        const answer = (await request(app, 'GET', '/', page)).headers['access-control-allow-origin']
        t.equal(answer === '*' || answer === page, expected, quote(value))
      }
    }
  }
})

t.test('an origin that other implementations normalise is refused with its normal form', async (t) => {
  for (const [text, normal] of NORMALISED) {
    const error = refusal(() => cors.definePolicies({ policy: { origin: text } }))
    t.match(error.problems, [{ reason: 'not-canonical', message: `; write "${normal}"` }], text)
    t.equal(reasonOf({ origin: normal }), 'accepted', normal)
  }
  for (const text of MALFORMED_NAMES) t.equal(reasonOf({ origin: text }), 'invalid', quote(text))
})

t.test('a pattern of subdomains allows those of the catalogue, and no others', async (t) => {
  for (const [pattern, origin, expected] of SUBDOMAINS) {
    const app = await application(t)
    app.get('/', { config: { cors: { origin: pattern } } }, ok)
    t.equal((await request(app, 'GET', '/', origin)).headers['access-control-allow-origin'] === origin, expected, `${pattern} ${origin}`)
  }
})

t.test('a plus in a path is not taken for a blank, so each has its own policy', async (t) => {
  const app = await application(t)
  app.put('/service+endpoint', { config: { cors: { origin: 'https://plus.example' } } }, ok)
  app.put('/service endpoint', { config: { cors: { origin: 'https://blank.example' } } }, ok)
  app.put('/only+plus', { config: { cors: { origin: '*' } } }, ok)
  for (const [url, origin] of [['/service+endpoint', 'https://plus.example'], ['/service%20endpoint', 'https://blank.example']] as const) {
    for (const other of ['https://plus.example', 'https://blank.example']) {
      const expected = other === origin ? other : undefined
      t.equal((await preflight(app, 'PUT', url, { origin: other })).headers['access-control-allow-origin'], expected, `${url} ${other}`)
      t.equal((await request(app, 'PUT', url, other)).headers['access-control-allow-origin'], expected)
    }
  }
  t.equal((await preflight(app, 'PUT', '/only%20plus', { origin: 'https://a.example' })).statusCode, 404)
})

t.test('punycode is accepted or refused the same in every version of Node', async (t) => {
  for (const label of ['xn--bcher-kva', 'xn--80ao21a', 'xn--xkc2dl3a5ee0h', 'xn--fa-hia', 'xn--53h', 'xn--r8jz45g', 'xn--zckzah', 'xn--p1ai', 'xn--ls8h', 'xn--mgbh0fb', 'xn--nxasmm1c', 'xn--fiqs8s', 'xn--abc-oqa']) {
    t.equal(isValidLabel(label), true, label)
    t.equal(reasonOf({ origin: `https://${label}.example` }), 'accepted')
  }
  // none at all, nothing encoded, ASCII, controls, halves of characters, private use, past the end of Unicode, not in lower case, not composed
  for (const label of ['xn--', 'xn--a', 'xn--f', 'xn---', 'xn--abc-', 'xn--a-', 'xn--_', 'xn--b_c', 'xn--a_a', 'xn--99999999', 'xn--99999999999999999', 'xn--zzzzzz99zz', 'xn--9999999a', 'xn--0', 'xn--a-ecp', 'xn--hf']) {
    t.equal(isValidLabel(label), false, label)
    t.equal(reasonOf({ origin: `https://a.${label}.example` }), 'invalid')
    t.equal(reasonOf({ origin: `https://*.${label}` }), 'invalid')
    t.equal(reasonOf({ origin: `capacitor://${label}` }), 'accepted', 'a name of another scheme is not decoded')
  }
  t.match(refusal(() => cors.definePolicies({ policy: { origin: 'https://xn--a.example' } })).message, 'a label that begins with "xn--" must be valid punycode, and this one is not; write the international name')
  t.match(refusal(() => cors.definePolicies({ policy: { origin: 'https://bücher.example' } })).message, 'write "https://xn--bcher-kva.example"', 'and the message has its punycode')
})
