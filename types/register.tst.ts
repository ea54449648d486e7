// Type tests of the plugin: how it is registered, and what definePolicies takes and returns.
import Fastify, { type FastifyRequest } from 'fastify'
import cors, { corsPolicy, definePolicies, type CorsPluginOptions, type CorsPolicy } from 'fastify-cors-policy'
import { describe, expect, test } from 'tstyche'

const app = Fastify()

describe('the plugin', () => {
  test('registers, with its options or without', () => {
    expect(app.register).type.toBeCallableWith(cors)
    expect(app.register).type.toBeCallableWith(cors, {})
    expect(app.register).type.toBeCallableWith(cors, { policies: definePolicies({ public: { origin: '*' } }), defaultPolicy: false })
    expect(app.register).type.toBeCallableWith(cors, { policies: { public: { origin: '*' } }, defaultPolicy: 'public', logLevel: 'warn', hideOptionsRoute: false })
    expect(app.register).type.toBeCallableWith(cors, { defaultPolicy: { origin: '*' } })
    // Fastify's own.
    expect(app.register).type.toBeCallableWith(cors, { prefix: '/api' })
    // Options that were put together elsewhere.
    expect(app.register).type.toBeCallableWith(cors, {} as CorsPluginOptions)
    // On other servers.
    expect(Fastify({ http2: true }).register).type.toBeCallableWith(cors, { defaultPolicy: false })
  })

  test('refuses wrong options', () => {
    expect(app.register).type.not.toBeCallableWith(cors, { policies: 5 })
    expect(app.register).type.not.toBeCallableWith(cors, { policies: { public: '*' } })
    expect(app.register).type.not.toBeCallableWith(cors, { policies: { public: {} } })
    expect(app.register).type.not.toBeCallableWith(cors, { defaultPolicy: true })
    expect(app.register).type.not.toBeCallableWith(cors, { logLevel: 'loud' })
    expect(app.register).type.not.toBeCallableWith(cors, { hideOptionsRoute: 'no' })
  })

  test('refuses options it does not have', () => {
    expect(app.register).type.not.toBeCallableWith(cors, { origin: '*' })
    expect(app.register).type.not.toBeCallableWith(cors, { policy: {} })
    expect(app.register).type.not.toBeCallableWith(cors, { policies: { public: { origin: '*', methods: ['GET'] } } })
    expect(app.register).type.not.toBeCallableWith(cors, { defaultPolicy: { origin: '*', credential: true } })
  })

  test('is one thing under both of its names', () => {
    expect(corsPolicy).type.toBe<typeof cors>()
  })
})

describe('definePolicies', () => {
  test('returns policies by the names that they were given', () => {
    const policies = definePolicies({ public: { origin: '*' }, partner: { extends: 'public', maxAge: 5 } })
    expect(policies).type.toBe<Readonly<Record<'public' | 'partner', CorsPolicy>>>()
    expect(policies).type.not.toHaveProperty('other')
  })

  test('takes what is readonly', () => {
    expect(definePolicies).type.toBeCallableWith({ public: { origin: ['https://app.example.com'], allowedHeaders: ['X-Id'] } } as const)
    expect(definePolicies).type.toBeCallableWith(Object.freeze({ public: Object.freeze({ origin: Object.freeze(['https://app.example.com']) }) }))
  })

  test('gives the parameters of a function their types', () => {
    definePolicies({
      any: {
        origin: (origin, request) => {
          expect(origin).type.toBe<string>()
          expect(request).type.toBe<FastifyRequest>()
          return true
        }
      }
    })
  })

  test('refuses wrong policies, and fields that policies do not have', () => {
    expect(definePolicies).type.not.toBeCallableWith({ any: 'https://app.example.com' })
    expect(definePolicies).type.not.toBeCallableWith({ any: false })
    expect(definePolicies).type.not.toBeCallableWith({ any: {} })
    expect(definePolicies).type.not.toBeCallableWith({ any: { orign: '*' } })
    expect(definePolicies).type.not.toBeCallableWith({ any: { origin: '*', maxAge: '5' } })
    expect(definePolicies).type.not.toBeCallableWith({ any: { origin: '*', methods: ['GET'] } })
    expect(definePolicies).type.not.toBeCallableWith({ any: { extends: 'public', credential: true } })
  })
})
