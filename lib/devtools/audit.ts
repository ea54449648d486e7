// Audits an application, whatever sets its CORS headers: asks every route from origins that an attacker could use, and judges preflights and responses
// by the browser model.
import type { FastifyInstance } from 'fastify'
import type { ApplicationRecord, RecordedRoute } from './application-recorder'
import { decisiveTrials, observe, type Observation } from './audit-grants'
import { attemptsFor, knownOrigins, MAX_KNOWN_ORIGINS, type Attempt, type OriginSources } from './audit-origins'
import { AuditRequests } from './audit-requests'
import { faultsOf } from './audit-rules'
import { findUnroutedApprovals } from './audit-unrouted'
import type { AuditedRoute, AuditFinding, AuditReport, Fault, TriedOrigin } from './audit-types'

/** Audits an application, which is a root instance that is ready. */
export async function audit (root: FastifyInstance, record: ApplicationRecord, sources: OriginSources): Promise<AuditReport> {
  const found = knownOrigins(root, record, sources)
  const attempts = attemptsFor(found.slice(0, MAX_KNOWN_ORIGINS))
  const requests = new AuditRequests(root, record)
  const routes = auditedRoutes(record.routes)
  const observations: Observation[] = []
  const unreached: string[] = []
  for (const route of routes) {
    const observation = await observe(requests, route, attempts)
    if (observation === undefined) unreached.push(`${route.method} ${route.url}`)
    else observations.push(observation)
  }
  const faults = observations.flatMap((observation) => faultsOf(observation).map((fault) => ({ fault, route: auditedRoute(observation.route) })))
  faults.push(...await findUnroutedApprovals(root, requests, observations, attempts))
  return {
    findings: grouped(faults),
    origins: attempts.map((attempt) => triedOrigin(attempt, observations)),
    routes: observations.length,
    requests: requests.count,
    answeredBeforeHandler: requests.answeredBeforeHandler,
    optionsRoutes: [...new Set(record.routes.filter(({ method }) => method === 'OPTIONS').map(({ url }) => url))],
    unreached,
    notes: notesOf(found.length, record.routes)
  }
}

/** Each method of each route once. Fastify declares a HEAD route beside each GET route; OPTIONS routes answer for others. */
export function auditedRoutes (routes: readonly RecordedRoute[]): RecordedRoute[] {
  const isGet = new Set(routes.filter(({ method }) => method === 'GET').map(({ url }) => url))
  return routes.filter(({ method, url }) => method !== 'OPTIONS' && !(method === 'HEAD' && isGet.has(url)))
}

function auditedRoute ({ method, url, location }: RecordedRoute): AuditedRoute {
  return { method, url, location: location ?? null }
}

const LEVELS = ['error', 'warning', 'note']

/** One finding for each fault, with all routes that have it. Errors first. */
function grouped (faults: ReadonlyArray<{ readonly fault: Fault, readonly route: AuditedRoute }>): AuditFinding[] {
  const groups = new Map<string, Fault & { routes: AuditedRoute[] }>()
  for (const { fault, route } of faults) {
    const key = `${fault.rule} ${fault.level} ${fault.message}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { ...fault, routes: [route] })
    else group.routes.push(route)
  }
  return [...groups.values()].sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level))
}

function triedOrigin ({ origin, kind }: Attempt, observations: readonly Observation[]): TriedOrigin {
  const grants = observations.map((each) => decisiveTrials(each).find((trial) => trial.origin === origin)?.grant)
  return {
    origin,
    kind,
    routes: grants.filter((grant) => grant !== 'none').length,
    routesWithCredentials: grants.filter((grant) => grant === 'credentials').length
  }
}

function notesOf (found: number, routes: readonly RecordedRoute[]): string[] {
  return [
    'headers that a handler sets itself are not seen, because no handler ran',
    ...found === 0 ? ['no origin is known, so none was tried that looks like one; name those that are allowed: --origin https://app.example.com'] : [],
    ...found > MAX_KNOWN_ORIGINS ? [`${found} origins are known; the first ${MAX_KNOWN_ORIGINS} were tried; name others with --origin`] : [],
    ...routes.length === 0 ? ['the application has no routes'] : []
  ]
}
