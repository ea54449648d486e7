// Copies the inspector's page, with its style, script and icon, beside the compiled plugin that serves them (npm run build).
import { copyFileSync, readdirSync } from 'node:fs'

const from = new URL('../lib/inspector/', import.meta.url)
const to = new URL('../dist/inspector/', import.meta.url)

for (const file of readdirSync(from)) {
  if (!file.endsWith('.ts')) copyFileSync(new URL(file, from), new URL(file, to))
}
