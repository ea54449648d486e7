// A route of the application, from its declaration on: what was declared, which policy that is, and the hooks that head its responses.
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { CompiledPolicy } from '../policy/policy'
import type { ResponsePolicy } from '../response/response'
import type { Constraints, Fulfilment } from '../preflight/preflight-target'
import type { PreflightRouter } from '../preflight/routing'
import { scopeOf, type Scope } from './scope'

/** What an onRoute hook is given. */
export type ObservedOptions = RouteOptions & { url: string }

/** The constraints of most routes. */
export const NO_CONSTRAINTS: Constraints = Object.freeze({})

export class Route {
  readonly methods: readonly string[]
  readonly url: string
  readonly host: string | RegExp | undefined
  /** The other constraints. */
  readonly constraints: Constraints
  readonly fulfilment: Fulfilment
  policy: CompiledPolicy | null = null
  /** Whether the headers of its responses are ours: it has a policy, or says that it has none. */
  governed = false
  #response: ResponsePolicy | undefined

  constructor (readonly instance: FastifyInstance, readonly options: ObservedOptions, router: PreflightRouter) {
    const { method, url, constraints: { host, ...constraints } = NO_CONSTRAINTS as { host?: string | RegExp } } = options
    this.methods = typeof method === 'string' ? [method] : [...method]
    this.url = url
    // As the router does: with these flags, it would refuse every other request.
    this.host = host instanceof RegExp ? new RegExp(host.source, host.flags.replace(/[gy]/g, '')) : host
    this.constraints = Object.keys(constraints).length === 0 ? NO_CONSTRAINTS : constraints
    this.fulfilment = router.fulfilmentOf(this.constraints)
  }

  /** The nearest registration of the plugin: another one later than at first, if that was not awaited. */
  get scope (): Scope | undefined {
    return scopeOf(this.instance)
  }

  /** A `/` below a prefix has two URLs, of which Fastify declares the second after its hooks, on the same object. */
  get secondUrl (): string | undefined {
    return this.options.url === this.url ? undefined : this.options.url
  }

  get name (): string {
    return `${this.methods.join(', ')} ${this.url}`
  }

  /** Has these hooks head the route's responses, first for the request and last for the response: instead of those it had from us before, if any. */
  headWith (response: ResponsePolicy | undefined): void {
    const earlier = this.#response
    if (response === earlier) return
    this.#response = response
    const options: { [Name in HookName]?: RouteOptions[Name] | undefined } = this.options
    options.onRequest = joined(response?.onRequest, without(options.onRequest, earlier?.onRequest))
    options.onError = joined(without(options.onError, earlier?.onError), response?.onError)
    options.onSend = joined(without(options.onSend, earlier?.onSend), response?.onSend)
  }
}

type HookName = 'onRequest' | 'onError' | 'onSend'

/** Hooks as Fastify takes them. */
type Hooks<Hook> = Hook | Hook[] | undefined

function without<Hook> (hooks: Hooks<Hook>, hook: Hook | undefined): Hooks<Hook> {
  return hook === undefined ? hooks : [hooks].flat().filter((other) => other !== hook) as Hook[]
}

/** One hook stays one: most routes have no other, and an array for each adds up. */
function joined<Hook> (first: Hooks<Hook>, last: Hooks<Hook>): Hooks<Hook> {
  return first === undefined ? last : last === undefined ? first : [first, last].flat() as Hook[]
}
