// Formats the answers of app.cors as text that fits a width.
import { printable } from '../messages/errors'
import type { CorsExchange, CorsExplanation, CorsRoute } from '../devtools/types'
import type { Output } from './command'

/** How text is printed. */
export type TextStyle = Pick<Output, 'width' | 'colour'>

/** Wraps the text at a width, at spaces where possible. Control characters are escaped. */
export function wrap (text: string, width: number): string[] {
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
function rowText (cells: ReadonlyArray<readonly string[]>, widths: readonly number[]): string {
  const height = Math.max(...cells.map((cell) => cell.length))
  const lines = Array.from({ length: height }, (_, line) => cells.map((cell, column) => padTo(cell[line] ?? '', widths[column] as number)))
  return lines.map((parts) => `${parts.join('  ').trimEnd()}\n`).join('')
}

/** Pads to a width in characters. `padEnd` counts UTF-16 code units. */
function padTo (text: string, width: number): string {
  return width === Infinity ? text : text + ' '.repeat(width - [...text].length)
}

/** The origins that are listed for one route. */
const MAX_ORIGINS = 5

/**
 * A table. The last column has what the others leave of the width.
 *
 * @param limits the widest that each column but the last may be where the table is wrapped, in characters
 */
export function tableText (rows: ReadonlyArray<readonly string[]>, limits: readonly number[], width: number): string {
  const widestIn = (column: number): number => Math.max(...rows.map((cells) => [...printable(cells[column] as string)].length))
  const widths = limits.map((limit, column) => width === Infinity ? widestIn(column) : Math.min(limit, widestIn(column)))
  // Two spaces are between columns.
  widths.push(Math.max(1, width - 2 * limits.length - widths.reduce((sum, width) => sum + width, 0)))
  return rows.map((cells) => rowText(cells.map((cell, column) => wrap(cell, widths[column] as number)), widths)).join('')
}

/** Why a route has no policy, in place of its origins. */
const WITHOUT_POLICY: Partial<Record<CorsRoute['declaration'], string>> = {
  off: 'none (cors: false)',
  none: 'none (no policy)',
  uncovered: 'none (the plugin is not registered there)'
}

/** A table of the routes. */
export function routesText (routes: readonly CorsRoute[], width: number): string {
  const rows = [['METHOD', 'URL', 'POLICY', 'ORIGIN'], ...routes.map((route) => [
    route.method,
    route.host === undefined ? route.url : `${route.url} (host ${route.host})`,
    route.policy ?? '-',
    WITHOUT_POLICY[route.declaration] ?? `${originsText(route.origin)}${route.credentials === false ? '' : ' with credentials'}`
  ])]
  return tableText(rows, [8, Math.floor(width * 0.35), Math.floor(width * 0.175)], width)
}

function originsText (origin: CorsRoute['origin']): string {
  if (origin === '*') return '*'
  const more = origin.length - MAX_ORIGINS
  return origin.length === 0 ? 'none' : `${origin.slice(0, MAX_ORIGINS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** The exchanges, the verdict, the message and the advice. */
export function explanationText ({ allowed, reason, message, advice, notes, exchanges }: CorsExplanation, style: TextStyle): string {
  const verdict = coloured(allowed ? 'allowed' : `blocked (${reason})`, allowed, style)
  const texts = [message, ...(advice === null ? [] : [advice]), ...notes.map((note) => `note: ${note}`)]
  return `${exchanges.map((exchange) => exchangeText(exchange, style)).join('')}${verdict}\n${texts.map((text) => markedLines(' ', text, style)).join('')}`
}

/** The text in green or red, where colours are wanted. */
export function coloured (text: string, isGood: boolean, { colour }: Pick<TextStyle, 'colour'>): string {
  return colour ? `\u001b[${isGood ? 32 : 31}m${text}\u001b[0m` : text
}

export function exchangeText ({ request, response }: CorsExchange, style: TextStyle): string {
  const status = response.statusCode === null ? '(not sent; the policy sets these headers)' : String(response.statusCode)
  return [
    markedLines('>', `${request.method} ${request.url}`, style),
    headerLines('>', request.headers, style),
    markedLines('<', status, style),
    headerLines('<', response.headers, style),
    '\n'
  ].join('')
}

/** The text in lines that begin with a mark. All but the first are indented. */
export function markedLines (mark: string, text: string, { width }: Pick<TextStyle, 'width'>): string {
  return wrap(text, width - 4).map((line, index) => `${mark} ${index === 0 ? '' : '  '}${line}\n`).join('')
}

function headerLines (mark: string, headers: Readonly<Record<string, string>>, style: TextStyle): string {
  return Object.entries(headers).map(([name, value]) => markedLines(mark, `${name}: ${value}`, style)).join('')
}
