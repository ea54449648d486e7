// The parts of the command line, in this process: what it reads, what it prints where, and the application's answers. As a process: command.test.ts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import t from 'tap'
import '../../lib/cli'
import { answerTo, closeAll, type Task, type TaskReply } from '../../lib/cli/application'
import { COMMANDS } from '../../lib/cli/commands'
import { readArguments, readHeaders } from '../../lib/cli/options'
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
  'program.mjs': `import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\nconst app = require('fastify')()\nawait (${PLUGIN})(app)\nawait app.listen({ port: 3000, host: '::' })\nif (app.server.address().address !== '127.0.0.1') throw new Error('listens elsewhere')`,
  'starts.cjs': `const app = require('fastify')()\napp.register(${PLUGIN})\nsetTimeout(() => app.listen((error) => { if (error) throw error }), 10)`,
  'without-stack.cjs': "throw { message: 'no stack' }",
  'syntax.cjs': 'const a = 1\nlet b = = 2\n',
  'syntax.mjs': 'const a = 1\nlet b = = 2\n',
  'throws.mjs': 'throw undefined',
  'fails.mjs': "export default async () => { throw Object.assign(new Error('no port'), { code: 'EADDRINUSE' }) }",
  'fails-otherwise.mjs': "export default async () => { throw Object.assign(new Error('no port'), { code: 'E' }) }",
  'wide.cjs': `module.exports = ${PLUGIN.replace("origin: '*'", "origin: [1, 2, 3, 4, 5].map((n) => 'https://' + n + '.a-long-name.of-a-company.example')")}`,
  'disconnects.cjs': 'setInterval(() => {}, 1000)\nprocess.disconnect()\nmodule.exports = async () => await new Promise(() => {})',
  'talks.cjs': `process.send('ready')\nprocess.send(null)\nmodule.exports = ${PLUGIN}`
})
const at = (file: string): string => join(directory, file)

interface Ran { readonly code: number, readonly out: string, readonly err: string }

async function ran (args: readonly string[], { isTTY, columns, env = {} }: { isTTY?: boolean, columns?: number, env?: Record<string, string> } = {}): Promise<Ran> {
  let [out, err] = ['', '']
  const stdout = { write: (text: string) => { out += text }, ...(isTTY !== undefined && { isTTY }), ...(columns !== undefined && { columns }) }
  const code = await run(args, { stdout, stderr: { write: (text) => { err += text } }, env })
  return { code, out, err }
}

t.test('arguments are read into the command, its options and the rest', async (t) => {
  const read = (...args: string[]) => readArguments(args, COMMANDS)
  t.strictSame(read('routes', 'a.js'), { command: COMMANDS['routes'], args: { positionals: ['a.js'], values: {}, timeout: 30 } })
  t.strictSame(read('routes', 'a.js', '--json', '--timeout', '1.5'), { command: COMMANDS['routes'], args: { positionals: ['a.js'], values: { json: true, timeout: '1.5' }, timeout: 1.5 } })
  t.match(read('explain', 'a.js', 'PUT', '/x', '--origin=null', '--header', 'a', '--header', 'b: c', '--credentials'), {
    command: COMMANDS['explain'], args: { positionals: ['a.js', 'PUT', '/x'], values: { origin: ['null'], header: ['a', 'b: c'], credentials: true } }
  })
  t.strictSame(readHeaders(['a', 'b: c:d ', 'b:e', '__proto__:1']), JSON.parse('{ "a": [""], "b": ["c:d", "e"], "__proto__": ["1"] }'))
  t.strictSame(readHeaders(), {})
  for (const args of [[], ['--help'], ['-h'], ['routes', '--help'], ['nowhere', '--help']]) t.equal(readArguments(args, COMMANDS), 'help')
  for (const args of [['--version'], ['-v'], ['routes', '-v']]) t.equal(readArguments(args, COMMANDS), 'version')
})

t.test('no arguments print the help, and --version the version', async (t) => {
  const help = await ran([])
  t.match(help, { code: 0, err: '' })
  t.same(await ran(['--help']), help)
  t.ok(isReadable(help.out))
  for (const name of Object.keys(COMMANDS)) t.match(help.out, `fastify-cors-policy ${name} `)
  t.same(await ran(['--version']), { code: 0, out: `${JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')).version}\n`, err: '' })
})

t.test('wrong arguments are refused with exit code 2, and with what to write', async (t) => {
  const CASES: ReadonlyArray<readonly [args: string[], says: RegExp]> = [
    [['routs', 'a.js'], /there is no command "routs"; did you mean routes\?/],
    [['toString', 'a.js'], /there is no command "toString"; write routes, explain, verify/],
    [['--json'], /the command is missing; write routes, explain, verify/],
    [['routes'], /the application is missing; write routes app\.js/],
    [['explain'], /the application is missing; write explain app\.js/],
    [['routes', 'a.js', '/x'], /takes the application alone/],
    [['routes', 'a.js', '--origin', APP], /routes takes no --origin; its options are --json, --timeout, --version, --help/],
    [['routes', 'a.js', '--header', 'a'], /routes takes no --header/],
    [['routes', 'a.js', '--credentials'], /routes takes no --credentials/],
    [['explain', 'a.js', '--origin', APP], /a method and a URL; write/],
    [['explain', 'a.js', 'PUT', '/x', '/y', '--origin', APP], /a method and a URL; write/],
    [['explain', 'a.js', '/x'], /the origin of the page is missing; write --origin/],
    [['explain', 'a.js', '/x', '--origin', APP, '--origin', APP], /write --origin once/],
    [['explain', 'a.js', '/x', '--origin'], /--origin/],
    ...['0', '-1', 'x', '3601', 'Infinity', 'NaN'].map((seconds): [string[], RegExp] => [['routes', 'a.js', `--timeout=${seconds}`], /write --timeout 30/]),
    [['routes', 'a.js', '--jsn\n\u001b'], /there is no option --jsn\\u000a\\u001b; see the help/],
    [['routes', 'a.js', '--orign', APP], /there is no option --orign; did you mean --origin\?/],
    [['routes', 'a.js', '-x'], /there is no option -x; see the help/],
    [['routes', 'a.js', '--something'], /there is no option --something; see the help/]
  ]
  for (const [args, says] of CASES) {
    t.throws(() => {
      const invocation = readArguments(args, COMMANDS)
      if (typeof invocation === 'object') throw new Error('a command')
    }, JSON.stringify(args))
    const { code, out, err } = await ran(args)
    t.equal(code, 2)
    t.equal(out, '')
    t.match(err, says)
  }
})

/** Loads an application in this process and asks it; if it does not load, that is the answer. */
async function asked (file: string, task: Task): Promise<TaskReply> {
  const reply = await answerTo({ load: at(file) })
  return reply.corsFailure === undefined ? await answerTo({ task }) : reply
}

t.test('an application in every form is asked for its routes, or fails with the reason', async (t) => {
  for (const file of ['plugin.cjs', 'compiled.cjs', 'module.mjs', 'instance.cjs', 'program.mjs', 'starts.cjs']) {
    t.match((await asked(file, { name: 'routes' })).corsAnswer, [{ method: 'GET', url: '/a' }, { method: 'HEAD' }], file)
    t.match((await answerTo({ task: { name: 'explain', question: { origin: 'app.example.com', url: '/a' } } })).corsFailure, '/origin: "app.example.com"', file)
    await closeAll()
  }
  for (const [file, why] of [
    ['throws.mjs', /^the application does not load: undefined$/],
    ['fails.mjs', /^the application does not load: no port; the application listens when it is loaded; export it from a file that does not listen$/],
    ['fails-otherwise.mjs', /does not load: no port\n {4}at /],
    ['without-stack.cjs', /does not load: no stack$/],
    ['syntax.cjs', /does not load: Unexpected token '='\n.*syntax\.cjs:2\nlet b = = 2\n {8}\^\n/],
    ['syntax.mjs', /does not load: Unexpected token '='/],
    ['plain.cjs', /^fastify-cors-policy is not registered/]
  ] as const) {
    const { corsFailure } = await asked(file, { name: 'routes' })
    t.match(corsFailure, why, file)
    t.notMatch(corsFailure, 'node:internal')
    await closeAll()
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
  t.match(help, 'Exit codes: 0 good, 1 blocked or found something, 2 could not tell.')
  t.ok(isReadable(help))

  const unread = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'] })
  unread.stdout.destroy()
  let errors = ''
  unread.stderr.setEncoding('utf8').on('data', (text) => { errors += String(text) })
  t.same(await once(unread, 'close'), [2, null], 'nobody was told')
  t.equal(errors, '')
})

const ROUTE: CorsRoute = { method: 'GET', url: '/', policy: null, declaration: 'policy', origin: '*', credentials: false, allowedHeaders: [], exposedHeaders: [], maxAge: null, enforceOrigin: false }

t.test('the table of routes has at most 80 columns, and control characters are escaped', async (t) => {
  t.equal(routesText([], 80), 'METHOD  URL  POLICY  ORIGIN\n')
  const origins = Array.from({ length: 7 }, (_, n) => `https://${n}.example`)
  const text = routesText([
    ROUTE,
    { ...ROUTE, method: 'PUT', host: 'api.example', policy: 'partner', origin: origins, credentials: true },
    { ...ROUTE, url: '/off', origin: [] },
    { ...ROUTE, url: '/some', credentials: [APP] },
    { ...ROUTE, url: `/${'long'.repeat(20)}`, origin: origins.slice(0, 5) },
    { ...ROUTE, url: '/\u{1f600}\u001b[2J\n\u202e', policy: '\u0007', origin: ['https://*.example\r'] }
  ], 80)
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

t.test('the table follows the width of the terminal, and is not wrapped where it is piped', async (t) => {
  const route = { ...ROUTE, url: `/${'long'.repeat(12)}`, origin: [1, 2, 3].map((n) => `https://${n}.a-long-name.example`) }
  for (const width of [40, 60, 80, 200]) {
    const lines = routesText([route], width).trimEnd().split('\n')
    t.ok(lines.every((line) => [...line].length <= width), `${width}`)
    t.equal(lines.length === 2, width === 200)
  }
  t.equal(routesText([route], Infinity).split('\n')[1], `GET     ${route.url}  -       ${route.origin.join(', ')}`)
  const wide = async (columns?: number, env = {}): Promise<number> => {
    const { out } = await ran(['routes', at('wide.cjs')], { ...(columns !== undefined && { columns, isTTY: true }), env })
    return Math.max(...out.split('\n').map((line) => line.length))
  }
  t.ok(await wide() > 150, 'piped')
  t.ok(await wide(60) <= 60)
  t.ok(await wide(10) <= 40, 'no narrower than can be read')
  t.ok(await wide(0) > 150, 'a terminal that does not know')
  t.ok(await wide(undefined, { COLUMNS: '70' }) <= 70)
})

const EXPLANATION: CorsExplanation = {
  allowed: false,
  reason: 'origin-not-allowed',
  message: `the policy does not allow ${'x'.repeat(90)}\u001b`,
  advice: 'add it',
  route: null,
  notes: [],
  exchanges: [
    { request: { method: 'OPTIONS', url: '/\u001b', headers: { origin: 'https://a.example\n' } }, response: { statusCode: 403, headers: { vary: 'Origin\u009b' } } },
    { request: { method: 'PUT', url: '/', headers: {} }, response: { statusCode: null, headers: {} } }
  ]
}

t.test('an explanation has the exchanges, the verdict and the advice in at most 80 columns, and control characters are escaped', async (t) => {
  const text = explanationText(EXPLANATION, { colour: false, width: 80 })
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
  t.match(explanationText(EXPLANATION, { colour: true, width: 80 }), '\n\u001b[31mblocked (origin-not-allowed)\u001b[0m\n')
  t.match(explanationText({ ...EXPLANATION, allowed: true, reason: null, advice: null }, { colour: true, width: 80 }), '\n\u001b[32mallowed\u001b[0m\n')
  const question = ['explain', at('talks.cjs'), '/a', '--origin', APP]
  t.match((await ran(question, { isTTY: true })).out, '\u001b[32mallowed')
  t.match((await ran(question, { isTTY: true, env: { NO_COLOR: '' } })).out, '\u001b[32mallowed', 'an empty one says nothing: https://no-color.org')
  t.notMatch((await ran(question, { isTTY: true, env: { NO_COLOR: '1' } })).out, '\u001b')
  t.notMatch((await ran(question, { isTTY: false })).out, '\u001b')
})
