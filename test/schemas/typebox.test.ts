// The exported schemas as TypeBox schemas: `Value` and `TypeCompiler` of both of its builds (an ES module and CommonJS, which share nothing)
// check by them, and agree with each other, with JSON Schema on what JSON can hold, and with the plugin on what is right.
import * as typeboxCompiler from '@sinclair/typebox/compiler'
import * as typebox from '@sinclair/typebox'
import * as typeboxValue from '@sinclair/typebox/value'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import t from 'tap'
import { runInNewContext } from 'node:vm'
import { definePolicies, originList, type CorsPolicy } from '../../lib/index'
import { CorsPluginOptionsSchema, CorsPolicySchema, RouteCorsSchema } from '../../lib/schemas'

const SCHEMAS = { CorsPolicySchema, RouteCorsSchema, CorsPluginOptionsSchema }
type Name = keyof typeof SCHEMAS
type Check = (name: Name, value: unknown) => boolean

const decide = (): boolean => true
/** What looks like a RegExp as far as JSON can. */
const LIKE_REGEXP = { source: 'a', flags: '', lastIndex: 0, exec: {}, test: 'test' }

const RIGHT: ReadonlyArray<readonly [what: string, policy: unknown]> = [
  ['everyone', { origin: '*' }],
  ['a name', { extends: 'public' }],
  ['a name and fields', { extends: 'public', maxAge: 5 }],
  ['a function', { origin: decide }],
  ['an async function', { origin: async () => true }],
  ['a method', { origin () { return true } }],
  ['a RegExp in an array', { origin: ['https://app.example.com', /^https:\/\/[a-z]+\.example\.com$/u] }],
  ['a RegExp of another realm', { origin: [runInNewContext('/^https:\\/\\/a\\.example$/')] }],
  ['a RegExp of a class of its own', { origin: [new class Own extends RegExp {}('^a$')] }],
  ['an originList', { origin: originList(['https://app.example.com']), credentials: originList([]) }],
  ['origins for credentials', { origin: '*', credentials: ['https://app.example.com', /^https:\/\/a\.example$/] }],
  ['every field', { origin: 'https://app.example.com', credentials: true, allowedHeaders: ['*', 'Authorization'], exposedHeaders: '*', maxAge: 86400, optionsSuccessStatus: 200, enforceOrigin: false, dangerouslyAllowInsecureOrigins: true, dangerouslyAllowPublicSuffixes: false }]
]

const WRONG: ReadonlyArray<readonly [what: string, policy: unknown]> = [
  ['nothing', {}],
  ['an unknown field', { origin: '*', methods: ['GET'] }],
  ['a bare RegExp', { origin: /^https:\/\/a\.example$/ }],
  ['a RegExp for credentials', { origin: '*', credentials: /^a$/ }],
  ['what looks like a RegExp', { origin: [LIKE_REGEXP] }],
  ['a RegExp that is a function', { origin: [Object.assign(() => true, LIKE_REGEXP)] }],
  ['a function in an array', { origin: [decide] }],
  ...[undefined, null, 5, 5n, Symbol('a'), {}, Object.create(null), new Date(), new Map(), new Set(), new URL('https://a.example'), Promise.resolve(), new Uint8Array(2), new Error('a'), new Proxy({}, {})].flatMap((value: unknown) => [
    [`${Object.prototype.toString.call(value)} for an origin`, { origin: value }] as const,
    [`${Object.prototype.toString.call(value)} in an array of origins`, { origin: [value] }] as const
  ]),
  ['a header name with a space', { origin: '*', allowedHeaders: ['X Id'] }],
  ['a maxAge over the range', { origin: '*', maxAge: 86401 }],
  ['a status beside 200 and 204', { origin: '*', optionsSuccessStatus: 201 }]
]

/** The ways to check with TypeBox. In this CommonJS file, `import` as a statement leads to its one build, and as an expression to the other. */
async function ways (): Promise<Record<string, Check>> {
  const [value, compiler, esm] = await Promise.all([import('@sinclair/typebox/value'), import('@sinclair/typebox/compiler'), import('@sinclair/typebox')])
  t.not(esm.TypeRegistry, typebox.TypeRegistry, 'TypeBox is there twice')
  const compiled = (compile: (schema: (typeof SCHEMAS)[Name]) => { Check: (value: unknown) => boolean }): Check => {
    const checks = Object.fromEntries(Object.entries(SCHEMAS).map(([name, schema]) => [name, compile(schema)]))
    return (name, value) => checks[name]?.Check(value) as boolean
  }
  return {
    'Value.Check of CommonJS': (name, input) => typeboxValue.Value.Check(SCHEMAS[name], input),
    'Value.Check of the ES module': (name, input) => value.Value.Check(SCHEMAS[name], input),
    'TypeCompiler of CommonJS': compiled((schema) => typeboxCompiler.TypeCompiler.Compile(schema)),
    'TypeCompiler of the ES module': compiled((schema) => compiler.TypeCompiler.Compile(schema)),
    'no error of CommonJS': (name, input) => [...typeboxValue.Value.Errors(SCHEMAS[name], input)].length === 0,
    'no error of the ES module': (name, input) => [...value.Value.Errors(SCHEMAS[name], input)].length === 0
  }
}

t.test('TypeBox checks policies and options by the exported schemas', async (t) => {
  for (const [way, check] of Object.entries(await ways())) {
    t.test(`${way} takes what is right by the exported schemas, and nothing else`, async (t) => {
      for (const [expected, policies] of [[true, RIGHT], [false, WRONG]] as const) {
        for (const [what, policy] of policies) {
          t.equal(check('CorsPolicySchema', policy), expected, `a policy: ${what}`)
          t.equal(check('RouteCorsSchema', policy), expected, `config.cors: ${what}`)
          t.equal(check('CorsPluginOptionsSchema', { policies: { any: policy } }), expected, `among policies: ${what}`)
          t.equal(check('CorsPluginOptionsSchema', { defaultPolicy: policy }), expected, `by default: ${what}`)
        }
      }
      t.equal(check('RouteCorsSchema', false), true, 'false on a route')
      t.equal(check('CorsPolicySchema', false), false, 'which is no policy')
      for (const value of [true, null, undefined, 'public', decide, /^a$/, []]) t.equal(check('RouteCorsSchema', value), false, `not ${String(value)}`)
      t.equal(check('CorsPluginOptionsSchema', {}), true, 'no options')
      t.equal(check('CorsPluginOptionsSchema', { policies: { $schema: 'a.json' }, defaultPolicy: 'public', logLevel: 'warn', hideOptionsRoute: false }), true, 'all options')
      for (const options of [{ policies: { $schema: { origin: '*' } } }, { policies: 'public' }, { policies: { a: 'b' } }, { defaultPolicy: true }, { logLevel: 5 }, { origin: '*' }]) t.equal(check('CorsPluginOptionsSchema', options), false, `not ${JSON.stringify(options)}`)
    })
  }
})

t.test('a schema of an application can hold the exported schemas', async (t) => {
  const esm = { ...await import('@sinclair/typebox'), ...await import('@sinclair/typebox/compiler') }
  const policies = { routes: typebox.Type.Record(typebox.Type.String(), RouteCorsSchema), policy: typebox.Type.Optional(CorsPolicySchema) }
  const policiesOfEsm = { routes: esm.Type.Record(esm.Type.String(), RouteCorsSchema), policy: esm.Type.Optional(CorsPolicySchema) }
  for (const checks of [typeboxCompiler.TypeCompiler.Compile(typebox.Type.Object(policies)), esm.TypeCompiler.Compile(esm.Type.Object(policiesOfEsm))]) {
    t.ok(checks.Check({ routes: { a: false, b: { origin: [/^a$/] } }, policy: { origin: decide } }))
    t.notOk(checks.Check({ routes: { a: true } }))
    t.notOk(checks.Check({ routes: {}, policy: { origin: [decide] } }))
  }
})

/** Mostly right values, or half of all policies would be right in no field. */
function mostly (right: readonly unknown[], wrong: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: fc.constantFrom(...wrong) })
}

const ORIGINS = ['null', 'https://app.example.com', 'https://*.example.com', 'http://localhost:*', 'capacitor://localhost']
const MALFORMED = ['https://app.example.com/', 'app.example.com', '', 'HTTPS://a', 5, null, {}, true, LIKE_REGEXP, [LIKE_REGEXP]]
const own = {
  credentials: mostly([true, false, [], ['https://app.example.com']], ['true', {}, ['app.example.com']]),
  enforceOrigin: mostly([true, false], ['true']),
  allowedHeaders: mostly(['*', [], ['*'], ['X-Id']], [['X Id'], 'X-Id']),
  exposedHeaders: mostly(['*', [], ['ETag']], [[5]]),
  maxAge: mostly([0, 600, 86400], [86401, 0.5, '5']),
  optionsSuccessStatus: mostly([200, 204], [201]),
  dangerouslyAllowInsecureOrigins: mostly([true, false], [1]),
  dangerouslyAllowPublicSuffixes: mostly([true, false], [null])
}
const origin = fc.oneof({ weight: 4, arbitrary: mostly(['*', ...ORIGINS], MALFORMED) }, { weight: 3, arbitrary: fc.array(mostly(ORIGINS, ['*', ...MALFORMED]), { maxLength: 3 }) })
const json = fc.oneof(
  fc.record({ origin, ...own }, { requiredKeys: [] }),
  fc.record({ origin, extends: mostly(['other'], [5]), ...own }, { requiredKeys: ['extends'] }),
  fc.record({ origin, other: fc.constant(1) }, { requiredKeys: ['origin'] })
)
const written = fc.tuple(json, fc.constantFrom<object>({}, { origin: decide }, { origin: [/^https:\/\/a\.example$/] }, { origin: ['https://a.example', /^https:\/\/b\.example$/] })).map(([policy, origin]) => ({ ...policy, ...origin }))

t.test('all ways to check with TypeBox agree, and agree with JSON Schema on what JSON can hold', async (t) => {
  const all = Object.entries(await ways())
  const isPolicy = new Ajv({ strict: true }).compile(JSON.parse(JSON.stringify(CorsPolicySchema)) as object)
  let right = 0
  fc.assert(fc.property(json, (policy) => {
    const expected = isPolicy(policy)
    if (expected) right++
    for (const [way, check] of all) if (check('CorsPolicySchema', policy) !== expected) throw new Error(way)
  }), { numRuns: 2000 })
  t.ok(right > 400 && right < 1600, `${right} of 2000 are right`)
  fc.assert(fc.property(written, (policy) => {
    const [first, ...others] = all.map(([, check]) => check('CorsPolicySchema', policy))
    return others.every((other) => other === first)
  }), { numRuns: 2000 })
})

t.test('every policy that the plugin takes is valid by the exported schema', async (t) => {
  let taken = 0
  fc.assert(fc.property(written, (policy) => {
    try {
      definePolicies({ any: policy as CorsPolicy, other: { origin: 'https://other.example' } })
    } catch {
      return
    }
    taken++
    if (!typeboxValue.Value.Check(CorsPolicySchema, policy)) throw new Error('taken, and not of the form')
  }), { numRuns: 5000 })
  t.ok(taken > 500 && taken < 4500, `${taken} of 5000 were taken`)
})
