// A registration of the plugin: checks the options, creates the scope, and adds the hooks that answer preflights and decide on responses.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Application } from './application/application'
import { hasOwnScope, inheritedPolicies, Scope, scopeOf } from './application/scope'
import { decorateWithCors } from './devtools/decoration'
import { rootOf } from './fastify/instances'
import { isPreflight } from './http/preflight-request'
import { corsPolicyError, quote, type CorsProblem } from './messages/errors'
import { checkOptions } from './policy/check-options'
import type { PluginOptions } from './policy/types'
import { ANSWERED_BEFORE, sendAnswer, warnIfAnsweredBefore, withholdHeaders, type AnswerOptions } from './preflight/answer'
import { preflightMatchOf } from './preflight/options-route'
import { decideOnResponse, whenDecided, whenSendable } from './response/actual-response'
import { closeUpgrade, HOST_REFUSED, HostRefusedError, hostsOf } from './response/enforcement'
import { guardOf, type ResponseGuard } from './response/guard'
import { routeOf } from './response/route'
import type { ResponseSource } from './response/source'

/** Where the root instance has the `addScope` that was called first. Another copy of the package in the process passes its registrations to that one. */
const kAddScope = Symbol.for('fastify-cors-policy.addScope')

const kApplication = Symbol('fastify-cors-policy.application')

interface Root {
  [kAddScope]?: typeof addScope
  [kApplication]?: Application
}

/** Registers the plugin on an instance. Throws a CorsPolicyError for wrong options. */
export function addScope (instance: FastifyInstance, options: PluginOptions): void {
  const root = rootOf(instance) as FastifyInstance & Root
  const first = root[kAddScope] ?? addScope
  if (first !== addScope) return first(instance, options)
  const problems: CorsProblem[] = []
  const checked = checkOptions(options, inheritedPolicies(instance), problems)
  for (const option of ['logLevel', 'refusalLogLevel'] as const) checkLogLevel(option, checked[option], instance, problems)
  if (hasOwnScope(instance)) {
    const message = 'the plugin is registered on this instance already; give all options to one registration, or register again inside a child scope'
    problems.push({ pointer: '', reason: 'conflict', value: options, message })
  }
  if (problems.length > 0) throw corsPolicyError('the options of fastify-cors-policy', problems)

  const application = root[kApplication] ?? new Application(root)
  for (const [key, value] of [[kAddScope, addScope], [kApplication, application]] as const) Object.defineProperty(root, key, { value, configurable: true })
  // An instance inherits the hooks of its parent scope.
  if (scopeOf(instance) === undefined) {
    decorateWithCors(instance, application)
    addHooks(instance, application)
  }
  application.addScope(new Scope(instance, checked))
}

/** They run before all hooks that are added to the instance later, and on the routes that were declared before. */
function addHooks (instance: FastifyInstance, application: Application): void {
  if (instance !== application.root) application.observe(instance)
  instance.addHook('onRequest', (request, reply, done) => {
    if (refusesHost(request)) {
      withholdHeaders(reply, HOST_REFUSED)
      closeUpgrade(request, reply)
      return done(new HostRefusedError())
    }
    const answer = preflightMatchOf(request.raw)?.answer ?? notFoundAnswer(request, application)
    if (answer !== undefined) return sendAnswer(request, reply, answer)
    const source = sourceOf(request)
    return source === undefined ? done() : whenDecided(request, reply, source, done)
  })
  instance.addHook('onSend', (request, reply, _payload, done) => {
    const guard = guardFor(request, reply)
    if (guard === undefined) return done()
    warnIfAnsweredBefore(request, reply, guard)
    whenSendable(request, reply, guard, done)
  })
  // An earlier hook may have failed before onRequest. Fastify cannot send a handler's time-out while an onError hook is awaited, so it decides at once.
  instance.addHook('onError', (request, reply, _error, done) => {
    guardFor(request, reply)
    done()
  })
}

function refusesHost (request: FastifyRequest): boolean {
  const matchesHost = scopeOf(request.server)?.matchesHost
  return matchesHost !== undefined && !hostsOf(request).every(matchesHost)
}

/** What answers a preflight that reached a not-found handler. */
function notFoundAnswer (request: FastifyRequest, application: Application): AnswerOptions | undefined {
  const scope = request.is404 && isPreflight(request.raw) ? scopeOf(request.server) : undefined
  return scope && application.resolveNotFound(request, scope.notFound)
}

/** What decides on a response: the route of the request, or the default policy for a 404. Undefined where nothing is declared. */
function sourceOf (request: FastifyRequest): ResponseSource | undefined {
  const scope = scopeOf(request.server) as Scope
  const source = request.is404 ? scope.notFound : routeOf(request) ?? { ...scope.notFound, policy: null, setsHeaders: true }
  return source.setsHeaders || scope.enforceOrigin !== false ? source : undefined
}

/** The guard of a response. Decides on the response if an earlier hook sent it or failed before the onRequest hook ran. */
function guardFor (request: FastifyRequest, reply: FastifyReply): ResponseGuard | undefined {
  const existing = guardOf(reply)
  if (existing !== undefined) return existing
  if (preflightMatchOf(request.raw) !== undefined) return withholdHeaders(reply, ANSWERED_BEFORE)
  const source = sourceOf(request)
  return source && decideOnResponse(request, reply, source)
}

/** Fastify rejects an unknown log level only when a route with it is declared. */
function checkLogLevel (option: string, level: string | undefined, instance: FastifyInstance, problems: CorsProblem[]): void {
  const { levels } = instance.log as { levels?: { values?: Record<string, number> } }
  if (level === undefined || levels?.values === undefined || Object.hasOwn(levels.values, level)) return
  const message = `${quote(level)} is no level of the application's logger; its levels are ${Object.keys(levels.values).join(', ')}`
  problems.push({ pointer: `/${option}`, reason: 'invalid', value: level, message })
}
