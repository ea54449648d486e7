// Runs the tests of behaviour with every Fastify and Node that the package supports (npm run test:versions): the versions are installed into a temporary
// folder, and so is the project, compiled, beside each Fastify. Prints one table at the end; exits with 1 if anything failed.
//   npm run test:versions -- --fastify 5.0.0 --fastify 5 --node 22     restricts the versions
//   npm run test:versions -- --test scopes                             restricts the tests to those whose paths in test/ contain a text
//   npm run test:versions -- --jobs 1 --folder /tmp/versions           files at once; a folder that is kept, so that nothing is installed twice
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { compile, each, ROOT, run, runTest, succeed } from './compiled-tests.mjs'

const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** What npm is asked for: the oldest Fastify, the last of several minors, the newest, and the next major. The oldest Node, and the newest of each major. */
const FASTIFY = ['5.0.0', '5.8.5', '5.11.3', '5', '^6.0.0-alpha.0']
const NODE = ['20.19.0', '22', '24', '26']

/** The tests by behaviour that need nothing but the plugin and Fastify. Those of documents, types, packages, browsers and other plugins run with the newest alone. */
const TESTS = [
  'attacks/core', 'attacks/known-mistakes', 'attacks/responses', 'beside/hooks', 'conformance/conformance', 'conformance/explain', 'explain/app-cors',
  'explain/explain', 'explain/honest', 'explain/refusals', 'fastify/unsupported', 'fuzzing/responses', 'fuzzing/routing', 'origins/hosts',
  'origins/origin-list', 'policies/credentials-list', 'policies/header-derivation', 'policies/header-lists', 'policies/validation',
  'preflights/agreement', 'preflights/answers', 'preflights/changed-routes', 'preflights/constraints', 'preflights/routing',
  'preflights/unknown-routes', 'processes/copies', 'processes/shared', 'responses/enforcement', 'responses/headers', 'scopes/scopes'
]
/** Tests of origins, which know nothing of Fastify, but what Node says of URLs and regular expressions. They run once with each Node. */
const ORIGIN_TESTS = ['origins/catalogues', 'origins/matcher', 'origins/patterns', 'origins/regexps']

/** The fuzzers are here to compare versions: a few applications, the same for all of them. */
const FEW = { FUZZ_SEED: '1', FUZZ_CASES: '100', FUZZ_TABLES: '100' }
const TIMEOUT = 300_000
const ENVIRONMENT = { ...process.env, ...FEW, TAP_TIMEOUT: String(TIMEOUT / 1000), NODE_OPTIONS: '--enable-source-maps' }
const SHOWN_FAILURES = 20

const { values: options } = parseArgs({
  options: {
    fastify: { type: 'string', multiple: true, default: FASTIFY },
    node: { type: 'string', multiple: true, default: NODE },
    test: { type: 'string', multiple: true },
    jobs: { type: 'string', default: String(availableParallelism()) },
    folder: { type: 'string' }
  }
})

for (const name of [...TESTS, ...ORIGIN_TESTS]) if (!existsSync(join(ROOT, 'test', `${name}.test.ts`))) throw new Error(`test/${name}.test.ts is not there; write the name that it has now in scripts/test-versions.mjs`)
const chosen = (names) => names.filter((name) => options.test === undefined || options.test.some((text) => name.includes(text)))
if (chosen([...TESTS, ...ORIGIN_TESTS]).length === 0) throw new Error(`no test has such a name; write one of ${[...TESTS, ...ORIGIN_TESTS].join(', ')}`)
const jobs = Number(options.jobs)
if (!Number.isInteger(jobs) || jobs < 1) throw new Error('--jobs takes how many test files run at once: an integer, at least 1')

async function install (folder, manifest) {
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  await succeed('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--loglevel=error'], { cwd: folder })
}

function versionOf (folder, name) {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version
}

/** A Fastify, the dependencies of the package as npm installs them beside it, and the project. What only tests need is found in the folder above. */
async function fastifyFolder (base, spec, compiled) {
  const folder = join(base, `fastify-${spec.replaceAll(/[^\w.-]/g, '_')}`)
  const { name, version, type, main, exports, dependencies, overrides } = PACKAGE
  await install(folder, { name, version, type, main, exports, dependencies: { ...dependencies, fastify: spec }, overrides })
  for (const name of ['lib', 'dist', 'test', 'types', 'docs', 'tsconfig.json']) {
    rmSync(join(folder, name), { recursive: true, force: true })
    cpSync(join(compiled, name), join(folder, name), { recursive: true })
  }
  return { spec, folder, version: versionOf(folder, 'fastify') }
}

async function nodeFolder (base, spec) {
  const folder = join(base, `node-${spec}`)
  await install(folder, { private: true, dependencies: { node: spec } })
  const binary = join(folder, 'node_modules/node/bin/node')
  return { spec, binary, version: (await succeed(binary, ['--version'], { cwd: folder })).trim().slice(1) }
}

/** A program that says which versions it really has, after an application without the plugin has answered a request. */
const PROBE = `
  const Fastify = require('fastify')
  const app = Fastify()
  app.get('/', async () => 'ok')
  app.inject('/').then(({ body }) => console.log(JSON.stringify([body, app.version, process.versions.node])))`

async function starts (fastify, node) {
  const { stdout, stderr } = await run(node.binary, ['-e', PROBE], { cwd: fastify.folder })
  if (stdout.trim() === JSON.stringify(['ok', fastify.version, node.version])) return true
  // Of what the package supports, nothing is left out.
  if (fastify.version.startsWith('5.')) throw new Error(`Fastify ${fastify.version} does not start with Node ${node.version}: ${stdout}${stderr}`)
  return false
}

async function runAll (fastify, node, tests, name = fastify.version) {
  const combination = { fastify: name, node: node.version }
  if (!await starts(fastify, node)) return { ...combination, result: 'this Fastify does not start' }
  const started = performance.now()
  const results = await each(tests, jobs, (name) => runTest(name, { binary: node.binary, cwd: fastify.folder, env: ENVIRONMENT, timeout: TIMEOUT }))
  const sum = (of) => results.reduce((total, result) => total + of(result), 0)
  const [passed, failed, skipped] = [sum((result) => result.passed), sum((result) => result.failed), sum((result) => result.skipped)]
  const failures = results.flatMap((result) => result.failures)
  const isGood = failed === 0 && results.every((result) => result.passed > 0)
  console.log(`Fastify ${name}, Node ${node.version}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${Math.round((performance.now() - started) / 1000)} s`)
  for (const failure of failures.slice(0, SHOWN_FAILURES)) console.log(`  ${failure}`)
  for (const [index, { passed }] of results.entries()) if (passed === 0) console.log(`  ${tests[index]}: nothing passed`)
  for (const reason of new Set(results.flatMap(({ skips }) => skips))) console.log(`  skipped: ${reason}`)
  return { ...combination, passed, failed, skipped, result: isGood ? 'passed' : 'failed' }
}

function printTable (rows) {
  const cells = [['Fastify', 'Node', 'passed', 'failed', 'skipped', 'result'], ...rows.map(({ fastify, node, passed = '', failed = '', skipped = '', result }) => [fastify, node, passed, failed, skipped, result].map(String))]
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)))
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  const [head, ...body] = cells.map(line)
  console.log(['', head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n'))
}

const base = options.folder === undefined ? mkdtempSync(join(tmpdir(), 'fastify-cors-policy-versions-')) : resolve(options.folder)
try {
  const compiled = join(base, 'compiled')
  rmSync(compiled, { recursive: true, force: true })
  mkdirSync(compiled, { recursive: true })
  if (!existsSync(join(base, 'node_modules'))) symlinkSync(join(ROOT, 'node_modules'), join(base, 'node_modules'))
  compile(compiled)
  const nodes = await each(options.node, 1, (spec) => nodeFolder(base, spec))
  const fastifys = await each(options.fastify, 1, (spec) => fastifyFolder(base, spec, compiled))
  const rows = []
  if (chosen(ORIGIN_TESTS).length > 0) for (const node of nodes) rows.push(await runAll(fastifys[0], node, chosen(ORIGIN_TESTS), '(any)'))
  if (chosen(TESTS).length > 0) for (const fastify of fastifys) for (const node of nodes) rows.push(await runAll(fastify, node, chosen(TESTS)))
  printTable(rows)
  // One at least: where nothing ran, nothing passed.
  if (rows.some(({ result }) => result === 'failed') || !rows.some(({ result }) => result === 'passed')) process.exitCode = 1
} finally {
  if (options.folder === undefined) rmSync(base, { recursive: true, force: true })
}
