// Judges an application of a table by asking it: where a preflight is approved, the request itself is sent, for every method that the answer names and with every
// header that a constraint looks at, and must reach handlers of the policy that approved. What nobody approves goes where the twin without the plugin sends it.
import type { FastifyInstance } from 'fastify'
import { build, HALF_REGISTERED, type Answer, type Built, type Ran } from './application'
import { A, B, pathOf, routesOf, type Ask, type Step, type Table } from './table'

/** What can be wrong. */
export type Fault =
  | 'wrong approval' // the announced method is approved, and its request reaches a route that does not allow it
  | 'wrong method' // another method is named, and its request reaches such a route
  | 'wrong 404' // the request reaches a route of the policy, and with a value that a strategy must match the not-found handler, which has another
  | 'missed approval' // the request reaches a route that allows it, and its preflight is refused
  | 'missed method' // a method of the same URL and policy is not named
  | 'wrong refusal' // a preflight is answered 403, and no route of the request refuses it
  | 'answered elsewhere' // an unanswered preflight does not go where it goes without the plugin
  | 'wrong response' // the response to the request itself differs from what the policy of its route says
  | 'routing changed' // the request itself reaches another route than without the plugin
  | 'boot changed' // a declaration or the start fails which succeeds without the plugin, or the other way round

export interface Finding { readonly fault: Fault, readonly text: string }

export interface Report {
  readonly findings: readonly Finding[]
  readonly preflights: number
  readonly requests: number
  readonly approved: number
  /** Why nothing was asked: Fastify cannot start it, or the plugin refuses it. */
  readonly skipped: 'fastify' | 'plugin' | undefined
}

/** Methods that need no permission by name (https://fetch.spec.whatwg.org/#cors-safelisted-method). */
const SAFELISTED = ['GET', 'HEAD', 'POST']

export async function check (table: Table): Promise<Report> {
  const ours = await build(table, true)
  const twin = await build(table, false)
  try {
    return await new Check(table, ours, twin).run()
  } finally {
    await close(ours.app)
    await close(twin.app)
  }
}

/** An application that did not start cannot be closed without its error. */
async function close (app: FastifyInstance): Promise<void> {
  await app.close().catch(() => {})
}

class Check {
  readonly #findings: Finding[] = []
  readonly #reached = new Map<string, Promise<Answer[]>>()
  /** Whether the application without the plugin is another one: the plugin refused a declaration, or the router has kept a constraints object that changed. */
  readonly #hasNoTwin: boolean
  readonly #isConstrained: boolean
  #preflights = 0
  #requests = 0
  #approved = 0

  constructor (readonly table: Table, readonly ours: Built, readonly twin: Built) {
    this.#hasNoTwin = ours.refused || uses(table.steps, 'sharesConstraints')
    this.#isConstrained = table.strategies.length > 0 || uses(table.steps, 'version')
  }

  async run (): Promise<Report> {
    const skipped = this.#boot()
    if (skipped === undefined) {
      for (const ask of this.table.asks) await this.#ask(ask)
    }
    return { findings: this.#findings, preflights: this.#preflights, requests: this.#requests, approved: this.#approved, skipped }
  }

  #boot (): Report['skipped'] {
    const { ours, twin } = this
    if (ours.refused) {
      const mayRefuse = this.#isConstrained || JSON.stringify(this.table.steps).includes('"wrong"')
      if (!mayRefuse) this.#find('boot changed', `the plugin refuses the application: ${String(ours.failure)} ${ours.errors.join('; ')}`)
      return ours.failure === undefined ? undefined : 'plugin'
    }
    if (ours.errors.join() !== twin.errors.join()) this.#find('boot changed', `declarations fail with (${ours.errors.join('; ')}), without the plugin with (${twin.errors.join('; ')})`)
    // Known: options that no router option can be (0, 'true') and strategies that come after the routes stop the start, loudly.
    if (/UNSUPPORTED_FASTIFY|No strategy registered/.test(String(ours.failure))) return 'plugin'
    if (ours.failure?.message !== twin.failure?.message) this.#find('boot changed', `it starts with ${String(ours.failure)}, without the plugin with ${String(twin.failure)}`)
    return twin.failure === undefined && ours.failure === undefined ? undefined : 'fastify'
  }

  #find (fault: Fault, text: string): void {
    this.#findings.push({ fault, text })
  }

  async #ask (ask: Ask): Promise<void> {
    const path = pathOf(this.table, ask)
    await this.#actual(ask, path)
    for (const origin of [A, B]) await this.#preflight(ask, path, origin)
  }

  /** The request itself, with the plugin and without. */
  async #actual ({ method, host }: Ask, path: string): Promise<void> {
    const { ours, twin } = this
    if (this.#hasNoTwin) return
    for (const headers of this.#fulfilments().slice(0, 4)) {
      const sent = { host, origin: A, ...headers }
      const [mine, its] = [await ours.send(method, path, sent), await twin.send(method, path, sent)]
      this.#requests++
      const where = `${method} ${path} with ${JSON.stringify(sent)}`
      if (!isSame(mine, its)) {
        this.#find('routing changed', `${where} is answered ${told(mine)}, without the plugin ${told(its)}`)
      } else if (mine.response.statusCode === its.response.statusCode) this.#response(mine, its.ran ?? its.notFound, where)
    }
  }

  /** What a response allows to the origin A. A policy of one origin may name that one to everybody (https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches). */
  #response ({ response }: Answer, ran: Ran | undefined, where: string): void {
    if (ran === undefined || ran.id === HALF_REGISTERED) return
    const allowed = response.headers['access-control-allow-origin']
    const { allows } = ran
    if (allowed === undefined ? allows?.includes(A) === true : allowed !== (allows?.length === 1 ? allows[0] : allows?.includes(A) === true ? A : undefined)) {
      this.#find('wrong response', `${where} reaches ${shown(ran)}, and its response allows ${String(allowed)}`)
    }
  }

  async #preflight (ask: Ask, path: string, origin: string): Promise<void> {
    const { method, host, announcesVersion } = ask
    this.#preflights++
    const headers = { host, origin, 'access-control-request-method': method, ...(announcesVersion && { 'access-control-request-headers': 'accept-version' }) }
    const where = `preflight ${method} ${path} on ${host} from ${origin}${announcesVersion ? ' with accept-version' : ''}`
    const answer = await this.ours.send('OPTIONS', path, headers)
    const without = this.#hasNoTwin ? undefined : await this.twin.send('OPTIONS', path, headers)
    const { response } = answer
    const reached = await this.#reaches(method, path, ask)
    if (response.headers['access-control-allow-origin'] === undefined) {
      await this.#unapproved(ask, path, where, origin, answer, without, reached)
      return
    }
    if (response.headers['access-control-allow-origin'] !== origin || response.statusCode >= 300) this.#find('wrong approval', `${where} is answered ${told(answer)} ${JSON.stringify(response.headers)}`)
    const named = String(response.headers['access-control-allow-methods'] ?? '').split(', ').filter((name) => name !== '')
    const isApproved = named.includes(method) || SAFELISTED.includes(method)
    const approver = isApproved ? await this.#approver(method, path, ask) : undefined
    if (isApproved) {
      this.#approved++
      await this.#approval('wrong approval', method, path, ask, origin, approver, `${where} is approved (${named.join(', ')})`)
    }
    if (!isApproved) this.#named(where, named, reached, without)
    for (const other of named.filter((each) => each !== method)) await this.#approval('wrong method', other, path, ask, origin, approver, `${where} names ${other}`)
    if (isApproved && !uses(this.table.steps, 'host')) await this.#missedMethods(ask, path, where, named, reached)
  }

  /** An answer that names other methods, so that the browser says which one is missing. */
  #named (where: string, named: readonly string[], reached: readonly Ran[], without: Answer | undefined): void {
    if (named.length === 0) this.#find('wrong approval', `${where} is allowed without a method`)
    if (reached.length > 0 && !this.#isConstrained) this.#find('missed approval', `${where} names ${named.join(', ')} only, and the request reaches ${shownAll(reached)}`)
    // The router of Fastify's own 404s answers 400 where it takes more of the URL for the path, as with semicolons.
    if (without !== undefined && ![400, 404, 414].includes(without.response.statusCode)) this.#find('answered elsewhere', `${where} is answered, and without the plugin ${told(without)}`)
  }

  async #unapproved (ask: Ask, path: string, where: string, origin: string, answer: Answer, without: Answer | undefined, reached: readonly Ran[]): Promise<void> {
    const { response } = answer
    const notFound = (await this.#sendAll(ask.method, path, ask.host)).flatMap(({ notFound }) => notFound === undefined ? [] : [notFound])
    if (Object.keys(response.headers).some((name) => name.startsWith('access-control-'))) this.#find('wrong response', `${where} is answered with ${JSON.stringify(response.headers)}`)
    const isElsewhere = without === undefined || isSame(answer, without)
    if (!isElsewhere) {
      const isRefusal = response.statusCode === 403 && response.body === ''
      // A strategy that derives a value from every request, and must match, refuses the generated route that a preflight is led to: nobody answers then.
      const isUnanswered = response.statusCode === 404 && this.table.strategies.some(({ mustMatch }) => mustMatch)
      if (!isRefusal && isUnanswered) return
      if (!isRefusal) this.#find('answered elsewhere', `${where} is answered ${told(answer)}, without the plugin ${told(without)}`)
      else if (!this.#mayBeRefused(origin, reached, notFound)) this.#find('wrong refusal', `${where} is refused, and the request reaches ${shownAll(reached)}`)
    }
    if (!this.#isConstrained && this.ours.errors.length === 0 && allows(reached, origin)) {
      this.#find('missed approval', `${where} is answered ${told(answer)}, and the request reaches ${shownAll(reached)}`)
    }
  }

  /** Every method of a URL with one policy belongs into the answer, where nothing of the request but its method decides. */
  async #missedMethods (ask: Ask, path: string, where: string, named: readonly string[], reached: readonly Ran[]): Promise<void> {
    if (this.#isConstrained || this.ours.errors.length > 0) return
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE'].filter((each) => !named.includes(each))) {
      const others = await this.#reaches(method, path, ask)
      if (others.some((other) => reached.some(({ url, allows }) => other.url === url && other.allows?.join() === allows?.join()))) this.#find('missed method', `${where} names ${named.join(', ')}, and ${method} reaches ${shownAll(others)}`)
    }
  }

  /**
   * The routes that a request may reach after an approval: whatever the browser announced, it remembers the approval for the URL and the method, and sends
   * requests with and without versions and the headers of other constraints (https://fetch.spec.whatwg.org/#concept-cache-match).
   */
  async #reaches (method: string, path: string, { host }: Ask): Promise<Ran[]> {
    return ran(await this.#sendAll(method, path, host))
  }

  /** What the origins of an approval are held against: those of the first route that is reached, or of the not-found handler. */
  async #approver (method: string, path: string, { host }: Ask): Promise<Ran | undefined> {
    const answers = await this.#sendAll(method, path, host)
    return ran(answers).find(({ id }) => id !== HALF_REGISTERED) ?? answers.find(({ notFound }) => notFound !== undefined)?.notFound
  }

  /** Whatever the approved request reaches has the policy that approved it. */
  async #approval (fault: Fault, method: string, path: string, ask: Ask, origin: string, approver: Ran | undefined, what: string): Promise<void> {
    const answers = await this.#sendAll(method, path, ask.host)
    const reached = ran(answers)
    const notFound = answers.flatMap(({ notFound }) => notFound === undefined ? [] : [notFound])
    if (reached.length === 0) {
      // Of strategies of the application's own the plugin knows no value: it goes by the policy of a route that nothing may reach.
      const isGuess = this.table.strategies.length > 0
      if (allows(notFound, origin)) return
      if (!isGuess) this.#find(fault, `${what}, and the request reaches no route`)
      else if (this.table.handlesNotFound && this.table.strategies.some(({ mustMatch, otherwise }) => mustMatch && otherwise !== undefined)) this.#find('wrong 404', `${what}, and the request reaches the not-found handler alone`)
      return
    }
    const policy = approver?.allows?.join()
    if (!allows(reached, origin) || reached.some(({ id, allows }) => id !== HALF_REGISTERED && policy !== undefined && allows?.join() !== policy)) {
      this.#find(fault, `${what}, and the request reaches ${shownAll(reached)}`)
      return
    }
    // Known: the name of a strategy that no route uses cannot be found out.
    const isUsed = this.table.strategies.some(({ name }) => uses(this.table.steps, name))
    const led = this.table.handlesNotFound && isUsed ? this.#ledToNotFound(answers) : undefined
    if (led !== undefined && led.allows?.join() !== reached[0]?.allows?.join()) {
      this.#find('wrong 404', `${what}, and the request reaches ${shownAll(reached)}, and with other headers the not-found handler (${led.allows?.join(' ') ?? 'no policy'})`)
    }
  }

  /** The not-found handler that a request reaches because of a header that a strategy must match: without the header it reaches a route. */
  #ledToNotFound (answers: readonly Answer[]): Ran | undefined {
    const all = this.#fulfilments()
    const mustMatch = new Set(this.table.strategies.filter(({ mustMatch }) => mustMatch).map(({ from }) => from))
    const textOf = (headers: Record<string, string>): string => JSON.stringify(Object.entries(headers).sort())
    const byHeaders = new Map(all.map((headers, index) => [textOf(headers), answers[index] as Answer]))
    for (const [index, headers] of all.entries()) {
      const { notFound } = answers[index] as Answer
      if (notFound === undefined) continue
      for (const name of Object.keys(headers).filter((each) => mustMatch.has(each))) {
        const { [name]: _, ...others } = headers
        if (byHeaders.get(textOf(others))?.ran !== undefined) return notFound
      }
    }
    return undefined
  }

  /** With strategies of the application's own, the plugin cannot know that nothing is reached at all. */
  #mayBeRefused (origin: string, reached: readonly Ran[], notFound: readonly Ran[]): boolean {
    if (reached.length === 0 && this.table.strategies.length > 0) return true
    return [...reached, ...notFound].some(({ id, allows }) => id === HALF_REGISTERED || allows?.includes(origin) === false)
  }

  #sendAll (method: string, path: string, host: string): Promise<Answer[]> {
    const key = `${method} ${path} ${host}`
    let answers = this.#reached.get(key)
    if (answers === undefined) this.#reached.set(key, answers = this.#send(method, path, host))
    return answers
  }

  async #send (method: string, path: string, host: string): Promise<Answer[]> {
    const answers: Answer[] = []
    for (const headers of this.#fulfilments()) {
      this.#requests++
      answers.push(await this.ours.send(method, path, { host, ...headers }))
    }
    return answers
  }

  #all: Array<Record<string, string>> | undefined

  /** The headers of constraints in every combination: none, each value that the table knows, and one that it does not. */
  #fulfilments (): Array<Record<string, string>> {
    this.#all ??= fulfilments(this.table)
    return this.#all
  }
}

function fulfilments ({ steps, strategies }: Table): Array<Record<string, string>> {
  const values = new Map<string, Set<string>>()
  const add = (header: string, ...all: string[]): void => { values.set(header, new Set([...values.get(header) ?? [], ...all])) }
  const known = (name: string): string[] => [...new Set(valuesOf(steps, name))]
  if (!strategies.some(({ name }) => name === 'version')) {
    const versions = known('version')
    const majors = versions.map((version) => version.slice(0, 1))
    // A range is something else than the one version in it only where there are two.
    if (versions.length > 0) add('accept-version', ...versions, ...majors.filter((major, index) => majors.indexOf(major) !== index).map((major) => `${major}.x`), '9.0.0')
  }
  for (const { name, from, mustMatch } of strategies.filter(({ from }) => !from.startsWith('host '))) {
    const all = known(name)
    if (all.length > 0 || mustMatch) add(from, ...all, 'else')
  }
  let combined: Array<Record<string, string>> = [{}]
  for (const [header, all] of values) combined = combined.flatMap((headers) => [headers, ...[...all].map((value) => ({ ...headers, [header]: value }))])
  return combined
}

/** The values of a constraint in a table. */
function valuesOf (steps: readonly Step[], name: string): string[] {
  return JSON.stringify(steps).match(new RegExp(`"${name}":"[^"]*"`, 'g'))?.map((text) => text.slice(name.length + 4, -1)) ?? []
}

function uses (steps: readonly Step[], name: string): boolean {
  return JSON.stringify(steps).includes(`"${name}":`)
}

function ran (answers: readonly Answer[]): Ran[] {
  return answers.flatMap(({ ran }) => ran === undefined ? [] : [ran])
}

/** Whether the request may be approved: it reaches a route, and whichever it is allows the origin. */
function allows (reached: readonly Ran[], origin: string): boolean {
  return reached.length > 0 && reached.every(({ allows }) => allows?.includes(origin) === true)
}

/** Whether both applications answer the same. */
function isSame (mine: Answer, its: Answer): boolean {
  // Fastify says so of any URL with a parameter that is too long, as soon as a route of that method has a parameter there.
  if (mine.response.statusCode === 414 && its.response.statusCode === 404) return true
  // Before 5.12, a URL that cannot be decoded is a bad one only for methods that have routes.
  if (mine.response.body.includes('"FST_ERR_BAD_URL"') && its.response.statusCode === 404) return true
  return mine.ran?.id === its.ran?.id && mine.response.statusCode === its.response.statusCode && mine.response.body === its.response.body
}

function told ({ response, ran }: Answer): string {
  return `${response.statusCode} ${ran === undefined ? response.body.slice(0, 100) : shown(ran)}`
}

function shown ({ id, url, allows }: Ran): string {
  return `route ${id} ${url} (${allows?.join(' ') ?? 'no policy'})`
}

function shownAll (reached: readonly Ran[]): string {
  return reached.length === 0 ? 'no route' : [...new Set(reached.map(shown))].join(' or ')
}

/** A table as a person reads it. */
export function printed ({ router, topLevel, isMadeBeforeImport, handlesNotFound, strategies, addsMethods, exposesHead, steps, asks }: Table): string {
  const ids = new Map(routesOf(steps).map(({ route }, id) => [route, id]))
  const is = (holds: boolean, text: string): string => holds ? `, ${text}` : ''
  const options = `router ${JSON.stringify(router)}, top level ${JSON.stringify(topLevel)}`
  const traits = is(addsMethods, 'adds PROPFIND') + is(!exposesHead, 'exposes no HEAD routes') + is(isMadeBeforeImport, 'made before the import') + is(handlesNotFound, 'handles not found')
  const lines: string[] = [options + traits, ...strategies.map((each) => `strategy ${JSON.stringify(each)}`)]
  const print = (steps: readonly Step[], indent: string): void => {
    for (const step of steps) {
      const { step: kind, ...rest } = step
      if (step.step === 'scope') {
        lines.push(`${indent}scope ${JSON.stringify(step.prefix)}${step.awaited ? ' awaited' : ''}`)
        print(step.steps, `${indent}  `)
      } else lines.push(`${indent}${kind}${step.step === 'route' ? ` ${ids.get(step)}` : ''} ${JSON.stringify(rest)}`)
    }
  }
  print(steps, '')
  return [...lines, ...asks.map((ask) => `ask ${JSON.stringify(ask)}`)].join('\n')
}
