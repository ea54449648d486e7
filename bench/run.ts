// npm run bench: every contestant at every workload, in processes of their own, in turn, several times; the best counts.
//
//   npm run bench -- --write                   all of it, and writes bench/results.json, .md, .svg and the figures in docs/performance.md and README.md
//   npm run bench -- --node /path/to/node      runs what is measured over HTTP, boot and start with this Node too; may be given again
//   npm run bench -- http-actual boot          only the workloads whose names have one of these words
//   npm run bench -- --quick                   one short process each
//   npm run bench -- --processes 5             how many processes each (3)
//   npm run bench -- --report                  writes the figures again, from results.json
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chart } from './chart'
import { CONTESTANTS, type ContestantName } from './contestants'
import { QUANTITIES, type Findings, type Results } from './findings'
import { serveInTurn, type Server } from './http'
import type { Measured } from './measure'
import { report, tables, withFigures, withHeadline } from './report'
import { WORKLOADS, type WorkloadName } from './workloads'

const ROOT = join(__dirname, '..', '..')
const RESULTS = join(ROOT, 'bench', 'results.json')
const DOCUMENT = join(ROOT, 'docs', 'performance.md')
const README = join(ROOT, 'README.md')
/** How many processes of those that only start, for each other one. */
const STARTS = 4

interface Options { readonly processes: number, readonly milliseconds: number, readonly turns: number, readonly words: readonly string[], readonly nodes: readonly string[] }

async function work (node: string, workload: WorkloadName, contestant: ContestantName, milliseconds: number): Promise<Measured | { wrong: string }> {
  const child = spawn(node, ['--expose-gc', join(__dirname, 'worker.js'), workload, contestant, String(milliseconds)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { output += chunk })
  const [code] = await once(child, 'close') as [number | null]
  if (output === '') throw new Error(`${contestant} at ${workload} ended with ${code} and said nothing`)
  return JSON.parse(output) as Measured | { wrong: string }
}

/** The control: what does nothing must not get through. */
async function control (node: string, name: WorkloadName): Promise<string> {
  const found = await work(node, name, 'nothing', 1)
  if ('wrong' in found) return found.wrong
  throw new Error(`the control passed the assertions of ${name}: they prove nothing`)
}

/** The servers of workloads that are compared with each other take turns with each other. */
function groupsOf (names: readonly WorkloadName[]): Server[][] {
  const groups = new Map<string, Server[]>()
  for (const workload of names.filter((name) => WORKLOADS[name].kind === 'http')) {
    const group = workload.replace(/-\d+$/, '')
    groups.set(group, [...groups.get(group) ?? [], ...WORKLOADS[workload].contestants.map((contestant) => ({ workload, contestant }))])
  }
  return [...groups.values()]
}

async function runNode (node: string, isFirst: boolean, { processes, milliseconds, turns, words }: Options): Promise<Findings> {
  const names = (Object.keys(WORKLOADS) as WorkloadName[])
    .filter((name) => (words.length === 0 || words.some((word) => name.includes(word))) && (isFirst || !['stub', 'await'].includes(WORKLOADS[name].kind)))
  const findings: Findings = {}
  const keep = (name: WorkloadName, contestant: ContestantName, found: Partial<Record<typeof QUANTITIES[number], number | readonly number[]>>): void => {
    const { measured } = (findings[name] ??= {})[contestant] ??= { measured: {} }
    for (const quantity of QUANTITIES) {
      const values = [found[quantity] ?? []].flat().map((value) => Number(value.toPrecision(6)))
      if (values.length > 0) (measured[quantity] ??= []).push(...values)
    }
  }
  for (const name of names) findings[name] = { nothing: { measured: {}, wrong: await control(node, name) } }
  for (let round = 0; round < processes; round++) {
    for (const group of groupsOf(names)) {
      const served = await serveInTurn(group, node, turns)
      for (const [index, { workload, contestant }] of group.entries()) keep(workload, contestant, served[index] as typeof served[number])
    }
    for (const name of names.filter((name) => WORKLOADS[name].kind !== 'http')) {
      for (let times = 0; times < (WORKLOADS[name].kind === 'start' ? STARTS : 1); times++) {
        // Forwards and backwards, so that a slow minute of the machine hits all alike.
        const { contestants } = WORKLOADS[name] as { contestants: readonly ContestantName[] }
        for (const contestant of (round + times) % 2 === 0 ? contestants : contestants.toReversed()) {
          const found = await work(node, name, contestant, milliseconds)
          if ('wrong' in found) throw new Error(`${contestant} at ${name}: ${found.wrong}`)
          keep(name, contestant, found)
        }
      }
    }
    process.stderr.write(`${node}: round ${round + 1} of ${processes}\n`)
  }
  return findings
}

function versions (): Record<string, string> {
  const names = new Set(Object.values(CONTESTANTS).map((contestant) => contestant.package))
  return Object.fromEntries([...names].sort().map((name) => {
    const file = name === 'fastify-cors-policy' ? join(ROOT, 'package.json') : join(ROOT, 'node_modules', name, 'package.json')
    return [name, (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version]
  }))
}

async function run (options: Options): Promise<Results> {
  const findings: Record<string, Findings> = {}
  for (const node of options.nodes) {
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1)
    findings[version] = await runNode(node, node === options.nodes[0], options)
  }
  return {
    date: new Date().toISOString(),
    machine: { processor: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length, memory: `${Math.round(totalmem() / 2 ** 30)} GB of memory`, system: `${process.platform} ${process.arch}` },
    versions: versions(),
    method: { processes: options.processes, milliseconds: options.milliseconds },
    findings
  }
}

function write (results: Results): void {
  writeFileSync(join(ROOT, 'bench', 'results.svg'), chart(results))
  writeFileSync(join(ROOT, 'bench', 'results.md'), tables(results))
  writeFileSync(DOCUMENT, withFigures(readFileSync(DOCUMENT, 'utf8'), results))
  writeFileSync(README, withHeadline(readFileSync(README, 'utf8'), results))
}

async function main (): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false }, report: { type: 'boolean', default: false }, write: { type: 'boolean', default: false }, processes: { type: 'string' }, node: { type: 'string', multiple: true, default: [] }
    }
  })
  if (values.report) return write(JSON.parse(readFileSync(RESULTS, 'utf8')) as Results)
  if (values.write && positionals.length > 0) throw new Error('a run that writes is of all workloads: leave the words out')
  const results = await run({
    processes: Number(values.processes ?? (values.quick ? 1 : 3)),
    milliseconds: values.quick ? 150 : 600,
    turns: values.quick ? 8 : 40,
    words: positionals,
    nodes: [process.execPath, ...values.node]
  })
  console.log(report(results))
  if (!values.write) return
  writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 1).replace(/\[\s+([^[\]{}]*?)\s+\]/g, (_, inner: string) => `[${inner.replace(/\s+/g, ' ')}]`)}\n`)
  write(results)
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
