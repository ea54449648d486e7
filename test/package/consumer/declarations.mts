// What an application may export of the package without writing types, with `declaration` and `composite`: the compiler names them by the
// package's entry. consumers.test.ts compiles it in every resolution mode, with every version of TypeScript.
import { Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Value } from '@sinclair/typebox/value'
import cors, { definePolicies, type CorsPluginOptions, type CorsPolicy, type CorsPolicyError, type RouteCors } from 'fastify-cors-policy'
import { CorsPluginOptionsSchema, CorsPolicySchema, RouteCorsSchema } from 'fastify-cors-policy/schemas'

export const policies = definePolicies({ open: { origin: '*' }, partner: { extends: 'open', origin: [/^https:\/\/a\.example$/] } })
export const fromFile = definePolicies({ $schema: './policies.schema.json', open: { origin: '*' } })
export const { open } = policies
export const route = { config: { cors: policies.open } }
export const mine = { cors: { origin: '*' } satisfies RouteCors }
export const origin = policies.open.origin
export const S = CorsPolicySchema
export const schemas = { CorsPolicySchema, RouteCorsSchema, CorsPluginOptionsSchema }
export const plugin = cors
export const define = definePolicies
export const problemsOf = (error: CorsPolicyError) => error.problems
export const reasonsOf = (error: CorsPolicyError) => error.problems.map(({ reason }) => reason)
export const functionOf = (policy: CorsPolicy) => typeof policy.origin === 'function' ? policy.origin : undefined
export const policiesOf = (options: CorsPluginOptions) => ({ policies: options.policies, byDefault: options.defaultPolicy })
export const Config = Type.Object({ route: RouteCorsSchema })
export const isPolicy = (value: unknown) => Value.Check(CorsPolicySchema, value) ? value : undefined
export const isRoute = (value: unknown) => TypeCompiler.Compile(RouteCorsSchema).Check(value)
