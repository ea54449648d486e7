// app.cors.allows: whether a named policy allows a request's Origin.
import type { FastifyRequest } from 'fastify'
import { unknownPolicyProblem, type NamedPolicies } from '../policy/check-policies'
import type { Decision } from '../response/cors-headers'
import { decide } from '../response/decision'
import { questionError } from './question'

/** The function `app.cors.allows` of a scope with these named policies. types.ts documents it. */
export function allows (named: NamedPolicies, name: string, request: FastifyRequest): boolean | Promise<boolean> {
  const policy = named.get(name)
  if (policy === undefined || policy === null) throw questionError('app.cors.allows', [unknownPolicyProblem(name, '/name', named)])
  const decision = decide(policy.compiled, request)
  return decision instanceof Promise ? decision.then(isAllowed) : isAllowed(decision)
}

function isAllowed (decision: Decision): boolean {
  return decision !== false
}
