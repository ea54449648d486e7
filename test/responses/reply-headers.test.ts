// What happens where Fastify does not keep a reply's headers as it does today: then they are read and written by its public methods. A file of its
// own, because how they are kept is looked at once in a process.
import type { FastifyReply } from 'fastify'
import t from 'tap'
import { replyHeaders } from '../../lib/response/reply-headers'
import { accessControl, application, EVIL, FOO, preflight, request } from '../support'

t.test('the headers of a reply that keeps them elsewhere are not read directly', async (t) => {
  const headers: Record<string, unknown> = { vary: 'Origin' }
  const reply = {
    // Named as Fastify names them today, and not what the methods read and write.
    [Symbol('fastify.reply.headers')]: {},
    header: (name: string, value: unknown) => { headers[name] = value },
    removeHeader: (name: string) => { Reflect.deleteProperty(headers, name) },
    getHeader: (name: string) => headers[name],
    getHeaders: () => headers,
    raw: { getHeaderNames: () => [] }
  }
  t.equal(replyHeaders(reply as unknown as FastifyReply), undefined)
  t.strictSame(headers, { vary: 'Origin' }, 'looking leaves nothing behind')
})

t.test('a reply that keeps its headers elsewhere gets the same CORS headers', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: FOO, credentials: true, exposedHeaders: ['ETag'], allowedHeaders: ['X-A'], maxAge: 5 } } }, (_request, reply) => {
    return reply.header('vary', 'Accept').header('access-control-allow-origin', '*').header('access-control-max-age', '1').send('ok')
  })
  const allowed = await request(app, 'PUT', '/', FOO)
  t.equal(allowed.headers.vary, 'Accept, Origin')
  t.strictSame(accessControl(allowed), { 'access-control-allow-origin': FOO, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'ETag' })
  const refused = await request(app, 'PUT', '/', EVIL)
  t.equal(refused.headers.vary, 'Accept, Origin')
  t.strictSame(accessControl(refused), {})
  const answer = await preflight(app, 'PUT', '/', { origin: FOO })
  t.equal(answer.headers.vary, 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
  t.strictSame(accessControl(answer), {
    'access-control-allow-origin': FOO, 'access-control-allow-credentials': 'true', 'access-control-allow-methods': 'PUT', 'access-control-allow-headers': 'X-A', 'access-control-max-age': '5'
  })
})
