// Enforcement in real browsers: what a page of a refused origin can send without CORS reaches no handler, and what an allowed page sends does.
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import t from 'tap'
import cors from '../../lib/index'
import { portOf } from '../support/ports'
import type { OpenPage } from './engine'
import { ENGINES, skipped } from './engines'

for (const engine of ENGINES) {
  t.test(`enforcement in ${engine.name}`, async (t) => {
    const reason = skipped(engine)
    if (reason !== undefined) return t.plan(0, reason)
    const pages = Fastify({ forceCloseConnections: true })
    t.teardown(() => pages.close())
    pages.get('/', (_request, reply) => reply.type('text/html').send('<!doctype html><title>page</title>'))
    pages.post<{ Querystring: { to: string } }>('/redirect', ({ query }, reply) => reply.redirect(query.to, 307))
    pages.addContentTypeParser('*', (_request, payload, done) => { payload.resume(); done(null, '') })
    await pages.listen({ port: 0, host: '127.0.0.1' })
    const port = portOf(pages.server)

    const [handled, answered]: [string[], string[]] = [[], []]
    const app = Fastify({ forceCloseConnections: true })
    t.teardown(() => app.close())
    await app.register(cors, { enforceOrigin: true, hosts: ['api.test:*'], policies: { app: { origin: `http://app.test:${port}` } } })
    await app.register(websocket)
    app.addContentTypeParser('*', (_request, payload, done) => { payload.resume(); done(null, '') })
    app.addHook('onResponse', async ({ url }, { statusCode }) => { answered.push(`${statusCode} ${url}`) })
    app.post('/write/:what', { config: { cors: { extends: 'app' } } }, async ({ url }) => { handled.push(url); return 'ok' })
    app.get('/socket', { websocket: true, config: { cors: { extends: 'app' } } }, (socket) => { handled.push('/socket'); socket.send('welcome') })
    app.get('/image', (_request, reply) => { handled.push('/image'); reply.type('image/svg+xml').send('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>') })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const api = `api.test:${portOf(app.server)}`

    const browser = await engine.launch({ hosts: ['app.test', 'evil.test', 'api.test'] })
    t.teardown(() => browser.close())
    /** Sends what needs no permission, and waits until the server has answered all of it. */
    const sendAll = async (page: OpenPage, host: string): Promise<{ outcome: unknown, statuses: string[] }> => {
      handled.length = answered.length = 0
      const outcome = await page.evaluate(`(async () => {
        const form = document.createElement('form')
        const frame = document.createElement('iframe')
        frame.name = 'target'
        Object.assign(form, { method: 'POST', action: 'http://${host}/write/form', target: 'target' })
        document.body.append(frame, form)
        const loaded = new Promise((resolve) => { frame.onload = resolve })
        form.submit()
        navigator.sendBeacon('http://${host}/write/beacon', 'x')
        const post = (url) => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: 'x' }).then(({ type }) => type, () => 'failed')
        const sent = [await post('http://${host}/write/fetch'), await post('http://evil.test:${port}/redirect?to=' + encodeURIComponent('http://${host}/write/redirected'))]
        const socket = await new Promise((resolve) => {
          const socket = new WebSocket('ws://${host}/socket')
          socket.onmessage = ({ data }) => { socket.close(); resolve(data) }
          socket.onerror = () => resolve('refused')
        })
        const image = await new Promise((resolve) => {
          const image = new Image()
          image.onload = () => resolve('shown')
          image.onerror = () => resolve('failed')
          image.src = 'http://${host}/image?' + Math.random()
        })
        await Promise.race([loaded, new Promise((resolve) => setTimeout(resolve, 3000))])
        return { sent, socket, image }
      })()`)
      return { outcome, statuses: [...new Set(answered.filter((line) => line.includes('/write/')))].sort() } // a browser may try a 421 again, on another connection
    }
    const writes = (status: number): string[] => ['beacon', 'fetch', 'form', 'redirected'].map((what) => `${status} /write/${what}`)

    const evil = await sendAll(await browser.open(`http://evil.test:${port}/`), api)
    t.strictSame(evil.statuses, writes(403), 'a page of another origin')
    t.match(evil.outcome, { socket: 'refused', image: 'shown' })
    t.strictSame(handled, ['/image'], 'reaches no handler but that of the image')
    const own = await sendAll(await browser.open(`http://app.test:${port}/`), api)
    // After a redirect by a server of another origin, the request has the origin null (https://fetch.spec.whatwg.org/#concept-request-tainted-origin).
    t.strictSame(own.statuses, [...writes(200).slice(0, 3), '403 /write/redirected'], 'a page of an allowed origin')
    t.match(own.outcome, { socket: 'welcome', image: 'shown' })
    // The name evil.test is this server's address as well, so `Host` alone tells that it is not one of its names.
    const rebound = await sendAll(await browser.open(`http://app.test:${port}/`), `evil.test:${portOf(app.server)}`)
    t.strictSame(rebound.statuses, writes(421), 'a rebound name')
    t.match(rebound.outcome, { socket: 'refused', image: 'failed' })
    t.strictSame(handled, [])
  })
}
