// Declarations: what is refused and why, what to write instead, and what policies mean to each other.
import { fail } from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { childPointer, printable, quote } from '../../lib/messages/errors'
import cors, { definePolicies, originsFrom } from '../../lib/index'
import { nearestWord } from '../../lib/messages/nearest-word'
import { accessControl, application, BAR, EVIL, FOO, ok, preflight, refusal, request } from '../support'

type Test = Parameters<typeof application>[0]

const POLICIES = {
  public: { origin: '*' },
  partner: { origin: ['https://app.example.com', 'https://*.partners.example.com'], credentials: true, maxAge: 600 },
  exposing: { origin: FOO, exposedHeaders: '*' },
  sandboxed: { origin: ['null'] },
  plain: { origin: ['https://app.example.com', 'http://app.example.com'] },
  hosted: { origin: 'https://*.github.io' },
  lax: { origin: ['http://app.example.com', 'https://*.github.io'], credentials: true, dangerouslyAllowInsecureOrigins: true, dangerouslyAllowPublicSuffixes: true }
} satisfies Record<string, cors.CorsPolicy>

/** Where something is declared: a route's config.cors, the plugin's options, definePolicies, or routes of an application. */
type Declaration =
  | { readonly route: unknown }
  | { readonly options: unknown }
  | { readonly define: unknown }
  | { readonly routes: (app: FastifyInstance) => unknown }

/** The error of a declaration, if it is refused. */
async function errorOf (t: Test, declaration: Declaration): Promise<cors.CorsPolicyError | undefined> {
  try {
    if ('define' in declaration) {
      definePolicies(declaration.define as never)
    } else if ('options' in declaration) {
      const app = await application(t, declaration.options as never, { logger: { level: 'silent' } })
      await app.ready()
    } else {
      const app = await application(t, { policies: POLICIES })
      if ('routes' in declaration) await declaration.routes(app)
      else app.get('/', { config: { cors: declaration.route as never } }, ok)
      await app.ready()
    }
  } catch (error) {
    return error as cors.CorsPolicyError
  }
  return undefined
}

async function problemsOf (t: Test, declaration: Declaration): Promise<readonly cors.CorsProblem[]> {
  return (await errorOf(t, declaration))?.problems ?? fail('it was accepted')
}

/** The problems of a route's config.cors, as short as a table needs them. */
async function refusedAs (t: Test, route: unknown): Promise<string[]> {
  return (await problemsOf(t, { route })).map(({ pointer, reason }) => `${pointer} ${reason}`)
}

/** What a JSON pointer leads to. */
function pointed (value: unknown, pointer: string): unknown {
  return pointer.split('/').slice(1).map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')).reduce((value: unknown, key) => Object.getOwnPropertyDescriptor(value, key)?.value as unknown, value)
}

/** Anything that a terminal acts on. */
// eslint-disable-next-line no-control-regex -- control characters are exactly what this looks for
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

const versioned = (version: string): { constraints: { version: string } } => ({ constraints: { version } })

interface Sides {
  /** The declaration, where the problem is, and what the message says. */
  readonly refused: ReadonlyArray<readonly [Declaration, string, string]>
  readonly accepted: readonly Declaration[]
}

const REASONS: Readonly<Record<cors.CorsProblemReason, Sides>> = {
  type: {
    refused: [
      [{ route: { origin: 5 } }, '/origin', '5 cannot be "origin"; write an origin such as "https://app.example.com", "*", an array of origins and RegExps, an originList, or a function'],
      [{ route: { origin: true } }, '/origin', 'true cannot be "origin"; write "*" for everyone, or list the origins that may read the response'],
      [{ route: { origin: false } }, '/origin', 'false cannot be "origin"; write cors: false'],
      [{ options: { defaultPolicy: { origin: false } } }, '/defaultPolicy/origin', 'write defaultPolicy: false'],
      [{ options: { policies: { off: { origin: false } } } }, '/policies/off/origin', 'write cors: false on the routes, and leave this policy out'],
      [{ route: { origin: (origin: string, callback: unknown) => callback } }, '/origin', 'its return value must decide, as it gets no callback; write (origin, request) => boolean, or an async function'],
      [{ route: { origin: null } }, '/origin', 'null cannot be "origin"; write an origin'],
      [{ route: { origin: { host: 'a' } } }, '/origin', 'an object cannot be "origin"; write an origin'],
      [{ route: { origin: /^https:\/\/a$/ } }, '/origin', '/^https:\\/\\/a$/ cannot be "origin"; write [/^https:\\/\\/a$/]'],
      [{ route: { origin: [FOO, 5] } }, '/origin/1', '5 cannot be an entry of "origin"; write an origin such as "https://app.example.com", a pattern of origins, or a RegExp'],
      [{ route: { origin: [[FOO]] } }, '/origin/0', 'an array cannot be an entry of "origin"; write an origin'],
      [{ route: { origin: [() => true] } }, '/origin/0', 'a function cannot be an entry of "origin"; write an origin'],
      [{ route: { origin: [FOO, , BAR] } }, '/origin/1', 'undefined (an unset variable?) cannot be an entry of "origin"; write an origin'], // eslint-disable-line no-sparse-arrays -- the mistake that this is about
      [{ route: { origin: FOO, credentials: 'yes' } }, '/credentials', '"yes" cannot be "credentials"; write true, false, an array of the origins that may send them, or an originList'],
      [{ route: { origin: FOO, credentials: 1 } }, '/credentials', '1 cannot be "credentials"; write true, false, an array of the origins that may send them, or an originList'],
      [{ route: { origin: FOO, allowedHeaders: 'x-a, x-b' } }, '/allowedHeaders', '"x-a, x-b" cannot be "allowedHeaders"; write ["x-a", "x-b"]'],
      [{ route: { origin: FOO, exposedHeaders: 'etag' } }, '/exposedHeaders', 'write ["etag"]'],
      [{ route: { origin: FOO, allowedHeaders: true } }, '/allowedHeaders', 'write "*" or an array of header names'],
      [{ route: { origin: FOO, exposedHeaders: true } }, '/exposedHeaders', 'write "*" or an array of header names'],
      [{ route: { origin: FOO, allowedHeaders: ['x-a', 1] } }, '/allowedHeaders/1', '1 is not the name of a header; write a text such as "X-Request-Id"'],
      [{ route: { origin: FOO, allowedHeaders: ['*', Object.create(null)] } }, '/allowedHeaders/1', 'an object is not the name of a header'],
      [{ route: { origin: FOO, exposedHeaders: [null] } }, '/exposedHeaders/0', 'null is not the name of a header'],
      [{ route: { origin: FOO, maxAge: '600' } }, '/maxAge', '"600" cannot be "maxAge"; write a whole number of seconds from 0 to 86400'],
      [{ route: { origin: FOO, maxAge: 1.5 } }, '/maxAge', '1.5 cannot be "maxAge"; write a whole number'],
      [{ route: { origin: FOO, maxAge: NaN } }, '/maxAge', 'NaN cannot be "maxAge"; write a whole number'],
      [{ route: { origin: FOO, maxAge: Infinity } }, '/maxAge', 'Infinity cannot be "maxAge"; write a whole number'],
      [{ route: { origin: FOO, maxAge: 600n } }, '/maxAge', '600 cannot be "maxAge"; write a whole number'],
      [{ route: { origin: FOO, optionsSuccessStatus: '204' } }, '/optionsSuccessStatus', '"204" cannot be "optionsSuccessStatus"; write 204 or 200'],
      [{ route: { origin: true, credentials: true } }, '/origin', 'write the origins that may act with your users\' credentials, such as ["https://app.example.com"]'],
      [{ route: { origin: undefined } }, '/origin', 'undefined (an unset variable?) cannot be "origin"; write an origin such as "https://app.example.com", or originsFrom(process.env.CORS_ORIGINS)'],
      [{ route: { origin: /example\.com$/ } }, '/origin', 'write ["https://example.com", "https://*.example.com"]'],
      [{ route: { origin: FOO, enforceOrigin: 'yes' } }, '/enforceOrigin', 'write true, false or "report"'],
      [{ route: { origin: FOO, timingOrigin: FOO } }, '/timingOrigin', `write ["${FOO}"]`],
      [{ route: { origin: FOO, resourcePolicy: 'none' } }, '/resourcePolicy', 'write "same-origin", "same-site" or "cross-origin"'],
      [{ route: { origin: FOO, allowedHeaders: 'x-amz-meta-*' } }, '/allowedHeaders', 'write ["X-Request-Id"]'],
      [{ options: { hosts: 'localhost' } }, '/hosts', 'write an array of hosts, such as ["api.example.com", "localhost:*"]'],
      [{ options: { hosts: [5] } }, '/hosts/0', '5 is not a host as browsers send it; write "api.example.com"'],
      [{ options: { refusalLogLevel: 5 } }, '/refusalLogLevel', 'write the name of a log level'],
      [{ route: { origin: FOO, dangerouslyAllowInsecureOrigins: Symbol('yes') } }, '/dangerouslyAllowInsecureOrigins', 'Symbol(yes) cannot be "dangerouslyAllowInsecureOrigins"; write true or false'],
      [{ route: { origin: FOO, dangerouslyAllowPublicSuffixes: 'https://*.github.io' } }, '/dangerouslyAllowPublicSuffixes', 'write true or false'],
      [{ route: { extends: ['public'] } }, '/extends', 'an array cannot be "extends"; write the name of a policy'],
      [{ route: { extends: POLICIES.public } }, '/extends', 'an object cannot be "extends"; write the name of a policy'],
      [{ options: [] }, '', 'an array is not an object of options; write { policies: { … } }'],
      [{ options: 'public' }, '', '"public" is not an object of options'],
      [{ options: { policies: [POLICIES.public] } }, '/policies', 'an array is not an object of policies; write { public: { origin: "*" } }'],
      [{ options: { policies: { off: false } } }, '/policies/off', 'false is not a policy; write { origin: "https://app.example.com" }, { extends: "a name" } or, on a route, cors: false'],
      [{ options: { policies: { star: '*' } } }, '/policies/star', '"*" is not a policy; write { origin: "*" }'],
      [{ options: { defaultPolicy: true } }, '/defaultPolicy', 'true is not a policy; write { origin'],
      [{ options: { logLevel: 30 } }, '/logLevel', '30 cannot be "logLevel"; write the name of a log level'],
      [{ options: { hideOptionsRoute: 'no' } }, '/hideOptionsRoute', '"no" cannot be "hideOptionsRoute"; write true or false'],
      [{ define: null }, '', 'null is not an object of policies; write { public: { origin: "*" } }'],
      [{ define: { public: null } }, '/public', 'null is not a policy; write { origin']
    ],
    accepted: [
      { route: false }, { route: { origin: '*' } }, { route: { origin: [FOO, /^https:\/\/a$/] } }, { route: { origin: () => true } }, { route: { origin: async () => true } }, { route: { origin: Object.freeze([FOO]) } },
      { route: { origin: FOO, credentials: false, allowedHeaders: [], exposedHeaders: [], maxAge: 0, optionsSuccessStatus: 204, dangerouslyAllowInsecureOrigins: false, dangerouslyAllowPublicSuffixes: true } },
      { route: { origin: FOO, allowedHeaders: '*', exposedHeaders: '*' } }, { route: Object.assign(Object.create(null), { origin: FOO }) },
      { options: {} }, { options: null }, { options: () => ({ policies: POLICIES }) }, { options: { policies: {} } }, { options: { policies: POLICIES, defaultPolicy: 'public', logLevel: 'warn', hideOptionsRoute: false } },
      { options: { prefix: '/api', logSerializers: {}, defaultPolicy: { origin: FOO } } }, { options: { defaultPolicy: false } }, { define: {} }, { define: POLICIES },
      { route: { origin: '*', enforceOrigin: 'report', timingOrigin: ['https://a.example', 'null'], resourcePolicy: 'cross-origin' } }, { route: { origin: '*', enforceOrigin: true, timingOrigin: '*' } }, { route: { origin: '*', credentials: [FOO], enforceOrigin: false, timingOrigin: true } },
      { options: { enforceOrigin: 'report', hosts: ['api.example.com', '*.example.com', 'localhost:*', '[::1]:3000'], refusalLogLevel: 'info' } }, { define: { policy: { origin: originsFrom('') } } }, { route: { origin: FOO, exposedHeaders: ['*'] } }, { route: { origin: FOO, allowedHeaders: ['...', 'X-A'], exposedHeaders: ['...'] } }
    ]
  },
  'unknown-property': {
    refused: [
      [{ route: { origin: FOO, orign: FOO } }, '/orign', 'there is no option "orign"; did you mean "origin"?'],
      [{ route: { origin: FOO, exposeHeaders: ['etag'] } }, '/exposeHeaders', 'did you mean "exposedHeaders"?'],
      [{ route: { origin: FOO, Credentials: true } }, '/Credentials', 'did you mean "credentials"?'],
      [{ route: { origin: FOO, color: 'red' } }, '/color', 'there is no option "color"; the options are extends, origin, credentials, allowedHeaders, exposedHeaders, maxAge, optionsSuccessStatus,'],
      [{ route: { extends: 'public', color: 'red' } }, '/color', 'the options are extends, origin,'],
      [{ route: { extend: 'public' } }, '/extend', 'there is no option "extend"; write extends: "public"'],
      [{ route: { policy: 'public', maxAge: 5 } }, '/policy', 'there is no option "policy"; write extends: "public"'],
      [{ options: { policies: POLICIES, policy: 'public' } }, '/policy', 'there is no option "policy"; write defaultPolicy: "public"'],
      [{ route: { extends: 'public', policy: POLICIES.public } }, '/policy', 'write extends: "a name"'],
      [{ route: { origin: FOO, methods: ['GET'] } }, '/methods', 'there is no option "methods"; leave it out: a preflight allows the methods that the URL has routes for'],
      [{ route: { origin: FOO, 'a/b~c': 1 } }, '/a~1b~0c', 'there is no option "a/b~c"'],
      [{ route: JSON.parse('{ "origin": "https://foo.example", "__proto__": { "credentials": true } }') }, '/__proto__', 'there is no option "__proto__"'],
      [{ route: { origin: FOO, toString: 1 } }, '/toString', 'there is no option "toString"'],
      [{ options: { policis: {} } }, '/policis', 'did you mean "policies"?'],
      [{ options: { origin: '*' } }, '/origin', '"origin" belongs in a policy; write defaultPolicy: { origin: … }'],
      [{ options: { credentials: true } }, '/credentials', 'write defaultPolicy: { credentials: … }'],
      [{ options: { color: 'red' } }, '/color', 'the options are policies, defaultPolicy, logLevel, enforceOrigin, hosts, refusalLogLevel, hideOptionsRoute'],
      [{ options: { policies: { public: { origin: '*', credentals: false } } } }, '/policies/public/credentals', 'did you mean "credentials"?']
    ],
    accepted: [{ route: { origin: FOO, credentials: true } }, { route: { extends: 'public' } }, { options: { policies: { public: { origin: '*' } } } }]
  },
  missing: {
    refused: [
      [{ route: {} }, '/origin', '"origin" is missing; write one, such as origin: "https://app.example.com", or extend a policy that has one'],
      [{ route: { credentials: true, maxAge: 600 } }, '/origin', '"origin" is missing'],
      [{ route: new Map([['origin', '*']]) }, '/origin', '"origin" is missing'],
      [{ route: Object.create({ origin: '*' }) }, '/origin', '"origin" is missing'],
      [{ options: { policies: { public: {} } } }, '/policies/public/origin', '"origin" is missing'],
      [{ options: { defaultPolicy: {} } }, '/defaultPolicy/origin', '"origin" is missing'],
      [{ define: { public: {} } }, '/public/origin', '"origin" is missing']
    ],
    accepted: [{ route: { origin: FOO } }, { route: { extends: 'partner' } }, { route: { extends: 'partner', credentials: false } }]
  },
  invalid: {
    refused: [
      [{ route: { origin: 'app.example.com' } }, '/origin', '"app.example.com": an origin begins with its scheme; write "https://app.example.com"'],
      [{ route: { origin: 'file://host' } }, '/origin', 'write "null" if you mean all of those'],
      [{ route: { origin: [FOO, 'https://ex*mple.com'] } }, '/origin/1', '"https://ex*mple.com": an asterisk may only replace whole subdomains'],
      [{ route: { origin: [FOO, '*'] } }, '/origin/1', '"*" allows every origin and cannot be an entry of a list; write origin: "*"'],
      [{ route: { origin: ['*'] } }, '/origin/0', '"*" allows every origin and cannot be an entry of a list; write origin: "*"'],
      [{ route: { origin: [] } }, '/origin', 'an empty array allows nobody; write cors: false for that, or originsFrom(process.env.CORS_ORIGINS) for a list that may be empty'],
      [{ route: { origin: FOO, allowedHeaders: ['x a'] } }, '/allowedHeaders/0', '"x a" is not the name of a header; write one name for each element, such as "x", "a"'],
      [{ route: { origin: FOO, allowedHeaders: ['x-a,x-b'] } }, '/allowedHeaders/0', 'write one name for each element'],
      [{ route: { origin: FOO, allowedHeaders: ['a'.repeat(257)] } }, '/allowedHeaders/0', 'is not the name of a header'],
      [{ route: { origin: FOO, exposedHeaders: [''] } }, '/exposedHeaders/0', '"" is not the name of a header'],
      [{ route: { origin: FOO, allowedHeaders: ['x-a', '*'] } }, '/allowedHeaders/1', '"*" allows every header except Authorization, the only name that can be combined with it; write "*", or ["*", "Authorization"]'],
      [{ route: { origin: FOO, exposedHeaders: ['etag', '*'] } }, '/exposedHeaders/1', '"*" exposes every header and cannot be combined with names; write the names without it, or exposedHeaders: "*" for every header'],
      [{ route: { origin: FOO, allowedHeaders: ['x-amz-meta-*'] } }, '/allowedHeaders/0', '"x-amz-meta-*": browsers read "*" in a name literally; write the names, such as "x-amz-meta-name"'],
      [{ route: { origin: FOO, exposedHeaders: ['X-RateLimit-*'] } }, '/exposedHeaders/0', 'such as "X-RateLimit-name"'],
      [{ route: { origin: FOO, timingOrigin: ['https://*.example.com'] } }, '/timingOrigin/0', 'write exact origins, such as "https://app.example.com", or timingOrigin: true'],
      [{ route: { origin: FOO, timingOrigin: [] } }, '/timingOrigin', 'an empty array allows nobody; leave it out'],
      [{ route: { origin: FOO, timingOrigin: ['https://A.example', FOO].slice(1).concat('nothing') } }, '/timingOrigin/1', '"nothing": an origin begins with its scheme'],
      [{ options: { hosts: [] } }, '/hosts', 'an empty array refuses every request; write the hosts, such as ["localhost:*"], or leave it out'],
      [{ options: { hosts: ['*'] } }, '/hosts/0', '"*" is not a host as browsers send it; write "api.example.com"'],
      [{ route: { origin: [/^example\.com$/] } }, '/origin/0', '/^example\\.com$/: this RegExp matches no origin: browsers write a scheme, a host in lower case and perhaps a port, and nothing more; write "https://example.com"'],
      [{ options: { logLevel: 'loud' } }, '/logLevel', '"loud" is no level of the application\'s logger']
    ],
    accepted: [
      { route: { origin: 'https://app.example.com' } }, { route: { origin: [FOO, 'https://*.example.com'] } }, { route: { origin: [FOO] } }, { route: { origin: FOO, allowedHeaders: ['x-a', 'x-b', 'a'.repeat(256)] } },
      { route: { origin: FOO, allowedHeaders: ['*'] } }, { route: { origin: FOO, allowedHeaders: ['*', 'AUTHORIZATION'] } }, { route: { origin: FOO, allowedHeaders: ['authorization', '*', '*'] } }, { route: { origin: FOO, exposedHeaders: ['etag'] } }, { options: { logLevel: 'debug' } }
    ]
  },
  'not-canonical': {
    refused: [
      [{ route: { origin: 'https://App.Example.com:443/' } }, '/origin', '"https://App.Example.com:443/": browsers do not write the origin this way; write "https://app.example.com"'],
      [{ route: { origin: [FOO, 'https://bücher.example'] } }, '/origin/1', 'write "https://xn--bcher-kva.example"'],
      [{ options: { policies: { partner: { origin: [FOO, 'https://*.Example.com'] } } } }, '/policies/partner/origin/1', 'write "https://*.example.com"']
    ],
    accepted: [{ route: { origin: 'https://app.example.com' } }, { route: { origin: [FOO, 'https://xn--bcher-kva.example'] } }]
  },
  'null-origin': {
    refused: [
      [{ route: { origin: 'null', credentials: true } }, '/origin', 'every sandboxed frame on any site has the origin "null"; leave it out, or leave credentials out'],
      [{ route: { origin: [FOO, 'null'], credentials: true } }, '/origin/1', 'leave it out, or leave credentials out'],
      [{ route: { extends: 'sandboxed', credentials: true } }, '/credentials', 'the origin "null"'],
      [{ route: { extends: 'partner', origin: ['null'] } }, '/origin/0', 'the origin "null"']
    ],
    accepted: [{ route: { origin: 'null' } }, { route: { origin: [FOO, 'null'], credentials: false } }, { route: { extends: 'sandboxed', origin: FOO, credentials: true } }, { route: { extends: 'partner', credentials: false, origin: 'null' } }]
  },
  'wildcard-with-credentials': {
    refused: [
      [{ route: { origin: '*', credentials: true } }, '/origin', 'browsers refuse credentials with "*"; write credentials: ["https://app.example.com"] for the origins that may send them, or leave credentials out'],
      [{ route: { extends: 'public', credentials: true } }, '/credentials', 'browsers refuse credentials with "*"'],
      [{ route: { extends: 'partner', origin: '*' } }, '/origin', 'browsers refuse credentials with "*"'],
      [{ route: { origin: FOO, credentials: true, exposedHeaders: '*' } }, '/exposedHeaders', 'with credentials, browsers read "*" as the name of a header; write the names of the headers to expose'],
      [{ route: { origin: FOO, credentials: true, exposedHeaders: ['*'] } }, '/exposedHeaders', 'write the names of the headers to expose'],
      [{ route: { extends: 'exposing', credentials: true } }, '/credentials', 'write the names of the headers to expose'],
      [{ route: { extends: 'partner', exposedHeaders: '*' } }, '/exposedHeaders', 'write the names of the headers to expose']
    ],
    accepted: [
      { route: { origin: '*', credentials: false } }, { route: { origin: FOO, credentials: true } }, { route: { origin: FOO, credentials: true, allowedHeaders: '*' } }, { route: { origin: FOO, exposedHeaders: '*' } },
      { route: { extends: 'public', origin: FOO, credentials: true } }, { route: { extends: 'partner', origin: '*', credentials: false } }, { route: { extends: 'exposing', exposedHeaders: ['etag'], credentials: true } }
    ]
  },
  'insecure-with-credentials': {
    refused: [
      [{ route: { origin: 'http://app.example.com', credentials: true } }, '/origin', 'an attacker on the network can change pages of "http://app.example.com" and act with its users\' credentials; write "https://app.example.com", or set dangerouslyAllowInsecureOrigins: true'],
      [{ route: { origin: [FOO, 'http://app.example.com:443'], credentials: true } }, '/origin/1', 'write "https://app.example.com", or set'],
      [{ route: { origin: ['http://*.example.com:*'], credentials: true } }, '/origin/0', 'write "https://*.example.com:*", or set'],
      [{ route: { origin: ['ws://app.example.com:81'], credentials: true } }, '/origin/0', 'write "wss://app.example.com:81", or set'],
      [{ route: { origin: ['ftp://app.example.com'], credentials: true } }, '/origin/0', 'write "https://app.example.com", or set'],
      [{ route: { origin: ['http://192.168.0.1'], credentials: true, dangerouslyAllowInsecureOrigins: false } }, '/origin/0', 'or set dangerouslyAllowInsecureOrigins: true'],
      [{ route: { extends: 'plain', credentials: true } }, '/credentials', 'change pages of "http://app.example.com"'],
      [{ route: { extends: 'partner', origin: ['http://app.example.com'] } }, '/origin/0', 'change pages of "http://app.example.com"'],
      [{ route: { origin: [FOO, /^https?:\/\/app\.example\.com$/], credentials: true } }, '/origin/1', 'write /^https:\\/\\/app\\.example\\.com$/, or set dangerouslyAllowInsecureOrigins: true'],
      [{ route: { extends: 'lax', dangerouslyAllowPublicSuffixes: true, dangerouslyAllowInsecureOrigins: false } }, '/dangerouslyAllowInsecureOrigins', 'change pages of "http://app.example.com"']
    ],
    accepted: [
      { route: { origin: 'http://app.example.com' } }, { route: { origin: 'https://app.example.com', credentials: true } }, { route: { origin: ['http://localhost:*', 'http://127.0.0.1', 'http://[::1]:3000', 'http://*.localhost', 'capacitor://localhost'], credentials: true } },
      { route: { origin: 'http://app.example.com', credentials: true, dangerouslyAllowInsecureOrigins: true } }, { route: { extends: 'lax' } }, { route: { extends: 'lax', origin: 'http://other.example.com' } }
    ]
  },
  'public-suffix': {
    refused: [
      [{ route: { origin: 'https://*.github.io', credentials: true } }, '/origin', 'anyone can register a name below "github.io" and act with your users\' credentials; write the origins that are yours, such as "https://your-app.github.io", or set dangerouslyAllowPublicSuffixes: true'],
      [{ route: { origin: [FOO, 'https://*.co.uk:8443'], credentials: true } }, '/origin/1', 'a name below "co.uk"'],
      [{ route: { origin: [/^https:\/\/.*example\.com$/], credentials: true } }, '/origin/0', 'anyone can register a name that this RegExp matches, such as "https://evilexample.com",'],
      [{ route: { extends: 'hosted', credentials: true } }, '/credentials', 'a name below "github.io"'],
      [{ route: { extends: 'lax', dangerouslyAllowInsecureOrigins: true, dangerouslyAllowPublicSuffixes: false } }, '/dangerouslyAllowPublicSuffixes', 'a name below "github.io"']
    ],
    accepted: [
      { route: { origin: 'https://*.github.io' } }, { route: { origin: ['https://*.me.github.io', 'https://github.io', 'https://github.io:*', 'https://*.app.test'], credentials: true } },
      { route: { origin: 'https://*.github.io', credentials: true, dangerouslyAllowPublicSuffixes: true } }
    ]
  },
  'unanchored-regexp': {
    refused: [
      [{ route: { origin: [/example\.com/] } }, '/origin/0', '/example\\.com/: a RegExp must match the whole origin; write "https://example.com", "https://*.example.com"'],
      [{ route: { origin: [FOO, /^https:\/\/a$|^https:\/\/b/] } }, '/origin/1', 'write /^(?:https:\\/\\/a|https:\\/\\/b)$/'],
      [{ route: { origin: [/^https:\/\/a$/m] } }, '/origin/0', 'with the flag "m", "^" and "$" match at every line; write /^https:\\/\\/a$/']
    ],
    accepted: [{ route: { origin: [/^https:\/\/[a-z]+\.example\.com$/] } }, { route: { origin: [FOO, /^https:\/\/a$|^https:\/\/b$/i] } }]
  },
  'unsafe-regexp': {
    refused: [
      [{ route: { origin: [/^https:\/\/a$/g] } }, '/origin/0', '/^https:\\/\\/a$/g: the flags "g" and "y" make a RegExp remember its last match, so that every other request fails; write /^https:\\/\\/a$/'],
      [{ route: { origin: [FOO, /^https:\/\/(?!evil)[a-z]+\.example\.com$/] } }, '/origin/1', 'a lookahead cannot be matched in linear time; write what is allowed as a RegExp without it, or a function (origin) => boolean that decides'],
      [{ route: { origin: [/^https:\/\/(a)\1$/] } }, '/origin/0', 'a back-reference cannot be matched in linear time']
    ],
    accepted: [{ route: { origin: [/^https:\/\/(a+)+$/] } }, { route: { origin: [FOO, /^https:\/\/(a|a)*$/, /^https?:\/\/localhost(:\d+)?$/] } }]
  },
  forbidden: {
    refused: [
      [{ route: { origin: FOO, allowedHeaders: ['x-a', 'Cookie'] } }, '/allowedHeaders/1', '"Cookie": no page can set this header: browsers send cookies where the policy has credentials; leave it out'],
      [{ route: { origin: FOO, allowedHeaders: ['Access-Control-Allow-Origin'] } }, '/allowedHeaders/0', '"Access-Control-Allow-Origin": CORS sets this header itself: no page sends it; leave it out'],
      [{ route: { origin: FOO, exposedHeaders: ['Set-Cookie'] } }, '/exposedHeaders/0', '"Set-Cookie": no page can read this header: browsers always hide it; leave it out'],
      [{ route: { origin: FOO, exposedHeaders: ['etag', 'ORIGIN'] } }, '/exposedHeaders/1', '"ORIGIN": no page reads this from a response']
    ],
    accepted: [{ route: { origin: FOO, allowedHeaders: ['x-a', 'Cookies', 'Second', 'Sec-Fetch-Site', 'Accept-Encoding', 'DNT', 'Authorization', 'Content-Type', 'Accept'], exposedHeaders: ['ETag', 'Content-Length', 'X-Set-Cookie'] } }]
  },
  'out-of-range': {
    refused: [
      [{ route: { origin: FOO, maxAge: 86_401 } }, '/maxAge', '86401 cannot be "maxAge"; write a whole number of seconds from 0 to 86400'],
      [{ route: { origin: FOO, maxAge: -1 } }, '/maxAge', '-1 cannot be "maxAge"; write a whole number of seconds from 0 to 86400'],
      [{ route: { origin: FOO, optionsSuccessStatus: 201 } }, '/optionsSuccessStatus', '201 cannot be "optionsSuccessStatus"; write 204 or 200']
    ],
    accepted: [{ route: { origin: FOO, maxAge: 86_400 } }, { route: { origin: FOO, maxAge: 0 } }, { route: { origin: FOO, maxAge: -0 } }, { route: { origin: FOO, optionsSuccessStatus: 200 } }]
  },
  'unknown-policy': {
    refused: [
      [{ route: { extends: 'partnr' } }, '/extends', 'there is no policy "partnr"; did you mean "partner"?'],
      [{ route: { extends: 'Public' } }, '/extends', 'did you mean "public"?'],
      [{ route: { extends: 'unheard of' } }, '/extends', 'write one of "public", "partner", "exposing", "sandboxed", "plain", "hosted", "lax"'],
      [{ route: { extends: '' } }, '/extends', 'there is no policy ""; write one of'],
      [{ route: { extends: '*' } }, '/extends', 'there is no policy "*"; write a policy: { origin: "*" }'],
      [{ route: { extends: '__proto__' } }, '/extends', 'there is no policy "__proto__"'],
      [{ route: { extends: 'constructor' } }, '/extends', 'there is no policy "constructor"'],
      [{ route: { extends: 'toString' } }, '/extends', 'there is no policy "toString"'],
      [{ options: { defaultPolicy: 'public' } }, '/defaultPolicy', 'there is no policy "public"; no named policy can be extended here; write policies: { … } in the plugin\'s options'],
      [{ options: { policies: POLICIES, defaultPolicy: 'https://app.example.com' } }, '/defaultPolicy', 'write a policy: { origin: "https://app.example.com" }'],
      [{ options: { policies: { public: { origin: '*' }, partner: { extends: 'publik' } } } }, '/policies/partner/extends', 'did you mean "public"?'],
      [{ options: { policies: { partner: { extends: 'constructor' } } } }, '/policies/partner/extends', 'no named policy can be extended here'],
      [{ define: { partner: { extends: 'public' } } }, '/partner/extends', 'there is no policy "public"']
    ],
    accepted: [{ route: { extends: 'partner' } }, { options: { policies: POLICIES, defaultPolicy: 'public' } }, { define: { ...POLICIES, more: { extends: 'public' } } }]
  },
  'cyclic-extends': {
    refused: [
      [{ options: { policies: { a: { extends: 'b' }, b: { extends: 'a' } } } }, '/policies/b/extends', '"extends" forms a cycle: "a" extends "b" extends "a"; write one of them without "extends"'],
      [{ options: { policies: { a: { extends: 'a' } } } }, '/policies/a/extends', 'forms a cycle: "a" extends "a"; write one of them without "extends"'],
      [{ options: { policies: { a: { extends: 'b' }, b: { extends: 'c' }, c: { extends: 'b' } } } }, '/policies/c/extends', 'forms a cycle: "b" extends "c" extends "b"'],
      [{ define: { a: { extends: 'b', origin: FOO }, b: { extends: 'a', origin: FOO } } }, '/b/extends', '"a" extends "b" extends "a"']
    ],
    accepted: [{ options: { policies: { a: { extends: 'b' }, b: { extends: 'c' }, c: { origin: FOO } } } }, { define: { a: { origin: FOO }, b: { extends: 'a' }, c: { extends: 'a' } } }]
  },
  conflict: {
    refused: [
      [{ routes: async (app) => await app.register(cors, { policies: {} }) }, '', 'the plugin is registered on this instance already; give all options to one registration, or register again inside a child scope'],
      [{ routes: (app) => app.get('/', { ...versioned('1.0.0'), config: { cors: { extends: 'public' } } }, ok).get('/', { ...versioned('2.0.0'), config: { cors: { extends: 'partner' } } }, ok) }, '', 'write the same policy on both'],
      [{ routes: (app) => app.get('/', { ...versioned('1.0.0') }, ok).get('/', { ...versioned('2.0.0'), config: { cors: { extends: 'partner' } } }, ok) }, '', 'has another policy']
    ],
    accepted: [
      { routes: async (app) => await app.register(async (child) => await child.register(cors, { policies: {} })) },
      { routes: (app) => app.get('/', { ...versioned('1.0.0'), config: { cors: { extends: 'public' } } }, ok).get('/', { ...versioned('2.0.0'), config: { cors: { origin: '*' } } }, ok) },
      { routes: (app) => app.get('/', { ...versioned('1.0.0'), config: { cors: { extends: 'public' } } }, ok).put('/', { ...versioned('2.0.0'), config: { cors: { extends: 'partner' } } }, ok) }
    ]
  }
}

for (const [reason, { refused, accepted }] of Object.entries(REASONS)) {
  t.test(`the reason ${reason} is given where it should be, with what to write instead`, async (t) => {
    for (const [declaration, pointer, message] of refused) {
      const name = `${Object.keys(declaration).join()} ${pointer}: ${message.slice(0, 60)}`
      const error = await errorOf(t, declaration) ?? fail(`${name} was accepted`)
      const [problem, ...more] = error.problems ?? fail(error.message)
      t.match(problem, { pointer, reason }, name)
      t.strictSame(more, [], 'and nothing else is wrong')
      t.ok(problem?.message.includes(message), `it says: ${message}`)
      t.ok(error.message.includes(`${pointer === '' ? '' : `${pointer}: `}${problem?.message} [${reason}]`), 'the error says so')
      const [declared] = Object.values(declaration)
      if (typeof declared !== 'function') t.strictSame(problem?.value, pointed(declared, pointer), 'the value is what the pointer leads to')
    }
    for (const declaration of accepted) {
      t.equal((await errorOf(t, declaration))?.message, undefined, `right: ${quote(Object.values(declaration)[0])}`)
    }
  })
}

t.test('all problems are reported at once', async (t) => {
  t.strictSame(await refusedAs(t, {
    orign: FOO, credentials: 'yes', allowedHeaders: ['Cookie', 1, 'x a', '*'], exposedHeaders: 5, maxAge: -1, optionsSuccessStatus: 404
  }), [
    '/orign unknown-property', '/credentials type', '/allowedHeaders/0 forbidden', '/allowedHeaders/1 type', '/allowedHeaders/2 invalid', '/allowedHeaders/3 invalid',
    '/exposedHeaders type', '/maxAge out-of-range', '/optionsSuccessStatus out-of-range', '/origin missing'
  ])
  t.strictSame(await refusedAs(t, {
    origin: [5, 'example.com', 'https://A.example', '*', 'null', 'http://a.example', 'https://*.com', 'http://*.com', /a/, /^a$/g, FOO], credentials: true, exposedHeaders: '*'
  }), [
    '/origin/0 type', '/origin/1 invalid', '/origin/2 not-canonical', '/origin/3 invalid', '/origin/4 null-origin', '/origin/5 insecure-with-credentials', '/origin/6 public-suffix', '/origin/7 insecure-with-credentials', '/origin/7 public-suffix',
    '/origin/8 unanchored-regexp', '/origin/9 unsafe-regexp', '/exposedHeaders wildcard-with-credentials'
  ])
  t.strictSame(await refusedAs(t, { extends: 'nobody', origin: ['example.com'], allowedHeaders: ['Cookie'], maxAge: '1', orign: 1 }), ['/allowedHeaders/0 forbidden', '/maxAge type', '/orign unknown-property', '/extends unknown-policy', '/origin/0 invalid'], 'also where the policy to extend is unknown')
  t.strictSame(await refusedAs(t, { extends: 5, origin: '*', credentials: true }), ['/extends type', '/origin wildcard-with-credentials'], 'or is no name')
  t.strictSame(await refusedAs(t, { extends: 'plain', credentials: true, exposedHeaders: '*' }), ['/credentials insecure-with-credentials', '/exposedHeaders wildcard-with-credentials'])

  const options = {
    policies: {
      broken: { origin: 'example.com', credentials: true },
      heir: { extends: 'broken', allowedHeaders: ['Cookie'] },
      circle: { extends: 'circle', exposedHeaders: ['Set-Cookie'] },
      off: false,
      misspelt: { origin: FOO, credentials: true, maxAge: -1, orign: FOO },
      open: { extends: 'misspelt', origin: '*' }
    },
    defaultPolicy: { extends: 'broken', maxAge: -1 },
    hideOptionsRoute: 1,
    logLevel: 'loud'
  }
  t.strictSame((await problemsOf(t, { options })).map(({ pointer, reason }) => `${pointer} ${reason}`).sort(), [
    '/defaultPolicy/maxAge out-of-range', '/hideOptionsRoute type', '/logLevel invalid', '/policies/broken/origin invalid', '/policies/circle/exposedHeaders/0 forbidden', '/policies/circle/extends cyclic-extends',
    '/policies/heir/allowedHeaders/0 forbidden', '/policies/misspelt/maxAge out-of-range', '/policies/misspelt/orign unknown-property', '/policies/off type', '/policies/open/origin wildcard-with-credentials'
  ], 'a policy that extends a broken one has only its own problems')
})

t.test('no problem is reported that only follows from another', async (t) => {
  t.strictSame(await refusedAs(t, { extends: 'nobody', origin: 'http://app.example.com', credentials: true }), ['/extends unknown-policy'], 'the unknown policy might have set the switch')
  t.strictSame(await refusedAs(t, { origin: ['http://app.example.com', 'https://*.github.io'], credentials: true, dangerouslyAllowInsecureOrigins: 'yes', dangerouslyAllowPublicSuffixes: 1 }), ['/dangerouslyAllowInsecureOrigins type', '/dangerouslyAllowPublicSuffixes type'], 'the switch was meant to be set')
  t.strictSame(await refusedAs(t, { extends: 'plain', origin: 5, credentials: true }), ['/origin type'], 'the inherited origin is not meant')
  t.strictSame(await refusedAs(t, { origin: '*', credentials: 'true' }), ['/credentials type'])
  t.strictSame(await refusedAs(t, { extends: 'exposing', exposedHeaders: 5, credentials: true }), ['/exposedHeaders type'])
})

t.test('any declaration is accepted, or refused with problems whose pointers lead to their values', async (t) => {
  const anything = fc.constantFrom(undefined, null, true, 5, 'text', '*', [], {}, /^a$/g)
  const field = (...right: unknown[]): fc.Arbitrary<unknown> => fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: anything })
  const policy = fc.record({
    extends: field('a', 'b', 'c', 'd', 'nobody', '__proto__'),
    origin: field('*', FOO, [FOO, BAR], ['http://app.example.com'], ['https://*.github.io', 'null'], [/^https:\/\/a$/], () => true, ['example.com', 5]),
    credentials: field(true, true, false),
    allowedHeaders: field('*', ['x-a'], ['*', 'Authorization'], ['*', 'x-a', 'Cookie', 5]),
    exposedHeaders: field('*', ['ETag'], ['*'], ['Set-Cookie', null]),
    maxAge: field(0, 600, 86_400, -1, 1.5),
    optionsSuccessStatus: field(200, 204, 201),
    dangerouslyAllowInsecureOrigins: field(true, false),
    dangerouslyAllowPublicSuffixes: field(true, false),
    orign: anything
  }, { requiredKeys: [] })
  const policies = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'a/b'), fc.oneof({ weight: 9, arbitrary: policy }, { weight: 1, arbitrary: anything }), { noNullPrototype: true })
  const seen = { accepted: 0, refused: 0 }
  fc.assert(fc.property(policies, (policies) => {
    try {
      definePolicies(definePolicies(policies as never))
      seen.accepted++
    } catch (error) {
      const { code, problems } = error as cors.CorsPolicyError
      if (code !== 'FST_ERR_CORS_INVALID_POLICY') throw error
      for (const { pointer, value } of problems) if (!isDeepStrictEqual(pointed(policies, pointer), value)) fail(`${pointer} is not ${quote(value)}`)
      if (new Set(problems.map(({ pointer, message }) => `${pointer} ${message}`)).size < problems.length) fail('a problem is there twice')
      seen.refused++
    }
  }), { numRuns: 2000 })
  t.ok(seen.accepted > 50 && seen.refused > 500, `${seen.accepted} accepted, ${seen.refused} refused`)
})

t.test('every error has the same code, and frozen problems with the same fields', async (t) => {
  const errors = [
    await errorOf(t, { route: { origin: 'example.com', maxAge: -1 } }),
    await errorOf(t, { options: { origin: '*' } }),
    await errorOf(t, { define: { public: {} } }),
    await errorOf(t, { routes: async (app) => await app.register(cors) })
  ]
  for (const error of errors) {
    if (!(error instanceof Error)) fail('no error')
    t.equal(error.code, 'FST_ERR_CORS_INVALID_POLICY')
    t.equal(error.statusCode, 500)
    t.ok(error instanceof TypeError)
    t.ok(Object.isFrozen(error.problems) && error.problems.every((problem) => Object.isFrozen(problem)), 'frozen')
    t.ok(error.problems.length > 0)
    for (const problem of error.problems) t.strictSame(Object.keys(problem).sort(), ['message', 'pointer', 'reason', 'value'])
  }
})

t.test('the message names what was declared, and counts what is wrong', async (t) => {
  const app = await application(t, { policies: POLICIES })
  const wrong = { config: { cors: { origin: 'example.com' } } }
  t.match(refusal(() => app.put('/items/:id', wrong, ok)).message, /^config\.cors of PUT \/items\/:id: a problem\n {2}\/origin: "example\.com": .* \[invalid\]$/)
  t.match(refusal(() => app.route({ method: ['GET', 'POST'], url: '/both', ...wrong, handler: ok })).message, /^config\.cors of GET, POST \/both: a problem\n/)
  t.match(refusal(() => app.get('/bare', { config: { cors: 'public' as never } }, ok)).message, /^config\.cors of GET \/bare: a problem\n {2}"public" is not a policy; write \{ extends: "public" \} for a named policy \[type\]$/)
  t.match(refusal(() => app.get('/two', { config: { cors: { origin: 'a', maxAge: -1 } } }, ok)).message, /^config\.cors of GET \/two: 2 problems\n {2}\/maxAge: [^\n]*\n {2}\/origin: [^\n]*$/)
  await app.register(async (child) => {
    t.match(refusal(() => child.get('/in', wrong, ok)).message, /^config\.cors of GET \/prefix\/in: a problem\n/)
  }, { prefix: '/prefix' })
  t.match((await errorOf(t, { options: { origin: '*' } }))?.message, /^the options of fastify-cors-policy: a problem\n {2}\/origin: /)
  t.match(refusal(() => definePolicies({ public: { origin: 'a' } })).message, /^definePolicies: a problem\n {2}\/public\/origin: /)
})

t.test('a message never has raw control characters, whatever it quotes', async (t) => {
  const nasty = 'a\u0000\u0007\u001b[31m\n\r\t\u007f\u0085\u00ad\u200b\u2028\u202e\u2066\ufeff\u{e0041}\ud800'
  const nastySource = nasty.replace('[', '')
  const nastyFunction = { [nasty]: () => true }[nasty]
  const app = await application(t, { policies: { [nasty]: { origin: FOO }, public: { origin: '*' } } })
  const errors = [
    ...[
      nasty, { origin: nasty }, { origin: [nasty] }, { origin: `https://${nasty}` }, { [nasty]: nasty }, { extends: nasty.slice(0, -2) }, { extends: 'unheard of' }, { origin: FOO, allowedHeaders: nasty }, { origin: FOO, allowedHeaders: [nasty] },
      { origin: FOO, exposedHeaders: [nasty] }, { origin: FOO, credentials: nasty }, { origin: FOO, maxAge: nastyFunction }, { origin: FOO, maxAge: Symbol(nasty) }, { origin: [new RegExp(nastySource, 'g')] }, { origin: [new RegExp(nastySource)] }, { origin: [new RegExp(`^(${nastySource}|b)+$`)] }, nastyFunction
    ].map((cors) => refusal(() => app.get('/', { config: { cors: cors as never } }, ok))),
    refusal(() => app.get(`/${nasty}`, { config: { cors: {} as never } }, ok)),
    await errorOf(t, { options: { [nasty]: 1 } }),
    await errorOf(t, { options: { policies: { [nasty]: {} } } }),
    await errorOf(t, { options: { policies: { [nasty]: { extends: nasty } } } }),
    await errorOf(t, { options: { policies: { [nasty]: { origin: '*' } }, defaultPolicy: 'unheard of' } }),
    await errorOf(t, { options: { logLevel: nasty } }),
    await errorOf(t, { define: { [nasty]: { origin: nasty } } })
  ]
  for (const error of errors) {
    const { problems, message } = error ?? fail('it was accepted')
    t.not(problems.length, 0)
    t.notMatch(message, RAW, quote(message))
    for (const problem of problems) t.notMatch(problem.message, /[\n]/, 'on one line')
    for (const problem of problems) t.notMatch(problem.message, RAW)
  }
})

t.test('a value is quoted in at most 121 characters, and as what it is', async (t) => {
  const QUOTED: ReadonlyArray<readonly [unknown, string]> = [
    ['text', '"text"'], ['', '""'], ['a"b\\c', '"a\\"b\\\\c"'], [5, '5'], [-0, '0'], [5n, '5'], [true, 'true'], [null, 'null'], [undefined, 'undefined'], [Symbol('a'), 'Symbol(a)'], [{}, 'an object'], [[], 'an array'], [/a\/b/i, '/a\\/b/i'],
    [() => {}, 'a function'], [fail, 'the function fail'], ['\u0007\u202e', '"\\u0007\\u202e"'], ['\u{e0041}', '"\\udb40\\udc41"'], ['😀 bücher', '"😀 bücher"']
  ]
  for (const [value, quoted] of QUOTED) t.equal(quote(value), quoted)
  t.equal(quote('a'.repeat(118)), `"${'a'.repeat(118)}"`, 'as long as may be')
  t.equal(quote('a'.repeat(119)), `"${'a'.repeat(119)}…`, 'one more')
  for (const value of ['a'.repeat(100_000), { ['f'.repeat(1000)]: () => {} }['f'.repeat(1000)], new RegExp('a'.repeat(1000))]) {
    t.ok(quote(value).length <= 121 && quote(value).endsWith('…'), quote(value))
  }
  t.equal(printable('a\u0000b\u{e0041}c\ud800'), 'a\\u0000b\\udb40\\udc41c\\ud800')
  t.equal(childPointer(childPointer('', 'a/b~1'), 0), '/a~1b~01/0')
})

t.test('the nearest word is suggested, if there is one', async (t) => {
  const words = ['public', 'partner', 'partners', 'x']
  const NEAREST: ReadonlyArray<readonly [string, string | undefined]> = [
    ['public', 'public'], ['PUBLIC', 'public'], ['publc', 'public'], ['pubilc', 'public'], ['publics', 'public'], ['partnes', 'partner'], ['partnerss', 'partners'], ['pbc', undefined], ['private', undefined], ['p', undefined], ['y', undefined], ['X', 'x'], ['', undefined], ['a'.repeat(10_000), undefined]
  ]
  t.equal(nearestWord('staffonly', ['STAFF-ONLY']), 'STAFF-ONLY', 'whatever its case')
  t.equal(nearestWord('abcdef', ['abcdefxx', 'abcdex']), 'abcdex', 'one letter replaced is nearer than two added')
  t.equal(nearestWord('abcdefxx', ['abcdef', 'abcdefxy']), 'abcdefxy', 'and nearer than two left out')
  for (const [text, word] of NEAREST) t.equal(nearestWord(text, words), word, `${text.slice(0, 20)} -> ${word ?? 'nothing'}`)
  t.equal(nearestWord('public', []), undefined)
})

t.test('each option of @fastify/cors is refused with what to write instead, and that is accepted', async (t) => {
  const INSTEAD: ReadonlyArray<readonly [string, unknown, string, Declaration?]> = [
    ['methods', ['GET'], 'leave it out: a preflight allows the methods that the URL has routes for'],
    ['delegator', () => {}, "leave it out: give each route its policy in config.cors, or decide in a policy's function: origin: (origin, request) => boolean", { route: { origin: (origin: string, request: unknown) => request !== undefined } }],
    ['hook', 'onRequest', 'leave it out: preflights are answered and headers are set in onRequest'],
    ['preflight', false, 'leave it out, and write cors: false on a route whose preflights go to your own OPTIONS route', { route: false }],
    ['preflight', true, 'leave it out: a preflight of a route that has a policy is answered before any handler runs'],
    ['preflightContinue', true, 'leave it out, and write cors: false on a route whose preflights go to your own OPTIONS route', { route: false }],
    ['preflightContinue', false, 'leave it out: a preflight of a route that has a policy is answered before any handler runs'],
    ['strictPreflight', false, 'leave it out: an OPTIONS request without Origin or Access-Control-Request-Method is no preflight, and goes to your own OPTIONS route'],
    ['cacheControl', 600, 'leave it out, and write maxAge: 600', { route: { origin: FOO, maxAge: 600 } }]
  ]
  for (const [key, value, instead, accepted] of INSTEAD) {
    for (const declaration of [{ route: { origin: FOO, [key]: value } }, { options: { [key]: value } }, { define: { policy: { origin: FOO, [key]: value } } }]) {
      const [problem, ...more] = await problemsOf(t, declaration)
      t.match(problem, { reason: 'unknown-property', message: `there is no option "${key}"; ${instead}` }, key)
      t.strictSame(more, [])
    }
    if (accepted !== undefined) t.equal(await errorOf(t, accepted), undefined)
  }
  const REGISTRATION: ReadonlyArray<readonly [string, unknown, string]> = [['hideOptionsRoute', false, 'false'], ['logLevel', 'warn', '"warn"'], ['policies', {}, '…'], ['defaultPolicy', 'public', '"public"']]
  for (const [key, value, code] of REGISTRATION) {
    t.match(await problemsOf(t, { route: { origin: FOO, [key]: value } }), [{ reason: 'unknown-property', message: `it belongs where the plugin is registered; write app.register(cors, { ${key}: ${code} })` }])
    t.equal(await errorOf(t, { options: { policies: POLICIES, [key]: value } }), undefined)
  }
  for (const [key, field] of [['origins', 'origin'], ['headers', 'allowedHeaders'], ['exposeHeaders', 'exposedHeaders'], ['allowCredentials', 'credentials'], ['supportsCredentials', 'credentials']]) {
    t.match(await problemsOf(t, { route: { origin: FOO, [key as string]: [] } }), [{ message: `did you mean "${field}"?` }])
    t.match(await problemsOf(t, { options: { [key as string]: [] } }), [{ message: `write defaultPolicy: { ${field}: … } for the routes that declare none` }])
  }
})

t.test('a function that decides through a callback is refused, however it is written', async (t) => {
  const decide = { origin (origin: string, done: () => void) { done() } }.origin
  for (const origin of [
    (origin: string, cb: () => void) => cb(), function (origin: string, callback: () => void) { callback() }, function named (origin: string, next: () => void) { next() }, async (origin: string, cb: () => void) => cb(), decide,
    // eslint-disable-next-line no-new-func -- so that comments and blanks are there when it runs
    new Function('return function (origin /* a, b */ = "x" , // the origin\n _cb) { _cb() }')() as () => void
  ]) t.match(await problemsOf(t, { route: { origin } }), [{ pointer: '/origin', reason: 'type', message: 'write (origin, request) => boolean, or an async function' }])
  for (const origin of [(origin: string) => origin === FOO, (origin: string, request: unknown) => request === origin, async (origin: string, { headers }: { headers: unknown }) => headers === origin, (cb: string) => cb === FOO, (origin: string, callbackUrl: unknown) => callbackUrl === origin, decide.bind(undefined), isDeepStrictEqual]) {
    t.equal(await errorOf(t, { route: { origin } }), undefined)
  }
})

t.test('a text that is not an origin is refused with the origin that was plainly meant', async (t) => {
  const MEANT: ReadonlyArray<readonly [string, string, string]> = [
    ['localhost:3000', '"http://localhost:3000"', 'http://localhost:3000'], ['127.0.0.1:3000', '"http://127.0.0.1:3000"', 'http://127.0.0.1:3000'], ['[::1]:3000', '"http://[::1]:3000"', 'http://[::1]:3000'], ['LocalHost:3000', '"http://localhost:3000"', 'http://localhost:3000'],
    ['example.com', '"https://example.com"', 'https://example.com'], ['App.Example.com/', '"https://app.example.com"', 'https://app.example.com'], ['//example.com', '"https://example.com"', 'https://example.com'], ['*://example.com', '"https://example.com"', 'https://example.com'], ['*.example.com', '"https://*.example.com"', 'https://a.example.com'], ['192.0.2.1', '"https://192.0.2.1"', 'https://192.0.2.1'],
    ['https://*example.com', '"https://*.example.com"', 'https://a.example.com'], ['https://**.example.com', '"https://*.example.com"', 'https://a.example.com'], ['https://*', '"*"', FOO], ['https://.example.com', '"https://*.example.com"', 'https://a.example.com'], ['https://a..example.com', '"https://a.example.com"', 'https://a.example.com'],
    [`${FOO}, ${BAR}`, `["${FOO}", "${BAR}"]`, BAR], [`${FOO} `, `"${FOO}"`, FOO], ['NULL', '"null"', 'null']
  ]
  for (const [text, code, origin] of MEANT) {
    const [problem] = await problemsOf(t, { route: { origin: text } })
    t.ok(problem?.message.includes(code), `${text}: ${problem?.message ?? ''}`)
    const app = await application(t)
    app.put('/', { config: { cors: { origin: JSON.parse(code) as string | string[] } } }, ok)
    t.match(await effect(app, '/', origin), { origin: code === '"*"' ? '*' : origin }, 'which allows it')
  }
  for (const text of ['', 'partner', 'a\u0000b', 'https://user@example.com', 'https://www.*.com', 'https://ex*mple.com']) t.notMatch((await problemsOf(t, { route: { origin: text } }))[0]?.message, /; write ["[]/, quote(text))
})

t.test('a value that is not a policy is refused with the policy that was meant', async (t) => {
  const BARE: ReadonlyArray<readonly [unknown, string]> = [
    ['partner', '"partner" is not a policy; write { extends: "partner" } for a named policy'],
    ['partnr', '"partnr" is not a policy; write { extends: "partner" } for a named policy'],
    ['unheard of', 'write { extends: "unheard of" } for a named policy'],
    ['*', '"*" is not a policy; write { origin: "*" }'],
    [FOO, `write { origin: "${FOO}" }`],
    [true, 'true is not a policy; write { origin: "https://app.example.com" }, { extends: "a name" } or, on a route, cors: false'],
    [null, 'null is not a policy; write { origin: "https://app.example.com" }, { extends: "a name" } or, on a route, cors: false'],
    [0, '0 is not a policy; write { origin: "https://app.example.com" }'],
    ['localhost:3000', '"localhost:3000" is not a policy; write { origin: "http://localhost:3000" }'],
    ['App.Example.com', 'write { origin: "https://app.example.com" }'],
    [[FOO], `an array is not a policy; write { origin: ["${FOO}"] }`],
    [[], 'an array is not a policy; write { origin: [ … ] }'],
    [[FOO, FOO, FOO, FOO], 'an array is not a policy; write { origin: [ … ] }'],
    [/^https:\/\/a$/, '/^https:\\/\\/a$/ is not a policy; write { origin: [/^https:\\/\\/a$/] }'],
    [/example\.com$/, 'write { origin: ["https://example.com", "https://*.example.com"] }'],
    [/^a$/, 'write { origin: [ … ] }'],
    [(origin: string) => origin === FOO, 'a function is not a policy; write { origin: (origin, request) => … } for a function that decides']
  ]
  for (const [route, message] of BARE) {
    const [problem, ...more] = await problemsOf(t, { route })
    t.match(problem, { pointer: '', reason: 'type', value: route })
    t.ok(problem?.message.includes(message), `it says: ${message}`)
    t.strictSame(more, [])
  }
})

t.test('a field or option that is undefined is refused, and not taken as left out', async (t) => {
  for (const field of ['credentials', 'allowedHeaders', 'exposedHeaders', 'maxAge', 'optionsSuccessStatus', 'dangerouslyAllowInsecureOrigins', 'dangerouslyAllowPublicSuffixes']) {
    const [problem, ...more] = await problemsOf(t, { route: { origin: FOO, [field]: undefined } })
    t.match(problem, { pointer: `/${field}`, reason: 'type', message: `undefined (an unset variable?) cannot be "${field}"; leave it out, or write ` }, field)
    t.strictSame(more, [])
    t.strictSame(await refusedAs(t, { extends: 'partner', [field]: undefined }), [`/${field} type`], `${field} is not inherited`)
  }
  t.match(await problemsOf(t, { route: { origin: undefined } }), [{ pointer: '/origin', reason: 'type', message: 'undefined (an unset variable?) cannot be "origin"; write an origin' }], 'what is required cannot be left out')
  t.match(await problemsOf(t, { route: { extends: 'public', origin: undefined } }), [{ pointer: '/origin', reason: 'type', message: 'leave it out, or write an origin' }])
  t.match(await problemsOf(t, { route: { extends: undefined, origin: FOO } }), [{ pointer: '/extends', reason: 'type', message: 'leave it out, or write the name of a policy' }])
  for (const option of ['policies', 'defaultPolicy', 'logLevel', 'hideOptionsRoute']) {
    t.match(await problemsOf(t, { options: { [option]: undefined } }), [{ pointer: `/${option}`, reason: 'type', value: undefined }], option)
  }
  t.match(await problemsOf(t, { options: { policies: { public: undefined } } }), [{ pointer: '/policies/public', reason: 'type' }])
})

/** What a policy does, seen from outside: its answers to a preflight and to a request of this origin. */
async function effect (app: FastifyInstance, url: string, origin = FOO): Promise<unknown> {
  const { statusCode, headers } = await preflight(app, 'PUT', url, { origin })
  return {
    status: statusCode,
    origin: headers['access-control-allow-origin'],
    credentials: headers['access-control-allow-credentials'],
    allows: headers['access-control-allow-headers'],
    maxAge: headers['access-control-max-age'],
    exposes: (await request(app, 'PUT', url, origin)).headers['access-control-expose-headers']
  }
}

t.test('an extending policy has the fields of the extended one, replaced by its own', async (t) => {
  const app = await application(t, {
    policies: {
      // out of order, so that names are resolved and not merely read
      last: { extends: 'middle', maxAge: 3, exposedHeaders: ['ETag'] },
      middle: { extends: 'first', allowedHeaders: ['x-b'], maxAge: 2 },
      first: { origin: FOO, credentials: true, allowedHeaders: ['x-a'], maxAge: 1, optionsSuccessStatus: 200 },
      __proto: { origin: BAR },
      constructor: { origin: BAR, credentials: true },
      ...JSON.parse('{ "__proto__": { "origin": "https://bar.other", "maxAge": 7 } }')
    }
  })
  const declare = (url: string, cors: cors.CorsPolicy): unknown => app.put(url, { config: { cors } }, ok)
  declare('/first', { extends: 'first' })
  declare('/middle', { extends: 'middle' })
  declare('/last', { extends: 'last' })
  declare('/own', { extends: 'last', origin: BAR, credentials: false, allowedHeaders: [], exposedHeaders: [], maxAge: 0, optionsSuccessStatus: 204 })
  declare('/alone', { origin: FOO })
  declare('/proto', { extends: '__proto__' })
  declare('/constructor', { extends: 'constructor' })
  const first = { status: 200, origin: FOO, credentials: 'true', allows: 'x-a', maxAge: '1', exposes: undefined }
  t.strictSame(await effect(app, '/first'), first)
  t.strictSame(await effect(app, '/middle'), { ...first, allows: 'x-b', maxAge: '2' })
  t.strictSame(await effect(app, '/last'), { ...first, allows: 'x-b', maxAge: '3', exposes: 'ETag' })
  t.strictSame(await effect(app, '/own', BAR), { status: 204, origin: BAR, credentials: undefined, allows: undefined, maxAge: '0', exposes: undefined })
  t.strictSame(await effect(app, '/alone'), { status: 204, origin: FOO, credentials: undefined, allows: 'content-type', maxAge: undefined, exposes: undefined }, 'a policy without extends has nothing but its own')
  t.match(await effect(app, '/proto', BAR), { origin: BAR, maxAge: '7' })
  t.match(await effect(app, '/constructor', BAR), { origin: BAR, credentials: 'true' })
})

t.test('a child scope adds names and shadows them, and its siblings do not see it', async (t) => {
  const app = await application(t, { policies: { base: { origin: FOO, maxAge: 1 }, other: { extends: 'base', credentials: true } }, defaultPolicy: 'base' })
  await app.register(async (child) => {
    await child.register(cors, { policies: { base: { extends: 'base', maxAge: 2 }, added: { extends: 'other', maxAge: 3 }, through: { extends: 'base', credentials: true } } })
    child.put('/base', { config: { cors: { extends: 'base' } } }, ok)
    child.put('/other', { config: { cors: { extends: 'other' } } }, ok)
    child.put('/added', { config: { cors: { extends: 'added' } } }, ok)
    child.put('/through', { config: { cors: { extends: 'through' } } }, ok)
    child.put('/default', ok)
    await child.register(async (grandchild) => {
      await grandchild.register(cors, { policies: { base: { extends: 'base', origin: BAR } }, defaultPolicy: { extends: 'base', credentials: true } })
      grandchild.put('/base', { config: { cors: { extends: 'base' } } }, ok)
      grandchild.put('/added', { config: { cors: { extends: 'added' } } }, ok)
      grandchild.put('/default', ok)
      t.match(refusal(() => grandchild.get('/x', { config: { cors: { extends: 'bas' } } }, ok)).message, 'did you mean "base"?')
      t.match(refusal(() => grandchild.get('/x', { config: { cors: { extends: 'unheard of' } } }, ok)).message, 'write one of "base", "added", "through", "other"')
    }, { prefix: '/inner' })
  }, { prefix: '/child' })
  await app.register(async (sibling) => {
    sibling.put('/base', { config: { cors: { extends: 'base' } } }, ok)
    t.match(refusal(() => sibling.get('/x', { config: { cors: { extends: 'added' } } }, ok)).problems, [{ pointer: '/extends', reason: 'unknown-policy' }])
  }, { prefix: '/sibling' })
  t.match(refusal(() => app.get('/x', { config: { cors: { extends: 'added' } } }, ok)).problems, [{ reason: 'unknown-policy' }])

  t.match(await effect(app, '/child/base'), { origin: FOO, maxAge: '2' }, "the parent's, with the child's own fields")
  t.match(await effect(app, '/child/other'), { origin: FOO, credentials: 'true', maxAge: '1' }, "the parent's policies extend the parent's")
  t.match(await effect(app, '/child/added'), { origin: FOO, credentials: 'true', maxAge: '3' })
  t.match(await effect(app, '/child/through'), { origin: FOO, credentials: 'true', maxAge: '2' }, "the child's policies extend the child's")
  t.match(await effect(app, '/child/default'), { origin: FOO, maxAge: '1' }, 'the default stays what it was')
  t.match(await effect(app, '/child/inner/base', BAR), { origin: BAR, maxAge: '2' })
  t.match(await effect(app, '/child/inner/added'), { origin: FOO, credentials: 'true', maxAge: '3' })
  t.match(await effect(app, '/child/inner/default', BAR), { origin: BAR, credentials: 'true', maxAge: '2' })
  t.match(await effect(app, '/sibling/base'), { origin: FOO, maxAge: '1' })
})

t.test('policies of a child scope extend those of parent scopes, and are refused if they extend those of siblings or each other in a circle', async (t) => {
  const child = (policies: Record<string, unknown>): Declaration => ({
    routes: async (app) => {
      await app.register(async (sibling) => { await sibling.register(cors, { policies: { added: { origin: FOO } } }) })
      await app.register(async (child) => { await child.register(cors, { policies: policies as Record<string, cors.CorsPolicy> }) })
    }
  })
  t.match(await problemsOf(t, child({ public: { extends: 'added' } })), [{ pointer: '/policies/public/extends', reason: 'unknown-policy' }])
  t.match(await problemsOf(t, child({ public: { extends: 'partner' }, partner: { extends: 'public' } })), [{ pointer: '/policies/partner/extends', reason: 'cyclic-extends' }], 'by another name, the one of this scope is meant')
  t.match(await problemsOf(t, child({ own: { extends: 'own' } })), [{ pointer: '/policies/own/extends', reason: 'cyclic-extends' }])
  t.equal(await errorOf(t, child({ public: { extends: 'public' }, partner: { extends: 'public' } })), undefined)
})

t.test('changing what was passed in, at any time, changes no policy', async (t) => {
  const regexp = /^https:\/\/foo\.example$/
  const options = {
    policies: {
      list: { origin: [FOO, regexp], allowedHeaders: ['x-a'], exposedHeaders: ['ETag'], maxAge: 1, credentials: false },
      pattern: { origin: [regexp] as Array<string | RegExp> }
    } as Record<string, { origin: Array<string | RegExp>, allowedHeaders?: string[], exposedHeaders?: string[], maxAge?: number, credentials?: boolean }>,
    defaultPolicy: 'list' as string | false
  }
  const { list, pattern } = options.policies as { list: { origin: Array<string | RegExp>, allowedHeaders: string[], exposedHeaders: string[], maxAge: number, credentials: boolean }, pattern: { origin: Array<string | RegExp> } }
  const app = await application(t, options)
  const route = { origin: [regexp], allowedHeaders: ['x-b'], exposedHeaders: ['Link'] }
  const config = { cors: route as cors.CorsPolicy }
  app.put('/before', { config }, ok)
  app.put('/named', { config: { cors: { extends: 'list' } } }, ok)

  const everything = (): void => {
    list.origin.push(EVIL)
    list.origin[0] = EVIL
    list.allowedHeaders[0] = 'x-evil'
    list.exposedHeaders.push('X-Evil')
    list.maxAge = 2
    list.credentials = true
    pattern.origin.length = 0
    options.policies.list = { origin: [EVIL] }
    delete options.policies.pattern
    options.policies.evil = { origin: [EVIL] }
    options.defaultPolicy = false
    regexp.compile('^.*$')
    regexp.lastIndex = 5
    route.origin.push(/^.*$/)
    route.allowedHeaders[0] = 'x-evil'
    route.exposedHeaders.push('X-Evil')
    config.cors = { origin: '*' }
  }
  everything()
  app.put('/after', { config: { cors: { extends: 'list' } } }, ok)
  app.put('/after-pattern', { config: { cors: { extends: 'pattern', maxAge: 3 } } }, ok)
  app.put('/default', ok)
  t.match(refusal(() => app.put('/evil', { config: { cors: { extends: 'evil' } } }, ok)).problems, [{ reason: 'unknown-policy' }])
  await app.ready()
  everything()

  const listed = { status: 204, origin: FOO, credentials: undefined, allows: 'x-a', maxAge: '1', exposes: 'ETag' }
  for (const url of ['/named', '/after', '/default']) t.strictSame(await effect(app, url), listed, url)
  t.match(await effect(app, '/before'), { status: 204, origin: FOO, allows: 'x-b', exposes: 'Link' })
  t.match(await effect(app, '/after-pattern'), { status: 204, origin: FOO, maxAge: '3' })
  for (const url of ['/named', '/after', '/default', '/before', '/after-pattern']) {
    for (let times = 0; times < 2; times++) t.strictSame(accessControl(await preflight(app, 'PUT', url, { origin: EVIL })), {}, `${url} refuses others, every time`)
  }
})

t.test('definePolicies returns complete, frozen policies that routes can use as values', async (t) => {
  const regexp = /^https:\/\/foo\.example$/
  const input = { base: { origin: [FOO, regexp], allowedHeaders: ['x-a'] }, heir: { extends: 'base', maxAge: 5 }, public: { origin: '*' as const } }
  const policies = definePolicies(input)
  t.strictSame(policies, { base: { origin: [FOO, /^https:\/\/foo\.example$/], allowedHeaders: ['x-a'] }, heir: { origin: [FOO, /^https:\/\/foo\.example$/], allowedHeaders: ['x-a'], maxAge: 5 }, public: { origin: '*' } })
  t.ok(Object.isFrozen(policies) && Object.values(policies).every((policy) => Object.isFrozen(policy) && Object.isFrozen(policy.origin) && Object.isFrozen(policy.allowedHeaders)), 'frozen')

  // Even the RegExps, which can be changed although they are frozen.
  const shown = policies.heir.origin as RegExp[]
  input.base.origin.push(EVIL)
  regexp.compile('^.*$')
  shown[1]?.compile('^.*$')
  const app = await application(t, { policies })
  app.put('/value', { config: { cors: policies.heir } }, ok)
  app.put('/name', { config: { cors: { extends: 'heir', maxAge: 6 } } }, ok)
  app.put('/spread', { config: { cors: { ...policies.public, maxAge: 7 } } }, ok)
  t.match(await effect(app, '/value'), { origin: FOO, allows: 'x-a', maxAge: '5' })
  t.match(await effect(app, '/name'), { origin: FOO, allows: 'x-a', maxAge: '6' })
  t.match(await effect(app, '/spread', EVIL), { origin: '*', maxAge: '7' })
  for (const url of ['/value', '/name']) t.equal((await preflight(app, 'PUT', url, { origin: EVIL })).statusCode, 403, url)

  const other = await application(t, { defaultPolicy: policies.base })
  other.put('/', ok)
  t.match(await effect(other, '/'), { origin: FOO, allows: 'x-a' }, 'a value needs no name')
  t.strictSame(Object.keys(definePolicies(JSON.parse('{ "__proto__": { "origin": "*" } }'))), ['__proto__'], 'a name is only a name')
})

t.test('policies are equal if they mean the same', async (t) => {
  const decide = (): boolean => true
  const SAME: ReadonlyArray<readonly [cors.CorsPolicy, cors.CorsPolicy]> = [
    [{ origin: FOO }, { origin: [FOO] }],
    [{ origin: [FOO, BAR] }, { origin: [BAR, FOO, BAR] }],
    [{ origin: [/^https:\/\/a$/] }, { origin: [/^https:\/\/a$/] }],
    [{ origin: FOO }, { origin: FOO, credentials: false, optionsSuccessStatus: 204 }],
    [{ origin: FOO, allowedHeaders: ['x-a', 'X-B'] }, { origin: FOO, allowedHeaders: ['x-b', 'X-A', 'x-a'] }],
    [{ origin: FOO, allowedHeaders: '*' }, { origin: FOO, allowedHeaders: ['*'] }],
    [{ origin: FOO, exposedHeaders: ['ETag', 'Link'] }, { origin: FOO, exposedHeaders: ['link', 'etag'] }],
    [{ origin: FOO, credentials: true }, { origin: FOO, credentials: true, dangerouslyAllowInsecureOrigins: true, dangerouslyAllowPublicSuffixes: true }],
    [{ origin: decide }, { origin: decide }],
    [{ extends: 'public' }, { origin: '*' }]
  ]
  const OTHER: ReadonlyArray<readonly [cors.CorsPolicy | false, cors.CorsPolicy | false]> = [
    [{ origin: FOO }, { origin: BAR }],
    [{ origin: FOO }, { origin: '*' }],
    [{ origin: [FOO] }, { origin: [FOO, BAR] }],
    [{ origin: [/^https:\/\/a$/] }, { origin: [/^https:\/\/a$/i] }],
    [{ origin: FOO }, { origin: FOO, credentials: true }],
    [{ origin: FOO }, { origin: FOO, maxAge: 0 }],
    [{ origin: FOO, maxAge: 5 }, { origin: FOO, maxAge: 6 }],
    [{ origin: FOO }, { origin: FOO, optionsSuccessStatus: 200 }],
    [{ origin: FOO }, { origin: FOO, allowedHeaders: [] }],
    [{ origin: FOO, allowedHeaders: ['x-a'] }, { origin: FOO, exposedHeaders: ['x-a'] }],
    [{ origin: FOO, allowedHeaders: ['*'] }, { origin: FOO, allowedHeaders: ['*', 'Authorization'] }],
    [{ origin: FOO }, { origin: FOO, exposedHeaders: [] }],
    [{ origin: () => true }, { origin: () => true }],
    [{ origin: FOO }, false]
  ]
  for (const [pairs, conflicts] of [[SAME, false], [OTHER, true]] as const) {
    for (const [one, other] of pairs) {
      const error = await errorOf(t, { routes: (app) => app.get('/', { ...versioned('1.0.0'), config: { cors: one } }, ok).get('/', { ...versioned('2.0.0'), config: { cors: other } }, ok) })
      t.equal(error?.problems[0]?.reason, conflicts ? 'conflict' : undefined, `${JSON.stringify(one)} and ${JSON.stringify(other)} are ${conflicts ? 'two' : 'one'}`)
    }
  }
})

t.test('a header that is listed twice is sent once', async (t) => {
  const app = await application(t)
  app.put('/', { config: { cors: { origin: FOO, allowedHeaders: ['x-a', 'X-A', 'x-b'], exposedHeaders: ['ETag', 'etag', 'Link'] } } }, ok)
  t.match(await effect(app, '/'), { allows: 'x-a, x-b', exposes: 'ETag, Link' })
})

t.test('the origin null is allowed only where it is named', async (t) => {
  const app = await application(t)
  app.put('/named', { config: { cors: { origin: ['null', FOO] } } }, ok)
  app.put('/other', { config: { cors: { origin: [FOO] } } }, ok)
  t.match(await effect(app, '/named', 'null'), { status: 204, origin: 'null' })
  t.match(await effect(app, '/other', 'null'), { status: 403, origin: undefined })
})

t.test('a policy that is refused leaves the application as it was', async (t) => {
  const app = await application(t, { policies: POLICIES })
  t.match(refusal(() => app.put('/', { config: { cors: { extends: 'partnr' } } }, ok)).code, 'FST_ERR_CORS_INVALID_POLICY')
  app.put('/', { config: { cors: { origin: FOO } } }, ok)
  t.match(await effect(app, '/'), { status: 204, origin: FOO })

  const refused = Fastify()
  await t.rejects(async () => await refused.register(cors, { policies: { a: { origin: 'a' } } }), { code: 'FST_ERR_CORS_INVALID_POLICY' })
})

t.test('a policy that was refused once is refused again with the same problems', async (t) => {
  const app = await application(t, { policies: POLICIES })
  for (const wrong of [{ origin: FOO, maxage: 5 }, { extends: 'public', methods: ['GET'] }, { origin: FOO, maxAge: -1 }]) {
    const errors = ['/once', '/again'].map((url) => refusal(() => app.get(url, { config: { cors: wrong as never } }, ok)))
    t.strictSame(errors[1]?.problems, errors[0]?.problems, JSON.stringify(wrong))
  }
})
