// Builds an application of a table: with the plugin, or without it as the oracle. Its handlers say which route ran, and what that route declares after all hooks.
import { channel } from 'node:diagnostics_channel'
import type { FastifyInstance, FastifyRequest, FastifyServerOptions } from 'fastify'
import cors from '../../../lib/index'
import { fastify } from '../../support/features'
import { POLICIES, routesOf, type Constraints, type HookStep, type Host, type RegisterStep, type RouteStep, type Step, type Strategy, type Table } from './table'

/** The route that a request reached, or the not-found handler. */
export interface Ran {
  readonly id: number
  /** Its URL as Fastify knows it. */
  readonly url: string
  /** The origins that its policy allows; null where it has none. */
  readonly allows: readonly string[] | null
}

export interface Built {
  readonly app: FastifyInstance
  /** What each declaration threw. */
  readonly errors: readonly string[]
  /** What `ready` threw. */
  readonly failure: (Error & { code?: string }) | undefined
  /** Whether the plugin refused something: then this is another application than the one without it. */
  readonly refused: boolean
  send: (method: string, url: string, headers: Record<string, string>) => Promise<Answer>
}

export interface Answer {
  readonly response: { readonly statusCode: number, readonly body: string, readonly headers: Readonly<Record<string, unknown>> }
  /** The route whose handler ran, if one did. */
  readonly ran: Ran | undefined
  /** The not-found handler, if it ran: the application's, or Fastify's. */
  readonly notFound: Ran | undefined
}

/** A registration, as the instances below it inherit it. */
const kRegistration = Symbol('registration')

interface Registration { readonly instance: FastifyInstance, readonly defaultPolicy: RegisterStep['defaultPolicy'] }

type Registered = FastifyInstance & { [kRegistration]?: Registration }

/** The number of a route that is only half registered: where Fastify refuses the second method or path of a declaration, the first remains without its hooks. */
export const HALF_REGISTERED = -1
const NOT_FOUND = -2

const WRONG = { origin: 'https://a.example/' }

export async function build (table: Table, withPlugin: boolean): Promise<Built> {
  const errors: string[] = []
  let ran: Ran | undefined
  let notFound: Ran | undefined
  let refused = false
  const ids = new Map(routesOf(table.steps).map(({ route }, id) => [route, id]))
  const shared = new Map<string, { cors?: unknown }>()
  const failed: Array<{ readonly instance: FastifyInstance, readonly config: object }> = []
  let latest: { config?: object } = {}
  const constraintsAll: Record<string, unknown> = {}
  const app = make(table)
  app.addHook('onRoute', (options) => {
    // The plugin's own routes have no number.
    if ((options.config as { id?: number } | undefined)?.id !== undefined) latest = options
  })
  if (table.handlesNotFound) {
    app.setNotFoundHandler(async function (this: FastifyInstance, _request, reply) {
      notFound = notFoundOf(this)
      await reply.code(404).send('none')
    })
  }
  if (table.addsMethods) for (const method of ['PROPFIND', 'REPORT']) app.addHttpMethod(method)

  function declare (instance: FastifyInstance, step: RouteStep): void {
    const id = ids.get(step) as number
    const handler = async function (this: FastifyInstance, request: FastifyRequest): Promise<string> {
      ran = { id, url: request.routeOptions.url as string, allows: allowedBy(this, request.routeOptions.config as object) }
      return `route ${id}`
    }
    const { methods, url, policy, constraints, sharesConstraints, exposeHead, slash, refused: isRefused, sharesConfig } = step
    const made: { cors?: unknown, id: number } = { ...(policy !== 'none' && { cors: POLICIES[policy] }), id }
    let config: { cors?: unknown } = made
    if (sharesConfig === true) {
      config = shared.get(policy) ?? made
      shared.set(policy, config)
    }
    const options = {
      config,
      constraints: sharesConstraints === true ? overwritten(constraintsAll, constraintsOf(constraints)) : constraintsOf(constraints),
      ...(exposeHead !== undefined && { exposeHeadRoute: exposeHead }),
      ...(slash !== undefined && { prefixTrailingSlash: slash }),
      ...(isRefused === true && { preHandler: 'bad' as never })
    }
    try {
      if (methods.includes('ALL')) instance.all(url, options as never, handler as never)
      else instance.route({ ...options, method: [...methods], url, handler: handler as never } as never)
    } catch (error) {
      note(`route ${id}`, error)
      failed.push({ instance, config: latest.config ?? {} })
    }
    if (step.asks === true) ask(instance)
    if (step.afterwards === 'none') delete config.cors
    else if (step.afterwards !== undefined) config.cors = POLICIES[step.afterwards]
  }

  function note (where: string, error: unknown): void {
    const { code, message } = error as Error & { code?: string }
    if (code === 'FST_ERR_CORS_INVALID_POLICY') refused = true
    errors.push(`${where}: ${code ?? message}`)
  }

  /** The `config` of the route that a hook saw last. */
  let other: object = {}

  function addHook (instance: FastifyInstance, { target, method, change }: HookStep): void {
    let declared = false
    instance.addHook('onRoute', function (options) {
      const { id } = options.config as { id?: number } ?? {}
      const seenBefore = other
      // The plugin's own routes have no number, and the application without it has none of them.
      if (id !== undefined) other = options.config as object
      if (target !== -1 && id !== target) return
      if (method !== undefined && ![options.method].flat().includes(method)) return
      if (change.change === 'url') options.url = change.to
      else if (change.change === 'method') options.method = change.to as never
      else if (change.change === 'constraints') options.constraints = constraintsOf(change.to)
      else if (change.change === 'cors') changeCors(options as never, change, seenBefore)
      else if (change.change === 'ask') ask(this)
      else if (!declared) {
        declared = true
        declare(this, change.route)
      }
    })
  }

  function addStrategies (when: Strategy['added']): void {
    const all = table.strategies.filter(({ added }) => added === when)
    for (const strategy of Object.values(strategies(all))) app.addConstraintStrategy(strategy as never)
  }

  async function run (instance: FastifyInstance, steps: readonly Step[]): Promise<void> {
    let registered = false
    for (const step of steps) {
      if (step.step === 'route') declare(instance, step)
      else if (step.step === 'hook') addHook(instance, step)
      else if (step.step === 'scope') {
        const loaded = instance.register(async (child) => { await run(child, step.steps) }, { prefix: step.prefix })
        if (step.awaited) await loaded
      } else if (!registered) {
        registered = true
        const loaded = register(instance, step, withPlugin)
        if (step.awaited) await loaded
        if (!hasRegistered) {
          hasRegistered = true
          addStrategies('after the registration')
        }
      }
    }
  }

  let hasRegistered = false
  let failure: Built['failure']
  try {
    addStrategies('first')
    await run(app, table.steps)
    await app.ready()
  } catch (error) {
    failure = error as Error
    if (failure.code === 'FST_ERR_CORS_INVALID_POLICY') refused = true
  }
  return {
    app,
    errors,
    failure,
    refused,
    async send (method, url, headers) {
      ran = undefined
      notFound = undefined
      try {
        const response = await orThrown(app.inject({ method: method as 'GET', url, headers, ...(method === 'QUERY' && { payload: {} }) }))
        const isFastifys = response.statusCode === 404 && response.body.includes(' not found","error":"Not Found"')
        return { response, ran, notFound: notFound ?? (isFastifys ? notFoundOf(app) : undefined) }
      } catch (error) {
        // Where Fastify registers half of a route and refuses the rest (`/a/:x?` beside `/a`), a request to the first half throws in Fastify. Which declaration
        // that was, nobody says.
        const allows = [...new Set(failed.flatMap(({ instance, config }) => allowedBy(instance, config) ?? []))]
        return { response: { statusCode: 500, body: String(error), headers: {} }, ran: { id: HALF_REGISTERED, url: '', allows }, notFound: undefined }
      }
    }
  }
}

/** Makes the application. One that is made before the package is imported is not announced to it, by the channel that Fastify has for that. */
function make ({ router, topLevel, strategies: all, exposesHead, isMadeBeforeImport }: Table): FastifyInstance {
  const options: FastifyServerOptions = { ...topLevel, exposeHeadRoutes: exposesHead }
  const constraints = strategies(all.filter(({ added }) => added === undefined))
  const hasConstraints = Object.keys(constraints).length > 0
  if (router !== undefined || hasConstraints) options.routerOptions = { ...router, ...(hasConstraints && { constraints }) } as never
  const initialization = channel('fastify.initialization')
  const { emitWarning } = process
  // Fastify warns of each router option at the top level.
  process.emitWarning = () => {}
  if (isMadeBeforeImport) Object.defineProperty(initialization, 'publish', { value: () => {}, configurable: true })
  try {
    return fastify(options)
  } finally {
    Reflect.deleteProperty(initialization, 'publish')
    process.emitWarning = emitWarning
  }
}

/** A request that throws in Fastify before a hook runs does so where nobody catches it. */
async function orThrown<Value> (answer: Promise<Value>): Promise<Value> {
  let throws: (error: unknown) => void = () => {}
  const thrown = new Promise<never>((_resolve, reject) => { throws = reject })
  process.once('uncaughtException', throws)
  try {
    return await Promise.race([answer, thrown])
  } finally {
    process.off('uncaughtException', throws)
  }
}

function notFoundOf (instance: FastifyInstance): Ran {
  return { id: NOT_FOUND, url: '', allows: allowedBy(instance, {}) }
}

/** Writes other constraints into the same object. */
function overwritten (target: Record<string, unknown>, source: Record<string, unknown>): Record<string, unknown> {
  for (const name of Object.keys(target)) Reflect.deleteProperty(target, name)
  return Object.assign(target, source)
}

/** Asks for the routes so far, where the plugin is registered by now. */
function ask (instance: Partial<FastifyInstance>): void {
  instance.cors?.routes()
}

function register (instance: FastifyInstance, { defaultPolicy }: RegisterStep, withPlugin: boolean): PromiseLike<unknown> {
  const mark = Object.assign(async (registered: FastifyInstance) => { registered.decorate(kRegistration, { instance: registered, defaultPolicy }) }, { [Symbol.for('skip-override')]: true })
  const nothing = Object.assign(async () => {}, { [Symbol.for('skip-override')]: true })
  instance.register(mark)
  const options = defaultPolicy === 'none' ? {} : { defaultPolicy: POLICIES[defaultPolicy] }
  return withPlugin ? instance.register(cors, options) : instance.register(nothing)
}

/** The origins that the policy of a route allows, by its configuration and the registrations around it. */
function allowedBy (instance: FastifyInstance, config: { cors?: unknown }): readonly string[] | null {
  let registration = (instance as Registered)[kRegistration]
  if (registration === undefined) return null
  if ('cors' in config) return originsOf(config.cors)
  // One that says nothing of a default has that of the registration around it.
  while (registration !== undefined && registration.defaultPolicy === 'none') registration = (Object.getPrototypeOf(registration.instance) as Registered)[kRegistration]
  return registration === undefined ? null : originsOf(POLICIES[registration.defaultPolicy])
}

function originsOf (policy: unknown): readonly string[] | null {
  const { origin } = (policy ?? {}) as { origin?: string | readonly string[] }
  return origin === undefined || policy === WRONG ? null : [origin].flat()
}

function changeCors (options: { config?: { cors?: unknown, id?: number } }, { to, how }: { to: string, how: string }, other: object): void {
  if (how === 'replaced') options.config = { ...options.config }
  if (how === 'copied from another route' && options.config?.id !== undefined) options.config = { ...other, id: options.config.id }
  options.config ??= {}
  if (to === 'deleted' || to === 'none') delete options.config.cors
  else options.config.cors = to === 'wrong' ? WRONG : POLICIES[to as 'A']
}

function constraintsOf ({ host, ...rest }: Constraints): Record<string, unknown> {
  return { ...rest, ...(host !== undefined && { host: hostOf(host) }) }
}

export function hostOf (host: Host): string | RegExp {
  return typeof host === 'string' ? host : new RegExp(host.source)
}

interface Storage { get: (value: unknown) => unknown, set: (value: unknown, handler: unknown) => void }

function strategies (all: readonly Strategy[]): Record<string, unknown> {
  return Object.fromEntries(all.map((strategy) => [strategy.name, {
    name: strategy.name,
    mustMatchWhenDerived: strategy.mustMatch,
    validate: () => {},
    storage: () => storage(strategy.matches),
    deriveConstraint: (request: { headers: Record<string, string | undefined> }) => derive(strategy, request.headers)
  }]))
}

function storage (matches: Strategy['matches']): Storage {
  const handlers = new Map<unknown, unknown>()
  return {
    set: (value, handler) => { handlers.set(value, handler) },
    get: (value) => {
      if (matches === 'equal') return handlers.get(value) ?? null
      for (const [key, handler] of handlers) if (typeof value === 'string' && value.startsWith(String(key))) return handler
      return null
    }
  }
}

function derive ({ from, otherwise }: Strategy, headers: Record<string, string | undefined>): string | undefined {
  if (from === 'host without port') return headers.host?.replace(/:\d+$/, '')
  if (from === 'host with port') return headers.host?.replace(/(:\d+)?$/, ':80')
  return headers[from] ?? otherwise
}
