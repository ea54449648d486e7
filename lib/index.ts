// The package's exports: the plugin itself for require(), for its default and for its named import, and what belongs to it.
/// <reference path="../types/fastify.d.ts" preserve="true" />
import type { TUnsafe } from '@sinclair/typebox' with { 'resolution-mode': 'import' }
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import * as declaration from './declaration/declaration'
import type { CorsPolicyError, CorsProblem, CorsProblemReason } from './errors'
import type * as explain from './explain/types'
import type { CorsExchange, CorsExplainedRoute, CorsExplanation, CorsQuestion, CorsQuestionError, CorsRoute } from './explain/types'
import { addScope } from './plugin'
import * as list from './policy/origin/list'
import type { CorsRefusal, CorsRefusalMessage, CorsRefusalReason } from './response/refused'
import type * as schema from './schema'
import type { CorsOriginFunction, CorsOriginList } from './schema'
import * as compiled from './schema/compiled'

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

// A schema has the types of both builds of TypeBox: in a CommonJS file its functions want those of the one, in an ES module of the other.
type PolicySchema = typeof schema.CorsPolicySchema
type RouteSchema = typeof schema.RouteCorsSchema
type OptionsSchema = typeof schema.CorsPluginOptionsSchema

// What is declared here, and not only passed on, TypeScript can name in the declarations of an application that exports it.
declare namespace cors {
  export { cors as corsPolicy, cors as default }
  export { type CorsOriginFunction, type CorsOriginList, type CorsPolicyError, type CorsProblem, type CorsProblemReason }
  export { type CorsExchange, type CorsExplainedRoute, type CorsExplanation, type CorsQuestion, type CorsQuestionError, type CorsRefusal, type CorsRefusalMessage, type CorsRefusalReason, type CorsRoute }

  /**
   * The names of an application's policies. Empty until the application declares them; `extends` then completes and checks them.
   *
   * @example
   * declare module 'fastify-cors-policy' {
   *   interface CorsPolicyNames { public: true, partner: true }
   * }
   */
  export interface CorsPolicyNames {}

  /** The names that `extends` and `defaultPolicy` take: those of {@link CorsPolicyNames}, or any text as long as it is empty. */
  export type CorsPolicyName = [keyof CorsPolicyNames] extends [never] ? string : Extract<keyof CorsPolicyNames, string>

  /** `app.cors`: what an instance answers about its policies. In a child scope, it knows the names of that scope. */
  export interface CorsDecoration extends explain.CorsDecoration<CorsPolicyName> {}

  /**
   * A policy: who may call a route from a browser, and how.
   *
   * @example
   * const policy: CorsPolicy = { origin: ['https://app.example.com'], credentials: true, maxAge: 600 }
   */
  export type CorsPolicy = schema.Policy<CorsPolicyName>

  /** A route's `config.cors`: `false`, or a policy. */
  export type RouteCors = false | CorsPolicy

  /** The options of the plugin. */
  export type CorsPluginOptions = schema.PluginOptions<CorsPolicyName, CorsPolicy>

  /** What {@link definePolicies} returns: the policies by name, frozen. */
  export type CorsPolicies<Name extends string = string> = Readonly<Record<Name, CorsPolicy>>

  /**
   * Checks named policies, and freezes them, so that routes can refer to them as values: `config: { cors: policies.public }`. They may
   * extend each other by name; what is returned is complete, and extends nothing.
   *
   * @param policies the policies by name
   * @returns the same names with their checked, frozen policies
   * @throws CorsPolicyError with every problem, where there is one
   * @example
   * const policies = definePolicies({
   *   public: { origin: '*' },
   *   partner: { origin: 'https://*.partners.example.com', credentials: true }
   * })
   */
  export function definePolicies<Name extends string> (policies: { readonly [Key in Name]: Key extends '$schema' ? string : CorsPolicy }): CorsPolicies<Exclude<Name, '$schema'>>

  /**
   * Makes a list of origins that can change while the application runs, to stand as `origin` or `credentials` of a policy. Takes the entries that an array takes.
   *
   * @param entries the first entries: an array, a Set, another list or anything else to iterate over; may be empty
   * @returns the list
   * @throws CorsPolicyError with every problem, where there is one
   * @example
   * const tenants = originList(await db.origins())
   * await app.register(cors, { policies: { tenants: { origin: tenants, credentials: true } } })
   * tenants.add('https://new.example')
   */
  export function originList (entries: Iterable<string | RegExp>): CorsOriginList

  /** The type of {@link CorsPolicySchema}: a TypeBox schema of {@link CorsPolicy}. */
  export interface CorsPolicySchema extends PolicySchema, TUnsafe<CorsPolicy> { static: CorsPolicy }
  /** The TypeBox schema of a policy. `JSON.stringify` makes a plain JSON Schema of it, for everything that JSON can hold. */
  export const CorsPolicySchema: CorsPolicySchema

  /** The type of {@link RouteCorsSchema}: a TypeBox schema of {@link RouteCors}. */
  export interface RouteCorsSchema extends RouteSchema, TUnsafe<RouteCors> { static: RouteCors }
  /** The TypeBox schema of a route's `config.cors`. */
  export const RouteCorsSchema: RouteCorsSchema

  /** The type of {@link CorsPluginOptionsSchema}: a TypeBox schema of {@link CorsPluginOptions}. */
  export interface CorsPluginOptionsSchema extends OptionsSchema, TUnsafe<CorsPluginOptions> { static: CorsPluginOptions }
  /** The TypeBox schema of the plugin's options. */
  export const CorsPluginOptionsSchema: CorsPluginOptionsSchema
}

// Node finds the names of a CommonJS module's exports by reading its text: written so, they can be imported by name.
module.exports.corsPolicy = cors
module.exports.definePolicies = declaration.definePolicies
module.exports.originList = list.originList
module.exports.CorsPolicySchema = compiled.CorsPolicySchema
module.exports.RouteCorsSchema = compiled.RouteCorsSchema
module.exports.CorsPluginOptionsSchema = compiled.CorsPluginOptionsSchema
Object.assign(cors, module.exports, { default: cors })

export = cors
