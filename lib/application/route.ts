// A declared route: what its declaration says about CORS, and the hooks that head its responses. The declaration is read twice: when it is made, and again
// when every onRoute hook has had its turn.
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { CheckedPolicy } from '../declaration/declaration'
import type * as DerivedHeaders from '../policy/derived-headers'
import type { RouteSchema } from '../policy/derived-headers'
import type { CompiledPolicy } from '../policy/policy'
import type { GeneratedRoute } from '../preflight/generated-route'
import { isTracked, nextOrder, trackRegistrations, type Constraints, type DeclaredRoute } from '../preflight/registered'
import type { ResponsePolicy } from '../response/response'
import { copyDeclaration, isSameDeclaration } from './declared-config'
import { scopeOf, type Scope } from './scope'

/** What an onRoute hook is given. */
export type ObservedOptions = RouteOptions & { url: string }

/** What is needed of it as long as the application runs. */
type RouteFacts = Pick<ObservedOptions, 'method' | 'url' | 'constraints' | 'schema'>

/** What a route's `config` says. `undefined` is a value as well, and a mistake. */
export type Declared = { readonly cors: unknown } | undefined

const NO_CONSTRAINTS: Constraints = Object.freeze({})

const NOT_KEPT = Symbol('not kept')

export class Route implements DeclaredRoute {
  readonly order = nextOrder()
  policy: CompiledPolicy | null = null
  /** What that policy was declared as. */
  checked: CheckedPolicy | false = false
  /** Whether the headers of its responses are ours: it has a policy, or says that it has none. */
  isGoverned = false
  optionsRoutes: readonly GeneratedRoute[] = NO_OPTIONS_ROUTES
  readonly #firstUrl: string
  /** Undefined once every route is registered. */
  #options: ObservedOptions | undefined
  #facts: RouteFacts
  #kept: Declared
  /** The caller's own `config.cors`, which it may change. */
  #callers: unknown = NOT_KEPT
  #response: ResponsePolicy | undefined

  constructor (readonly instance: FastifyInstance, options: ObservedOptions) {
    this.#options = options
    this.#facts = options
    this.#firstUrl = options.url
  }

  get isOff (): boolean {
    return this.declared?.cors === false
  }

  get policyName (): string | null {
    return (this.checked !== false && this.checked.name) || null
  }

  get methods (): readonly string[] {
    const { method } = this.#facts
    return typeof method === 'string' ? [method] : method
  }

  get constraints (): Constraints {
    return (this.#facts.constraints as Constraints | undefined) ?? NO_CONSTRAINTS
  }

  /** The constraints other than the host. */
  get otherConstraints (): Constraints {
    const { host, ...others } = this.constraints
    return others
  }

  get host (): string | RegExp | undefined {
    return this.constraints.host as string | RegExp | undefined
  }

  /** Its URL, which an onRoute hook may have changed. Fastify gives a `/` below a prefix a second one, after the hooks and on the same object. */
  get urls (): readonly string[] {
    const { url } = this.#facts
    return url === this.#firstUrl ? [url] : [this.#firstUrl, url]
  }

  get name (): string {
    return `${this.methods.join(', ')} ${this.#firstUrl}`
  }

  /** The nearest registration of the plugin: another one later than at first, if that was not awaited. */
  get scope (): Scope | undefined {
    return scopeOf(this.instance)
  }

  /** The route's own `config`: what a polluted prototype has is not its own. */
  get config (): { readonly cors?: unknown } | undefined {
    const options = this.#options
    return options !== undefined && Object.hasOwn(options, 'config') ? options.config ?? undefined : undefined
  }

  /** What `config.cors` says now. */
  get declared (): Declared {
    if (this.#options === undefined) return this.#kept
    const { config } = this
    if (config === undefined || !Object.hasOwn(config, 'cors')) return undefined
    return config.cors === this.#callers ? this.#kept : { cors: config.cors }
  }

  /**
   * Keeps what is declared, and gives the route a `config` of its own: what a later hook changes there is meant, what the caller changes in its own object is not.
   * `copies` says whether `config.cors` becomes a copy as well; in an application that may not use the plugin, it stays what it is.
   */
  keepDeclaration (copies: boolean): void {
    const { declared, config } = this
    this.#kept = declared && { cors: copyDeclaration(declared.cors) }
    if (!copies) this.#callers = declared?.cors ?? NOT_KEPT
    const own = copies && declared !== undefined ? { ...config, cors: copyDeclaration(declared.cors) } : { ...config }
    ;(this.#options as ObservedOptions).config = trackRegistrations(own, this) as never
  }

  /** Whether the declaration is no longer what was kept. */
  get hasChanged (): boolean {
    const { declared } = this
    return declared === undefined || this.#kept === undefined ? declared !== this.#kept : !isSameDeclaration(declared.cors, this.#kept.cors)
  }

  /** Whether its registrations do not lead back to it: it was declared before the plugin was registered, or a later hook replaced its `config`. */
  get isUntracked (): boolean {
    return !isTracked(this.config)
  }

  get #schema (): RouteSchema | undefined {
    return this.#facts.schema as RouteSchema | undefined
  }

  /** Whether its schema declares responses, and with them perhaps headers of theirs. */
  get describesResponses (): boolean {
    return this.#schema?.response !== undefined
  }

  /** The lists of headers that its schema would say, if it could be read. */
  unreadableLists (): ReadonlyArray<'allowedHeaders' | 'exposedHeaders'> {
    return this.#schema === undefined ? NO_LISTS : derive().underivableFields(this.#schema, this.instance.getSchemas())
  }

  requestHeaders (method: string): readonly string[] {
    return derive().derivedAllowedHeaders(method, this.#schema, this.instance.getSchemas())
  }

  /** The headers that its response schemas declare. */
  exposedHeaders (): readonly string[] {
    return derive().derivedExposedHeaders(this.#schema, this.instance.getSchemas())
  }

  hasSameHost (other: Route): boolean {
    return this.host === other.host || String(this.host) === String(other.host)
  }

  hasSameConstraints (other: Route): boolean {
    return this.constraints === other.constraints || isDeepStrictEqual(this.otherConstraints, other.otherConstraints)
  }

  /** Has these hooks head the route's responses, first for the request and for errors, last for the response: instead of those it had from us before, if any. */
  headWith (response: ResponsePolicy | undefined): void {
    const earlier = this.#response
    if (response === earlier) return
    this.#response = response
    const options = this.#options as { [Name in HookName]?: RouteOptions[Name] | undefined }
    options.onRequest = joined(response?.onRequest, without(options.onRequest, earlier?.onRequest))
    options.onError = joined(response?.onError, without(options.onError, earlier?.onError))
    options.onSend = joined(without(options.onSend, earlier?.onSend), response?.onSend)
  }

  /** Keeps what is needed from now on, when every route is registered: Fastify's options would stay in memory with it. */
  settle (): void {
    const { method, url, constraints, schema } = this.#facts
    const { declared } = this
    this.#kept = declared
    this.#facts = { method, url, constraints, schema } as RouteFacts
    this.#options = undefined
    this.#callers = NOT_KEPT
    this.#response = undefined
  }
}

/** Loaded when first needed: by the first preflight, or for a schema that declares headers of responses. */
function derive (): typeof DerivedHeaders {
  return require('../policy/derived-headers') as typeof DerivedHeaders
}

const NO_OPTIONS_ROUTES: readonly GeneratedRoute[] = []

const NO_LISTS: ReadonlyArray<'allowedHeaders' | 'exposedHeaders'> = []

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
