// Runs when the plugin is registered: checks the options, creates the scope, and adds the hooks that set the headers of 404 responses. lib/index.ts calls it.
import type { FastifyInstance, FastifyReply, FastifyRequest, onErrorHookHandler, onRequestHookHandler, onSendHookHandler } from 'fastify'
import { decorateWithCors } from './devtools/decoration'
import { corsPolicyError, quote, type CorsProblem } from './messages/errors'
import type { Application } from './application/application'
import { addFirstErrorHook } from './application/instance-hooks'
import { applicationOf, instanceChain } from './application/observer'
import { checkOptions } from './policy/check-options'
import type { CompiledPolicy } from './policy/compiled-policy'
import { resolutionOf } from './preflight/generated-route'
import { requiredHeadersOf } from './response/required-headers'
import { ResponsePolicy } from './response/response'
import type { PluginOptions } from './policy/types'
import { hasOwnScope, inheritedPolicies, Scope, scopeOf } from './application/scope'
import { sharedHook } from './response/shared-hook'

/** The root instance stores the `addScope` that was called first. Another copy of the package in the same process passes its registrations to that one. */
const kAddScope = Symbol.for('fastify-cors-policy.addScope')

interface Root { [kAddScope]?: typeof addScope }

/** Registers the plugin on an instance. Throws a CorsPolicyError for wrong options. */
export function addScope (instance: FastifyInstance, options: PluginOptions): void | Promise<void> {
  checkVersion(instance.version)
  const root = instanceChain(instance)[0] as FastifyInstance & Root
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

  const application = applicationOf(instance)
  Object.defineProperty(root, kAddScope, { value: addScope, configurable: true })
  const hasParent = scopeOf(instance) !== undefined
  if (!hasParent) decorateWithCors(instance)
  const scope = new Scope(instance, checked)
  application.addScope(scope)
  // An instance inherits the hook of its parent scope.
  if (!hasParent) addErrorHook(instance, application)
  // A scope without a default policy may inherit one from a parent that is registered later.
  if (checked.defaultPolicy === undefined ? instanceChain(instance).length > 1 : checked.defaultPolicy !== false) setNotFoundHeaders(instance, scope)
}

/**
 * Decides if a hook of the instance failed before the hooks of the route ran. Synchronous: Fastify cannot send a handler's time-out while an onError hook is
 * awaited.
 */
function addErrorHook (instance: FastifyInstance, application: Application): void {
  addFirstErrorHook(instance, sharedHook<onErrorHookHandler>((request, reply, _error, done) => {
    if (requiredHeadersOf(reply) === undefined) {
      const resolution = resolutionOf(request)
      if (resolution !== undefined) resolution.answer.withholdHeaders(reply)
      else application.responsePolicyOf(request.routeOptions.config)?.decideOnce(request, reply)
    }
    done()
  }))
}

/** A not-found handler has no route with hooks of the plugin. Hooks of the instance set the headers of its responses, and ignore all others. */
function setNotFoundHeaders (instance: FastifyInstance, scope: Scope): void {
  let response: ResponsePolicy | undefined
  let policy: CompiledPolicy | undefined
  // The nearest scope of a not-found handler applies. If a route with a policy calls the handler, that policy applies.
  const notFoundResponse = (request: FastifyRequest, reply: FastifyReply): ResponsePolicy | undefined => {
    if (!request.is404 || scopeOf(request.server) !== scope || scope.defaultPolicy === false) return undefined
    const { compiled, name = null } = scope.defaultPolicy
    if (response === undefined || policy !== compiled) response = new ResponsePolicy(policy = compiled, name)
    return (requiredHeadersOf(reply)?.source ?? response) === response ? response : undefined
  }
  instance.addHook('onRequest', sharedHook<onRequestHookHandler>((request, reply, done) => {
    const response = notFoundResponse(request, reply)
    return response === undefined ? done() : response.onRequest(request, reply, done)
  }))
  addFirstErrorHook(instance, sharedHook<onErrorHookHandler>((request, reply, _error, done) => {
    notFoundResponse(request, reply)?.decideOnce(request, reply)
    done()
  }))
  instance.addHook('onSend', sharedHook<onSendHookHandler>((request, reply, payload, done) => {
    const response = notFoundResponse(request, reply)
    return response === undefined ? done() : response.onSend(request, reply, payload, done)
  }))
}

/** The plugin works with this version of Fastify, and with prereleases of later ones: applications test those before plugins have followed. */
const FASTIFY = 5

function checkVersion (version: string): void {
  const major = Number.parseInt(version)
  if (major === FASTIFY || (major > FASTIFY && version.includes('-'))) return
  const message = `the application runs Fastify ${quote(version)}, and the plugin works with Fastify ${FASTIFY}; write "fastify": "^${FASTIFY}.0.0" in the ` +
    'dependencies of your package.json'
  throw corsPolicyError('fastify-cors-policy', [{ pointer: '', reason: 'conflict', value: version, message }])
}

/** Fastify rejects an unknown log level only when a route with it is declared. */
function checkLogLevel (level: string | undefined, instance: FastifyInstance, problems: CorsProblem[]): void {
  const { levels } = instance.log as { levels?: { values?: Record<string, number> } }
  if (level === undefined || levels?.values === undefined || Object.hasOwn(levels.values, level)) return
  const message = `${quote(level)} is no level of the application's logger; its levels are ${Object.keys(levels.values).join(', ')}`
  problems.push({ pointer: '/logLevel', reason: 'invalid', value: level, message })
}
