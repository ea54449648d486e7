// Every example does what it says: imported as a module, and compiled and run as its users run it. The examples import the package by
// its name, so they use dist/: build first (npm test does).
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { originList, type CorsExplanation } from 'fastify-cors-policy'
import { start } from '../../examples/demonstration'
import { buildApi } from '../../examples/demonstration/api'
import { codeOf } from '../../examples/demonstration/code'
import { ExchangeLog, printable } from '../../examples/demonstration/exchanges'
import { buildPage } from '../../examples/demonstration/pages'
import { GROUPS } from '../../examples/demonstration/presets'
import { build as buildOriginFunction } from '../../examples/origin-function'
import { build as buildQuickStart } from '../../examples/quick-start'
import { build as buildScopes } from '../../examples/scopes'
import { EVIL, FOO } from '../support/origins'
import { only, send } from '../support/raw-http'

const ROOT = join(__dirname, '..', '..')

interface Injected { statusCode: number, headers: Record<string, unknown> }
interface Injecting { inject (options: { method: 'GET' | 'PUT' | 'POST' | 'OPTIONS', url: string, headers: Record<string, string> }): Promise<Injected> }

/** The status and the CORS headers of a response. */
function answer ({ statusCode, headers }: Injected): Record<string, unknown> {
  return { statusCode, ...Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-'))) }
}

async function get (app: Injecting, url: string, origin: string, method: 'GET' | 'PUT' | 'POST' = 'GET'): Promise<Record<string, unknown>> {
  return answer(await app.inject({ method, url, headers: { origin } }))
}

async function preflight (app: Injecting, method: string, url: string, origin: string): Promise<Record<string, unknown>> {
  return answer(await app.inject({ method: 'OPTIONS', url, headers: { origin, 'access-control-request-method': method } }))
}

t.test('in quick-start, each route has its own policy', async (t) => {
  const app = await buildQuickStart()
  t.teardown(() => app.close())
  for (const url of ['/status', '/ping']) t.strictSame(await get(app, url, EVIL), { statusCode: 200, 'access-control-allow-origin': '*' }, url)
  for (const origin of ['https://app.example.com', 'https://eu.partners.example.com']) {
    t.strictSame(await get(app, '/items/1', origin, 'PUT'), {
      statusCode: 200,
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'ETag'
    }, origin)
    t.strictSame(await preflight(app, 'PUT', '/items/1', origin), {
      statusCode: 204,
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers': 'content-type',
      'access-control-max-age': '600'
    }, origin)
  }
  t.strictSame(await preflight(app, 'PUT', '/items/1', 'https://partners.example.com'), { statusCode: 403 })
  t.strictSame(await get(app, '/pay', 'https://shop.example.com', 'POST'), {
    statusCode: 200, 'access-control-allow-origin': 'https://shop.example.com', 'access-control-allow-credentials': 'true'
  })
  t.strictSame(await get(app, '/pay', 'https://app.example.com', 'POST'), { statusCode: 200 })
  t.strictSame(await get(app, '/internal', 'https://app.example.com'), { statusCode: 200 })
  t.strictSame(await preflight(app, 'GET', '/internal', 'https://app.example.com'), { statusCode: 404 })
})

t.test('in scopes, a child scope has a policy and a default of its own', async (t) => {
  const app = await buildScopes()
  t.teardown(() => app.close())
  const [www, admin] = ['https://www.example.com', 'https://admin.example.com']
  t.strictSame(await get(app, '/admin/users', admin), { statusCode: 200, 'access-control-allow-origin': admin, 'access-control-allow-credentials': 'true' })
  t.strictSame(await get(app, '/admin/users', www), { statusCode: 200 })
  t.match(await preflight(app, 'GET', '/admin/users', admin), { statusCode: 204, 'access-control-max-age': '600' }, 'with the field that the outer policy has')
  t.strictSame(await get(app, '/shop/items', www), { statusCode: 200, 'access-control-allow-origin': www })
  t.strictSame(await get(app, '/shop/items', admin), { statusCode: 200 }, 'the same name means the outer policy in a sibling')
  t.strictSame(await get(app, '/shop/stock', www), { statusCode: 200 })
})

t.test('in origin-function, a function decides about each origin', async (t) => {
  const app = await buildOriginFunction(async (tenant) => {
    if (tenant === 'broken') throw new Error('the store is down')
    return new Set(tenant === 'acme' ? [FOO] : [])
  })
  t.teardown(() => app.close())
  app.log.level = 'silent'
  t.strictSame(await get(app, '/tenants/acme/orders', FOO), { statusCode: 200, 'access-control-allow-origin': FOO, 'access-control-allow-credentials': 'true' })
  t.match(await preflight(app, 'GET', '/tenants/acme/orders', FOO), { statusCode: 204, 'access-control-allow-origin': FOO })
  for (const [tenant, origin] of [['acme', EVIL], ['globex', FOO], ['broken', FOO]] as const) {
    t.strictSame(await get(app, `/tenants/${tenant}/orders`, origin), { statusCode: 200 }, tenant)
    t.strictSame(await preflight(app, 'GET', `/tenants/${tenant}/orders`, origin), { statusCode: 403 }, tenant)
  }
})

t.test('in the demonstration, the code beside a route is the code that declares it', async (t) => {
  const code = (method: string, url: string, policy: string | null = null): string => codeOf({ method, url, policy })
  t.equal(code('GET', '/status', 'public'), "public: { origin: '*' }\n\napp.get('/status', { config: { cors: policies.public } }, async () => ({ status: 'ok' }))")
  t.equal(code('HEAD', '/status', 'public'), code('GET', '/status', 'public'))
  t.equal(code('PUT', '/items/:id', 'partner'), `partner: { origin: allowedOrigin, credentials: true, maxAge: 600 }

app.put('/items/:id', {
  config: { cors: { extends: 'partner', exposedHeaders: ['ETag'] } }
}, async (_request, reply) => {
  reply.header('etag', '"1"')
  return { saved: true }
})`)
  t.match(code('POST', '/resources/post-here/'), /^\/\/ Preflighted requests\.[^]*\n {2}method: \['POST', 'GET', 'OPTIONS'\],\n[^]*\n\}\)$/)
  t.match(code('GET', '/resources/access-control-with-credentials/'), /\n\}, greet\)$/, 'and no more than it')
  t.equal(code('GET', '/nowhere', 'constructor'), '')

  const app = await buildApi({ allowedOrigin: FOO, tenants: originList([FOO]), onResponse: async () => {} })
  t.teardown(() => app.close())
  await app.ready()
  const routes = app.cors.routes().filter(({ url }) => !url.startsWith('/_cors'))
  t.ok(routes.length > 8)
  for (const { method, url, policy } of routes) t.match(code(method, url, policy), url, `${method} ${url} has code`)
})

t.test('in the demonstration, every preset gets the verdict that its policy means', async (t) => {
  const app = await buildApi({ allowedOrigin: FOO, tenants: originList([FOO]), onResponse: async () => {} })
  t.teardown(() => app.close())
  const reasons: Record<string, Array<string | null>> = {}
  for (const { id, method, path: url, headers = [], credentials = false } of GROUPS.flatMap(({ presets }) => presets)) {
    const question = { method, url, headers: Object.fromEntries(headers), credentials }
    reasons[id] = [(await app.cors.explain({ ...question, origin: FOO })).reason, (await app.cors.explain({ ...question, origin: EVIL })).reason]
  }
  const forOne = [null, 'origin-not-allowed']
  t.strictSame(reasons, {
    partner: forOne,
    public: [null, null],
    off: ['off', 'off'],
    tenants: forOne,
    header: ['header-not-allowed', 'origin-not-allowed'],
    credentials: ['credentials-not-allowed', 'credentials-not-allowed'],
    method: ['method-not-routed', 'method-not-routed'],
    route: ['no-route', 'no-route'],
    everyone: [null, null],
    'one-origin': forOne,
    preflighted: forOne,
    credentialed: forOne,
    'credentialed-again': forOne
  })
})

t.test('in the demonstration, what is printed and shown is what was sent', async (t) => {
  const printed: string[] = []
  const { api, page, otherPage, close } = await start({ apiPort: 0, pagePort: 0, otherPagePort: 0, print: (text) => printed.push(text) })
  t.teardown(close)
  t.equal(new Set([api, page, otherPage]).size, 3, 'three origins')
  for (const address of [api, `${api}/_cors/`, `${page}/`, `${otherPage}/`]) t.ok(printed[0]?.includes(address), address)
  const port = Number(new URL(api).port)

  // The bytes of an escape sequence for terminals that understand 8-bit controls, and a letter that is not ASCII.
  await send(port, ['GET /resources/public-data/?strange HTTP/1.1', 'Host: bar.other', 'Origin: https://\x9b31m\xe9', 'X-Tab: a\tb'])
  t.equal(printed.length, 2)
  t.match(printed[1], /^\n--- No preset, from https:\/\/\\u009b31m\\u00e9\n/)
  t.match(printed[1], 'Origin: https://\\u009b31m\\u00e9')
  t.notMatch(printed[1], /[^\x20-\x7e\n]/, 'no control character, no letter that looks like another')

  const response = await send(port, ['GET /resources/public-data/ HTTP/1.1', 'Host: bar.other', `Origin: ${page}`])
  const text = `\n--- MDN: simple requests, from ${page}\n\nGET /resources/public-data/ HTTP/1.1\nHost: bar.other\nOrigin: ${page}\n\nHTTP/1.1 200 OK\n`
  t.ok(printed[2]?.startsWith(text), printed[2] ?? 'nothing was printed')
  for (const name of ['access-control-allow-origin', 'content-type', 'content-length']) t.match(printed[2], `\n${name}: ${only(response, name)}`)

  const exchanges = async (changes: Record<string, string> = {}, from = page): Promise<unknown> => await (await fetch(`${from}/exchanges?${new URLSearchParams({ since: '0', path: '/resources/public-data/', ...changes })}`)).json()
  t.strictSame(await exchanges(), [{ preflight: false, text: printed[2]?.split('\n').slice(3).join('\n') }])
  t.strictSame(await exchanges({}, otherPage), [], 'those of the page that asks only')
  t.strictSame(await exchanges({ since: '2' }), [])
  t.match(await exchanges({ since: 'x' }), { statusCode: 400 })

  const ask = async (from: string, path: string, method: string, body: unknown): Promise<Response> => await fetch(`${from}/${path}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const prediction = async (from: string): Promise<CorsExplanation & { code: string, latest: number }> => await (await ask(from, 'prediction', 'POST', { origin: 'https://ignored.example', method: 'PUT', url: `${api}/items/7` })).json() as never
  t.match(await prediction(page), { allowed: true, latest: 2, code: /^partner: \{/ })
  t.match(await prediction(otherPage), { allowed: false, reason: 'origin-not-allowed' }, 'for the page that asks, whatever it says')
  t.equal(printed.length, 3, 'what explain asks is not on the wire')
  const wrong = await ask(page, 'prediction', 'POST', { url: 'items', method: '<b>\u202e' })
  t.equal(wrong.status, 400)
  t.match(await wrong.json(), { code: 'FST_ERR_CORS_INVALID_QUESTION' })

  t.strictSame(await (await ask(page, 'tenants', 'PUT', [otherPage])).json(), [otherPage])
  t.match(await (await fetch(`${otherPage}/demonstration`)).json(), { api, here: otherPage, other: page, allowedOrigin: page, tenants: [otherPage] })
  t.not((await ask(page, 'tenants', 'PUT', ['*'])).status, 200, 'the list takes origins only')
  t.equal((await fetch(`${page}/tenants`, { method: 'OPTIONS', headers: { origin: otherPage, 'access-control-request-method': 'PUT' } })).status, 404, 'and no page of another origin changes it')
})

t.test('in the demonstration, the log keeps the latest 200 exchanges', async (t) => {
  const log = new ExchangeLog()
  const page = buildPage({ log, tenants: originList([]), world: () => ({ app: page, api: '', here: '', other: '', allowedOrigin: '' }) })
  page.addHook('onResponse', async (request, reply) => { log.record(request, reply) })
  t.teardown(() => page.close())
  for (let number = 0; number < 250; number++) await page.inject({ url: '/', headers: { origin: FOO } })
  t.equal(log.latest, 250)
  const kept = log.since(0, '/', FOO).map(({ number }) => number)
  t.equal(kept.length, 200)
  t.equal(kept[0], 51)
  t.strictSame(log.since(249, '/', FOO).map(({ number }) => number), [250])
  t.strictSame(log.since(249, '/', EVIL), [])
  t.strictSame(log.since(249, '/other', FOO), [])
  t.equal(printable('a\u001b[31m\r\n\u2028é'), 'a\\u001b[31m\\u000d\\u000a\\u2028\\u00e9')
})

/** Runs a compiled example as a user does: tap's loaders, which it adds to the environment of every process, left out. */
function run (example: string, environment: Record<string, string>): ChildProcess {
  const variables = Object.entries({ PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...environment }).map(([name, value]) => `${name}=${value}`)
  return spawn('env', ['-i', ...variables, process.execPath, join(ROOT, 'build', 'examples', `${example}.js`)], { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** What an example prints until that matches; an error if it ends before. */
async function printedUntil (child: ChildProcess, pattern: RegExp): Promise<RegExpMatchArray> {
  let output = ''
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => { errors += chunk })
  return await new Promise((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      const match = output.match(pattern)
      if (match !== null) resolve(match)
    })
    child.once('close', (code) => reject(new Error(`ended with ${code}: ${output}${errors}`)))
  })
}

async function end (child: ChildProcess, signal: NodeJS.Signals): Promise<unknown[]> {
  const ended = once(child, 'close')
  child.kill(signal)
  return await ended
}

function endLater (t: Test, child: ChildProcess): void {
  t.teardown(async () => { if (child.exitCode === null && child.signalCode === null) await end(child, 'SIGKILL') })
}

t.test('the compiled examples run as their users run them', async (t) => {
  await promisify(execFile)('env', ['-i', `PATH=${process.env.PATH}`, process.execPath, join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.examples.json'], { cwd: ROOT })

  for (const [example, path] of [['quick-start', '/status'], ['scopes', '/shop/items'], ['origin-function', '/tenants/acme/orders']] as const) {
    t.test(`${example} listens when it is run`, async (t) => {
      const child = run(example, { PORT: '0' })
      endLater(t, child)
      const [, address] = await printedUntil(child, /^Listening at (http:\S+)\n/)
      t.equal((await fetch(`${address}${path}`)).status, 200)
    })
  }

  const ADDRESSES = /an origin it allows: +(http:\S+)\n.* does not: +(http:\S+)\n[^]*Ctrl-C/

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    t.test(`the demonstration serves its pages, and ends with exit code 0 on ${signal}`, async (t) => {
      const child = run('demonstration', { API_PORT: '0', PAGE_PORT: '0', OTHER_PAGE_PORT: '0' })
      endLater(t, child)
      const [, ...pages] = await printedUntil(child, ADDRESSES)
      t.equal(pages.length, 2)
      for (const page of pages as string[]) {
        const html = await fetch(page)
        t.equal(html.headers.get('content-type'), 'text/html; charset=utf-8')
        const files = [...(await html.text()).matchAll(/(?:href|src)="(page\.\w+)"/g)].map(([, file]) => file as string)
        t.strictSame(files, ['page.css', 'page.js'])
        for (const file of files) t.equal((await fetch(new URL(file, page))).status, 200, file)
        const { api } = await (await fetch(new URL('demonstration', page))).json() as { api: string }
        const { origin } = new URL(page)
        const { headers } = await fetch(`${api}/resources/public-data/for-one-origin/`, { headers: { origin } })
        t.equal(headers.get('access-control-allow-origin'), page === pages[0] ? origin : null)
      }
      t.strictSame(await end(child, signal), [0, null])
    })
  }

  t.test('the demonstration starts on other ports if its own are taken', async (t) => {
    const other = createServer()
    other.listen(0, 'localhost')
    await once(other, 'listening')
    t.teardown(() => { other.close() })
    const taken = String((other.address() as AddressInfo).port)
    const child = run('demonstration', { API_PORT: taken, PAGE_PORT: taken, OTHER_PAGE_PORT: taken })
    endLater(t, child)
    const [, page] = await printedUntil(child, ADDRESSES)
    t.not(new URL(page as string).port, taken)
    t.equal((await fetch(page as string)).status, 200)
  })

  t.test('the demonstration refuses a value that is not a port', async (t) => {
    for (const port of ['http', '65536', '-1', '80\u001b[31m']) {
      await t.rejects(printedUntil(run('demonstration', { PAGE_PORT: port }), /./), { message: `ended with 1: PAGE_PORT is not a port from 0 to 65535: ${printable(port)}\n` })
    }
  })
})
