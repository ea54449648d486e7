// Loads every file of lib/: coverage counts a file only once something has loaded it, so one that nothing tests would go unnoticed.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const LIB = join(__dirname, '..', '..', 'lib')
const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

t.not(files.length, 0)
for (const file of files) t.doesNotThrow(() => require(join(LIB, file)), `lib/${file} loads by itself`)
