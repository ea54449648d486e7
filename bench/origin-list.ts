// npm run bench:lists: what changes of an originList cost, by the size of the list, and that looking up costs the same whatever its size.
// Prints the median and the worst of several runs; docs/performance.md has the figures.
import { performance } from 'node:perf_hooks'
import { definePolicies, originList } from 'fastify-cors-policy'

const RUNS = 15
const SIZES = [2, 10_000, 100_000]

/** Other entries in every run, so that no run finds what an earlier one left behind. */
function entriesOf (size: number, run: number, form: (name: string) => string): string[] {
  return Array.from({ length: size }, (_, index) => form(`tenant${index}-${run}.example.com`))
}

const exact = (name: string): string => `https://${name}`
const pattern = (name: string): string => `https://*.${name}`

function milliseconds (work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

function report (what: string, unit: string, values: number[]): void {
  const sorted = values.toSorted((a, b) => a - b)
  const [median, worst] = [sorted[Math.floor(sorted.length / 2)] as number, sorted.at(-1) as number]
  console.log(`| ${what.padEnd(58)} | ${median.toFixed(2).padStart(8)} | ${worst.toFixed(2).padStart(8)} | ${unit} |`)
}

const runs = Array.from({ length: RUNS }, (_, run) => run)

console.log(`| ${'what'.padEnd(58)} |   median |    worst | |\n|---|---:|---:|---|`)
for (const [name, form] of [['exact origins', exact], ['patterns', pattern]] as const) {
  for (const credentials of [false, true]) {
    for (const size of SIZES) {
      const list = originList([])
      const policies = definePolicies({ tenants: { origin: list, credentials } })
      const by = credentials ? ', by the rules of credentials' : ''
      report(`replace() by ${size.toLocaleString('en')} ${name}${by}`, 'ms', runs.map((run) => {
        const entries = entriesOf(size, run, form)
        return milliseconds(() => list.replace(entries))
      }))
      const added = (run: number): string[] => entriesOf(100, RUNS + run, form)
      report(`add() one of ${name} to ${size.toLocaleString('en')}${by}`, 'µs', runs.map((run) => {
        const entries = added(run)
        return milliseconds(() => { for (const entry of entries) list.add(entry) }) / 100 * 1000
      }))
      report(`delete() one of ${name} from ${size.toLocaleString('en')}${by}`, 'µs', runs.map((run) => {
        const entries = added(run)
        return milliseconds(() => { for (const entry of entries) list.delete(entry) }) / 100 * 1000
      }))
      if (list.size !== size || policies.tenants.origin !== list) throw new Error('the changes did not do what was timed')
      const origins = [...list].slice(-2).map((entry) => String(entry).replace('*.', 'a.'))
      report(`has() among ${size.toLocaleString('en')} ${name}`, 'ns', runs.map(() => {
        let found = 0
        const time = milliseconds(() => { for (let i = 0; i < 100_000; i++) if (list.has(origins[i % 2] as string)) found++ })
        if (found !== 100_000) throw new Error('the list does not allow what it has')
        return time / 100_000 * 1e6
      }))
    }
  }
}
