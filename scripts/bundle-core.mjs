// Bundles the modules that every application loads into one file of the build, dist/core.js: Node needs about 0.15 ms for each file that it loads, and there are
// over 40. What is loaded later, by require() within a function, stays in files of its own, which get what they need of these modules from there.
// finish-build.mjs writes the files.
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFileSync } from 'node:fs'
import { rollup } from 'rollup'
import ts from 'typescript'

const LIB = fileURLToPath(new URL('../lib', import.meta.url))
const CORE = 'core'
/** The module that applications load. It stays a file of its own: Node reads the names of its exports there. */
const ENTRY = 'index.js'
/** Compiled imports. Calls of require() within a function have no such line. */
const IMPORT = /^(?:const|var) \w+ = (?:\w+\()?require\("(\.[^"]+)"\)\)?;$/gm
/** All calls of require() with a path. */
const REQUIRE = /\brequire\((?:"(\.[^"]+)"|'(\.[^']+)')\)/g
const COMPILER_OPTIONS = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, sourceMap: true, removeComments: true }

/**
 * The new texts of files, by name. `compiled` has the text of each compiled module, by its name below dist/. The bundled modules need no files of their own any
 * more: their names are `bundled`.
 */
export async function bundleCore (compiled) {
  const pathOf = (from, path) => `${posix.join(posix.dirname(from), path)}.js`
  const bundled = new Set()
  const add = (from) => {
    for (const [, path] of compiled.get(from).matchAll(IMPORT)) {
      const name = pathOf(from, path)
      if (bundled.has(name)) continue
      bundled.add(name)
      add(name)
    }
  }
  add(ENTRY)

  const files = new Map()
  const exporting = new Set()
  for (const [from, text] of compiled) {
    if (bundled.has(from)) continue
    const core = posix.join(posix.relative(posix.dirname(from), '.') || '.', CORE)
    const replaced = text.replace(REQUIRE, (call, path, single) => {
      const name = pathOf(from, path ?? single)
      if (!bundled.has(name)) return call
      exporting.add(name)
      return `require(${JSON.stringify(core.startsWith('.') ? core : `./${core}`)})`
    })
    if (replaced !== text) files.set(from, replaced)
  }

  const bundle = await rollup({
    input: CORE,
    plugins: [modulesOf([...exporting])],
    external: (id) => /^[^./]/.test(id) && id !== CORE,
    treeshake: false,
    onLog (level, { message }) {
      throw new Error(`${level}: ${message}`)
    }
  })
  const { output: [{ code, map }] } = await bundle.generate({
    banner: '// The modules that every application loads, in one file. The sources are in lib/.',
    format: 'cjs',
    file: posix.join(LIB, `../dist/${CORE}.js`), // the map names its sources from there
    esModule: true,
    externalLiveBindings: false,
    freeze: false,
    generatedCode: { preset: 'es2015', symbols: false },
    interop: 'default',
    minifyInternalExports: false,
    sourcemap: true,
    sourcemapExcludeSources: true
  })
  files.set(`${CORE}.js`, code)
  files.set(`${CORE}.js.map`, JSON.stringify(map))
  return { files, bundled: [...bundled] }
}

/** Gives rollup the sources in lib/, as ES modules without comments, and one that exports what these export. */
function modulesOf (exporting) {
  return {
    name: 'lib',
    resolveId: (path, from) => path === CORE ? CORE : /^[./]/.test(path) ? `${posix.resolve(posix.dirname(from), path)}.ts` : null,
    load: (id) => id === CORE ? exporting.map((name) => `export * from ${JSON.stringify(posix.join(LIB, name.replace(/\.js$/, '')))}\n`).join('') : readFileSync(id, 'utf8'),
    transform (source, id) {
      if (id === CORE) return null
      const { outputText, sourceMapText } = ts.transpileModule(source, { fileName: id, compilerOptions: COMPILER_OPTIONS })
      const folder = posix.relative(LIB, posix.dirname(id))
      const code = outputText.replace(REQUIRE, (_call, path, single) => `require("./${posix.join(folder, path ?? single)}")`)
      return { code: code.replace(/[\u0080-\uffff]/g, escapeCharacter), map: sourceMapText }
    }
  }
}

/** Without comments, such characters are in strings, templates and RegExps only. Node reads a file that has none of them in half the time. */
function escapeCharacter (character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
