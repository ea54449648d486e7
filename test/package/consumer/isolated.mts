// The same with `isolatedDeclarations`, where TypeScript wants types written for what it would have to infer: the package has a name for each.
import { CorsPolicySchema as Schema, definePolicies, type CorsPolicies, type CorsPolicy, type CorsPolicySchema, type RouteCors } from 'fastify-cors-policy'

export const policies: CorsPolicies<'open' | 'partner'> = definePolicies({ open: { origin: '*' }, partner: { extends: 'open' } })
export const open: CorsPolicy = policies.open
export const S: CorsPolicySchema = Schema
export const mine: RouteCors = { origin: '*' }
export const route = { config: { cors: false as const } }
