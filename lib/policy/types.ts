// The types of a policy and of the plugin's options, without TypeBox: a project that only uses the plugin does not load TypeBox's types. lib/schemas.ts has the
// schemas of the same; types/schemas.tst.ts holds both equal. Editors show the comments of the fields, so each comment repeats its schema's description, range
// and default (test/package/editor.test.ts). `Name` is the names of the application's policies.
import type { LogLevel } from 'fastify'
import type { CorsOriginFunction, CorsOriginList } from '../origins/types'

/** An origin, a pattern of origins, `'*'` or `'null'`. Not exported: TypeScript then writes it out in the declaration files of an application. */
type CorsOriginText = '*' | 'null' | (string & {})

// An editor shows the comment of a field before it knows whether the policy extends another one. So each field is declared once, for all types of a policy.
interface OptionalFields {
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
  credentials?: boolean | ReadonlyArray<CorsOriginText | RegExp> | CorsOriginList
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
  allowedHeaders?: '*' | readonly string[]
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
  exposedHeaders?: '*' | readonly string[]
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
  maxAge?: number
  /**
   * The status of a successful preflight: 204, or 200 for old clients.
   *
   * Other integers are refused (`out-of-range`).
   *
   * @defaultValue `204`
   * @example optionsSuccessStatus: 200
   * @see https://fetch.spec.whatwg.org/#ok-status
   */
  optionsSuccessStatus?: 204 | 200
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
  enforceOrigin?: boolean | 'report'
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
  timingOrigin?: true | '*' | readonly CorsOriginText[]
  /**
   * Which pages may embed the response without CORS (`Cross-Origin-Resource-Policy`): "same-origin", "same-site" or "cross-origin".
   *
   * Replaces what a plugin such as `@fastify/helmet` sets for all routes.
   *
   * @defaultValue the header stays as others set it
   * @example resourcePolicy: 'cross-origin'
   * @see https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header
   */
  resourcePolicy?: 'same-origin' | 'same-site' | 'cross-origin'
  /**
   * Accepts `credentials` with an unencrypted origin that is not loopback (`http:`, `ws:`). An attacker on the network between a user and such
   * a page can change the page, and act with the user's credentials.
   *
   * @defaultValue `false`
   * @example dangerouslyAllowInsecureOrigins: true
   * @see https://fetch.spec.whatwg.org/#cors-protocol-and-credentials
   */
  dangerouslyAllowInsecureOrigins?: boolean
  /**
   * Accepts `credentials` with a pattern of the subdomains of a public suffix, where anyone can register a name, such as
   * `https://*.github.io`.
   *
   * @defaultValue `false`
   * @example dangerouslyAllowPublicSuffixes: true
   * @see https://publicsuffix.org
   */
  dangerouslyAllowPublicSuffixes?: boolean
}

interface WithOrigin {
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
  origin: CorsOriginText | ReadonlyArray<CorsOriginText | RegExp> | CorsOriginList | CorsOriginFunction
}

interface ExtendsField {
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
  extends: string
}

/** A mapped type: an editor shows the comment of the field, also where `Name` is the names of an application. */
type WithExtends<Name extends string> = { [Field in keyof ExtendsField]: Name }

/** A policy that stands alone. */
export type StandalonePolicy = OptionalFields & WithOrigin & { extends?: never }

/** A policy that extends a named one. Two types: with one, where `origin` is optional, TypeScript refuses `{ extends, origin }` in `config.cors`. */
export type ExtendingPolicy<Name extends string = string> =
  | (OptionalFields & WithExtends<Name> & { origin?: never })
  | (OptionalFields & WithExtends<Name> & WithOrigin)

/** A policy: who may call a route from a browser, and how. */
export type Policy<Name extends string = string> = StandalonePolicy | ExtendingPolicy<Name>

/** The options of the plugin. `NamedPolicy` is the type of a policy with these names: CorsPolicy, so that editors show that name. */
export interface PluginOptions<Name extends string = string, NamedPolicy = Policy<Name>> {
  /**
   * The policies that routes may extend, by name. What `definePolicies` returns, or a plain object.
   *
   * They apply to this scope and to its child scopes, and shadow policies of the parent scope.
   *
   * @defaultValue none
   * @example policies: { public: { origin: '*' } }
   */
  policies?: Record<string, NamedPolicy>
  /**
   * For routes that declare nothing and for 404 responses: false, the name of a policy, or a policy.
   *
   * @defaultValue `false`; in a child scope, the default policy of the parent scope
   * @example defaultPolicy: 'public'
   */
  defaultPolicy?: false | Name | NamedPolicy
  /**
   * The log level of the generated OPTIONS routes: one that the application's logger has.
   *
   * @defaultValue the level of the scope
   * @example logLevel: 'warn'
   */
  logLevel?: LogLevel
  /**
   * Whether a request from a page whose origin is refused is answered 403 before its handler runs; "report" only logs and publishes it.
   *
   * For every route of the scope, those without a policy and the 404s included: these refuse every foreign page. The `enforceOrigin` of a policy
   * overrides it.
   *
   * @defaultValue `false`; in a child scope, that of the parent scope
   * @example enforceOrigin: 'report'
   */
  enforceOrigin?: boolean | 'report'
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
  hosts?: readonly string[]
  /**
   * The log level of refusals: one that the application's logger has.
   *
   * @defaultValue `'debug'`
   * @example refusalLogLevel: 'info'
   */
  refusalLogLevel?: LogLevel
  /**
   * Whether documentation generators leave the generated OPTIONS routes out: gives them `schema: { hide: true }`.
   *
   * @defaultValue `true`
   * @example hideOptionsRoute: false
   */
  hideOptionsRoute?: boolean
}
