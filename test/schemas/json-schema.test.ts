// The schemas as plain JSON Schema, for editors of policy files and for other languages: what JSON.stringify makes of them, and the
// policies.schema.json that the build makes of them (so build first: npm test does). Compiled by Ajv in its strict mode, they take what is
// right, the policies of README and of examples/policies.json included, and nothing else.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import Fastify, { type FastifyServerOptions, type LightMyRequestResponse, type RouteShorthandOptions } from 'fastify'
import t from 'tap'
import ts from 'typescript'
import cors, { definePolicies } from '../../lib/index'
import { CorsPluginOptionsSchema, CorsPolicySchema, RouteCorsSchema } from '../../lib/schemas'

interface JsonSchema { [keyword: string]: unknown }
type Json = Record<string, unknown>

const ROOT = join(__dirname, '..', '..')
const SCHEMAS = { CorsPolicySchema, RouteCorsSchema, CorsPluginOptionsSchema }

const POLICIES: Json[] = [
  { origin: '*' },
  { origin: 'null' },
  { origin: 'https://app.example.com' },
  { origin: 'http://localhost:*', maxAge: 0 },
  { origin: ['https://*.example.com', 'capacitor://localhost', 'http://[::1]:3000'], credentials: true, maxAge: 86400 },
  { origin: '*', allowedHeaders: '*', exposedHeaders: '*', optionsSuccessStatus: 200 },
  { origin: '*', allowedHeaders: ['*', 'Authorization'], exposedHeaders: ['ETag', 'X-Total'], optionsSuccessStatus: 204 },
  { origin: '*', credentials: ['https://app.example.com', 'https://*.example.com'] },
  { origin: ['https://app.example.com'], enforceOrigin: true },
  { extends: 'public' },
  { extends: 'partner', origin: ['https://app.example.com'], dangerouslyAllowInsecureOrigins: true, dangerouslyAllowPublicSuffixes: false }
]

const WRONG: Array<[why: string, policy: Json]> = [
  ['no origin', {}],
  ['no origin, but other fields', { maxAge: 5 }],
  ['an unknown field', { origin: '*', methods: ['GET'] }],
  ['an unknown field beside a name', { extends: 'public', orign: '*' }],
  ['an origin that is no text', { origin: 5 }],
  ['an origin that is no text, in an array', { origin: ['https://app.example.com', true] }],
  ['an origin that is an object', { origin: {} }],
  ['an origin without a scheme', { origin: 'app.example.com' }],
  ['an origin with a path', { origin: 'https://app.example.com/path' }],
  ['an origin with a slash', { origin: ['https://app.example.com/'] }],
  ['an origin with a query', { origin: 'https://app.example.com?a' }],
  ['an origin with a user', { origin: 'https://me@app.example.com' }],
  ['an origin with a scheme in upper case', { origin: 'HTTPS://app.example.com' }],
  ['an empty origin', { origin: '' }],
  ['credentials that are no boolean', { origin: '*', credentials: 'true' }],
  ['credentials that are no origins', { origin: '*', credentials: ['app.example.com'] }],
  ['credentials that are an object', { origin: '*', credentials: {} }],
  ['a switch that is a text', { origin: 'null', enforceOrigin: 'true' }],
  ['a header name with a space', { origin: '*', allowedHeaders: ['X Request Id'] }],
  ['an empty header name', { origin: '*', exposedHeaders: [''] }],
  ['a very long header name', { origin: '*', exposedHeaders: ['x'.repeat(257)] }],
  ['a bare header name', { origin: '*', exposedHeaders: 'ETag' }],
  ['a maxAge below the range', { origin: '*', maxAge: -1 }],
  ['a maxAge above the range', { origin: '*', maxAge: 86401 }],
  ['a maxAge that is not whole', { origin: '*', maxAge: 0.5 }],
  ['a maxAge that is a text', { origin: '*', maxAge: '600' }],
  ['status 201', { origin: '*', optionsSuccessStatus: 201 }],
  ['a name that is no text', { extends: 5 }],
  ['a switch that is no boolean', { origin: '*', dangerouslyAllowInsecureOrigins: 1 }],
  ['another switch that is no boolean', { origin: '*', dangerouslyAllowPublicSuffixes: null }]
]

/** What a program in another language, or a file, has of a schema. */
function exported (schema: object): JsonSchema {
  return JSON.parse(JSON.stringify(schema)) as JsonSchema
}

function compile (schema: object): ValidateFunction {
  return new Ajv({ strict: true }).compile(exported(schema))
}

/** Every schema within a schema, itself included. */
function schemasIn (schema: JsonSchema, path = ''): Array<[path: string, schema: JsonSchema]> {
  const inner = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>)
    .concat(['anyOf', 'allOf', 'oneOf'].flatMap((keyword) => Object.entries((schema[keyword] ?? []) as JsonSchema[])))
    .concat(['items', 'additionalProperties'].filter((keyword) => typeof schema[keyword] === 'object').map((keyword) => [keyword, schema[keyword] as JsonSchema]))
  return [[path, schema], ...inner.flatMap(([name, value]) => schemasIn(value, `${path}/${name}`))]
}

/** What a literal in a program stands for, as far as JSON can say it. */
function literalValue (node: ts.Expression): unknown {
  if (ts.isStringLiteral(node)) return node.text
  if (ts.isNumericLiteral(node)) return Number(node.text)
  if (node.kind === ts.SyntaxKind.TrueKeyword) return true
  if (node.kind === ts.SyntaxKind.FalseKeyword) return false
  if (ts.isArrayLiteralExpression(node)) {
    const values = node.elements.map(literalValue)
    return values.includes(undefined) ? undefined : values
  }
  if (!ts.isObjectLiteralExpression(node)) return undefined
  const fields = node.properties.map((property) => ts.isPropertyAssignment(property) ? [property.name.getText().replace(/^'|'$/g, ''), literalValue(property.initializer)] as const : undefined)
  return fields.some((field) => field?.[1] === undefined) ? undefined : Object.fromEntries(fields as Array<[string, unknown]>)
}

/** The values of the `cors:` in a program, and the policies of its `definePolicies`. */
function declaredIn (code: string): { routes: unknown[], policies: unknown[] } {
  const routes: unknown[] = []
  const policies: unknown[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'cors') routes.push(literalValue(node.initializer))
    else if (ts.isPropertyAssignment(node) && node.name.getText() === 'policies') policies.push(literalValue(node.initializer))
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('readme.ts', code, ts.ScriptTarget.ES2022, true))
  return { routes: routes.filter((value) => value !== undefined), policies: policies.filter((value) => value !== undefined) }
}

/** The schema of a file of policies, as it is shipped. */
const FILE_SCHEMA = JSON.parse(readFileSync(join(ROOT, 'policies.schema.json'), 'utf8')) as JsonSchema

const isFile = compile(FILE_SCHEMA)
const isPolicy = compile(CorsPolicySchema)
const isRouteCors = compile(RouteCorsSchema)
const areOptions = compile(CorsPluginOptionsSchema)

t.test('a policy is accepted or refused by its JSON Schema', async (t) => {
  for (const policy of POLICIES) t.ok(isPolicy(policy), JSON.stringify(policy))
  for (const [why, policy] of WRONG) t.notOk(isPolicy(policy), `not ${why}`)
  for (const value of [false, true, null, 5, 'public', '*', ['https://app.example.com']]) t.notOk(isPolicy(value), `not ${JSON.stringify(value)}`)
})

t.test('a route\'s config.cors is accepted or refused by its JSON Schema', async (t) => {
  for (const policy of [false, ...POLICIES]) t.ok(isRouteCors(policy), JSON.stringify(policy))
  for (const [why, policy] of WRONG) t.notOk(isRouteCors(policy), `not ${why}`)
  for (const value of [true, null, 5, 'public', '*', ['https://app.example.com']]) t.notOk(isRouteCors(value), `not ${JSON.stringify(value)}`)
})

t.test('the plugin\'s options are accepted or refused by their JSON Schema', async (t) => {
  const policies = Object.fromEntries(POLICIES.map((policy, index) => [`policy ${index}`, policy]))
  t.ok(areOptions({}), 'none')
  t.ok(areOptions({ policies, defaultPolicy: false, logLevel: 'warn', hideOptionsRoute: false }), 'all')
  t.ok(areOptions({ defaultPolicy: 'public' }), 'a default policy by name')
  for (const defaultPolicy of POLICIES) t.ok(areOptions({ defaultPolicy }), `by default ${JSON.stringify(defaultPolicy)}`)
  for (const [why, policy] of WRONG) {
    t.notOk(areOptions({ policies: { ...policies, wrong: policy } }), `not ${why}`)
    t.notOk(areOptions({ defaultPolicy: policy }), `nor by default ${why}`)
  }
  for (const options of [{ origin: '*' }, { policies: [] }, { policies: { public: '*' } }, { defaultPolicy: true }, { logLevel: 5 }, { hideOptionsRoute: 'no' }]) {
    t.notOk(areOptions(options), `not ${JSON.stringify(options)}`)
  }
})

t.test('every object of a schema takes its own fields and no others', async (t) => {
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    const inner = schemasIn(exported(schema))
    const objects = inner.filter(([, { type }]) => type === 'object')
    t.ok(objects.length > 0, `${name} has objects`)
    for (const [path, { properties, additionalProperties }] of objects) {
      // An object either has these fields and no other, or every other name is one that its user gives.
      if (typeof additionalProperties === 'object') t.equal(path, '/policies', `${name}${path} has names`)
      else t.equal(additionalProperties, false, `${name}${path} has no other fields`)
      for (const [field, { description }] of Object.entries((properties ?? {}) as Record<string, JsonSchema>)) {
        t.ok(typeof description === 'string' && description.trim() !== '', `${name}${path}/${field} has a description`)
      }
    }
    t.type(exported(schema)['description'], 'string', `${name} has a description`)
  }
})

t.test('a file of policies is accepted or refused by policies.schema.json', async (t) => {
  const policies = Object.fromEntries(POLICIES.map((policy, index) => [`policy ${index}`, policy]))
  t.ok(isFile({}), 'may be empty')
  t.ok(isFile(policies), 'takes every policy')
  t.ok(isFile({ $schema: './node_modules/fastify-cors-policy/policies.schema.json', ...policies }), 'says where its schema is')
  for (const [why, policy] of WRONG) t.notOk(isFile({ ...policies, wrong: policy }), `not ${why}`)
  for (const value of [null, [], 'public', { $schema: 5 }, { $schema: POLICIES[0] }, { public: '*' }, { public: false }, { public: null }]) t.notOk(isFile(value), `not ${JSON.stringify(value)}`)
  t.equal(new Ajv({ strict: true }).validateSchema(FILE_SCHEMA), true, 'has a schema that is one')
  t.notMatch(JSON.stringify(FILE_SCHEMA), /"not":/, 'which says nothing of what JSON cannot hold')
  t.strictSame(JSON.stringify(FILE_SCHEMA).match(/"pattern":"[^"]*"/g)?.length, JSON.stringify(CorsPolicySchema).match(/"pattern":"[^"]*"/g)?.length, 'and leaves nothing else out')
})

t.test('the policy file of the examples is accepted', async (t) => {
  const file = JSON.parse(readFileSync(join(ROOT, 'examples', 'policies.json'), 'utf8')) as Json
  t.ok(isFile(file), 'is right')
  t.equal(join(ROOT, 'examples', String(file['$schema'])), join(ROOT, 'policies.schema.json'), 'says where its schema is')
  t.ok(areOptions({ policies: file }), 'is what the plugin takes')
  const { $schema, ...policies } = file
  t.ok(Object.keys(policies).length > 1, 'has policies')
  for (const [name, policy] of Object.entries(policies)) {
    t.ok(isPolicy(policy), name)
    t.notOk(isFile({ ...file, [name]: { ...policy as Json, methods: ['GET'] } }), `${name} has no other fields`)
  }
  t.strictSame(Object.keys(definePolicies(file as Parameters<typeof definePolicies>[0])), Object.keys(policies), 'can be loaded')
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cors, { policies: file as Record<string, cors.CorsPolicy>, defaultPolicy: 'public' })
  app.get('/', () => 'ok')
  t.equal((await app.inject({ url: '/' })).headers['access-control-allow-origin'], '*', 'and registered')
})

t.test('"$schema" cannot be the name of a policy', async (t) => {
  const reasons = (policies: Json): unknown[] => {
    try {
      return Object.keys(definePolicies(policies as Parameters<typeof definePolicies>[0]))
    } catch (error) {
      return (error as cors.CorsPolicyError).problems.map(({ pointer, reason }) => `${pointer} ${reason}`)
    }
  }
  t.strictSame(reasons({ $schema: './policies.schema.json', a: { extends: '$schema' } }), ['/a/extends unknown-policy'], 'cannot be extended')
  t.strictSame(reasons({ $schema: 5 }), ['/$schema type'])
  t.strictSame(reasons({ $schema: { origin: '*' }, a: { origin: 'x' } }), ['/$schema type', '/a/origin invalid'])
  t.strictSame(reasons({ $Schema: './policies.schema.json' }), ['/$Schema type'], 'nothing else is left out')
})

t.test('the policies of README are accepted', async (t) => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const declared = [...readme.matchAll(/^```js\n([^]*?)^```$/gm)].map(([, code]) => declaredIn(code as string))
  const routes = declared.flatMap(({ routes }) => routes)
  const policies = declared.flatMap(({ policies }) => policies)
  t.ok(routes.length > 0 && policies.length > 0, 'there are some')
  for (const value of routes) t.ok(isRouteCors(value), JSON.stringify(value))
  for (const value of policies) t.ok(areOptions({ policies: value }), JSON.stringify(value))
})

t.test('a route checks policies by the JSON Schema, with an Ajv of its own or without what Fastify adds to its own', async (t) => {
  const customOptions = { useDefaults: false, removeAdditional: false, coerceTypes: false } as const
  const ajv = new Ajv()
  const WAYS: ReadonlyArray<readonly [way: string, server: FastifyServerOptions, route: RouteShorthandOptions]> = [
    ['an Ajv of its own', {}, { validatorCompiler: ({ schema }) => ajv.compile(schema as object) }],
    ['an application without these options', { ajv: { customOptions } }, {}]
  ]
  for (const [what, schema, wrap] of [['a policy', exported(CorsPolicySchema), (policy: Json) => policy], ['a file', FILE_SCHEMA, (policy: Json) => ({ any: policy })]] as const) {
    for (const [way, server, route] of WAYS) {
      const app = Fastify(server)
      t.teardown(() => app.close())
      app.put('/', { schema: { body: schema }, ...route }, async ({ body }) => body)
      const ask = async (policy: Json): Promise<LightMyRequestResponse> => await app.inject({ method: 'PUT', url: '/', payload: wrap(policy) })
      for (const policy of POLICIES) t.strictSame((await ask(policy)).json(), wrap(policy), `${what} with ${way}: ${JSON.stringify(policy)} stays as it is`)
      for (const [why, policy] of WRONG) t.equal((await ask(policy)).statusCode, 400, `${what} with ${way}: not ${why}`)
    }
    const usual = Fastify()
    t.teardown(() => usual.close())
    usual.put('/', { schema: { body: schema } }, async () => 'ok')
    await t.rejects(Promise.resolve(usual.ready()), { message: /strict mode: default is ignored/ }, `${what}: as Fastify is, it says that it does not fit`)
  }
})

t.test('TypeBox 1.x checks policies by the JSON Schema, and accepts everything by the schemas of 0.34', async (t) => {
  const { Value } = await import('typebox/value')
  const schema = exported(CorsPolicySchema)
  for (const policy of POLICIES) t.ok(Value.Check(schema, policy), JSON.stringify(policy))
  for (const [why, policy] of WRONG) t.notOk(Value.Check(schema, policy), `not ${why}`)
  t.ok(Value.Check(FILE_SCHEMA as object, { any: POLICIES[0] }), 'a file')
  t.notOk(Value.Check(FILE_SCHEMA as object, { any: { origin: 5 } }), 'and not a wrong one')
  t.ok(Value.Check(CorsPolicySchema as object, { origin: 5 }), 'docs/api.md warns of this')
})
