// app.cors.explain: for every reason a request that is blocked for it, with the sentence that says so, and the nearest one that is allowed. What
// the advice says to write is written, alternative by alternative, and has to make the request pass.
import { runInThisContext } from 'node:vm'
import t, { type Test } from 'tap'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import cors, { type CorsExplanation, type CorsQuestion, type CorsRefusalReason, type CorsPolicy, type RouteCors } from '../../lib/index'
import { fastify } from '../support/features'
import { troubles } from '../support/troubles'

const APP = 'https://app.example.com'
const EVIL = 'https://evil.example'

/** An application in a form that advice can be applied to. */
interface Spec {
  readonly policies?: Record<string, CorsPolicy>
  readonly defaultPolicy?: string | CorsPolicy
  /** Method, URL, `config.cors`, and the rest of the route's options. */
  readonly routes: ReadonlyArray<readonly [method: string, url: string, cors?: RouteCors | undefined, rest?: object]>
  readonly server?: FastifyServerOptions
  /** Before the plugin. */
  readonly before?: (app: FastifyInstance) => void
}

async function applicationOf (t: Test, { policies = {}, defaultPolicy, routes, server = {}, before }: Spec): Promise<FastifyInstance> {
  const app = fastify(server)
  t.teardown(() => app.close())
  before?.(app)
  await app.register(cors, { policies, ...(defaultPolicy !== undefined && { defaultPolicy }) })
  for (const [method, url, policy, rest] of routes) app.route({ method: method as 'GET', url, ...rest, config: policy === undefined ? {} : { cors: policy }, handler: never })
  return app
}

/** The handler of every route here. */
const never = async (): Promise<never> => { throw new Error('a handler ran') }

/** What a piece of advice says, as a change of the application or of the question. */
const WAYS: ReadonlyArray<readonly [pattern: RegExp, apply: (groups: string[], spec: Spec, question: CorsQuestion) => { spec?: Spec, question?: CorsQuestion }]> = [
  [/^(?:open the page at|request) (".*")$/, ([text = ''], _spec, question) => ({ question: { ...question, [text.startsWith('"/') ? 'url' : 'origin']: JSON.parse(text) } })],
  [/^write the method in capitals, (".*"):/, ([method = ''], _spec, question) => ({ question: { ...question, method: JSON.parse(method) } })],
  [/^send the request without credentials/, (_groups, _spec, question) => ({ question: { ...question, credentials: false } })],
  [/^let Fastify accept both with (routerOptions: .*)$/, ([options], spec) => ({ spec: { ...spec, server: value(`{ ${options} }`) as object } })],
  [/^write config: \{ cors: (.*) \} on (\S+) ([^ ,]+)/, ([policy, method, url], spec) => ({ spec: withRoute(spec, method, url, () => value(policy) as CorsPolicy) })],
  [/^declare (?:the route|a route for \S+ at this URL), with config: \{ cors: (.*) \}$/, ([policy], spec, { method = 'GET', url }) => ({ spec: { ...spec, routes: [...spec.routes, [method, url, value(policy) as CorsPolicy]] } })],
  [/^(?:write|add) (.*) (?:in|of) the policy "(\w+)"$/, ([what = '', name = ''], spec) => ({ spec: { ...spec, policies: { ...spec.policies, [name]: changed(spec.policies?.[name], what) } } })],
  [/^(?:write|add) (.*) (?:in|of) config\.cors of (\S+) (\S+)$/, ([what = '', method, url], spec) => ({ spec: withRoute(spec, method, url, (now) => changed(now, what)) })],
  [/^(?:write|add) (.*) (?:in|of) defaultPolicy$/, ([what = ''], spec) => ({ spec: { ...spec, defaultPolicy: changed(spec.defaultPolicy as CorsPolicy, what) } })],
  [/^declare "([^"]*)" in the route's schema\.headers$/, ([name = ''], spec) => ({ spec: { ...spec, routes: spec.routes.map(([method, url, policy]) => [method, url, policy, { schema: { headers: { type: 'object', properties: { [name]: {} } } } }]) } })]
]

function value (code: string | undefined): unknown {
  return runInThisContext(`(${code})`)
}

function withRoute (spec: Spec, method: string | undefined, url: string | undefined, change: (now: RouteCors | undefined) => RouteCors): Spec {
  return { ...spec, routes: spec.routes.map((route) => route[0] === method && route[1] === url ? [method, url, change(route[2]), route[3]] : route) as Spec['routes'] }
}

/** Such as `"X-One" to allowedHeaders`, or `credentials: true`. */
function changed (policy: RouteCors | undefined, what: string): CorsPolicy {
  const [, values, field] = /^(".*") to (\w+)$/.exec(what) ?? []
  const change = field === undefined ? value(`{ ${what} }`) as object : { [field]: [...[(policy as unknown as Record<string, string[]>)[field] as string[]].flat(), ...value(`[${values}]`) as string[]] }
  return { ...policy as object, ...change } as CorsPolicy
}

interface Case {
  /** When the reason is given: the end of the test's title. */
  readonly name: string
  readonly spec: Spec
  readonly question: CorsQuestion
  readonly message: string
  readonly advice: string
  /** Where the advice is not one of the forms above: what it comes to. */
  readonly mended?: { spec?: Spec, question?: CorsQuestion }
}

const PARTNER: CorsPolicy = { origin: [APP, 'https://*.partners.example.com'], credentials: true, allowedHeaders: ['Content-Type'] }
const put = (changes: Partial<CorsQuestion> = {}): CorsQuestion => ({ origin: APP, method: 'PUT', url: '/items/7', ...changes })
const items: Spec = { policies: { partner: PARTNER }, routes: [['PUT', '/items/:id', { extends: 'partner' }]] }
const NEVER = (): never => { throw new Error('out of order') }

const CASES: { readonly [Reason in Exclude<CorsRefusalReason, 'ambiguous-route'>]: readonly Case[] } = {
  'no-route': [
    {
      name: 'no route has the URL',
      spec: items,
      question: put({ url: '/nothing', headers: { 'X-One': '1' }, credentials: true }),
      message: 'no route answers PUT "/nothing"',
      advice: 'declare the route, with config: { cors: { origin: "https://app.example.com", credentials: true, allowedHeaders: ["x-one"] } }; or write another URL in the request'
    },
    {
      name: 'the URL has a trailing slash, and the route has none',
      spec: items,
      question: put({ url: '/items/7/?a=b' }),
      message: 'no route answers PUT "/items/7/?a=b"; there is one for "/items/7?a=b"',
      advice: 'request "/items/7?a=b", or let Fastify accept both with routerOptions: { ignoreTrailingSlash: true }'
    },
    {
      name: 'the URL lacks the trailing slash of the route, without a preflight',
      spec: { routes: [['GET', '/list/', { origin: '*' }]] },
      question: { origin: APP, url: '/list' },
      message: 'no route answers GET "/list"; there is one for "/list/"',
      advice: 'request "/list/", or let Fastify accept both with routerOptions: { ignoreTrailingSlash: true }'
    }
  ],
  'no-policy': [
    {
      name: 'the route declares nothing, and no named policy allows the request',
      spec: { policies: { partner: PARTNER }, routes: [['GET', '/plain']] },
      question: { origin: EVIL, url: '/plain' },
      message: 'GET /plain declares no policy, and its scope has no default policy',
      advice: 'write config: { cors: { origin: "https://evil.example" } } on GET /plain'
    },
    {
      name: 'the route declares nothing, but a named policy allows the request',
      spec: { policies: { other: { origin: EVIL }, partner: PARTNER }, routes: [['PUT', '/plain']] },
      question: put({ url: '/plain', credentials: true, headers: { 'content-type': 'application/json' } }),
      message: 'PUT /plain declares no policy, and its scope has no default policy',
      advice: 'write config: { cors: { extends: "partner" } } on PUT /plain'
    },
    {
      name: 'the route declares nothing, and no named policy allows the request for certain',
      spec: { policies: { asked: { origin: () => true, credentials: true }, plain: { origin: APP }, other: { origin: EVIL }, any: { origin: '*', allowedHeaders: '*' } }, routes: [['PUT', '/plain']] },
      question: put({ url: '/plain', headers: { Authorization: 'Bearer 1', 'x-one': '1' } }),
      message: 'PUT /plain declares no policy, and its scope has no default policy',
      advice: 'write config: { cors: { origin: "https://app.example.com", allowedHeaders: ["authorization", "x-one"] } } on PUT /plain'
    },
    {
      name: 'the route declares nothing, but a named policy allows any header',
      spec: { policies: { any: { origin: APP, allowedHeaders: '*' } }, routes: [['PUT', '/plain']] },
      question: put({ url: '/plain', headers: { 'x-one': '1' } }),
      message: 'PUT /plain declares no policy, and its scope has no default policy',
      advice: 'write config: { cors: { extends: "any" } } on PUT /plain'
    },
    {
      name: 'the route declares nothing, and no policy can name the origin',
      spec: { routes: [['GET', '/plain']] },
      question: { origin: 'https://a$.example', url: '/plain' },
      message: 'GET /plain declares no policy, and its scope has no default policy',
      advice: 'serve the page from a host whose labels have letters, digits and hyphens only, at most 63 characters each and 253 together',
      mended: { spec: { routes: [['GET', '/plain', { origin: APP }]] }, question: { origin: APP, url: '/plain' } }
    },
    {
      name: 'the route declares nothing, and the origin is null',
      spec: { routes: [['GET', '/plain']] },
      question: { origin: 'null', url: '/plain' },
      message: 'GET /plain declares no policy, and its scope has no default policy',
      advice: 'give the page an origin of its own (a sandboxed frame: with allow-same-origin)',
      mended: { spec: { routes: [['GET', '/plain', { origin: APP }]] }, question: { origin: APP, url: '/plain' } }
    }
  ],
  off: [{
    name: 'the route declares cors: false',
    spec: { routes: [['GET', '/internal', false]] },
    question: { origin: APP, url: '/internal', credentials: true },
    message: 'GET /internal declares cors: false, so no page of another origin may use it',
    advice: 'cors: false is a decision of whoever declared GET /internal; if pages of other origins are meant to use it, write a policy that lists this origin in its place',
    mended: { spec: { routes: [['GET', '/internal', { origin: APP, credentials: true }]] } }
  }],
  'origin-not-allowed': [
    {
      name: 'the list of the policy lacks the origin',
      spec: items,
      question: put({ origin: EVIL }),
      message: 'the policy "partner" of PUT /items/:id does not allow the origin "https://evil.example"',
      advice: 'add "https://evil.example" to origin of the policy "partner"'
    },
    {
      name: 'the policy of the route has one origin, and the page another',
      spec: { routes: [['GET', '/one', { origin: APP }]] },
      question: { origin: EVIL, url: '/one' },
      message: 'the policy of GET /one does not allow the origin "https://evil.example"',
      advice: 'write origin: ["https://app.example.com", "https://evil.example"] in config.cors of GET /one'
    },
    {
      name: 'the policy allows the same host on another port',
      spec: items,
      question: put({ origin: `${APP}:8443` }),
      message: 'the policy "partner" of PUT /items/:id does not allow the origin "https://app.example.com:8443"; it does allow "https://app.example.com", the same host on another port',
      advice: 'open the page at "https://app.example.com", or add "https://app.example.com:8443" to origin of the policy "partner"'
    },
    {
      name: 'a policy with credentials allows the same host over https',
      spec: items,
      question: put({ origin: 'http://app.example.com' }),
      message: 'the policy "partner" of PUT /items/:id does not allow the origin "http://app.example.com"; it does allow "https://app.example.com", the same host over https',
      advice: 'open the page at "https://app.example.com"'
    },
    {
      name: 'the policy allows the same host with "www."',
      spec: { routes: [['GET', '/one', { origin: ['https://www.example.com'] }]] },
      question: { origin: 'https://example.com', url: '/one' },
      message: 'the policy of GET /one does not allow the origin "https://example.com"; it does allow "https://www.example.com", the same host with "www."',
      advice: 'open the page at "https://www.example.com", or add "https://example.com" to origin of config.cors of GET /one'
    },
    {
      name: 'the policy allows the same host without "www.", on any port',
      spec: { routes: [['GET', '/one', { origin: ['https://example.com:*'] }]] },
      question: { origin: 'https://www.example.com:8443', url: '/one' },
      message: 'the policy of GET /one does not allow the origin "https://www.example.com:8443"; it does allow "https://example.com:8443", the same host without "www."',
      advice: 'open the page at "https://example.com:8443", or add "https://www.example.com:8443" to origin of config.cors of GET /one'
    },
    {
      name: 'the policy allows the same host over https, on any port',
      spec: { routes: [['GET', '/one', { origin: ['https://example.com:*'] }]] },
      question: { origin: 'http://example.com:8080', url: '/one' },
      message: 'the policy of GET /one does not allow the origin "http://example.com:8080"; it does allow "https://example.com:8080", the same host over https',
      advice: 'open the page at "https://example.com:8080", or add "http://example.com:8080" to origin of config.cors of GET /one'
    },
    {
      name: 'a pattern allows the subdomains of the host, on any port',
      spec: { routes: [['GET', '/one', { origin: ['https://*.example.com:*', /^https:\/\/c\d\.test$/] }]] },
      question: { origin: 'https://example.com:8443', url: '/one' },
      message: 'the policy of GET /one does not allow the origin "https://example.com:8443"; it does allow "https://www.example.com:8443", a subdomain: the pattern does not match the host itself',
      advice: 'open the page at "https://www.example.com:8443", or add "https://example.com:8443" to origin of config.cors of GET /one'
    },
    {
      name: 'the default policy lacks the origin',
      spec: { defaultPolicy: { origin: [APP] }, routes: [['GET', '/one']] },
      question: { origin: EVIL, url: '/one' },
      message: 'the policy of GET /one does not allow the origin "https://evil.example"',
      advice: 'add "https://evil.example" to origin of defaultPolicy'
    },
    {
      name: 'a pattern allows the subdomains of the host',
      spec: items,
      question: put({ origin: 'https://partners.example.com' }),
      message: 'the policy "partner" of PUT /items/:id does not allow the origin "https://partners.example.com"; it does allow "https://www.partners.example.com", a subdomain: the pattern does not match the host itself',
      advice: 'open the page at "https://www.partners.example.com", or add "https://partners.example.com" to origin of the policy "partner"'
    },
    {
      name: 'the origin function returns false',
      spec: { routes: [['PUT', '/items/:id', { origin: () => false }]] },
      question: put(),
      message: 'the policy of PUT /items/:id has an origin function that did not return true for the origin "https://app.example.com"',
      advice: 'make the origin function of config.cors of PUT /items/:id return true for "https://app.example.com"',
      mended: { spec: { routes: [['PUT', '/items/:id', { origin: () => true }]] } }
    },
    {
      name: 'the origin function resolves to false, without a preflight',
      spec: { routes: [['GET', '/one', { origin: async () => false }]] },
      question: { origin: APP, url: '/one' },
      message: 'the policy of GET /one has an origin function that did not return true for the origin "https://app.example.com"',
      advice: 'make the origin function of config.cors of GET /one return true for "https://app.example.com"',
      mended: { spec: { routes: [['GET', '/one', { origin: async () => true }]] } }
    },
    {
      name: 'the policy has credentials, and so cannot allow the origin',
      spec: items,
      question: put({ origin: 'http://elsewhere.example' }),
      message: 'the policy "partner" of PUT /items/:id does not allow the origin "http://elsewhere.example"',
      advice: 'serve the page over https and allow that origin: a policy with credentials allows this one only with dangerouslyAllowInsecureOrigins: true',
      mended: { spec: { ...items, policies: { partner: { ...PARTNER, origin: [APP, 'https://elsewhere.example'] } as CorsPolicy } }, question: put({ origin: 'https://elsewhere.example' }) }
    }
  ],
  'null-origin': [
    {
      name: 'the policy could allow null',
      spec: { policies: { plain: { origin: [APP] } }, routes: [['PUT', '/items/:id', { extends: 'plain', maxAge: 5 }]] },
      question: put({ origin: 'null' }),
      message: 'the page has the origin "null", as sandboxed frames and local files do, which the policy of PUT /items/:id (extends "plain") does not allow',
      advice: 'give the page an origin of its own (a sandboxed frame: with allow-same-origin), or add "null" to origin of the policy "plain"'
    },
    {
      name: 'the policy has credentials, and so cannot allow null',
      spec: items,
      question: put({ origin: 'null' }),
      message: 'the page has the origin "null", as sandboxed frames and local files do, which the policy "partner" of PUT /items/:id does not allow',
      advice: 'give the page an origin of its own (a sandboxed frame: with allow-same-origin)',
      mended: { question: put() }
    }
  ],
  'invalid-origin': [{
    name: 'the host of the page has a label that DNS does not allow',
    spec: items,
    question: put({ origin: `https://${'a'.repeat(64)}.example` }),
    message: `"https://${'a'.repeat(64)}.example" cannot be an entry of a policy, because its host is not a valid DNS name; the policy "partner" of PUT /items/:id does not allow it`,
    advice: 'serve the page from a host whose labels have letters, digits and hyphens only, at most 63 characters each and 253 together',
    mended: { spec: { routes: [['PUT', '/items/:id', { origin: `https://${'a'.repeat(63)}.example` }]] }, question: put({ origin: `https://${'a'.repeat(63)}.example` }) }
  }],
  'method-not-routed': [
    {
      name: 'the URL has routes for other methods only',
      spec: items,
      question: put({ method: 'PATCH', credentials: true }),
      message: 'no route answers PATCH "/items/7"; the URL has PUT',
      advice: 'declare a route for PATCH at this URL, with config: { cors: { extends: "partner" } }; or use PUT',
      mended: { question: put({ credentials: true }) }
    },
    {
      name: 'the method is written in lower case',
      spec: { routes: [['PATCH', '/items/:id', { origin: APP }]] },
      question: put({ method: 'patch' }),
      message: 'no route answers patch "/items/7"; the URL has PATCH',
      advice: 'write the method in capitals, "PATCH": browsers change the case of DELETE, GET, HEAD, OPTIONS, POST and PUT only'
    },
    {
      name: 'a method that needs no preflight has no route',
      spec: items,
      question: put({ method: 'POST' }),
      message: 'no route answers POST "/items/7"; the URL has PUT',
      advice: 'declare a route for POST at this URL, with config: { cors: { extends: "partner" } }; or use PUT',
      mended: { question: put() }
    }
  ],
  'header-not-allowed': [
    {
      name: 'the policy lists other headers',
      spec: items,
      question: put({ headers: { 'content-type': 'application/json', 'X-Two': '2', 'x-one': '1' } }),
      message: 'the policy "partner" of PUT /items/:id does not allow the headers "x-one", "X-Two"',
      advice: 'add "x-one", "X-Two" to allowedHeaders of the policy "partner"'
    },
    {
      name: 'the route itself lists no headers',
      spec: { policies: { partner: PARTNER }, routes: [['PUT', '/items/:id', { extends: 'partner', allowedHeaders: [] }]] },
      question: put({ headers: { 'X-One': '1' } }),
      message: 'the policy of PUT /items/:id (extends "partner") does not allow the header "X-One"',
      advice: 'add "X-One" to allowedHeaders of config.cors of PUT /items/:id'
    },
    {
      name: 'the allowed headers are derived from the route',
      spec: { policies: { open: { origin: '*' } }, routes: [['PUT', '/items/:id', { extends: 'open' }]] },
      question: put({ headers: { 'X-One': '1' } }),
      message: 'the policy "open" of PUT /items/:id does not allow the header "X-One"',
      advice: 'write allowedHeaders: ["content-type", "X-One"] in config.cors of PUT /items/:id, or declare "X-One" in the route\'s schema.headers'
    },
    {
      name: 'Authorization is not listed beside the wildcard',
      spec: { routes: [['PUT', '/items/:id', { origin: '*', allowedHeaders: '*' }]] },
      question: put({ headers: { 'X-One': '1', Authorization: 'Bearer 1' } }),
      message: 'the policy of PUT /items/:id does not allow the header "Authorization"',
      advice: 'write allowedHeaders: ["*", "Authorization"] in config.cors of PUT /items/:id'
    }
  ],
  'credentials-not-allowed': [
    {
      name: 'the policy has no credentials',
      spec: { policies: { plain: { origin: [APP] } }, routes: [['PUT', '/items/:id', { extends: 'plain' }]] },
      question: put({ credentials: true }),
      message: 'the policy "plain" of PUT /items/:id allows "https://app.example.com", but not with credentials',
      advice: 'write credentials: true in the policy "plain", or send the request without credentials'
    },
    {
      name: 'the policy allows every origin',
      spec: { routes: [['GET', '/status', { origin: '*' }]] },
      question: { origin: APP, url: '/status', credentials: true },
      message: 'the policy of GET /status allows "https://app.example.com", but not with credentials',
      advice: 'write credentials: ["https://app.example.com"] in config.cors of GET /status, or send the request without credentials'
    },
    {
      name: 'the policy has credentials for other origins only',
      spec: { policies: { some: { origin: '*', credentials: [APP] } }, routes: [['PUT', '/items/:id', { extends: 'some' }]] },
      question: put({ origin: EVIL, credentials: true }),
      message: 'the policy "some" of PUT /items/:id allows "https://evil.example", but not with credentials',
      advice: 'add "https://evil.example" to credentials of the policy "some", or send the request without credentials'
    },
    {
      name: 'the policy allows null, with which credentials cannot be allowed',
      spec: { routes: [['GET', '/status', { origin: 'null' }]] },
      question: { origin: 'null', url: '/status', credentials: true },
      message: 'the policy of GET /status allows "null", but not with credentials',
      advice: 'send the request without credentials: no policy can allow them to "null"'
    }
  ],
  'answered-before': [{
    name: 'an authentication hook answers the preflight',
    spec: { ...items, before: (app) => { app.addHook('onRequest', async (request, reply) => request.headers.authorization === undefined ? reply.code(401).send() : undefined) } },
    question: put(),
    message: 'a hook or a route that comes first answered the preflight with 401, before the policy "partner" of PUT /items/:id could',
    advice: 'register fastify-cors-policy before the hook or the plugin that answers: preflights carry no credentials, so no hook can authenticate them',
    mended: { spec: items }
  }, {
    name: 'a hook forbids preflights',
    spec: { ...items, before: (app) => { app.addHook('onRequest', async (request, reply) => request.method === 'OPTIONS' ? reply.code(403).send() : undefined) } },
    question: put(),
    message: 'a hook or a route that comes first answered the preflight with 403, before the policy "partner" of PUT /items/:id could',
    advice: 'register fastify-cors-policy before the hook or the plugin that answers: preflights carry no credentials, so no hook can authenticate them',
    mended: { spec: items }
  }, {
    name: 'a hook answers before an origin function can be asked, without a preflight',
    spec: { routes: [['GET', '/one', { origin: () => true }]], before: (app) => { app.addHook('onRequest', async (request, reply) => request.headers.authorization === undefined ? reply.code(401).send() : undefined) } },
    question: { origin: APP, url: '/one' },
    message: 'a hook or a route that comes first answered the preflight with 401, before the policy of GET /one could',
    advice: 'register fastify-cors-policy before the hook or the plugin that answers: preflights carry no credentials, so no hook can authenticate them',
    mended: { spec: { routes: [['GET', '/one', { origin: () => true }]] } }
  }],
  'invalid-request-headers': [{
    name: 'the names of the headers are too long together',
    spec: { routes: [['PUT', '/items/:id', { origin: '*', allowedHeaders: '*' }]] },
    question: put({ headers: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`x-${index}-${'a'.repeat(220)}`, '1'])) }),
    message: 'the names of the request\'s headers are longer than 4096 characters together, so the policy of PUT /items/:id does not read them',
    advice: 'send fewer headers, or shorter names',
    mended: { question: put({ headers: Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`x-${index}-${'a'.repeat(220)}`, '1'])) }) }
  }],
  'forbidden-method': [{
    name: 'the method is TRACE',
    spec: items,
    question: put({ method: 'trace' }),
    message: 'no page can use the method trace: browsers forbid it',
    advice: 'use another method than trace, such as POST',
    mended: { spec: { routes: [['POST', '/items/:id', { origin: '*' }]] }, question: put({ method: 'POST' }) }
  }],
  'origin-function-failed': [
    {
      name: 'the origin function throws',
      spec: { routes: [['PUT', '/items/:id', { origin: NEVER }]] },
      question: put(),
      message: 'the origin function of the policy of PUT /items/:id failed for "https://app.example.com", so the origin is refused; the log has the error',
      advice: 'fix the origin function of config.cors of PUT /items/:id, so that it returns true or false',
      mended: { spec: { routes: [['PUT', '/items/:id', { origin: () => true }]] } }
    },
    {
      name: 'the origin function rejects, without a preflight',
      spec: { policies: { asked: { origin: async () => NEVER() } }, routes: [['GET', '/one', { extends: 'asked' }]] },
      question: { origin: APP, url: '/one' },
      message: 'the origin function of the policy "asked" of GET /one failed for "https://app.example.com", so the origin is refused; the log has the error',
      advice: 'fix the origin function of the policy "asked", so that it returns true or false',
      mended: { spec: { policies: { asked: { origin: async () => true } }, routes: [['GET', '/one', { extends: 'asked' }]] } }
    }
  ]
}

async function explain (t: Test, spec: Spec, question: CorsQuestion): Promise<CorsExplanation> {
  const explanation = await (await applicationOf(t, spec)).cors.explain(question)
  t.strictSame(JSON.parse(JSON.stringify(explanation)), explanation, 'plain JSON')
  return explanation
}

/** The alternatives of a piece of advice. */
function alternatives (advice: string): string[] {
  return advice.split(/[,;] or (?=write|add|open|send|let|declare|use|request)/)
}

for (const [reason, cases] of Object.entries(CASES)) {
  t.test(`explain gives the reason ${reason}, and its advice makes the request pass`, async (t) => {
    t.ok(cases.some(({ advice }) => troubles.find((each) => each.reason === reason)?.advice.test(advice)), 'docs/troubleshooting.md says so')
    for (const { name, spec, question, message, advice, mended } of cases) {
      await t.test(`${reason} is given where ${name}`, async (t) => {
        const answer = await explain(t, spec, question)
        t.match(answer, { allowed: false, reason })
        t.equal(answer.message, message)
        t.equal(answer.advice, advice)
        let tried = 0
        for (const alternative of alternatives(advice)) {
          const [pattern, apply] = WAYS.find(([each]) => each.test(alternative)) ?? []
          if (pattern === undefined || apply === undefined) continue
          tried++
          const [, ...groups] = pattern.exec(alternative) as unknown as string[]
          const { spec: changedSpec = spec, question: changedQuestion = question } = apply(groups, spec, question)
          const again = await explain(t, changedSpec, changedQuestion)
          t.match(again, { allowed: true, reason: null, advice: null }, `${alternative}: ${again.message}`)
        }
        if (mended !== undefined) {
          tried++
          const again = await explain(t, mended.spec ?? spec, mended.question ?? question)
          t.match(again, { allowed: true, reason: null, advice: null }, `as advised: ${again.message}`)
        }
        t.not(tried, 0, 'the advice was tried out')
      })
    }
  })
}
