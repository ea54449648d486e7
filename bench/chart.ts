// The chart that README shows, as SVG: the processor time of the server for a request over HTTP. Readable on light and on dark.
import { CONTESTANTS, type ContestantName } from './contestants'
import { best, type Results } from './findings'
import { WORKLOADS, type WorkloadName } from './workloads'

const NAMES: readonly WorkloadName[] = ['http-actual', 'http-preflight', 'http-preflight-five']
const BARS: ReadonlyArray<readonly [ContestantName, string]> = [['alone', 'd'], ['hand', 'b'], ['ours', 'a'], ['theirs', 'c']]

const [WIDTH, LEFT, RIGHT, BAR, GAP, TOP] = [760, 270, 80, 14, 16, 64] as const

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

export function chart ({ findings }: Results): string {
  // The newest Node first: it is what a new application runs on.
  const groups = Object.keys(findings).toReversed().flatMap((node) => NAMES.map((workload) => ({
    label: `${WORKLOADS[workload].title.replace('preflight, allowed, of a route with', 'preflight,').replace(', allowed', '')}, Node ${Number.parseInt(node)}`,
    bars: BARS.map(([contestant, style]) => ({ contestant, style, microseconds: best(findings[node] ?? {}, workload, contestant, 'microsecondsOfServer') })).filter(({ microseconds }) => Number.isFinite(microseconds))
  }))).filter(({ bars }) => bars.length > 0)
  const longest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ microseconds }) => microseconds)))
  const groupHeight = BARS.length * (BAR + 2) + GAP
  const height = TOP + groups.length * groupHeight + 10
  const drawn = groups.flatMap(({ label, bars }, group) => {
    const y = TOP + group * groupHeight
    return [
      `<text class="label" x="${LEFT - 12}" y="${y + BARS.length * (BAR + 2) / 2 + 4}">${escape(label)}</text>`,
      ...bars.map(({ contestant, style, microseconds }, index) => {
        const width = Math.max(1, microseconds / longest * (WIDTH - LEFT - RIGHT))
        const top = y + index * (BAR + 2)
        return `<rect class="${style}" x="${LEFT}" y="${top}" width="${width.toFixed(1)}" height="${BAR}" rx="2"><title>${escape(`${CONTESTANTS[contestant].title}, ${label}`)}</title></rect>` +
          `<text class="value" x="${(LEFT + width + 6).toFixed(1)}" y="${top + BAR - 3}">${microseconds.toFixed(1)} µs</text>`
      })
    ]
  })
  const legend = BARS.map(([contestant, style], index) => `<rect class="${style}" x="${LEFT - 120 + index * 150}" y="36" width="12" height="12" rx="2"/><text class="value" x="${LEFT - 102 + index * 150}" y="46">${escape(CONTESTANTS[contestant].title)}</text>`)
  const title = 'Processor time of the server for a request over HTTP'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${title}</title>
<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.head { font-size: 14px; font-weight: 600 }
.label { text-anchor: end }
.a { fill: #1f7a4d } .b { fill: #8c959f } .c { fill: #bc4c00 } .d { fill: #d0d7de }
@media (prefers-color-scheme: dark) {
  text { fill: #d1d7e0 }
  .a { fill: #3fb977 } .b { fill: #767f8a } .c { fill: #e0823d } .d { fill: #4a525c }
}
</style>
<text class="head" x="12" y="20">${title} (less is better)</text>
${[...legend, ...drawn].join('\n')}
</svg>
`
}
