// npm run bench:memory: what an originList takes in memory, by the number of its exact origins. docs/performance.md has the figures.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { originList } from 'fastify-cors-policy'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const used = (): number => { collect(); return process.memoryUsage().heapUsed }

function * origins (size: number): Iterable<string> {
  for (let index = 0; index < size; index++) yield `https://tenant${index}.example.com`
}

originList(origins(1000))
for (const size of [10_000, 100_000, 1_000_000]) {
  const before = used()
  const start = performance.now()
  const list = originList(origins(size))
  const time = performance.now() - start
  const bytes = used() - before
  if (list.size !== size) throw new Error('the list is not complete')
  console.log(`${size.toLocaleString('en')} origins: ${(bytes / 1e6).toFixed(1)} MB, ${Math.round(bytes / size)} bytes each, built in ${Math.round(time)} ms`)
}
