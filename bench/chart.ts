// The chart that README shows, as SVG: what CORS adds to a request in Fastify, and how long a preflight takes. Readable on light and on dark.
import { CONTESTANTS, type ContestantName } from './contestants'
import { added, best, type Results } from './findings'
import { type WorkloadName, WORKLOADS } from './workloads'

interface Group { readonly workload: WorkloadName, readonly label: string, readonly value: typeof added }

const GROUPS: readonly Group[] = [
  { workload: 'actual-allowed', label: 'actual request, allowed', value: added },
  { workload: 'actual-refused', label: 'actual request, refused', value: added },
  { workload: 'actual-no-origin', label: 'actual request without Origin', value: added },
  { workload: 'preflight-allowed', label: 'preflight, allowed (whole request)', value: best }
]
const BARS: ReadonlyArray<readonly [ContestantName, string]> = [['hand', 'b'], ['ours', 'a'], ['theirs', 'c']]

const [WIDTH, LEFT, RIGHT, BAR, GAP, TOP] = [760, 250, 70, 16, 18, 64] as const

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

export function chart (results: Results): string {
  const groups = GROUPS.filter(({ workload }) => results.workloads[workload] !== undefined)
  const longest = Math.max(...groups.flatMap(({ workload, value }) => BARS.map(([contestant]) => value(results, workload, contestant))))
  const groupHeight = BARS.length * (BAR + 2) + GAP
  const height = TOP + groups.length * groupHeight + 10
  const bars = groups.flatMap(({ workload, label, value }, group) => {
    const y = TOP + group * groupHeight
    return [
      `<text class="label" x="${LEFT - 12}" y="${y + BARS.length * (BAR + 2) / 2 + 4}">${escape(label)}</text>`,
      ...BARS.map(([contestant, style], index) => {
        const found = value(results, workload, contestant)
        const width = Math.max(1, found / longest * (WIDTH - LEFT - RIGHT))
        const top = y + index * (BAR + 2)
        return `<rect class="${style}" x="${LEFT}" y="${top}" width="${width.toFixed(1)}" height="${BAR}" rx="2"><title>${escape(`${CONTESTANTS[contestant].title}, ${WORKLOADS[workload].title}`)}</title></rect>` +
          `<text class="value" x="${(LEFT + width + 6).toFixed(1)}" y="${top + BAR - 4}">${found.toFixed(0)} ns</text>`
      })
    ]
  })
  const legend = BARS.map(([contestant, style], index) => `<rect class="${style}" x="${LEFT + index * 170}" y="36" width="12" height="12" rx="2"/><text class="value" x="${LEFT + 18 + index * 170}" y="46">${escape(CONTESTANTS[contestant].title)}</text>`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
<title id="title">Nanoseconds that CORS adds to a request in Fastify</title>
<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.head { font-size: 14px; font-weight: 600 }
.label { text-anchor: end }
.a { fill: #1f7a4d } .b { fill: #8c959f } .c { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
  text { fill: #d1d7e0 }
  .a { fill: #3fb977 } .b { fill: #767f8a } .c { fill: #e0823d }
}
</style>
<text class="head" x="12" y="20">Nanoseconds that CORS adds to a request in Fastify (less is better)</text>
${[...legend, ...bars].join('\n')}
</svg>
`
}
