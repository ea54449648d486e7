// Writes the inspector's page, style, script and icon into lib/inspector/files.ts, as strings (npm run generate): a bundle has modules, and no other files.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { writeIfChanged } from './write-if-changed.mjs'

const FOLDER = new URL('../lib/inspector/', import.meta.url)
const GENERATED = new URL('files.ts', FOLDER)

/** The text of lib/inspector/files.ts. */
export function inspectorFiles () {
  const names = readdirSync(FOLDER).filter((name) => !name.endsWith('.ts')).sort()
  const files = names.map((name) => `  ${JSON.stringify(name)}: ${JSON.stringify(readFileSync(new URL(name, FOLDER), 'utf8'))}`)
  return [
    '// Written by scripts/inspector-files.mjs from the files beside it; change those, and run: npm run generate',
    `export const CONTENTS = {\n${files.join(',\n')}\n} as const`
  ].join('\n') + '\n'
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeIfChanged(GENERATED, inspectorFiles())
