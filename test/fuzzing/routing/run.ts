// Runs many tables outside the suite, in several processes, and counts what is wrong:
//   node --import @isaacs/ts-node-temp-fork-for-pr-2009/import test/fuzzing/routing/run.ts [--tables 10000] [--seed 1] [--processes 2] [--kind hosts] [--examples 1]
// Each process judges at most 500 tables of one kind, because what Fastify compiles for an application is never freed, and has a seed of its own. What it finds
// is shrunk, and printed at once with the seed and the path by which it is found again:
//   … run.ts --kind hosts --seed 1 --path 17:0:2
import { fork } from 'node:child_process'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { check, printed, type Fault } from './check'
import { KINDS } from './table'

interface Counts {
  tables: number
  preflights: number
  requests: number
  approved: number
  skippedByFastify: number
  skippedByPlugin: number
  /** How many findings, and in how many tables. */
  faults: Partial<Record<Fault, { findings: number, tables: number }>>
  examples: string[]
}

/** The tables of one process. */
interface Job { readonly kind: string, readonly seed: number, readonly tables: number, readonly examples: number }

const PER_PROCESS = 500

const { values } = parseArgs({
  options: {
    tables: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    processes: { type: 'string', default: '2' },
    kind: { type: 'string' },
    examples: { type: 'string', default: '1' },
    path: { type: 'string' },
    job: { type: 'string' }
  }
})

async function count ({ kind, seed, tables, examples }: Job): Promise<Counts> {
  const counts: Counts = { tables: 0, preflights: 0, requests: 0, approved: 0, skippedByFastify: 0, skippedByPlugin: 0, faults: {}, examples: [] }
  const first: Array<[Fault, number]> = []
  await fc.assert(fc.asyncProperty(KINDS[kind] as fc.Arbitrary<never>, async (table) => {
    const { findings, preflights, requests, approved, skipped } = await check(table)
    const index = counts.tables++
    counts.preflights += preflights
    counts.requests += requests
    counts.approved += approved
    if (skipped === 'fastify') counts.skippedByFastify++
    if (skipped === 'plugin') counts.skippedByPlugin++
    for (const fault of new Set(findings.map(({ fault }) => fault))) {
      const sum = counts.faults[fault] ??= { findings: 0, tables: 0 }
      sum.tables++
      sum.findings += findings.filter((finding) => finding.fault === fault).length
      if (first.filter(([other]) => other === fault).length < examples) first.push([fault, index])
    }
  }), { seed, numRuns: tables })
  for (const [fault, index] of first) counts.examples.push(await shrunk(kind, seed, String(index), fault))
  return counts
}

/** The smallest table with a fault that fast-check finds from a table. */
async function shrunk (kind: string, seed: number, path: string, fault?: Fault): Promise<string> {
  const { counterexample, counterexamplePath } = await fc.check(fc.asyncProperty(KINDS[kind] as fc.Arbitrary<never>, async (table) => {
    const { findings } = await check(table)
    return !findings.some((finding) => fault === undefined || finding.fault === fault)
  }), { seed, path, numRuns: 1, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false })
  if (counterexample === null) return `${kind}: --seed ${seed} --path ${path} finds nothing`
  const [table] = counterexample as [never]
  const { findings } = await check(table)
  return [`## ${fault ?? 'found'} (${kind}; --seed ${seed} --path ${String(counterexamplePath)})`, printed(table), ...findings.map((finding) => `-> ${finding.fault}: ${finding.text}`)].join('\n')
}

async function inProcess (job: Job): Promise<Counts> {
  return await new Promise((resolve, reject) => {
    const child = fork(__filename, ['--job', JSON.stringify(job)])
    let counts: Counts | undefined
    child.on('message', (message) => { counts = message as Counts })
    child.on('exit', (code) => {
      if (code === 0 && counts !== undefined) resolve(counts)
      else reject(new Error(`the process of ${JSON.stringify(job)} ended with ${String(code)}`))
    })
  })
}

async function runAll (): Promise<void> {
  const kinds = values.kind === undefined ? Object.keys(KINDS) : [values.kind]
  const perKind = Math.ceil(Number(values.tables) / kinds.length)
  const jobs = Array.from({ length: Math.ceil(perKind / PER_PROCESS) }, (_, part) => kinds.map((kind): Job => ({
    kind,
    seed: Number(values.seed) + part,
    tables: Math.min(PER_PROCESS, perKind - part * PER_PROCESS),
    examples: Number(values.examples)
  }))).flat()
  const results = new Map<string, Counts[]>()
  await Promise.all(Array.from({ length: Number(values.processes) }, async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const counts = await inProcess(job)
      results.set(job.kind, [...results.get(job.kind) ?? [], counts])
      print(`${job.kind}, seed ${job.seed}`, [counts])
      for (const example of counts.examples) console.log(`\n${example}\n`)
    }
  }))
  for (const kind of kinds) print(kind, results.get(kind) ?? [])
  print('all', [...results.values()].flat())
}

function print (name: string, all: readonly Counts[]): void {
  const sum = (of: (counts: Counts) => number): number => all.reduce((total, counts) => total + of(counts), 0)
  const faults = [...new Set(all.flatMap(({ faults }) => Object.keys(faults)))] as Fault[]
  console.log(`${name}: ${sum(({ tables }) => tables)} tables (${sum((counts) => counts.skippedByFastify)} that Fastify cannot start, ${sum((counts) => counts.skippedByPlugin)} that the plugin refuses), ` +
    `${sum(({ preflights }) => preflights)} preflights, ${sum(({ approved }) => approved)} approved, ${sum(({ requests }) => requests)} requests`)
  for (const fault of faults) console.log(`  ${fault}: ${sum(({ faults }) => faults[fault]?.tables ?? 0)} tables, ${sum(({ faults }) => faults[fault]?.findings ?? 0)} findings`)
}

async function main (): Promise<void> {
  if (values.job !== undefined) {
    const counts = await count(JSON.parse(values.job) as Job)
    process.send?.(counts)
  } else if (values.path !== undefined) console.log(await shrunk(values.kind ?? 'plain', Number(values.seed), values.path))
  else await runAll()
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
