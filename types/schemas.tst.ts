// Type tests of the schemas and of the plain types: they are equal, though the main entry names nothing of TypeBox, and as strict as types can be.
import type { Static } from '@sinclair/typebox'
import type { Static as StaticOfEsModule } from '@sinclair/typebox' with { 'resolution-mode': 'import' }
import type { FastifyRequest } from 'fastify'
import { originList, type CorsOriginFunction, type CorsOriginList, type CorsPluginOptions, type CorsPolicy, type RouteCors } from 'fastify-cors-policy'
import type { CorsPluginOptionsSchema, CorsPolicySchema, RouteCorsSchema } from 'fastify-cors-policy/schemas'
import { describe, expect, test } from 'tstyche'
import type { ExtendingPolicySchema, PluginOptionsSchema, StandalonePolicySchema } from '../lib/schemas'

/** One object type in place of an intersection. */
type Flat<Value> = { [Field in keyof Value]: Value[Field] }
type Standalone = Extract<CorsPolicy, { extends?: never }>
type Extending = Extract<CorsPolicy, { extends: string, origin: unknown }>
type ExtendingWithoutOrigin = Exclude<CorsPolicy, { origin: {} }>

describe('the schemas', () => {
  test('have the types of what they describe, in both builds of TypeBox', () => {
    expect<Static<CorsPolicySchema>>().type.toBe<CorsPolicy>()
    expect<Static<RouteCorsSchema>>().type.toBe<RouteCors>()
    expect<Static<CorsPluginOptionsSchema>>().type.toBe<CorsPluginOptions>()
    expect<StaticOfEsModule<CorsPolicySchema>>().type.toBe<CorsPolicy>()
    expect<StaticOfEsModule<RouteCorsSchema>>().type.toBe<RouteCors>()
    expect<StaticOfEsModule<CorsPluginOptionsSchema>>().type.toBe<CorsPluginOptions>()
    expect<RouteCors>().type.toBe<false | CorsPolicy>()
  })

  test('have the fields of the plain types, and no others', () => {
    expect<Flat<Omit<Standalone, 'extends'>>>().type.toBe<Flat<Static<typeof StandalonePolicySchema>>>()
    expect<Flat<Omit<Extending, 'origin'> & Partial<Pick<Extending, 'origin'>>>>().type.toBe<Flat<Static<typeof ExtendingPolicySchema>>>()
    expect<Flat<Omit<ExtendingWithoutOrigin, 'origin'>>>().type.toBe<Flat<Omit<Static<typeof ExtendingPolicySchema>, 'origin'>>>()
    expect<Flat<CorsPluginOptions>>().type.toBe<Flat<Static<typeof PluginOptionsSchema>>>()
  })
})

describe('a policy', () => {
  test('has these fields', () => {
    expect<Required<Pick<CorsPolicy, keyof CorsPolicy>>>().type.toBeAssignableTo<{
      credentials: boolean | readonly unknown[] | CorsOriginList
      allowedHeaders: '*' | readonly string[]
      exposedHeaders: '*' | readonly string[]
      maxAge: number
      optionsSuccessStatus: 200 | 204
      enforceOrigin: boolean | 'report'
      timingOrigin: true | '*' | readonly string[]
      resourcePolicy: 'same-origin' | 'same-site' | 'cross-origin'
      dangerouslyAllowInsecureOrigins: boolean
      dangerouslyAllowPublicSuffixes: boolean
    }>()
    expect<CorsOriginFunction>().type.toBe<(origin: string, request: FastifyRequest) => boolean | Promise<boolean>>()
    expect<NonNullable<CorsPolicy['extends']>>().type.toBe<string>()
  })

  test('needs an origin or a name', () => {
    expect<CorsPolicy>().type.toBeAssignableFrom<{ origin: '*' }>()
    expect<CorsPolicy>().type.toBeAssignableFrom<{ extends: 'public' }>()
    expect<CorsPolicy>().type.toBeAssignableFrom<{ extends: 'public', origin: readonly RegExp[] }>()
    expect<CorsPolicy>().type.not.toBeAssignableFrom<{ maxAge: 5 }>()
    expect<CorsPolicy>().type.not.toBeAssignableFrom<{}>()
  })

  test('has no other fields, and no values of other types', () => {
    // @ts-expect-error 'methods' does not exist in type
    const standalone = { origin: '*', methods: ['GET'] } satisfies RouteCors
    // @ts-expect-error 'credential' does not exist in type
    const extending = { extends: 'public', credential: true } satisfies RouteCors
    expect(standalone).type.toHaveProperty('origin')
    expect(extending).type.toHaveProperty('extends')
    expect<RouteCors>().type.not.toBeAssignableFrom<true>()
    expect<RouteCors>().type.not.toBeAssignableFrom<string>()
    expect<RouteCors>().type.not.toBeAssignableFrom<string[]>()
    expect<CorsPolicy>().type.not.toBeAssignableFrom<false>()
    expect<CorsPolicy>().type.not.toBeAssignableFrom<{ origin: RegExp }>()
    expect<CorsPolicy>().type.not.toBeAssignableFrom<{ origin: '*', optionsSuccessStatus: 201 }>()
    expect<CorsPolicy>().type.not.toBeAssignableFrom<{ origin: '*', allowedHeaders: 'X-Id' }>()
    expect<CorsPolicy>().type.not.toBeAssignableFrom<{ extends: 'public', maxAge: '5' }>()
  })
})

describe('a list of origins', () => {
  test('takes what an array takes, and shows it', () => {
    expect(originList).type.toBe<(entries: Iterable<string | RegExp>) => CorsOriginList>()
    expect(originList).type.not.toBeCallableWith()
    expect(originList).type.not.toBeCallableWith([5])
    expect([...originList([])]).type.toBe<Array<string | RegExp>>()
    expect(originList([]).delete('https://app.example.com')).type.toBe<boolean>()
    expect(originList([]).add).type.not.toBeCallableWith(['https://app.example.com'])
    expect(originList([]).replace).type.toBeCallableWith(originList([]))
  })

  test('is an origin', () => {
    expect<CorsPolicy>().type.toBeAssignableFrom<{ origin: CorsOriginList, credentials: true }>()
    expect<CorsPolicy>().type.toBeAssignableFrom<{ origin: '*', credentials: CorsOriginList }>()
    expect<CorsPolicy>().type.toBeAssignableFrom<{ origin: '*', credentials: ReadonlyArray<string | RegExp> }>()
    expect<CorsPolicy>().type.not.toBeAssignableFrom<{ origin: '*', credentials: string }>()
    expect<CorsPolicy>().type.not.toBeAssignableFrom<{ origin: readonly CorsOriginList[] }>()
    expect<RouteCors>().type.not.toBeAssignableFrom<CorsOriginList>()
  })
})
