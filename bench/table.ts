// Tables in Markdown, aligned so that they can be read as text too, and the places of a document that they are written to.

/** The first `texts` columns are texts, the others figures. */
export function table (head: readonly string[], rows: ReadonlyArray<readonly string[]>, texts: number): string {
  const all = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)))
  const line = (row: readonly string[]): string => `| ${row.map((cell, column) => column < texts ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number)).join(' | ')} |`
  const [first, ...rest] = all as [string[], ...string[][]]
  return [line(first), `|${widths.map((width, column) => column < texts ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`).join('|')}|`, ...rest.map(line)].join('\n')
}

export function number (value: number, digits = 0): string {
  return Number.isNaN(value) ? '–' : value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** The document with this text between two markers. */
export function withTextBetween (document: string, [begin, end]: readonly [string, string], text: string): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`the document has no "${begin}" before a "${end}"`)
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`
}
