// The package as its users get it: packs what is in dist/, and unpacks it into a project beside its declared dependencies and nothing else.
// Nothing here uses the network.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const ROOT = join(__dirname, '..', '..')
export const NODE_MODULES = join(ROOT, 'node_modules')
// A user's environment: tap adds its loaders to that of every process started here, and the programs under test must run without them.
const CLEAN = ['-i', `PATH=${process.env['PATH']}`, `HOME=${process.env['HOME']}`]

interface Outcome { code: number, stdout: string, stderr: string }
interface Manifest { dependencies: Record<string, string>, peerDependencies: Record<string, string> }

export interface Installed {
  /** Removed at the end of the test. */
  directory: string
  /** The project. */
  consumer: string
  tarball: string
  /** What the tarball holds. */
  files: string[]
}

/** Runs a program and waits for its end. */
export function run (command: string, args: string[], cwd: string): Promise<Outcome> {
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

async function isBuilt (): Promise<boolean> {
  const sources = await changeTimes(join(ROOT, 'lib'))
  const built = await changeTimes(join(ROOT, 'dist')).catch(() => [])
  return built.length > 0 && Math.min(...built) > Math.max(...sources)
}

/** Packs what is in dist/ now: `prepack` would rebuild it under the feet of the other tests. */
async function pack (destination: string): Promise<{ tarball: string, files: string[] }> {
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', destination], ROOT)
  if (packed.code !== 0) throw new Error(packed.stderr)
  const [{ filename, files }] = JSON.parse(packed.stdout) as [{ filename: string, files: Array<{ path: string }> }]
  return { tarball: join(destination, filename), files: files.map(({ path }) => path) }
}

/**
 * Makes a project with the packed package in it. Its dependencies are links, so that one it does not declare is not there.
 *
 * @param own the packages that the project itself depends on, besides the package and its peers
 */
export async function installPackage (t: { teardown: (fn: () => Promise<void>) => void }, own: string[]): Promise<Installed> {
  if (!await isBuilt()) throw new Error('dist/ is missing or older than lib/; run: npm run build')
  // Outside the repository: from within, Node and TypeScript would find its node_modules, and the package itself by its own name.
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'fastify-cors-policy-')))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const { tarball, files } = await pack(directory)

  const consumer = join(directory, 'consumer')
  const target = join(consumer, 'node_modules', 'fastify-cors-policy')
  await mkdir(target, { recursive: true })
  const unpacked = await run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'], consumer)
  if (unpacked.code !== 0) throw new Error(unpacked.stderr)
  const { dependencies, peerDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest
  for (const name of [...Object.keys(dependencies), ...Object.keys(peerDependencies), ...own]) {
    await mkdir(dirname(join(consumer, 'node_modules', name)), { recursive: true })
    await symlink(join(NODE_MODULES, name), join(consumer, 'node_modules', name), 'junction')
  }
  await writeFile(join(consumer, 'package.json'), '{ "private": true }')
  return { directory, consumer, tarball, files }
}
