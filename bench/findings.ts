// What a run found out: its form in results.json, and what follows from the figures, the targets among it.
import { ADDED_TO, type ContestantName } from './contestants'
import type { WorkloadName } from './workloads'

/** What was measured, in the unit that its name says. */
export type Quantity = 'nanoseconds' | 'boot' | 'build' | 'heap' | 'heapAdded' | 'heapAfterPreflights' | 'microsecondsOfServer'

export interface Finding {
  /** Of every process. */
  readonly measured: Partial<Record<Quantity, number[]>>
  /** The status of the answer that was checked, and its headers. */
  readonly answered?: { readonly status: number, readonly headers: readonly string[] }
  /** Why nothing was timed. */
  readonly wrong?: string
}

export interface Results {
  readonly date: string
  readonly machine: { readonly processor: string, readonly cores: number, readonly memory: string, readonly system: string, readonly node: string }
  readonly versions: Readonly<Record<string, string>>
  readonly method: { readonly processes: number, readonly milliseconds: number }
  readonly workloads: Readonly<Partial<Record<WorkloadName, Readonly<Partial<Record<ContestantName, Finding>>>>>>
}

/** The best of all processes: nothing but the code can make it better, and everything else on the machine makes it worse. */
export function best (results: Results, workload: WorkloadName, contestant: ContestantName, quantity: Quantity = 'nanoseconds'): number {
  const values = results.workloads[workload]?.[contestant]?.measured[quantity] ?? []
  return values.length === 0 ? NaN : Math.min(...values)
}

/** By how much the worst process differs from the best: what the machine's noise does. */
export function spreadOf (results: Results, workload: WorkloadName, contestant: ContestantName, quantity: Quantity = 'nanoseconds'): number {
  const values = results.workloads[workload]?.[contestant]?.measured[quantity] ?? []
  return Math.max(...values) / Math.min(...values) - 1
}

/** What CORS costs beside the framework. */
export function added (results: Results, workload: WorkloadName, contestant: ContestantName): number {
  const framework = ADDED_TO[contestant]
  return framework === undefined ? NaN : best(results, workload, contestant) - best(results, workload, framework)
}

export interface Target {
  readonly what: string
  readonly bound: number
  /** NaN where it was not measured. */
  readonly value: (results: Results) => number
}

function addedRatio (workload: WorkloadName, one: ContestantName, other: ContestantName): Target['value'] {
  return (results) => added(results, workload, one) / added(results, workload, other)
}

function ratio (one: readonly [WorkloadName, ContestantName], other: readonly [WorkloadName, ContestantName], quantity?: Quantity): Target['value'] {
  return (results) => best(results, ...one, quantity) / best(results, ...other, quantity)
}

/** The worst of several. */
function worst (...values: ReadonlyArray<Target['value']>): Target['value'] {
  return (results) => Math.max(...values.map((value) => value(results)))
}

export const TARGETS: readonly Target[] = [
  { what: 'added cost of an actual request, ours / hand-written', bound: 1.15, value: addedRatio('actual-allowed', 'ours', 'hand') },
  { what: 'added cost of an actual request, ours / @fastify/cors', bound: 0.42, value: addedRatio('actual-allowed', 'ours', 'theirs') },
  { what: 'the same when the policy is the scope\'s default', bound: 0.45, value: addedRatio('actual-allowed', 'oursDefault', 'theirs') },
  { what: 'added cost without Origin, ours / @fastify/cors', bound: 0.35, value: addedRatio('actual-no-origin', 'ours', 'theirs') },
  { what: 'allowed preflight, whole request, ours / @fastify/cors', bound: 0.40, value: ratio(['preflight-allowed', 'ours'], ['preflight-allowed', 'theirs']) },
  { what: 'the same for a parameter and one method', bound: 0.45, value: ratio(['preflight-parameter-one', 'ours'], ['preflight-parameter-one', 'theirs']) },
  { what: 'the same for a parameter and five methods, beside another route', bound: 0.80, value: ratio(['preflight-parameter-five', 'ours'], ['preflight-parameter-five', 'theirs']) },
  {
    what: 'allowed preflight beside 300 overlapping RegExp routes, less 50 µs / an actual request to them in Fastify alone',
    bound: 2,
    value: (results) => (best(results, 'preflight-regexps', 'ours') - 50_000) / best(results, 'actual-regexps', 'alone')
  },
  {
    what: '10,001 origins / 2 origins, whole request, the worst of exact, subdomain and mixed',
    bound: 1.08,
    value: worst(
      ratio(['origins-exact-10001', 'ours'], ['origins-exact-2', 'ours']),
      ratio(['origins-subdomain-10001', 'ours'], ['origins-subdomain-2', 'ours']),
      ratio(['origins-mixed-10001', 'ours'], ['origins-mixed-2', 'ours'])
    )
  },
  { what: '10,000 routes / 10 routes, whole request', bound: 1.15, value: ratio(['routes-10000', 'ours'], ['routes-10', 'ours']) },
  { what: 'boot, 1,000 URLs × 4 methods, ours / Fastify alone', bound: 1.30, value: ratio(['boot-shared', 'ours'], ['boot-shared', 'alone'], 'boot') },
  { what: 'heap after boot, before the first preflight, the same', bound: 1.35, value: ratio(['boot-shared', 'ours'], ['boot-shared', 'alone'], 'heap') },
  { what: 'heap after the first preflights, the same', bound: 1.60, value: ratio(['boot-shared', 'ours'], ['boot-shared', 'alone'], 'heapAfterPreflights') },
  { what: '20 routes with one named policy, ready and closed again and again, ours / Fastify alone', bound: 1.50, value: ratio(['restart-named', 'ours'], ['restart-named', 'alone']) },
  { what: 'the same with an origin function for each', bound: 1.50, value: ratio(['restart-functions', 'ours'], ['restart-functions', 'alone']) },
  { what: 'processor time of the server for each request over loopback HTTP, ours / Fastify alone', bound: 1.03, value: ratio(['http-allowed', 'ours'], ['http-allowed', 'alone'], 'microsecondsOfServer') }
]

/** Ratios without a target that show what the ones with a target leave out. */
export const BESIDE: ReadonlyArray<Omit<Target, 'bound'>> = [
  { what: 'added cost of a refused actual request, ours / hand-written', value: addedRatio('actual-refused', 'ours', 'hand') },
  { what: 'added cost without Origin, ours / hand-written', value: addedRatio('actual-no-origin', 'ours', 'hand') },
  { what: 'allowed preflight, whole request, ours / hand-written', value: ratio(['preflight-allowed', 'ours'], ['preflight-allowed', 'hand']) },
  { what: 'allowed preflight of a route with parameters, whole request, ours / @fastify/cors', value: ratio(['preflight-parametric', 'ours'], ['preflight-parametric', 'theirs']) },
  { what: 'added cost of an actual request with node\'s own requests and responses, ours / hand-written', value: addedRatio('node-allowed', 'ours', 'hand') },
  { what: 'the same, ours / @fastify/cors', value: addedRatio('node-allowed', 'ours', 'theirs') },
  { what: 'asynchronous function, added cost, ours / @fastify/cors', value: addedRatio('async-origin', 'ours', 'theirs') },
  { what: '10,001 origins / 2 origins, 1,024 requests in turn, whole request, ours', value: ratio(['origins-exact-10001-spread', 'ours'], ['origins-exact-2-spread', 'ours']) },
  { what: 'the same, hand-written', value: ratio(['origins-exact-10001-spread', 'hand'], ['origins-exact-2-spread', 'hand']) },
  { what: '10,001 origins / 2 origins, exact, whole request, @fastify/cors', value: ratio(['origins-exact-10001', 'theirs'], ['origins-exact-2', 'theirs']) },
  { what: '10,000 routes / 10 routes, whole request, Fastify alone', value: ratio(['routes-10000', 'alone'], ['routes-10', 'alone']) },
  { what: '10,000 routes / 10 routes, 1,024 requests in turn, whole request, ours', value: ratio(['routes-10000-spread', 'ours'], ['routes-10-spread', 'ours']) },
  { what: 'the same, Fastify alone', value: ratio(['routes-10000-spread', 'alone'], ['routes-10-spread', 'alone']) },
  { what: 'boot without the loading of modules, ours / Fastify alone', value: ratio(['boot-shared', 'ours'], ['boot-shared', 'alone'], 'build') },
  { what: 'boot where each URL has a policy of its own, ours / Fastify alone', value: ratio(['boot-own', 'ours'], ['boot-own', 'alone'], 'boot') },
  { what: '20 routes, ready and closed again and again, hand-written / Fastify alone', value: ratio(['restart-named', 'hand'], ['restart-named', 'alone']) },
  { what: 'heap that boot adds, ours / Fastify alone', value: ratio(['boot-shared', 'ours'], ['boot-shared', 'alone'], 'heapAdded') },
  { what: 'processor time of the server for each request over loopback HTTP, hand-written / Fastify alone', value: ratio(['http-allowed', 'hand'], ['http-allowed', 'alone'], 'microsecondsOfServer') }
]

/** Whether a target is met, judged by the exact figure; undefined where it was not measured. */
export function met ({ bound, value }: Target, results: Results): boolean | undefined {
  const found = value(results)
  if (Number.isNaN(found)) return undefined
  return found <= bound
}
