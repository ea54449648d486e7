// Records the routes of the applications that are created while it runs, and how they register @fastify/cors. No handler of these applications runs:
// each is replaced by one that sends an empty object, so that all hooks run and nothing else does. For the commands, in a process of their own.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { callerLocation } from './source-location'

/** One method of a route. */
export interface RecordedRoute {
  /** The instance on which it is declared. */
  readonly instance: FastifyInstance
  readonly method: string
  readonly url: string
  /** `config.cors`, as it was declared; undefined if there is none. */
  readonly cors: unknown
  readonly host: unknown
  readonly version: string | undefined
  /** Where the route is declared: `app.js:12:5`. Undefined where only packages declare it. */
  readonly location: string | undefined
}

/** A registration of @fastify/cors. */
export interface CorsRegistration {
  /** The instance whose routes it covers. */
  readonly instance: FastifyInstance
  readonly options: unknown
  /** Where it is registered: `app.js:8:11`. */
  readonly location: string | undefined
}

/** What became of a request. */
export interface RequestRecord {
  /** The pattern of the route; undefined for none. */
  readonly url: string | undefined
  /** Whether no hook or middleware answered before the handler. */
  reachedHandler: boolean
}

type CorsPlugin = (instance: FastifyInstance, options: unknown, done: (error?: Error) => void) => unknown

/** What migrate changes while the application is loaded. Both are optional. */
export interface Replacements {
  /** Called instead of @fastify/cors. What it registers is loaded in its place. `index` is the position among the registrations. */
  readonly plugin?: (registration: CorsRegistration, index: number) => void
  /** The `config.cors` that a route gets. `registrations` are those that are known when the route is declared. */
  readonly routeCors?: (cors: unknown, instance: FastifyInstance, registrations: readonly CorsRegistration[]) => unknown
}

/** One application. */
export class ApplicationRecord {
  readonly routes: RecordedRoute[] = []
  readonly registrations: CorsRegistration[] = []
  readonly requests = new WeakMap<IncomingMessage, RequestRecord>()
  readonly #replacements: Replacements

  constructor (root: FastifyInstance, replacements: Replacements) {
    this.#replacements = replacements
    const record = this
    root.addHook('onRoute', function (this: FastifyInstance, options) { record.#addRoute(this, options) })
    root.addHook('onRequest', async (request) => {
      this.requests.set(request.raw, { url: request.is404 ? undefined : request.routeOptions.url, reachedHandler: false })
    })
    this.#replaceNotFoundHandlers(root)
    this.#watchRegister(root)
  }

  #addRoute (instance: FastifyInstance, options: RouteOptions & { path?: string }): void {
    const methods = [options.method].flat()
    const config = options.config as { cors?: unknown } | undefined
    const { host, version } = (options.constraints ?? {}) as { host?: unknown, version?: string }
    const location = callerLocation()
    for (const method of methods) {
      this.routes.push({ instance, method: method.toUpperCase(), url: options.url, cors: config?.cors, host, version, location })
    }
    if (config?.cors !== undefined && this.#replacements.routeCors !== undefined) {
      options.config = { ...config, cors: this.#replacements.routeCors(config.cors, instance, this.registrations) } as NonNullable<RouteOptions['config']>
    }
    // A route for OPTIONS alone is how applications answer preflights by hand.
    if (methods.some((method) => method.toUpperCase() !== 'OPTIONS')) options.handler = this.#endWith(200)
  }

  /** A handler that has no effect. `preSerialization` hooks run for objects only, and the serializers of a route may reject an empty one. */
  #endWith (statusCode: number) {
    const { requests } = this
    return function (request: FastifyRequest, reply: FastifyReply): void {
      const record = requests.get(request.raw)
      if (record !== undefined) record.reachedHandler = true
      reply.code(statusCode).type('application/json').serializer(() => '').send({})
    }
  }

  /** Child instances inherit the function, as they inherit that of Fastify. */
  #replaceNotFoundHandlers (root: FastifyInstance): void {
    const setNotFoundHandler = root.setNotFoundHandler as (...args: unknown[]) => FastifyInstance
    const handler = this.#endWith(404)
    root.setNotFoundHandler = function (this: FastifyInstance, ...args: unknown[]) {
      return setNotFoundHandler.apply(this, args.map((argument) => typeof argument === 'function' ? handler : argument))
    } as never
    // The handler that Fastify has set already only sends an error, and is replaced by any other.
  }

  #watchRegister (root: FastifyInstance): void {
    const register = root.register as (...args: unknown[]) => FastifyInstance
    const watched = this.#watched
    root.register = function (this: FastifyInstance, plugin: unknown, ...rest: unknown[]) {
      return register.call(this, watched(plugin, { instance: this, options: rest[0] ?? {}, location: callerLocation() }), ...rest)
    } as never
  }

  /** @fastify/cors, with its registration recorded: it covers routes that are declared before it is loaded. Any other plugin as it is. */
  readonly #watched = (plugin: unknown, registration: CorsRegistration): unknown => {
    if (typeof (plugin as Promise<unknown> | undefined)?.then === 'function') {
      return (plugin as Promise<unknown>).then((loaded) => this.#watched(loaded, registration))
    }
    const exported = (plugin as { default?: unknown } | undefined)?.default
    const call = (typeof plugin === 'function' ? plugin : exported) as CorsPlugin & Record<symbol, unknown>
    if (typeof call !== 'function' || call[Symbol.for('fastify.display-name')] !== '@fastify/cors') return plugin
    const { plugin: replacement } = this.#replacements
    const index = this.registrations.push(registration) - 1
    const watched = (instance: FastifyInstance, options: unknown, done: (error?: Error) => void): unknown => {
      // Options that a function returns are known now.
      const loaded = { ...registration, options }
      this.registrations[index] = loaded
      if (replacement === undefined) return call(instance, options, done)
      try {
        replacement(loaded, index)
        done()
      } catch (error) {
        done(error as Error)
      }
    }
    // The marks by which Fastify recognises a plugin that has no scope of its own.
    return Object.defineProperties(watched, Object.getOwnPropertyDescriptors(call))
  }
}

/** The records of the applications that are created between `new` and `stop()`. */
export class ApplicationRecorder {
  readonly #records = new WeakMap<FastifyInstance, ApplicationRecord>()
  readonly #listener: (message: unknown) => void

  constructor (replacements: Replacements = {}) {
    this.#listener = (message) => {
      const { fastify } = message as { fastify: FastifyInstance }
      this.#records.set(fastify, new ApplicationRecord(fastify, replacements))
    }
    subscribe('fastify.initialization', this.#listener)
  }

  /** The record of an application, which is a root instance. Undefined if it was created before the recorder. */
  of (root: FastifyInstance): ApplicationRecord | undefined {
    return this.#records.get(root)
  }

  stop (): void {
    unsubscribe('fastify.initialization', this.#listener)
  }
}
