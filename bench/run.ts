// npm run bench: every contestant at every workload, each time in a new process, in turn, several times; the best counts. A full run writes bench/results.json,
// bench/results.md (all tables), bench/results.svg (the chart) and the targets in docs/performance.md. Options: --quick (two short processes each), --processes <n>, --milliseconds <n>, --report (writes the
// chart and the figures again, from results.json), and words: only the workloads whose names have one of them. Such runs print only; --write has a run of all
// workloads write as well.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import { chart } from './chart'
import { CONTESTANTS, type Contestant, type ContestantName } from './contestants'
import type { Answer, Sent } from './exchange'
import type { Measured } from './measure'
import { report, tables, withTargets } from './report'
import type { Finding, Quantity, Results } from './findings'
import { WORKLOADS, type Workload, type WorkloadName } from './workloads'

const ROOT = join(__dirname, '..', '..')
const RESULTS = join(ROOT, 'bench', 'results.json')
const CHART = join(ROOT, 'bench', 'results.svg')
const TABLES = join(ROOT, 'bench', 'results.md')
const DOCUMENT = join(ROOT, 'docs', 'performance.md')
const WORKER = join(__dirname, 'worker.js')
const QUANTITIES = ['nanoseconds', 'boot', 'build', 'heap', 'heapAdded', 'heapAfterPreflights', 'microsecondsOfServer'] as const

type Found = { answer: Answer } & Partial<Record<Quantity, number>> | { wrong: string }

async function runWorker (workload: WorkloadName, contestant: ContestantName, milliseconds: number): Promise<Found> {
  const child = spawn(process.execPath, ['--expose-gc', WORKER, workload, contestant, String(milliseconds)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { output += chunk })
  const [code] = await once(child, 'close') as [number | null]
  if (output === '') throw new Error(`${contestant} at ${workload} ended with ${code} and said nothing`)
  return JSON.parse(output) as Measured | { wrong: string }
}

/** How many requests a server gets in one turn, and how many turns. */
const HTTP_REQUESTS = 2_000
const HTTP_TURNS_PER_PROCESS = 12

/**
 * The processor time of the server for each request. Requests per second say little where client and server share a machine with others: so all servers run
 * at once, each in a process of its own, and get short turns, of which the best counts. Without pipelining, which browsers do not do.
 */
async function runHttp (name: WorkloadName, contestants: readonly ContestantName[]): Promise<Map<ContestantName, Found>> {
  const workload: Workload = WORKLOADS[name]
  const [{ method, url, headers }] = workload.requests(workload.setup()) as [Sent]
  const { connection: _, ...sent } = headers
  const servers = contestants.map((contestant) => ({ contestant, child: fork(WORKER, [name, contestant], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }) }))
  const found = new Map<ContestantName, Found>()
  try {
    const ports = new Map<ContestantName, { port: number, answer: Answer }>()
    for (const { contestant, child } of servers) ports.set(contestant, (await once(child, 'message') as [{ port: number, answer: Answer }])[0])
    for (let turn = 0; turn <= HTTP_TURNS_PER_PROCESS; turn++) {
      for (const { contestant, child } of turn % 2 === 0 ? servers : servers.toReversed()) {
        const { port, answer } = ports.get(contestant) as { port: number, answer: Answer }
        const earlier = found.get(contestant)
        if (earlier !== undefined && 'wrong' in earlier) continue
        child.send('start')
        const { non2xx, errors, requests } = await autocannon({ url: `http://127.0.0.1:${port}${url}`, method: method as 'GET', headers: sent, connections: 20, pipelining: 1, amount: HTTP_REQUESTS })
        const used = once(child, 'message') as Promise<[{ microseconds: number }]>
        child.send('stop')
        const microsecondsOfServer = (await used)[0].microseconds / requests.total
        if (non2xx > 0 || errors > 0) found.set(contestant, { wrong: `${non2xx} responses without success, ${errors} errors` })
        // The first turn warms up.
        else if (turn > 0) found.set(contestant, { answer, microsecondsOfServer: Math.min(earlier?.microsecondsOfServer ?? Infinity, microsecondsOfServer) })
      }
    }
    return found
  } finally {
    for (const { child } of servers) if (child.connected) child.send('end')
  }
}

function versions (contestants: Iterable<ContestantName>): Record<string, string> {
  const names = new Set<string>()
  for (const name of contestants) {
    const { framework, package: own }: Contestant = CONTESTANTS[name]
    for (const used of [framework, own]) if (used !== undefined) names.add(used)
  }
  return Object.fromEntries([...names].sort().map((name) => {
    const file = name === 'fastify-cors-policy' ? join(ROOT, 'package.json') : join(ROOT, 'node_modules', name, 'package.json')
    return [name, (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version]
  }))
}

function machine (): Results['machine'] {
  const [first] = cpus()
  return {
    processor: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB of memory`,
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node
  }
}

interface Options { readonly processes: number, readonly milliseconds: number, readonly words: readonly string[] }

async function run ({ processes, milliseconds, words }: Options): Promise<Results> {
  const names = (Object.keys(WORKLOADS) as WorkloadName[]).filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  if (names.length === 0) throw new Error(`no workload has ${words.join(' or ')} in its name; there are ${Object.keys(WORKLOADS).join(', ')}`)
  const workloads: Partial<Record<WorkloadName, Partial<Record<ContestantName, Finding>>>> = {}
  for (let round = 0; round < processes; round++) {
    for (const name of names) {
      const workload: Workload = WORKLOADS[name]
      const findings = workloads[name] ??= {}
      // The control, once: what does nothing must not get through.
      if (round === 0) {
        const control = await runControl(name, milliseconds)
        findings.nothing = { measured: {}, wrong: control }
      }
      // In turn, forwards and backwards, so that a slow minute of the machine hits all alike.
      const contestants = (round % 2 === 0 ? workload.contestants : workload.contestants.toReversed()).filter((contestant) => findings[contestant]?.wrong === undefined)
      const served = workload.kind === 'http' ? await runHttp(name, contestants) : undefined
      for (const contestant of contestants) {
        const earlier = findings[contestant]
        const found = served?.get(contestant) ?? await runWorker(name, contestant, milliseconds)
        findings[contestant] = 'wrong' in found ? { measured: {}, wrong: found.wrong } : merge(earlier, found)
      }
      process.stderr.write(`round ${round + 1} of ${processes}: ${name}\n`)
    }
  }
  for (const name of names) {
    const findings = workloads[name] as Partial<Record<ContestantName, Finding>>
    const order: readonly ContestantName[] = ['nothing', ...WORKLOADS[name].contestants]
    workloads[name] = Object.fromEntries(order.map((contestant) => [contestant, findings[contestant]]))
  }
  return {
    date: new Date().toISOString(),
    machine: machine(),
    versions: versions(names.flatMap((name) => WORKLOADS[name].contestants)),
    method: { processes, milliseconds },
    workloads
  }
}

/** A worker finds out before it listens. */
async function runControl (name: WorkloadName, milliseconds: number): Promise<string> {
  const found = await runWorker(name, 'nothing', milliseconds)
  if ('wrong' in found) return found.wrong
  throw new Error(`the control passed the assertions of ${name}: they prove nothing`)
}

function merge (earlier: Finding | undefined, found: Exclude<Found, { wrong: string }>): Finding {
  const measured: Partial<Record<Quantity, number[]>> = {}
  for (const quantity of QUANTITIES) {
    const value = found[quantity]
    if (value !== undefined) measured[quantity] = [...(earlier?.measured[quantity] ?? []), Number(value.toPrecision(6))]
  }
  const { status, headers } = found.answer
  const varying = new Set(['date', 'content-type', 'content-length', 'connection', 'keep-alive'])
  return { measured, answered: { status, headers: Object.keys(headers).filter((header) => !varying.has(header)) } }
}

function write (results: Results): void {
  writeFileSync(CHART, chart(results))
  writeFileSync(TABLES, tables(results))
  writeFileSync(DOCUMENT, withTargets(readFileSync(DOCUMENT, 'utf8'), results))
}

async function main (): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, report: { type: 'boolean' }, processes: { type: 'string' }, milliseconds: { type: 'string' }, write: { type: 'boolean' } }
  })
  if (values.report === true) return write(JSON.parse(readFileSync(RESULTS, 'utf8')) as Results)
  const results = await run({
    processes: Number(values.processes ?? (values.quick === true ? 2 : 5)),
    milliseconds: Number(values.milliseconds ?? (values.quick === true ? 250 : 600)),
    words: positionals
  })
  console.log(report(results))
  if (positionals.length > 0 || (Object.keys(values).length > 0 && values.write !== true)) return
  writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 1).replace(/\[\s+([^[\]{}]*?)\s+\]/g, (_, inner: string) => `[${inner.replace(/\s+/g, ' ')}]`)}\n`)
  write(results)
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
