// What a package weighs when it is installed: itself, and its dependencies and theirs.
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Sizes in bytes. The types of TypeBox, which nothing loads, are `types`. */
export interface InstalledSize { readonly total: number, readonly types: number, readonly packages: Readonly<Record<string, number>> }

/**
 * Measures a package and what it depends on, as they are installed. Peer dependencies are not counted.
 *
 * @param manifest the package's package.json
 * @param own what the package itself weighs; by default, all files of its folder
 */
export function installedSize (manifest: string, own = sizeOf(dirname(manifest))): InstalledSize {
  const seen = new Set<string>()
  const packages: Record<string, number> = {}
  const add = (file: string, size?: number): void => {
    if (seen.has(file)) return
    seen.add(file)
    const { name, dependencies = {} } = JSON.parse(readFileSync(file, 'utf8')) as { name: string, dependencies?: Record<string, string> }
    packages[name] = (packages[name] ?? 0) + (size ?? sizeOf(dirname(file))) // two versions of a package are both installed
    for (const dependency of Object.keys(dependencies)) add(manifestOf(dependency, file))
  }
  add(manifest, own)
  return { total: Object.values(packages).reduce((sum, size) => sum + size, 0), types: packages['@sinclair/typebox'] ?? 0, packages }
}

function manifestOf (name: string, from: string): string {
  // With a slash: `punycode` alone is Node's own module.
  for (const folder of createRequire(from).resolve.paths(`${name}/`) ?? []) {
    const file = join(folder, name, 'package.json')
    if (statSync(file, { throwIfNoEntry: false }) !== undefined) return realpathSync(file) // a link's own dependencies lie where it leads
  }
  throw new Error(`${name} is not installed`)
}

function sizeOf (folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).filter(({ name }) => name !== 'node_modules').reduce((sum, entry) => {
    const path = join(folder, entry.name)
    return sum + (entry.isDirectory() ? sizeOf(path) : statSync(path).size)
  }, 0)
}
