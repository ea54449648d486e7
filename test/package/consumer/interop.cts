// A CommonJS application without `esModuleInterop`, where a default import is what the module itself calls `default`. consumers.test.ts compiles it.
import Fastify = require('fastify')
import cors = require('fastify-cors-policy')
import imported, { corsPolicy, definePolicies } from 'fastify-cors-policy'
import inspector = require('fastify-cors-policy/inspector')
import importedInspector from 'fastify-cors-policy/inspector'
import { CorsPolicySchema } from 'fastify-cors-policy/schemas'

const policies = definePolicies({ open: { origin: '*' } })
export const app = Fastify()
for (const plugin of [cors, imported, corsPolicy]) app.register(plugin, { policies })
for (const plugin of [inspector, importedInspector]) app.register(plugin, { prefix: '/_cors' })
export const schema = CorsPolicySchema
