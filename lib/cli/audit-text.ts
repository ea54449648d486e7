// The report of an audit as text that fits a width.
import type { AuditedRoute, AuditFinding, AuditReport, OriginKind } from '../devtools/audit-types'
import { coloured, exchangeText, markedLines, type TextStyle } from './text'

/** The routes that are listed for one finding. */
const MAX_ROUTES = 5

export function auditText (report: AuditReport, style: TextStyle): string {
  const { findings, routes, requests, answeredBeforeHandler, optionsRoutes, unreached, notes } = report
  const verdict = coloured(findings.length === 0 ? 'nothing found' : counted(findings.length, 'finding'), findings.length === 0, style)
  const ran = [
    `${counted(routes, 'route')} asked with ${counted(requests, 'request')}. No handler ran, except those of OPTIONS routes${
      optionsRoutes.length === 0 ? ', of which there are none' : `: ${listed(optionsRoutes)}`}`,
    `hooks and middleware ran for each request${
      answeredBeforeHandler === 0 ? '' : `; ${answeredBeforeHandler} were answered before the handler, so that later hooks did not run`}`,
    ...report.origins.filter(({ kind, routes }) => routes > 0 && SHOWN.has(kind)).map(({ origin, kind, routes, routesWithCredentials }) =>
      `${origin} (${kind}) may read ${counted(routes, 'route')}, ${routesWithCredentials} of them with credentials`),
    ...unreached.length === 0 ? [] : [`no request reached ${listed(unreached)}: audit them by hand`],
    ...notes
  ]
  return `${findings.map((finding) => findingText(finding, style)).join('')}${verdict}\n${ran.map((text) => markedLines(' ', text, style)).join('')}`
}

/** Origins that are no fault where they are meant. The reader knows. */
const SHOWN: ReadonlySet<OriginKind> = new Set(['known', 'another port', 'sibling subdomain'])

function findingText ({ rule, level, message, advice, routes, exchange }: AuditFinding, style: TextStyle): string {
  const title = coloured(`${level}: ${rule}`, level === 'note', style)
  const lines = [message, advice].map((text) => markedLines(' ', text, style)).join('')
  return `${title}\n${lines}${markedLines(' ', `on ${listed(routes.map(routeText))}`, style)}${exchangeText(exchange, style)}`
}

function routeText ({ method, url, location }: AuditedRoute): string {
  return `${method} ${url}${location === null ? '' : ` (${location})`}`
}

function counted (count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** At most five, and how many more. */
export function listed (texts: readonly string[]): string {
  const more = texts.length - MAX_ROUTES
  return `${texts.slice(0, MAX_ROUTES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
