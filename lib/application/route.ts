// One declared route: its `config.cors`, its policy, its OPTIONS routes, and the hooks that set the headers of its responses. Application creates one for
// each declaration. The declaration is read when the route is declared, and again after every onRoute hook, because hooks may change it.
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { CheckedPolicy } from '../policy/check-policies'
import type * as DerivedHeaders from '../policy/derived-headers'
import type { RouteSchema } from '../policy/derived-headers'
import type { CompiledPolicy } from '../policy/compiled-policy'
import type { GeneratedRoute } from '../preflight/generated-route'
import { trackedDeclarationOf, trackRegistrations, type Constraints, type DeclaredRoute } from '../preflight/registered'
import type { ResponsePolicy } from '../response/response'
import { copyDeclaration, isSameDeclaration, shallowCopy } from './declared-config'
import { scopeOf, type Scope } from './scope'

/** What an onRoute hook is given. */
export type ObservedOptions = RouteOptions & { url: string }

/** A route's `config`. */
interface Config { cors?: unknown }

/** The options that are needed after the application is ready. */
type RouteFacts = Pick<ObservedOptions, 'method' | 'url' | 'constraints' | 'schema'>

/** The `cors` of a route's `config`; undefined if there is none. `{ cors: undefined }` is a mistake, and is reported as one. */
export type Declared = { readonly cors: unknown } | undefined

const NO_CONSTRAINTS: Constraints = Object.freeze({})

export class Route implements DeclaredRoute {
  /** Set when the OPTIONS routes that Fastify registers before it are declared. */
  order = 0
  policy: CompiledPolicy | null = null
  /** The checked declaration of that policy. */
  checked: CheckedPolicy | false = false
  /** Whether the plugin sets the CORS headers of its responses: it has a policy, or declares `cors: false`. */
  setsHeaders = false
  optionsRoutes: readonly GeneratedRoute[] = NO_OPTIONS_ROUTES
  /** A copy of `config.cors`, as it was when it was last read. */
  declared: Declared
  /** The declaration that its policy was made of. */
  applied: Declared
  /** What decides on the CORS headers of its responses. Set by setHooks(). */
  response: ResponsePolicy | undefined
  /** The URL that it was declared with, before any onRoute hook. */
  readonly firstUrl: string
  /**
   * The declaration that its registrations lead to: itself. Undefined or another route if a hook replaced its `config`, and undefined if it was declared
   * before the plugin was registered. Set by readAgain().
   */
  trackedDeclaration: DeclaredRoute | undefined
  /** Undefined after release(). */
  #options: ObservedOptions | undefined
  /** The options themselves, until readAgain() is called. V8 needs more time to read them than to read an object that is made here. */
  #facts: RouteFacts
  #isSettled = false
  /** The `config` that keepDeclaration() gave the route. */
  #ownConfig: Config | undefined
  /** The caller's own `config.cors`, if the route's `config` has it, and the copy. The caller may change it later, without effect. */
  #callers: { readonly cors: unknown, readonly copy: Declared } | undefined

  constructor (readonly instance: FastifyInstance, options: ObservedOptions) {
    this.#options = options
    this.#facts = options
    this.firstUrl = options.url
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

  get hasConstraints (): boolean {
    return this.#facts.constraints != null
  }

  /** The constraints other than the host. */
  get otherConstraints (): Constraints {
    const { host, ...others } = this.constraints
    return others
  }

  get host (): string | RegExp | undefined {
    return this.constraints.host as string | RegExp | undefined
  }

  /** Its URLs. An onRoute hook may change the URL. Below a prefix, Fastify registers `/` with a second URL, after the hooks. */
  get urls (): readonly string[] {
    const { url } = this.#facts
    return url === this.firstUrl ? [url] : [this.firstUrl, url]
  }

  get name (): string {
    return `${this.methods.join(', ')} ${this.firstUrl}`
  }

  /** The scope of its instance. It may change while the application loads, if a registration is not awaited. */
  get scope (): Scope | undefined {
    return scopeOf(this.instance)
  }

  /** The route's own `config`, until release() is called. A polluted prototype has no effect. */
  get #config (): Config | undefined {
    const options = this.#options as ObservedOptions
    const config = options.config as Config | null | undefined
    return config === this.#ownConfig || Object.hasOwn(options, 'config') ? config ?? undefined : undefined
  }

  /**
   * Copies the declaration, and gives the route a `config` of its own. A later onRoute hook can change that object; the caller can no longer.
   * `copies` is false in an application that has not registered the plugin yet: a route without `config` gets none, and `config.cors` stays the same object.
   */
  keepDeclaration (copies: boolean): void {
    const config = this.#config
    if (config === undefined && !copies) return
    const own: Config = shallowCopy(config ?? {})
    if (Object.hasOwn(own, 'cors')) {
      const { cors } = own
      this.declared = { cors: copyDeclaration(cors) }
      if (copies) own.cors = copyDeclaration(cors)
      else this.#callers = { cors, copy: this.declared }
    }
    this.#ownConfig = trackRegistrations(own, this)
    ;(this.#options as ObservedOptions).config = own as never
  }

  /** Reads the options for the last time, after every onRoute hook. See readAgain(). */
  settle (): void {
    this.#isSettled = true
    this.readAgain()
  }

  /** Reads the options again: an onRoute hook may have changed them. `declared` stays the same object if the declaration is equal. */
  readAgain (): void {
    const { method, url, constraints, schema } = this.#options as ObservedOptions
    this.#facts = { method, url, constraints, schema } as RouteFacts
    const config = this.#config
    this.trackedDeclaration = trackedDeclarationOf(config)
    if (config === undefined || !Object.hasOwn(config, 'cors')) this.declared = undefined
    else if (this.#callers !== undefined && this.#callers.cors === config.cors) this.declared = this.#callers.copy
    else if (this.declared === undefined || !isSameDeclaration(config.cors, this.declared.cors)) this.declared = { cors: copyDeclaration(config.cors) }
  }

  get #schema (): RouteSchema | undefined {
    return this.#facts.schema as RouteSchema | undefined
  }

  /** Whether its schema describes responses, which may have headers. */
  get describesResponses (): boolean {
    return this.#schema?.response !== undefined
  }

  /** The lists of headers that its schema declares in a form that cannot be read. */
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

  /** Sets the hooks of the plugin, in place of earlier ones: first of the route's onRequest hooks, last of its onSend hooks. */
  setHooks (response: ResponsePolicy | undefined): void {
    const earlier = this.response
    if (response === earlier) return
    this.response = response
    const options = this.#options as RouteHooks
    options.onRequest = joined(response?.onRequest, without(options.onRequest, earlier?.onRequest))
    options.onSend = joined(without(options.onSend, earlier?.onSend), response?.onSend)
  }

  /** Called when every route is registered. Releases Fastify's options, which would stay in memory otherwise. */
  release (): void {
    if (!this.#isSettled) this.readAgain()
    this.#options = undefined
    this.#ownConfig = undefined
    this.#callers = undefined
  }
}

/** Loaded when first needed: by the first preflight, or for a schema that declares headers of responses. */
function derive (): typeof DerivedHeaders {
  return require('../policy/derived-headers') as typeof DerivedHeaders
}

const NO_OPTIONS_ROUTES: readonly GeneratedRoute[] = []

const NO_LISTS: ReadonlyArray<'allowedHeaders' | 'exposedHeaders'> = []

/** The hooks that the plugin adds to a route. */
interface RouteHooks { onRequest?: Hooks<unknown>, onSend?: Hooks<unknown> }

/** Hooks as Fastify takes them. */
type Hooks<Hook> = Hook | Hook[] | undefined

function without<Hook> (hooks: Hooks<Hook>, hook: Hook | undefined): Hooks<Hook> {
  return hook === undefined ? hooks : [hooks].flat().filter((other) => other !== hook) as Hook[]
}

/** A single hook stays a function: most routes have only this one, and an array each would cost memory. */
function joined<Hook> (first: Hooks<Hook>, last: Hooks<Hook>): Hooks<Hook> {
  if (first === undefined || last === undefined) return first ?? last
  return (Array.isArray(first) ? first : [first] as Hook[]).concat(last)
}
