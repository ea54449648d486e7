// README.md: every example runs as it is written and prints what is shown, every line of its tables holds, and it is short enough. docs/comparison.md as well.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual, promisify } from 'node:util'
import { runInThisContext } from 'node:vm'
import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors'
import t from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Results } from '../../bench/findings'
import { headline } from '../../bench/report'
import cors from '../../lib/index'
import { ExtendingPolicySchema, PluginOptionsSchema } from '../../lib/schemas'
import { accessControl, application, approves, EVIL, FOO, ok, preflight, refusal, request } from '../support'
import { portOf } from '../support/ports'
import { Examples, printed, run } from '../support/run-examples'

const examples = new Examples('README.md', 'js')
const typed = new Examples('README.md', 'ts')
const { text: readme } = examples
const ROOT = join(__dirname, '..', '..')
const PACKAGE = JSON.parse(read('package.json')) as { version: string, dependencies: Record<string, string>, bugs: string }

function read (file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

/** The text below a heading, without the sections below it. */
function under (heading: string, text = readme): string {
  const section = text.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`))
  if (section === undefined) throw new Error(`no heading "${heading}"`)
  return section
}

/** The first block of a language below a heading. */
function block (heading: string, language: string): string {
  return new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(under(heading))?.[1] as string
}

/** The cells of the rows of the first table below a heading. */
function table (heading: string, text = readme): string[][] {
  const rows = under(heading, text).split('\n').filter((line) => line.startsWith('| '))
  return rows.slice(1).map((row) => row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()))
}

/** What stands in backquotes. */
function code (cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, text]) => text as string)
}

function evaluate (text: string): unknown {
  return runInThisContext(`(originList, originsFrom) => (${text})`)(cors.originList, cors.originsFrom)
}

t.test('README has at most 1,800 words of prose and tables, which take ten minutes to read', async (t) => {
  const prose = readme.replace(/^```[^]*?^```$/gm, '').replace(/\]\([^)]*\)/g, '').replaceAll('|', ' ')
  const words = prose.split(/\s+/).filter((word) => /\w/.test(word)).length
  t.ok(words > 1000 && words <= 1800, `${words} words`)
})

t.test('the first example of README approves and refuses preflights as its policies say', async (t) => {
  const first = block('fastify-cors-policy', 'js')
  const app = await run(t, `import Fastify from 'fastify'\nconst app = Fastify()\nconst [listPrices, savePrices, deletePrices] = [1, 2, 3].map((n) => async () => n)\n${first}`)
  t.equal(first.trim().split('\n').filter((line) => line !== '').length, 5, 'in five lines')
  t.ok(approves(await preflight(app, 'GET', '/prices', { origin: EVIL }), 'GET'))
  t.ok(approves(await preflight(app, 'PUT', '/prices', { origin: 'https://shop.example.com' }), 'PUT'))
  t.equal((await preflight(app, 'PUT', '/prices', { origin: EVIL })).statusCode, 403)
  t.equal((await preflight(app, 'DELETE', '/prices', { origin: 'https://shop.example.com' })).statusCode, 404)
})

t.test('the quick start in ES modules answers curl as it is shown', async (t) => {
  const app = await run(t, block('ES modules', 'js'))
  const port = portOf(app.server)
  const shown = [...block('ES modules', 'console').matchAll(/^\$ (curl .*)\n([^]*?)(?=^\$|$(?![^]))/gm)]
  t.equal(shown.length, 5)
  for (const [, command = '', output = ''] of shown) {
    const { stdout } = await promisify(execFile)('bash', ['-c', command.replace('localhost:3000', `localhost:${port}`)])
    t.equal(stdout.split('\r\n').filter((line) => /^(?:HTTP|access-control-|vary:)/i.test(line)).join('\n'), output.trim(), command)
  }
})

t.test('the quick start in CommonJS has one policy for all routes but one', async (t) => {
  const app = await run(t, block('CommonJS', 'js'))
  for (const origin of ['https://app.example.com', 'https://admin.example.com']) {
    t.equal((await request(app, 'GET', '/items', origin)).headers['access-control-allow-origin'], origin)
    t.ok(approves(await preflight(app, 'GET', '/items', { origin }), 'GET'))
    t.same(accessControl(await request(app, 'GET', '/internal', origin)), {})
    t.equal((await preflight(app, 'GET', '/internal', { origin })).statusCode, 404)
  }
  t.equal((await preflight(app, 'GET', '/items', { origin: EVIL })).statusCode, 403)
})

t.test('the quick start in TypeScript compiles, names its policies, and applies them', async (t) => {
  t.strictSame(typed.compileErrors(), [])
  t.equal(typed.blocks.length, 1)
  const app = await run(t, block('TypeScript', 'ts'))
  t.same(accessControl(await request(app, 'GET', '/status', EVIL)), { 'access-control-allow-origin': '*' })
  const answer = await preflight(app, 'PUT', '/items/7', { origin: 'https://admin.example.com' })
  t.ok(approves(answer, 'PUT'))
  t.match(answer.headers, { 'access-control-max-age': '600', 'access-control-allow-credentials': 'true' })
})

t.test('the blocked request is explained as it is printed', async (t) => {
  const heading = 'Why is my request blocked?'
  t.equal(await printed(t, `${block('ES modules', 'js')}\n${block(heading, 'js')}`), block(heading, 'text'))
})

t.test('the inspector is registered as it is shown', async (t) => {
  const app = await run(t, `import Fastify from 'fastify'\nimport cors from 'fastify-cors-policy'\nconst app = Fastify()\nawait app.register(cors)\n${block('Inspector and demonstration', 'js')}`)
  t.equal((await app.inject({ url: '/_cors/', headers: { host: 'localhost' } })).statusCode, 200)
  t.equal((await app.inject({ url: '/_cors/', headers: { host: 'dev.example.com' } })).statusCode, 403)
})

t.test('the ports of the demonstration are those of the program', async (t) => {
  const program = read('examples/demonstration.ts')
  const ports = [...program.matchAll(/portFrom\('(\w+)', (\d+)\)/g)].map(([, name, port]) => [name, port])
  t.strictSame(table('Demonstration', read('CONTRIBUTING.md')).map(([name, port]) => [code(name)[0], port]), ports)
  t.match(readme, `http://localhost:${ports.find(([name]) => name === 'PAGE_PORT')?.[1]}/`)
})

t.test('the versions are those of the runner, the package and its tests', async (t) => {
  const [fastify = '', node = '', typescript = ''] = table('Install').map(([, , tested]) => tested)
  const runner = readFileSync(join(ROOT, 'scripts', 'test-versions.mjs'), 'utf8')
  for (const version of ['5.0.0', '5.8.5', '5.11.3']) t.ok(fastify.includes(version) && runner.includes(`'${version}'`), version)
  for (const version of node.split(', ')) t.match(runner, `'${version}`)
  t.match(runner, '^6.0.0-alpha')
  const compilers = [...readFileSync(join(ROOT, 'test', 'package', 'consumers.test.ts'), 'utf8').matchAll(/'(typescript(?:-[\d.]+)?)'[,\]]/g)].map(([, name]) => name as string)
  const found = [...new Set(compilers)].map((name) => (JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version.split('.').slice(0, 2).join('.'))
  t.strictSame(typescript.split(', '), found.sort())
})

t.test('the status is that of the version, every dependency has its sentence, and reports go where package.json says', async (t) => {
  t.match(readme, `**Status: ${PACKAGE.version.split('.').slice(0, 2).join('.')}.**`)
  const installed = readme.split('What it installs:')[1] ?? ''
  const named = [...installed.matchAll(/^- .*$/gm)].flatMap(([line]) => code(line)).filter((name) => !name.includes('fastify-cors-policy'))
  t.strictSame(named.sort(), Object.keys(PACKAGE.dependencies).sort())
  t.match(readme, `](${PACKAGE.bugs})`)
})

t.test('the picture can be read on light and on dark, and without seeing it', async (t) => {
  const [, text = '', file = ''] = /^!\[([^\]]+)\]\(([^)]+\.svg)\)$/m.exec(readme) ?? []
  const picture = read(file)
  t.match(picture, '@media (prefers-color-scheme: dark)')
  t.match(picture, /<title id="title">[^<]+<[^]*<desc id="description">[^<]+</)
  t.ok(text.length > 40)
})

t.test('the figures are those of the benchmark: Node 24 and 20, beside Fastify alone, hooks by hand and @fastify/cors', async (t) => {
  const [, shown = ''] = /<!-- figures: begin [^>]*-->\n+([^]*?)\n*<!-- figures: end -->/.exec(readme) ?? []
  t.equal(shown, headline(RESULTS), 'npm run bench -- --report writes them')
  for (const node of ['Node 24', 'Node 20']) t.match(shown, node)
  t.notMatch(shown, '–', 'all are measured')
})

t.test('every field of a policy is listed, with an example that is accepted and gives the headers that are named', async (t) => {
  const rows = table('A policy')
  t.same(rows.map(([field]) => code(field)[0]).sort(), Object.keys(ExtendingPolicySchema.properties).sort())
  for (const [field, example, meaning] of rows) {
    const app = await application(t, { policies: { partner: { origin: FOO } } })
    const [text = ''] = code(example)
    const policy = evaluate(`{ ${text} }`) as cors.CorsPolicy
    t.ok(text.includes(`${code(field)[0]}:`), text)
    app.put('/', { config: { cors: { ...(!text.includes('origin:') && !text.includes('extends:') && { origin: FOO }), ...policy } as never } }, ok)
    const origin = typeof policy.origin === 'string' ? policy.origin.replace('*', 'a') : FOO
    const answers = [await preflight(app, 'PUT', '/', { origin }), await request(app, 'PUT', '/', origin)]
    t.ok(approves(answers[0] as never, 'PUT'), text)
    const headers = { ...answers[1]?.headers, ...answers[0]?.headers } as Record<string, unknown>
    for (const named of code(meaning).filter((text) => /^[A-Z][\w-]+: /.test(text))) {
      const [name = '', value] = named.split(': ')
      t.equal(headers[name.toLowerCase()], value, named)
    }
    if (text.startsWith('optionsSuccessStatus')) t.equal(answers[0]?.statusCode, 200)
    t.ok(Object.keys(headers).length > 0, text)
    if (text.startsWith('enforceOrigin')) t.equal((await request(app, 'PUT', '/', EVIL)).statusCode, 403)
  }
})

t.test('every form of origin allows what is listed, and nothing that is listed beside it', async (t) => {
  const rows = table('`origin`')
  t.equal(rows.length, 9)
  for (const [write, allowed, refused] of rows) {
    const app = await application(t)
    app.get('/', { config: { cors: { origin: evaluate(code(write)[0] as string) } as never } }, ok)
    const permits = async (origin: string): Promise<boolean> => [origin, '*'].includes((await request(app, 'GET', '/', origin)).headers['access-control-allow-origin'] as string)
    const origins = (cell: string | undefined): string[] => code(cell).filter((text) => text === 'null' || text.includes('://'))
    t.ok(origins(allowed).length > 0)
    for (const origin of origins(allowed)) t.ok(await permits(origin), `${write} allows ${origin}`)
    for (const origin of origins(refused)) t.notOk(await permits(origin), `${write} does not allow ${origin}`)
  }
})

t.test('every option of the plugin is listed, with an example that is accepted', async (t) => {
  const rows = table('The plugin')
  t.same(rows.map(([name]) => code(name)[0]).sort(), Object.keys(PluginOptionsSchema.properties).sort())
  for (const [, example] of rows) await t.resolves(application(t, evaluate(`{ ${code(example)[0]} }`) as cors.CorsPluginOptions), example ?? '')
})

t.test('the refusal is printed as it is shown', async (t) => {
  const app = await application(t)
  const error = refusal(() => app.put('/items/:id', { config: { cors: { origin: ['https://App.Example.com:443/', 'https://*.github.io'], credentials: true, exposedHeader: [] } as never } }, ok))
  const lines = (text: string): Set<string> => new Set(text.trim().split('\n').map((line) => line.trim()))
  t.same(lines(error.message), lines(block('What it refuses', 'text')))
})

const GLOBAL = 'https://global.example'
const RESULTS = JSON.parse(readFileSync(join(ROOT, 'bench', 'results.json'), 'utf8')) as Results

/** An application with `@fastify/cors`. */
async function theirs (t: { teardown: (fn: () => Promise<void>) => void }, options: object = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(fastifyCors, options as FastifyCorsOptions)
  return app
}

/** An application with this plugin, and one route with a policy. */
async function ours (t: Parameters<typeof theirs>[0], policy: object, handler: (request: unknown, reply: { header: (name: string, value: string) => void }) => Promise<string> = ok): Promise<FastifyInstance> {
  const app = await application(t, {}, { logger: { level: 'silent' } })
  app.get('/', { config: { cors: policy as never } }, handler as never)
  return app
}

const allowedOrigin = async (app: FastifyInstance, origin: string): Promise<unknown> => (await request(app, 'GET', '/', origin)).headers['access-control-allow-origin']
const refused = (policy: object): boolean => refusal(() => cors.definePolicies({ policy: policy as never })).code === 'FST_ERR_CORS_INVALID_POLICY'

/** A check for each line of the comparison: what it says about both plugins. */
const COMPARED: Record<string, (test: typeof t) => Promise<void>> = {
  'preflight for a route with its own origin': async (t) => {
    const [one, other] = [await theirs(t, { origin: GLOBAL, methods: ['PUT'] }), await application(t, { defaultPolicy: { origin: GLOBAL } })]
    for (const app of [one, other]) app.put('/', { config: { cors: { origin: FOO } } }, ok)
    t.equal((await preflight(one, 'PUT', '/')).headers['access-control-allow-origin'], GLOBAL)
    t.equal((await preflight(other, 'PUT', '/')).headers['access-control-allow-origin'], FOO)
  },
  'preflight for a route with `cors: false`': async (t) => {
    const [one, other] = [await theirs(t), await application(t, { defaultPolicy: { origin: '*' } })]
    for (const app of [one, other]) app.get('/', { config: { cors: false } }, ok)
    const [there, here] = [await preflight(one, 'GET', '/'), await preflight(other, 'GET', '/')]
    t.ok(there.statusCode === 204 && there.headers['access-control-allow-origin'] === '*' && String(there.headers['access-control-allow-methods']).split(',').includes('GET'))
    t.ok(here.statusCode === 404 && !approves(here, 'GET'))
  },
  'preflight for a path that does not exist': async (t) => {
    const [there, here] = [await preflight(await theirs(t), 'GET', '/nowhere'), await preflight(await ours(t, { origin: '*' }), 'GET', '/nowhere')]
    const withDefault = await application(t, { defaultPolicy: { origin: [FOO, GLOBAL] } })
    t.ok(approves(await preflight(withDefault, 'GET', '/nowhere'), 'GET'))
    t.equal((await preflight(withDefault, 'GET', '/nowhere', { origin: EVIL })).statusCode, 403)
    t.ok(there.statusCode === 204 && there.headers['access-control-allow-origin'] === '*' && String(there.headers['access-control-allow-methods']).split(',').includes('GET'))
    t.ok(here.statusCode === 404 && !approves(here, 'GET'))
  },
  'preflight from a refused origin': async (t) => {
    const there = await preflight(await theirs(t, { origin: [FOO, GLOBAL] }), 'GET', '/', { origin: EVIL })
    t.equal(there.statusCode, 204)
    t.same(Object.keys(accessControl(there)), ['access-control-allow-methods'])
    const here = await preflight(await ours(t, { origin: [FOO, GLOBAL] }), 'GET', '/', { origin: EVIL })
    t.equal(here.statusCode, 403)
    t.same(accessControl(here), {})
  },
  'allowed methods': async (t) => {
    const [one, other] = [await theirs(t), await application(t, { defaultPolicy: { origin: '*' } })]
    for (const app of [one, other]) app.put('/', ok)
    t.equal((await preflight(one, 'PUT', '/')).headers['access-control-allow-methods'], 'GET,HEAD,POST')
    t.equal((await preflight(other, 'PUT', '/')).headers['access-control-allow-methods'], 'PUT')
  },
  'allowed request headers, by default': async (t) => {
    const [one, other] = [await theirs(t, { methods: ['PUT'] }), await application(t, { defaultPolicy: { origin: '*' } })]
    const schema = { headers: { type: 'object', properties: { 'x-request-id': { type: 'string' } } } }
    for (const app of [one, other]) app.put('/', { schema }, ok)
    const allowed = async (app: FastifyInstance): Promise<unknown> => (await preflight(app, 'PUT', '/', { requestHeaders: 'x-anything' })).headers['access-control-allow-headers']
    t.equal(await allowed(one), 'x-anything')
    t.equal(await allowed(other), 'content-type, x-request-id')
  },
  'your own `app.options(\'*\')` or `app.all(\'*\')`': async (t) => {
    for (const method of ['options', 'all'] as const) {
      const one = await theirs(t)
      t.throws(() => one[method]('*', ok), { code: 'FST_ERR_DUPLICATED_ROUTE' })
      const other = await ours(t, { origin: '*' })
      other[method]('*', ok)
      t.equal((await other.inject({ method: 'OPTIONS', url: '/anything' })).body, 'ok')
      t.ok(approves(await preflight(other, 'GET', '/'), 'GET'))
    }
  },
  'a misspelt option': async (t) => {
    const one = await theirs(t, { orign: FOO })
    one.get('/', ok)
    t.equal(await allowedOrigin(one, EVIL), '*')
    t.ok(refused({ orign: FOO }))
  },
  '`/example\\.com$/`': async (t) => {
    const one = await theirs(t, { origin: /example\.com$/ })
    one.get('/', ok)
    t.equal(await allowedOrigin(one, 'https://evilexample.com'), 'https://evilexample.com')
    t.match(refusal(() => cors.definePolicies({ policy: { origin: [/example\.com$/] } })).message, /write .*"https:\/\/\*\.example\.com"/)
  },
  RegExps: async (t) => {
    for (const expression of [/^https:\/\/(?!evil)[a-z.]+$/, /^https:\/\/f(o)\1\.example$/]) {
      const one = await theirs(t, { origin: expression })
      one.get('/', ok)
      t.equal(await allowedOrigin(one, FOO), FOO)
      t.ok(refusal(() => cors.definePolicies({ policy: { origin: [expression] } })).problems.some(({ reason }) => reason === 'unsafe-regexp'))
    }
    // Exponential for an engine that backtracks: this test would not end.
    t.equal(await allowedOrigin(await ours(t, { origin: [/^https:\/\/([a-z]+)+\.example$/] }), `https://${'a'.repeat(60)}.test`), undefined)
  },
  '`origin: \'*\'` with credentials': async (t) => {
    const one = await theirs(t, { origin: '*', credentials: true })
    one.get('/', ok)
    t.same(accessControl(await request(one, 'GET', '/', EVIL)), { 'access-control-allow-origin': '*', 'access-control-allow-credentials': 'true' })
    t.ok(refused({ origin: '*', credentials: true }))
  },
  'credentials for every site (`origin: true`)': async (t) => {
    const one = await theirs(t, { origin: true, credentials: true })
    one.get('/', ok)
    t.same(accessControl(await request(one, 'GET', '/', EVIL)), { 'access-control-allow-origin': EVIL, 'access-control-allow-credentials': 'true' })
    t.ok(refused({ origin: true, credentials: true }))
  },
  'credentials for some origins only': async (t) => {
    const options = { origin: '*', credentials: ['https://app.example.com'] }
    const one = await theirs(t, options)
    one.get('/', ok)
    t.equal((await request(one, 'GET', '/', EVIL)).headers['access-control-allow-credentials'], 'true')
    const other = await ours(t, options)
    t.same(accessControl(await request(other, 'GET', '/', EVIL)), { 'access-control-allow-origin': '*' })
    t.equal((await request(other, 'GET', '/', 'https://app.example.com')).headers['access-control-allow-credentials'], 'true')
  },
  '`Vary`, where a handler sets it as well': async (t) => {
    const handler = async (_request: unknown, reply: { header: (name: string, value: string) => void }): Promise<string> => { reply.header('vary', 'Accept'); return 'ok' }
    const one = await theirs(t, { origin: [FOO, GLOBAL] })
    one.get('/', handler)
    t.equal((await request(one, 'GET', '/', FOO)).headers.vary, 'Accept')
    t.equal((await request(await ours(t, { origin: [FOO, GLOBAL] }, handler), 'GET', '/', FOO)).headers.vary, 'Accept, Origin')
  },
  'a handler that sets `Access-Control-Allow-Origin: *`': async (t) => {
    const handler = async (_request: unknown, reply: { header: (name: string, value: string) => void }): Promise<string> => { reply.header('access-control-allow-origin', '*'); return 'ok' }
    const one = await theirs(t, { origin: [FOO, GLOBAL] })
    one.get('/', handler)
    t.equal(await allowedOrigin(one, EVIL), '*')
    t.equal(await allowedOrigin(await ours(t, { origin: [FOO, GLOBAL] }, handler), EVIL), undefined)
  },
  'an origin function that fails': async (t) => {
    const origin = async (): Promise<boolean> => { throw new Error('no database') }
    const one = await theirs(t, { origin })
    one.get('/', ok)
    t.equal((await request(one, 'GET', '/', FOO)).statusCode, 500)
    const response = await request(await ours(t, { origin }), 'GET', '/', FOO)
    t.equal(response.statusCode, 200)
    t.same(accessControl(response), {})
  },
  'options of a route': async (t) => {
    const one = await theirs(t, { origin: FOO, exposedHeaders: ['ETag'] })
    one.get('/', { config: { cors: { origin: EVIL } } }, ok)
    t.same(accessControl(await request(one, 'GET', '/', EVIL)), { 'access-control-allow-origin': EVIL, 'access-control-expose-headers': 'ETag' })
    const other = await application(t, { policies: { api: { origin: FOO, exposedHeaders: ['ETag'] } }, defaultPolicy: 'api' })
    other.get('/', { config: { cors: { origin: EVIL } } }, ok)
    other.get('/extended', { config: { cors: { extends: 'api', origin: EVIL } } }, ok)
    t.same(accessControl(await request(other, 'GET', '/', EVIL)), { 'access-control-allow-origin': EVIL })
    t.same(accessControl(await request(other, 'GET', '/extended', EVIL)), { 'access-control-allow-origin': EVIL, 'access-control-expose-headers': 'ETag' })
  }
}

t.test('every row of the comparison with @fastify/cors has a check that passes', async (t) => {
  const page = read('docs/comparison.md')
  const rows = table('Compared with `@fastify/cors`', page)
  t.strictSame(rows.map(([what]) => what), Object.keys(COMPARED), 'every line has a check')
  const inReadme = table('Compared with `@fastify/cors`')
  t.ok(inReadme.length > 6)
  for (const row of inReadme) t.ok(rows.some((other) => isDeepStrictEqual(row, other)), `README has a line of docs/comparison.md: ${row.join(' | ')}`)
  const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules', '@fastify', 'cors', 'package.json'), 'utf8')) as { version: string }
  t.match(page, `\`@fastify/cors\` ${version}.`)
  for (const [what, check] of Object.entries(COMPARED)) await t.test(`the row "${what}" holds for @fastify/cors and for this plugin`, check as never)
})
