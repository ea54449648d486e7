// Formats the answers of app.cors as text of at most 80 columns. run.ts prints it.
import { printable } from '../messages/errors'
import type { CorsExchange, CorsExplanation, CorsRoute } from '../devtools/types'

/** The longest line, in characters. */
const WIDTH = 80

/** Wraps the text at a width, at spaces where possible. */
function wrap (text: string, width: number): string[] {
  const lines: string[] = []
  let rest = [...printable(text)]
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const end = space > 0 ? space : width
    lines.push(rest.slice(0, end).join(''))
    rest = rest.slice(space > 0 ? end + 1 : end)
  }
  return [...lines, rest.join('')]
}

/** The lines of one row of a table. Each cell is wrapped already, and has at least one line. */
function row (cells: ReadonlyArray<readonly string[]>, widths: readonly number[]): string {
  const height = Math.max(...cells.map((cell) => cell.length))
  const lines = Array.from({ length: height }, (_, line) => cells.map((cell, column) => padTo(cell[line] ?? '', widths[column] as number)))
  return lines.map((parts) => `${parts.join('  ').trimEnd()}\n`).join('')
}

/** Pads to a width in characters. `padEnd` counts UTF-16 code units. */
function padTo (text: string, width: number): string {
  return text + ' '.repeat(width - [...text].length)
}

/** The origins that are listed for one route. */
const MAX_ORIGINS = 5

/** A table of the routes. */
export function routesText (routes: readonly CorsRoute[]): string {
  const rows = [['METHOD', 'URL', 'POLICY', 'ORIGIN'], ...routes.map((route) => [
    route.method,
    route.host === undefined ? route.url : `${route.url} (host ${route.host})`,
    route.policy ?? '-',
    `${originsText(route.origin)}${route.credentials === false ? '' : ' with credentials'}`
  ])]
  const widestIn = (column: number): number => Math.max(...rows.map((cells) => [...printable(cells[column] as string)].length))
  const widths = [8, 28, 14].map((limit, column) => Math.min(limit, widestIn(column)))
  // The last column has the rest of the width: two spaces are between columns.
  widths.push(WIDTH - 6 - widths.reduce((sum, width) => sum + width, 0))
  return rows.map((cells) => row(cells.map((cell, column) => wrap(cell, widths[column] as number)), widths)).join('')
}

function originsText (origin: CorsRoute['origin']): string {
  if (origin === '*') return '*'
  const more = origin.length - MAX_ORIGINS
  return origin.length === 0 ? 'none' : `${origin.slice(0, MAX_ORIGINS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** The exchanges, the verdict, the message and the advice. `colour`: the verdict is green or red, for a terminal. */
export function explanationText ({ allowed, reason, message, advice, exchanges }: CorsExplanation, colour: boolean): string {
  const verdict = allowed ? 'allowed' : `blocked (${reason})`
  const coloured = colour ? `\u001b[${allowed ? 32 : 31}m${verdict}\u001b[0m` : verdict
  const texts = advice === null ? [message] : [message, advice]
  return `${exchanges.map(exchangeText).join('')}${coloured}\n${texts.map((text) => markedLines(' ', text)).join('')}`
}

function exchangeText ({ request, response }: CorsExchange): string {
  const status = response.statusCode === null ? '(not sent; the policy sets these headers)' : String(response.statusCode)
  return [
    markedLines('>', `${request.method} ${request.url}`),
    headerLines('>', request.headers),
    markedLines('<', status),
    headerLines('<', response.headers),
    '\n'
  ].join('')
}

/** The text in lines that begin with a mark. All but the first are indented. */
function markedLines (mark: string, text: string): string {
  return wrap(text, WIDTH - 4).map((line, index) => `${mark} ${index === 0 ? '' : '  '}${line}\n`).join('')
}

function headerLines (mark: string, headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers).map(([name, value]) => markedLines(mark, `${name}: ${value}`)).join('')
}
