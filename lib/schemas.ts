// The TypeBox schemas of a policy, of a route's `config.cors` and of the plugin's options: the entry `fastify-cors-policy/schemas`. The checks, the JSON Schema
// and the docs are made of them. scripts/compile-schemas.mjs compiles the checks into policy/compiled-schemas.ts when the package is built, so an application
// loads TypeBox only if it imports this entry. policy/types.ts has the static types; types/schemas.tst.ts holds both equal.
/* eslint-disable @typescript-eslint/no-redeclare -- each schema and its type have one name */
import type { TUnsafe as TUnsafeOfEsModule } from '@sinclair/typebox' with { 'resolution-mode': 'import' }
import { Type, type TSchema, type TUnsafe } from '@sinclair/typebox'
import type { LogLevel } from 'fastify'
import type { CorsPluginOptions as Options, CorsPolicy as Policy, RouteCors as Route } from './index'
import type { CorsOriginFunction, CorsOriginList } from './origins/types'
import type { ExtendingPolicy, StandalonePolicy } from './policy/types'

/** An origin, a pattern of origins, `'*'` or `'null'`. */
type CorsOriginText = '*' | 'null' | (string & {})

// Each schema has the types of both builds of TypeBox: a CommonJS file passes it to functions of one, an ES module to functions of the other.

/** The type of {@link CorsPolicySchema}: a TypeBox schema of `CorsPolicy`. */
export interface CorsPolicySchema extends TUnsafe<Policy>, TUnsafeOfEsModule<Policy> {}

/** The type of {@link RouteCorsSchema}: a TypeBox schema of `RouteCors`. */
export interface RouteCorsSchema extends TUnsafe<Route>, TUnsafeOfEsModule<Route> {}

/** The type of {@link CorsPluginOptionsSchema}: a TypeBox schema of `CorsPluginOptions`. */
export interface CorsPluginOptionsSchema extends TUnsafe<Options>, TUnsafeOfEsModule<Options> {}

/**
 * The schema of a value that JSON cannot represent. Converted to plain JSON Schema, it accepts nothing. It is made of TypeBox's own types: a custom type
 * would have to be registered, and is then known only in the build of TypeBox (ES module or CommonJS) in which it was registered.
 */
function nonJsonSchema<Value> (schema: TSchema): TUnsafe<Value> {
  return Type.Unsafe<Value>({ ...schema, toJSON: () => ({ description: schema.description, not: {} }) })
}

const AnyFunction = Type.Function([], Type.Unknown())

const OriginText = Type.Unsafe<CorsOriginText>(Type.String({
  description: 'An origin as browsers write it ("https://app.example.com"), a pattern of subdomains ("https://*.example.com") ' +
    'or of ports ("http://localhost:*"), or "null"',
  pattern: '^(?:\\*|null|[a-z][a-z0-9+.-]*://[^/?#@\\\\\\s]+)$'
}))
const OriginRegExp = nonJsonSchema<RegExp>(Type.Object(
  { source: Type.String(), flags: Type.String(), lastIndex: Type.Integer(), exec: AnyFunction, test: AnyFunction },
  { description: 'A RegExp anchored at both ends' }
))
const LiveOriginList = nonJsonSchema<CorsOriginList>(Type.Object(
  { size: Type.Integer(), has: AnyFunction, add: AnyFunction, delete: AnyFunction, replace: AnyFunction },
  { description: 'A list of origins that changes at run time: an originList' }
))
const OriginFunction = nonJsonSchema<CorsOriginFunction>(Type.Function(
  [Type.String(), Type.Unknown()],
  Type.Unknown(),
  { description: 'A function that decides about an origin' }
))

const HeaderName = Type.String({ description: 'The name of a header, in any case', pattern: "^(?:\\*|[!#$%&'+.^_`|~0-9A-Za-z-]+)$", maxLength: 256 })

// Declarations are never modified, so arrays may be readonly.
const OriginList = Type.Unsafe<ReadonlyArray<CorsOriginText | RegExp>>(Type.Array(Type.Union([OriginText, OriginRegExp])))
const HeaderNames = Type.Unsafe<readonly string[]>(Type.Array(HeaderName))

const Origin = Type.Union([OriginText, OriginList, LiveOriginList, OriginFunction], {
  description: 'Who may read the response: "*" for everyone, an origin, a pattern, an array of origins, patterns and RegExps, ' +
    'an originList, or a function (origin, request) => boolean'
})

const Extends = Type.String({ description: 'The name of the policy that this one extends: the fields set here replace its fields, one by one' })

const EnforceOrigin = Type.Optional(Type.Union([Type.Boolean(), Type.Literal('report')], {
  description: 'Whether a request from a page whose origin the policy refuses is answered 403 before its handler runs; "report" only logs and ' +
    'publishes it. CORS alone keeps such a page from reading the response, not from sending the request'
}))

const optionalFields = {
  credentials: Type.Optional(Type.Union([Type.Boolean(), OriginList, LiveOriginList], {
    description: 'Whether pages of the allowed origins may send credentials (cookies, HTTP authentication, client certificates) and read ' +
      'the response; or the origins that may, which are allowed in addition to "origin": an array of origins, patterns and RegExps, ' +
      'or an originList',
    default: false
  })),
  allowedHeaders: Type.Optional(Type.Union([Type.Literal('*'), HeaderNames], {
    description: 'The request headers that a preflight accepts: "*", or an array of names, in which "*" can be combined with ' +
      '"Authorization". Left out: those of the route\'s schema.headers, and Content-Type if the method takes a body'
  })),
  exposedHeaders: Type.Optional(Type.Union([Type.Literal('*'), HeaderNames], {
    description: 'The response headers that a page may read: an array of names, or "*". Left out: those that the route\'s response ' +
      'schemas declare in `headers`'
  })),
  maxAge: Type.Optional(Type.Integer({
    description: 'For how many seconds a browser may cache a preflight response; 0 turns its preflight cache off. Left out: no header, ' +
      'and browsers use 5 seconds',
    minimum: 0,
    maximum: 86400
  })),
  optionsSuccessStatus: Type.Optional(Type.Union([Type.Literal(204), Type.Literal(200)], {
    description: 'The status of a successful preflight: 204, or 200 for old clients',
    default: 204
  })),
  enforceOrigin: EnforceOrigin,
  timingOrigin: Type.Optional(Type.Union([Type.Literal(true), Type.Literal('*'), Type.Unsafe<readonly CorsOriginText[]>(Type.Array(OriginText))], {
    description: 'Who may read the timing of the response (`Timing-Allow-Origin`): true for the origins that the policy allows, "*" for ' +
      'everyone, or an array of exact origins'
  })),
  resourcePolicy: Type.Optional(Type.Union([Type.Literal('same-origin'), Type.Literal('same-site'), Type.Literal('cross-origin')], {
    description: 'Which pages may embed the response without CORS (`Cross-Origin-Resource-Policy`): "same-origin", "same-site" or "cross-origin"'
  })),
  dangerouslyAllowInsecureOrigins: Type.Optional(Type.Boolean({
    description: 'Accepts credentials with an unencrypted origin that is not loopback',
    default: false
  })),
  dangerouslyAllowPublicSuffixes: Type.Optional(Type.Boolean({
    description: 'Accepts credentials with a pattern of the subdomains of a public suffix, where anyone can register a name',
    default: false
  }))
}

/** @internal */
export const StandalonePolicySchema = Type.Object({
  origin: Origin,
  ...optionalFields
}, { additionalProperties: false, description: 'A policy that stands alone' })

/** @internal */
export const ExtendingPolicySchema = Type.Object({
  extends: Extends,
  origin: Type.Optional(Origin),
  ...optionalFields
}, { additionalProperties: false, description: 'A policy that extends a named one' })

const AnyPolicy = Type.Union([
  Type.Unsafe<StandalonePolicy>(StandalonePolicySchema),
  Type.Unsafe<ExtendingPolicy>(ExtendingPolicySchema)
], { description: 'Who may call a route from a browser, and how' })

/** @internal */
export const PoliciesSchema = Type.Unsafe<Record<string, StandalonePolicy | ExtendingPolicy>>(Type.Object({
  $schema: Type.Optional(Type.String({ description: 'Where an editor finds the JSON Schema of a file of policies' }))
}, { additionalProperties: AnyPolicy, description: 'The policies that routes may extend, by name' }))

/** @internal */
export const PluginOptionsSchema = Type.Object({
  policies: Type.Optional(PoliciesSchema),
  defaultPolicy: Type.Optional(Type.Union([Type.Literal(false), Extends, AnyPolicy], {
    description: 'For routes that declare nothing and for 404 responses: false, the name of a policy, or a policy',
    default: false
  })),
  logLevel: Type.Optional(Type.Unsafe<LogLevel>(Type.String({ description: 'The log level of the generated OPTIONS routes' }))),
  enforceOrigin: Type.Optional(Type.Union([Type.Boolean(), Type.Literal('report')], {
    description: 'Whether a request from a page whose origin is refused is answered 403 before its handler runs; "report" only logs and publishes it'
  })),
  hosts: Type.Optional(Type.Unsafe<readonly string[]>(Type.Array(Type.String(), {
    description: 'The hosts of the application: a request to any other `Host` is answered 421',
    minItems: 1
  }))),
  refusalLogLevel: Type.Optional(Type.Unsafe<LogLevel>(Type.String({ description: 'The log level of refusals', default: 'debug' }))),
  hideOptionsRoute: Type.Optional(Type.Boolean({
    description: 'Whether documentation generators leave the generated OPTIONS routes out',
    default: true
  }))
}, { additionalProperties: false, description: 'The options of fastify-cors-policy' })

function published<Schema> (schema: TSchema): Schema {
  return schema as unknown as Schema
}

/** The TypeBox schema of a policy. `JSON.stringify` turns it into plain JSON Schema, for all that JSON can represent. */
export const CorsPolicySchema = published<CorsPolicySchema>(AnyPolicy)

/** The TypeBox schema of a route's `config.cors`. */
export const RouteCorsSchema = published<RouteCorsSchema>(Type.Union([Type.Literal(false), AnyPolicy], {
  description: 'false: no page of another origin may read this route\'s responses; or the policy that says who may'
}))

/** The TypeBox schema of the plugin's options. */
export const CorsPluginOptionsSchema = published<CorsPluginOptionsSchema>(PluginOptionsSchema)
