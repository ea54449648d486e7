// Compiles the project's tests and runs them by node itself, without tap's loaders. Used by test-versions.mjs and test-quick.mjs.
import { spawn } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Runs a program to its end. Whatever it comes to is a result, not an error. */
export async function run (command, args, { cwd, env = process.env, timeout }) {
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, timeout, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => { output[name] += text })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...output }))
  })
}

export async function succeed (command, args, options) {
  const { code, signal, stdout, stderr } = await run(command, args, options)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}\n${stdout}${stderr}`)
  return stdout
}

/** Puts the project into a folder: each TypeScript file of lib/ and test/ compiled alone, beside its source and without checking types; and `dist` as it is packed. */
export function compile (folder) {
  for (const name of ['lib', 'test', 'types', 'docs', 'tsconfig.json', 'package.json']) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  const { options, errors } = ts.convertCompilerOptionsFromJson(ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile).config.compilerOptions, ROOT)
  if (errors.length > 0) throw new Error(errors.map(({ messageText }) => String(messageText)).join('\n'))
  const compilerOptions = { ...options, declaration: false, sourceMap: false, inlineSourceMap: true, inlineSources: true, noEmit: false }
  for (const name of ['lib', 'test']) {
    for (const file of readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' })) {
      if (!/(?<!\.d)\.ts$/.test(file)) continue
      const source = join(folder, name, file)
      writeFileSync(source.replace(/\.ts$/, '.js'), ts.transpileModule(readFileSync(source, 'utf8'), { fileName: source, compilerOptions }).outputText)
    }
  }
  cpSync(join(folder, 'lib'), join(folder, 'dist'), { recursive: true, filter: (source) => !source.endsWith('.ts') })
}

/** The last line of a test file that tap ran to its end. */
const COUNTS = /^# \{ total: \d+, pass: (\d+)(?:, fail: (\d+))?(?:, todo: \d+)?(?:, skip: (\d+))?/m

/** Runs one compiled test file: what was counted, what failed and why something was skipped. `name` is its path in test/, without extensions. */
export async function runTest (name, { binary = process.execPath, ...options }) {
  const { code, signal, stdout, stderr } = await run(binary, [join('test', `${name}.test.js`)], options)
  const [, passed = 0, failed = 0, skipped = 0] = (COUNTS.exec(stdout) ?? []).map((count) => Number(count ?? 0))
  const failures = stdout.split('\n').filter((line) => /^ *not ok /.test(line) && !/ # (?:TODO|SKIP)/.test(line)).map((line) => `${name}: ${line.trim()}`)
  const isBroken = code !== 0 && failed === 0
  if (isBroken) failures.push(`${name}: ended with ${code ?? signal}: ${stderr.trim().split('\n').slice(0, 12).join('\n')}`)
  const skips = [...stdout.matchAll(/ # SKIP (.+)$/gm)].map(([, reason]) => `${name}: ${reason.replace(/ # time=.*/, '')}`)
  return { passed, failed: isBroken ? 1 : failed, skipped, failures, skips }
}

/** Calls a function for each item, a few at a time. */
export async function each (items, atOnce, call) {
  const waiting = [...items.entries()]
  const results = []
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results[next[0]] = await call(next[1])
  }))
  return results
}
