// What a build needs besides the compiler (npm run build): copies, and no declarations that nobody can import.
import { copyFileSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const LIB = new URL('../lib/', import.meta.url)
const DIST = new URL('../dist/', import.meta.url)
/** The declarations of the package's entries: those of `exports`. */
const ENTRIES = ['index.d.ts', 'inspector/index.d.ts', 'browser/index.d.ts']

/** Copies what TypeScript does not compile beside the compiled code that uses it: the inspector's page, with its style, script and icon, and the public suffix list. */
function copyFiles () {
  const page = readdirSync(new URL('inspector/', LIB)).filter((file) => !file.endsWith('.ts')).map((file) => `inspector/${file}`)
  for (const file of [...page, 'origins/tldts.js']) copyFileSync(new URL(file, LIB), new URL(file, DIST))
}

/** Removes the declarations that no entry leads to. They are most of them, and `exports` lets nobody import them. */
function removeUnusedDeclarations () {
  const pathOf = (file) => fileURLToPath(new URL(file, DIST))
  const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, noLib: true, types: [] }
  const program = ts.createProgram(ENTRIES.map(pathOf), options)
  for (const file of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
    if (!/\.d\.ts(?:\.map)?$/.test(file)) continue
    if (program.getSourceFile(pathOf(file.replace(/\.map$/, ''))) === undefined) rmSync(new URL(file, DIST))
  }
}

removeUnusedDeclarations()
copyFiles()
