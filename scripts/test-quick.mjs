// Runs the tests of what the plugin does, in less than half a minute on two cores (npm run test:quick). It compiles lib/ and test/ without checking types, into
// build/quick/, and runs each file by node itself. `npm test` runs everything. This leaves out:
//   browser, package                                     real browsers, installations of the package
//   examples, documents, command-line, benchmark         programs that are built and started, databases, servers
//   fuzzing, and what LONG names                         long runs over random input, and tests that start many processes
//   sources, and what FILES names                        tests of the repository's own files, its examples and its build
// Names restrict it to the files whose paths in test/ contain one of them: npm run test:quick -- preflights responses
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { compile, each, ROOT, runTest } from './compiled-tests.mjs'

const FOLDERS = ['attacks', 'beside', 'conformance', 'explain', 'inspector', 'origins', 'policies', 'preflights', 'processes', 'responses', 'schemas', 'scopes']
const LONG = ['origins/matcher', 'origins/regexps', 'origins/regexps-differential', 'preflights/agreement', 'processes/shared', 'schemas/typebox']
const FILES = ['conformance/mdn-scenarios', 'processes/loaded', 'schemas/compiled', 'schemas/json-schema']
const AT_ONCE = 2
const TIMEOUT = 60_000

const FOLDER = join(ROOT, 'build', 'quick')

const names = process.argv.slice(2)
const all = FOLDERS.flatMap((folder) => readdirSync(join(ROOT, 'test', folder)).filter((file) => file.endsWith('.test.ts')).map((file) => `${folder}/${file.slice(0, -'.test.ts'.length)}`))
for (const name of [...LONG, ...FILES]) if (!all.includes(name)) throw new Error(`test/${name}.test.ts is not there; write the name that it has now in scripts/test-quick.mjs`)
const chosen = all.filter((name) => ![...LONG, ...FILES].includes(name) && (names.length === 0 || names.some((text) => name.includes(text))))
if (chosen.length === 0) throw new Error(`no test has such a name; write a part of one of ${all.join(', ')}`)

const started = performance.now()
rmSync(FOLDER, { recursive: true, force: true })
compile(FOLDER)
const compiled = performance.now()
const results = await each(chosen, AT_ONCE, async (name) => {
  const start = performance.now()
  const result = await runTest(name, { cwd: FOLDER, timeout: TIMEOUT, env: { ...process.env, TAP_TIMEOUT: String(TIMEOUT / 1000), NODE_OPTIONS: '--enable-source-maps' } })
  // A file that asserts nothing has not passed.
  const isGood = result.failed === 0 && result.passed > 0
  console.log(`${isGood ? 'ok' : 'not ok'} ${name}: ${result.passed} passed, ${result.failed} failed in ${((performance.now() - start) / 1000).toFixed(1)} s`)
  for (const failure of result.failures) console.log(`  ${failure}`)
  return { ...result, isGood }
})
const sum = (of) => results.reduce((total, result) => total + of(result), 0)
const seconds = (from, to) => ((to - from) / 1000).toFixed(1)
console.log(`${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed in ${seconds(started, performance.now())} s (${seconds(started, compiled)} s of them compiling)`)
if (!results.every(({ isGood }) => isGood)) process.exitCode = 1
