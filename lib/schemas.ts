// The TypeBox schemas of a policy, of a route's `config.cors` and of the plugin's options. Types, checks and the JSON Schema are made from them.
// They are compiled when the package is built: schema/compile.mjs writes schema/compiled.ts, whose checks lib/declaration/ calls. So a running application
// does not load TypeBox, and the rest of lib/ imports only types from here. Editors show the comments of the fields to users, so each comment repeats its
// schema's description, range and default (test/package/editor.test.ts). The type parameter `Name` is the names of the application's policies
// (CorsPolicyNames of index.ts).
import { Type, type Static, type TSchema, type TUnsafe } from '@sinclair/typebox'
import type { LogLevel } from 'fastify'
import type { CorsOriginFunction, CorsOriginList } from './origins/types'

/** An origin, a pattern of origins, `'*'` or `'null'`. */
type CorsOriginText = '*' | 'null' | (string & {})

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
  /**
   * Whether pages of the allowed origins may send credentials (cookies, HTTP authentication, client certificates) and read the response; or
   * the origins that may, which are allowed in addition to "origin": an array of origins, patterns and RegExps, or an originList.
   *
   * Sets `Access-Control-Allow-Credentials: true`. With a list, other origins are answered as if `credentials` were left out.
   *
   * Refused: `true` with `origin: '*'` (`wildcard-with-credentials`); `'null'` (`null-origin`); an unencrypted origin that is not loopback
   * (`insecure-with-credentials`); an origin that anyone can register (`public-suffix`).
   *
   * @defaultValue `false`
   * @example credentials: ['https://app.example.com']
   * @see https://fetch.spec.whatwg.org/#cors-protocol-and-credentials
   */
  credentials: Type.Optional(Type.Union([Type.Boolean(), OriginList, LiveOriginList], {
    description: 'Whether pages of the allowed origins may send credentials (cookies, HTTP authentication, client certificates) and read ' +
      'the response; or the origins that may, which are allowed in addition to "origin": an array of origins, patterns and RegExps, ' +
      'or an originList',
    default: false
  })),
  /**
   * The request headers that a preflight accepts: "*", or an array of names, in which "*" can be combined with "Authorization". Left out:
   * those of the route's schema.headers, and Content-Type if the method takes a body.
   *
   * `'...'` in the array stands for what would be there without the field: the list of the policy that is extended, else the derived headers.
   *
   * Case does not matter. Safelisted headers need no permission and can be left out. `'*'` is every header except `Authorization`; with
   * `credentials`, the preflight response names the headers that were asked for.
   *
   * Names that browsers set by themselves (`Accept-Encoding`, `Origin`) are left out, with a warning.
   *
   * Refused: what is not a header name (`invalid`), and names of cookies and of CORS itself (`forbidden`).
   *
   * @defaultValue the headers of the route's `schema.headers`, and `Content-Type` if the method takes a body
   * @example allowedHeaders: ['Content-Type', 'X-Request-Id']
   * @see https://fetch.spec.whatwg.org/#http-access-control-allow-headers
   */
  allowedHeaders: Type.Optional(Type.Union([Type.Literal('*'), HeaderNames], {
    description: 'The request headers that a preflight accepts: "*", or an array of names, in which "*" can be combined with ' +
      '"Authorization". Left out: those of the route\'s schema.headers, and Content-Type if the method takes a body'
  })),
  /**
   * The response headers that a page may read: an array of names, or "*". Left out: those that the route's response schemas declare in
   * `headers`.
   *
   * `'...'` in the array stands for what would be there without the field: the list of the policy that is extended, else the declared headers.
   *
   * Case does not matter. Safelisted headers need no permission and can be left out.
   *
   * Refused: what is not a header name (`invalid`); names that a page cannot read (`forbidden`); `'*'` with `credentials`, where browsers would
   * read it as a name (`wildcard-with-credentials`).
   *
   * @defaultValue the headers that the route's response schemas declare
   * @example exposedHeaders: ['ETag']
   * @see https://fetch.spec.whatwg.org/#http-access-control-expose-headers
   */
  exposedHeaders: Type.Optional(Type.Union([Type.Literal('*'), HeaderNames], {
    description: 'The response headers that a page may read: an array of names, or "*". Left out: those that the route\'s response ' +
      'schemas declare in `headers`'
  })),
  /**
   * For how many seconds a browser may cache a preflight response; 0 turns its preflight cache off. Left out: no header, and browsers use 5
   * seconds.
   *
   * An integer from 0 to 86400 (a day); other integers are refused (`out-of-range`). Chromium caches a response for two hours at most.
   *
   * @defaultValue no `Access-Control-Max-Age` is sent, and browsers cache the response for 5 seconds
   * @example maxAge: 600
   * @see https://fetch.spec.whatwg.org/#http-access-control-max-age
   */
  maxAge: Type.Optional(Type.Integer({
    description: 'For how many seconds a browser may cache a preflight response; 0 turns its preflight cache off. Left out: no header, ' +
      'and browsers use 5 seconds',
    minimum: 0,
    maximum: 86400
  })),
  /**
   * The status of a successful preflight: 204, or 200 for old clients.
   *
   * Other integers are refused (`out-of-range`).
   *
   * @defaultValue `204`
   * @example optionsSuccessStatus: 200
   * @see https://fetch.spec.whatwg.org/#ok-status
   */
  optionsSuccessStatus: Type.Optional(Type.Union([Type.Literal(204), Type.Literal(200)], {
    description: 'The status of a successful preflight: 204, or 200 for old clients',
    default: 204
  })),
  /**
   * Whether a request from a page whose origin the policy refuses is answered 403 before its handler runs; "report" only logs and publishes it.
   * CORS alone keeps such a page from reading the response, not from sending the request.
   *
   * The error handler gets `FST_ERR_CORS_ORIGIN_REFUSED`, before the body is read. WebSocket upgrades are answered 403 as well. Requests without
   * an `Origin` (no browser, or a plain navigation) and those of the application's own pages are not. `origin: '*'` refuses nobody.
   *
   * @defaultValue as `enforceOrigin` of the registration
   * @example enforceOrigin: true
   * @see https://fetch.spec.whatwg.org/#origin-header
   */
  enforceOrigin: EnforceOrigin,
  /**
   * Who may read the timing of the response (`Timing-Allow-Origin`): true for the origins that the policy allows, "*" for everyone, or an array of
   * exact origins.
   *
   * `"*"` and an array are sent as they are, without `Vary`.
   *
   * Refused: patterns and RegExps (`invalid`).
   *
   * @defaultValue no `Timing-Allow-Origin` is sent
   * @example timingOrigin: true
   * @see https://www.w3.org/TR/resource-timing/#sec-timing-allow-origin
   */
  timingOrigin: Type.Optional(Type.Union([Type.Literal(true), Type.Literal('*'), Type.Unsafe<readonly CorsOriginText[]>(Type.Array(OriginText))], {
    description: 'Who may read the timing of the response (`Timing-Allow-Origin`): true for the origins that the policy allows, "*" for ' +
      'everyone, or an array of exact origins'
  })),
  /**
   * Which pages may embed the response without CORS (`Cross-Origin-Resource-Policy`): "same-origin", "same-site" or "cross-origin".
   *
   * Replaces what a plugin such as `@fastify/helmet` sets for all routes.
   *
   * @defaultValue the header stays as others set it
   * @example resourcePolicy: 'cross-origin'
   * @see https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header
   */
  resourcePolicy: Type.Optional(Type.Union([Type.Literal('same-origin'), Type.Literal('same-site'), Type.Literal('cross-origin')], {
    description: 'Which pages may embed the response without CORS (`Cross-Origin-Resource-Policy`): "same-origin", "same-site" or "cross-origin"'
  })),
  /**
   * Accepts `credentials` with an unencrypted origin that is not loopback (`http:`, `ws:`). An attacker on the network between a user and such
   * a page can change the page, and act with the user's credentials.
   *
   * @defaultValue `false`
   * @example dangerouslyAllowInsecureOrigins: true
   * @see https://fetch.spec.whatwg.org/#cors-protocol-and-credentials
   */
  dangerouslyAllowInsecureOrigins: Type.Optional(Type.Boolean({
    description: 'Accepts credentials with an unencrypted origin that is not loopback',
    default: false
  })),
  /**
   * Accepts `credentials` with a pattern of the subdomains of a public suffix, where anyone can register a name, such as
   * `https://*.github.io`.
   *
   * @defaultValue `false`
   * @example dangerouslyAllowPublicSuffixes: true
   * @see https://publicsuffix.org
   */
  dangerouslyAllowPublicSuffixes: Type.Optional(Type.Boolean({
    description: 'Accepts credentials with a pattern of the subdomains of a public suffix, where anyone can register a name',
    default: false
  }))
}

/** A policy that stands alone. */
export const StandalonePolicySchema = Type.Object({
  /**
   * Who may read the response: "*" for everyone, an origin, a pattern, an array of origins, patterns and RegExps, an originList, or a
   * function (origin, request) => boolean.
   *
   * An origin is written as browsers serialise it. A pattern matches subdomains (`'https://*.example.com'`: one or more labels) or all ports
   * (`'http://localhost:*'`). RegExps are anchored at both ends. An originList may change at run time. A function may be async.
   *
   * Required, here or in the policy that this one extends.
   *
   * Refused: what is not an origin (`invalid`); an origin that is not written as browsers serialise it (`not-canonical`); RegExps that match a part of
   * an origin (`unanchored-regexp`), keep state or cannot be matched in linear time (`unsafe-regexp`).
   *
   * @example origin: ['https://app.example.com', 'https://*.partners.example.com']
   * @see https://fetch.spec.whatwg.org/#http-access-control-allow-origin
   */
  origin: Origin,
  ...optionalFields
}, { additionalProperties: false, description: 'A policy that stands alone' })

/** A policy that extends a named one. */
export const ExtendingPolicySchema = Type.Object({
  /**
   * The name of the policy that this one extends: the fields set here replace its fields, one by one.
   *
   * A policy of this scope, or of a parent scope. A policy that extends its own name inherits from the parent scope's policy of that name.
   *
   * Refused: an unknown name (`unknown-policy`), and policies that extend each other in a cycle (`cyclic-extends`).
   *
   * @defaultValue the policy stands alone
   * @example extends: 'partner'
   */
  extends: Extends,
  /**
   * Who may read the response: "*" for everyone, an origin, a pattern, an array of origins, patterns and RegExps, an originList, or a
   * function (origin, request) => boolean.
   *
   * An origin is written as browsers serialise it. A pattern matches subdomains (`'https://*.example.com'`: one or more labels) or all ports
   * (`'http://localhost:*'`). RegExps are anchored at both ends. An originList may change at run time. A function may be async.
   *
   * @defaultValue the origin of the policy that this one extends
   * @example origin: ['https://app.example.com', 'https://*.partners.example.com']
   * @see https://fetch.spec.whatwg.org/#http-access-control-allow-origin
   */
  origin: Type.Optional(Origin),
  ...optionalFields
}, { additionalProperties: false, description: 'A policy that extends a named one' })

// The types of a policy. An editor shows the comment of a field before it knows whether the policy extends another one. So all types take each field from
// the same schema: `extends` from ExtendingPolicySchema, every other field from StandalonePolicySchema. `Pick` and a mapped type keep the comments.
type OptionalFields = Omit<Static<typeof StandalonePolicySchema>, 'origin'>
type WithOrigin = Pick<Static<typeof StandalonePolicySchema>, 'origin'>
type WithExtends<Name extends string> = { [Field in keyof Pick<Static<typeof ExtendingPolicySchema>, 'extends'>]: Name }
type StandalonePolicy = OptionalFields & WithOrigin & { extends?: never }
/** Two types, with and without `origin`: with one type, where `origin` is optional, TypeScript refuses `{ extends, origin }` in `config.cors`. */
type ExtendingPolicy<Name extends string> =
  | (OptionalFields & WithExtends<Name> & { origin?: never })
  | (OptionalFields & WithExtends<Name> & WithOrigin)

/** A policy: who may call a route from a browser, and how. */
export type Policy<Name extends string = string> = StandalonePolicy | ExtendingPolicy<Name>

/** The TypeBox schema of a policy. `JSON.stringify` turns it into plain JSON Schema, for all that JSON can represent. */
export const CorsPolicySchema = Type.Union([
  Type.Unsafe<StandalonePolicy>(StandalonePolicySchema),
  Type.Unsafe<ExtendingPolicy<string>>(ExtendingPolicySchema)
], { description: 'Who may call a route from a browser, and how' })

/** The TypeBox schema of a route's `config.cors`. */
export const RouteCorsSchema = Type.Union([Type.Literal(false), CorsPolicySchema], {
  description: 'false: no page of another origin may read this route\'s responses; or the policy that says who may'
})

/** The TypeBox schema of policies by name, as a JSON file may have them. */
export const PoliciesSchema = Type.Unsafe<Record<string, Policy>>(Type.Object({
  $schema: Type.Optional(Type.String({ description: 'Where an editor finds the JSON Schema of a file of policies' }))
}, { additionalProperties: CorsPolicySchema, description: 'The policies that routes may extend, by name' }))

/** The TypeBox schema of the plugin's options. */
export const CorsPluginOptionsSchema = Type.Object({
  /**
   * The policies that routes may extend, by name. What `definePolicies` returns, or a plain object.
   *
   * They apply to this scope and to its child scopes, and shadow policies of the parent scope.
   *
   * @defaultValue none
   * @example policies: { public: { origin: '*' } }
   */
  policies: Type.Optional(PoliciesSchema),
  /**
   * For routes that declare nothing and for 404 responses: false, the name of a policy, or a policy.
   *
   * @defaultValue `false`; in a child scope, the default policy of the parent scope
   * @example defaultPolicy: 'public'
   */
  defaultPolicy: Type.Optional(Type.Union([Type.Literal(false), Extends, CorsPolicySchema], {
    description: 'For routes that declare nothing and for 404 responses: false, the name of a policy, or a policy',
    default: false
  })),
  /**
   * The log level of the generated OPTIONS routes: one that the application's logger has.
   *
   * @defaultValue the level of the scope
   * @example logLevel: 'warn'
   */
  logLevel: Type.Optional(Type.Unsafe<LogLevel>(Type.String({ description: 'The log level of the generated OPTIONS routes' }))),
  /**
   * Whether a request from a page whose origin is refused is answered 403 before its handler runs; "report" only logs and publishes it.
   *
   * For every route of the scope, those without a policy and the 404s included: these refuse every foreign page. The `enforceOrigin` of a policy
   * overrides it.
   *
   * @defaultValue `false`; in a child scope, that of the parent scope
   * @example enforceOrigin: 'report'
   */
  enforceOrigin: Type.Optional(Type.Union([Type.Boolean(), Type.Literal('report')], {
    description: 'Whether a request from a page whose origin is refused is answered 403 before its handler runs; "report" only logs and publishes it'
  })),
  /**
   * The hosts of the application: a request to any other `Host` is answered 421. Keeps out pages whose name was rebound to this server.
   *
   * Hosts as in origins, with `*.` for subdomains and `:*` for every port, and IPv6 addresses in brackets. Without a port, the default port of the
   * scheme is meant.
   *
   * Refused: an empty array, a scheme or a path, and what no browser sends (`invalid`, `not-canonical`).
   *
   * @defaultValue every host is accepted
   * @example hosts: ['api.example.com', 'localhost:*']
   */
  hosts: Type.Optional(Type.Unsafe<readonly string[]>(Type.Array(Type.String(), {
    description: 'The hosts of the application: a request to any other `Host` is answered 421',
    minItems: 1
  }))),
  /**
   * The log level of refusals: one that the application's logger has.
   *
   * @defaultValue `'debug'`
   * @example refusalLogLevel: 'info'
   */
  refusalLogLevel: Type.Optional(Type.Unsafe<LogLevel>(Type.String({ description: 'The log level of refusals', default: 'debug' }))),
  /**
   * Whether documentation generators leave the generated OPTIONS routes out: gives them `schema: { hide: true }`.
   *
   * @defaultValue `true`
   * @example hideOptionsRoute: false
   */
  hideOptionsRoute: Type.Optional(Type.Boolean({
    description: 'Whether documentation generators leave the generated OPTIONS routes out',
    default: true
  }))
}, { additionalProperties: false, description: 'The options of fastify-cors-policy' })

type Options = Static<typeof CorsPluginOptionsSchema>

interface NamedOptions<Name extends string, NamedPolicy> {
  policies?: Record<string, NamedPolicy>
  defaultPolicy?: false | Name | NamedPolicy
}

/** The options of the plugin. `NamedPolicy` is the type of a policy with these names: CorsPolicy, so that editors show that name. */
export type PluginOptions<Name extends string = string, NamedPolicy = Policy<Name>> = {
  [Option in keyof Options]: Option extends keyof NamedOptions<Name, NamedPolicy> ? NamedOptions<Name, NamedPolicy>[Option] : Options[Option]
}
