// Type tests of the basics: the plugin registers, and a route's config.cors is typed.
import Fastify from 'fastify'
import cors, { corsPolicy, definePolicies, type CorsPluginOptions } from 'fastify-cors-policy'
import { describe, expect, test } from 'tstyche'

const app = Fastify()

describe('the plugin', () => {
  test('registers, with its options or without', () => {
    expect(app.register).type.toBeCallableWith(cors)
    expect(app.register).type.toBeCallableWith(cors, {})
    expect(app.register).type.toBeCallableWith(cors, { policies: definePolicies({ public: { origin: '*' } }), defaultPolicy: false })
    // Options that were put together elsewhere.
    expect(app.register).type.toBeCallableWith(cors, {} as CorsPluginOptions)
    expect(app.register).type.not.toBeCallableWith(cors, { policies: 5 })
  })

  test('is one thing under both of its names', () => {
    expect(corsPolicy).type.toBe<typeof cors>()
  })
})

describe('config.cors', () => {
  const handler = () => 'ok'

  test('is false or a policy', () => {
    app.get('/off', { config: { cors: false } }, handler)
    app.get('/public', { config: { cors: { origin: '*' } } }, handler)
  })

  test('is not a name, nor a policy with a value of the wrong type', () => {
    // A bare name is refused: with it among the types, any string would pass.
    // @ts-expect-error Type 'string' is not assignable to type
    app.get('/name', { config: { cors: 'public' } }, handler)
    // @ts-expect-error Type '{ origin: number; }' is not assignable to type
    app.get('/number', { config: { cors: { origin: 5 } } }, handler)
  })
})
