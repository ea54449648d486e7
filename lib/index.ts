// The package's exports: the plugin (as the module itself for require(), as the default import and as a named one), functions and types.
/// <reference path="../types/fastify.d.ts" preserve="true" />
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { definePolicies } from './policy/check-policies'
import type { CorsPolicyError, CorsProblem, CorsProblemReason } from './messages/errors'
import type * as explain from './devtools/types'
import type { CorsExchange, CorsExplainedRoute, CorsExplanation, CorsExplanationReason, CorsQuestion, CorsQuestionError, CorsRoute } from './devtools/types'
import { addScope } from './plugin'
import { originsFrom } from './origins/from-text'
import { originList } from './origins/list'
import type { CorsRefusal, CorsRefusalMessage, CorsRefusalReason } from './response/refusal'
import type { CorsOriginFunction, CorsOriginList } from './origins/types'
import type { PluginOptions, Policy } from './policy/types'

/**
 * The Fastify plugin. Checks each route's `config.cors` when the route is declared, answers the route's preflights by that policy, and sets the
 * CORS headers of its responses. Register it before the routes, and await it.
 *
 * @param instance the application, or a child scope, where it adds policies or changes the default policy
 * @param options see {@link cors.CorsPluginOptions}
 * @throws CorsPolicyError if its options are invalid (then `register` rejects), or if a route is declared with an invalid policy
 * @example
 * await app.register(cors, { policies: { public: { origin: '*' } } })
 * app.get('/status', { config: { cors: { extends: 'public' } } }, handler)
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
async function cors (instance: FastifyInstance, options: cors.CorsPluginOptions): Promise<void> {
  addScope(instance, options)
}

// Prereleases of Fastify 6 are accepted: applications test those before plugins have followed.
fp(cors, { fastify: '5.x || >=6.0.0-alpha.0 <6.0.0', name: 'fastify-cors-policy' })

// Types are declared here, not only re-exported: TypeScript can then name them in the declaration files of an application that exports its policies.
declare namespace cors {
  export { cors as corsPolicy, cors as default }
  export { type CorsOriginFunction, type CorsOriginList, type CorsPolicyError, type CorsProblem, type CorsProblemReason }
  export { type CorsExchange, type CorsExplainedRoute, type CorsExplanation, type CorsExplanationReason }
  export { type CorsQuestion, type CorsQuestionError, type CorsRoute }
  export { type CorsRefusal, type CorsRefusalMessage, type CorsRefusalReason }

  /**
   * The names of an application's policies. The application declares them by augmenting this interface; editors then complete `extends`, and
   * TypeScript checks it. Without that, every string compiles.
   *
   * @example
   * declare module 'fastify-cors-policy' {
   *   interface CorsPolicyNames { public: true, partner: true }
   * }
   */
  export interface CorsPolicyNames {}

  /** A name for `extends` and `defaultPolicy`: one of {@link CorsPolicyNames}, or any string if that interface is empty. */
  export type CorsPolicyName = [keyof CorsPolicyNames] extends [never] ? string : Extract<keyof CorsPolicyNames, string>

  /** `app.cors`: answers questions about the policies of an instance. In a child scope, it knows the policies of that scope. */
  export interface CorsDecoration extends explain.CorsDecoration<CorsPolicyName> {}

  /**
   * A policy: who may call a route from a browser, and how. It has `origin`, or `extends`, or both; all other fields are optional.
   *
   * @example
   * const policy: CorsPolicy = { origin: ['https://app.example.com'], credentials: true, maxAge: 600 }
   */
  export type CorsPolicy = Policy<CorsPolicyName>

  /**
   * A route's `config.cors`: `false` (no page of another origin may read its responses), or a policy.
   *
   * @example
   * app.get('/internal', { config: { cors: false } }, handler)
   */
  export type RouteCors = false | CorsPolicy

  /**
   * The options of the plugin. All are optional.
   *
   * @example
   * await app.register(cors, { policies: { public: { origin: '*' } }, defaultPolicy: 'public' })
   */
  export type CorsPluginOptions = PluginOptions<CorsPolicyName, CorsPolicy>

  /** The return type of {@link definePolicies}: frozen policies by name. */
  export type CorsPolicies<Name extends string = string> = Readonly<Record<Name, CorsPolicy>>

  /**
   * Checks named policies and freezes copies of them, so that routes can use them as values: `config: { cors: policies.public }`. They may extend
   * each other by name. In the result, `extends` is resolved: each policy has all of its fields.
   *
   * @param policies the policies by name
   * @returns the checked, frozen policies, by the same names
   * @throws CorsPolicyError with all problems, if there are any
   * @example
   * const policies = definePolicies({
   *   public: { origin: '*' },
   *   partner: { origin: 'https://*.partners.example.com', credentials: true }
   * })
   */
  export function definePolicies<Name extends string> (
    policies: { readonly [Key in Name]: Key extends '$schema' ? string : CorsPolicy }
  ): CorsPolicies<Exclude<Name, '$schema'>>

  /**
   * Creates a list of origins that can change while the application runs. A policy uses it as `origin` or `credentials`. Its entries are those that
   * an array can have: origins, patterns, RegExps and `'null'`.
   *
   * @param entries the first entries: an array, a Set, another list or anything else to iterate over; may be empty
   * @returns the list
   * @throws CorsPolicyError with all problems, if there are any
   * @example
   * const tenants = originList(await db.origins())
   * await app.register(cors, { policies: { tenants: { origin: tenants, credentials: true } } })
   * tenants.add('https://new.example')
   */
  export function originList (entries: Iterable<string | RegExp>): CorsOriginList

  /**
   * Reads the origins in a text that an operator writes, such as a variable of the environment: one origin, several between commas or blanks, or a JSON
   * array. Writes them as browsers do where that is plain (a slash at the end, upper case, a default port).
   *
   * @param text the text; `undefined` and `''` have no origins
   * @returns an array of origins and patterns, or `'*'`. An empty array allows nobody, and is accepted as `origin`
   * @throws CorsPolicyError with all entries that are not origins
   * @example
   * await app.register(cors, { policies: { partner: { origin: originsFrom(process.env.CORS_ORIGINS), credentials: true } } })
   */
  export function originsFrom (text: string | undefined): '*' | readonly string[]
}

// Node reads the export names of a CommonJS module from its source. Written this way, they can be imported by name from ES modules.
module.exports.corsPolicy = cors
module.exports.definePolicies = definePolicies
module.exports.originList = originList
module.exports.originsFrom = originsFrom
Object.assign(cors, module.exports, { default: cors })

export = cors
