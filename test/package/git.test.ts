// The package installed from a git repository: npm clones it, installs what a build needs, and `prepare` builds it. The repository here has the files of this one, and
// of its development dependencies those that a build needs. npm asks its registry, so that one has to be within reach.
import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { ROOT, run } from './installed'

interface Manifest { devDependencies: Record<string, string>, overrides?: object }

/** What `npm run build` needs besides the dependencies. */
const FOR_A_BUILD = ['@types/node', 'fastify', 'tldts', 'typescript']

// Packages are installed twice.
const LIMIT = 300_000
t.setTimeout(LIMIT)
t.comment(`timeout=${LIMIT}`)

t.test('npm installs the package from a git repository, built', async (t) => {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'fastify-cors-policy-git-')))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const [repository, consumer] = [join(directory, 'repository'), join(directory, 'consumer')]
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' }).split('\0')
  for (const file of files.filter((file) => /^(?:lib|scripts|types)\/|^tsconfig|^LICENSE$|^README\.md$/.test(file) && existsSync(join(ROOT, file)))) {
    await mkdir(dirname(join(repository, file)), { recursive: true })
    await cp(join(ROOT, file), join(repository, file))
  }
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest
  const devDependencies = Object.fromEntries(FOR_A_BUILD.map((name) => [name, manifest.devDependencies[name]]))
  await writeFile(join(repository, 'package.json'), JSON.stringify({ ...manifest, devDependencies }))
  const git = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await run('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], repository)
    if (code !== 0) throw new Error(stderr)
  }
  await git('init', '--quiet')
  await git('add', '--all')
  await git('commit', '--quiet', '--message', 'Test')
  t.notOk(existsSync(join(repository, 'dist')), 'the repository has no build')

  await mkdir(consumer)
  await writeFile(join(consumer, 'package.json'), JSON.stringify({ private: true, overrides: manifest.overrides }))
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  const { code } = await run('npm', ['install', ...options, `git+file://${repository}`, `fastify@${devDependencies['fastify']}`], consumer)
  if (!t.equal(code, 0, 'npm installs it')) return
  const program = `
    const app = require('fastify')()
    const cors = require('fastify-cors-policy')
    app.register(cors, { policies: cors.definePolicies({ pattern: { origin: 'https://*.example.com', credentials: true } }) })
    app.register(require('fastify-cors-policy/inspector'), { prefix: '/_cors' })
    app.put('/', { config: { cors: { extends: 'pattern' } } }, async () => 'ok')
    const preflight = { method: 'OPTIONS', url: '/', headers: { origin: 'https://a.example.com', 'access-control-request-method': 'PUT' } }
    Promise.all([app.inject(preflight), app.inject('/_cors/')]).then((responses) => console.log(responses.map(({ statusCode }) => statusCode).join()))`
  const { stdout, stderr } = await run(process.execPath, ['-e', program], consumer)
  t.equal(stdout, '204,200\n', stderr)
  t.notOk(existsSync(join(consumer, 'node_modules', 'typescript')), 'without what only the build needs')
})
