// The package's exports: the plugin itself for require(), for its default and for its named import, and what belongs to it.
/// <reference path="../types/fastify.d.ts" preserve="true" />
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import * as declaration from './declaration/declaration'
import type * as errors from './errors'
import { addScope } from './plugin'
import * as schema from './schema'

/**
 * CORS by route: reads and checks each route's `config.cors`, answers the route's preflights by that policy, and puts the right headers
 * on every response. A Fastify plugin, for `register`.
 *
 * @throws CorsPolicyError when it is registered with wrong options, and when a route is declared with a wrong policy
 * @example
 * await app.register(cors, { policies: { public: { origin: '*' } } })
 * app.get('/status', { config: { cors: { extends: 'public' } } }, handler)
 */
async function cors (instance: FastifyInstance, options: cors.CorsPluginOptions): Promise<void> {
  await addScope(instance, options)
}

fp(cors, { name: 'fastify-cors-policy', fastify: '5.x' })

declare namespace cors {
  export { cors as corsPolicy, cors as default }
  export const definePolicies: typeof declaration.definePolicies
  export const CorsPolicySchema: typeof schema.CorsPolicySchema
  export const RouteCorsSchema: typeof schema.RouteCorsSchema
  export const CorsPluginOptionsSchema: typeof schema.CorsPluginOptionsSchema
  export type CorsPolicy = schema.CorsPolicy
  export type RouteCors = schema.RouteCors
  export type CorsPluginOptions = schema.CorsPluginOptions
  export type CorsOriginFunction = schema.CorsOriginFunction
  export type CorsPolicyError = errors.CorsPolicyError
  export type CorsProblem = errors.CorsProblem
  export type CorsProblemReason = errors.CorsProblemReason
  /**
   * The names of an application's policies. Empty until the application declares them; `extends` then completes and checks them.
   *
   * @example
   * declare module 'fastify-cors-policy' {
   *   interface CorsPolicyNames { public: true, partner: true }
   * }
   */
  export interface CorsPolicyNames {}
}

// Node finds the names of a CommonJS module's exports by reading its text: written so, they can be imported by name.
module.exports.corsPolicy = cors
module.exports.definePolicies = declaration.definePolicies
module.exports.CorsPolicySchema = schema.CorsPolicySchema
module.exports.RouteCorsSchema = schema.RouteCorsSchema
module.exports.CorsPluginOptionsSchema = schema.CorsPluginOptionsSchema
Object.assign(cors, module.exports, { default: cors })

export = cors
