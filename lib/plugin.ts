// The plugin: checks its options, makes a scope of the instance it is registered on, and sets the headers of the scope's 404s.
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest, onErrorHookHandler, onRequestHookHandler, onSendHookHandler } from 'fastify'
import { decorateWithCors } from './explain/decoration'
import { sendAnswer } from './preflight/generated-route'
import { corsPolicyError, quote, type CorsProblem } from './errors'
import { applicationOf, around } from './application/observer'
import { checkOptions } from './declaration/options'
import type { CompiledPolicy } from './policy/policy'
import { requiredHeadersOf } from './response/required-headers'
import { ResponsePolicy } from './response/response'
import type { PluginOptions } from './schema'
import { finishTogether } from './application/together'
import { hasOwnScope, namesAround, Scope, scopeOf } from './application/scope'
import { sharedHook } from './response/shared-hook'

/** Where an application carries the `addScope` that was called for it first. Another copy of the package in the same process leaves that application to it. */
const kAddScope = Symbol.for('fastify-cors-policy.addScope')

interface Root { [kAddScope]?: typeof addScope }

/** What happens when the plugin is registered on an instance. */
export async function addScope (instance: FastifyInstance, options: PluginOptions): Promise<void> {
  const root = around(instance)[0] as FastifyInstance & Root
  const first = root[kAddScope] ?? addScope
  if (first !== addScope) return await first(instance, options)
  const problems: CorsProblem[] = []
  const checked = checkOptions(options, namesAround(instance), problems)
  checkLogLevel(checked.logLevel, instance, problems)
  if (hasOwnScope(instance)) {
    problems.push({ pointer: '', reason: 'conflict', value: options, message: 'the plugin is registered on this instance already; give all options to one registration, or register again inside a child scope' })
  }
  if (problems.length > 0) throw corsPolicyError('the options of fastify-cors-policy', problems)

  const application = applicationOf(instance)
  Object.defineProperty(root, kAddScope, { value: addScope, configurable: true })
  if (scopeOf(instance) === undefined) decorateWithCors(instance)
  // The generated routes have a scope of their own, so that its hook answers before any that is added from now on.
  let optionsRoutes!: FastifyInstance
  await instance.register(named(function corsOptionsRoutes (child, _, done) {
    child.addHook('onRequest', sendAnswer as never)
    finishTogether(child)
    optionsRoutes = child
    done()
  }))
  const scope = new Scope(instance, checked, optionsRoutes)
  application.addScope(scope)
  // A scope without a default of its own may get one from a parent that is registered later.
  if (checked.defaultPolicy === undefined ? around(instance).length > 1 : checked.defaultPolicy !== false) setNotFoundHeaders(instance, scope)
}

/** A plugin that says its name: Fastify would look through every module that is loaded for it. */
function named (plugin: FastifyPluginCallback): FastifyPluginCallback {
  return Object.assign(plugin, { [Symbol.for('fastify.display-name')]: plugin.name })
}

/** Not-found handlers have no route whose hooks could be ours: hooks of the instance set the headers of their responses, and leave all others alone. */
function setNotFoundHeaders (instance: FastifyInstance, scope: Scope): void {
  let response: ResponsePolicy | undefined
  let policy: CompiledPolicy | undefined
  // Of several scopes around a not-found handler, the nearest one counts; where a route with a policy of its own calls the handler, that policy.
  const concerned = (request: FastifyRequest, reply: FastifyReply): ResponsePolicy | undefined => {
    if (!request.is404 || scopeOf(request.server) !== scope || scope.defaultPolicy === false) return undefined
    const { compiled, name = null } = scope.defaultPolicy
    if (response === undefined || policy !== compiled) response = new ResponsePolicy(policy = compiled, name)
    return (requiredHeadersOf(reply)?.source ?? response) === response ? response : undefined
  }
  instance.addHook('onRequest', sharedHook<onRequestHookHandler>((request, reply, done) => {
    const response = concerned(request, reply)
    return response === undefined ? done() : response.onRequest(request, reply, done)
  }))
  instance.addHook('onError', sharedHook<onErrorHookHandler>((request, reply, error, done) => {
    const response = concerned(request, reply)
    return response === undefined ? done() : response.onError(request, reply, error, done)
  }))
  instance.addHook('onSend', sharedHook<onSendHookHandler>((request, reply, payload, done) => {
    const response = concerned(request, reply)
    return response === undefined ? done() : response.onSend(request, reply, payload, done)
  }))
}

/** Fastify refuses an unknown level only when a route with it is declared. */
function checkLogLevel (level: string | undefined, instance: FastifyInstance, problems: CorsProblem[]): void {
  const { levels } = instance.log as { levels?: { values?: Record<string, number> } }
  if (level === undefined || levels?.values === undefined || Object.hasOwn(levels.values, level)) return
  problems.push({ pointer: '/logLevel', reason: 'invalid', value: level, message: `${quote(level)} is no level of the application's logger; its levels are ${Object.keys(levels.values).join(', ')}` })
}
