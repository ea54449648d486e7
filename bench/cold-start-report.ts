// What npm run bench:start measured, as the text that docs/performance.md has between two markers.
import type { InstalledSize } from './installed-size'
import { number, table, withTextBetween } from './table'

export interface ColdStart {
  readonly contestant: string
  readonly form: string
  readonly routes: number
  /** From the start of the process to its end, the lower quartile of all rounds. */
  readonly milliseconds: number
  /** Of the processor's time, the same. */
  readonly processor: number
}

export interface ColdStarts { readonly date: string, readonly node: string, readonly rounds: number, readonly runs: readonly ColdStart[], readonly installed: InstalledSize }

const MARKERS = ['<!-- cold start: begin (written by npm run bench:start) -->', '<!-- cold start: end -->'] as const
const [ALONE, EMPTY, THEIRS, OURS] = ['Fastify alone', 'an empty plugin', '@fastify/cors', 'fastify-cors-policy'] as const
const MB = 1e6

/** The document with the figures between the markers. */
export function withColdStarts (document: string, results: ColdStarts): string {
  return withTextBetween(document, MARKERS, `${startTable(results)}\n\n${targetTable(results)}`)
}

function millisecondsOf ({ runs }: ColdStarts, contestant: string, { form, routes }: Pick<ColdStart, 'form' | 'routes'>): number {
  return runs.find((run) => run.contestant === contestant && run.form === form && run.routes === routes)?.milliseconds ?? NaN
}

function startTable (results: ColdStarts): string {
  const { date, node, rounds, runs } = results
  const rows = runs.filter(({ contestant }) => contestant === ALONE).map((run) => {
    const ratios = [EMPTY, THEIRS, OURS].map((contestant) => number(millisecondsOf(results, contestant, run) / run.milliseconds, 3))
    return [`${number(run.routes)} routes, ${run.form}`, number(run.milliseconds), ...ratios]
  })
  const head = ['a process', `${ALONE}, ms`, EMPTY, THEIRS, OURS]
  return `Measured on ${date.slice(0, 10)} with Node ${node}, the lower quartile of ${rounds} processes each; plugins as ratios to Fastify alone.\n\n${table(head, rows, 1)}`
}

function targetTable (results: ColdStarts): string {
  const ratio = (form: string): number => millisecondsOf(results, OURS, { form, routes: 10 }) / millisecondsOf(results, ALONE, { form, routes: 10 })
  const targets = [
    ['cold start of 10 routes, CommonJS, ours / Fastify alone', 1.10, ratio('CommonJS')],
    ['the same, ESM', 1.10, ratio('ESM')],
    ['installed with all dependencies but TypeBox, MB', 4, (results.installed.total - results.installed.types) / MB]
  ] as const
  return table(['', 'at most', 'found', ''], targets.map(([what, bound, found]) => [what, bound.toFixed(2), number(found, 3), found <= bound ? 'met' : 'missed']), 1)
}
