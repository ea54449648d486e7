// Which route a preflight's announced request would reach, and so which policy answers. It is asked of the application's routing tables
// (routing-table.ts), which are made of what Fastify's router has registered (registered.ts), and confirmed by Fastify's router.
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { isListOfNames, namesIn } from '../http/headers'
import { canBePreflighted, SAFELISTED_METHODS } from '../http/methods'
import type { RawRequest } from '../http/preflight-request'
import type { CompiledPolicy } from '../policy/policy'
import type { CorsRefusal } from '../response/refused'
import { PreflightAnswer } from './answer'
import type { GeneratedRoute, Resolution } from './generated-route'
import { registeredRoutes, type Collected, type DeclaredRoute, type RegisteredRoute } from './registered'
import { RoutingTables, type Match, type RoutingTable } from './routing-table'

/** A request that a page would make, as far as its preflight tells. */
export interface Announced {
  readonly method: string
  readonly url: string
  readonly host: string | undefined
  /** Whether it carries an `Accept-Version` header. */
  readonly hasVersion: boolean
}

/** What answers for a registered route. */
interface Answering {
  readonly optionsRoute: GeneratedRoute | undefined
  readonly answer: PreflightAnswer
  /** Where all its methods may be named. */
  readonly whole: Resolution
}

export class PreflightRouter {
  readonly #root: FastifyInstance
  /** By method, in the order of Fastify's tree. */
  readonly #registered = new Map<string, Collected<RegisteredRoute>>()
  readonly #tables = new Map<string, RoutingTable>()
  readonly #tableMaker: RoutingTables
  /** Methods whose routes cannot be read, or not be made a table of: nothing is known of them, so nothing is approved. */
  readonly #unreadable = new Set<string>()
  readonly #answering = new Map<RegisteredRoute, Answering>()
  /** What was found for URLs without parameters, requested as they were declared: as many as were declared at most. */
  readonly #known = new Map<string, Map<string, Resolution>>()
  /** The routes of one URL and host, of every method. */
  readonly #places = new Map<string, RegisteredRoute[]>()

  /**
   * Made when every route is registered. `custom` are the constraints for which the application has strategies of its own; `unmarked` are the declarations
   * to which no registration leads back.
   */
  constructor (root: FastifyInstance, custom: ReadonlySet<string>, unmarked: readonly DeclaredRoute[]) {
    this.#root = root
    const constraints = { custom, versions: false }
    this.#tableMaker = new RoutingTables(root, constraints)
    const declarations = this.#byPath(unmarked)
    for (const method of root.supportedMethods.filter(canBePreflighted)) {
      const registered = this.#read(method, declarations)
      const { routes } = registered
      if (routes.length > 0) this.#registered.set(method, registered)
      constraints.versions ||= !custom.has('version') && routes.some(({ constraints }) => constraints.version !== undefined)
      for (const route of routes) {
        const key = placeOf(route)
        const place = this.#places.get(key)
        if (place === undefined) this.#places.set(key, [route])
        else place.push(route)
      }
    }
  }

  /** Every route that a browser can ask for. */
  get routes (): RegisteredRoute[] {
    return [...this.#registered.values()].flatMap(({ routes }) => routes)
  }

  /** The same by URL and host: what browsers take for one URL. */
  get places (): Iterable<readonly RegisteredRoute[]> {
    return this.#places.values()
  }

  #byPath (unmarked: readonly DeclaredRoute[]): Map<string, DeclaredRoute[]> {
    const declarations = new Map<string, DeclaredRoute[]>()
    for (const declared of unmarked) {
      for (const path of declared.urls.flatMap((url) => this.#tableMaker.pathsOf(url))) {
        const others = declarations.get(path)
        if (others === undefined) declarations.set(path, [declared])
        else others.push(declared)
      }
    }
    return declarations
  }

  #read (method: string, unmarked: ReadonlyMap<string, readonly DeclaredRoute[]>): Collected<RegisteredRoute> {
    try {
      const { routes, code } = registeredRoutes(this.#root, method)
      const isUnmarked = ({ declared, order }: RegisteredRoute): boolean => unmarked.size > 0 && declared === undefined && order === 0
      return { code, routes: routes.map((route) => isUnmarked(route) ? { ...route, ...declarationOf(route, unmarked) } : route) }
    } catch (err) {
      this.#giveUp(method, err)
      return { code: undefined, routes: [] }
    }
  }

  #giveUp (method: string, err?: unknown): void {
    this.#unreadable.add(method)
    this.#root.log.error({ err }, `fastify-cors-policy cannot read the routes of ${method} from Fastify's router, and approves no preflight for it`)
  }

  /** What answers a preflight; undefined if no policy does, so that the request goes where it would have gone anyway. */
  resolve (preflight: RawRequest): Resolution | undefined {
    const { url = '', headers } = preflight
    const method = headers['access-control-request-method'] as string
    const known = this.#known.get(url)?.get(method)
    if (known !== undefined) return known
    const announced = this.#announcedBy(preflight)
    const table = this.#tableOf(method)
    if (table?.isSameCode === true && table.dependsOnUrlOnly) {
      const route = table.routeOf(url)
      if (route === undefined) return this.#nameTheMethod(announced, headers.origin as string)
      return route.declared?.policy == null ? undefined : this.#answerWith(route.declared.policy, route, announced)
    }
    const matches = this.reachable(announced)
    const [match] = matches
    if (match === undefined) return this.#nameTheMethod(announced, headers.origin as string)
    const policy = policyOf(matches)
    return policy === null || !this.#isConfirmed(announced, match) ? undefined : this.#answerWith(policy, match.route, announced)
  }

  #announcedBy ({ url = '', headers }: RawRequest): Announced {
    const requestHeaders = headers['access-control-request-headers']
    return {
      method: headers['access-control-request-method'] as string,
      url,
      host: (headers.host || headers[':authority']) as string | undefined, // as the router does
      // What is no list of names is refused by the answer, whichever it is.
      hasVersion: this.#tableMaker.constraints.versions && isListOfNames(requestHeaders) && namesIn(requestHeaders).some((name) => name.toLowerCase() === 'accept-version')
    }
  }

  /** Why no policy answers a preflight. */
  unanswered (preflight: RawRequest): CorsRefusal {
    const announced = this.#announcedBy(preflight)
    const matches = this.reachable(announced)
    const declared = matches[0]?.route.declared
    const isOne = matches.every(({ route }) => (route.declared?.policy ?? null) === (declared?.policy ?? null))
    const hasOthers = (): boolean => [...this.#registered.keys()].some((method) => this.reachable({ ...announced, method })[0]?.route.declared?.policy != null)
    const reason = matches.length === 0 ? hasOthers() ? 'method-not-routed' : 'no-route' : !isOne || declared?.policy != null ? 'ambiguous-route' : declared?.isOff === true ? 'off' : 'no-policy'
    return { reason, origin: preflight.headers.origin as string, route: `${announced.method} ${matches[0]?.route.path ?? '(none)'}`, policy: null }
  }

  /**
   * The routes that a request may reach, in the order in which the router prefers them. Where it would reach none without a version, a version takes no part:
   * a gateway may add it.
   */
  reachable ({ method, url, host, hasVersion }: Announced): readonly Match[] {
    const table = this.#tableOf(method)
    if (table === undefined) return NO_MATCHES
    const matches = table.reachable(url, host, hasVersion)
    return matches.length > 0 || hasVersion || !this.#tableMaker.constraints.versions ? matches : table.reachable(url, host, true)
  }

  #tableOf (method: string): RoutingTable | undefined {
    const known = this.#tables.get(method)
    const registered = this.#registered.get(method)
    if (known !== undefined || registered === undefined || this.#unreadable.has(method)) return known
    try {
      const table = this.#tableMaker.make(registered)
      this.#tables.set(method, table)
      return table
    } catch (err) {
      this.#giveUp(method, err)
      return undefined
    }
  }

  /**
   * Fastify's own router has the last word: for the announced request it finds the same parameters, or nothing is approved. Where it is the same code as ours
   * and nothing but the URL decides, it has nothing else to say.
   */
  #isConfirmed ({ method, url, host }: Announced, { route: { constraints }, params }: Match): boolean {
    const found = this.#root.findRoute({ method: method as never, url, constraints: { ...constraints, host } as never })
    return found !== null && haveSameValues(found.params, params)
  }

  #answerWith (policy: CompiledPolicy, route: RegisteredRoute, announced: Announced): Resolution | undefined {
    const { method, url } = announced
    const { optionsRoute, answer, whole } = this.#answeringFor(policy, route)
    if (optionsRoute === undefined) return undefined
    const methods = this.#methodsFor(policy, answer.methods, announced)
    const resolution = methods === answer.methods ? whole : { optionsRoute, answer, methods }
    // For a URL without parameters that is requested as it was declared, the router finds the same route each time.
    if (route.path === url && !/[:*]/.test(url) && answer.methods.every((other) => this.#tableOf(other)?.dependsOnUrlOnly === true)) {
      const known = this.#known.get(url) ?? new Map<string, Resolution>()
      this.#known.set(url, known.set(method, resolution))
    }
    return resolution
  }

  /** Browsers remember every method of the answer for this URL, so each has to be one that this policy is asked about here. Most often all are: then nothing is copied. */
  #methodsFor (policy: CompiledPolicy, methods: readonly string[], announced: Announced): readonly string[] {
    let some: string[] | undefined
    for (let index = 0; index < methods.length; index++) {
      const method = methods[index] as string
      if (method === announced.method || this.#policyAt(method, announced) === policy) some?.push(method)
      else some ??= methods.slice(0, index)
    }
    return some ?? methods
  }

  #policyAt (method: string, announced: Announced): CompiledPolicy | null {
    const table = this.#tableOf(method)
    return table?.dependsOnUrlOnly === true ? table.routeOf(announced.url)?.declared?.policy ?? null : policyOf(this.reachable({ ...announced, method }))
  }

  #answeringFor (policy: CompiledPolicy, route: RegisteredRoute): Answering {
    const known = this.#answering.get(route)
    if (known !== undefined) return known
    const alike = (this.#places.get(placeOf(route)) as RegisteredRoute[]).filter(({ declared }) => declared?.policy === policy)
    const methods = alike.sort((one, other) => one.order - other.order || positionOf(one) - positionOf(other)).map(({ method }) => method)
    const declared = route.declared as DeclaredRoute // it has the policy
    const requestHeaders = policy.allowedHeaders === undefined ? declared.requestHeaders(route.method) : []
    const optionsRoute = this.#optionsRouteOf(declared, route.path)
    const answer = new PreflightAnswer(policy, [...new Set(methods)], requestHeaders, { url: route.path, policy: declared.policyName ?? null })
    const answering = { optionsRoute, answer, whole: { optionsRoute: optionsRoute as GeneratedRoute, answer, methods: answer.methods } }
    this.#answering.set(route, answering)
    return answering
  }

  /** A route may have two URLs, and no generated route for the one that is outside the prefix of its scope. */
  #optionsRouteOf ({ urls, optionsRoutes }: DeclaredRoute, path: string): GeneratedRoute | undefined {
    return urls.length === 1 ? optionsRoutes[0] : optionsRoutes.find(({ url }) => this.#tableMaker.pathsOf(url).includes(path))
  }

  /**
   * A method without a route, at a URL whose other methods have one policy that allows the origin: with that policy's answer, the browser names the method. Methods on
   * the standard's safelist need no permission: for them the answer would be one.
   */
  #nameTheMethod (announced: Announced, origin: string): Resolution | undefined {
    if (SAFELISTED_METHODS.has(announced.method) || !canBePreflighted(announced.method) || this.#unreadable.size > 0 || this.#tableMaker.constraints.custom.size > 0) return undefined
    // The preflight itself carries no version, whatever it announces: an OPTIONS route of the user's may answer it.
    if (this.reachable({ ...announced, method: 'OPTIONS', hasVersion: false }).length > 0) return undefined
    const matches = [...this.#registered.keys()].flatMap((method) => this.reachable({ ...announced, method }))
    const [match] = matches
    const policy = policyOf(matches)
    if (match === undefined || policy === null) return undefined
    const { origin: rule, credentialedOrigins } = policy
    // A function is asked for routes that exist.
    if (rule.kind !== 'any' && !(rule.kind === 'list' && rule.matches(origin)) && credentialedOrigins?.matches(origin) !== true) return undefined
    return this.#answerWith(policy, match.route, { ...announced, method: match.route.method })
  }

  /** The routes with a policy whose preflights are not approved, because their requests may reach a route of another policy as well. */
  ambiguous (): RegisteredRoute[] {
    return this.routes.filter((route) => {
      const { method, path, constraints, declared } = route
      const url = path.replace(/:\w+|\*$/g, '~')
      if (declared?.policy == null || constraints.host !== undefined || !PLAIN.test(url)) return false
      const matches = this.reachable({ method, url, host: undefined, hasVersion: constraints.version !== undefined && this.#tableMaker.constraints.versions })
      return matches.some((match) => match.route === route) && policyOf(matches) === null
    })
  }
}

/** A URL of letters, digits and the like. */
const PLAIN = /^[\w.~/-]*$/

const NO_MATCHES: readonly Match[] = []

/** The policy of all these routes; null where they have different ones, or one has none. */
function policyOf (matches: readonly Match[]): CompiledPolicy | null {
  const policy = matches[0]?.route.declared?.policy ?? null
  return matches.every(({ route }) => route.declared?.policy === policy) ? policy : null
}

/** Which declaration an unmarked registration is of. Of several with different policies, none: all but one were refused, and it is not known which. */
function declarationOf ({ method, path, constraints }: RegisteredRoute, unmarked: ReadonlyMap<string, readonly DeclaredRoute[]>): Pick<RegisteredRoute, 'declared' | 'order'> | undefined {
  const [first, ...others] = unmarked.get(path)?.filter((declared) => declared.methods.includes(method) && isDeepStrictEqual(declared.constraints, constraints)) ?? []
  return first === undefined || others.some(({ policy }) => policy !== first.policy) ? undefined : { declared: first, order: first.order }
}

/** Where the declaration of a route names its method. */
function positionOf ({ declared, method }: RegisteredRoute): number {
  return (declared as DeclaredRoute).methods.indexOf(method)
}

/** Where routes of one URL and host meet. */
function placeOf ({ pattern, constraints: { host } }: RegisteredRoute): string {
  return `${pattern} ${String(host)}`
}

function haveSameValues (one: object, other: object): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name as never] === other[name as never])
}
