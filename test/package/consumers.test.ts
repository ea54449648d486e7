// The package as its users get it: packed, checked, unpacked beside its declared dependencies and nothing else, then compiled and run
// from ESM and CommonJS. It tests dist/, so build first (npm test and npm run test:package do). Nothing here uses the network.
import { cp, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { installedSize } from '../../bench/installed-size'
import { isRelative, linksIn } from '../support/markdown'
import { installPackage, NODE_MODULES, ROOT, run } from './installed'

const RESOLUTIONS = {
  nodenext: { module: 'nodenext' },
  node16: { module: 'node16' },
  bundler: { module: 'preserve', moduleResolution: 'bundler' }
}
/** The oldest that is supported and its next, which differ from later ones, the last of each major version, and this repository's own. */
const COMPILERS = ['typescript', 'typescript-5.4', 'typescript-5.5', 'typescript-5.9', 'typescript-7']
/** Those that check the declarations of all packages in one program, for other ways to resolve modules than Node's. */
const STRICT = ['typescript-5.4', 'typescript-5.5']
const EXPORTS = ['corsPolicy', 'default', 'definePolicies', 'originList']
const SCHEMAS = ['CorsPluginOptionsSchema', 'CorsPolicySchema', 'RouteCorsSchema']

interface Analysis { problems?: Record<string, unknown> }

/** How many files more TypeScript reads in a project with the plugin than in one without. */
const MAX_TYPE_FILES = 12

/** Bytes, of all that is installed with the package but the types of TypeBox. */
const MAX_INSTALLED = 4_000_000

/** What the consumers print. */
interface Facts {
  type: string
  sameInstance: boolean[]
  names: string[]
  registered: unknown
  autoloadedCjs: unknown
  autoloadedEsm: unknown
  sameInspector: boolean[]
  inspected: unknown
  refused: unknown
}

/** Adds the applications in consumer/ to the project, and a configuration for each compiler and way to resolve modules. Returns their names, by compiler. */
async function addApplications (consumer: string): Promise<Map<string, string[]>> {
  await cp(join(__dirname, 'consumer'), consumer, { recursive: true })
  const programs = new Map<string, string[]>()
  for (const compiler of COMPILERS) {
    const names: string[] = []
    const add = async (name: string, compilerOptions: object, files: string[]): Promise<void> => {
      await writeFile(join(consumer, `tsconfig.${name}.json`), JSON.stringify({
        compilerOptions: { target: 'es2022', lib: ['es2023'], types: ['node'], strict: true, skipLibCheck: true, rootDir: '.', outDir: join('out', name), ...compilerOptions },
        files
      }))
      names.push(name)
    }
    for (const [resolution, options] of Object.entries(RESOLUTIONS)) {
      // One program is to run: the code that was checked is the code that runs. The package's own declarations are checked too (slow), by it and by the oldest.
      const first = compiler === 'typescript' && resolution === 'nodenext'
      const skipLibCheck = !first && !(STRICT.includes(compiler) && resolution === 'bundler')
      await add(`${compiler}-${resolution}`, { ...options, composite: true, skipLibCheck, ...(first && { outDir: '.' }) }, ['esm.mts', 'cjs.cts', 'declarations.mts', 'declarations.cts'])
    }
    // TypeScript has it since 5.5.
    if (compiler !== 'typescript-5.4') await add(`${compiler}-isolated`, { ...RESOLUTIONS.nodenext, declaration: true, isolatedDeclarations: true }, ['isolated.mts'])
    programs.set(compiler, names)
  }
  return programs
}

// A dozen programs are compiled: where other tests run beside this one, that may take longer than tap allows a file (its own comment is what the runner reads).
const LIMIT = 400_000
t.setTimeout(LIMIT)
t.comment(`timeout=${LIMIT}`)

t.test('the packed package is complete, compiles and runs', async (t) => {
  const { directory, consumer, tarball, files } = await installPackage(t, ['@fastify/autoload', '@types/node'])
  const programs = await addApplications(consumer)

  t.test('the packed package holds the build, its sources and the papers, and nothing else', async (t) => {
    const papers = ['README.md', 'LICENSE', 'CHANGELOG.md', 'CODE_OF_CONDUCT.md', 'CONTRIBUTING.md', 'SECURITY.md', 'bench/results.md', 'bench/results.svg']
    const single = ['package.json', ...papers, 'types/fastify.d.ts', 'policies.schema.json']
    for (const file of [...single, 'dist/index.js', 'dist/index.d.ts', 'dist/inspector/index.d.ts', 'dist/origins/tldts.js', 'dist/inspector/index.js', 'dist/schemas.js', 'dist/schemas.d.ts', 'dist/browser/index.d.ts']) t.ok(files.includes(file), file)
    t.strictSame(files.filter((file) => !/^(?:dist\/|lib\/.+\.ts$|docs\/[\w-]+\.(?:md|svg)$)/.test(file) && !single.includes(file)), [], 'nothing else')
    const maps = files.filter((file) => file.endsWith('.map'))
    t.not(maps.length, 0, 'has source maps')
    const sources = await Promise.all(maps.map(async (file) => {
      const map = JSON.parse(await readFile(join(ROOT, file), 'utf8')) as { sources: string[] }
      return map.sources.map((source) => join(dirname(file), source))
    }))
    t.strictSame(sources.flat().filter((source) => !files.includes(source)), [], 'whose sources are there')
  })

  t.test('with source maps, an error of the packed package names the files and lines of the sources', async (t) => {
    const program = `
      const Fastify = require('fastify'), cors = require('fastify-cors-policy')
      const app = Fastify()
      app.register(cors).after(() => { try { app.get('/', { config: { cors: { origin: 'x' } } }, () => '') } catch ({ stack }) { console.log(stack) } }).ready()`
    const { stdout } = await run(process.execPath, ['--enable-source-maps', '-e', program], consumer)
    const [, file, line] = /at corsPolicyError \(.*?\/(lib\/[\w/-]+\.ts):(\d+)/.exec(stdout) ?? []
    t.equal(file, 'lib/messages/errors.ts', stdout)
    t.match((await readFile(join(ROOT, 'lib/messages/errors.ts'), 'utf8')).split('\n')[Number(line) - 1], 'new ', 'where the error is made')
  })

  t.test('the packed package weighs less than 4 MB, with its dependencies and without the types of TypeBox', async (t) => {
    const { total, types, packages } = installedSize(join(consumer, 'node_modules', 'fastify-cors-policy', 'package.json'))
    t.ok(types > 0 && Object.keys(packages).length > 6, 'all are counted')
    t.ok(total - types < MAX_INSTALLED, `${total - types} bytes: ${JSON.stringify(packages)}`)
  })

  t.test('the packed package has every file that its documents link to', async (t) => {
    const documents = files.filter((file) => file.endsWith('.md'))
    t.ok(documents.includes('README.md'))
    for (const document of documents) {
      const links = linksIn(await readFile(join(ROOT, document), 'utf8')).filter(isRelative)
      t.strictSame(links.map((link) => join(dirname(document), link.split('#')[0] as string)).filter((file) => file !== dirname(document) && !files.includes(file)), [], document)
    }
  })

  t.test('publint finds no problem in the packed package', async (t) => {
    const { publint } = await import('publint')
    const { buffer, byteOffset, byteLength } = await readFile(tarball)
    const { messages } = await publint({ pack: { tarball: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer }, strict: true })
    t.strictSame(messages, [], 'no message')
  })

  t.test('are-the-types-wrong finds no problem in the packed package', async (t) => {
    const { code, stdout } = await run(join(NODE_MODULES, '.bin', 'attw'), [tarball, '--format', 'json'], directory)
    t.strictSame((JSON.parse(stdout) as Analysis).problems, {}, 'no problem')
    t.equal(code, 0, 'exit code')
  })

  for (const [compiler, names] of programs) {
    t.test(`an ESM and a CommonJS application compile with ${compiler}, but for their wrong policies`, async (t) => {
      await Promise.all(names.map(async (name) => {
        const { code, stdout } = await run(process.execPath, [join(NODE_MODULES, compiler, 'bin', 'tsc'), '-p', `tsconfig.${name}.json`, '--pretty', 'false'], consumer)
        t.equal(stdout, '', `${name}: no error`)
        t.equal(code, 0, `${name}: exit code`)
      }))
      const declarations = await Promise.all(names.map((name) => {
        const file = name.endsWith('isolated') ? 'isolated.d.mts' : 'declarations.d.mts'
        return readFile(join(consumer, name === 'typescript-nodenext' ? '' : join('out', name), file), 'utf8')
      }))
      for (const text of declarations) {
        t.match(text, 'policies:', 'declares what it exports')
        t.notMatch(text, /fastify-cors-policy\/(?!schemas["'])|: any/, 'by names of the package\'s entries')
      }
    })
  }

  t.test('an application without esModuleInterop compiles', async (t) => {
    for (const compiler of STRICT) {
      const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023', '--types', 'node', '--esModuleInterop', 'false', '--allowSyntheticDefaultImports', 'false']
      const { stdout } = await run(process.execPath, [join(NODE_MODULES, compiler, 'bin', 'tsc'), ...options, '--pretty', 'false', 'interop.cts'], consumer)
      // The declarations of pino, which Fastify's name, do not.
      const errors = stdout.split('\n').filter((line) => line.includes(': error ') && !/node_modules\/(?!fastify-cors-policy)/.test(line))
      t.strictSame(errors, [], compiler)
    }
  })

  t.test(`TypeScript reads at most ${MAX_TYPE_FILES} files for the main entry, and nothing of TypeBox`, async (t) => {
    const filesOf = (file: string): string[] => {
      const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, target: ts.ScriptTarget.ES2022, types: ['node'] }
      return ts.createProgram([join(consumer, file)], options).getSourceFiles().map(({ fileName }) => fileName)
    }
    const [without, withPlugin] = [filesOf('without.mts'), filesOf('with.mts')]
    const added = withPlugin.filter((file) => !without.includes(file) && !file.endsWith('/with.mts'))
    t.ok(added.some((file) => file.endsWith('fastify-cors-policy/dist/index.d.ts')), 'it is found')
    t.ok(added.length <= MAX_TYPE_FILES, `${added.length} files: ${added.join(' ')}`)
    t.strictSame(withPlugin.filter((file) => file.includes('typebox')), [], 'nothing of TypeBox')
  })

  t.test('the packed package documents everything that it exports', async (t) => {
    for (const [file, names] of [['index.d.ts', EXPORTS], ['schemas.d.ts', SCHEMAS]] as const) {
      const entry = join(consumer, 'node_modules', 'fastify-cors-policy', 'dist', file)
      const program = ts.createProgram([entry], { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [] })
      const checker = program.getTypeChecker()
      const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry) as ts.SourceFile) as ts.Symbol)
      t.strictSame(names.filter((name) => !exported.some((symbol) => symbol.name === name)), [], `${file} declares every value`)
      const aliased = exported.map((symbol) => symbol.flags & ts.SymbolFlags.Alias ? [symbol.name, checker.getAliasedSymbol(symbol)] as const : [symbol.name, symbol] as const)
      t.strictSame(aliased.filter(([, symbol]) => symbol.getDocumentationComment(checker).length === 0).map(([name]) => name), [], 'with its documentation')
    }
  })

  for (const [kind, program] of [['an ESM', 'esm.mjs'], ['a CommonJS', 'cjs.cjs']] as const) {
    t.test(`the packed package runs in ${kind} application`, async (t) => {
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
      t.ok(facts.sameInspector.length > 1 && !facts.sameInspector.includes(false), 'the inspector is one plugin, however it is imported')
      t.strictSame(facts.inspected, [200, 200, 200, 200, ['/own', '/own']], 'and serves its files')
      t.strictSame(facts.refused, ['not-canonical', 'public-suffix'], 'mistakes in the options are refused')
    })
  }
})

t.test('npm ci warns of no package that does not support this Node', async (t) => {
  const folder = t.testdir()
  for (const file of ['package.json', 'package-lock.json']) await cp(join(ROOT, file), join(folder, file))
  const { code, stderr } = await run('npm', ['ci', '--dry-run', '--offline', '--ignore-scripts', '--no-audit', '--no-fund'], folder)
  t.equal(code, 0, stderr)
  t.notMatch(stderr, 'EBADENGINE')
})

t.test('the lockfile names no registry', async (t) => {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, { resolved?: string, integrity?: string }> }
  t.strictSame(Object.keys(packages).filter((path) => packages[path]?.resolved !== undefined), [])
  t.strictSame(Object.keys(packages).filter((path) => path !== '' && packages[path]?.integrity === undefined), [], 'and has a checksum for every package')
})
