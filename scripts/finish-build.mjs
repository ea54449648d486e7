// What a build needs besides the compiler (npm run build): the public suffix list, and no declarations that nobody can import.
import { copyFileSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const LIB = new URL('../lib/', import.meta.url)
const DIST = new URL('../dist/', import.meta.url)
/** The declarations of the package's entries, those of `exports`. */
const ENTRIES = ['index.d.ts', 'inspector/index.d.ts', 'schemas.d.ts', 'browser/index.d.ts']

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
// TypeScript does not copy it.
copyFileSync(new URL('origins/tldts.js', LIB), new URL('origins/tldts.js', DIST))
