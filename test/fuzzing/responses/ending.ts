// What the response fuzzer generates: a policy, a request, and everything that an application can do to the response on its way.
import fc from 'fast-check'
import { EVIL, FOO } from '../../support/origins'

/** Who decides on the origin. The functions allow FOO, or fail. */
export const ORIGINS = ['any', 'list', 'sync', 'async', 'slow', 'never', 'throws', 'rejects', 'truthy'] as const

export interface Policy {
  /** `false`: the policy is `false`. */
  readonly origin: typeof ORIGINS[number] | false
  readonly credentials: boolean
  readonly exposes: boolean
  /** Whether the scope has it as its default; else the route declares it. */
  readonly isDefault: boolean
}

/** The hooks of the life cycle that can end a response or change it. */
export const STAGES = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onSend', 'onError'] as const

export const WHERE = ['reply', 'raw', 'both', 'nowhere'] as const

/**
 * How a hook ends the raw response itself, past Fastify. `head …`: it writes foreign headers with the head, as an object, with names in upper case, as one
 * array, as pairs, or with a reason phrase. `hijack …`: it tells Fastify so. `middleware` ends it as Express does, with what it set on it.
 */
export const RAW_ENDS = [
  'end', 'write', 'middleware', 'head object', 'head upper', 'head flat', 'head pairs', 'head reason', 'hijack end', 'hijack flush', 'hijack head', 'hijack pairs'
] as const

/** A hook of someone else's. */
export interface Hook {
  readonly stage: typeof STAGES[number]
  /** Registered before or after the plugin on its instance, or on the route. */
  readonly order: 'before' | 'after' | 'route'
  readonly style: 'callback' | 'async' | 'late'
  /** Where it sets foreign headers first. */
  readonly foreign: typeof WHERE[number]
  /**
   * `once`: throws the first time only. `raw`: ends the raw response. `wraps head`, `wraps end`: replaces `writeHead` or `end` of the raw response by a function
   * that sets foreign headers first, as `on-headers` and agents that measure do.
   */
  readonly action: 'nothing' | 'throws' | 'once' | 'sends' | 'notFound' | 'raw' | 'wraps head' | 'wraps end'
  readonly raw: typeof RAW_ENDS[number]
}

export const HANDLERS = [
  'text', 'object', 'buffer', 'empty', 'error', 'throws', 'rejects', 'throwsText', 'stream', 'streamFails', 'streamBreaks', 'webStream', 'webStreamFails',
  'response', 'responseRead', 'redirect', 'notModified', 'partial', 'notFound', 'hijacked', 'hijackedOwn', 'hijackedSilent', 'raw', 'serializer', 'hangs', 'late', 'twice', 'invalidHeader', 'trailer', 'schema'
] as const

export interface Ending {
  readonly policy: Policy
  readonly origin: string | undefined
  readonly method: 'GET' | 'HEAD' | 'PUT'
  /** `none`: a URL without route. `preflight`: of the route; `lost`: of a URL without route. */
  readonly target: 'route' | 'none' | 'preflight' | 'lost'
  readonly notFoundHandler: 'default' | 'sends' | 'throws'
  readonly errorHandler: 'default' | 'sends' | 'throws' | 'rejects' | 'late' | 'route'
  /** Whether errors bring headers of their own. */
  readonly errorHeaders: boolean
  readonly handler: typeof HANDLERS[number]
  /** Where the handlers set foreign headers. */
  readonly foreign: typeof WHERE[number]
  readonly foreignOrigin: string
  readonly hooks: readonly Hook[]
  readonly hasTimeout: boolean
  readonly overSocket: boolean
}

const hook: fc.Arbitrary<Hook> = fc.record({
  stage: fc.constantFrom(...STAGES),
  order: fc.constantFrom('before', 'after', 'route'),
  style: fc.constantFrom('callback', 'async', 'late'),
  foreign: fc.constantFrom(...WHERE),
  action: fc.constantFrom('nothing', 'throws', 'once', 'sends', 'notFound', 'raw', 'raw', 'wraps head', 'wraps end'),
  raw: fc.constantFrom(...RAW_ENDS)
})

const of = (stage: Hook['stage'], ...actions: ReadonlyArray<Hook['action']>): fc.Arbitrary<Hook> =>
  fc.tuple(hook, fc.constantFrom(...actions)).map(([hook, action]) => ({ ...hook, stage, action }))

/** A hook or middleware that is registered after the plugin ends the response, on its own. */
const endsRaw: fc.Arbitrary<Hook[]> = fc.tuple(of('onRequest', 'raw'), fc.array(hook, { maxLength: 1 })).map(([first, others]) => [{ ...first, order: 'after' }, ...others])

/** One hook ends the request, one throws before that is sent, and one throws when it sees the error: then few hooks are left. */
const inARow: fc.Arbitrary<Hook[]> = fc.tuple(of('onRequest', 'sends', 'throws', 'notFound'), of('onSend', 'throws', 'once'), of('onError', 'throws', 'once'), hook).map((hooks) => hooks)

export const endings: fc.Arbitrary<Ending> = fc.record({
  policy: fc.record({ origin: fc.constantFrom(...ORIGINS, false as const), credentials: fc.boolean(), exposes: fc.boolean(), isDefault: fc.boolean() }),
  origin: fc.constantFrom(FOO, FOO, EVIL, 'null', undefined),
  method: fc.constantFrom('GET', 'HEAD', 'PUT'),
  target: fc.constantFrom('route', 'route', 'route', 'none', 'preflight', 'lost'),
  notFoundHandler: fc.constantFrom('default', 'sends', 'throws'),
  errorHandler: fc.constantFrom('default', 'default', 'sends', 'throws', 'rejects', 'late', 'route'),
  errorHeaders: fc.boolean(),
  handler: fc.constantFrom(...HANDLERS),
  foreign: fc.constantFrom(...WHERE),
  foreignOrigin: fc.constantFrom('*', EVIL, FOO),
  hooks: fc.oneof({ weight: 4, arbitrary: fc.array(hook, { maxLength: 4 }) }, { weight: 1, arbitrary: inARow }, { weight: 1, arbitrary: endsRaw }),
  hasTimeout: fc.boolean(),
  overSocket: fc.boolean()
}).map((ending) => ({ ...ending, hooks: ending.hooks.map((hook) => ending.hasTimeout && hook.stage === 'onError' && hook.style === 'late' ? NOT_LATE : hook) }))

/** Instead of a hook that Fastify's time-out fires inside: by itself, without the plugin, that ends the process. */
const NOT_LATE: Hook = { stage: 'onError', order: 'after', style: 'async', foreign: 'both', action: 'nothing', raw: 'end' }
