// An application that uses every part of the package over a real socket, and prints what it saw as one line of JSON. bundles.test.ts bundles and runs it, and
// scripts/test-runtimes.mjs runs it with Bun and Deno; facts.json is what it prints everywhere.
import { request } from 'node:http'
import { Writable } from 'node:stream'
import Fastify from 'fastify'
import cors, { definePolicies, originList } from 'fastify-cors-policy'
import inspector from 'fastify-cors-policy/inspector'

const APP = 'https://app.example.com'
const EVIL = 'https://evil.example'
const TENANT = 'https://tenant.example'

/** The status of a response, and its CORS headers without the common beginning of their names. */
function summary ({ status, headers }) {
  const own = Object.entries(headers).filter(([name]) => name.startsWith('access-control-')).sort(([one], [other]) => one < other ? -1 : 1)
  return [status, Object.fromEntries(own.map(([name, value]) => [name.slice('access-control-'.length), value]))]
}

function reasons (policy) {
  try {
    definePolicies({ policy })
    return []
  } catch ({ problems }) {
    return problems.map(({ reason }) => reason)
  }
}

// No await outside a function: a bundle may be CommonJS.
async function main () {
  const { prepareStackTrace } = Error
  const lines = []
  const stream = new Writable({
    write (line, _encoding, done) {
      lines.push(JSON.parse(line))
      done()
    }
  })
  const app = Fastify({ logger: { level: 'debug', stream } })
  const tenants = originList([APP])
  const handled = []
  const handler = async ({ method, url }) => {
    handled.push(`${method} ${url}`)
    return 'ok'
  }
  const policies = definePolicies({
    public: { origin: '*' },
    partner: { origin: [APP, 'https://*.partners.example.com', /^https:\/\/pr-\d+\.example\.com$/], credentials: true, maxAge: 600, exposedHeaders: ['ETag'] },
    tenants: { origin: tenants, enforceOrigin: true }
  })
  await app.register(cors, { policies })
  await app.register(inspector, { prefix: '/_cors' })
  app.get('/status', { config: { cors: policies.public } }, handler)
  app.put('/items/:id', { config: { cors: { extends: 'partner' } }, schema: { headers: { type: 'object', properties: { 'x-request-id': { type: 'string' } } } } }, handler)
  app.delete('/items/:id', { config: { cors: false } }, handler)
  app.post('/pay', { config: { cors: { extends: 'tenants' } } }, handler)
  await app.ready()
  await app.listen({ port: 0, host: '127.0.0.1' })

  async function exchange (method, path, headers = {}) {
    const response = await new Promise((resolve, reject) => {
      const { port } = app.server.address()
      request({ host: '127.0.0.1', port, method, path, headers: { host: `localhost:${port}`, connection: 'close', ...headers }, agent: false }, resolve).on('error', reject).end()
    })
    let body = ''
    for await (const part of response.setEncoding('utf8')) body += part
    return { status: response.statusCode, headers: response.headers, body }
  }

  async function preflight (origin, method, path, requested) {
    const headers = { origin, 'access-control-request-method': method, ...(requested && { 'access-control-request-headers': requested }) }
    return summary(await exchange('OPTIONS', path, headers))
  }

  const facts = {
    preflights: {
      exact: await preflight(APP, 'PUT', '/items/7', 'x-request-id'),
      pattern: await preflight('https://a.b.partners.example.com', 'PUT', '/items/7'),
      regexp: await preflight('https://pr-12.example.com', 'PUT', '/items/7'),
      refused: await preflight('https://pr-x.example.com', 'PUT', '/items/7'),
      off: (await preflight(APP, 'DELETE', '/items/7'))[1],
      unknown: (await preflight(APP, 'PUT', '/nothing'))[1]
    },
    responses: {
      public: summary(await exchange('GET', '/status', { origin: EVIL })),
      allowed: summary(await exchange('PUT', '/items/7', { origin: APP })),
      refused: summary(await exchange('PUT', '/items/7', { origin: EVIL })),
      missing: summary(await exchange('GET', '/nothing', { origin: APP }))
    },
    originList: {
      before: summary(await exchange('POST', '/pay', { origin: TENANT })),
      after: tenants.add(TENANT) && summary(await exchange('POST', '/pay', { origin: TENANT, 'content-length': 0 }))
    },
    handled,
    refused: {
      suffix: reasons({ origin: 'https://*.github.io', credentials: true }),
      regexp: reasons({ origin: [/example\.com$/] }),
      idn: reasons({ origin: 'https://bücher.example' }),
      typo: reasons({ orign: '*' })
    },
    explain: await Promise.all([APP, EVIL].map(async (origin) => {
      const { allowed, reason, exchanges } = await app.cors.explain({ origin, method: 'PUT', url: '/items/7', headers: { 'x-request-id': '1' }, credentials: true })
      return [allowed, reason, exchanges.length]
    })),
    routes: app.cors.routes().filter(({ url }) => url === '/items/:id').map(({ method, policy, credentials }) => [method, policy, credentials]),
    inspector: await Promise.all(['/_cors/', '/_cors/page.css', '/_cors/page.js', '/_cors/icon.svg', '/_cors/routes'].map(async (path) => {
      const { status, headers, body } = await exchange('GET', path)
      return [status, headers['content-type'], body.length > 100]
    })),
    logged: [...new Set(lines.filter(({ cors }) => cors !== undefined).map(({ cors }) => `${cors.reason} ${cors.origin} ${cors.route}`))].sort(),
    keepsStackTraces: Error.prepareStackTrace === prepareStackTrace
  }
  await app.close()
  console.log(JSON.stringify({ ...facts, closed: true }))
}

main()
