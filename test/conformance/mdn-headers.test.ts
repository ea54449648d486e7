// The nine headers that MDN's article on CORS defines, one test each, over a real socket: six of responses, three of requests.
import t, { type Test } from 'tap'
import type { RouteCors } from '../../lib/index'
import { BAR, EVIL, FOO } from '../support/origins'
import { portOf } from '../support/ports'
import { accessControl, only, send, type RawResponse } from '../support/raw-http'
import { application } from '../support'

interface Api {
  /** An actual request. */
  request (method: string, ...headers: string[]): Promise<RawResponse>
  /** A preflight from https://foo.example for a PUT. */
  preflight (...headers: string[]): Promise<RawResponse>
}

/** Serves one resource, for GET and PUT, with this policy. */
async function api (t: Test, policy: RouteCors): Promise<Api> {
  const app = await application(t)
  app.route({
    method: ['GET', 'PUT'],
    url: '/resource',
    exposeHeadRoute: false,
    config: { cors: policy },
    handler: async ({ method }, reply) => {
      reply.header('x-my-custom-header', 'one')
      return `reached by ${method}`
    }
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const port = portOf(app.server)
  const request: Api['request'] = (method, ...headers) => send(port, [`${method} /resource HTTP/1.1`, 'Host: bar.other', ...headers])
  return {
    request,
    preflight: (...headers) => request('OPTIONS', `Origin: ${FOO}`, 'Access-Control-Request-Method: PUT', ...headers)
  }
}

t.test('Access-Control-Allow-Origin names the origin that may read the response, or is *', async (t) => {
  const listed = await api(t, { origin: [FOO, BAR] })
  for (const origin of [FOO, BAR]) {
    const response = await listed.request('GET', `Origin: ${origin}`)
    t.equal(only(response, 'Access-Control-Allow-Origin'), origin)
    t.equal(only(response, 'Vary'), 'Origin', 'a response that names an origin differs by it')
  }
  t.equal(only(await listed.request('GET', `Origin: ${EVIL}`), 'Access-Control-Allow-Origin'), undefined)
  t.equal(only(await listed.preflight(), 'Access-Control-Allow-Origin'), FOO)

  const everyone = await api(t, { origin: '*' })
  for (const response of [await everyone.request('GET', `Origin: ${EVIL}`), await everyone.preflight()]) {
    t.equal(only(response, 'Access-Control-Allow-Origin'), '*')
  }
})

t.test('Access-Control-Expose-Headers names the response headers that the page may read', async (t) => {
  const { request, preflight } = await api(t, { origin: FOO, exposedHeaders: ['X-My-Custom-Header', 'X-Another-Custom-Header'] })
  const response = await request('GET', `Origin: ${FOO}`)
  t.equal(only(response, 'Access-Control-Expose-Headers'), 'X-My-Custom-Header, X-Another-Custom-Header')
  t.equal(only(response, 'X-My-Custom-Header'), 'one')
  t.equal(only(await request('GET', `Origin: ${EVIL}`), 'Access-Control-Expose-Headers'), undefined, 'not to a refused origin')
  t.equal(only(await preflight(), 'Access-Control-Expose-Headers'), undefined, 'not in a preflight')
})

t.test('Access-Control-Max-Age says for how many seconds the preflight holds', async (t) => {
  for (const maxAge of [0, 600, 86400]) {
    const { request, preflight } = await api(t, { origin: FOO, maxAge })
    t.equal(only(await preflight(), 'Access-Control-Max-Age'), String(maxAge))
    t.equal(only(await request('GET', `Origin: ${FOO}`), 'Access-Control-Max-Age'), undefined, 'only in a preflight')
  }
  const { preflight } = await api(t, { origin: FOO })
  t.equal(only(await preflight(), 'Access-Control-Max-Age'), undefined)
})

t.test('Access-Control-Allow-Credentials says whether credentials may take part', async (t) => {
  const { request, preflight } = await api(t, { origin: FOO, credentials: true })
  t.equal(only(await preflight(), 'Access-Control-Allow-Credentials'), 'true', 'may they be sent?')
  t.equal(only(await request('GET', `Origin: ${FOO}`, 'Cookie: pageAccess=2'), 'Access-Control-Allow-Credentials'), 'true', 'may what comes back be read?')
  t.equal(only(await request('GET', `Origin: ${EVIL}`, 'Cookie: pageAccess=2'), 'Access-Control-Allow-Credentials'), undefined)

  const without = await api(t, { origin: FOO })
  for (const response of [await without.preflight(), await without.request('GET', `Origin: ${FOO}`, 'Cookie: pageAccess=2')]) {
    t.equal(only(response, 'Access-Control-Allow-Credentials'), undefined, 'never false: only true means something')
  }
})

t.test('Access-Control-Allow-Methods lists the methods that the resource takes', async (t) => {
  const { request, preflight } = await api(t, { origin: FOO })
  t.equal(only(await preflight(), 'Access-Control-Allow-Methods'), 'GET, PUT')
  t.equal(only(await request('PUT', `Origin: ${FOO}`), 'Access-Control-Allow-Methods'), undefined, 'only in a preflight')
})

t.test('Access-Control-Allow-Headers lists the request headers that the resource takes', async (t) => {
  const { request, preflight } = await api(t, { origin: FOO, allowedHeaders: ['X-PINGOTHER', 'Content-Type'] })
  for (const asked of ['X-PINGOTHER, Content-Type', 'content-type,x-pingother', 'X-Other']) {
    t.equal(only(await preflight(`Access-Control-Request-Headers: ${asked}`), 'Access-Control-Allow-Headers'), 'X-PINGOTHER, Content-Type', `asked for ${asked}`)
  }
  t.equal(only(await preflight(), 'Access-Control-Allow-Headers'), 'X-PINGOTHER, Content-Type', 'asked for none')
  t.equal(only(await request('PUT', `Origin: ${FOO}`, 'X-PINGOTHER: pingpong'), 'Access-Control-Allow-Headers'), undefined, 'only in a preflight')
})

t.test('Origin decides who is answered, and is no path or part of one', async (t) => {
  const { request } = await api(t, { origin: FOO })
  t.strictSame(accessControl(await request('GET', `Origin: ${FOO}`)), { 'access-control-allow-origin': FOO })
  for (const origin of [EVIL, `${FOO}/`, `${FOO}/page`, `${FOO}:443`, `${FOO}.evil.test`, 'http://foo.example', 'HTTPS://FOO.EXAMPLE', 'foo.example', 'null', '']) {
    const response = await request('GET', `Origin: ${origin}`)
    t.strictSame(accessControl(response), {}, `Origin: ${origin}`)
    t.equal(response.body, 'reached by GET', 'a refused origin still reaches the handler')
  }
  const none = await request('GET')
  t.strictSame(accessControl(none), {}, 'no Origin')
  t.equal(only(none, 'Vary'), 'Origin')
})

t.test('Access-Control-Request-Method says which method the preflight is for', async (t) => {
  const { request } = await api(t, { origin: FOO })
  const announce = (method: string): Promise<RawResponse> => request('OPTIONS', `Origin: ${FOO}`, `Access-Control-Request-Method: ${method}`)
  for (const method of ['GET', 'PUT']) {
    const response = await announce(method)
    t.equal(response.statusLine, 'HTTP/1.1 204 No Content', method)
    t.equal(only(response, 'Access-Control-Allow-Origin'), FOO)
    t.match(only(response, 'Vary'), /\bAccess-Control-Request-Method\b/)
  }
  for (const method of ['DELETE', 'put']) {
    const response = await announce(method)
    t.equal(response.statusLine, 'HTTP/1.1 204 No Content', `${method}: no such route`)
    t.equal(only(response, 'Access-Control-Allow-Methods'), 'GET, PUT', 'the browser finds that the method is not among them, and names it')
  }
  for (const method of ['POST', 'TRACE']) {
    const response = await announce(method)
    t.equal(response.statusLine, 'HTTP/1.1 404 Not Found', `${method}: an answer would allow it, or no page can ask`)
    t.strictSame(accessControl(response), {})
  }
  t.equal((await request('OPTIONS', `Origin: ${FOO}`)).statusLine, 'HTTP/1.1 404 Not Found', 'without it, OPTIONS is no preflight')
})

t.test('Access-Control-Request-Headers says which headers the preflight is for', async (t) => {
  // With credentials browsers take no * here, so that the answer has to repeat what is asked.
  const { preflight } = await api(t, { origin: FOO, credentials: true, allowedHeaders: '*' })
  const asked = await preflight('Access-Control-Request-Headers: X-PINGOTHER, Content-Type')
  t.equal(only(asked, 'Access-Control-Allow-Headers'), 'X-PINGOTHER, Content-Type')
  t.match(only(asked, 'Vary'), /\bAccess-Control-Request-Headers\b/)
  t.equal(only(await preflight(), 'Access-Control-Allow-Headers'), undefined, 'nothing asked')
  for (const wrong of ['X-PINGOTHER Content-Type', 'X-PING(OTHER)', `X-${'a'.repeat(5000)}`]) {
    const response = await preflight(`Access-Control-Request-Headers: ${wrong}`)
    t.equal(response.statusLine, 'HTTP/1.1 403 Forbidden', wrong.slice(0, 30))
    t.strictSame(accessControl(response), {})
  }
})
