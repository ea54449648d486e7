// The three scenarios of MDN's article on CORS, as examples/mdn.ts has them: the article's own requests, line by line, over a real
// socket, and the headers that it shows in the responses.
import t from 'tap'
import { buildApi } from '../../examples/mdn'
import { EVIL, FOO } from '../support/origins'
import { portOf } from '../support/ports'
import { accessControl, only, send, type RawResponse } from '../support/raw-http'

// What the article's browser sends with every request.
const BROWSER = [
  'Host: bar.other',
  'User-Agent: Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10.5; en-US; rv:1.9.1b3pre) Gecko/20081130 Minefield/3.1b3pre',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: en-us,en;q=0.5',
  'Accept-Encoding: gzip,deflate',
  'Accept-Charset: ISO-8859-1,utf-8;q=0.7,*;q=0.7',
  'Connection: keep-alive'
]
const BODY = '<?xml version="1.0"?><person><name>Arun</name></person>'

const PREFLIGHT = [
  'OPTIONS /resources/post-here/ HTTP/1.1',
  ...BROWSER,
  'Origin: https://foo.example',
  'Access-Control-Request-Method: POST',
  'Access-Control-Request-Headers: X-PINGOTHER, Content-Type'
]
const POST = [
  'POST /resources/post-here/ HTTP/1.1',
  ...BROWSER,
  'X-PINGOTHER: pingpong',
  'Content-Type: text/xml; charset=UTF-8',
  'Referer: https://foo.example/examples/preflightInvocation.html',
  'Content-Length: 55',
  'Origin: https://foo.example',
  'Pragma: no-cache',
  'Cache-Control: no-cache'
]

/** The same request, from a page that nobody allows. */
function fromElsewhere (lines: readonly string[]): string[] {
  return lines.map((line) => line.replace('https://foo.example', EVIL))
}

function simple (path: string): string[] {
  return [`GET ${path} HTTP/1.1`, ...BROWSER, 'Referer: https://foo.example/examples/access-control/simpleXSInvocation.html', 'Origin: https://foo.example']
}

function credentialed (...cookie: string[]): string[] {
  return ['GET /resources/access-control-with-credentials/ HTTP/1.1', ...BROWSER, 'Referer: https://foo.example/examples/credential.html', 'Origin: https://foo.example', ...cookie]
}

t.test('the scenarios of MDN get the responses that the article shows', async (t) => {
  const app = await buildApi({ allowedOrigin: FOO })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const port = portOf(app.server)
  const exchange = (lines: readonly string[], body?: string): Promise<RawResponse> => send(port, lines, body)

  t.test('a simple request for data that everyone may read gets "*"', async (t) => {
    for (const request of [simple('/resources/public-data/'), fromElsewhere(simple('/resources/public-data/'))]) {
      const response = await exchange(request)
      t.equal(response.statusLine, 'HTTP/1.1 200 OK')
      t.strictSame(accessControl(response), { 'access-control-allow-origin': '*' })
      t.equal(only(response, 'Vary'), undefined, 'the response is the same for all origins')
      t.equal(only(response, 'Content-Type'), 'application/xml')
      t.match(response.body, /^<\?xml version="1\.0"\?>/)
    }
  })

  t.test('a simple request for data that one origin may read gets that origin, and a page from elsewhere gets no permission', async (t) => {
    const response = await exchange(simple('/resources/public-data/for-one-origin/'))
    t.equal(response.statusLine, 'HTTP/1.1 200 OK')
    t.strictSame(accessControl(response), { 'access-control-allow-origin': 'https://foo.example' })
    t.equal(only(response, 'Vary'), 'Origin')
    t.equal(only(response, 'Content-Type'), 'application/xml')

    const other = await exchange(fromElsewhere(simple('/resources/public-data/for-one-origin/')))
    t.equal(other.statusLine, 'HTTP/1.1 200 OK', 'the browser, not the server, keeps the response from other pages')
    t.strictSame(accessControl(other), {})
    t.equal(only(other, 'Vary'), 'Origin')
  })

  t.test('a preflighted request gets a preflight that allows it, and a response that the page may read', async (t) => {
    const preflight = await exchange(PREFLIGHT)
    t.equal(preflight.statusLine, 'HTTP/1.1 200 OK')
    t.strictSame(accessControl(preflight), {
      'access-control-allow-origin': 'https://foo.example',
      'access-control-allow-methods': 'POST, GET, OPTIONS',
      'access-control-allow-headers': 'X-PINGOTHER, Content-Type',
      'access-control-max-age': '86400'
    })
    t.equal(only(preflight, 'Vary'), 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
    t.equal(only(preflight, 'Content-Length'), '0')
    t.equal(preflight.body, '')

    const response = await exchange(POST, BODY)
    t.equal(response.statusLine, 'HTTP/1.1 200 OK')
    t.strictSame(accessControl(response), { 'access-control-allow-origin': 'https://foo.example' })
    t.equal(only(response, 'Vary'), 'Origin')
    t.equal(only(response, 'Content-Type'), 'text/plain')
    t.equal(response.body, 'Received 55 characters of XML.\n', 'the handler had the body')

    const asSet = await exchange(POST.map((line) => line.replace(/^Content-Type: .*/, 'Content-Type: application/xml')), BODY)
    t.equal(asSet.body, response.body, 'also with the Content-Type that the article\'s script sets')
  })

  t.test('a preflighted request from elsewhere gets 403 for its preflight, and no permission', async (t) => {
    const preflight = await exchange(fromElsewhere(PREFLIGHT))
    t.equal(preflight.statusLine, 'HTTP/1.1 403 Forbidden')
    t.strictSame(accessControl(preflight), {})
    t.strictSame(accessControl(await exchange(fromElsewhere(POST), BODY)), {})
  })

  t.test('OPTIONS and GET, which the preflight names, reach the route', async (t) => {
    for (const method of ['GET', 'OPTIONS']) {
      const response = await exchange([`${method} /resources/post-here/ HTTP/1.1`, ...BROWSER, 'Origin: https://foo.example'])
      t.equal(response.statusLine, 'HTTP/1.1 200 OK', method)
      t.strictSame(accessControl(response), { 'access-control-allow-origin': 'https://foo.example' })
      t.equal(response.body, 'Send me XML by POST.\n')
    }
  })

  t.test('a request with credentials gets a cookie and permission to read it, and a page from elsewhere gets no permission', async (t) => {
    const response = await exchange(credentialed('Cookie: pageAccess=2'))
    t.equal(response.statusLine, 'HTTP/1.1 200 OK')
    t.strictSame(accessControl(response), { 'access-control-allow-origin': 'https://foo.example', 'access-control-allow-credentials': 'true' })
    t.equal(only(response, 'Vary'), 'Origin')
    t.equal(only(response, 'Cache-Control'), 'no-cache')
    t.equal(only(response, 'Pragma'), 'no-cache')
    t.equal(only(response, 'Content-Type'), 'text/plain')
    const [cookie, expires] = (only(response, 'Set-Cookie') ?? '').split('; ')
    t.equal(cookie, 'pageAccess=3')
    t.ok(Date.parse((expires ?? '').replace(/^expires=/, '')) > Date.now(), 'it has not expired')
    t.equal(response.body, 'I know you: this is access number 3.\n')

    const other = await exchange(fromElsewhere(credentialed('Cookie: pageAccess=2')))
    t.equal(other.statusLine, 'HTTP/1.1 200 OK')
    t.strictSame(accessControl(other), {})
  })

  t.test('the example finds its cookie among others, and starts to count anew for any other value', async (t) => {
    const next = async (...cookie: string[]): Promise<string | undefined> => only(await exchange(credentialed(...cookie)), 'Set-Cookie')?.split(';')[0]
    t.equal(await next(), 'pageAccess=1')
    t.equal(await next('Cookie: theme=dark; pageAccess=7; lang=en'), 'pageAccess=8')
    for (const strange of ['notpageAccess=7', 'pageAccess=7x', 'pageAccess=-7', 'pageAccess=', 'pageAccess=12345678901234567890', '=;;;']) {
      t.equal(await next(`Cookie: ${strange}`), 'pageAccess=1', strange)
    }
  })
})

t.test('the example allows several origins', async (t) => {
  const app = await buildApi({ allowedOrigin: [FOO, 'https://www.foo.example'] })
  t.teardown(() => app.close())
  for (const origin of [FOO, 'https://www.foo.example']) {
    const { headers } = await app.inject({ url: '/resources/access-control-with-credentials/', headers: { origin } })
    t.equal(headers['access-control-allow-origin'], origin)
  }
})
