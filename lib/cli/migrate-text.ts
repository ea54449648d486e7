// The answer of migrate as text that fits a width.
import { printable } from '../messages/errors'
import type { AnswerChange, ChangeKind, Migration } from '../devtools/migrate-types'
import { listed } from './audit-text'
import { coloured, markedLines, tableText, type TextStyle } from './text'

const TITLES: Readonly<Record<ChangeKind, string>> = {
  wider: 'Wider: this is allowed from now on',
  narrower: 'Narrower: this is blocked from now on',
  status: 'Other statuses, and 404s that can be read: nothing opens or closes'
}

export function migrationText ({ registrations, routes, changes, notCompared, compared }: Migration, style: TextStyle): string {
  const parts = registrations.map(({ location, code, toWrite, notes }) => [
    `In place of @fastify/cors${location === null ? '' : ` at ${printable(location)}`}:\n\n`,
    // Code is not wrapped.
    `${code}\n\n`,
    ...toWrite.map((text) => markedLines('!', `to be written: ${text}`, style)),
    ...notes.map((text) => markedLines('-', text, style)),
    '\n'
  ].join(''))
  const ofRoutes = routes.map(({ method, url, location, code, toWrite }) => [
    markedLines(' ', `${method} ${url}${location === null ? '' : ` (${location})`}`, style),
    `${code}\n`,
    ...toWrite.map((text) => markedLines('!', `to be written: ${text}`, style))
  ].join(''))
  if (ofRoutes.length > 0) parts.push(`The routes with a config.cors:\n\n${ofRoutes.join('')}\n`)
  for (const kind of Object.keys(TITLES) as ChangeKind[]) {
    const some = changes.filter((change) => change.kind === kind)
    if (some.length > 0) parts.push(`${coloured(TITLES[kind], kind !== 'wider', style)}\n${changesText(some, style)}\n`)
  }
  if (notCompared.length > 0) parts.push(markedLines('!', `not compared, because the registration has to be written first: ${listed(notCompared)}`, style))
  parts.push(`${compared} requests compared${changes.length === 0 ? ': no answer changes' : ''}\n`)
  return parts.join('')
}

function changesText (changes: readonly AnswerChange[], style: TextStyle): string {
  const rows = changes.map(({ routes, origins, headers, was, becomes }) =>
    [listed(routes), listed(origins), listed(headers.map((names) => names === '' ? '-' : names)), `${was} -> ${becomes}`])
  const share = Math.floor(style.width / 4)
  const table = tableText([['ROUTE', 'ORIGIN', 'HEADERS', 'CHANGE'], ...rows], [share, share + 4, share - 6], style.width)
  const advice = [...new Set(changes.flatMap(({ advice }) => advice === null ? [] : [advice]))]
  return `${table}${advice.map((text) => markedLines('!', text, style)).join('')}`
}
