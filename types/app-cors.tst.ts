// Type tests of app.cors: what is asked, and what is answered.
import Fastify, { type FastifyRequest } from 'fastify'
import type { CorsDecoration, CorsExplanation, CorsExplanationReason, CorsQuestion, CorsRefusalMessage, CorsRefusalReason, CorsRoute } from 'fastify-cors-policy'
import { describe, expect, test } from 'tstyche'

const app = Fastify()

describe('app.cors', () => {
  test('is there on every server, and cannot be replaced', () => {
    expect(app.cors).type.toBe<CorsDecoration>()
    expect(Fastify({ http2: true }).cors).type.toBe<CorsDecoration>()
    expect<Pick<typeof app, 'cors'>>().type.toBe<{ readonly cors: CorsDecoration }>()
  })

  test('explain takes a question, and no more than that', () => {
    expect(app.cors.explain({ origin: 'null', url: '/' })).type.toBe<Promise<CorsExplanation>>()
    expect(app.cors.explain).type.toBeCallableWith({ origin: 'https://app.example.com', method: 'PUT', url: '/', headers: { 'x-one': '1', 'x-two': ['1', '2'] }, credentials: true, useCorsPreflight: true })
    expect(app.cors.explain).type.toBeCallableWith({ origin: 'null', url: '/' } as CorsQuestion)
    expect(app.cors.explain).type.not.toBeCallableWith({ origin: 'null' })
    expect(app.cors.explain).type.not.toBeCallableWith({ url: '/' })
    expect(app.cors.explain).type.not.toBeCallableWith({ origin: 'null', url: '/', credentials: 'include' })
    expect(app.cors.explain).type.not.toBeCallableWith({ origin: 'null', url: '/', path: '/' })
  })

  test('the reasons are a closed set', () => {
    expect<CorsExplanation['reason']>().type.toBe<CorsExplanationReason | null>()
    expect<CorsExplanationReason>().type.toBeAssignableFrom<CorsRefusalReason>()
    expect<CorsRefusalMessage['reason']>().type.toBe<CorsRefusalReason>()
    expect<CorsRefusalReason>().type.not.toBeAssignableFrom<string>()
    expect<CorsRefusalReason>().type.toBeAssignableFrom<'origin-not-allowed'>()
  })

  test('routes and allows', () => {
    expect(app.cors.routes()).type.toBe<CorsRoute[]>()
    expect(app.cors.allows('partner', {} as FastifyRequest)).type.toBe<boolean | Promise<boolean>>()
    expect(app.cors.allows).type.not.toBeCallableWith('partner')
  })
})
