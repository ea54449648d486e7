// Reading a reply's headers without copying them: what happens where Fastify does not keep them as it does today. A file of its own,
// because where they are is looked up once in a process.
import t from 'tap'
import type { FastifyReply } from 'fastify'
import { currentHeaders } from '../lib/reply-headers'

t.test('a reply that keeps its headers elsewhere is asked for them', async (t) => {
  const headers = { vary: 'Origin' }
  const reply = { getHeaders: () => headers, raw: { getHeaderNames: () => [] } }
  t.equal(currentHeaders(reply as unknown as FastifyReply), headers)
})
