// Type tests of CorsPolicyNames: once an application has declared its names, `extends` takes those and no other.
import Fastify from 'fastify'
import cors, { definePolicies, type CorsPolicy } from 'fastify-cors-policy'
import { describe, expect, test } from 'tstyche'

declare module 'fastify-cors-policy' {
  interface CorsPolicyNames { public: true, partner: true }
}

const app = Fastify()
const handler = () => 'ok'

describe('in an application that declares the names of its policies', () => {
  test('extends takes a declared name', () => {
    expect<NonNullable<CorsPolicy['extends']>>().type.toBe<'public' | 'partner'>()
    expect<CorsPolicy>().type.toBeAssignableFrom<{ extends: 'public' }>()
    app.get('/', { config: { cors: { extends: 'partner' } } }, handler)
    app.get('/', { config: { cors: { extends: 'partner', origin: '*', maxAge: 5 } } }, handler)
    app.route({ method: 'GET', url: '/', config: { cors: { extends: Math.random() > 0.5 ? 'public' : 'partner' } }, handler })
    expect(definePolicies).type.toBeCallableWith({ any: { extends: 'public' } })
  })

  test('and so does the default policy', () => {
    expect(app.register).type.toBeCallableWith(cors, { defaultPolicy: 'public' })
    expect(app.register).type.not.toBeCallableWith(cors, { defaultPolicy: 'pubic' })
  })

  test('extends refuses any other', () => {
    expect<CorsPolicy>().type.not.toBeAssignableFrom<{ extends: 'pubic' }>()
    expect<CorsPolicy>().type.not.toBeAssignableFrom<{ extends: string }>()
    // @ts-expect-error Type '"pubic"' is not assignable to type 'MustBe<keyof CorsPolicyNames>
    app.get('/', { config: { cors: { extends: 'pubic' } } }, handler)
    // @ts-expect-error Type '"pubic"' is not assignable to type 'MustBe<keyof CorsPolicyNames>
    app.route({ method: 'GET', url: '/', config: { cors: { extends: 'pubic', maxAge: 5 } }, handler })
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { extends: 'pubic', origin: '*' } } }, handler)
    expect(definePolicies).type.not.toBeCallableWith({ any: { extends: 'pubic' } })
  })

  test('a bare name is no policy', () => {
    // @ts-expect-error Type 'string' is not assignable to type 'MustBe<RouteCors>
    app.get('/', { config: { cors: 'public' } }, handler)
  })
})
