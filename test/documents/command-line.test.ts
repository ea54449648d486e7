// What README.md and docs/recipes.md show of the command line: the commands are run as they are written, on the applications that are shown,
// in the directory of a project that has the package installed; built first (npm run build).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const ROOT = join(__dirname, '..', '..')

/** What a command of the shell prints, and its exit code. `npx` leads to the built command. */
async function shell (directory: string, command: string): Promise<{ code: unknown, printed: string }> {
  const child = spawn('bash', ['-c', command.replace('npx fastify-cors-policy', '"$NODE" node_modules/fastify-cors-policy/dist/cli.js')], { cwd: directory, env: { ...process.env, NODE: process.execPath, COLUMNS: '80' }, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { printed += String(text) })
  const [code] = await once(child, 'close') as [unknown]
  return { code, printed }
}

/** The blocks of a language below a heading. */
function blocks (file: string, heading: string, language: string): string[] {
  const section = readFileSync(join(ROOT, file), 'utf8').split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, code]) => code as string)
}

function project (t: Tap, app: string, name = 'app.js'): string {
  const installed = { 'fastify-cors-policy': t.fixture('symlink', ROOT), fastify: t.fixture('symlink', join(ROOT, 'node_modules', 'fastify')) }
  return t.testdir({ 'package.json': '{ "type": "module" }', [name]: app, node_modules: installed })
}

type Tap = Pick<typeof t, 'testdir' | 'fixture'>

t.test('both commands in README print what it shows of its own server, which listens by itself', async (t) => {
  const heading = 'Command line'
  const [server = ''] = blocks('README.md', 'Quick start', 'js')
  t.match(server, 'await app.listen({ port: 3000 })')
  const [shown = ''] = blocks('README.md', heading, 'console')
  const directory = project(t, server, 'server.mjs')
  const commands = [...shown.matchAll(/^\$ (.*)\n([^]*?)(?=^\$|$(?![^]))/gm)]
  t.equal(commands.length, 2)
  for (const [index, [, command = '', output]] of commands.entries()) {
    const { code, printed } = await shell(directory, command)
    t.equal(printed, output)
    t.equal(code, index)
    t.ok(printed.split('\n').every((line) => line.length <= 80))
  }
})

t.test('the snapshot recipe shows a changed policy, and fails where the application does not load', async (t) => {
  const heading = 'The routes as a snapshot'
  const [app = ''] = blocks('docs/recipes.md', heading, 'js')
  const [write = '', compare = ''] = blocks('docs/recipes.md', heading, 'sh')
  const [difference] = blocks('docs/recipes.md', heading, 'diff')
  const directory = project(t, app)
  t.same(await shell(directory, write), { code: 0, printed: '' })
  t.same(await shell(directory, compare), { code: 0, printed: '' })
  const changed = app.replace("'https://app.example.com'", "$&, 'https://*.partners.example.com'")
  t.not(changed, app)
  writeFileSync(join(directory, 'app.js'), changed)
  const { code, printed } = await shell(directory, compare)
  t.equal(code, 1)
  t.equal(printed.split('\n').slice(2).join('\n'), difference)
  t.same(await shell(directory, write), { code: 0, printed: '' })
  t.same(await shell(directory, compare), { code: 0, printed: '' })

  writeFileSync(join(directory, 'app.js'), 'throw new Error("no database")')
  const failed = await shell(directory, `set -o pipefail; ${compare}`)
  t.not(failed.code, 0)
  t.match(failed.printed, 'no database')
})
