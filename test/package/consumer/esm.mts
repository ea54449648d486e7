// An ESM application that uses the package. consumers.test.ts compiles it in every resolution mode, runs it and checks what it prints.
import autoload from '@fastify/autoload'
import Fastify, { type FastifyInstance } from 'fastify'
import cors, { corsPolicy, definePolicies } from 'fastify-cors-policy'
import * as namespace from 'fastify-cors-policy'
import inspector, { inspector as namedInspector } from 'fastify-cors-policy/inspector'
import type { CorsPluginOptions, CorsPolicy, CorsPolicyError, CorsProblem, CorsProblemReason, RouteCors } from 'fastify-cors-policy'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const open: CorsPolicy = { origin: '*' }
const policies = definePolicies({ open })
const options: CorsPluginOptions = { policies, defaultPolicy: false }
const byName: RouteCors = { extends: 'open' }

/** Never called: compiles only if config.cors has its type, that is, if the package's augmentation of Fastify was found. */
export function mistyped (app: FastifyInstance) {
  // @ts-expect-error: an origin is not a number
  app.get('/', { config: { cors: { origin: 5 } } }, () => 'ok')
}

/** What a browser is told by a route with a policy of its own, by one that names the plugin's, and by one with none. */
async function answers (app: FastifyInstance) {
  app.get('/own', { config: { cors: { origin: '*' } } }, () => 'ok')
  app.get('/named', { config: { cors: byName } }, () => 'ok')
  app.get('/none', () => 'ok')
  const replies = await Promise.all(['/own', '/named', '/none'].map((url) => app.inject({ url, headers: { origin: 'https://app.example.com' } })))
  await app.close()
  return replies.map((reply) => reply.headers['access-control-allow-origin'] ?? null)
}

async function autoloaded (dir: string) {
  const app = Fastify()
  await app.register(autoload, { dir: join(import.meta.dirname, dir), options })
  return answers(app)
}

/** What the inspector serves: its page, and the routes that it lists. */
async function inspected () {
  const app = Fastify()
  await app.register(cors)
  app.get('/own', { config: { cors: open } }, () => 'ok')
  const options: inspector.InspectorOptions = { prefix: '/_cors', hosts: ['dev.example.com'] }
  await app.register(inspector, options)
  const replies = await Promise.all(['/_cors/', '/_cors/page.css', '/_cors/page.js', '/_cors/icon.svg'].map((url) => app.inject(url)))
  const { body } = await app.inject('/_cors/routes')
  await app.close()
  return [...replies.map((reply) => reply.statusCode), (JSON.parse(body) as Array<{ url: string }>).map(({ url }) => url)]
}

function reasons (error: CorsPolicyError): CorsProblemReason[] {
  return error.problems.map((problem: CorsProblem) => problem.reason)
}

const app = Fastify()
await app.register(cors, { policies })

console.log(JSON.stringify({
  type: typeof cors,
  sameInstance: [corsPolicy, namespace.default, namespace.corsPolicy, createRequire(import.meta.url)('fastify-cors-policy')].map((other) => other === cors),
  names: Object.keys(namespace),
  registered: await answers(app),
  autoloadedCjs: await autoloaded('plugins-cjs'),
  autoloadedEsm: await autoloaded('plugins-esm'),
  sameInspector: [namedInspector, createRequire(import.meta.url)('fastify-cors-policy/inspector')].map((other) => other === inspector),
  inspected: await inspected(),
  refused: await Fastify().register(cors, { policies: { open: { origin: 'https://EXAMPLE.com' }, wide: { origin: 'https://*.github.io', credentials: true } } }).then(() => [], reasons)
}))
