// The rule `unrouted-approved`: preflights for a URL or a method that has no route, and are approved.
import type { FastifyInstance } from 'fastify'
import { preflightGrantOf, type Observation } from './audit-grants'
import type { Attempt } from './audit-origins'
import type { AuditRequests, Target } from './audit-requests'
import type { AuditedRoute, Fault } from './audit-types'

/** The methods that are tried where a URL has no route for them. For POST and GET, a preflight approves headers. */
const METHODS = ['DELETE', 'PUT', 'PATCH', 'POST', 'GET'] as const

/** A URL that no application has. */
const NOWHERE = '/fastify-cors-policy-audit/nowhere'

/** The origins that are tried at each URL: the first of those that are allowed anywhere. */
const MAX_ORIGINS = 3

export async function findUnroutedApprovals (
  root: FastifyInstance, requests: AuditRequests, observations: readonly Observation[], attempts: readonly Attempt[]
): Promise<Array<{ readonly fault: Fault, readonly route: AuditedRoute }>> {
  const nowhere = { pattern: NOWHERE, target: { method: '', url: NOWHERE, headers: {} } }
  const targets = new Map<string, { readonly pattern: string, readonly target: Target }>([[NOWHERE, nowhere]])
  for (const { route, target } of observations) {
    const key = `${target.url} ${target.headers['host'] ?? ''}`
    if (!targets.has(key)) targets.set(key, { pattern: route.url, target })
  }
  const isAllowed = ({ origin, kind }: Attempt): boolean => kind === 'unrelated' || observations.some(({ trials }) =>
    trials.some((trial) => trial.origin === origin && (trial.preflightGrant !== 'none' || trial.responseGrant !== 'none')))
  const tried = attempts.filter(isAllowed).slice(0, MAX_ORIGINS)
  const found = []
  for (const { pattern, target } of targets.values()) {
    const approval = await approvalOf(root, requests, target, tried)
    if (approval !== undefined) found.push({ fault: faultOf(approval), route: { method: approval.method, url: pattern, location: null } })
  }
  return found
}

interface Approval { readonly method: string, readonly exchange: Fault['exchange'] }

async function approvalOf (
  root: FastifyInstance, requests: AuditRequests, { url, headers }: Target, attempts: readonly Attempt[]
): Promise<Approval | undefined> {
  for (const method of METHODS) {
    const target = { method, url, headers }
    // A hook or middleware may answer where no route does.
    const { matched, status } = await requests.send(target)
    if (matched !== undefined || status !== 404) continue
    for (const { origin } of attempts) {
      const preflight = await requests.preflight(target, origin)
      if (preflightGrantOf(preflight, origin, method) === 'none') continue
      return await isDeclared(root, origin, target) ? undefined : { method, exchange: preflight.exchange }
    }
  }
  return undefined
}

/** Whether fastify-cors-policy says so: a `defaultPolicy` is the policy of 404 responses as well, and of the preflights that announce them. */
async function isDeclared (root: FastifyInstance, origin: string, { method, url }: Target): Promise<boolean> {
  return root.hasDecorator('cors') && (await root.cors.explain({ origin, method, url })).allowed
}

function faultOf ({ exchange }: Approval): Fault {
  return {
    rule: 'unrouted-approved',
    level: 'note',
    message: 'a preflight for a URL or a method that has no route is approved: the page is told that it may send what cannot be answered',
    advice: 'answer preflights for the methods of the URL\'s routes alone; fastify-cors-policy does so',
    exchange
  }
}
