// examples/mcp: the SDK's own client uses the server from Node and from a page in Chromium; a page of another origin and a rebound name do not reach it.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { build as bundle } from 'esbuild'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import t, { type Test } from 'tap'
import { build } from '../../examples/mcp/index'
import { launch, SKIPPED } from '../browser/launch'
import { approves, EVIL, preflight, request } from '../support'
import { portOf } from '../support/ports'

const PAGE = 'http://app.test'
const CITY = { name: 'forecast', arguments: { city: 'Oslo' } }
const EXPECTED = { tools: ['forecast'], text: 'Oslo: sunny' }

/** What a page does with the SDK's client. */
const CLIENT = `
  import { Client } from '@modelcontextprotocol/sdk/client/index.js'
  import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
  globalThis.use = async (url) => {
    const client = new Client({ name: 'page', version: '1.0.0' })
    try {
      await client.connect(new StreamableHTTPClientTransport(new URL(url)))
      const { tools } = await client.listTools()
      const { content } = await client.callTool(${JSON.stringify(CITY)})
      return { tools: tools.map(({ name }) => name), text: content[0].text }
    } catch (error) {
      return { failed: error.message }
    } finally {
      await client.close()
    }
  }`

async function server (t: Test, origins: string[], port = 0): Promise<{ app: Awaited<ReturnType<typeof build>>, port: number, handled: string[] }> {
  const app = await build({ origins, hosts: ['localhost:*', '127.0.0.1:*', 'mcp.test:*'] })
  t.teardown(() => app.close())
  const handled: string[] = []
  app.addHook('preHandler', async ({ method, url, headers }) => { handled.push(`${method} ${url} ${String(headers.origin)}`) })
  await app.listen({ port, host: '127.0.0.1' })
  return { app, port: portOf(app.server), handled }
}

t.test("the MCP server's routes have the policies that they need", async (t) => {
  const { app, handled } = await server(t, [PAGE])
  const requestHeaders = 'authorization,content-type,last-event-id,mcp-protocol-version,mcp-session-id'
  for (const method of ['GET', 'POST', 'DELETE']) t.ok(approves(await preflight(app, method, '/mcp', { origin: PAGE, requestHeaders }), method), method)
  t.equal((await preflight(app, 'POST', '/mcp', { origin: EVIL })).statusCode, 403)
  t.equal((await request(app, 'POST', '/mcp', EVIL)).statusCode, 403)
  t.equal((await request(app, 'GET', '/sessions', PAGE)).statusCode, 403, 'what declares no policy is closed')
  t.equal((await request(app, 'GET', '/nowhere', PAGE)).statusCode, 403)
  t.strictSame(handled, [])
  t.strictSame((await request(app, 'GET', '/sessions')).json(), { open: 0 })
  const metadata = await request(app, 'GET', '/.well-known/oauth-protected-resource', EVIL)
  t.strictSame([metadata.statusCode, metadata.headers['access-control-allow-origin']], [200, '*'])
  for (const url of ['/mcp', '/.well-known/oauth-protected-resource', '/sessions', '/nowhere']) t.equal((await request(app, 'GET', url, undefined, { headers: { host: 'evil.test' } })).statusCode, 421, url)
  t.equal((await request(app, 'POST', '/mcp', PAGE, { payload: {} })).statusCode, 400)
  t.equal((await request(app, 'POST', '/mcp', PAGE, { payload: {}, headers: { 'mcp-session-id': 'x' } })).statusCode, 404)
})

t.test('its client in Node lists and calls a tool', async (t) => {
  const { app, port } = await server(t, [PAGE])
  const client = new Client({ name: 'test', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`)) as never)
  t.strictSame((await client.listTools()).tools.map(({ name }) => name), EXPECTED.tools)
  t.match(await client.callTool(CITY), { content: [{ type: 'text', text: EXPECTED.text }] })
  t.strictSame((await request(app, 'GET', '/sessions')).json(), { open: 1 })
  await client.close()
})

t.test('its client in a page of Chromium does as well; a page of another origin and a rebound name do not reach it', async (t) => {
  const { outputFiles: [script] } = await bundle({ stdin: { contents: CLIENT, resolveDir: join(__dirname, '..', '..') }, bundle: true, format: 'iife', write: false, logLevel: 'silent' })
  const pages = createServer((request, response) => {
    response.setHeader('content-type', request.url === '/client.js' ? 'text/javascript' : 'text/html')
    response.end(request.url === '/client.js' ? script?.text : '<!doctype html><script src="/client.js"></script>')
  }).listen(0, '127.0.0.1')
  await once(pages, 'listening')
  t.teardown(() => { pages.closeAllConnections() })
  const launched = await launch()
  if (launched === undefined) return t.plan(0, SKIPPED)
  t.teardown(launched.close)
  const origin = `http://app.test:${portOf(pages)}`
  const { port, handled } = await server(t, [origin])
  const page = await launched.browser.newPage()
  const use = async (from: string, url: string): Promise<unknown> => {
    await page.goto(`${from}/`)
    return await page.evaluate(`use(${JSON.stringify(url)})`)
  }
  t.strictSame(await use(origin, `http://mcp.test:${port}/mcp`), EXPECTED)
  t.ok(handled.length >= 4 && handled.every((line) => line.endsWith(` ${origin}`)))
  const { length } = handled
  t.match(await use(`http://evil.test:${portOf(pages)}`, `http://mcp.test:${port}/mcp`), { failed: /fetch/ })
  t.equal(handled.length, length, 'the page of another origin reached no handler')

  // A rebound name: the server of the page ends, and then the name and the port are those of the MCP server.
  const rebound = portOf(pages)
  await page.goto(`http://evil.test:${rebound}/`)
  await new Promise((resolve) => { pages.close(resolve); pages.closeAllConnections() })
  const { app: victim, handled: reached } = await server(t, [origin], rebound)
  t.match(await page.evaluate(`use("http://evil.test:${rebound}/mcp")`), { failed: /does not answer for this host/ })
  t.equal(await page.evaluate('fetch("/sessions").then(({ status }) => status)'), 421)
  t.strictSame([reached, victim.server.listening], [[], true])
})
