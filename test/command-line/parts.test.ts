// The parts of the command line, in this process: what it reads, what it prints where, and the application's answers. As a process: command.test.ts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'
import t from 'tap'
import '../../lib/cli'
import { runTask } from '../../lib/cli/application'
import { readArguments } from '../../lib/cli/arguments'
import { run } from '../../lib/cli/run'
import { explanationText, routesText } from '../../lib/cli/text'
import type { CorsExplanation, CorsRoute } from '../../lib/devtools/types'
import { isReadable } from '../support/terminal'

const APP = 'https://app.example.com'
const CORS = "require('fastify-cors-policy')"
const PLUGIN = `async (app) => { await app.register(${CORS}); app.get('/a', { config: { cors: { origin: '*' } } }, async () => 'a') }`

const directory = t.testdir({
  'instance.cjs': `const app = require('fastify')()\napp.register(${PLUGIN})\napp.register(${CORS})\nmodule.exports = app`,
  'plugin.cjs': `module.exports = ${PLUGIN.replace('(app)', '(app, options)').replace("'/a'", 'options.url')}\nmodule.exports.options = { url: '/a' }`,
  'scope.cjs': `require('fastify')().register(async () => {}).ready()\nmodule.exports = async (app) => { app.register(async () => {}); app.register(${PLUGIN}) }`,
  'plain.cjs': 'module.exports = async () => {}',
  'compiled.cjs': `exports.__esModule = true\nexports.default = ${PLUGIN}`,
  'module.mjs': `import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\nexport const options = {}\nexport default ${PLUGIN}`,
  'wrong.mjs': 'export default 1',
  'throws.mjs': 'throw undefined',
  'fails.mjs': "export default async () => { throw Object.assign(new Error('no port'), { code: 'EADDRINUSE' }) }",
  'fails-otherwise.mjs': "export default async () => { throw Object.assign(new Error('no port'), { code: 'E' }) }",
  'disconnects.cjs': 'setInterval(() => {}, 1000)\nprocess.disconnect()\nmodule.exports = async () => await new Promise(() => {})',
  'talks.cjs': `process.send('ready')\nprocess.send(null)\nmodule.exports = ${PLUGIN}`
})
const at = (file: string): string => join(directory, file)

interface Ran { readonly code: number, readonly out: string, readonly err: string }

async function ran (args: readonly string[], { isTTY, env = {} }: { isTTY?: boolean, env?: Record<string, string> } = {}): Promise<Ran> {
  let [out, err] = ['', '']
  const stdout = { write: (text: string) => { out += text }, ...(isTTY !== undefined && { isTTY }) }
  const code = await run(args, { stdout, stderr: { write: (text) => { err += text } }, env })
  return { code, out, err }
}

t.test('arguments are read into the file, the options and the question', async (t) => {
  t.strictSame(readArguments(['routes', 'a.js']), { file: 'a.js', json: false, timeout: 30 })
  t.strictSame(readArguments(['routes', 'a.js', '--json', '--timeout', '1.5']), { file: 'a.js', json: true, timeout: 1.5 })
  t.strictSame(readArguments(['explain', 'a.js', '/x', '--origin', APP]), { file: 'a.js', json: false, timeout: 30, question: { origin: APP, method: 'GET', url: '/x', headers: {}, credentials: false } })
  t.strictSame(readArguments(['explain', 'a.js', 'PUT', '/x', '--origin=null', '--header', 'a', '--header', 'b: c:d ', '--header', 'b:e', '--header', '__proto__:1', '--credentials']), {
    file: 'a.js', json: false, timeout: 30, question: { origin: 'null', method: 'PUT', url: '/x', headers: JSON.parse('{ "a": [""], "b": ["c:d", "e"], "__proto__": ["1"] }'), credentials: true }
  })
  for (const args of [['--help'], ['-h'], ['routes', '--help']]) t.equal(readArguments(args), 'help')
})

t.test('wrong arguments are refused with exit code 2, and with what to write', async (t) => {
  const CASES: ReadonlyArray<readonly [args: string[], says: RegExp]> = [
    [[], /no such command; write routes or explain/],
    [['routs', 'a.js'], /no such command/],
    [['routes'], /the application is missing; write routes app\.js/],
    [['explain'], /the application is missing; write explain app\.js/],
    [['routes', 'a.js', '/x'], /takes the application alone/],
    [['routes', 'a.js', '--origin', APP], /takes the application alone/],
    [['routes', 'a.js', '--header', 'a'], /takes the application alone/],
    [['routes', 'a.js', '--credentials'], /takes the application alone/],
    [['explain', 'a.js', '--origin', APP], /a method and a URL; write/],
    [['explain', 'a.js', 'PUT', '/x', '/y', '--origin', APP], /a method and a URL; write/],
    [['explain', 'a.js', '/x'], /the origin of the page is missing; write --origin/],
    [['explain', 'a.js', '/x', '--origin', APP, '--origin', APP], /write --origin once/],
    [['explain', 'a.js', '/x', '--origin'], /--origin/],
    ...['0', '-1', 'x', '3601', 'Infinity', 'NaN'].map((seconds): [string[], RegExp] => [['routes', 'a.js', `--timeout=${seconds}`], /write --timeout 30/]),
    [['routes', 'a.js', '--jsn\n\u001b'], /Unknown option '--jsn\\u000a\\u001b'/]
  ]
  for (const [args, says] of CASES) {
    t.throws(() => readArguments(args), { message: says }, JSON.stringify(args))
    const { code, out, err } = await ran(args)
    t.equal(code, 2)
    t.equal(out, '')
    t.match(err, says)
  }
})

t.test('an application in every form is asked for its routes, or fails with the reason', async (t) => {
  for (const file of ['plugin.cjs', 'compiled.cjs', 'module.mjs', 'instance.cjs']) {
    const { reply, root } = await runTask({ file: at(file) })
    t.match(reply.corsAnswer, [{ method: 'GET', url: '/a' }, { method: 'HEAD' }], file)
    await root?.close()
    const asked = await runTask({ file: at(file), question: { origin: 'app.example.com', url: '/a' } })
    t.match(asked.reply.corsFailure, '/origin: "app.example.com"', file)
    await asked.root?.close()
  }
  for (const [file, why] of [
    ['wrong.mjs', 'does not load: its default export is neither a plugin nor a Fastify instance'],
    ['throws.mjs', 'does not load: undefined'],
    ['fails.mjs', 'no port; the application listens when it is loaded'],
    ['fails-otherwise.mjs', /no port$/],
    ['plain.cjs', 'fastify-cors-policy is not registered']
  ] as const) {
    const { reply, root } = await runTask({ file: at(file) })
    t.match(reply.corsFailure, why, file)
    await root?.close()
  }
})

t.test('the application runs in a process of its own, and the command says if that ends early or does not answer', async (t) => {
  t.match(await ran(['routes', at('scope.cjs')]), { code: 0, out: /^GET +\/a +- +\*$/m, err: '' })
  t.match((await ran(['explain', at('talks.cjs'), '/a', '--origin', APP])).out, /^allowed$/m)
  t.match((await ran(['explain', at('talks.cjs'), '/b', '--origin', APP, '--json'])), { code: 1, out: '"reason": "no-route"' })
  t.match(await ran(['routes', at('disconnects.cjs')]), { code: 2, err: 'ended before it was ready, with exit code 0' })
  t.match(await ran(['routes', at('plain.cjs')]), { code: 2, err: 'not registered' })
  t.match(await ran(['routes', at('plain.cjs'), '--timeout', '0.01']), { code: 2, err: 'did not answer within 0.01 seconds' })
  t.match(await ran(['routes', at('x'.repeat(5000))]), { code: 2, err: 'there is no file' })
})

t.test('the command ends with exit code 2 if Node cannot be started, with or without an option for TypeScript', async (t) => {
  const { allowedNodeEnvironmentFlags, execPath } = process
  t.teardown(() => { Object.assign(process, { allowedNodeEnvironmentFlags, execPath }) })
  process.execPath = join(directory, 'no-node')
  const file = join(t.testdir({ 'app.ts': '' }), 'app.ts')
  for (const flags of [[], ['--experimental-strip-types']]) {
    Object.assign(process, { allowedNodeEnvironmentFlags: new Set(flags) })
    t.match(await ran(['routes', file]), { code: 2, err: 'ENOENT' }, 'and where Node itself cannot be started, that is said')
  }
})

t.test('the program prints its help, and ends with exit code 2 if nobody reads it', async (t) => {
  const program = [...process.execArgv, join(__dirname, '..', '..', 'lib', `cli${extname(__filename)}`), '--help']
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] })
  let help = ''
  child.stdout.setEncoding('utf8').on('data', (text) => { help += String(text) })
  t.same(await once(child, 'close'), [0, null])
  t.match(help, 'Exit codes: 0 allowed, 1 blocked, 2 could not tell.')
  t.ok(isReadable(help))

  const unread = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'] })
  unread.stdout.destroy()
  let errors = ''
  unread.stderr.setEncoding('utf8').on('data', (text) => { errors += String(text) })
  t.same(await once(unread, 'close'), [2, null], 'nobody was told')
  t.equal(errors, '')
})

const ROUTE: CorsRoute = { method: 'GET', url: '/', policy: null, origin: '*', credentials: false, allowedHeaders: [], exposedHeaders: [], maxAge: null, enforceOrigin: false }

t.test('the table of routes has at most 80 columns, and control characters are escaped', async (t) => {
  t.equal(routesText([]), 'METHOD  URL  POLICY  ORIGIN\n')
  const origins = Array.from({ length: 7 }, (_, n) => `https://${n}.example`)
  const text = routesText([
    ROUTE,
    { ...ROUTE, method: 'PUT', host: 'api.example', policy: 'partner', origin: origins, credentials: true },
    { ...ROUTE, url: '/off', origin: [] },
    { ...ROUTE, url: '/some', credentials: [APP] },
    { ...ROUTE, url: `/${'long'.repeat(20)}`, origin: origins.slice(0, 5) },
    { ...ROUTE, url: '/\u{1f600}\u001b[2J\n\u202e', policy: '\u0007', origin: ['https://*.example\r'] }
  ])
  t.ok(isReadable(text))
  t.equal(text, `METHOD  URL                           POLICY   ORIGIN
GET     /                             -        *
PUT     / (host api.example)          partner  https://0.example,
                                               https://1.example,
                                               https://2.example,
                                               https://3.example,
                                               https://4.example and 2 more with
                                               credentials
GET     /off                          -        none
GET     /some                         -        * with credentials
GET     /longlonglonglonglonglonglon  -        https://0.example,
        glonglonglonglonglonglonglon           https://1.example,
        glonglonglonglonglonglong              https://2.example,
                                               https://3.example,
                                               https://4.example
GET     /\u{1f600}\\u001b[2J\\u000a\\u202e       \\u0007   https://*.example\\u000d
`)
})

const EXPLANATION: CorsExplanation = {
  allowed: false,
  reason: 'origin-not-allowed',
  message: `the policy does not allow ${'x'.repeat(90)}\u001b`,
  advice: 'add it',
  route: null,
  exchanges: [
    { request: { method: 'OPTIONS', url: '/\u001b', headers: { origin: 'https://a.example\n' } }, response: { statusCode: 403, headers: { vary: 'Origin\u009b' } } },
    { request: { method: 'PUT', url: '/', headers: {} }, response: { statusCode: null, headers: {} } }
  ]
}

t.test('an explanation has the exchanges, the verdict and the advice in at most 80 columns, and control characters are escaped', async (t) => {
  const text = explanationText(EXPLANATION, false)
  t.ok(isReadable(text))
  t.equal(text, `> OPTIONS /\\u001b
> origin: https://a.example\\u000a
< 403
< vary: Origin\\u009b

> PUT /
< (not sent; the policy sets these headers)

blocked (origin-not-allowed)
  the policy does not allow
    ${'x'.repeat(76)}
    ${'x'.repeat(14)}\\u001b
  add it
`)
})

t.test('the verdict is coloured on a terminal, unless NO_COLOR has a value', async (t) => {
  t.match(explanationText(EXPLANATION, true), '\n\u001b[31mblocked (origin-not-allowed)\u001b[0m\n')
  t.match(explanationText({ ...EXPLANATION, allowed: true, reason: null, advice: null }, true), '\n\u001b[32mallowed\u001b[0m\n')
  const question = ['explain', at('talks.cjs'), '/a', '--origin', APP]
  t.match((await ran(question, { isTTY: true })).out, '\u001b[32mallowed')
  t.match((await ran(question, { isTTY: true, env: { NO_COLOR: '' } })).out, '\u001b[32mallowed', 'an empty one says nothing: https://no-color.org')
  t.notMatch((await ran(question, { isTTY: true, env: { NO_COLOR: '1' } })).out, '\u001b')
  t.notMatch((await ran(question, { isTTY: false })).out, '\u001b')
})
