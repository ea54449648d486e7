// The random applications of the routing fuzzer, as plain data: what is declared, in which order, and what is asked of it. Made by fast-check, so that
// a counterexample shrinks and can be printed; application.ts builds it.
import fc from 'fast-check'

export const A = 'https://a.example'
export const B = 'https://b.example'

/** What a route declares. Each policy allows origins of its own, so that an answer tells which policy it was. */
export const POLICIES = {
  A: { origin: A },
  B: { origin: B },
  AB: { origin: [A, B] },
  off: false,
  none: undefined
} as const

export type PolicyName = keyof typeof POLICIES

/** A host as text, or as the source of a RegExp. */
export type Host = string | { readonly source: string }

export interface Constraints { readonly host?: Host, readonly version?: string, readonly [custom: string]: unknown }

export interface RouteStep {
  readonly step: 'route'
  readonly url: string
  /** `['ALL']` is `app.all`. */
  readonly methods: readonly string[]
  readonly policy: PolicyName
  readonly constraints: Constraints
  /** Its constraints are one object that other routes use too: each writes its own into it before it is declared. */
  readonly sharesConstraints?: true | undefined
  readonly exposeHead?: boolean | undefined
  readonly slash?: 'both' | 'slash' | 'no-slash' | undefined
  /** Refused by Fastify after the onRoute hooks have seen it; the application goes on. */
  readonly refused?: boolean | undefined
  /** Its `config` is an object that other routes of the same policy use too. */
  readonly sharesConfig?: boolean | undefined
  /** What the application writes into its own object after the declaration. */
  readonly afterwards?: PolicyName | undefined
  /** Whether app.cors is asked for the routes so far after it. */
  readonly asks?: true | undefined
}

export interface ScopeStep { readonly step: 'scope', readonly prefix: string, readonly awaited: boolean, readonly steps: readonly Step[] }

export interface RegisterStep { readonly step: 'register', readonly awaited: boolean, readonly defaultPolicy: 'A' | 'B' | 'off' | 'none' }

/** What an onRoute hook does to a route. */
export type Change =
  | { readonly change: 'cors', readonly to: PolicyName | 'wrong' | 'deleted', readonly how: 'in place' | 'replaced' | 'copied from another route' }
  | { readonly change: 'url', readonly to: string }
  | { readonly change: 'method', readonly to: string }
  | { readonly change: 'constraints', readonly to: Constraints }
  | { readonly change: 'declare', readonly route: RouteStep }
  /** Changes nothing: asks app.cors for the routes so far. */
  | { readonly change: 'ask' }

export interface HookStep {
  readonly step: 'hook'
  /** The number of the route it changes; -1 is every route that it is shown, the plugin's own included. */
  readonly target: number
  readonly method?: string | undefined
  readonly change: Change
}

export type Step = RouteStep | ScopeStep | RegisterStep | HookStep

/** A constraint strategy of the application's own. */
export interface Strategy {
  readonly name: string
  /** A header, or the request's host: without its port, or always with one. */
  readonly from: string
  readonly mustMatch: boolean
  /** What it derives where the header is not there. */
  readonly otherwise?: string | undefined
  readonly matches: 'equal' | 'prefix'
  /** Added by `addConstraintStrategy`, before everything else or after the first registration. */
  readonly added?: 'first' | 'after the registration' | undefined
}

export interface Table {
  /** The options of the router in `routerOptions`; undefined where the application writes none. */
  readonly router: Record<string, unknown> | undefined
  /** Those at the top level, where Fastify took them before 5.5. */
  readonly topLevel: Record<string, unknown>
  /** Whether the application is made before the package is imported. */
  readonly isMadeBeforeImport: boolean
  /** Whether the application has a not-found handler of its own. */
  readonly handlesNotFound: boolean
  readonly strategies: readonly Strategy[]
  readonly addsMethods: boolean
  /** `exposeHeadRoutes` */
  readonly exposesHead: boolean
  readonly steps: readonly Step[]
  readonly asks: readonly Ask[]
}

/** A request to announce: to the URL of one of the routes, with values for its parameters. */
export interface Ask {
  readonly route: number
  readonly values: readonly string[]
  readonly twist: string
  readonly method: string
  readonly host: string
  readonly announcesVersion: boolean
}

const METHODS = ['GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'POST', 'PROPFIND'] as const

/** Parts of URLs: few, so that routes meet. */
const SEGMENTS = ['a', 'b', ':x', ':y', 'A', ':x(^\\d+$)', ':y(^[a-z]$)', ':x(^(?:1|a)$)', ':x.json', ':x-:y', ':y(^\\d+)-:x', ':x.:y', 'a.json', 'a::b', ''] as const
const ENDS = ['', '', '', '/', '/*', '*', '/:z?', '/:w?', '/a*'] as const
const VALUES = ['a', 'b', '1', '12', 'A', 'x', 'a.json', '1-2', 'a-b', 'a.b', '', 'a:b', '%61', 'a%2Fb', 'a;b', '%C3%A9', 'abcdefgh', 'a/b', '%zz'] as const
const TWISTS = ['', '', '', '', 'slash', 'no slash', 'double', 'upper', 'lower', 'semicolon', 'query', 'shorter', 'longer', 'absolute'] as const
const HOSTS: readonly Host[] = ['a.test', 'b.test', { source: '^[ab]\\.test$' }, { source: '^a' }, { source: 'test$' }, 'a.test:80']
const REQUEST_HOSTS = ['a.test', 'b.test', 'c.test', 'a.test:80', 'b.test:80'] as const
/** Two of one major version, so that `1.x` is one or the other. */
const VERSIONS = ['1.0.0', '1.2.0', '2.0.0'] as const
/** The one begins with the other. */
const CUSTOM = ['one', 'on'] as const

interface Features {
  hosts?: boolean
  versions?: boolean
  custom?: boolean
  ownHost?: boolean
  ownVersion?: boolean
  hooks?: boolean
  /** Only hooks add the constraints of strategies of the application's own: no declaration shows them. */
  hooksConstrain?: boolean
  routerOptions?: boolean
  /** Options at the top level, beside others in `routerOptions` or alone. */
  topLevel?: boolean
  /** Options of another type than documented: what the router makes of them, and what `initialConfig` shows, are two things. */
  otherTypes?: boolean
  added?: boolean
  sharedConstraints?: boolean
  /** The registration stands somewhere between the routes. */
  late?: boolean
  scopes?: boolean
  refused?: boolean
}

/** One part of a table in so many is something else. */
function sometimes<Value> (value: fc.Arbitrary<Value>, weight = 1, others = 3): fc.Arbitrary<Value | undefined> {
  return fc.oneof({ weight: others, arbitrary: fc.constant(undefined) }, { weight, arbitrary: value })
}

function present<Value extends object> (record: Value): Value {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Value
}

const url = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(fc.array(fc.constantFrom(...SEGMENTS), { minLength: 1, maxLength: 2 }), fc.constantFrom(...ENDS)).map(([segments, end]) => `/${segments.join('/')}${end}`) },
  { weight: 2, arbitrary: fc.constantFrom('/', '*', '/*', '') },
  { weight: 1, arbitrary: fc.constantFrom('/a//b', '//a', '/:x?/b', '/*/b', '/a?', '/a/', '/a b', '/é', '/a%b', '/a;b') }
)

const policy = fc.constantFrom<PolicyName>('A', 'B', 'none', 'off', 'AB')

function constraints ({ hosts = false, versions = false, custom = false, ownHost = false, ownVersion = false }: Features): fc.Arbitrary<Constraints> {
  return fc.record({
    ...((hosts || ownHost) && { host: sometimes(fc.constantFrom(...HOSTS), 2, 3) }),
    ...((versions || ownVersion) && { version: sometimes(fc.constantFrom(...(custom ? ['1.0.0', '2.0.0'] : VERSIONS)), 2, 3) }),
    ...(custom && { secret: sometimes(fc.constantFrom(...CUSTOM), 2, 3), tenant: sometimes(fc.constant('one'), 1, 5) })
  }).map(present) as fc.Arbitrary<Constraints>
}

function route (features: Features): fc.Arbitrary<RouteStep> {
  return fc.record({
    step: fc.constant('route' as const),
    url,
    methods: fc.oneof(
      { weight: 8, arbitrary: fc.uniqueArray(fc.constantFrom('GET', 'PUT', 'DELETE', 'PUT', 'GET', 'HEAD', 'OPTIONS', 'PROPFIND'), { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.constant(['ALL']) }
    ),
    policy,
    constraints: constraints(features.hooksConstrain === true ? { ...features, custom: false } : features),
    ...(features.sharedConstraints === true && { sharesConstraints: sometimes(fc.constant(true as const), 2, 1) }),
    exposeHead: sometimes(fc.boolean(), 1, 4),
    ...(features.scopes === true && { slash: sometimes(fc.constantFrom('both', 'slash', 'no-slash'), 2, 1) }),
    ...(features.refused === true && { refused: sometimes(fc.constant(true), 1, 5) }),
    ...(features.hooks === true && { sharesConfig: sometimes(fc.constant(true), 1, 4), afterwards: sometimes(policy, 1, 6), asks: sometimes(fc.constant(true), 1, 8) })
  }).map(present) as fc.Arbitrary<RouteStep>
}

function hook (features: Features, routes: fc.Arbitrary<RouteStep>): fc.Arbitrary<HookStep> {
  const change: fc.Arbitrary<Change> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ change: fc.constant('cors' as const), to: fc.oneof({ weight: 9, arbitrary: policy }, { weight: 1, arbitrary: fc.constant('wrong' as const) }, { weight: 2, arbitrary: fc.constant('deleted' as const) }), how: fc.constantFrom('in place' as const, 'replaced' as const, 'copied from another route' as const) }) },
    { weight: 3, arbitrary: fc.record({ change: fc.constant('url' as const), to: fc.oneof(url, fc.constantFrom('/moved', '/a', '/:x')) }) },
    { weight: 2, arbitrary: fc.record({ change: fc.constant('method' as const), to: fc.constantFrom('GET', 'PUT', 'DELETE', 'HEAD') }) },
    { weight: features.hooksConstrain === true ? 12 : 2, arbitrary: fc.record({ change: fc.constant('constraints' as const), to: constraints({ ...features, hosts: features.hooksConstrain !== true }) }) },
    { weight: 1, arbitrary: fc.record({ change: fc.constant('declare' as const), route: routes }) },
    { weight: 1, arbitrary: fc.constant({ change: 'ask' as const }) }
  )
  return fc.record({ step: fc.constant('hook' as const), target: fc.integer({ min: -1, max: 9 }), method: sometimes(fc.constantFrom('GET', 'HEAD', 'PUT')), change })
    // A hook that moves every route, or declares routes for every route, would do so to the plugin's own: no one writes that.
    .map(({ target, ...rest }) => present({ ...rest, target: rest.change.change === 'cors' ? target : Math.abs(target) }))
}

const register: fc.Arbitrary<RegisterStep> = fc.record({ step: fc.constant('register' as const), awaited: fc.boolean(), defaultPolicy: fc.constantFrom('none' as const, 'none' as const, 'A' as const, 'B' as const, 'off' as const) })

function steps (features: Features): fc.Arbitrary<Step[]> {
  const routes = route(features)
  const parts: Array<{ weight: number, arbitrary: fc.Arbitrary<Step> }> = [{ weight: 10, arbitrary: routes }]
  if (features.hooks === true) parts.push({ weight: 4, arbitrary: hook(features, routes) })
  if (features.scopes !== true) {
    const list = fc.array(fc.oneof(...parts), { minLength: 1, maxLength: 10 })
    // Mostly registered first; else somewhere between the routes.
    const [first, later] = features.late === true ? [1, 6] : [3, 1]
    return fc.tuple(list, fc.oneof({ weight: first, arbitrary: fc.constant(0) }, { weight: later, arbitrary: fc.nat(10) }), register)
      .map(([all, at, registration]) => [...all.slice(0, at), registration, ...all.slice(at)])
  }
  const prefix = fc.constantFrom('', '', '/a', '/p', '/p/', '/:x', '/a/b')
  const registers = { weight: 3, arbitrary: register as fc.Arbitrary<Step> }
  const scope = (inner: fc.Arbitrary<Step>): fc.Arbitrary<Step> => fc.record({ step: fc.constant('scope' as const), prefix, awaited: fc.boolean(), steps: fc.array(inner, { minLength: 1, maxLength: 5 }) })
  const flat = fc.oneof(...parts, registers)
  const nested = fc.oneof(...parts, registers, { weight: 2, arbitrary: scope(flat) })
  return fc.tuple(fc.array(fc.oneof(...parts, registers, { weight: 6, arbitrary: scope(nested) }), { minLength: 1, maxLength: 8 }), register)
    .map(([all, last]) => JSON.stringify(all).includes('"register"') ? all : [...all, last])
}

function router ({ routerOptions = false, otherTypes = false }: Features): fc.Arbitrary<Record<string, unknown>> {
  if (!routerOptions) return fc.constant({})
  const flag = (usual: boolean): fc.Arbitrary<unknown> => otherTypes ? fc.constantFrom<unknown>(usual, 'false', 'true', 0, 1) : fc.constant(usual)
  return fc.record({
    ignoreTrailingSlash: sometimes(flag(true), 1, 1),
    ignoreDuplicateSlashes: sometimes(flag(true), 1, 1),
    caseSensitive: sometimes(flag(false), 1, 1),
    useSemicolonDelimiter: sometimes(flag(true), 1, 2),
    maxParamLength: sometimes(fc.constantFrom<unknown>(1, 5, ...(otherTypes ? ['1', '5'] : [])), 1, 3)
  }).map(present)
}

function strategies ({ custom = false, ownHost = false, ownVersion = false, added = false }: Features): fc.Arbitrary<Strategy[]> {
  const strategy = (name: string, ...from: string[]): fc.Arbitrary<Strategy> => fc.record({
    name: fc.constant(name),
    from: fc.constantFrom(...from),
    mustMatch: fc.boolean(),
    otherwise: sometimes(fc.constantFrom(...CUSTOM), 1, 4),
    matches: fc.constantFrom('equal' as const, 'equal' as const, 'equal' as const, 'prefix' as const),
    ...(added && { added: sometimes(fc.constantFrom('first' as const, 'first' as const, 'after the registration' as const), 3, 1) })
  }).map(present)
  return fc.tuple(
    ...(custom ? [strategy('secret', 'x-secret'), strategy('tenant', 'x-tenant')] : []),
    ...(ownHost ? [sometimes(strategy('host', 'host without port', 'host with port', 'x-forwarded-host'), 3, 1)] : []),
    ...(ownVersion ? [sometimes(strategy('version', 'x-version', 'accept-version'), 3, 1)] : [])
  ).map((all) => all.filter((each) => each !== undefined))
}

const ask: fc.Arbitrary<Ask> = fc.record({
  route: fc.nat(15),
  values: fc.array(fc.constantFrom(...VALUES), { minLength: 3, maxLength: 3 }),
  twist: fc.constantFrom(...TWISTS),
  method: fc.constantFrom(...METHODS, 'GET', 'PUT', 'HEAD'),
  host: fc.constantFrom(...REQUEST_HOSTS),
  announcesVersion: fc.boolean()
})

function table (features: Features): fc.Arbitrary<Table> {
  return fc.record({
    router: features.topLevel === true ? sometimes(router(features), 2, 1) : router(features),
    topLevel: features.topLevel === true ? router(features) : fc.constant({}),
    isMadeBeforeImport: features.late === true ? fc.boolean() : fc.constant(false),
    handlesNotFound: fc.boolean(),
    strategies: strategies(features),
    addsMethods: fc.boolean(),
    exposesHead: sometimes(fc.constant(false), 1, 6).map((exposes) => exposes ?? true),
    steps: steps(features),
    asks: fc.array(ask, { minLength: 3, maxLength: features.custom === true ? 4 : 6 })
  })
    // A default policy answers the preflights of 404s: only a not-found handler that says what it is tells whether rightly.
    .map((table) => ({ ...table, handlesNotFound: table.handlesNotFound || JSON.stringify(table.steps).includes('"defaultPolicy"') }))
}

/** The kinds of tables: each is what one part of the router can do, the last is all of it. */
export const KINDS: Readonly<Record<string, fc.Arbitrary<Table>>> = {
  plain: table({}),
  'router options': table({ routerOptions: true, hosts: true }),
  'options in both places': table({ routerOptions: true, topLevel: true }),
  'options of other types': table({ routerOptions: true, topLevel: true, otherTypes: true }),
  'late registration': table({ late: true, hosts: true }),
  hosts: table({ hosts: true, refused: true }),
  versions: table({ versions: true, hosts: true }),
  'custom constraints': table({ custom: true, versions: true, hosts: true }),
  'own host and version': table({ ownHost: true, ownVersion: true, hosts: true }),
  'shared constraints': table({ sharedConstraints: true, versions: true, hosts: true }),
  hooks: table({ hooks: true, refused: true }),
  'hooks that constrain': table({ hooks: true, hooksConstrain: true, custom: true, added: true }),
  scopes: table({ scopes: true, refused: true }),
  everything: table({ hosts: true, versions: true, custom: true, ownHost: true, added: true, sharedConstraints: true, hooks: true, routerOptions: true, topLevel: true, otherTypes: true, scopes: true, refused: true })
}

/** Every route that a table declares, with the prefix of its scope, in the order in which it is written down. */
export function routesOf (steps: readonly Step[], prefix = ''): Array<{ readonly route: RouteStep, readonly url: string }> {
  return steps.flatMap((step) => {
    if (step.step === 'route') return [{ route: step, url: prefix.endsWith('/') && step.url.startsWith('/') ? prefix + step.url.slice(1) : prefix + step.url }]
    if (step.step === 'scope') return routesOf(step.steps, prefix + step.prefix)
    if (step.step === 'hook' && step.change.change === 'declare') return [{ route: step.change.route, url: prefix + step.change.route.url }]
    if (step.step === 'hook' && step.change.change === 'url') return [{ route: NO_ROUTE, url: step.change.to }]
    return []
  })
}

/** Stands for a route that a hook moves. */
const NO_ROUTE: RouteStep = { step: 'route', url: '/', methods: [], policy: 'none', constraints: {} }

/** The path that a request is sent to. */
export function pathOf (table: Table, { route, values, twist }: Ask): string {
  const urls = routesOf(table.steps)
  const picks = [...values]
  let path = urls.length === 0 ? '/' : (urls[route % urls.length] as { url: string }).url
  path = path.replaceAll('::', '\0').replace(/:\w+(?:\([^/]*?\$?\))?\??/g, () => picks.shift() ?? 'a').replace('*', () => picks.shift() ?? 'a').replaceAll('\0', ':').replaceAll('?', '')
  path = path.replace(/[^\x21-\x7e]/g, encodeURIComponent)
  if (!path.startsWith('/')) path = `/${path}`
  const twisted: Record<string, () => string> = {
    slash: () => `${path}/`,
    'no slash': () => path.replace(/(.)\/$/, '$1'),
    double: () => path.replace(/(.)\//, '$1//').replace(/^\/(?=\w)/, '//'),
    upper: () => path.toUpperCase(),
    lower: () => path.toLowerCase(),
    semicolon: () => `${path};a=b`,
    query: () => `${path}?a=/b`,
    shorter: () => path.replace(/(.)\/[^/]*$/, '$1'),
    longer: () => `${path}/a`,
    absolute: () => path.replace('a', '%61')
  }
  return twisted[twist]?.() ?? path
}
