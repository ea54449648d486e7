// Which routes are registered in Fastify's own router. Nothing else says so exactly: onRoute hooks change routes, automatic HEAD routes are
// dropped silently, declarations are refused. `printRoutes` hands every route of a method's tree to the function that prints its meta data:
// here that function keeps the route, and the text is thrown away.
import type { FastifyInstance } from 'fastify'
import type { CompiledPolicy } from '../policy/policy'
import type { GeneratedRoute } from './generated-route'

/** Constraints of a route, by name. */
export type Constraints = Readonly<Record<string, unknown>>

/** What preflights need to know of a declared route. The application makes one for each declaration. */
export interface DeclaredRoute {
  readonly urls: readonly string[]
  readonly methods: readonly string[]
  readonly constraints: Constraints
  /** Declared routes of a higher number were declared later. */
  readonly order: number
  /** The policy of the route; null where it has none. */
  readonly policy: CompiledPolicy | null
  /** Whether it says that it has none. */
  readonly isOff: boolean
  /** The name of the policy that it has or extends. */
  readonly policyName: string | null
  /** The generated OPTIONS routes that answer for it: one for each of its URLs. */
  readonly optionsRoutes: readonly GeneratedRoute[]
  /** The request headers that its schema declares, for a policy that lists none. */
  requestHeaders (method: string): readonly string[]
}

/** A route as the router has it: one method, one path. */
export interface RegisteredRoute {
  readonly method: string
  /** The path as the router took it: slashes are normalised, an optional parameter makes two. */
  readonly path: string
  /** The same without the names of parameters: what two routes of one URL have in common. */
  readonly pattern: string
  readonly constraints: Constraints
  /** The declaration; undefined where it is not known, as for routes declared before the package was imported. */
  readonly declared: DeclaredRoute | undefined
  /** Routes of a higher number were registered later. */
  readonly order: number
}

interface Registration {
  readonly declared: DeclaredRoute | undefined
  readonly order: number
}

const kRegistration = Symbol('fastify-cors-policy.registration')

let order = 0

/** The number of what is declared or registered next. */
export function nextOrder (): number {
  return ++order
}

/**
 * A copy of a route's `config` that leads back to its declaration. Fastify copies `config` once more for each URL, immediately before it adds that URL to
 * its router: reading the property then numbers the registrations in the router's own order.
 */
export function withRegistration<Config extends object> (config: Config, declared: DeclaredRoute | undefined): Config {
  return Object.defineProperty(config, kRegistration, { enumerable: true, get: (): Registration => ({ declared, order: nextOrder() }) })
}

/** Whether a route's `config` still leads back to its declaration: a later onRoute hook may have replaced it. */
export function hasRegistration (config: object | undefined): boolean {
  return config !== undefined && Object.hasOwn(config, kRegistration)
}

/** What the router keeps of a route. `store` is Fastify's context, whose `config` is the copy. */
interface RouterRoute {
  readonly method: string
  readonly path: string
  readonly pattern: string
  readonly opts: { readonly constraints: Constraints }
  readonly store: { readonly config?: { readonly [kRegistration]?: Registration } } | null
}

/** What a router says of the routes of a method. */
export interface Collected<Route> {
  /** In the order in which the router's tree has them. */
  readonly routes: readonly Route[]
  /** The place in the code of the router that printed them: two routers of one place are the same code. Undefined where there are no routes, or it cannot be known. */
  readonly code: string | undefined
}

/** The routes of a method. Throws what the application's own constraint values throw when they are printed. */
export function registeredRoutes (root: FastifyInstance, method: string): Collected<RegisteredRoute> {
  const { routes, code } = collectRoutes<RouterRoute>(method, (options) => root.printRoutes(options as never))
  return {
    code,
    routes: routes.map(({ method, path, pattern, opts, store }) => {
      const registration = store?.config?.[kRegistration]
      return { method, path, pattern, constraints: opts.constraints, declared: registration?.declared, order: registration?.order ?? 0 }
    })
  }
}

/** Has a router print a method's tree, and collects the routes that it comes upon. */
export function collectRoutes<Route> (method: string, print: (options: object) => void): Collected<Route> {
  const routes: Route[] = []
  let code: string | undefined
  print({
    method,
    includeMeta: [],
    // The router overwrites this option with its own function: an accessor that takes no value keeps ours.
    get buildPrettyMeta () {
      return function keep (route: Route) {
        if (routes.push(route) === 1) code = callerOf(keep)
        return {}
      }
    },
    set buildPrettyMeta (_theirs) {}
  })
  return { routes, code }
}

/** Where a function is called from: the file and the place in it. */
function callerOf (callee: (route: never) => object): string | undefined {
  const { prepareStackTrace } = Error
  try {
    Error.prepareStackTrace = (_error, [site]) => site?.getFileName() == null ? undefined : `${String(site.getFileName())}:${String(site.getPosition())}`
    const error: { stack?: string } = {}
    Error.captureStackTrace(error, callee)
    return error.stack
  } catch {
    return undefined // somebody has frozen it
  } finally {
    if (Error.prepareStackTrace !== prepareStackTrace) Error.prepareStackTrace = prepareStackTrace
  }
}
