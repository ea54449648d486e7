// The package as its users get it: packed, checked, unpacked beside its declared dependencies and nothing else, then compiled and run
// from ESM and CommonJS. It tests dist/, so build first (npm test and npm run test:package do). Nothing here uses the network.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'

const ROOT = join(__dirname, '..', '..')
const NODE_MODULES = join(ROOT, 'node_modules')
// A user's environment: tap adds its loaders to that of every process started here, and the programs under test must run without them.
const CLEAN = ['-i', `PATH=${process.env['PATH']}`, `HOME=${process.env['HOME']}`]

const RESOLUTIONS = {
  nodenext: { module: 'nodenext' },
  node16: { module: 'node16' },
  bundler: { module: 'preserve', moduleResolution: 'bundler' }
}
const EXPORTS = ['CorsPluginOptionsSchema', 'CorsPolicySchema', 'RouteCorsSchema', 'corsPolicy', 'default', 'definePolicies']

interface Outcome { code: number, stdout: string, stderr: string }
interface Manifest { version: string, dependencies: Record<string, string>, peerDependencies: Record<string, string> }
interface Analysis { problems?: Record<string, unknown> }

/** What the consumers print. */
interface Facts {
  type: string
  sameInstance: boolean[]
  names: string[]
  registered: unknown
  autoloadedCjs: unknown
  autoloadedEsm: unknown
  refused: unknown
}

function run (command: string, args: string[], cwd: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    execFile('env', [...CLEAN, command, ...args], { cwd, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

async function filesBelow (directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

async function changeTimes (directory: string): Promise<number[]> {
  const stats = await Promise.all((await filesBelow(directory)).map((file) => stat(file)))
  return stats.map(({ mtimeMs }) => mtimeMs)
}

/** Packs what is in dist/ now: `prepack` would rebuild it under the feet of the other tests. */
async function pack (destination: string): Promise<{ tarball: string, files: string[] }> {
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', destination], ROOT)
  if (packed.code !== 0) throw new Error(packed.stderr)
  const [{ filename, files }] = JSON.parse(packed.stdout) as [{ filename: string, files: Array<{ path: string }> }]
  return { tarball: join(destination, filename), files: files.map(({ path }) => path) }
}

/** A project with the packed package installed: its dependencies are links, so that one it does not declare is not there. */
async function install (consumer: string, tarball: string, manifest: Manifest): Promise<void> {
  const target = join(consumer, 'node_modules', 'fastify-cors-policy')
  await mkdir(target, { recursive: true })
  const unpacked = await run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'], consumer)
  if (unpacked.code !== 0) throw new Error(unpacked.stderr)

  const own = ['@fastify/autoload', '@types/node']
  for (const name of [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies), ...own]) {
    await mkdir(dirname(join(consumer, 'node_modules', name)), { recursive: true })
    await symlink(join(NODE_MODULES, name), join(consumer, 'node_modules', name), 'junction')
  }
  await cp(join(__dirname, 'consumer'), consumer, { recursive: true })
  await writeFile(join(consumer, 'package.json'), '{ "private": true }')
  for (const [name, resolution] of Object.entries(RESOLUTIONS)) {
    // One program is enough to check the package's own declarations too (slow), and to emit: the code that was checked is the code that runs.
    const first = name === 'nodenext'
    const compilerOptions = { ...resolution, target: 'es2023', lib: ['es2023'], types: ['node'], strict: true, skipLibCheck: !first, noEmit: !first }
    await writeFile(join(consumer, `tsconfig.${name}.json`), JSON.stringify({ compilerOptions, files: ['esm.mts', 'cjs.cts'] }))
  }
}

t.test('the packed package', async (t) => {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest
  const sources = await changeTimes(join(ROOT, 'lib'))
  const built = await changeTimes(join(ROOT, 'dist')).catch(() => [])
  if (!t.ok(Math.min(...built) > Math.max(...sources), 'dist/ is there and newer than lib/ (else: npm run build)')) return

  // Outside the repository: from within, Node and TypeScript would find its node_modules, and the package itself by its own name.
  const directory = await mkdtemp(join(tmpdir(), 'fastify-cors-policy-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const { tarball, files } = await pack(directory)
  const consumer = join(directory, 'consumer')
  await install(consumer, tarball, manifest)

  t.test('holds the build, its sources and the papers, and nothing else', async (t) => {
    const single = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'types/fastify.d.ts']
    for (const file of [...single, 'dist/index.js', 'dist/index.d.ts']) t.ok(files.includes(file), file)
    t.strictSame(files.filter((file) => !/^(?:dist|lib)\//.test(file) && !single.includes(file)), [], 'nothing else')
    const maps = files.filter((file) => file.endsWith('.map'))
    t.not(maps.length, 0, 'has source maps')
    const sources = await Promise.all(maps.map(async (file) => {
      const map = JSON.parse(await readFile(join(ROOT, file), 'utf8')) as { sources: string[] }
      return map.sources.map((source) => join(dirname(file), source))
    }))
    t.strictSame(sources.flat().filter((source) => !files.includes(source)), [], 'whose sources are there')
  })

  t.test('publint has nothing to say', async (t) => {
    const { publint } = await import('publint')
    const { buffer, byteOffset, byteLength } = await readFile(tarball)
    const { messages } = await publint({ pack: { tarball: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer }, strict: true })
    t.strictSame(messages, [], 'no message')
  })

  t.test('are-the-types-wrong finds nothing', async (t) => {
    const { code, stdout } = await run(join(NODE_MODULES, '.bin', 'attw'), [tarball, '--format', 'json'], directory)
    t.strictSame((JSON.parse(stdout) as Analysis).problems, {}, 'no problem')
    t.equal(code, 0, 'exit code')
  })

  t.test('compiles in an ESM and a CommonJS application, wrong policies excepted', async (t) => {
    await Promise.all(Object.keys(RESOLUTIONS).map(async (name) => {
      const { code, stdout } = await run(process.execPath, [join(NODE_MODULES, 'typescript', 'bin', 'tsc'), '-p', `tsconfig.${name}.json`, '--pretty', 'false'], consumer)
      t.equal(stdout, '', `${name}: no error`)
      t.equal(code, 0, `${name}: exit code`)
    }))
  })

  for (const [kind, program] of [['an ESM', 'esm.mjs'], ['a CommonJS', 'cjs.cjs']] as const) {
    t.test(`runs in ${kind} application`, async (t) => {
      const { code, stdout, stderr } = await run(process.execPath, [program], consumer)
      if (!t.equal(code, 0, `ends well ${stderr}`)) return
      const facts = JSON.parse(stdout) as Facts
      t.equal(facts.type, 'function', 'the plugin can be passed straight to register')
      t.not(facts.sameInstance.length, 0, 'it is reached in more than one way')
      t.notOk(facts.sameInstance.includes(false), 'it is one instance, however it is imported')
      t.strictSame(EXPORTS.filter((name) => !facts.names.includes(name)), [], 'every name is exported')
      t.strictSame(facts.registered, ['*', '*', null], 'registered by hand')
      t.strictSame(facts.autoloadedCjs, ['*', '*', null], 'autoloaded from a CommonJS file')
      t.strictSame(facts.autoloadedEsm, ['*', '*', null], 'autoloaded from an ESM file')
      t.strictSame(facts.refused, ['not-canonical'], 'a mistake in the options is refused')
    })
  }
})

t.test('the lockfile names no registry', async (t) => {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, { resolved?: string, integrity?: string }> }
  t.strictSame(Object.keys(packages).filter((path) => packages[path]?.resolved !== undefined), [])
  t.strictSame(Object.keys(packages).filter((path) => path !== '' && packages[path]?.integrity === undefined), [], 'and has a checksum for every package')
})
