// examples/tenants on the embedded database, and by two processes on a real PostgreSQL that is stopped under load. The second part is skipped
// where Debian's package is not installed, unless CORS_REQUIRE_POSTGRES=1 asks for it. The example uses dist/: build first (npm test does).
import { fail } from 'node:assert/strict'
import { execFile, execFileSync, fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import t from 'tap'
import { build } from '../examples/tenants/index'
import { embedded, server } from '../examples/tenants/database'

const run = promisify(execFile)
const ROOT = join(__dirname, '..')
const PACKAGES = '/usr/lib/postgresql'
const BIN = existsSync(PACKAGES) ? readdirSync(PACKAGES).map((version) => join(PACKAGES, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb'))) : undefined
if (BIN === undefined && process.env.CORS_REQUIRE_POSTGRES === '1') throw new Error('CORS_REQUIRE_POSTGRES=1, but there is no PostgreSQL; install Debian\'s package postgresql')

const NEW = 'https://new.example'
const admin = (origin: string): { headers: Record<string, string>, body: string } => ({ headers: { authorization: 'Bearer token', 'content-type': 'application/json' }, body: JSON.stringify({ origin }) })

t.test('embedded: what is refused is rolled back, and what is added is there after a restart', async (t) => {
  const folder = join(t.testdir({}), 'data')
  let app = await build(await embedded(folder), 'token')
  app.log.level = 'silent'
  const change = async (method: 'POST' | 'DELETE', origin: string, headers = admin(origin).headers): Promise<number> =>
    (await app.inject({ method, url: '/admin/origins', headers, payload: admin(origin).body })).statusCode
  const allowed = async (origin: string): Promise<boolean> => (await app.inject({ method: 'PUT', url: '/items/1', headers: { origin } })).headers['access-control-allow-origin'] === origin
  t.equal(await change('POST', NEW, { 'content-type': 'application/json' }), 401)
  t.equal(await allowed(NEW), false)
  t.equal(await change('POST', NEW), 200)
  t.equal(await change('POST', 'https://other.example'), 200)
  t.equal(await change('POST', 'http://insecure.example'), 400)
  t.equal(await change('DELETE', 'https://other.example'), 200)
  t.equal(await allowed(NEW), true)
  await app.close()
  const database = await embedded(folder)
  t.same((await database.query('SELECT origin FROM tenant_origins')).rows, [{ origin: NEW }])
  app = await build(database, 'token')
  t.teardown(async () => { await app.close() })
  t.equal(await allowed(NEW), true)
  t.equal(await allowed('https://other.example'), false)
})

t.test('two processes on a real PostgreSQL', { skip: BIN === undefined && 'PostgreSQL is not installed', timeout: 110_000 }, async (t) => {
  const bin = BIN as string
  const folder = mkdtempSync(join(tmpdir(), 'tenants-'))
  const asPostgres = process.getuid?.() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : []
  if (asPostgres.length > 0) chownSync(folder, Number(execFileSync('id', ['-u', 'postgres'])), Number(execFileSync('id', ['-g', 'postgres'])))
  const command = async (name: string, ...args: string[]): Promise<void> => {
    const [file, ...rest] = [...asPostgres, join(bin, name), ...args] as [string, ...string[]]
    await run(file, rest, { cwd: folder })
  }
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => { probe.close(resolve) })
  const data = join(folder, 'data')
  const start = async (): Promise<void> => { await command('pg_ctl', 'start', '-w', '-D', data, '-l', join(folder, 'log'), '-o', `-p ${port} -h 127.0.0.1 -k ${folder} -F`) }
  const stop = async (): Promise<void> => { await command('pg_ctl', 'stop', '-w', '-m', 'immediate', '-D', data) }
  await command('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync')
  await start()
  const children: ChildProcess[] = []
  t.teardown(async () => {
    for (const child of children) child.kill('SIGKILL')
    await stop()
    rmSync(folder, { recursive: true })
  })

  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const direct = await server(url)
  await direct.query('INSERT INTO tenant_origins SELECT \'https://tenant\' || n || \'.example\' FROM generate_series(1, 10000) n')
  await direct.close()

  await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.examples.json'], { cwd: ROOT })
  const instance = async (): Promise<string> => {
    const child = fork(join(ROOT, 'build/examples/tenants/index.js'), { execArgv: [], stdio: ['ignore', 'pipe', 'ignore', 'ipc'], env: { ...process.env, DATABASE_URL: url, ADMIN_TOKEN: 'token', PORT: '0', NODE_OPTIONS: '' } })
    children.push(child)
    let printed = ''
    child.stdout?.on('data', (text) => { printed += String(text) })
    return await until(() => printed.match(/Listening at (\S+)\. Try/)?.[1], 'the instance listens')
  }
  const [one, two] = await Promise.all([instance(), instance()])
  const allowed = async (at: string, origin: string): Promise<boolean> => {
    const response = await fetch(`${at}/items/1`, { method: 'PUT', headers: { origin } })
    await response.text()
    if (response.status !== 200) fail(`${response.status} for ${origin}`)
    return response.headers.get('access-control-allow-origin') === origin
  }
  const change = async (at: string, method: string, origin: string): Promise<number> => (await fetch(`${at}/admin/origins`, { method, ...admin(origin) })).status
  const everywhere = async (origin: string, verdict: boolean): Promise<number> => {
    const began = performance.now()
    for (const at of [one, two]) await until(async () => await allowed(at, origin) === verdict || undefined, `${origin} ${String(verdict)}`)
    return Math.round(performance.now() - began)
  }

  for (const at of [one, two]) {
    t.same(await (await fetch(`${at}/status`)).json(), { tenants: 10_000 }, 'loaded before it listens')
    t.equal(await allowed(at, 'https://tenant10000.example'), true)
  }
  t.equal(await allowed(two, NEW), false)
  t.equal(await change(one, 'POST', NEW), 200)
  t.comment(`added: known to the other within ${await everywhere(NEW, true)} ms`)
  t.equal(await change(two, 'DELETE', NEW), 200)
  t.comment(`removed: known to the other within ${await everywhere(NEW, false)} ms`)
  t.equal(await change(one, 'POST', 'http://insecure.example'), 400)

  const load = { on: true }
  let answered = 0
  const failures: unknown[] = []
  const loads = [one, two].map(async (at) => {
    while (load.on) {
      try {
        if (!await allowed(at, 'https://tenant1.example')) fail('a known tenant was refused')
        answered++
      } catch (error) {
        failures.push(error)
      }
    }
  })
  await stop()
  const before = answered
  await until(() => answered > before + 100 || undefined, 'answers without a database')
  t.equal(await change(one, 'POST', NEW), 503, 'a change that is not kept is not made')
  t.equal(await allowed(one, NEW), false)
  await start()
  const between = await server(url)
  // By the database alone, as early as anybody can.
  await between.transaction(async (query) => {
    await query('DELETE FROM tenant_origins WHERE origin = $1', ['https://tenant2.example'])
    await query('INSERT INTO tenant_origins VALUES ($1), ($2)', [NEW, 'http://bad.example'])
  })
  t.comment(`after the restart: removed everywhere within ${await everywhere('https://tenant2.example', false)} ms, added within ${await everywhere(NEW, true)} ms`)
  t.equal(await allowed(two, 'http://bad.example'), false, 'a bad row is left off alone')
  t.same((await between.query('SELECT origin FROM tenant_origins WHERE origin LIKE \'http://insecure%\'')).rows, [], 'rolled back')
  await between.close()
  load.on = false
  await Promise.all(loads)
  t.same(failures, [])
  t.comment(`${answered} requests under load`)
})

async function until<T> (ask: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> {
  for (const end = performance.now() + 30_000; performance.now() < end; await setTimeout(5)) {
    const answer = await ask()
    if (answer !== undefined) return answer
  }
  return fail(`not within 30 s: ${what}`)
}
