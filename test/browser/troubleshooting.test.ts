// docs/troubleshooting.md says what each browser's console says for each reason: here a page makes a request that is blocked for it, and the console is
// read. explain names the same reason for the same request.
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import Fastify, { type FastifyServerOptions } from 'fastify'
import type { Frame, Page } from 'playwright-core'
import cors, { type CorsQuestion, type CorsRefusalReason } from '../../lib/index'
import { strategy } from '../support/routing'
import { troubles } from '../support/troubles'
import type { OpenPage } from './engine'
import { ENGINES, skipped } from './engines'
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

type Explain = cors.CorsDecoration['explain']

/** A server of pages, and two applications: a constraint of its own makes every route of one uncertain. */
async function start (t: Test): Promise<{ port: number, api: (reason: string) => { url: string, explain: Explain } }> {
  const pages = Fastify({ forceCloseConnections: true })
  t.teardown(() => pages.close())
  pages.get('/page', (_request, reply) => reply.type('text/html').send('<!doctype html><link rel="icon" href="data:,"><title>A page</title>'))
  await pages.listen({ host: HOST, port: 0 })
  const { port } = pages.server.address() as AddressInfo

  const api = async (options: FastifyServerOptions): Promise<{ url: string, explain: Explain }> => {
    const app = Fastify({ ...options, forceCloseConnections: true })
    t.teardown(() => app.close())
    app.log.warn = () => {}
    app.addHook('onRequest', async (request, reply) => { if (request.url.startsWith('/answered')) return await reply.code(401).send() })
    await app.register(cors, { policies: { plain: { origin: `http://app.test:${port}` } } })
    const ok = async (): Promise<string> => 'ok'
    app.get('/plain', ok)
    app.get('/off', { config: { cors: false } }, ok)
    for (const url of ['/items/:id', '/answered']) app.put(url, { config: { cors: { extends: 'plain' } } }, ok)
    app.put('/any-headers', { config: { cors: { extends: 'plain', allowedHeaders: '*' } } }, ok)
    app.put('/failing', { config: { cors: { origin: () => { throw new Error('out of order') } } } }, ok)
    if (options.constraints !== undefined) {
      app.put('/ambiguous/:id', { config: { cors: { extends: 'plain' } }, constraints: { tenant: 'a' } as never }, ok)
      app.put('/ambiguous/*', { config: { cors: false } }, ok)
    }
    await app.listen({ host: HOST, port: 0 })
    return { url: `http://api.test:${(app.server.address() as AddressInfo).port}`, explain: async (question) => await app.cors.explain(question) }
  }
  const ordinary = await api({})
  const ambiguous = await api({ constraints: strategy('tenant') as never })
  return { port, api: (reason) => reason === 'ambiguous-route' ? ambiguous : ordinary }
}

/** The expression that makes the request of a page, and what comes of it: `read`, or the error. */
function fetching (url: string, { method = 'GET', headers = {}, credentials = false }: Pick<CorsQuestion, 'method' | 'headers' | 'credentials'>): string {
  const init = { method, headers, credentials: credentials ? 'include' : 'same-origin' }
  return `fetch(${JSON.stringify(url)}, ${JSON.stringify(init)}).then(() => 'read', String)`
}

t.test('the console of Chromium says what docs/troubleshooting.md quotes for each reason', { timeout: 60_000 }, async (t) => {
  const launched = await launch()
  if (launched === undefined) return t.plan(0, SKIPPED)
  t.teardown(launched.close)
  const { port, api } = await start(t)

  for (const { reason, says } of troubles) {
    const { from = 'app.test', url: path, ...request } = REQUESTS[reason as CorsRefusalReason]
    const { url, explain } = api(reason)
    const said: string[] = []
    const context = await launched.browser.newContext()
    const page = await context.newPage()
    page.on('console', (message) => { said.push(message.text()) })
    await page.goto(`http://${from === 'null' ? 'app.test' : from}:${port}/page`)
    const target = from === 'null' ? await sandboxed(page) : page
    const error = await target.evaluate(fetching(url + path, request))
    t.not(error, 'read', `${reason}: is blocked`)
    // The console comes a little after the page's own error.
    const waitsFor = reason === 'forbidden-method' ? 0 : 40
    for (let waits = 0; waits < waitsFor && !said.some((text) => text.includes('blocked')); waits++) await page.waitForTimeout(25)
    t.ok([...said, String(error)].some((text) => text.includes(says.Chromium)), `${reason}: ${says.Chromium}: ${said.join(' ').slice(0, 400)}`)
    t.match(await explain({ origin: from === 'null' ? 'null' : `http://${from}:${port}`, url: url + path, ...request }), { allowed: false, reason })
    await context.close()
  }
})

for (const engine of ENGINES.filter(({ name }) => name !== 'Chromium')) {
  t.test(`the console of ${engine.name} says what docs/troubleshooting.md quotes for each reason`, { timeout: 100_000 }, async (t) => {
    const why = skipped(engine)
    if (why !== undefined) return t.plan(0, why)
    const { port, api } = await start(t)
    const browser = await engine.launch({ hosts: ['app.test', 'evil.test', 'api.test', LONG_HOST] })
    t.teardown(() => browser.close())

    const errors: unknown[] = []
    for (const [id, { reason }] of troubles.entries()) {
      const { from = 'app.test', url: path, ...request } = REQUESTS[reason as CorsRefusalReason]
      const page: OpenPage = await browser.open(`http://${from === 'null' ? 'app.test' : from}:${port}/page`, from === 'null')
      // The number is in the console for WebKit, and in the URL for Firefox.
      errors.push(await page.evaluate(`(console.log('case ${id}'), ${fetching(`${api(reason).url}${path}?case=${id}`, request)})`))
    }
    const blocked = await browser.blocked()
    for (const [id, { reason, says }] of troubles.entries()) {
      t.not(errors[id], 'read', `${reason}: is blocked`)
      const said = [...blocked.filter((each) => each.id === id).map(({ text }) => text ?? ''), String(errors[id])]
      t.ok(said.some((text) => text.includes(says[engine.name])), `${reason}: ${says[engine.name]}: ${said.join(' ').slice(0, 400)}`)
    }
  })
}

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
