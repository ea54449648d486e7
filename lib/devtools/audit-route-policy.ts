// The rule `route-policy-ignored`: a route has a `config.cors`, but its preflight is answered by another policy. @fastify/cors answers every preflight
// with its global options: its own OPTIONS route matches, and not the route that is announced.
import { getHeader } from '../browser/headers'
import type { Observation, Trial } from './audit-grants'
import type { Fault } from './audit-types'

const ADVICE = 'move the route to fastify-cors-policy, which answers each preflight with the policy of its route: fastify-cors-policy migrate prints it'

export function findIgnoredPolicy ({ route: { cors }, trials }: Observation): Fault[] {
  if (cors === undefined) return []
  const wider = trials.find((trial) => isWider(trial.preflightGrant, trial.responseGrant))
  if (wider !== undefined) return [faultOf(wider, 'error', 'approves what its responses refuse')]
  const narrower = trials.find((trial) => isWider(trial.responseGrant, trial.preflightGrant))
  if (narrower !== undefined) return [faultOf(narrower, 'warning', 'refuses what its responses allow')]
  const approved = trials.find(({ preflightGrant }) => preflightGrant !== 'none')
  const field = approved === undefined ? undefined : ignoredField(cors, approved)
  return approved === undefined || field === undefined ? [] : [faultOf(approved, 'warning', `does not have its ${field}`)]
}

const ORDER = ['none', 'wildcard', 'reading', 'credentials']

function isWider (grant: Trial['responseGrant'], other: Trial['responseGrant']): boolean {
  return ORDER.indexOf(grant) > ORDER.indexOf(other)
}

function faultOf ({ preflight: { exchange } }: Trial, level: 'error' | 'warning', what: string): Fault {
  return { rule: 'route-policy-ignored', level, message: `the route has a config.cors, but its preflight ${what}`, advice: ADVICE, exchange }
}

/** A field of `config.cors` that the preflight shows, with another value. */
function ignoredField (cors: unknown, { preflight: { headers } }: Trial): string | undefined {
  const { maxAge, methods, allowedHeaders } = Object(cors) as { maxAge?: unknown, methods?: unknown, allowedHeaders?: unknown }
  const lacks = (name: string, expected: unknown): boolean => {
    const names = namesOf(getHeader(headers, name))
    return !names.includes('*') && namesOf(expected).some((each) => each !== '*' && !names.includes(each))
  }
  if (typeof maxAge === 'number' && getHeader(headers, 'access-control-max-age') !== String(maxAge)) return 'maxAge'
  if (lacks('access-control-allow-methods', methods)) return 'methods'
  // Without requested headers, a wildcard may be answered by nothing.
  return lacks('access-control-allow-headers', allowedHeaders) ? 'allowedHeaders' : undefined
}

/** A list as an array or with commas; nothing for anything else. */
function namesOf (list: unknown): string[] {
  const names = typeof list === 'string' ? list.split(',') : Array.isArray(list) ? list.map(String) : []
  return names.map((name) => name.trim().toLowerCase())
}
