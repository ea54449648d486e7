// app.cors.allows: whether a named policy allows a request's Origin.
import type { FastifyRequest } from 'fastify'
import { unknownPolicyProblem, type NamedPolicies } from '../policy/check-policies'
import { decide, type Decision } from '../response/decision'
import { questionError } from './question'

/** The function `app.cors.allows` of a scope with these named policies; without a scope, there are none. types.ts documents it. */
export function allows (named: NamedPolicies | undefined, name: string, request: FastifyRequest): boolean | Promise<boolean> {
  if (named === undefined) throw questionError('app.cors.allows', [{ pointer: '/name', reason: 'unknown-policy', value: name, message: NOT_REGISTERED }])
  const policy = named.get(name)
  if (policy === undefined || policy === null) throw questionError('app.cors.allows', [unknownPolicyProblem(name, '/name', named)])
  const decision = decide(policy.compiled, request)
  return decision instanceof Promise ? decision.then(isAllowed) : isAllowed(decision)
}

const NOT_REGISTERED = 'fastify-cors-policy is registered neither on this instance nor on a parent of it, so it has no named policies; ' +
  'call app.cors.allows of the instance where it is registered'

function isAllowed (decision: Decision): boolean {
  return decision !== false
}
