// Header lists that a policy leaves out: they are what the route's own schema says.
import { Type } from '@sinclair/typebox'
import t from 'tap'
import { z } from 'zod'
import { derivedExposedHeaders, derivedAllowedHeaders, underivableFields } from '../../lib/policy/derived-headers'
import { application, FOO, ok, preflight, request } from '../support'
import { logged } from '../support/log'

const text = { type: 'string' }

/** An object schema of these properties. */
function object (...names: string[]): { type: 'object', properties: Record<string, unknown> } {
  return { type: 'object', properties: Object.fromEntries(names.map((name) => [name, text])) }
}

/** The headers of a GET's schema. */
function requested (headers: unknown, shared: Record<string, unknown> = {}): string[] {
  return derivedAllowedHeaders('GET', { headers }, shared)
}

/** The headers of a schema for responses with status 200. */
function exposed (response: unknown, shared: Record<string, unknown> = {}): string[] {
  return derivedExposedHeaders({ response: { 200: response } }, shared)
}

t.test('a route without a schema allows content-type if its method takes a body', async (t) => {
  for (const method of ['GET', 'HEAD']) t.strictSame(derivedAllowedHeaders(method, undefined, {}), [], method)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) t.strictSame(derivedAllowedHeaders(method, undefined, {}), ['content-type'], method)
  t.strictSame(derivedExposedHeaders(undefined, {}), [])
  t.strictSame(derivedExposedHeaders({}, {}), [])
})

t.test('request headers are the properties of schema.headers that need permission', async (t) => {
  t.strictSame(requested(object('X-Tenant', 'x-trace', 'Authorization', 'range')), ['X-Tenant', 'x-trace', 'Authorization', 'range'], 'as they are written')
  t.strictSame(requested(object('accept', 'Accept-Language', 'content-language')), [], 'what is safelisted is left off')
  t.strictSame(requested(object('cookie', 'Host', 'sec-fetch-site', 'Access-Control-Allow-Origin', '*', 'a b', '')), [], 'what no page can send is left off')
  t.strictSame(requested(object('x-a', 'X-A')), ['x-a'], 'each once')
  t.strictSame(derivedAllowedHeaders('PUT', { headers: object('Content-Type', 'x-a') }, {}), ['content-type', 'x-a'], 'the type of the body once')
  t.strictSame(requested({ type: 'object', required: ['x-a'], additionalProperties: text }), [], 'no properties')
  for (const nothing of [undefined, null, true, false, 'text', 1, [], () => {}, { properties: null }, { properties: 'x-a' }]) t.strictSame(requested(nothing), [], String(nothing))
})

t.test('response headers are derived from every status, in both ways of writing them', async (t) => {
  const response = {
    200: { ...object('id'), headers: { ETag: text, 'X-Total': { type: 'integer' } } },
    '2xx': { headers: { type: 'object', properties: { Link: text } } },
    '4XX': { type: 'object', headers: { 'Retry-After': text, etag: text } },
    default: { headers: { properties: { 'X-Error': text } } },
    204: { type: 'null', description: 'nothing' },
    500: null
  }
  t.strictSame(derivedExposedHeaders({ response }, {}), ['ETag', 'X-Total', 'Link', 'Retry-After', 'X-Error'])
  t.strictSame(exposed({ headers: { 'Content-Type': text, 'cache-control': text, Expires: text } }), [], 'what is safelisted is left off')
  t.strictSame(exposed({ headers: { 'Set-Cookie': text, Origin: text, '*': text, 'a b': text } }), [], 'what no page can read is left off')
  t.strictSame(exposed({ headers: { type: 'object' } }), [], 'a schema without properties')
  t.strictSame(exposed({ headers: { type: text } }), ['type'], 'a header whose name is a keyword')
  t.strictSame(exposed({ headers: { properties: text } }), ['type'], 'a schema, whatever its properties are')
  for (const nothing of [undefined, null, true, 'text', { headers: null }, { headers: 'ETag' }, { headers: {} }]) t.strictSame(exposed(nothing), [], JSON.stringify(nothing))
  for (const nothing of [null, true, 'text', []]) t.strictSame(derivedExposedHeaders({ response: nothing }, {}), [], JSON.stringify(nothing))
})

t.test('response headers are found beside the variants of a content type', async (t) => {
  const schema = { type: 'object', properties: { headers: { type: 'object', properties: { 'x-not-a-header': text } } } }
  t.strictSame(exposed({ description: 'ok', headers: { ETag: text }, content: { 'application/json': { schema }, 'text/csv': { schema: text } } }), ['ETag'])
})

t.test('combined schemas contribute all their headers', async (t) => {
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
    t.strictSame(requested({ ...object('x-a'), [keyword]: [object('x-b'), { [keyword]: [object('x-c')] }, true] }), ['x-a', 'x-b', 'x-c'], keyword)
    t.strictSame(exposed({ headers: { [keyword]: [object('x-b'), object('x-c')] } }), ['x-b', 'x-c'], `${keyword} of a response's headers`)
    t.strictSame(exposed({ [keyword]: [{ headers: { 'x-b': text } }] }), ['x-b'], `${keyword} of a response`)
  }
  t.strictSame(requested({ if: object('x-a'), then: object('x-b'), else: object('x-c') }), ['x-a', 'x-b', 'x-c'], 'if, then, else')
  t.strictSame(requested({ not: object('x-a'), patternProperties: object('x-b'), properties: { 'x-c': object('x-d') } }), ['x-c'], 'nothing else does')
})

t.test('references are resolved to shared schemas and into the schema itself', async (t) => {
  const shared = {
    plain: { $id: 'plain', ...object('x-plain') },
    parts: { $id: 'parts', ...object('x-root'), definitions: { one: object('x-one'), named: { $id: '#named', ...object('x-named') }, 'a/b~c d': object('x-escaped'), other: { $ref: '#/definitions/one' }, outside: { $ref: 'plain#' } } },
    'http://example.com/schema.json': { $id: 'http://example.com/schema.json', ...object('x-url') },
    answer: { $id: 'answer', headers: { $ref: '#/definitions/headers' }, definitions: { headers: object('x-answer') } }
  }
  const REFERENCES: ReadonlyArray<readonly [string, readonly string[]]> = [
    ['plain', ['x-plain']],
    ['plain#', ['x-plain']],
    ['plain#/', []],
    ['http://example.com/schema.json#', ['x-url']],
    ['parts#', ['x-root']],
    ['parts#/definitions/one', ['x-one']],
    ['parts#named', ['x-named']],
    ['parts#/definitions/a~1b~0c%20d', ['x-escaped']],
    ['parts#/definitions/other', ['x-one']],
    ['parts#/definitions/outside', ['x-plain']],
    // what leads nowhere
    ['missing', []],
    ['missing#/definitions/one', []],
    ['parts#/definitions/missing', []],
    ['parts#/definitions/one/type/length', []],
    ['parts#missing', []],
    ['parts#/definitions/%', []],
    ['parts#%E0%A4%A', []],
    ['parts#/toString', []],
    ['parts#/__proto__', []],
    ['toString', []],
    ['__proto__', []],
    ['constructor#/prototype', []],
    ['', []],
    ['#', []],
    ['#/definitions/one', []]
  ]
  for (const [$ref, names] of REFERENCES) t.strictSame(requested({ $ref }, shared), names, $ref)
  t.strictSame(requested({ ...object('x-a'), $ref: 'plain#' }, shared), ['x-a', 'x-plain'], 'what stands beside a reference counts')
  t.strictSame(requested({ allOf: [{ $ref: 'plain#' }, { $ref: 'parts#/definitions/one' }, { $ref: '#/definitions/own' }, { $ref: '#named' }], definitions: { own: object('x-own'), named: { $id: '#named', ...object('x-own-named') } } }, shared), ['x-plain', 'x-one', 'x-own', 'x-own-named'])
  t.strictSame(exposed({ headers: { $ref: 'plain#' } }, shared), ['x-plain'], 'the headers of a response')
  t.strictSame(exposed({ $ref: 'answer#' }, shared), ['x-answer'], 'a whole response')
  t.strictSame(exposed({ headers: { 'x-a': { $ref: 'plain#' } } }, shared), ['x-a'], 'a header of a response')
})

t.test('references in a circle are resolved once', async (t) => {
  const shared: Record<string, unknown> = {
    self: { $id: 'self', ...object('x-self'), $ref: 'self#' },
    left: { $id: 'left', ...object('x-left'), allOf: [{ $ref: 'right#' }] },
    right: { $id: 'right', ...object('x-right'), anyOf: [{ $ref: 'left#' }] },
    empty: { $id: 'empty', $ref: 'empty' }
  }
  t.strictSame(requested({ $ref: 'self#' }, shared), ['x-self'])
  t.strictSame(requested({ $ref: 'left#' }, shared), ['x-left', 'x-right'])
  t.strictSame(requested({ $ref: 'empty#' }, shared), [])
  t.strictSame(requested({ ...object('x-a'), $ref: '#' }), ['x-a'])
  t.strictSame(exposed({ $ref: '#', headers: { $ref: '#/headers' } }), [])
  const looped: Record<string, unknown> = { ...object('x-loop'), $ref: '#missing' }
  looped.allOf = [looped]
  looped.definitions = { looped }
  t.strictSame(requested(looped), ['x-loop'], 'an object in a circle')
})

t.test('a header may have the name of a property that every object has', async (t) => {
  const headers = JSON.parse('{ "type": "object", "properties": { "__proto__": {}, "constructor": {}, "toString": {} } }') as unknown
  t.strictSame(requested(headers), ['__proto__', 'constructor', 'toString'])
  t.strictSame(exposed({ headers }), ['__proto__', 'constructor', 'toString'])
  t.strictSame(exposed(JSON.parse('{ "headers": { "__proto__": {}, "hasOwnProperty": {} } }')), ['__proto__', 'hasOwnProperty'])
  t.strictSame(derivedExposedHeaders({ response: JSON.parse('{ "__proto__": { "headers": { "x-a": {} } } }') }, {}), ['x-a'])
})

t.test('headers are derived from TypeBox schemas', async (t) => {
  const Tenant = Type.Object({ 'x-tenant': Type.String() }, { $id: 'Tenant' })
  const Trace = Type.Object({ 'x-trace': Type.Optional(Type.String()) })
  t.strictSame(requested(Tenant), ['x-tenant'])
  t.strictSame(requested(Type.Intersect([Tenant, Trace])), ['x-tenant', 'x-trace'])
  t.strictSame(requested(Type.Union([Tenant, Trace])), ['x-tenant', 'x-trace'])
  t.strictSame(requested(Type.Ref('Tenant'), { Tenant }), ['x-tenant'])
  const Module = Type.Module({ Tenant, Both: Type.Intersect([Type.Ref('Tenant'), Trace]) })
  t.strictSame(requested(Module.Import('Both')), ['x-tenant', 'x-trace'], 'a module keeps its schemas in itself')
  t.strictSame(requested({ $ref: 'Module#/allOf/1' }, { Module: { $id: 'Module', allOf: [{}, Module.Import('Both')] } }), ['x-tenant', 'x-trace'], 'also where it is shared')
  t.strictSame(exposed(Type.Object({ id: Type.Number() }, { headers: Type.Object({ ETag: Type.String() }) })), ['ETag'])
})

/** What a preflight says that a page may send. */
async function allowed (app: Parameters<typeof preflight>[0], method: string, url: string): Promise<unknown> {
  const response = await preflight(app, method, url)
  return response.headers['access-control-allow-headers']
}

t.test('preflights and responses have the lists that are derived from the schemas of the route', async (t) => {
  const app = await application(t, { policies: { partner: { origin: FOO } } })
  const cors = { origin: FOO }
  app.addSchema({ $id: 'tenant', ...object('x-tenant'), definitions: { trace: object('x-trace') } })
  app.addSchema({ $id: 'paging', ...object('X-Total', 'Link') })
  app.get('/shared', { config: { cors }, schema: { headers: { allOf: [{ $ref: 'tenant#' }, { $ref: 'tenant#/definitions/trace' }] }, response: { 200: { headers: { $ref: 'paging#' } }, '4xx': { headers: { 'Retry-After': text } } } } }, ok)
  app.put('/typebox', { config: { cors }, schema: { headers: Type.Object({ 'If-Match': Type.String() }), response: { 200: Type.String({ headers: { ETag: Type.String() } }) } } }, ok)
  app.post('/local', { config: { cors }, schema: { headers: { $ref: '#/definitions/own', definitions: { own: object('x-own') } } } }, ok)
  app.get('/content', { config: { cors }, schema: { response: { 200: { description: 'ok', headers: { ETag: text }, content: { 'application/json': { schema: text }, 'text/plain': { schema: text } } } } } }, ok)
  app.delete('/none', { config: { cors } }, ok)
  app.get('/named', { config: { cors: { extends: 'partner' } }, schema: { headers: object('x-a'), response: { 200: { headers: { ETag: text } } } } }, ok)
  app.get('/given', { config: { cors: { extends: 'partner', allowedHeaders: ['x-b'], exposedHeaders: ['Link'] } }, schema: { headers: object('x-a'), response: { 200: { headers: { ETag: text } } } } }, ok)
  app.put('/empty', { config: { cors: { extends: 'partner', allowedHeaders: [], exposedHeaders: [] } }, schema: { headers: object('x-a'), response: { 200: { headers: { ETag: text } } } } }, ok)
  app.put('/wildcard', { config: { cors: { extends: 'partner', allowedHeaders: ['*', 'Authorization'], exposedHeaders: '*' } }, schema: { headers: object('x-a') } }, ok)
  app.get('/fluent', { config: { cors }, schema: { headers: { isFluentSchema: true, valueOf: () => object('x-fluent') } } }, ok)
  await app.register(async (child) => {
    child.addSchema({ $id: 'inner', ...object('x-inner') })
    child.get('/child', { config: { cors }, schema: { headers: { allOf: [{ $ref: 'inner#' }, { $ref: 'tenant#' }] } } }, ok)
  })

  const ROUTES: ReadonlyArray<readonly [string, string, string | undefined, string | undefined]> = [
    ['GET', '/shared', 'x-tenant, x-trace', 'X-Total, Link, Retry-After'],
    ['PUT', '/typebox', 'content-type, If-Match', 'ETag'],
    ['POST', '/local', 'content-type, x-own', undefined],
    ['GET', '/content', undefined, 'ETag'],
    ['DELETE', '/none', 'content-type', undefined],
    ['GET', '/named', 'x-a', 'ETag'],
    ['GET', '/given', 'x-b', 'Link'],
    ['PUT', '/empty', undefined, undefined],
    ['PUT', '/wildcard', '*, Authorization', '*'],
    ['GET', '/fluent', 'x-fluent', undefined],
    ['GET', '/child', 'x-inner, x-tenant', undefined]
  ]
  for (const [method, url, allow, expose] of ROUTES) {
    t.equal(await allowed(app, method, url), allow, `${method} ${url} allows ${allow ?? 'no header'}`)
    const response = await request(app, method, url, FOO, { headers: { 'x-tenant': 'a', 'if-match': '*', 'x-own': 'b' } })
    t.equal(response.statusCode, 200)
    t.equal(response.headers['access-control-expose-headers'], expose, `${method} ${url} exposes ${expose ?? 'no header'}`)
    t.equal((await preflight(app, method, url)).headers['access-control-expose-headers'], undefined, 'a preflight exposes nothing')
  }
})

t.test('routes that share a policy have the lists of their own schemas', async (t) => {
  const app = await application(t, { policies: { partner: { origin: FOO } }, defaultPolicy: 'partner' })
  for (const name of ['a', 'b']) app.put(`/${name}`, { schema: { headers: object(`x-${name}`), response: { 200: { headers: { [`y-${name}`]: text } } } } }, ok)
  for (const name of ['a', 'b']) {
    t.equal(await allowed(app, 'PUT', `/${name}`), `content-type, x-${name}`)
    t.equal((await request(app, 'PUT', `/${name}`, FOO)).headers['access-control-expose-headers'], `y-${name}`)
  }
})

/** A schema of a library that has no more than Standard Schema asks for, and what it says of itself. */
function standard (jsonSchema?: unknown, more: object = {}): object {
  return { '~standard': { version: 1, vendor: 'made-up', validate: (value: unknown) => ({ value }), ...(jsonSchema !== undefined && { jsonSchema }) }, ...more }
}

const failing = (): never => { throw new Error('cannot be represented') }

t.test('headers are derived from the JSON Schema that another library\'s schema offers', async (t) => {
  const asked: unknown[] = []
  const offers = { input: (options: unknown) => asked.push(options) && object('x-in'), output: () => object('x-out') }
  class Foreign { constructor (more: object) { Object.assign(this, more) } }
  const SCHEMAS: ReadonlyArray<readonly [what: string, schema: unknown, requested: readonly string[] | null, exposed: readonly string[] | null]> = [
    ['Standard Schema that offers it', standard(offers), ['x-in'], ['x-out']],
    ['a function that is a Standard Schema', Object.assign(() => {}, standard(offers)), ['x-in'], ['x-out']],
    ['references within it', standard({ input: () => ({ $ref: '#/$defs/a', $defs: { a: object('x-a') } }), output: () => ({ allOf: [{ $ref: '#/$defs/b' }], $defs: { b: object('x-b') } }) }), ['x-a'], ['x-b']],
    ['Standard Schema that offers none', standard(), null, null],
    ['Standard Schema that fails', standard({ input: failing, output: failing }), null, null],
    ['Standard Schema that offers nonsense', standard({ input: () => 'x-a', output: () => null }), null, null],
    ['Standard Schema whose offer is no function', standard({ input: 5 }), null, null],
    ['JSON Schema that is a Standard Schema', standard(undefined, object('x-own')), ['x-own'], ['x-own']],
    ['an object of a class', new Foreign({ type: 'object', keys: {} }), null, null],
    ['JSON Schema of a class', new Foreign(object('x-own')), ['x-own'], ['x-own']],
    ['combined JSON Schema of a class', new Foreign({ allOf: [object('x-own')] }), ['x-own'], ['x-own']],
    ['a reference of a class', new Foreign({ $ref: '#/missing' }), [], []],
    ['JSON Schema without a prototype', Object.assign(Object.create(null), object('x-own')), ['x-own'], ['x-own']],
    ['a function', () => {}, null, null],
    ['zod', z.object({ 'x-a': z.string(), 'X-B': z.coerce.number().optional() }), ['x-a', 'X-B'], ['x-a', 'X-B']],
    ['zod with what JSON Schema cannot say', z.object({ 'x-at': z.date() }), ['x-at'], ['x-at']],
    ['zod with a transformation', z.object({ 'x-a': z.string() }).transform((headers) => new Map(Object.entries(headers))), ['x-a'], null],
    ['zod that says nothing', z.custom(), null, null],
    ['Standard Schema that offers anything', standard({ input: () => ({}), output: () => ({}) }), null, null],
    ['zod combined', z.intersection(z.object({ 'x-a': z.string() }), z.object({ 'x-b': z.string() })), ['x-a', 'x-b'], ['x-a', 'x-b']],
    ['a zod without JSON Schema', new Foreign({ shape: { 'x-a': {} } }), ['x-a'], ['x-a']]
  ]
  for (const [what, schema, allowed, shown] of SCHEMAS) {
    t.strictSame(requested(schema), allowed ?? [], `${what}: request headers`)
    t.strictSame(exposed({ headers: schema }), shown ?? [], `${what}: response headers`)
    t.strictSame(underivableFields({ headers: schema, response: { 200: { headers: schema } } }, {}), [...(allowed === null ? ['allowedHeaders'] : []), ...(shown === null ? ['exposedHeaders'] : [])], `${what}: what cannot be read`)
  }
  t.strictSame(asked[0], { target: 'draft-07' })
  for (const schema of [undefined, {}, { headers: object('x-a') }, { response: { 200: z.object({ id: z.string() }), 201: standard() } }]) t.strictSame(underivableFields(schema, {}), [], 'a schema of the body says nothing about headers')
})

t.test('headers are derived from zod schemas, and a warning names the routes whose schemas cannot be read', async (t) => {
  const { logger, messages } = logged()
  const app = await application(t, { policies: { partner: { origin: FOO } } }, { logger })
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => JSON.stringify)
  const config = { cors: { extends: 'partner' } }
  app.get('/zod', { config, schema: { headers: z.object({ 'x-zod': z.string() }), response: { 200: { headers: z.object({ ETag: z.string() }) } } } }, ok)
  app.put('/unreadable', { config, schema: { headers: standard() } }, ok)
  app.patch('/shown', { config, schema: { response: { 200: { headers: standard() } } } }, ok)
  app.put('/listed', { config: { cors: { extends: 'partner', allowedHeaders: ['x-a'], exposedHeaders: ['ETag'] } }, schema: { headers: standard(), response: { 200: { headers: standard() } } } }, ok)
  app.put('/off', { config: { cors: false }, schema: { headers: standard() } }, ok)
  await app.ready()
  t.equal(await allowed(app, 'GET', '/zod'), 'x-zod')
  t.equal((await request(app, 'GET', '/zod', FOO)).headers['access-control-expose-headers'], 'ETag')
  t.equal(await allowed(app, 'PUT', '/unreadable'), 'content-type', 'what cannot be read permits nothing')
  t.strictSame(messages, [
    'fastify-cors-policy cannot read schema.headers of PUT /unreadable: it is no JSON Schema, and offers none; list allowedHeaders in the policy of the route',
    'fastify-cors-policy cannot read the headers of the response schemas of PATCH /shown: it is no JSON Schema, and offers none; list exposedHeaders in the policy of the route'
  ])
})
