// What an application loads of the package and of its dependencies, and when. Each program runs in a process of its own, without the loaders of tap, on what is
// built: so build first (npm test does).
import t from 'tap'
import { ROOT, run as runClean } from '../package/installed'

/** Begins a program: `loaded` is what was loaded besides Fastify, as the names of packages and the files of dist/. */
const BEGIN = `
  const { createRequire } = require('node:module')
  const Fastify = require('fastify')
  require('light-my-request') // with the first inject
  Fastify().ready()
  const before = new Set(Object.keys(require.cache))
  const root = ${JSON.stringify(ROOT)} + '/'
  const loaded = () => [...new Set(Object.keys(require.cache).filter((file) => !before.has(file)).map((file) =>
    /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(file)?.[1] ?? file.slice(root.length).replace(/^dist\\/(.*)\\.js$/, './$1')))].sort()
  const preflight = (app, url) => app.inject({ method: 'OPTIONS', url, headers: { origin: 'https://a.example', 'access-control-request-method': 'PUT' } })
  const ok = async () => 'ok'
`
const PLAIN = `
  const app = Fastify()
  await app.register(cors, { policies: { a: { origin: ['https://a.example', 'http://localhost:3000'], credentials: true, exposedHeaders: ['ETag'], maxAge: 600 } }, defaultPolicy: 'a' })
  app.put('/items/:id', { config: { cors: { extends: 'a' } } }, ok)
  app.get('/items/:id', { config: { cors: { origin: '*' } } }, ok)
  app.get('/off', { config: { cors: false } }, ok)
  app.get('/', ok)
  await app.ready()
`

/** Runs a program that gives lists of what is loaded by then. */
async function run (steps: string, load = "const cors = require('fastify-cors-policy')"): Promise<string[][]> {
  const program = `${BEGIN}
    ;(async () => {
      ${load}
      const found = [];
      ${steps}
      console.log(JSON.stringify(found))
    })().catch((error) => { console.error(error); process.exitCode = 1 })`
  const { code, stdout, stderr } = await runClean(process.execPath, ['--expose-gc', '-e', program], ROOT)
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as string[][]
}

function packages (loaded: readonly string[] | undefined): string[] {
  return loaded?.filter((name) => !name.startsWith('./')) ?? []
}

function isLoaded (loaded: readonly string[] | undefined, part: string): boolean {
  return loaded?.some((name) => name === `./${part}` || name.startsWith(`./${part}/`)) === true
}

const LATER = ['schemas', 'devtools/index', 'devtools/explain', 'browser', 'policy/derived-headers', 'origins/tldts', 'origins/regexp', 'origins/regexp-matcher', 'origins/credentials', 'messages/migration-hints']

t.test('a plain application loads none of the files that are needed later, and only packages that Fastify uses too', async (t) => {
  for (const [way, load] of [['CommonJS', undefined], ['an ES module', "const { default: cors } = await import('fastify-cors-policy')"]] as const) {
    const [plain] = await run(`${PLAIN}; found.push(loaded())`, load)
    t.strictSame(packages(plain), ['fastify-plugin'], `from ${way}`)
    t.ok(isLoaded(plain, 'index') && isLoaded(plain, 'policy'), 'much is')
    for (const part of LATER) t.notOk(isLoaded(plain, part), `without ${part}`)
  }
})

t.test('the files that read schemas are loaded with the first preflight, and those of explain with the first question', async (t) => {
  const [plain, answered, explained] = await run(`${PLAIN}
    found.push(loaded())
    if ((await preflight(app, '/items/1')).headers['access-control-allow-methods'] !== 'PUT') throw new Error('no answer')
    found.push(loaded())
    await app.cors.explain({ origin: 'https://a.example', method: 'PUT', url: '/items/1' })
    found.push(loaded())
  `)
  t.notOk(isLoaded(plain, 'policy/derived-headers'), 'what reads the schemas of routes')
  t.ok(isLoaded(answered, 'policy/derived-headers'), 'with the first preflight')
  t.notOk(isLoaded(answered, 'devtools/explain') || isLoaded(answered, 'browser'), 'explain')
  t.ok(isLoaded(explained, 'devtools/explain') && isLoaded(explained, 'browser'), 'explain with the first question')
  t.strictSame(packages(explained), packages(plain), 'no packages: the router is the one that Fastify has loaded')
})

t.test('a package is loaded only when a policy needs it', async (t) => {
  const [none, pattern, credentialed, regexp] = await run(`
    found.push(loaded())
    cors.definePolicies({ a: { origin: 'https://*.example.com' } })
    found.push(loaded())
    cors.definePolicies({ a: { origin: 'https://*.example.com', credentials: true } })
    found.push(loaded())
    cors.definePolicies({ a: { origin: [/^https:\\/\\/[a-z]+\\.example\\.com$/] } })
    found.push(loaded())
  `)
  t.strictSame(packages(pattern), packages(none), 'none for a pattern without credentials')
  t.strictSame(packages(credentialed).filter((name) => !packages(none).includes(name)), [], 'the package has the public suffixes itself,')
  t.notOk(isLoaded(pattern, 'origins/tldts'), 'and loads them')
  t.ok(isLoaded(credentialed, 'origins/tldts'), 'for a pattern with credentials')
  t.strictSame(packages(regexp).filter((name) => !packages(credentialed).includes(name)), ['@eslint-community/regexpp'], 'what reads RegExps for a RegExp')
})

t.test('TypeBox is never loaded, whatever a policy and its mistakes are', async (t) => {
  const [everything] = await run(`${PLAIN}
    await preflight(app, '/items/1')
    await app.cors.explain({ origin: 'https://a.example', method: 'PUT', url: '/items/1' })
    app.cors.routes()
    cors.definePolicies({ a: { origin: 'https://*.example.com', credentials: true } })
    cors.originList([/^https:\\/\\/[a-z]+\\.example\\.com$/, 'https://xn--bcher-kva.example'])
    const wrong = [{ orign: '*' }, { origin: 5 }, { origin: '*', maxAge: -1 }, { origin: true }, { extends: 'b' }, { origin: '*', exposedHeaders: 'ETag' }, { origin: [{}] }]
    for (const policy of wrong) {
      try {
        cors.definePolicies({ policy })
      } catch (error) {
        if (error.problems.length > 0) continue
      }
      throw new Error('not refused')
    }
    try {
      await Fastify().register(cors, { policies: 5, methods: [] })
      throw new Error('not refused')
    } catch (error) {
      if (error.code !== 'FST_ERR_CORS_INVALID_POLICY') throw error
    }
    found.push(loaded())
  `)
  t.ok(isLoaded(everything, 'messages/migration-hints') && isLoaded(everything, 'origins/tldts'), 'much is')
  t.strictSame(packages(everything).filter((name) => name !== '@fastify/error'), ['@eslint-community/regexpp', 'fastify-plugin', 'punycode'])
})

/** Begins a program that imports the package again and again, as Jest does for each test file. */
const RELOAD = `
  const http = require('node:http')
  const diagnostics = require('node:diagnostics_channel')
  const { join } = require('node:path')
  const subscribed = []
  const { subscribe } = diagnostics.Channel.prototype
  diagnostics.Channel.prototype.subscribe = function (...args) {
    subscribed.push(String(this.name))
    return subscribe.apply(this, args)
  }
  const load = () => {
    for (const file of Object.keys(require.cache)) if (file.startsWith(join(root, 'dist'))) delete require.cache[file]
    // A module keeps those that it has loaded: a new one each time.
    const load = createRequire(join(root, 'reload.js'))
    return [load('fastify-cors-policy'), load('fastify-cors-policy/inspector')]
  }
  const heap = () => {
    for (let times = 0; times < 3; times++) global.gc()
    return process.memoryUsage().heapUsed
  }
  const describe = async () => {
    class Config { get name () { return 'own' } }
    const config = new Config()
    const app = Fastify()
    const declared = []
    app.addHook('onRoute', (route) => { declared.push(route.config.name, ...Reflect.ownKeys(route).map(String)) })
    app.get('/items/:id', { config }, ok)
    app.get('/', { config: { cors: { origin: 5 } } }, ok)
    const found = await preflight(app, '/items/1')
    const got = await app.inject('/items/1')
    return JSON.stringify([
      Reflect.ownKeys(app).map(String), declared, found.statusCode, found.headers.vary, Object.keys(got.headers), app.printRoutes(),
      process.eventNames().map(String), Object.keys(http.ServerResponse.prototype), String(Error.prepareStackTrace), Object.getOwnPropertySymbols(globalThis).map(String)
    ])
  }
`

t.test('importing the package does nothing: 50 times leave no subscriber, no memory and no trace in an application', async (t) => {
  const [[before, after], subscribed, [growth]] = await run(`${RELOAD}
    await describe()
    const before = await describe()
    for (let times = 0; times < 10; times++) load()
    const first = heap()
    for (let times = 0; times < 50; times++) load()
    const growth = heap() - first
    found.push([before, await describe()], subscribed, [growth])
  `, '') as unknown as [[string, string], string[], [number]]
  t.equal(after, before, 'an application that does not register it is as it was')
  t.match(before, '"own"', 'and its hooks see the config of its own')
  t.strictSame(subscribed, [], 'nothing subscribes to a channel')
  t.ok(growth < 500_000, `the heap grows by ${growth} bytes with 50 more`)
})
