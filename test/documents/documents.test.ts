// What the documents of the project name exists: links, headings, commands, test files, what the workflow calls. The checks are tried on wrong texts, too.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import t from 'tap'
import { anchorsIn, isRelative, linksIn } from '../support/markdown'

const ROOT = join(__dirname, '..', '..')
const PACKAGE = JSON.parse(read('package.json')) as { version: string, scripts: Record<string, string>, repository: { url: string }, homepage: string, bugs: string }

function read (file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

function exists (file: string): boolean {
  return existsSync(join(ROOT, file))
}

/** Every Markdown file of the repository: those of the root, of docs/, examples/ and .github/. */
function documents (): string[] {
  const below = (folder: string): string[] => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => posix.join(folder, file.replaceAll('\\', '/')))
  return [...readdirSync(ROOT), ...['docs', 'examples', '.github'].flatMap(below)].filter((file) => file.endsWith('.md'))
}

/** The links of a document that lead to no file of the repository, or to no heading. */
function brokenLinks (document: string, text: string): string[] {
  return linksIn(text).filter(isRelative).filter((link) => {
    const [path = '', anchor] = decodeURI(link).split('#')
    const file = path === '' ? document : posix.join(dirname(document), path)
    if (!exists(file)) return true
    return anchor !== undefined && !anchorsIn(path === '' ? text : read(file)).includes(anchor)
  })
}

/** The commands that a text tells the reader to run: lines of its `sh` blocks, and spans of code that begin like one. */
function commandsIn (text: string): string[] {
  const lines = [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block]) => (block as string).split('\n'))
  const spans = [...text.replace(/^```[^]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span as string)
  return [...lines, ...spans].map((command) => command.replace(/^(?:[A-Z_]+=\S+ +)+/, '').trim()).filter((command) => /^(?:npm|npx|node|\.ci\/)/.test(command))
}

const OWN_COMMANDS_OF_NPM = ['ci', 'install', 'pack', 'publish', 'version']

/** What a command of the text names that does not exist: a script, one of its options, a program, a file. */
function missingIn (command: string): string[] {
  const [program = '', first = '', second = ''] = command.split(/\s+/)
  const files = [...command.matchAll(/(?:^|\s)((?:\.ci|test|scripts|docs|bench|examples)\/[^\s'"]+)/g)].map(([, file]) => file as string).filter((file) => !exists(file))
  if (program === 'npx') return [...files, ...(exists(`node_modules/.bin/${first}`) ? [] : [first])]
  if (program !== 'npm') return files
  const name = first === 'run' ? second : first
  if (OWN_COMMANDS_OF_NPM.includes(name) && first !== 'run') return files
  const script = PACKAGE.scripts[name]
  if (script === undefined) return [...files, `npm run ${name}`]
  // The options are looked for in the programs that the script starts, compiled ones in their sources.
  const sources = [...script.matchAll(/(?:^|\s)((?:scripts|test|build)\/[\w./-]+\.[cm]?[jt]s)(?=\s|$)/g)].map(([, file]) => (file as string).replace(/^build\/(.*)\.js$/, '$1.ts'))
  const code = sources.map((source) => exists(source) ? read(source) : '').join('\n')
  const options = [...(command.split(' -- ')[1] ?? '').matchAll(/(?:^|\s)--([\w-]+)/g)].map(([, option]) => option as string)
  return [...files, ...sources.filter((source) => !exists(source)), ...options.filter((option) => !new RegExp(`\\b'?${option}'?: \\{ type:`).test(code)).map((option) => `--${option} of ${name}`)]
}

t.test('every link inside the repository leads to a file, and to a heading of it', async (t) => {
  const all = documents()
  for (const name of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md', 'CHANGELOG.md', 'docs/recipes.md']) t.ok(all.includes(name), name)
  for (const document of all) t.strictSame(brokenLinks(document, read(document)), [], document)
})

t.test('a link that leads nowhere is found', async (t) => {
  const text = '# One `two`: three\n# Again\n# Again\n[a](nowhere.md) [b](#one-two-three) [c](#four) [d](recipes.md#nothing) ![e](../bench/results.svg) [f](https://fastify.dev) [g](#again-1) `[h](code.md)`\n```ts\n[i](block.md)\n```\n'
  t.strictSame(brokenLinks('docs/policies.md', text), ['nowhere.md', '#four', 'recipes.md#nothing'])
})

t.test('every command in CONTRIBUTING.md exists, and so do its options and files', async (t) => {
  const commands = commandsIn(read('CONTRIBUTING.md'))
  for (const command of ['npm ci', 'npm test', '.ci/run', 'npm run fuzz -- --tables 10000 --seed 7']) t.ok(commands.includes(command), command)
  for (const command of commands) t.strictSame(missingIn(command), [], command)
  for (const command of commandsIn(read('README.md')).flatMap((line) => line.split(' && '))) if (!command.includes('fastify-cors-policy')) t.strictSame(missingIn(command), [], `README.md: ${command}`)
})

t.test('a command that does not exist is found', async (t) => {
  t.strictSame(missingIn('npm run nothing'), ['npm run nothing'])
  t.strictSame(missingIn('npm run fuzz -- --tables 1 --colour red'), ['--colour of fuzz'])
  t.strictSame(missingIn('npx tap --disable-coverage test/nothing.test.ts'), ['test/nothing.test.ts'])
  t.strictSame(missingIn('npx nothing'), ['nothing'])
  t.strictSame(missingIn('.ci/nothing'), ['.ci/nothing'])
})

/** The files and folders of the repository that a text names, in code of any kind. */
function pathsIn (text: string): string[] {
  return [...new Set([...text.matchAll(/(?<![\w./@-])(?:lib|test|docs|bench|examples|scripts|types)\/[\w./-]*[\w/]/g)].map(String))]
}

/** The functions, classes and methods that a text says are in a file, and that are not there: `lib/plugin.ts` (`addScope`). */
function missingFunctions (text: string): string[] {
  return [...text.matchAll(/`(lib\/[\w./-]+)` \(`([\w.]+)`\)/g)].filter(([, file = '', name = '']) => {
    const code = exists(file) ? read(file) : ''
    const [owner = '', method] = name.split('.')
    const isThere = new RegExp(`^(?:export )?(?:async )?(?:function|class|const) ${owner}\\b`, 'm').test(code)
    return !isThere || (method !== undefined && !new RegExp(`^ +(?:readonly )?${method} (?:\\(|=)`, 'm').test(code))
  }).map(([, file, name]) => `${name} of ${file}`)
}

t.test('every file that a document names exists, and so does every command', async (t) => {
  let files = 0
  for (const document of documents()) {
    const text = read(document)
    files += pathsIn(text).length
    t.strictSame(pathsIn(text).filter((file) => !exists(file)), [], document)
    t.strictSame(missingFunctions(text), [], document)
    const commands = commandsIn(text).filter((command) => /^(?:npm (?!i |install )|\.ci\/)/.test(command)).flatMap((line) => line.split(' && '))
    for (const command of commands) t.strictSame(missingIn(command), [], `${document}: ${command}`)
  }
  t.ok(files > 100, `${files} files`)
})

t.test('a file or a function that does not exist is found', async (t) => {
  const text = 'See `lib/nothing.ts` (`nothing`), `lib/plugin.ts` (`addScope`), `lib/plugin.ts` (`addNothing`), `lib/preflight/resolve.ts` (`PreflightResolver.nothing`) and lib/messages/errors.ts.'
  t.strictSame(pathsIn(text), ['lib/nothing.ts', 'lib/plugin.ts', 'lib/preflight/resolve.ts', 'lib/messages/errors.ts'])
  t.strictSame(missingFunctions(text), ['nothing of lib/nothing.ts', 'addNothing of lib/plugin.ts', 'PreflightResolver.nothing of lib/preflight/resolve.ts'])
})

t.test('docs/architecture.md has every part of lib/ in its picture, and its three rules name tests', async (t) => {
  const text = read('docs/architecture.md')
  const [, picture = ''] = /^```text\n([^]*?)^```$/m.exec(text) ?? []
  const parts = readdirSync(join(ROOT, 'lib'), { withFileTypes: true }).map((entry) => `lib/${entry.name}${entry.isDirectory() ? '/' : ''}`)
  const named = [...picture.matchAll(/lib\/[\w.]+\/?/g)].map(String)
  // The command's entry is a part of what is there.
  t.strictSame(parts.filter((part) => !named.includes(part)).sort(), ['lib/cli.ts'])
  const rules = text.split('## Three rules that always hold')[1]?.split('\n## ')[0]?.match(/^\| [A-Z].*$/gm) ?? []
  t.equal(rules.length, 3)
  for (const rule of rules) t.match(rule, /`test\/[\w/-]+\.test\.ts`/, rule)
})

/** What the documents call by a name of the package: error codes, types and schemas, dangerous switches. */
const OWN_NAMES = /\b(?:FST_ERR_CORS_\w+|Cors[A-Z]\w+|RouteCors\w*|dangerously[A-Z]\w+)\b/g

t.test('every error code, type, schema and dangerous switch that a document names is one of the package', async (t) => {
  const sources = ['lib', 'types'].flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).map((file) => read(join(folder, file)))).join('\n')
  const declared = new Set(sources.match(OWN_NAMES))
  const unknown = (text: string): string[] => (text.match(OWN_NAMES) ?? []).filter((name) => !declared.has(name))
  t.strictSame(unknown('`FST_ERR_CORS_NOTHING`, `CorsNothing`, `CorsPolicy`, `dangerouslyAllowNothing`'), ['FST_ERR_CORS_NOTHING', 'CorsNothing', 'dangerouslyAllowNothing'])
  for (const document of documents()) t.strictSame(unknown(read(document)), [], document)
})

t.test('every attack in SECURITY.md names tests that exist', async (t) => {
  const rows = read('SECURITY.md').split('| attack | test |')[1]?.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('|---')) as string[]
  t.ok(rows.length > 10)
  for (const row of rows) t.match(row, /`test\/[\w/-]+\.test\.ts`/, row)
  const files = [...read('SECURITY.md').matchAll(/`(test\/[^`]+)`/g)].map(([, file]) => file as string)
  for (const file of files) t.ok(exists(file), file)
})

t.test('the changelog has the version of the package, and a place for what comes next', async (t) => {
  const headings = [...read('CHANGELOG.md').matchAll(/^## \[([^\]]+)\](?: - (.+))?$/gm)].map(([, version, date]) => [version, date])
  t.equal(headings[0]?.[0], 'Unreleased')
  t.equal(headings[1]?.[0], PACKAGE.version)
  for (const [, date] of headings.slice(1)) t.match(date, /^\d{4}-\d\d-\d\d$/)
  t.match(read('SECURITY.md'), `| ${PACKAGE.version.split('.').slice(0, 2).join('.')} | yes |`, 'and is supported')
  t.equal((JSON.parse(read('package-lock.json')) as { version: string }).version, PACKAGE.version)
})

t.test('the addresses in package.json are of one repository', async (t) => {
  const address = PACKAGE.repository.url.replace(/^git\+/, '').replace(/\.git$/, '')
  t.equal(PACKAGE.homepage, `${address}#readme`)
  t.equal(PACKAGE.bugs, `${address}/issues`)
})

t.test('every command that the CI workflow runs exists', async (t) => {
  const workflow = read('.github/workflows/ci.yml')
  t.notMatch(workflow, /\t/, 'YAML has no tabs')
  const calls = [...workflow.matchAll(/^ +- run: (.+)$/gm)].map(([, command]) => command as string)
  t.ok(calls.includes('.ci/run'))
  t.ok(calls.some((command) => command.startsWith('npm run test:versions -- --fastify ')))
  for (const command of calls) t.strictSame(missingIn(command), [], command)
})
