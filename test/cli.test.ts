// The command line, as a process: its exit codes, and what it prints, on the applications in test/cli/.
import { execFile } from 'node:child_process'
import { extname, join } from 'node:path'
import t from 'tap'

const APP = 'https://app.example.com'
const LIB = join(__dirname, '..', 'lib')

function cli (...args: string[]): Promise<{ code: number, stdout: string, stderr: string }> {
  const env = { ...process.env, CORS_PACKAGE: join(LIB, `index${extname(__filename)}`) }
  return new Promise((resolve) => {
    execFile(process.execPath, [...process.execArgv, join(LIB, `cli${extname(__filename)}`), ...args], { env, cwd: join(__dirname, 'cli') }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

function isReadable (text: string): boolean {
  return text.split('\n').every((line) => line.length <= 80) && !text.includes('\u001b')
}

t.test('the routes of an instance in CommonJS, which prints and keeps a timer', async (t) => {
  const { code, stdout } = await cli('routes', 'instance.cjs')
  t.equal(code, 0)
  t.equal(stdout, 'METHOD  URL         POLICY   ORIGIN\nPUT     /items/:id  partner  https://app.example.com\n')
  const json = await cli('routes', '--json', 'instance.cjs')
  t.match(JSON.parse(json.stdout), [{ method: 'PUT', url: '/items/:id', policy: 'partner', origin: [APP] }])
  t.match(json.stderr, 'hello', 'what it prints is not lost')
})

t.test('a plugin in an ES module, with its options', async (t) => {
  const { code, stdout } = await cli('explain', 'plugin.mjs', '/status/', '--origin', APP, '--json')
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { allowed: true, route: { url: '/status' } })
})

t.test('a blocked request ends with 1', async (t) => {
  const { code, stdout } = await cli('explain', 'instance.cjs', 'PUT', '/items/7', '--origin', APP, '--header', 'x-request-id')
  t.equal(code, 1)
  t.match(stdout, 'blocked (header-not-allowed)')
  t.ok(isReadable(stdout))
})

t.test('what cannot be told ends with 2, and says why', async (t) => {
  const CASES: ReadonlyArray<readonly [args: string[], says: string]> = [
    [[], 'there is no such command'],
    [['routes'], 'the application is missing'],
    [['routes', 'nowhere.js'], 'there is no file'],
    [['routes', 'throws.cjs'], 'does not load: no\\u001b[31m database'],
    [['routes', 'without.cjs'], 'fastify-cors-policy is not registered'],
    [['routes', 'never.cjs', '--timeout', '4'], 'not ready after 4 seconds'],
    [['explain', 'instance.cjs', '/'], 'the origin of the page is missing'],
    [['explain', 'instance.cjs', '/', '--origin', 'app.example.com'], '/origin: "app.example.com"']
  ]
  for (const [args, says] of CASES) {
    const { code, stdout, stderr } = await cli(...args)
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, says)
    t.notMatch(stderr, '\u001b')
  }
})

t.test('--help', async (t) => {
  const { code, stdout } = await cli('--help')
  t.equal(code, 0)
  t.ok(isReadable(stdout))
})
