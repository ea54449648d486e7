// Joins the modules that every application loads into one file of the build, dist/core.js: Node needs about 0.15 ms for each file that it loads, and there are
// over 40. What is loaded later stays in files of its own, and the path of each joined module stays valid: there, a short file passes on its exports.
// finish-build.mjs writes the files.
import { posix } from 'node:path'
import { decode, encode } from '@jridgewell/sourcemap-codec'

const CORE = 'core'
/** Compiled imports. Calls of require() within a function have no such line: these modules are loaded later. */
const IMPORT = /^(?:const|var) \w+ = (?:\w+\()?require\("(\.[^"]+)"\)\)?;$/gm
/** All calls of require() with a path. */
const REQUIRE = /\brequire\((?:"(\.[^"]+)"|'(\.[^']+)')\)/g
/** The function that gives the exports of a joined module. No module may use this name. */
const JOINED = 'requireJoined'
const SOURCE_MAP = /^\/\/# sourceMappingURL=.*$/m

const BEGIN = `"use strict";
// The modules that every application loads, in one file. The sources are in lib/.
const loaded = Object.create(null);
function ${JOINED}(name) {
    if (loaded[name] === undefined) {
        loaded[name] = { exports: {} };
        modules[name](loaded[name].exports, loaded[name]);
    }
    return loaded[name].exports;
}
module.exports = ${JOINED};
const modules = {
`

/**
 * The new texts of files, by name. `read` gives the text of a compiled module or of its source map, by its name below dist/. `entry` is the module that
 * applications load. It stays a file of its own: Node reads the names of its exports there. The joined modules need no source maps of their own any more.
 */
export function joinModules (read, entry) {
  const pathOf = (from, path) => `${posix.join(posix.dirname(from), path)}.js`
  const importsOf = (name) => [...read(name).matchAll(IMPORT)].map(([, path]) => pathOf(name, path))

  // In the order in which they are loaded.
  const joined = new Set()
  const visit = (name) => {
    if (joined.has(name)) return
    for (const imported of importsOf(name)) visit(imported)
    joined.add(name)
  }
  for (const name of importsOf(entry)) visit(name)
  for (const name of joined) if (read(name).includes(JOINED)) throw new Error(`${name} uses the name ${JOINED}`)

  const withJoined = (name, requireJoined) => read(name).replace(REQUIRE, (_call, path, single) => {
    const required = pathOf(name, path ?? single)
    return joined.has(required) ? `${requireJoined}(${JSON.stringify(required)})` : `require(${JSON.stringify(`./${required.slice(0, -'.js'.length)}`)})`
  })

  let code = BEGIN
  const sources = []
  const mappings = []
  for (const name of joined) {
    // In parentheses, V8 compiles a function at once, not a second time when it is called.
    code += `${JSON.stringify(name)}: (function (exports, module) {\n`
    const map = JSON.parse(read(`${name}.map`))
    while (mappings.length < code.split('\n').length - 1) mappings.push([])
    for (const line of decode(map.mappings)) mappings.push(line.map(([column, source, ...original]) => [column, source + sources.length, ...original]))
    sources.push(...map.sources.map((source) => posix.join(posix.dirname(name), source)))
    code += `${withJoined(name, JOINED).replace(SOURCE_MAP, '').trimEnd()}\n}),\n`
  }
  const files = new Map([
    [`${CORE}.js`, `${code}};\n//# sourceMappingURL=${CORE}.js.map\n`],
    [`${CORE}.js.map`, JSON.stringify({ version: 3, file: `${CORE}.js`, sources, names: [], mappings: encode(mappings) })],
    [entry, withJoined(entry, `require("./${CORE}")`)]
  ])
  for (const name of joined) {
    const up = posix.relative(posix.dirname(name), '.') || '.'
    files.set(name, `"use strict";\nmodule.exports = require("${up}/${CORE}")(${JSON.stringify(name)});\n`)
  }
  return { files, joined: [...joined] }
}
