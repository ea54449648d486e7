// A registration of the plugin: checks the options, creates the scope, and adds the hooks that answer preflights and decide on responses.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Application } from './application/application'
import { hasOwnScope, inheritedPolicies, Scope, scopeOf } from './application/scope'
import { decorateWithCors } from './devtools/decoration'
import { rootOf } from './fastify/instances'
import { corsPolicyError, quote, type CorsProblem } from './messages/errors'
import { checkOptions } from './policy/check-options'
import { sendAnswer, warnIfAnsweredBefore, withholdHeaders } from './preflight/answer'
import { preflightMatchOf } from './preflight/options-route'
import { decideOnResponse, upgradeError, whenDecided, whenSendable, type ResponsePolicy } from './response/actual-response'
import { guardOf, type ResponseGuard } from './response/guard'
import { routeOf } from './response/route'
import type { PluginOptions } from './schemas'

/** What the root instance of an application has. */
interface Root {
  /** The `addScope` that was called first. Another copy of the package in the same process passes its registrations to that one. */
  [kAddScope]?: typeof addScope
  [kApplication]?: Application
}

const kAddScope = Symbol.for('fastify-cors-policy.addScope')
const kApplication = Symbol('fastify-cors-policy.application')

/** Registers the plugin on an instance. Throws a CorsPolicyError for wrong options. */
export function addScope (instance: FastifyInstance, options: PluginOptions): void {
  const root = rootOf(instance) as FastifyInstance & Root
  const first = root[kAddScope] ?? addScope
  if (first !== addScope) return first(instance, options)
  const problems: CorsProblem[] = []
  const checked = checkOptions(options, inheritedPolicies(instance), problems)
  checkLogLevel(checked.logLevel, instance, problems)
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
  instance.addHook('onRoute', function (options) {
    application.declare(this, options)
  })
  instance.addHook('onRequest', (request, reply, done) => {
    const match = preflightMatchOf(request.raw)
    if (match !== undefined) return sendAnswer(request, reply, match.answer)
    const policy = policyOf(request)
    return policy === undefined ? done() : whenDecided(request, reply, policy, done)
  })
  // @fastify/websocket closes a refused connection only after its own onRequest hook has run.
  instance.addHook('preParsing', (request, reply, payload, done) => {
    done(upgradeError(request, reply) ?? null, payload)
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

/** The policy that decides on a request: that of its route, or the default policy for a 404. Undefined where nothing is declared. */
function policyOf (request: FastifyRequest): ResponsePolicy | undefined {
  if (request.is404) return scopeOf(request.server)?.notFound
  const route = routeOf(request)
  return route.setsHeaders ? route : undefined
}

/** The guard of a response. Decides on the response if an earlier hook sent it or failed before the onRequest hook ran. */
function guardFor (request: FastifyRequest, reply: FastifyReply): ResponseGuard | undefined {
  const existing = guardOf(reply)
  if (existing !== undefined) return existing
  if (preflightMatchOf(request.raw) !== undefined) return withholdHeaders(reply)
  const policy = policyOf(request)
  return policy && decideOnResponse(request, reply, policy)
}

/** Fastify rejects an unknown log level only when a route with it is declared. */
function checkLogLevel (level: string | undefined, instance: FastifyInstance, problems: CorsProblem[]): void {
  const { levels } = instance.log as { levels?: { values?: Record<string, number> } }
  if (level === undefined || levels?.values === undefined || Object.hasOwn(levels.values, level)) return
  const message = `${quote(level)} is no level of the application's logger; its levels are ${Object.keys(levels.values).join(', ')}`
  problems.push({ pointer: '/logLevel', reason: 'invalid', value: level, message })
}
