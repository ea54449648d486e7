// app.cors.allows: whether a named policy allows a request's Origin.
import type { FastifyRequest } from 'fastify'
import { unknownPolicyProblem, type NamedPolicies } from '../declaration/declaration'
import { credentialedOrigin } from '../response/credentialed'
import { decide, type Decision } from '../response/decision'
import { questionError } from './question'

export function allows (names: NamedPolicies, name: string, request: FastifyRequest): boolean | Promise<boolean> {
  const policy = names.get(name)
  if (policy === undefined || policy === null) throw questionError('app.cors.allows', [unknownPolicyProblem(name, '/name', names)])
  const decision = credentialedOrigin(policy.compiled, request) ?? decide(policy.compiled.origin, request)
  return typeof decision === 'object' ? decision.then(isAllowed) : isAllowed(decision)
}

function isAllowed (decision: Decision): boolean {
  return decision !== false
}
