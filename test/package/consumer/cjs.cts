// A CommonJS application that uses the package. consumers.test.ts compiles it in every resolution mode, runs it and checks what it prints.
import autoload = require('@fastify/autoload')
import Fastify = require('fastify')
import cors = require('fastify-cors-policy')
import imported, { corsPolicy } from 'fastify-cors-policy'
import type { CorsPluginOptions, CorsPolicy, CorsPolicyError, CorsProblem, CorsProblemReason, RouteCors } from 'fastify-cors-policy'
import { join } from 'node:path'

const open: CorsPolicy = { origin: '*' }
const policies = cors.definePolicies({ open })
const options: CorsPluginOptions = { policies, defaultPolicy: false }
const byName: RouteCors = { extends: 'open' }

/** Never called: compiles only if config.cors has its type, that is, if the package's augmentation of Fastify was found. */
export function mistyped (app: Fastify.FastifyInstance) {
  // @ts-expect-error: an origin is not a number
  app.get('/', { config: { cors: { origin: 5 } } }, () => 'ok')
}

/** What a browser is told by a route with a policy of its own, by one that names the plugin's, and by one with none. */
async function answers (app: Fastify.FastifyInstance) {
  app.get('/own', { config: { cors: { origin: '*' } } }, () => 'ok')
  app.get('/named', { config: { cors: byName } }, () => 'ok')
  app.get('/none', () => 'ok')
  const replies = await Promise.all(['/own', '/named', '/none'].map((url) => app.inject({ url, headers: { origin: 'https://app.example.com' } })))
  await app.close()
  return replies.map((reply) => reply.headers['access-control-allow-origin'] ?? null)
}

async function autoloaded (dir: string) {
  const app = Fastify()
  await app.register(autoload, { dir: join(__dirname, dir), options })
  return answers(app)
}

function reasons (error: CorsPolicyError): CorsProblemReason[] {
  return error.problems.map((problem: CorsProblem) => problem.reason)
}

async function main () {
  const app = Fastify()
  await app.register(cors, { policies })
  const namespace = await import('fastify-cors-policy')

  console.log(JSON.stringify({
    type: typeof cors,
    sameInstance: [corsPolicy, imported, cors.corsPolicy, cors.default, namespace.default, namespace.corsPolicy].map((other) => other === cors),
    names: Object.keys(cors),
    registered: await answers(app),
    autoloadedCjs: await autoloaded('plugins-cjs'),
    autoloadedEsm: await autoloaded('plugins-esm'),
    refused: await Fastify().register(cors, { policies: { open: { origin: 'https://EXAMPLE.com' } } }).then(() => [], reasons)
  }))
}

main()
