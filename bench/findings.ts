// What a run found out: its form in results.json, and what follows from the figures, the targets among it.
import type { ContestantName } from './contestants'
import type { WorkloadName } from './workloads'

/** What was measured, in the unit that its name or measure.ts says. */
export const QUANTITIES = ['microsecondsOfServer', 'nanoseconds', 'start', 'boot', 'heap', 'heapAfterPreflights'] as const
export type Quantity = typeof QUANTITIES[number]

export interface Finding {
  /** Of every turn or process, in their order. */
  readonly measured: Partial<Record<Quantity, number[]>>
  /** Why nothing was timed. */
  readonly wrong?: string
}

export type Findings = Partial<Record<WorkloadName, Partial<Record<ContestantName, Finding>>>>

export interface Results {
  readonly date: string
  readonly machine: { readonly processor: string, readonly cores: number, readonly memory: string, readonly system: string }
  readonly versions: Readonly<Record<string, string>>
  readonly method: { readonly processes: number, readonly milliseconds: number }
  /** By the version of Node, the one first that also ran what is in process. */
  readonly findings: Readonly<Record<string, Findings>>
}

function valuesOf (findings: Findings, workload: WorkloadName, contestant: ContestantName, quantity: Quantity): readonly number[] {
  return findings[workload]?.[contestant]?.measured[quantity] ?? []
}

/** The best of all turns or processes: nothing but the code can make it better, and everything else on the machine makes it worse. */
export function best (findings: Findings, workload: WorkloadName, contestant: ContestantName, quantity: Quantity = 'nanoseconds'): number {
  const values = valuesOf(findings, workload, contestant, quantity)
  return values.length === 0 ? NaN : Math.min(...values)
}

/** By how much the median is above the best: what the machine's noise does. */
export function spreadOf (findings: Findings, workload: WorkloadName, contestant: ContestantName, quantity: Quantity = 'nanoseconds'): number {
  const values = valuesOf(findings, workload, contestant, quantity)
  return median(values) / Math.min(...values) - 1
}

function median (values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

/** The median of the ratios of single turns: both servers had the same minute of the machine. */
export function paired (findings: Findings, one: readonly [WorkloadName, ContestantName], other: readonly [WorkloadName, ContestantName]): number {
  const [ones, others] = [valuesOf(findings, ...one, 'microsecondsOfServer'), valuesOf(findings, ...other, 'microsecondsOfServer')]
  return median(ones.map((value, turn) => value / (others[turn] ?? NaN)))
}

/** What CORS costs beside Fastify, in process. */
export function added (findings: Findings, workload: WorkloadName, contestant: ContestantName): number {
  return best(findings, workload, contestant) - best(findings, workload, 'alone')
}

export interface Ratio {
  readonly what: string
  /** NaN where it was not measured. */
  readonly value: (findings: Findings) => number
}

export interface Target extends Ratio {
  /** At most so much; the second is for Node 24 and later, where it differs. */
  readonly bound: number | readonly [number, number]
}

function ratio (quantity: Quantity, one: readonly [WorkloadName, ContestantName], other: readonly [WorkloadName, ContestantName]): Ratio['value'] {
  return (findings) => best(findings, ...one, quantity) / best(findings, ...other, quantity)
}

function within (quantity: Quantity, workload: WorkloadName, one: ContestantName, other: ContestantName): Ratio['value'] {
  return ratio(quantity, [workload, one], [workload, other])
}

/** The worst of several. */
function worst (...values: ReadonlyArray<Ratio['value']>): Ratio['value'] {
  return (findings) => Math.max(...values.map((value) => value(findings)))
}

function addedRatio (workload: WorkloadName, one: ContestantName, other: ContestantName): Ratio['value'] {
  return (findings) => added(findings, workload, one) / added(findings, workload, other)
}

export const TARGETS: readonly Target[] = [
  { what: 'actual request over HTTP, ours / Fastify alone', bound: 1.06, value: within('microsecondsOfServer', 'http-actual', 'ours', 'alone') },
  { what: 'actual request over HTTP, ours / @fastify/cors', bound: 0.97, value: within('microsecondsOfServer', 'http-actual', 'ours', 'theirs') },
  { what: 'preflight over HTTP, ours / @fastify/cors', bound: 0.95, value: within('microsecondsOfServer', 'http-preflight', 'ours', 'theirs') },
  { what: 'the same for a route with a parameter', bound: 1.02, value: within('microsecondsOfServer', 'http-preflight-parameter', 'ours', 'theirs') },
  { what: 'the same for a parameter and five methods', bound: 1.10, value: within('microsecondsOfServer', 'http-preflight-five', 'ours', 'theirs') },
  { what: '10,001 origins / 2 origins over HTTP', bound: 1.05, value: ratio('microsecondsOfServer', ['http-origins-10001', 'ours'], ['http-origins-2', 'ours']) },
  { what: 'boot, 1,000 URLs × 4 methods, ours / Fastify alone', bound: [1.42, 1.35], value: within('boot', 'boot', 'ours', 'alone') },
  { what: 'heap after the first preflights, the same', bound: 1.60, value: within('heapAfterPreflights', 'boot', 'ours', 'alone') },
  { what: 'cold start of a process with 10 routes, ours / Fastify alone', bound: 1.20, value: within('start', 'start', 'ours', 'alone') },
  {
    what: '20 routes made, ready and closed again and again, ours / Fastify alone',
    bound: 1.90,
    value: worst(within('nanoseconds', 'restart-named', 'ours', 'alone'), within('nanoseconds', 'restart-functions', 'ours', 'alone'))
  }
]

/** Ratios without a target that show what the ones with a target leave out. */
export const BESIDE: readonly Ratio[] = [
  { what: 'actual request over HTTP, hand-written / Fastify alone', value: within('microsecondsOfServer', 'http-actual', 'hand', 'alone') },
  { what: 'actual request over HTTP, @fastify/cors / Fastify alone', value: within('microsecondsOfServer', 'http-actual', 'theirs', 'alone') },
  { what: 'actual request over HTTP, ours / Fastify alone, median of the turns', value: (findings) => paired(findings, ['http-actual', 'ours'], ['http-actual', 'alone']) },
  { what: 'actual request over HTTP, ours / @fastify/cors, median of the turns', value: (findings) => paired(findings, ['http-actual', 'ours'], ['http-actual', 'theirs']) },
  { what: 'preflight over HTTP, ours / @fastify/cors, median of the turns', value: (findings) => paired(findings, ['http-preflight', 'ours'], ['http-preflight', 'theirs']) },
  { what: '10,001 origins / 2 origins over HTTP, median of the turns', value: (findings) => paired(findings, ['http-origins-10001', 'ours'], ['http-origins-2', 'ours']) },
  { what: 'cold start of a process with 10 routes, @fastify/cors / Fastify alone', value: within('start', 'start', 'theirs', 'alone') },
  { what: 'boot, 1,000 URLs × 4 methods, @fastify/cors / Fastify alone', value: within('boot', 'boot', 'theirs', 'alone') },
  { what: 'heap before the first preflight, ours / Fastify alone', value: within('heap', 'boot', 'ours', 'alone') },
  { what: '20 routes made, ready and closed again and again, hand-written / Fastify alone', value: within('nanoseconds', 'restart-named', 'hand', 'alone') },
  { what: 'in process, added by an actual request, ours / hand-written', value: addedRatio('actual-allowed', 'ours', 'hand') },
  { what: 'in process, added by an actual request, ours / @fastify/cors', value: addedRatio('actual-allowed', 'ours', 'theirs') },
  { what: 'in process, preflight, ours / @fastify/cors', value: within('nanoseconds', 'preflight-allowed', 'ours', 'theirs') },
  {
    what: 'in process, 10,001 origins / 2 origins, the worst of exact, subdomain and mixed',
    value: worst(
      ratio('nanoseconds', ['origins-exact-10001', 'ours'], ['origins-exact-2', 'ours']),
      ratio('nanoseconds', ['origins-subdomain-10001', 'ours'], ['origins-subdomain-2', 'ours']),
      ratio('nanoseconds', ['origins-mixed-10001', 'ours'], ['origins-mixed-2', 'ours'])
    )
  },
  { what: 'in process, 10,001 origins / 2 origins, exact, @fastify/cors', value: ratio('nanoseconds', ['origins-exact-10001', 'theirs'], ['origins-exact-2', 'theirs']) },
  { what: 'in process, 10,000 routes / 10 routes, ours', value: ratio('nanoseconds', ['routes-10000', 'ours'], ['routes-10', 'ours']) },
  { what: 'in process, 10,000 routes / 10 routes, Fastify alone', value: ratio('nanoseconds', ['routes-10000', 'alone'], ['routes-10', 'alone']) },
  {
    what: 'in process, preflight beside 300 overlapping RegExp routes, ours / an actual request to them in Fastify alone',
    value: (findings) => best(findings, 'preflight-regexps', 'ours') / best(findings, 'actual-regexps', 'alone')
  }
]

/** The bound of a target on a version of Node. */
export function boundOf ({ bound }: Target, node: string): number {
  if (typeof bound === 'number') return bound
  return bound[Number.parseInt(node) < 24 ? 0 : 1] as number
}

/** Whether a target is met, judged by the exact figure; undefined where it was not measured. */
export function met (target: Target, findings: Findings, node: string): boolean | undefined {
  const found = target.value(findings)
  return Number.isNaN(found) ? undefined : found <= boundOf(target, node)
}
