// Copies what TypeScript does not compile beside the compiled code that uses it (npm run build): the inspector's page, with its style, script and icon, and the
// public suffix list.
import { copyFileSync, readdirSync } from 'node:fs'

const from = new URL('../lib/', import.meta.url)
const to = new URL('../dist/', import.meta.url)

const page = readdirSync(new URL('inspector/', from)).filter((file) => !file.endsWith('.ts')).map((file) => `inspector/${file}`)
for (const file of [...page, 'policy/origin/tldts.js']) copyFileSync(new URL(file, from), new URL(file, to))
