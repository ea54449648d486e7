// Bundles the modules that every application loads into one file of the build, dist/core.js: Node needs about 0.15 ms for each file that it loads, and there are
// over 40. fastify-plugin is among them. What is loaded later, by require() within a function, stays in files of its own, which get what they need of these modules
// from there. finish-build.mjs writes the files.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, posix, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import commonjs from '@rollup/plugin-commonjs'
import { rollup } from 'rollup'
import { minify } from 'terser'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LIB = join(ROOT, 'lib')
const CORE = 'core'
/** No such file exists: rollup gets its text from here. */
const CORE_SOURCE = join(LIB, `${CORE}.ts`)
/** The one package that is bundled. */
const PACKAGE = 'fastify-plugin'
const PACKAGE_ENTRY = createRequire(CORE_SOURCE).resolve(PACKAGE)
/** The module that applications load. It stays a file of its own: Node reads the names of its exports there. */
const ENTRY = 'index.js'
/** Compiled imports. Calls of require() within a function have no such line. */
const IMPORT = /^(?:const|var) \w+ = (?:\w+\()?require\("(\.[^"]+)"\)\)?;$/gm
/** All calls of require() with the bundled package. */
const REQUIRE_PACKAGE = new RegExp(`\\brequire\\("${PACKAGE}"\\)`, 'g')
/** All calls of require() with a path. */
const REQUIRE = /\brequire\(["'](\.[^"']+)["']\)/g

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
    const core = `require("${posix.relative(posix.dirname(from), '.') || '.'}/${CORE}")`
    const replaced = text.replace(REQUIRE_PACKAGE, `${core}.fastifyPlugin`).replace(REQUIRE, (call, path) => {
      const name = pathOf(from, path)
      if (!bundled.has(name)) return call
      exporting.add(name)
      return core
    })
    if (replaced !== text) files.set(from, replaced)
  }

  const modules = [...exporting].map((name) => `export * from './${name.replace(/\.js$/, '')}'\n`)
  const bundle = await rollup({
    input: CORE_SOURCE,
    plugins: [commonjs(), sources(`export { default as fastifyPlugin } from '${PACKAGE}'\n${modules.join('')}`), oneExport, shortened],
    onLog (level, { message }) {
      throw new Error(`${level}: ${message}`)
    }
  })
  const { output: [{ code, map }] } = await bundle.generate({
    banner: `// The modules that every application loads, in one file. The sources are in lib/. ${PACKAGE} is part of it:\n${licence()}`,
    format: 'cjs',
    file: join(ROOT, 'dist', `${CORE}.js`), // the map names its sources from there
    esModule: false,
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

/** Exports one object: its nearly 80 properties take 0.07 ms when they are set one after the other. */
const oneExport = {
  name: 'one-export',
  renderChunk (code) {
    const properties = ['__esModule: true']
    const rest = code.replace(/^exports\.(\w+) = (\w+);\n?/gm, (_line, name, value) => {
      properties.push(`${name}: ${value}`)
      return ''
    })
    return { code: `${rest}module.exports = { ${properties.join(', ')} };\n`, map: null }
  }
}

/**
 * Shortens the names of local variables and of private members. Functions and classes keep theirs, and statements their lines: so a stack trace says where it
 * comes from. Node reads a file in half the time if it is ASCII.
 */
const shortened = {
  name: 'shortened',
  renderChunk: (code) => minify(code, {
    compress: false,
    mangle: { keep_fnames: true, keep_classnames: true },
    format: { ascii_only: true, beautify: true, indent_level: 1, comments: 'all' },
    sourceMap: true
  })
}

/** The licence of the bundled package, which has to be with every copy of it. */
function licence () {
  return readFileSync(join(dirname(PACKAGE_ENTRY), 'LICENSE'), 'utf8').trim().replace(/^/gm, '// ').replace(/ +$/gm, '')
}

/** Gives rollup the sources in lib/, as ES modules without comments. `core` is the text of the module that exports what others need. */
function sources (core) {
  const { compilerOptions } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile).config
  const { options } = ts.convertCompilerOptionsFromJson({ target: compilerOptions.target, module: 'esnext', sourceMap: true, removeComments: true }, ROOT)
  return {
    name: 'sources',
    resolveId (path, from) {
      if (from === undefined) return path
      if (path === PACKAGE) return PACKAGE_ENTRY
      if (!path.startsWith('.')) return false // other packages stay outside
      return from.startsWith(LIB) ? resolve(dirname(from), `${path}.ts`) : createRequire(from).resolve(path)
    },
    load: (id) => id === CORE_SOURCE ? core : null,
    transform (source, id) {
      const { outputText, sourceMapText } = ts.transpileModule(source, { fileName: id, compilerOptions: options })
      const folder = relative(LIB, dirname(id))
      const code = outputText.replace(REQUIRE, (_call, path) => `require("./${posix.join(folder, path)}")`)
      return { code, map: id.startsWith(LIB) ? sourceMapText : { mappings: '' } } // the map names no files that are not packed
    }
  }
}
