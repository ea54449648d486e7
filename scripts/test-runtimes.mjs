// Runs the packed package where it is not tested otherwise (npm run test:runtimes): in Bun and Deno, and in Node beside two agents that wrap `writeHead` of every
// response. They are installed into a temporary folder. Each runs test/package/runtime/application.mjs, which must print facts.json, and the runtimes run the
// command line, which must print what it prints with Node. Exits with 1 if anything differs.
//   npm run test:runtimes -- --folder /tmp/runtimes     a folder that is kept, so that nothing is installed twice
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { ROOT, run, succeed } from './compiled-tests.mjs'

const { values: options } = parseArgs({ options: { folder: { type: 'string' } } })
const RUNTIME = join(ROOT, 'test', 'package', 'runtime')
const FACTS = JSON.parse(readFileSync(join(RUNTIME, 'facts.json'), 'utf8'))
const TIMEOUT = 60_000

/** newrelic 13 and dd-trace 5 are the last that run with Node 20. */
const PACKAGES = { bun: '1', deno: '2', newrelic: '13', 'dd-trace': '5' }

const COMMANDS = [
  ['routes', 'plugin.mjs'],
  ['routes', 'plugin.mjs', '--json'],
  ['explain', 'plugin.mjs', 'PUT', '/items/7', '--origin', 'https://pr-7.example.com', '--credentials'],
  ['explain', 'plugin.mjs', 'PUT', '/items/7', '--origin', 'https://evil.example']
]

async function install (base) {
  const folder = join(base, 'tools')
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return folder
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: PACKAGES }))
  await succeed('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--ignore-scripts', '--loglevel=error'], { cwd: folder })
  // Of all their install scripts, this one is needed: it puts Bun's program into its place.
  await succeed(process.execPath, ['install.js'], { cwd: join(folder, 'node_modules', 'bun') })
  return folder
}

/** A project with the packed package, unpacked, and links to its dependencies: as a user has it, and without the tools. */
async function project (base) {
  const folder = join(base, 'project')
  rmSync(folder, { recursive: true, force: true })
  const target = join(folder, 'node_modules', 'fastify-cors-policy')
  mkdirSync(target, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const [{ filename }] = JSON.parse(await succeed('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: ROOT }))
  await succeed('tar', ['-xzf', join(folder, filename), '-C', target, '--strip-components=1'], { cwd: folder })
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  }
  for (const file of ['application.mjs', 'plugin.mjs', 'wrapped.cjs']) cpSync(join(RUNTIME, file), join(folder, file))
  return folder
}

const failures = []
let passed = 0

function check (what, isRight, details) {
  console.log(`${isRight ? 'ok' : 'not ok'} ${what}`)
  if (isRight) passed++
  else failures.push(what)
  if (!isRight) console.log(details.split('\n').map((line) => `  ${line}`).join('\n'))
}

function parsed (text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Compares what the application printed with facts.json, part by part. */
function checkFacts (name, { code, signal, stdout, stderr }) {
  const facts = parsed(stdout)
  check(`${name}: the application runs to its end`, code === 0 && facts !== undefined, `ended with ${code ?? signal}\n${stdout}${stderr}`.slice(0, 2000))
  if (facts === undefined) return
  for (const part of new Set([...Object.keys(FACTS), ...Object.keys(facts)])) {
    check(`${name}: ${part}`, isDeepStrictEqual(facts[part], FACTS[part]), `${JSON.stringify(facts[part])}\ninstead of\n${JSON.stringify(FACTS[part])}`)
  }
}

const base = options.folder === undefined ? realpathSync(mkdtempSync(join(tmpdir(), 'fastify-cors-policy-runtimes-'))) : resolve(options.folder)
try {
  const [tools, folder] = [await install(base), await project(base)]
  const bin = (name) => join(tools, 'node_modules', '.bin', name)
  const versionOf = (name) => JSON.parse(readFileSync(join(tools, 'node_modules', name, 'package.json'), 'utf8')).version
  const start = (command, args, env) => run(command, args, { cwd: folder, timeout: TIMEOUT, env: { ...process.env, NO_COLOR: '1', ...env } })
  const cli = join('node_modules', 'fastify-cors-policy', 'dist', 'cli.js')

  for (const [name, command, args] of [['bun', bin('bun'), ['run']], ['deno', bin('deno'), ['run', '--allow-all', '--node-modules-dir=manual']]]) {
    const runtime = `${name} ${versionOf(name)}`
    checkFacts(runtime, await start(command, [...args, 'application.mjs']))
    for (const words of COMMANDS) {
      const [expected, found] = [await start(process.execPath, [cli, ...words]), await start(command, [...args, cli, ...words])]
      const isSame = expected.stdout !== '' && expected.stdout === found.stdout && expected.code === found.code
      check(`${runtime}: ${words.join(' ')}`, isSame, `ended with ${found.code}\n${found.stdout}${found.stderr}\ninstead of ${expected.code}\n${expected.stdout}${expected.stderr}`)
    }
  }

  const agents = [
    ['newrelic', 'newrelic', { NEW_RELIC_APP_NAME: 'test', NEW_RELIC_LICENSE_KEY: '0'.repeat(40), NEW_RELIC_HOST: '127.0.0.1', NEW_RELIC_NO_CONFIG_FILE: 'true', NEW_RELIC_LOG_ENABLED: 'false', NEW_RELIC_DISTRIBUTED_TRACING_ENABLED: 'false', NEW_RELIC_CROSS_APPLICATION_TRACER_ENABLED: 'true' }],
    ['dd-trace', 'dd-trace/init', { DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false', DD_REMOTE_CONFIGURATION_ENABLED: 'false', DD_TRACE_STARTUP_LOGS: 'false', DD_APPSEC_ENABLED: 'true' }]
  ]
  for (const [name, entry, env] of agents) {
    const agent = `Node ${process.versions.node} with ${name} ${versionOf(name)}`
    const result = await start(process.execPath, ['-r', join(tools, 'node_modules', entry), '-r', './wrapped.cjs', 'application.mjs'], env)
    check(`${agent}: the agent wraps writeHead`, result.stderr.includes('writeHead is wrapped'), result.stderr)
    checkFacts(agent, result)
  }
} finally {
  if (options.folder === undefined) rmSync(base, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failures.length} failed`)
if (failures.length > 0 || passed === 0) process.exitCode = 1
