// Results as text: tables in Markdown, which the terminal shows as they are. All of them make bench/results.md; the first two stand in docs/performance.md as
// well, and the headline in README.md, between two markers.
import { CONTESTANTS, type ContestantName } from './contestants'
import { added, best, BESIDE, boundOf, met, paired, spreadOf, TARGETS, type Quantity, type Results } from './findings'
import { WORKLOADS, type Workload, type WorkloadName } from './workloads'

const MARKERS = ['<!-- figures: begin (written by npm run bench) -->', '<!-- figures: end -->'] as const

function number (value: number, digits = 0): string {
  return Number.isFinite(value) ? value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }) : '–'
}

function percent (value: number): string {
  return Number.isFinite(value) ? `${(value * 100).toFixed(0)} %` : '–'
}

/** The first `texts` columns are texts, the others figures. They are aligned, so that they can be read as text too. */
function table (head: readonly string[], rows: ReadonlyArray<readonly string[]>, texts: number): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)))
  const line = (row: readonly string[]): string => `| ${row.map((cell, column) => column < texts ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number)).join(' | ')} |`
  const [first, ...rest] = all as [string[], ...string[][]]
  return [line(first), `|${widths.map((width, column) => column < texts ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`).join('|')}|`, ...rest.map(line)].join('\n')
}

function section (title: string, text: string, head: readonly string[], rows: ReadonlyArray<readonly string[]>, texts = 2): string {
  return rows.length === 0 ? '' : [`### ${title}`, ...(text === '' ? [] : [text]), table(head, rows, texts)].join('\n\n')
}

function nodesOf ({ findings }: Results): string[] {
  return Object.keys(findings)
}

function major (node: string): string {
  return `Node ${Number.parseInt(node)}`
}

/** The workloads of these kinds with everybody who took part on any version. */
function entries ({ findings }: Results, ...kinds: ReadonlyArray<Workload['kind']>): Array<[WorkloadName, ContestantName]> {
  const all = Object.values(findings)
  return (Object.keys(WORKLOADS) as WorkloadName[]).filter((name) => kinds.includes(WORKLOADS[name].kind))
    .flatMap((name) => WORKLOADS[name].contestants.filter((contestant) => all.some((each) => each[name]?.[contestant] !== undefined)).map((contestant): [WorkloadName, ContestantName] => [name, contestant]))
}

function httpTable (results: Results): string {
  const nodes = nodesOf(results)
  const rows = entries(results, 'http').map(([name, contestant]) => [WORKLOADS[name].title, CONTESTANTS[contestant].title, ...nodes.flatMap((node) => {
    const findings = results.findings[node] ?? {}
    const microseconds = best(findings, name, contestant, 'microsecondsOfServer')
    return [number(microseconds, 1), number(microseconds / best(findings, name, 'alone', 'microsecondsOfServer'), 3), number(paired(findings, [name, contestant], [name, 'alone']), 3), percent(spreadOf(findings, name, contestant, 'microsecondsOfServer'))]
  })])
  return section('Over HTTP', 'Microseconds of the server\'s processor for each request: the best turn, its ratio to Fastify alone, the median ratio of the turns, and how far the median turn is from the best.',
    ['workload', 'contestant', ...nodes.flatMap((node) => [`${major(node)}, µs`, 'ratio', 'of turns', 'spread'])], rows)
}

function onceTable (results: Results, title: string, text: string, kind: Workload['kind'], quantities: ReadonlyArray<readonly [label: string, Quantity, unit: number, digits: number]>): string {
  const nodes = nodesOf(results)
  const rows = entries(results, kind).map(([name, contestant]) => [WORKLOADS[name].title, CONTESTANTS[contestant].title, ...nodes.flatMap((node) => quantities.map(([, quantity, unit, digits]) => number(best(results.findings[node] ?? {}, name, contestant, quantity) / unit, digits)))])
  return section(title, text, ['workload', 'contestant', ...nodes.flatMap((node) => quantities.map(([label]) => `${major(node)}, ${label}`))], rows)
}

/** What is in process was measured on the first version alone. */
function stubTable (results: Results): string {
  const [node] = nodesOf(results) as [string]
  const findings = results.findings[node] ?? {}
  const rows = entries(results, 'stub', 'await').map(([name, contestant]) => [
    WORKLOADS[name].title, CONTESTANTS[contestant].title, number(best(findings, name, contestant)), contestant === 'alone' ? '' : number(added(findings, name, contestant)), percent(spreadOf(findings, name, contestant))
  ])
  return section('In process, with stub objects', `Nanoseconds of a call of \`fastify.routing\` with a stub request and a stub response, ${major(node)}. No network, and nothing of Node's that writes the headers: these figures show what changes in the code, not what a user gets.`,
    ['workload', 'contestant', 'ns', 'added', 'spread'], rows)
}

function targetTable (results: Results): string {
  const nodes = nodesOf(results)
  const rows = TARGETS.filter((target) => nodes.some((node) => met(target, results.findings[node] ?? {}, node) !== undefined)).map((target) => [
    target.what,
    [...new Set(nodes.map((node) => boundOf(target, node).toFixed(2)))].join(', '),
    ...nodes.map((node) => number(target.value(results.findings[node] ?? {}), 3)),
    nodes.every((node) => met(target, results.findings[node] ?? {}, node) !== false) ? 'met' : 'missed'
  ])
  return section('Targets', '', ['ratio', 'at most', ...nodes.map(major), ''], rows, 1)
}

function besideTable (results: Results): string {
  const nodes = nodesOf(results)
  const rows = BESIDE.filter(({ value }) => nodes.some((node) => Number.isFinite(value(results.findings[node] ?? {})))).map(({ what, value }) => [what, ...nodes.map((node) => number(value(results.findings[node] ?? {}), 2))])
  return section('Other ratios', '', ['ratio', ...nodes.map(major)], rows, 1)
}

function machine ({ date, machine, versions, method, findings }: Results): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')
  return `Measured on ${date.slice(0, 10)}: ${machine.processor}, ${machine.cores} cores, ${machine.memory}, ${machine.system}, Node ${Object.keys(findings).join(' and ')}; ` +
    `${packages}. The best of ${method.processes} processes each.`
}

/** Everything, in Markdown. */
export function report (results: Results): string {
  return [
    machine(results), targetTable(results), httpTable(results),
    onceTable(results, 'Boot', 'From the first module that is loaded until `ready()`: milliseconds of the processor, and what is in use on the heap.', 'boot', [['ms', 'boot', 1, 0], ['heap, MB', 'heap', 1e6, 1], ['after preflights', 'heapAfterPreflights', 1e6, 1]]),
    onceTable(results, 'Cold start', 'Milliseconds of the processor from the start of the process, Node\'s own included.', 'start', [['ms', 'start', 1, 0]]),
    onceTable(results, 'Started again and again', 'Milliseconds of an application, in one process.', 'restart', [['ms', 'nanoseconds', 1e6, 2]]),
    besideTable(results), stubTable(results)
  ].filter((text) => text !== '').join('\n\n')
}

/** The file with all tables. */
export function tables (results: Results): string {
  return `# Figures of the benchmark\n\nWritten by \`npm run bench\`. [docs/performance.md](../docs/performance.md) says what they mean and how they are measured.\n\n${report(results)}\n`
}

const HEADLINE: ReadonlyArray<readonly [workload: WorkloadName, title: string]> = [['http-actual', 'request'], ['http-preflight', 'preflight']]
const COMPARED: ReadonlyArray<readonly [contestant: ContestantName, title: string]> = [['alone', 'Fastify alone'], ['hand', 'hooks by hand'], ['ours', 'this plugin'], ['theirs', '`@fastify/cors`']]

/** What a user pays, for README: a line for each version of Node, the newest first. */
export function headline (results: Results): string {
  const rows = nodesOf(results).toReversed().flatMap((node) => HEADLINE.map(([workload, title]) => [`${title}, ${major(node)}`, ...COMPARED.map(([contestant]) => {
    const findings = results.findings[node] ?? {}
    const microseconds = best(findings, workload, contestant, 'microsecondsOfServer')
    return Number.isFinite(microseconds) ? `${number(microseconds, 1)} (${percent(spreadOf(findings, workload, contestant, 'microsecondsOfServer'))})` : '–'
  })]))
  return table(['', ...COMPARED.map(([, title]) => title)], rows, 1)
}

function between (document: string, text: string): string {
  const [begin, end] = MARKERS
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`the document has no "${begin}" before a "${end}"`)
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`
}

/** The document with the targets and the figures over HTTP between the markers. */
export function withFigures (document: string, results: Results): string {
  return between(document, [machine(results), httpTable(results).replace(/^### .*\n\n/, ''), targetTable(results).replace(/^### .*\n\n/, '')].join('\n\n'))
}

/** The document with the headline between the markers. */
export function withHeadline (document: string, results: Results): string {
  return between(document, headline(results))
}
