// `explain <URL>`: the command line asks a server that is deployed. Real servers on the loopback interface, wrong in one way each: every reason is given,
// and is not given where the deployment is right in that point. Nothing is sent but what is said.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { run } from '../../lib/cli/run'
import { selfSigned } from '../browser/certificate'

const APP = 'https://app.example.com'

interface Ran { readonly code: number, readonly out: string, readonly err: string }

async function cli (...args: string[]): Promise<Ran> {
  let [out, err] = ['', '']
  const code = await run(args, { stdout: { write: (text) => { out += text } }, stderr: { write: (text) => { err += text } }, env: {} })
  return { code, out, err }
}

type Headers = Readonly<Record<string, string | string[]>>
interface Answer { readonly status?: number, readonly headers?: Headers, readonly body?: string }

/** A server with one answer to preflights and one to everything else; and what reached it. */
async function serve (preflight: Answer, actual: Answer = preflight): Promise<{ url: string, seen: string[] }> {
  const seen: string[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    seen.push(String(request.method))
    const { status = 200, headers = {}, body = '' } = request.headers['access-control-request-method'] === undefined ? actual : preflight
    response.writeHead(status, headers).end(body)
  })
  return { url: `${await listening(server)}/items/7`, seen }
}

async function listening (server: Pick<Server, 'listen' | 'close' | 'address' | 'on'>, scheme = 'http', host = '127.0.0.1'): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server as Server, 'listening')
  t.teardown(() => server.close())
  return `${scheme}://${host}:${(server.address() as AddressInfo).port}`
}

const ALLOWED: Headers = { 'access-control-allow-origin': APP, vary: 'Origin' }
const GOOD: Headers = { ...ALLOWED, 'access-control-allow-credentials': 'true', 'access-control-allow-methods': 'PUT', 'access-control-allow-headers': 'X-Request-Id' }

t.test('every reason of a deployment is given where it applies', async (t) => {
  type Row = readonly [reason: string, what: string, preflight: Answer, actual: Answer | undefined, args: string[], says: RegExp]
  const put = ['PUT', '--send']
  const ROWS: readonly Row[] = [
    ['duplicate-header', 'in the preflight', { headers: { ...GOOD, 'access-control-allow-origin': [APP, '*'], server: 'nginx' } }, undefined, put, /Access-Control-Allow-Origin more than once: "https:\/\/app\.example\.com" and "\*"[^]*remove Access-Control-Allow-Origin from "nginx"/],
    ['duplicate-header', 'in the response, in one line', { headers: GOOD }, { headers: { 'access-control-allow-origin': `${APP}, ${APP}` } }, put, /leave it to the application, and remove Access-Control-Allow-Origin from the proxy/],
    ['duplicate-header', 'of credentials', { headers: GOOD }, { headers: { ...ALLOWED, 'access-control-allow-credentials': ['true', 'true'] } }, ['--credentials'], /Access-Control-Allow-Credentials more than once/],
    ['preflight-redirected', '', { status: 308, headers: { location: '/items/7/\u00ff' } }, undefined, put, /308 to "\/items\/7\/ÿ"; browsers follow none/],
    ['preflight-redirected', 'to nowhere', { status: 301 }, undefined, put, /301 to ""/],
    ['preflight-refused', 'by authentication', { status: 401, headers: { server: 'gate\u009b', via: '1.1 edge' } }, undefined, put, /answered with 401 by "gate\\u009b", "1\.1 edge", before[^]*let OPTIONS pass without authentication/],
    ['preflight-refused', 'by a server that does not know OPTIONS', { status: 405 }, undefined, put, /answered with 405, before[^]*pass OPTIONS on/],
    ['preflight-refused', 'by a failing server', { status: 502 }, undefined, put, /502/],
    ['error-without-headers', 'of a body that is too large', { headers: GOOD }, { status: 413, headers: { server: 'nginx' } }, put, /PUT is answered with 413 without CORS headers, by "nginx"/],
    ['error-without-headers', 'of a redirect', { headers: GOOD }, { status: 301, headers: { location: '/x/' } }, [], /GET is answered with 301 to "\/x\/" without CORS headers:[^]*request the URL that/],
    ['origin-not-allowed', 'by the preflight', { status: 403, headers: { vary: 'Origin, Access-Control-Request-Method' } }, undefined, put, /the preflight does not allow the origin "https:\/\/app\.example\.com"\n/],
    ['origin-not-allowed', 'but another', { headers: { 'access-control-allow-origin': 'https://other.example' } }, undefined, [], /the response does not allow the origin[^]*; it allows "https:\/\/other\.example"/],
    ['no-policy', '', {}, undefined, [], /the response has no CORS headers at all/],
    ['no-policy', 'for the preflight', { status: 204 }, undefined, put, /the preflight has no CORS headers at all/],
    ['credentials-not-allowed', 'with a wildcard', { headers: { 'access-control-allow-origin': '*' } }, undefined, ['--credentials'], /allows every origin with "\*"/],
    ['credentials-not-allowed', '', { headers: ALLOWED }, undefined, ['--credentials'], /but not with credentials/],
    ['method-not-routed', '', { headers: ALLOWED }, undefined, put, /allows the methods "", not PUT/],
    ['method-not-routed', 'of a list that is none', { headers: { ...GOOD, 'access-control-allow-methods': 'PUT POST' } }, undefined, put, /a list of methods or headers that is none/],
    ['header-not-allowed', '', { headers: GOOD }, undefined, ['--header', 'x-one', '--header', 'x-two'], /does not allow the headers "x-one", "x-two"/],
    ['header-not-allowed', 'one alone', { headers: GOOD }, undefined, ['--header', 'x-one'], /does not allow the header "x-one"/],
    ['forbidden-method', '', {}, undefined, ['trace'], /no page can use the method trace/],
    ['header-not-exposed', '', { headers: GOOD }, { headers: { ...ALLOWED, etag: '"1"', 'access-control-expose-headers': 'X-Other' } }, ['--reads', 'ETag'], /but not "ETag": the response does not expose it[^]*add "ETag" to exposedHeaders/]
  ]
  for (const [reason, what, preflight, actual, args, says] of ROWS) {
    const { url } = await serve(preflight, actual)
    const { code, out, err } = await cli('explain', url, '--origin', APP, ...args)
    t.match({ code, err }, { code: 1, err: '' }, `${reason} ${what}`)
    t.match(out, `blocked (${reason})`, `${reason} ${what}`)
    t.match(out, says, `${reason} ${what}`)
    t.notMatch(out, /[^\P{C}\n]/u, 'nothing of the answer acts on the terminal')
  }
  const { url } = await serve({ headers: { 'access-control-allow-origin': APP } })
  t.match(await cli('explain', url, '--origin', 'null'), { code: 1, out: /blocked \(null-origin\)[^]*sandboxed frame/ })
})

t.test('a deployment that is right is allowed, and its exchange is printed', async (t) => {
  const { url, seen } = await serve({ status: 204, headers: GOOD }, { headers: { ...GOOD, etag: '"1"', 'access-control-expose-headers': 'ETag' } })
  const { code, out } = await cli('explain', url, 'PUT', '--origin', APP, '--header', 'x-request-id: 1', '--credentials', '--reads', 'etag', '--send')
  t.equal(code, 0)
  t.match(out, /> OPTIONS http.*\n[^]*< 204\n[^]*> PUT [^]*< 200\n[^]*\nallowed\n {2}pages of "https:\/\/app\.example\.com" read the response, 200, with credentials/)
  t.strictSame(seen, ['OPTIONS', 'PUT'])
  t.match(JSON.parse((await cli('explain', url, '--origin', APP, '--json')).out), { allowed: true, reason: null, route: null, exchanges: [{ request: { method: 'GET' }, response: { statusCode: 200 } }] })
})

t.test('what may change something is sent only with --send', async (t) => {
  const { url, seen } = await serve({ headers: GOOD }, { headers: ALLOWED })
  t.match(await cli('explain', url, 'PUT', '--origin', APP), { code: 0, out: /the preflight allows it; the PUT itself was not sent/ })
  t.strictSame(seen.splice(0), ['OPTIONS'])
  t.match(await cli('explain', url, 'POST', '--origin', APP), { code: 2, err: /sends this POST without a preflight, and it may change something; to send it, write --send/ })
  t.strictSame(seen.splice(0), [])
  t.match(await cli('explain', url, 'POST', '--origin', APP, '--send'), { code: 0 })
  t.match(await cli('explain', url, 'HEAD', '--origin', APP), { code: 0 })
  t.strictSame(seen, ['POST', 'HEAD'])
})

t.test('what cannot be told ends with exit code 2 and the cause in one line', async (t) => {
  const closed = createTcpServer()
  const refused = await listening(closed as never)
  closed.close()
  const silent = await listening(createTcpServer(() => {}) as never)
  const garbage = await listening(createTcpServer((socket) => { socket.end('SSH-2.0\r\n\r\n') }) as never)
  const early = await listening(createTcpServer((socket) => { socket.destroy() }) as never)
  const many = await serve({ headers: { ...ALLOWED, 'x-long': 'a'.repeat(20_000) } })
  const loop = await serve({}, { status: 302, headers: { ...ALLOWED, location: '/items/7' } })
  const secure = await listening(createSecureServer({ ...selfSigned('localhost') }) as never, 'https', 'localhost')
  for (const [args, says] of [
    [[`${refused}/`], /does not answer GET "\/": connect ECONNREFUSED/],
    [[`${silent}/`, '--timeout', '0.2'], /no answer within 0\.2 seconds/],
    [[`${garbage}/`], /Parse Error/],
    [[`${early}/`], /does not answer GET "\/": (?:socket hang up|read ECONNRESET|write E)/],
    [[many.url], /Parse Error: Header overflow/],
    [[loop.url], /GET is answered with 302 to "http:.*\/items\/7"; redirects are not followed/],
    [[`${secure}/`], /self-signed certificate/],
    [[`${secure.replace('https', 'http')}/`], /does not answer/],
    [['http://nowhere.invalid/'], /ENOTFOUND|EAI_AGAIN/],
    [['http://'], /"http:\/\/" is not a URL/],
    [['http://user:secret@127.0.0.1/'], /has a user name or a password/],
    [[refused, 'PUT', 'POST'], /write explain https:\/\/api\.example\.com\/items\/7 PUT/],
    [['app.js', '/x', '--send'], /leave out --send/]
  ] as const) {
    const { code, out, err } = await cli('explain', ...args, '--origin', APP)
    t.match({ code, out }, { code: 2, out: '' }, String(args))
    t.match(err, says, String(args))
    t.notMatch(err, /[^\P{C}\n]/u)
  }
  t.strictSame(loop.seen, ['GET'], 'no redirect was followed')
})

t.test('a long answer is not read: the headers say it all', async (t) => {
  let written = 0
  const url = await listening(createServer((_request, response) => {
    response.writeHead(200, { ...ALLOWED, 'content-length': 100e6 })
    const chunk = Buffer.alloc(1e6)
    const write = (): void => { while (written < 100e6 && !response.destroyed) { written += 1e6; if (!response.write(chunk)) { response.once('drain', write); return } } }
    write()
  }))
  t.match(await cli('explain', `${url}/`, '--origin', APP), { code: 0 })
  t.ok(written < 50e6, `${written} bytes were written`)
})

t.test('HTTP/2 is spoken where TLS negotiates it, and HTTP/1.1 otherwise', async (t) => {
  const { NODE_TLS_REJECT_UNAUTHORIZED: before } = process.env
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  t.teardown(() => { if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']; else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before })
  for (const [version, create] of [['2.0', createSecureServer], ['1.1', createHttpsServer]] as const) {
    const seen: string[] = []
    const server = (create as typeof createSecureServer)(selfSigned('localhost'), (request, response) => {
      seen.push(`${request.httpVersion} ${request.method} ${request.headers[':authority'] ?? request.headers.host} ${request.headers['x-a']}`)
      response.writeHead(request.method === 'OPTIONS' ? 204 : 200, { ...GOOD, 'access-control-allow-headers': 'x-a' } as never)
      response.end()
    })
    const url = await listening(server as never, 'https', 'localhost')
    t.match(await cli('explain', `${url}/a?b`, '--origin', APP, '--header', 'x-a: 1', '--header', 'x-a: 2'), { code: 0, err: '' })
    t.strictSame(seen, [`${version} OPTIONS ${new URL(url).host} undefined`, `${version} GET ${new URL(url).host} 1, 2`])
    t.match(await cli('explain', `${url.replace('localhost', '127.0.0.1')}/`, '--origin', APP), { code: 0 }, 'an address is no server name')
  }
  const doubled = createSecureServer({ ...selfSigned('localhost') }, (_request, response) => {
    response.stream.respond({ ':status': 200, 'access-control-allow-origin': [APP, '*'] as never })
    response.stream.end()
  })
  t.match(await cli('explain', `${await listening(doubled as never, 'https', 'localhost')}/`, '--origin', APP), { code: 1, out: /duplicate-header/ })
  const reset = createSecureServer({ ...selfSigned('localhost') }, (_request, response) => { response.stream.close(2) })
  t.match(await cli('explain', `${await listening(reset as never, 'https', 'localhost')}/`, '--origin', APP), { code: 2, err: /does not answer/ })
})

t.test('notes say what no server can decide, where it applies', async (t) => {
  const { url } = await serve({ headers: GOOD })
  const notes = async (...args: string[]): Promise<string> => (await cli('explain', url, '--origin', APP, ...args)).out
  t.match(await notes(), /note: the API has a loopback or private address/)
  t.match(await notes('--credentials'), /note: cookies are sent from another site only if they were set with SameSite=None; Secure/)
  t.notMatch(await notes(), 'SameSite')
  t.match(await notes('POST', '--header', 'content-type: application/json'), /note: navigator\.sendBeacon always sends credentials/)
  t.notMatch(await notes('POST', '--send', '--header', 'content-type: text/plain'), 'sendBeacon')
  t.notMatch(await notes('--header', 'x-one'), 'WebKit', 'a refusal with status 200')
  const refusing = await serve({ status: 401 })
  t.match((await cli('explain', refusing.url, 'PUT', '--origin', APP)).out, /note: the console of WebKit shows the status/)
})
