// The plugin: checks its options, makes a scope of the instance it is registered on, and sets the headers of the scope's 404s.
import type { FastifyInstance, FastifyReply, FastifyRequest, onErrorHookHandler, onRequestHookHandler, onSendHookHandler } from 'fastify'
import { sendAnswer } from './application/application'
import { NO_NAMES, within } from './declaration/declaration'
import { corsPolicyError, quote, type CorsProblem } from './errors'
import { applicationOf } from './application/observer'
import { checkOptions } from './declaration/options'
import { requiredOf } from './response/required-headers'
import { ResponsePolicy } from './response/response'
import type { CorsPluginOptions } from './schema'
import { scopeOf, type Scope } from './application/scope'
import { unbound } from './response/unbound'

/** What happens when the plugin is registered on an instance. */
export async function addScope (instance: FastifyInstance, options: CorsPluginOptions): Promise<void> {
  const outer = scopeOf(instance)
  const problems: CorsProblem[] = []
  const checked = checkOptions(options, outer?.names ?? NO_NAMES, problems)
  checkLogLevel(checked.logLevel, instance, problems)
  if (outer?.instance === instance) {
    problems.push({ pointer: '', reason: 'conflict', value: options, message: 'the plugin is registered on this instance already; give all options to one registration, or register again inside a child scope' })
  }
  if (problems.length > 0) throw corsPolicyError('the options of fastify-cors-policy', problems)

  const application = applicationOf(instance)
  // The generated routes have a scope of their own, so that its hook answers before any that is added from now on.
  let optionsRoutes!: FastifyInstance
  await instance.register(async (child) => {
    child.addHook('onRequest', sendAnswer as never)
    optionsRoutes = child
  })
  const scope: Scope = {
    instance,
    names: within(checked.policies, outer?.names ?? NO_NAMES),
    defaultPolicy: checked.defaultPolicy ?? outer?.defaultPolicy ?? false,
    logLevel: checked.logLevel,
    hideOptionsRoute: checked.hideOptionsRoute,
    optionsRoutes
  }
  application.addScope(scope)
  if (scope.defaultPolicy !== false) setNotFoundHeaders(instance, scope, new ResponsePolicy(scope.defaultPolicy.compiled))
}

/** Not-found handlers have no route whose hooks could be ours: hooks of the instance set the headers of their responses, and leave all others alone. */
function setNotFoundHeaders (instance: FastifyInstance, scope: Scope, response: ResponsePolicy): void {
  // Of several scopes around a not-found handler, the nearest one counts; where a route with a policy of its own calls the handler, that policy.
  const concerns = (request: FastifyRequest, reply: FastifyReply): boolean => request.is404 && scopeOf(request.server) === scope && (requiredOf(reply)?.owner ?? response) === response
  instance.addHook('onRequest', unbound<onRequestHookHandler>((request, reply, done) => concerns(request, reply) ? response.onRequest(request, reply, done) : done()))
  instance.addHook('onError', unbound<onErrorHookHandler>((request, reply, error, done) => concerns(request, reply) ? response.onError(request, reply, error, done) : done()))
  instance.addHook('onSend', unbound<onSendHookHandler>((request, reply, payload, done) => concerns(request, reply) ? response.onSend(request, reply, payload, done) : done()))
}

/** Fastify refuses an unknown level only when a route with it is declared. */
function checkLogLevel (level: string | undefined, instance: FastifyInstance, problems: CorsProblem[]): void {
  const { levels } = instance.log as { levels?: { values?: Record<string, number> } }
  if (level === undefined || levels?.values === undefined || Object.hasOwn(levels.values, level)) return
  problems.push({ pointer: '/logLevel', reason: 'invalid', value: level, message: `${quote(level)} is no level of the application's logger; its levels are ${Object.keys(levels.values).join(', ')}` })
}
