// The TypeBox schemas: the one source of what a policy, a route's `config.cors` and the plugin's options may look like. The rest of lib/ takes only types
// from here: TypeBox is loaded when the package is built, not when it runs. schema/compile.mjs compiles the schemas then, to schema/compiled.ts.
// The static types are derived from them, so the comments here are what an editor shows: each says its schema's description, range and
// default (test/package/editor.test.ts). `Name` in a type stands for the names of policies that an application declares: index.ts, which
// has their interface, says what they are.
import { Type, type Static, type TSchema, type TUnsafe } from '@sinclair/typebox'
import type { FastifyRequest, LogLevel } from 'fastify'

/**
 * Decides whether an origin is allowed. Called once per request, and only with a syntactically valid origin that is not `null`.
 * Only `true` allows; a throw or a rejection refuses the origin and is logged, but fails no request.
 */
export type CorsOriginFunction = (origin: string, request: FastifyRequest) => boolean | Promise<boolean>

/**
 * A list of origins that changes while the application runs: made by `originList`, used as a policy's `origin` or `credentials`. Its entries are those of an array:
 * origins, patterns, RegExps and `'null'`; each is in it once.
 *
 * A change takes effect for the next request. It is checked like an array, and by the rules of every policy that uses the list; where one entry is
 * refused, nothing changes.
 *
 * @example
 * const tenants = originList(['https://a.example'])
 * tenants.add('https://b.example', 'https://*.c.example')
 */
export interface CorsOriginList {
  /** How many entries there are. */
  readonly size: number
  /**
   * Whether the list allows this origin: it is in it, or a pattern or a RegExp of it matches. Like a request's `Origin`, so no pattern.
   *
   * @example tenants.has('https://a.c.example') // true
   */
  has (origin: string): boolean
  /**
   * Adds entries. One that is there already stays as it is. Costs what the added entries cost, however many there are already.
   *
   * @throws CorsPolicyError with every problem, where there is one; then nothing was added
   */
  add (...entries: ReadonlyArray<string | RegExp>): this
  /**
   * Deletes entries, written as they were added: a pattern is an entry, not the origins that it matches. RegExps are the same by source and flags.
   * Costs what the deleted entries cost.
   *
   * @returns whether one of them was in the list
   * @throws CorsPolicyError where one can be no entry, such as an origin that no browser writes this way; then nothing was deleted
   */
  delete (...entries: ReadonlyArray<string | RegExp>): boolean
  /**
   * Replaces all entries by these.
   *
   * @throws CorsPolicyError with every problem, where there is one; then the list is as it was
   */
  replace (entries: Iterable<string | RegExp>): this
  /** The entries as they are now, in the order in which they were added. Changes during the iteration do not show in it. */
  [Symbol.iterator] (): IterableIterator<string | RegExp>
}

/** An origin, a pattern of origins, `'*'` or `'null'`. */
type CorsOriginText = '*' | 'null' | (string & {})

/**
 * The schema of a value that JSON cannot hold: in plain JSON Schema, one that accepts nothing. It is made of types that TypeBox has of itself.
 * TypeBox comes twice, as an ES module and as CommonJS, and a type of our own that one of them knows is unknown to the other.
 */
function nonJsonSchema<Value> (schema: TSchema): TUnsafe<Value> {
  return Type.Unsafe<Value>({ ...schema, toJSON: () => ({ description: schema.description, not: {} }) })
}

const AnyFunction = Type.Function([], Type.Unknown())

const OriginText = Type.Unsafe<CorsOriginText>(Type.String({
  description: 'An origin as browsers write it ("https://app.example.com"), a pattern of subdomains ("https://*.example.com") or of ports ("http://localhost:*"), or "null"',
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
const OriginFunction = nonJsonSchema<CorsOriginFunction>(Type.Function([Type.String(), Type.Unknown()], Type.Unknown(), { description: 'A function that decides about an origin' }))

const HeaderName = Type.String({ description: 'The name of a header, in any case', pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", maxLength: 256 })

// What is declared is never changed: arrays may be readonly.
const OriginList = Type.Unsafe<ReadonlyArray<CorsOriginText | RegExp>>(Type.Array(Type.Union([OriginText, OriginRegExp])))
const HeaderNames = Type.Unsafe<readonly string[]>(Type.Array(HeaderName))

const Origin = Type.Union([OriginText, OriginList, LiveOriginList, OriginFunction], {
  description: 'Who may read the response: "*" for everyone, an origin, a pattern, an array of origins, patterns and RegExps, an originList, or a function (origin, request) => boolean'
})

const Extends = Type.String({ description: 'The name of a policy to start from: the fields given here replace its fields, one by one' })

const optionalFields = {
  /**
   * Whether pages of the allowed origins may send credentials (cookies, HTTP authentication, client certificates) and read what comes back;
   * or an array of origins, patterns and RegExps, or an originList: for these alone, which are allowed besides "origin".
   *
   * Sends `Access-Control-Allow-Credentials: true`. Such origins are encrypted (or on this machine), and nobody else can register one. `true` is
   * refused together with `origin: '*'` and `'null'`; with a list, other origins are answered as if there were no credentials.
   *
   * @defaultValue `false`
   * @example credentials: ['https://app.example.com']
   * @see https://fetch.spec.whatwg.org/#cors-protocol-and-credentials
   */
  credentials: Type.Optional(Type.Union([Type.Boolean(), OriginList, LiveOriginList], {
    description: 'Whether pages of the allowed origins may send credentials (cookies, HTTP authentication, client certificates) and read what comes back; or an array of origins, patterns and RegExps, or an originList: for these alone, which are allowed besides "origin"',
    default: false
  })),
  /**
   * The request headers that a preflight accepts: an array of names, in which "*" may stand beside "Authorization", or "*". Left out: those
   * of the route's schema.headers, and Content-Type where the method takes a body.
   *
   * Names are written in any case; those that need no permission can be left off. `'*'` is every name but `Authorization`, and with
   * `credentials` those that are asked for.
   *
   * @defaultValue the headers of the route's `schema.headers`, and `Content-Type` where the method takes a body
   * @example allowedHeaders: ['Content-Type', 'X-Request-Id']
   * @see https://fetch.spec.whatwg.org/#http-access-control-allow-headers
   */
  allowedHeaders: Type.Optional(Type.Union([Type.Literal('*'), HeaderNames], {
    description: 'The request headers that a preflight accepts: an array of names, in which "*" may stand beside "Authorization", or "*". Left out: those of the route\'s schema.headers, and Content-Type where the method takes a body'
  })),
  /**
   * The response headers that a page may read: an array of names, or "*". Left out: those that the route's response schemas declare in
   * `headers`.
   *
   * Names are written in any case; those that need no permission can be left off. `'*'` is refused together with `credentials`, where
   * browsers would read it as a name.
   *
   * @defaultValue the headers that the route's response schemas declare
   * @example exposedHeaders: ['ETag']
   * @see https://fetch.spec.whatwg.org/#http-access-control-expose-headers
   */
  exposedHeaders: Type.Optional(Type.Union([Type.Literal('*'), HeaderNames], {
    description: 'The response headers that a page may read: an array of names, or "*". Left out: those that the route\'s response schemas declare in `headers`'
  })),
  /**
   * For how many seconds a browser may remember the answer to a preflight; 0 turns its preflight cache off. Left out: no header, and
   * browsers use 5 seconds.
   *
   * A whole number from 0 to 86400 (a day). Chromium keeps an answer for two hours at most.
   *
   * @defaultValue no `Access-Control-Max-Age` is sent, and browsers remember the answer for 5 seconds
   * @example maxAge: 600
   * @see https://fetch.spec.whatwg.org/#http-access-control-max-age
   */
  maxAge: Type.Optional(Type.Integer({
    description: 'For how many seconds a browser may remember the answer to a preflight; 0 turns its preflight cache off. Left out: no header, and browsers use 5 seconds',
    minimum: 0,
    maximum: 86400
  })),
  /**
   * The status of a successful preflight: 204, or 200 for old clients.
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
   * Whether a request from a page whose origin the policy refuses is answered 403 before its handler runs. CORS alone keeps such a page from
   * reading the response, not from sending the request.
   *
   * The error `FST_ERR_CORS_ORIGIN_REFUSED` goes to the error handler before the body is read. WebSocket upgrades are refused likewise. Never
   * refused: requests without an `Origin` (no browser, or a plain navigation), and those of the application's own pages. Refused together with
   * `origin: '*'` (`conflict`).
   *
   * @defaultValue `false`
   * @example enforceOrigin: true
   * @see https://fetch.spec.whatwg.org/#origin-header
   */
  enforceOrigin: Type.Optional(Type.Boolean({
    description: 'Whether a request from a page whose origin the policy refuses is answered 403 before its handler runs. CORS alone keeps such a page from reading the response, not from sending the request',
    default: false
  })),
  /**
   * Accepts `credentials` with an unencrypted origin that is not on this machine (`http:`, `ws:`). Whoever sits on the network between a
   * user and such a page can change it, and so act with the user's credentials.
   *
   * @defaultValue `false`
   * @example dangerouslyAllowInsecureOrigins: true
   * @see https://fetch.spec.whatwg.org/#cors-protocol-and-credentials
   */
  dangerouslyAllowInsecureOrigins: Type.Optional(Type.Boolean({
    description: 'Accepts credentials with an unencrypted origin that is not on this machine',
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
   * An origin is written as browsers write it. A pattern is of subdomains (`'https://*.example.com'`: one or more labels) or of ports
   * (`'http://localhost:*'`). RegExps are anchored at both ends. An originList may change at run time. A function may be async.
   *
   * Required, here or in the policy that this one extends. Refuses with `not-canonical`, `invalid`, `unanchored-regexp` and `unsafe-regexp`.
   *
   * @example origin: ['https://app.example.com', 'https://*.partners.example.com']
   * @see https://fetch.spec.whatwg.org/#http-access-control-allow-origin
   */
  origin: Origin,
  ...optionalFields
}, { additionalProperties: false, description: 'A policy that stands alone' })

/** A policy that starts from a named one. */
export const ExtendingPolicySchema = Type.Object({
  /**
   * The name of a policy to start from: the fields given here replace its fields, one by one. It is one of this scope, or of a scope around
   * it.
   *
   * @defaultValue the policy stands alone
   * @example extends: 'partner'
   */
  extends: Extends,
  /**
   * Who may read the response: "*" for everyone, an origin, a pattern, an array of origins, patterns and RegExps, an originList, or a
   * function (origin, request) => boolean.
   *
   * An origin is written as browsers write it. A pattern is of subdomains (`'https://*.example.com'`: one or more labels) or of ports
   * (`'http://localhost:*'`). RegExps are anchored at both ends. An originList may change at run time. A function may be async.
   *
   * @defaultValue the origin of the policy that this one extends
   * @example origin: ['https://app.example.com', 'https://*.partners.example.com']
   * @see https://fetch.spec.whatwg.org/#http-access-control-allow-origin
   */
  origin: Type.Optional(Origin),
  ...optionalFields
}, { additionalProperties: false, description: 'A policy that starts from a named one' })

// The forms of a policy, so put together that a field has one declaration in all of them: an editor can then show its documentation where
// it cannot know the form yet. `?: never` tells the forms apart.
type OptionalFields = Omit<Static<typeof StandalonePolicySchema>, 'origin'>
type WithOrigin = Pick<Static<typeof StandalonePolicySchema>, 'origin'>
type Extending = Static<typeof ExtendingPolicySchema>
type WithName<Name extends string> = { [Field in keyof Pick<Extending, 'extends'>]: Name }
type StandalonePolicy = OptionalFields & WithOrigin & { extends?: never }
type ExtendingPolicy<Name extends string> = (OptionalFields & WithName<Name> & { origin?: never }) | (OptionalFields & WithName<Name> & WithOrigin)

/** A policy: who may call a route from a browser, and how. */
export type Policy<Name extends string = string> = StandalonePolicy | ExtendingPolicy<Name>

/** The TypeBox schema of a policy. `JSON.stringify` makes a plain JSON Schema of it, for everything that JSON can hold. */
export const CorsPolicySchema = Type.Union([Type.Unsafe<StandalonePolicy>(StandalonePolicySchema), Type.Unsafe<ExtendingPolicy<string>>(ExtendingPolicySchema)], {
  description: 'Who may call a route from a browser, and how'
})

/** The TypeBox schema of a route's `config.cors`. */
export const RouteCorsSchema = Type.Union([Type.Literal(false), CorsPolicySchema], {
  description: 'false: no page of another origin may read this route\'s responses; or the policy that says who may'
})

/** The TypeBox schema of policies by name, as a file may hold them. */
export const PoliciesSchema = Type.Unsafe<Record<string, Policy>>(Type.Object({
  $schema: Type.Optional(Type.String({ description: 'Where an editor finds the JSON Schema of a file of policies' }))
}, { additionalProperties: CorsPolicySchema, description: 'The policies that routes may extend, by name' }))

/** The TypeBox schema of the plugin's options. */
export const CorsPluginOptionsSchema = Type.Object({
  /**
   * The policies that routes may extend, by name: in this scope, and in those below it. What `definePolicies` returns, or a plain object.
   *
   * @defaultValue none
   * @example policies: { public: { origin: '*' } }
   */
  policies: Type.Optional(PoliciesSchema),
  /**
   * For routes that declare nothing and for 404 responses: false, the name of a policy, or a policy.
   *
   * @defaultValue `false` (in a scope inside another one: that of the scope around it)
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
   * Whether documentation generators leave the generated OPTIONS routes out: gives them `schema: { hide: true }`.
   *
   * @defaultValue `true`
   * @example hideOptionsRoute: false
   */
  hideOptionsRoute: Type.Optional(Type.Boolean({ description: 'Whether documentation generators leave the generated OPTIONS routes out', default: true }))
}, { additionalProperties: false, description: 'The options of fastify-cors-policy' })

type Options = Static<typeof CorsPluginOptionsSchema>

interface NamedOptions<Name extends string, NamedPolicy> {
  policies?: Record<string, NamedPolicy>
  defaultPolicy?: false | Name | NamedPolicy
}

/** The options of the plugin. `NamedPolicy` is the policy with these names, under the name that users know it by. */
export type PluginOptions<Name extends string = string, NamedPolicy = Policy<Name>> = {
  [Option in keyof Options]: Option extends keyof NamedOptions<Name, NamedPolicy> ? NamedOptions<Name, NamedPolicy>[Option] : Options[Option]
}
