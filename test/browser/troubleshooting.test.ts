// docs/troubleshooting.md says what Chromium's console says for each reason: here a page makes a request that is blocked for it, and the console is
// read. explain names the same reason for the same request.
import type { AddressInfo } from 'node:net'
import t from 'tap'
import Fastify, { type FastifyServerOptions } from 'fastify'
import type { Frame, Page } from 'playwright-core'
import cors, { type CorsQuestion, type CorsRefusalReason } from '../../lib/index'
import { troubles } from '../support/troubles'
import { launch, SKIPPED } from './launch'

const HOST = '127.0.0.1'
const LONG_HOST = `${'a'.repeat(64)}.test`

/** What a page asks for, by reason; `from` is its host. */
const REQUESTS: { readonly [Reason in CorsRefusalReason]: Pick<CorsQuestion, 'method' | 'url' | 'headers' | 'credentials'> & { from?: string } } = {
  'no-route': { url: '/nothing' },
  'no-policy': { url: '/plain' },
  off: { url: '/off' },
  'origin-not-allowed': { url: '/items/7', method: 'PUT', from: 'evil.test' },
  'null-origin': { url: '/items/7', method: 'PUT', from: 'null' },
  'invalid-origin': { url: '/items/7', method: 'PUT', from: LONG_HOST },
  'method-not-routed': { url: '/items/7', method: 'PATCH' },
  'header-not-allowed': { url: '/items/7', method: 'PUT', headers: { 'x-one': '1' } },
  'credentials-not-allowed': { url: '/items/7', method: 'PUT', credentials: true },
  'ambiguous-route': { url: '/ambiguous/7', method: 'PUT' },
  'answered-before': { url: '/answered', method: 'PUT' },
  'invalid-request-headers': { url: '/any-headers', method: 'PUT', headers: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`x-${index}-${'a'.repeat(220)}`, '1'])) },
  'forbidden-method': { url: '/items/7', method: 'trace' },
  'origin-function-failed': { url: '/failing', method: 'PUT' }
}

const TENANT = {
  tenant: {
    name: 'tenant',
    storage () {
      const map = new Map()
      return { get: (key: string) => map.get(key) ?? null, set: (key: string, value: never) => { map.set(key, value) } }
    },
    deriveConstraint: ({ headers }: { headers: Record<string, unknown> }) => headers['x-tenant'] as string,
    validate () {}
  }
}

t.test('what the console says', { timeout: 60_000 }, async (t) => {
  const launched = await launch()
  if (launched === undefined) return t.plan(0, SKIPPED)
  t.teardown(launched.close)
  const pages = Fastify({ forceCloseConnections: true })
  t.teardown(() => pages.close())
  pages.get('/page', (_request, reply) => reply.type('text/html').send('<!doctype html><link rel="icon" href="data:,"><title>A page</title>'))
  await pages.listen({ host: HOST, port: 0 })
  const { port } = pages.server.address() as AddressInfo
  const app = `http://app.test:${port}`

  /** Of two applications, as a constraint of its own makes every route of one uncertain. */
  const api = async (options: FastifyServerOptions): Promise<{ url: string, explain: cors.CorsDecoration['explain'] }> => {
    const app_ = Fastify({ ...options, forceCloseConnections: true })
    t.teardown(() => app_.close())
    app_.log.warn = () => {}
    app_.addHook('onRequest', async (request, reply) => { if (request.url === '/answered') return await reply.code(401).send() })
    await app_.register(cors, { policies: { plain: { origin: app } } })
    const ok = async (): Promise<string> => 'ok'
    app_.get('/plain', ok)
    app_.get('/off', { config: { cors: false } }, ok)
    for (const url of ['/items/:id', '/answered']) app_.put(url, { config: { cors: { extends: 'plain' } } }, ok)
    app_.put('/any-headers', { config: { cors: { extends: 'plain', allowedHeaders: '*' } } }, ok)
    app_.put('/failing', { config: { cors: { origin: () => { throw new Error('out of order') } } } }, ok)
    if (options.constraints !== undefined) {
      app_.put('/ambiguous/:id', { config: { cors: { extends: 'plain' } }, constraints: { tenant: 'a' } as never }, ok)
      app_.put('/ambiguous/*', { config: { cors: false } }, ok)
    }
    await app_.listen({ host: HOST, port: 0 })
    return { url: `http://api.test:${(app_.server.address() as AddressInfo).port}`, explain: async (question) => await app_.cors.explain(question) }
  }
  const ordinary = await api({})
  const ambiguous = await api({ constraints: TENANT as never })

  for (const { reason, browser } of troubles) {
    const { from = 'app.test', url: path, ...request } = REQUESTS[reason as CorsRefusalReason]
    const { url, explain } = reason === 'ambiguous-route' ? ambiguous : ordinary
    const said: string[] = []
    const context = await launched.browser.newContext()
    const page = await context.newPage()
    page.on('console', (message) => { said.push(message.text()) })
    await page.goto(`http://${from === 'null' ? 'app.test' : from}:${port}/page`)
    const target = from === 'null' ? await sandboxed(page) : page
    const init = { method: request.method ?? 'GET', headers: request.headers ?? {}, credentials: request.credentials === true ? 'include' : 'same-origin' }
    const error = await target.evaluate(`fetch(${JSON.stringify(url + path)}, ${JSON.stringify(init)}).then(() => 'read', String)`)
    t.not(error, 'read', `${reason}: is blocked`)
    // The console comes a little after the page's own error.
    const waitsFor = reason === 'forbidden-method' ? 0 : 40
    for (let waits = 0; waits < waitsFor && !said.some((text) => text.includes('blocked')); waits++) await page.waitForTimeout(25)
    t.ok([...said, String(error)].some((text) => text.includes(browser)), `${reason}: ${browser}: ${said.join(' ').slice(0, 400)}`)
    t.match(await explain({ origin: from === 'null' ? 'null' : `http://${from}:${port}`, url: url + path, ...request }), { allowed: false, reason })
    await context.close()
  }
})

async function sandboxed (page: Page): Promise<Frame> {
  await page.evaluate(`new Promise((resolve) => {
    const frame = document.createElement('iframe')
    frame.sandbox = 'allow-scripts'
    frame.src = location.href
    frame.onload = resolve
    document.body.append(frame)
  })`)
  return page.frames().find((each) => each !== page.mainFrame()) as Frame
}
