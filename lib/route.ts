// A route of the application, from its declaration on: what was declared, which policy that is, and the hooks that head its responses.
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { CompiledPolicy } from './policy'
import type { ResponsePolicy } from './response'
import type { Constraints } from './routing'
import { scopeOf, type Scope } from './scope'

/** What an onRoute hook is given. */
export type ObservedOptions = RouteOptions & { url: string }

export class Route {
  readonly methods: readonly string[]
  readonly url: string
  readonly host: string | RegExp | undefined
  /** The other constraints. */
  readonly constraints: Constraints
  policy: CompiledPolicy | null = null
  /** Whether the headers of its responses are ours: it has a policy, or says that it has none. */
  governed = false
  #hooked = false
  /** Known when the application is ready, and so before any request. */
  readonly #heading: { response?: ResponsePolicy } = {}

  constructor (readonly instance: FastifyInstance, readonly options: ObservedOptions) {
    const { host, ...constraints } = options.constraints ?? {}
    this.methods = [options.method].flat()
    this.url = options.url
    // As the router does: with these flags, it would refuse every other request.
    this.host = host instanceof RegExp ? new RegExp(host.source, host.flags.replace(/[gy]/g, '')) : host
    this.constraints = constraints
  }

  /** The nearest registration of the plugin: another one later than at first, if that was not awaited. */
  get scope (): Scope | undefined {
    return scopeOf(this.instance)
  }

  /** A `/` below a prefix has two URLs, of which Fastify declares the second after its hooks, on the same object. */
  get urls (): readonly string[] {
    return this.options.url === this.url ? [this.url] : [this.url, this.options.url]
  }

  get name (): string {
    return `${this.methods.join(', ')} ${this.url}`
  }

  /** What heads the route's responses from now on. */
  headWith (response: ResponsePolicy): void {
    this.#heading.response = response
  }

  /** Adds our hooks to the route's own: first for the request, last for the response. They keep nothing of the declaration. */
  hook (): void {
    if (this.#hooked) return
    this.#hooked = true
    const { options } = this
    const heading = this.#heading as { response: ResponsePolicy }
    options.onRequest = [(request, reply, done) => heading.response.onRequest(request, reply, done), ...list(options.onRequest)]
    options.onError = [...list(options.onError), (request, reply, error, done) => heading.response.onError(request, reply, error, done)]
    options.onSend = [...list(options.onSend), (request, reply, payload, done) => heading.response.onSend(request, reply, payload, done)]
  }
}

function list<Hook> (hooks: Hook | Hook[] | undefined): Hook[] {
  return hooks === undefined ? [] : [hooks].flat() as Hook[]
}
