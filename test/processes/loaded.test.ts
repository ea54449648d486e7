// What an application loads of the package and of its dependencies, and when. Each program runs in a process of its own, without the loaders of tap, on what is
// built: so build first (npm test does).
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'

const ROOT = join(__dirname, '..', '..')

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
  const { NODE_OPTIONS, ...env } = process.env
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ['-e', program], { cwd: ROOT, env }, (error, stdout, stderr) => error === null ? resolve(stdout) : reject(new Error(stderr)))
  })
  return JSON.parse(output) as string[][]
}

function packages (loaded: readonly string[] | undefined): string[] {
  return loaded?.filter((name) => !name.startsWith('./')) ?? []
}

function isLoaded (loaded: readonly string[] | undefined, part: string): boolean {
  return loaded?.some((name) => name === `./${part}` || name.startsWith(`./${part}/`)) === true
}

const LATER = ['schema', 'devtools/index', 'devtools/explain', 'browser', 'policy/derived-headers', 'origins/punycode', 'origins/tldts', 'origins/regexp', 'origins/regexp-re2', 'origins/credentials', 'messages/migration-hints', 'response/enforcement']

t.test('a plain application loads two files and no package, and none of the files that are needed later', async (t) => {
  for (const [way, load] of [['CommonJS', undefined], ['an ES module', "const { default: cors } = await import('fastify-cors-policy')"]] as const) {
    const [plain] = await run(`${PLAIN}; found.push(loaded())`, load)
    t.strictSame(packages(plain), [], `from ${way}`)
    t.strictSame(plain?.filter((name) => name.startsWith('./')), ['./core', './index'], 'two files')
    for (const part of LATER) t.notOk(plain?.includes(`./${part}`) === true || (part === 'browser' && isLoaded(plain, part)), `without ${part}`)
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
  t.strictSame(packages(regexp).filter((name) => !packages(credentialed).includes(name)), ['@eslint-community/regexpp', 're2js'], 'what reads and what matches RegExps for a RegExp')
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
      cors.CorsPluginOptionsSchema.properties.policies
      await Fastify().register(cors, { policies: 5, methods: [] })
      throw new Error('not refused')
    } catch (error) {
      if (error.code !== 'FST_ERR_CORS_INVALID_POLICY') throw error
    }
    found.push(loaded())
  `)
  t.ok(isLoaded(everything, 'messages/migration-hints') && isLoaded(everything, 'origins/punycode') && isLoaded(everything, 'origins/tldts'), 'much is')
  t.strictSame(packages(everything).filter((name) => name !== '@fastify/error'), ['@eslint-community/regexpp', 're2js'])
})
