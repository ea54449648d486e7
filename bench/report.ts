// Results as text: tables in Markdown, which the terminal shows as they are. All of them make bench/results.md; the targets stand in docs/performance.md as well,
// between two markers.
import { CONTESTANTS, ADDED_TO, type ContestantName } from './contestants'
import { added, best, BESIDE, met, spreadOf, TARGETS, type Quantity, type Results } from './findings'
import { number, table, withTextBetween } from './table'
import { WORKLOADS, type Workload, type WorkloadName } from './workloads'

const MARKERS = ['<!-- figures: begin (written by npm run bench) -->', '<!-- figures: end -->'] as const

function percent (value: number): string {
  return Number.isFinite(value) ? `${(value * 100).toFixed(0)} %` : '–'
}

type Kind = Workload['kind']
interface Section { readonly title: string, readonly kinds: readonly Kind[], readonly matches?: (name: string) => boolean }

const SECTIONS: readonly Section[] = [
  { title: 'Requests in process, in Fastify', kinds: ['stub', 'await'], matches: (name) => !/^(?:origins|routes)-/.test(name) },
  { title: 'Many origins', kinds: ['stub'], matches: (name) => name.startsWith('origins-') },
  { title: 'Many routes', kinds: ['stub'], matches: (name) => name.startsWith('routes-') },
  { title: 'In other frameworks, with node\'s own requests and responses', kinds: ['node'] }
]

function entries (results: Results, kinds: readonly Kind[], matches: (name: string) => boolean = () => true): Array<[WorkloadName, ContestantName, string | undefined]> {
  return (Object.keys(WORKLOADS) as WorkloadName[]).filter((name) => kinds.includes(WORKLOADS[name].kind) && matches(name)).flatMap((name) => {
    const found = results.workloads[name] ?? {}
    return (Object.keys(found) as ContestantName[]).filter((contestant) => contestant !== 'nothing').map((contestant): [WorkloadName, ContestantName, string | undefined] => [name, contestant, found[contestant]?.wrong])
  })
}

function requestTable (results: Results, { title, kinds, matches }: Section): string {
  const rows = entries(results, kinds, matches).map(([name, contestant, wrong]) => wrong === undefined
    ? [
        WORKLOADS[name].title, CONTESTANTS[contestant].title, number(best(results, name, contestant)),
        ADDED_TO[contestant] === undefined ? '' : number(added(results, name, contestant)), percent(spreadOf(results, name, contestant))
      ]
    : [WORKLOADS[name].title, CONTESTANTS[contestant].title, 'wrong answer', wrong.replace(/^.*: (?=Vary|it )/, ''), ''])
  return section(title, ['workload', 'contestant', 'ns', 'added', 'spread'], rows)
}

function section (title: string, head: readonly string[], rows: ReadonlyArray<readonly string[]>, texts = 2): string {
  return rows.length === 0 ? '' : `### ${title}\n\n${table(head, rows, texts)}`
}

function bootTable (results: Results): string {
  const MB = 1e6
  const rows = entries(results, ['boot']).map(([name, contestant]) => {
    const of = (quantity: Quantity): number => best(results, name, contestant, quantity)
    return [WORKLOADS[name].title, CONTESTANTS[contestant].title, number(of('boot')), number(of('build')), percent(spreadOf(results, name, contestant, 'boot')), number(of('heap') / MB, 1), number(of('heapAdded') / MB, 1), number(of('heapAfterPreflights') / MB, 1)]
  })
  return section('Boot', ['workload', 'contestant', 'ms', 'without loading', 'spread', 'heap, MB', 'added by boot', 'after preflights'], rows)
}

function restartTable (results: Results): string {
  const rows = entries(results, ['restart']).map(([name, contestant]) => [
    WORKLOADS[name].title, CONTESTANTS[contestant].title, number(best(results, name, contestant) / 1e6, 2), percent(spreadOf(results, name, contestant))
  ])
  return section('Started again and again', ['workload', 'contestant', 'ms each', 'spread'], rows)
}

function httpTable (results: Results): string {
  const rows = entries(results, ['http']).map(([name, contestant]) => {
    const of = <Found>(found: (...parameters: [Results, WorkloadName, ContestantName, Quantity]) => Found): Found => found(results, name, contestant, 'microsecondsOfServer')
    return [WORKLOADS[name].title, CONTESTANTS[contestant].title, number(of(best), 1), percent(of(spreadOf))]
  })
  return section('Over loopback HTTP', ['workload', 'contestant', 'processor time of the server, µs each', 'spread'], rows)
}

function targetTable (results: Results): string {
  const rows = TARGETS.filter((target) => met(target, results) !== undefined).map((target) => [
    target.what, target.bound.toFixed(2), number(target.value(results), 3), met(target, results) === true ? 'met' : 'missed'
  ])
  return section('Targets', ['ratio', 'at most', 'found', ''], rows, 1)
}

function besideTable (results: Results): string {
  const rows = BESIDE.filter(({ value }) => !Number.isNaN(value(results))).map(({ what, value }) => [what, number(value(results), 2)])
  return section('Other ratios', ['ratio', 'found'], rows, 1)
}

function machine ({ date, machine, versions, method }: Results): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')
  return `Measured on ${date.slice(0, 10)}: ${machine.processor}, ${machine.cores} cores, ${machine.memory}, ${machine.system}, Node ${machine.node}; ` +
    `${packages}. The best of ${method.processes} processes each, every one of them timed for ${number(method.milliseconds)} ms after its warm-up.`
}

/** Everything, in Markdown. */
export function report (results: Results): string {
  return [
    machine(results), targetTable(results), besideTable(results), ...SECTIONS.map((one) => requestTable(results, one)), bootTable(results), restartTable(results), httpTable(results)
  ].filter((text) => text !== '').join('\n\n')
}

/** The file with all tables. */
export function tables (results: Results): string {
  return `# Figures of the benchmark\n\nWritten by \`npm run bench\`. [docs/performance.md](../docs/performance.md) says what they mean and how they are measured.\n\n${report(results)}\n`
}

/** The document with the targets between the markers. */
export function withTargets (document: string, results: Results): string {
  return withTextBetween(document, MARKERS, `${machine(results)}\n\n${targetTable(results).replace(/^### .*\n\n/, '')}`)
}
