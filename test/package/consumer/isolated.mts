// The same with `isolatedDeclarations`, where TypeScript wants types written for what it would have to infer: the package has a name for each.
import { definePolicies, type CorsPolicies, type CorsPolicy, type RouteCors } from 'fastify-cors-policy'
import { CorsPolicySchema as Schema, type CorsPolicySchema } from 'fastify-cors-policy/schemas'

export const policies: CorsPolicies<'open' | 'partner'> = definePolicies({ open: { origin: '*' }, partner: { extends: 'open' } })
export const open: CorsPolicy = policies.open
export const S: CorsPolicySchema = Schema
export const mine: RouteCors = { origin: '*' }
export const route = { config: { cors: false as const } }
