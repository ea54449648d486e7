// Beside packages that answer requests past Fastify's routes and handlers: middleware, mounted routers, servers that write to the raw response.
import t from 'tap'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fastifyApolloHandler } from '@as-integrations/fastify'
import { cors as connectCors } from '@connectrpc/connect'
import awsLambda from '@fastify/aws-lambda'
import fastifyExpress from '@fastify/express'
import middie from '@fastify/middie'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { DataStore, Server as TusServer } from '@tus/server'
import express from 'express'
import { createSchema, createYoga } from 'graphql-yoga'
import { Server as SocketServer } from 'socket.io'
import { portOf } from '../support/ports'
import { accessControl, application, approves, EVIL, FOO, ok, ONE, preflight, request } from '../support'

const ALLOWED = { 'access-control-allow-origin': FOO }

t.test('middleware of @fastify/middie that answers by itself: preflights pass, and its 401 is readable', async (t) => {
  const app = await application(t)
  await app.register(middie)
  app.use('/private', (_request: IncomingMessage, response: ServerResponse) => { response.writeHead(401, { vary: 'Accept' }).end('no') })
  app.put('/private', { config: { cors: { origin: [FOO, 'https://bar.example'] } } }, ok)
  t.ok(approves(await preflight(app, 'PUT', '/private'), 'PUT'))
  const answer = await request(app, 'PUT', '/private', FOO)
  t.equal(answer.statusCode, 401)
  t.same(accessControl(answer), ALLOWED)
  t.match(answer.headers.vary, /Origin/)
  t.same(accessControl(await request(app, 'PUT', '/private', EVIL)), {})
})

t.test('a router that @fastify/express mounts has no routes of Fastify: a route for its URLs has its policy', async (t) => {
  const app = await application(t)
  await app.register(fastifyExpress)
  const router = express.Router()
  router.put('/item', (_request, response) => { response.end('{"saved":true}') })
  app.use('/legacy', router as never)
  app.all('/legacy/*', { config: { cors: { origin: [FOO, 'https://bar.example'] } } }, (_request, reply) => { reply.callNotFound() })
  t.ok(approves(await preflight(app, 'PUT', '/legacy/item'), 'PUT'))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${portOf(app.server)}/legacy/item`
  const answer = await fetch(url, { method: 'PUT', headers: { origin: FOO } })
  t.same(await answer.json(), { saved: true })
  t.equal(answer.headers.get('access-control-allow-origin'), FOO)
  t.notOk((await fetch(url, { method: 'PUT', headers: { origin: EVIL } })).headers.has('access-control-allow-origin'))
})

t.test('res.json() of a router that @fastify/express mounts has the headers of the policy, though the plugin replaces headersSent', async (t) => {
  const app = await application(t)
  await app.register(fastifyExpress)
  const router = express.Router()
  router.put('/item', (_request, response) => { response.json({ saved: true }) })
  app.use('/legacy', router as never)
  app.all('/legacy/*', { config: { cors: { origin: [FOO, 'https://bar.example'] } } }, (_request, reply) => { reply.callNotFound() })
  t.ok(approves(await preflight(app, 'PUT', '/legacy/item'), 'PUT'))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${portOf(app.server)}/legacy/item`
  const answer = await fetch(url, { method: 'PUT', headers: { origin: FOO } })
  t.same(await answer.json(), { saved: true })
  t.equal(answer.headers.get('access-control-allow-origin'), FOO)
  t.notOk((await fetch(url, { method: 'PUT', headers: { origin: EVIL } })).headers.has('access-control-allow-origin'))
})

t.test('a preHandler that answers URLs without routes, as SuperTokens does: a route for these URLs has its policy', async (t) => {
  const app = await application(t)
  app.all('/auth/*', { config: { cors: { origin: [FOO], credentials: true, allowedHeaders: ['Content-Type', 'rid'] } } }, (_request, reply) => { reply.callNotFound() })
  app.addHook('preHandler', async (request, reply) => {
    if (request.url.startsWith('/auth/')) await reply.send({ status: 'OK' })
  })
  t.ok(approves(await preflight(app, 'POST', '/auth/signin', { requestHeaders: 'content-type,rid' }), 'POST'))
  const answer = await request(app, 'POST', '/auth/signin', FOO)
  t.same(answer.json(), { status: 'OK' })
  t.match(accessControl(answer), { ...ALLOWED, 'access-control-allow-credentials': 'true' })
})

t.test('@tus/server writes CORS headers of its own, which the policy replaces', async (t) => {
  const exposed = ['Location', 'Upload-Offset', 'Upload-Length', 'Tus-Resumable']
  const app = await application(t)
  const tus = new TusServer({ path: '/files', datastore: new DataStore() })
  app.addContentTypeParser('application/offset+octet-stream', (_request, _payload, done) => { done(null) })
  app.all('/files', { config: { cors: { origin: FOO, allowedHeaders: ['Tus-Resumable', 'Upload-Length', 'Upload-Offset', 'Content-Type'], exposedHeaders: exposed } } }, async (request, reply) => {
    reply.hijack()
    await tus.handle(request.raw, reply.raw)
  })
  t.ok(approves(await preflight(app, 'POST', '/files', { requestHeaders: 'tus-resumable,upload-length' }), 'POST'))
  const answer = await request(app, 'POST', '/files', FOO, { headers: { 'tus-resumable': '1.0.0', 'upload-length': '1' } })
  t.equal(answer.statusCode, 201)
  t.match(answer.headers.location, '/files/')
  t.same(accessControl(answer), { ...ALLOWED, 'access-control-expose-headers': exposed.join(', ') })
  t.not((await request(app, 'POST', '/files', EVIL, { headers: { 'tus-resumable': '1.0.0', 'upload-length': '1' } })).headers['access-control-allow-origin'], EVIL)
})

t.test('@modelcontextprotocol/sdk writes to the raw response, and a page reads its session id', async (t) => {
  const app = await application(t)
  app.post('/mcp', { config: { cors: { origin: FOO, allowedHeaders: ['Content-Type', 'Mcp-Session-Id', 'Mcp-Protocol-Version'], exposedHeaders: ['Mcp-Session-Id'] } } }, async (request, reply) => {
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => 'one', enableJsonResponse: true })
    await new McpServer({ name: 'test', version: '1.0.0' }).connect(transport as never)
    reply.hijack()
    await transport.handleRequest(request.raw, reply.raw, request.body)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${portOf(app.server)}/mcp`
  const headers = { origin: FOO, 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'page', version: '1' } } }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(initialize) })
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('mcp-session-id'), 'one')
  t.equal(answer.headers.get('access-control-allow-origin'), FOO)
  t.equal(answer.headers.get('access-control-expose-headers'), 'Mcp-Session-Id')
  t.ok(approves(await preflight(app, 'POST', '/mcp', { requestHeaders: 'content-type,mcp-session-id' }), 'POST'))
})

t.test('graphql-yoga answers with CORS headers of its own, unless cors is false', async (t) => {
  const app = await application(t)
  const yoga = createYoga({ cors: false, logging: false, schema: createSchema({ typeDefs: 'type Query { hello: String }', resolvers: { Query: { hello: () => 'world' } } }) })
  app.route({
    url: yoga.graphqlEndpoint,
    method: ['GET', 'POST'],
    config: { cors: ONE },
    handler: async (request, reply) => await reply.send(await yoga.fetch(`http://localhost${request.url}`, { method: request.method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(request.body) }))
  })
  t.ok(approves(await preflight(app, 'POST', '/graphql', { requestHeaders: 'content-type' }), 'POST'))
  const answer = await request(app, 'POST', '/graphql', FOO, { payload: { query: '{ hello }' } })
  t.same(answer.json(), { data: { hello: 'world' } })
  t.same(accessControl(answer), ALLOWED)
})

t.test('socket.io listens beside Fastify and has a cors option of its own', async (t) => {
  const app = await application(t)
  const io = new SocketServer(app.server, { cors: { origin: FOO } })
  t.teardown(async () => { await io.close() })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${portOf(app.server)}/socket.io/?EIO=4&transport=polling`
  t.equal((await fetch(url, { headers: { origin: FOO } })).headers.get('access-control-allow-origin'), FOO)
})

t.test('@fastify/aws-lambda with a stage in the path: rewriteUrl removes it before the preflight is resolved', async (t) => {
  const app = await application(t, {}, { rewriteUrl: ({ url = '/' }) => url.replace(/^\/prod(?=\/)/, '') })
  app.put('/items/:id', { config: { cors: ONE } }, ok)
  const handler = awsLambda(app) as (event: object, context: object) => Promise<{ statusCode: number, headers: Record<string, string> }>
  const send = async (httpMethod: string, headers: object) => await handler({ httpMethod, path: '/prod/items/1', headers, body: null }, {})
  const asked = await send('OPTIONS', { origin: FOO, 'access-control-request-method': 'PUT' })
  t.equal(asked.statusCode, 204)
  t.equal(asked.headers['access-control-allow-origin'], FOO)
  t.equal((await send('PUT', { origin: FOO })).headers['access-control-allow-origin'], FOO)
})

t.test('Apollo Server needs no OPTIONS route', async (t) => {
  const app = await application(t)
  const { ApolloServer } = await import('@apollo/server')
  const apollo = new ApolloServer({ typeDefs: 'type Query { hello: String }', resolvers: { Query: { hello: () => 'world' } } })
  await apollo.start()
  t.teardown(async () => { await apollo.stop() })
  app.route({ url: '/graphql', method: ['GET', 'POST'], config: { cors: ONE }, handler: fastifyApolloHandler(apollo as never) as never })
  t.ok(approves(await preflight(app, 'POST', '/graphql', { requestHeaders: 'content-type' }), 'POST'))
  const answer = await request(app, 'POST', '/graphql', FOO, { payload: { query: '{ hello }' } })
  t.same(answer.json(), { data: { hello: 'world' } })
  t.same(accessControl(answer), ALLOWED)
})

t.test('the lists of headers that @connectrpc/connect exports make a policy', async (t) => {
  const app = await application(t, { defaultPolicy: { origin: FOO, allowedHeaders: connectCors.allowedHeaders.filter((name) => name !== 'Accept-Encoding'), exposedHeaders: [...connectCors.exposedHeaders] } })
  app.post('/connectrpc.eliza.v1.ElizaService/Say', ok)
  const asked = await preflight(app, 'POST', '/connectrpc.eliza.v1.ElizaService/Say', { requestHeaders: 'connect-protocol-version,connect-timeout-ms,content-type' })
  t.ok(approves(asked, 'POST'))
  t.match((await request(app, 'POST', '/connectrpc.eliza.v1.ElizaService/Say', FOO)).headers['access-control-expose-headers'], /grpc-status/i)
})
