// The command line as users run it: the built command (npm run build), in a process of its own, on applications of every form.
import { spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isReadable } from '../support/terminal'

const APP = 'https://app.example.com'
const CLI = join(__dirname, '..', '..', 'dist', 'cli.js')

const REQUIRES = "const Fastify = require('fastify')\nconst cors = require('fastify-cors-policy')\n"
const ROUTES = `app.register(cors, { policies: { partner: { origin: '${APP}' } } })
app.after(() => { app.put('/items/:id', { config: { cors: { extends: 'partner' } } }, async () => 'saved') })\n`
const INSTANCE = `${REQUIRES}const app = Fastify()\n${ROUTES}module.exports = app\n`
const PLUGIN = "async (app) => { await app.register(cors); app.get('/status', { config: { cors: { origin: '*' } } }, async () => 'ok') }"
const TABLE = 'METHOD  URL         POLICY   ORIGIN\nPUT     /items/:id  partner  https://app.example.com\n'

const directory = t.testdir({
  'instance.cjs': INSTANCE,
  'chatty.cjs': `${INSTANCE.replace('Fastify()', 'Fastify({ logger: true })')}console.log('hello', process.argv.length)\napp.log.info('hello')\nsetInterval(() => {}, 1000)\n`,
  'plugin.mjs': `import cors from 'fastify-cors-policy'\nexport const options = { routerOptions: { ignoreTrailingSlash: true } }\nexport default ${PLUGIN}\n`,
  'plugin.cjs': `${REQUIRES}module.exports = ${PLUGIN}\nmodule.exports.options = { routerOptions: { ignoreTrailingSlash: true } }\n`,
  'encapsulated.cjs': `${REQUIRES}module.exports = async (app) => { app.register(async () => {}); app.register(async (app) => { ${ROUTES} }) }\n`,
  'large.cjs': `${INSTANCE}app.after(() => { for (let n = 0; n < 1500; n++) app.get('/a/long/path/of/a/route/number/' + n, { config: { cors: { extends: 'partner' } } }, async () => n) })\n`,
  'listens.cjs': `${INSTANCE}app.listen({ port: 0, host: '127.0.0.1' })\n`,
  'closing.cjs': `${INSTANCE}app.addHook('onClose', async () => { console.log('closed') })\n`,
  'hanging.cjs': `${INSTANCE}setInterval(() => {}, 1000)\napp.addHook('onClose', async () => await new Promise(() => {}))\n`,
  'spinning.cjs': `${INSTANCE}app.addHook('onClose', async () => { for (;;); })\n`,
  'throws.cjs': 'throw new Error(\'no\\u001b[31m database\')',
  'syntax.mjs': 'const a = 1\nlet b = = 2\n',
  'wrong.mjs': 'export default 1',
  'program.mjs': `import Fastify from 'fastify'\nimport cors from 'fastify-cors-policy'\nconst app = Fastify()\n${ROUTES}await app.listen({ port: 3000 })\n`,
  'throws-nothing.mjs': 'throw Object.create(null)',
  'without.cjs': "module.exports = async (app) => { app.addHook('onClose', async () => { console.log('closed') }) }\n",
  'fails.cjs': "module.exports = async (app) => { app.addHook('onClose', async () => { console.log('closed') }); throw new Error('no cache') }\n",
  'invalid.cjs': `${REQUIRES}module.exports = async (app) => { await app.register(cors, { defaultPolicy: { origin: 'HTTPS://a.example' } }) }\n`,
  'exits.cjs': 'process.exit(7)',
  'never.cjs': 'setInterval(() => {}, 1000)\nmodule.exports = async () => { console.log(\'waiting\'); await new Promise(() => {}) }\n',
  'taken.cjs': `${INSTANCE}const error = new Error('listen EADDRINUSE'); error.code = 'EADDRINUSE'; throw error\n`,
  'app.mts': `import cors from 'fastify-cors-policy'\nimport type { FastifyInstance } from 'fastify'\nexport default async (app: FastifyInstance): Promise<void> => { ${ROUTES} }\n`,
  'app.cts': `import type { FastifyInstance } from 'fastify'\nconst cors: unknown = require('fastify-cors-policy')\nmodule.exports = async (app: FastifyInstance): Promise<void> => { ${ROUTES} }\n`
})

interface Ended { readonly code: number | null, readonly stdout: string, readonly stderr: string }

async function node (args: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd: directory, env: { ...process.env, COLUMNS: '80' }, ...options, stdio: 'pipe' })
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text) => { stdout += String(text) })
  child.stderr?.setEncoding('utf8').on('data', (text) => { stderr += String(text) })
  const [code] = await once(child, 'close') as [number | null]
  return { code, stdout, stderr }
}

async function cli (...args: string[]): Promise<Ended> {
  return await node([CLI, ...args])
}

t.test('stdout has the table of routes alone, also where the application prints and keeps a timer', async (t) => {
  const { code, stdout, stderr } = await cli('routes', 'chatty.cjs')
  t.equal(code, 0)
  t.equal(stdout, TABLE, 'what the application prints is not among it')
  t.match(stderr, /hello 2\n/, 'but is not lost; the application gets no arguments of ours')
  t.match(stderr, '"msg":"hello"')
})

t.test('the command takes a plugin with its options, an instance, and an application that listens', async (t) => {
  for (const file of ['plugin.mjs', 'plugin.cjs']) {
    const { code, stdout } = await cli('explain', file, '/status/', '--origin', APP, '--json')
    t.equal(code, 0, file)
    t.match(JSON.parse(stdout), { allowed: true, route: { method: 'GET', url: '/status' } }, 'with the options of the server')
  }
  for (const file of ['encapsulated.cjs', 'listens.cjs', 'program.mjs', join(directory, 'instance.cjs')]) {
    const { code, stdout } = await cli('routes', file)
    t.equal(code, 0, file)
    t.equal(stdout, TABLE)
  }
})

t.test('explain ends with exit code 1 if the request is blocked', async (t) => {
  const { code, stdout, stderr } = await cli('explain', 'instance.cjs', 'PUT', '/items/7', '--origin', APP, '--header', 'x-request-id')
  t.equal(code, 1)
  t.match(stdout, 'blocked (header-not-allowed)')
  t.ok(isReadable(stdout))
  t.equal(stderr, '')
})

t.test('a long answer is printed whole', async (t) => {
  const { code, stdout } = await cli('routes', '--json', 'large.cjs')
  t.equal(code, 0)
  t.equal(JSON.parse(stdout).length, 3_001)
})

t.test('the application is closed, whatever the answer', async (t) => {
  for (const [file, code] of [['closing.cjs', 0], ['without.cjs', 2], ['fails.cjs', 2]] as const) {
    const ended = await cli('routes', file)
    t.equal(ended.code, code, file)
    t.match(ended.stderr, 'closed\n', file)
  }
})

t.test('the command ends even if closing the application does not', async (t) => {
  for (const file of ['hanging.cjs', 'spinning.cjs']) {
    const { code, stdout } = await cli('routes', file, '--timeout', '3600')
    t.equal(code, 0, file)
    t.equal(stdout, TABLE)
  }
})

t.test('the command ends with exit code 2, and says why, if it cannot tell the answer', async (t) => {
  const CASES: ReadonlyArray<readonly [args: string[], says: string | RegExp]> = [
    [['routes', 'nowhere.js'], 'there is no file'],
    [['routes', '.'], 'there is no file'],
    [['routes', 'a\n\u001b[31mb'], '/a\\n\\u001b[31mb"\n'],
    [['routes', `${'a'.repeat(5000)}.js`], 'there is no file'],
    [['routes', '--\n\u001b'], 'there is no option --\\u000a\\u001b'],
    [['routes', 'throws.cjs'], 'does not load: no\\u001b[31m database'],
    [['routes', 'syntax.mjs'], /syntax\.mjs:2\nlet b = = 2\n[^]*does not load: Unexpected token '='\n/],
    [['routes', 'wrong.mjs'], 'neither a plugin nor a Fastify instance, and it does not listen'],
    [['routes', 'throws-nothing.mjs'], 'does not load: [Object: null prototype] {}'],
    [['routes', 'without.cjs'], 'fastify-cors-policy is not registered'],
    [['routes', 'invalid.cjs'], '\n  /defaultPolicy/origin: "HTTPS://a.example"'],
    [['routes', 'exits.cjs'], 'ended before it was ready, with exit code 7'],
    [['routes', 'taken.cjs'], 'export it from a file that does not'],
    [['routes', 'never.cjs', '--timeout', '2'], 'did not answer within 2 seconds'],
    [['explain', 'instance.cjs', '/', '--origin', 'app.example.com'], '/origin: "app.example.com"'],
    [['explain', 'instance.cjs', 'items', '--origin', APP, '--header', 'a b\u001b: c'], '/url: "items" is neither a path']
  ]
  for (const [args, says] of CASES) {
    const { code, stdout, stderr } = await cli(...args)
    const name = JSON.stringify(args).slice(0, 80)
    t.equal(code, 2, name)
    t.equal(stdout, '', name)
    t.match(stderr, says, name)
    t.notMatch(stderr, '\u001b', name)
  }
})

t.test('control characters of the question and of the answer reach the terminal escaped', async (t) => {
  const url = '/items/\u001b[2J\u0007%0A?\u202e'
  const args = ['explain', 'instance.cjs', 'PUT', url, '--origin', 'https://evil\u001b.example', '--header', 'x-id: \u001b]0;title\u0007\u009b']
  t.notMatch((await cli(...args)).stderr, /[^\P{C}\n]/u)
  args[5] = 'https://evil.example'
  for (const more of [[], ['--json']]) {
    const { code, stdout } = await cli(...args, ...more)
    t.equal(code, 1)
    t.notMatch(stdout, /[^\P{C}\n]/u)
    t.match(stdout, 'origin-not-allowed')
  }
})

t.test('an application in TypeScript runs in a Node that runs TypeScript', { skip: process.allowedNodeEnvironmentFlags.has('--experimental-strip-types') ? false : 'this Node runs none' }, async (t) => {
  for (const file of ['app.mts', 'app.cts']) {
    const { code, stdout } = await cli('routes', file)
    t.equal(code, 0, file)
    t.equal(stdout, TABLE, file)
  }
})

t.test('an application in TypeScript ends with exit code 2, and what to use, in a Node that does not run TypeScript', { skip: process.allowedNodeEnvironmentFlags.has('--experimental-strip-types') ? 'this Node runs it' : false }, async (t) => {
  const { code, stderr } = await cli('routes', 'app.mts')
  t.equal(code, 2)
  t.match(stderr, 'use Node 22.6 or newer')
})

t.test('an application that imports another copy of the package is answered without a warning', async (t) => {
  cpSync(join(__dirname, '..', '..', 'dist'), join(directory, 'node_modules', 'fastify-cors-policy', 'dist'), { recursive: true })
  cpSync(join(__dirname, '..', '..', 'package.json'), join(directory, 'node_modules', 'fastify-cors-policy', 'package.json'))
  writeFileSync(join(directory, 'copy.cjs'), INSTANCE.replace("'fastify-cors-policy'", "'./node_modules/fastify-cors-policy'").replace('Fastify()', 'Fastify({ logger: true })'))
  const { code, stdout, stderr } = await cli('routes', 'copy.cjs')
  t.equal(code, 0)
  t.equal(stdout, TABLE)
  t.equal(stderr, '', 'nothing is warned about that the application alone would not warn about')
  t.equal((await cli('explain', 'copy.cjs', 'PUT', '/items/7', '--origin', APP)).code, 0)
})

t.test('the application ends with the command, even if the command is killed', async (t) => {
  const child = spawn(process.execPath, [CLI, 'routes', 'never.cjs', '--timeout', '3600'], { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })
  await once(child.stderr, 'data')
  child.kill('SIGKILL')
  // The application has this pipe as well: it is closed when both have ended.
  await once(child, 'close')
  t.equal(child.signalCode, 'SIGKILL')
})
