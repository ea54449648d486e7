// Type tests of CorsPolicyNames: once an application has declared its names, `extends` takes those and no other.
import Fastify from 'fastify'
import 'fastify-cors-policy'
import { describe, expect, test } from 'tstyche'
import type { CorsPolicy } from 'fastify-cors-policy'

declare module 'fastify-cors-policy' {
  interface CorsPolicyNames { public: true, partner: true }
}

describe('extends, in an application that declares its policy names', () => {
  test('takes a declared name', () => {
    expect<CorsPolicy>().type.toBeAssignableFrom<{ extends: 'public' }>()
    Fastify().get('/', { config: { cors: { extends: 'partner' } } }, () => 'ok')
  })

  test('refuses any other', () => {
    expect<CorsPolicy>().type.not.toBeAssignableFrom<{ extends: 'pubic' }>()
    // @ts-expect-error Type '{ extends: "pubic"; }' is not assignable to type
    Fastify().get('/', { config: { cors: { extends: 'pubic' } } }, () => 'ok')
  })
})
