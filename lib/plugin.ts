// The plugin: checks its options, makes a scope of the instance it is registered on, and heads the scope's 404 responses.
import type { FastifyInstance, FastifyRequest, onErrorHookHandler, onRequestHookHandler, onSendHookHandler } from 'fastify'
import { sendAnswer } from './preflight/generated-route'
import { corsPolicyError, quote, type CorsProblem } from './errors'
import { applicationOf } from './application/observer'
import { checkOptions } from './declaration/options'
import { ResponsePolicy } from './response/response'
import type { PluginOptions } from './schema'
import { hasOwnScope, namesAround, Scope, scopeOf } from './application/scope'
import { unbound } from './response/unbound'

/** What happens when the plugin is registered on an instance. */
export async function addScope (instance: FastifyInstance, options: PluginOptions): Promise<void> {
  const problems: CorsProblem[] = []
  const checked = checkOptions(options, namesAround(instance), problems)
  checkLogLevel(checked.logLevel, instance, problems)
  if (hasOwnScope(instance)) {
    problems.push({ pointer: '', reason: 'conflict', value: options, message: 'the plugin is registered on this instance already; give all options to one registration, or register again inside a child scope' })
  }
  if (problems.length > 0) throw corsPolicyError('the options of fastify-cors-policy', problems)

  const application = applicationOf(instance)
  // The generated routes have a scope of their own, so that its hook answers before any that is added from now on.
  let optionsRoutes!: FastifyInstance
  await instance.register(async function corsOptionsRoutes (child) {
    child.addHook('onRequest', sendAnswer as never)
    optionsRoutes = child
  })
  const scope = new Scope(instance, checked, optionsRoutes)
  application.addScope(scope)
  if (scope.defaultPolicy !== false) headNotFound(instance, scope, new ResponsePolicy(scope.defaultPolicy.compiled))
}

/** Not-found handlers have no route that could be hooked: hooks of the instance head their responses, and leave all others alone. */
function headNotFound (instance: FastifyInstance, scope: Scope, response: ResponsePolicy): void {
  // Of several scopes around a not-found handler, the nearest one counts.
  const concerns = (request: FastifyRequest): boolean => request.is404 && scopeOf(request.server) === scope
  instance.addHook('onRequest', unbound<onRequestHookHandler>((request, reply, done) => concerns(request) ? response.onRequest(request, reply, done) : done()))
  instance.addHook('onError', unbound<onErrorHookHandler>((request, reply, error, done) => concerns(request) ? response.onError(request, reply, error, done) : done()))
  instance.addHook('onSend', unbound<onSendHookHandler>((request, reply, payload, done) => concerns(request) ? response.onSend(request, reply, payload, done) : done()))
}

/** Fastify refuses an unknown level only when a route with it is declared. */
function checkLogLevel (level: string | undefined, instance: FastifyInstance, problems: CorsProblem[]): void {
  const { levels } = instance.log as { levels?: { values?: Record<string, number> } }
  if (level === undefined || levels?.values === undefined || Object.hasOwn(levels.values, level)) return
  problems.push({ pointer: '/logLevel', reason: 'invalid', value: level, message: `${quote(level)} is no level of the application's logger; its levels are ${Object.keys(levels.values).join(', ')}` })
}
