// npm run example:mcp: an MCP server (Streamable HTTP). Pages of some origins reach it, pages of others and rebound names do not, and everyone reads how to
// sign in. The MCP specification demands such a check of Origin.
import { randomUUID } from 'node:crypto'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import cors, { originsFrom } from 'fastify-cors-policy'
import { z } from 'zod'

function mcpServer (): McpServer {
  const server = new McpServer({ name: 'weather', version: '1.0.0' })
  const inputSchema = { city: z.string().max(100) }
  server.registerTool('forecast', { description: 'The weather of a city', inputSchema }, ({ city }) => ({ content: [{ type: 'text', text: `${city}: sunny` }] }))
  return server
}

export interface Options {
  /** The origins of the pages that may use the server. */
  origins: readonly string[] | '*'
  /** The hosts of the server. */
  hosts: string[]
}

export async function build ({ origins, hosts }: Options): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: 'error' }, forceCloseConnections: true })
  await app.register(cors, {
    hosts, // a rebound name is not among them
    enforceOrigin: true, // on every route: what declares no policy is closed to pages of other origins
    policies: {
      mcp: {
        origin: origins,
        allowedHeaders: ['Authorization', 'Content-Type', 'Last-Event-ID', 'Mcp-Protocol-Version', 'Mcp-Session-Id'],
        exposedHeaders: ['Mcp-Session-Id', 'WWW-Authenticate']
      },
      metadata: { origin: '*', allowedHeaders: ['Mcp-Protocol-Version'] }
    }
  })

  const sessions = new Map<string, StreamableHTTPServerTransport>()
  app.addHook('preClose', async () => { for (const session of sessions.values()) await session.close() })

  async function open (): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => { sessions.set(id, transport) }
    })
    transport.onclose = () => { sessions.delete(transport.sessionId ?? '') }
    await mcpServer().connect(transport as never)
    return transport
  }

  async function handle (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const id = request.headers['mcp-session-id']
    const transport = typeof id === 'string' ? sessions.get(id) : isInitializeRequest(request.body) ? await open() : undefined
    if (transport === undefined) {
      const status = id === undefined ? 400 : 404
      return await reply.code(status).send({ jsonrpc: '2.0', error: { code: -32000, message: 'There is no such session' }, id: null })
    }
    reply.hijack() // the SDK writes the response itself; the CORS headers are added all the same
    await transport.handleRequest(request.raw, reply.raw, request.body)
    return undefined
  }
  app.route({ method: ['GET', 'POST', 'DELETE'], url: '/mcp', config: { cors: { extends: 'mcp' } }, handler: handle })

  app.get('/.well-known/oauth-protected-resource', { config: { cors: { extends: 'metadata' } } }, async ({ host, protocol }) => ({
    resource: `${protocol}://${host}/mcp`,
    authorization_servers: ['https://login.example.com']
  }))

  app.get('/sessions', async () => ({ open: sessions.size })) // no policy: for this machine, not for pages
  return app
}

async function main (): Promise<void> {
  const origins = originsFrom(process.env.MCP_ORIGINS ?? 'http://localhost:6274') // that of the MCP inspector
  const app = await build({ origins, hosts: ['localhost:*', '127.0.0.1:*', '[::1]:*'] })
  const address = await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })
  const post = `curl -i -X POST ${address}/mcp -H 'content-type: application/json' -H 'accept: application/json, text/event-stream' -d '${JSON.stringify({
    jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'curl', version: '1' } }
  })}'`
  console.log(`Listening at ${address}. Pages of ${origins === '*' ? 'every origin' : origins.join(', ')} may use ${address}/mcp. Try:
  npx @modelcontextprotocol/inspector --transport http --server-url ${address}/mcp
  ${post}
  ... | -H 'origin: https://evil.example'    403: a page of another origin
  ... | -H 'host: evil.example'              421: a rebound name
  curl -i ${address}/.well-known/oauth-protected-resource -H 'origin: https://evil.example'
  curl -i ${address}/sessions -H 'origin: http://localhost:6274'`)
}

if (require.main === module) {
  main().catch((error) => {
    console.error(error)
    process.exitCode = 1
  })
}
