// Type tests of a route's config.cors: everything that is right is accepted as it is usually written, and every mistake is a compile error,
// with a message that names it.
import Fastify, { type FastifyContextConfig, type FastifyReply, type FastifyRequest, type FastifyTypeProvider, type RouteOptions, type RouteShorthandOptions } from 'fastify'
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { definePolicies, originList, type CorsOriginFunction, type CorsPolicy, type RouteCors } from 'fastify-cors-policy'
import { describe, expect, test } from 'tstyche'

interface TypeBoxProvider extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown
}

const app = Fastify()
const handler = () => 'ok'
const policies = definePolicies({
  public: { origin: '*' },
  partner: { origin: ['https://app.example.com', 'https://*.partners.example.com'], credentials: true }
})

describe('config.cors takes', () => {
  test('every form of origin', () => {
    app.get('/', { config: { cors: { origin: '*' } } }, handler)
    app.get('/', { config: { cors: { origin: 'null' } } }, handler)
    app.get('/', { config: { cors: { origin: 'https://app.example.com' } } }, handler)
    app.get('/', { config: { cors: { origin: ['https://*.example.com', 'http://localhost:*', /^https:\/\/[a-z]+\.example\.com$/] } } }, handler)
    app.get('/', { config: { cors: { origin: originList(['https://*.example.com', /^https:\/\/[a-z]+\.example\.com$/]), credentials: true } } }, handler)
    app.get('/', { config: { cors: { extends: 'public', origin: originList(new Set<string>()) } } }, handler)
    app.get('/', { config: { cors: { origin: () => true } } }, handler)
    app.get('/', { config: { cors: { origin: async (origin) => origin.endsWith('.example.com') } } }, handler)
    app.get('/', { config: { cors: { origin: {} as CorsOriginFunction } } }, handler)
    app.get('/', { config: { cors: { origin: process.env['ORIGIN'] ?? 'https://app.example.com' } } }, handler)
  })

  test('every field', () => {
    app.get('/', {
      config: {
        cors: {
          extends: 'public',
          origin: 'https://app.example.com',
          credentials: true,
          allowedHeaders: ['X-Request-Id'],
          exposedHeaders: '*',
          maxAge: 600,
          optionsSuccessStatus: 200,
          dangerouslyAllowInsecureOrigins: false,
          dangerouslyAllowPublicSuffixes: false
        }
      }
    }, handler)
  })

  test('false, a policy by value, by name, by both, and copied', () => {
    app.get('/', { config: { cors: false } }, handler)
    app.get('/', { config: { cors: policies.public } }, handler)
    app.get('/', { config: { cors: { extends: 'public' } } }, handler)
    app.get('/', { config: { cors: { extends: 'partner', exposedHeaders: ['ETag'] } } }, handler)
    app.get('/', { config: { cors: { ...policies.partner, maxAge: 5 } } }, handler)
    app.get('/', { config: { cors: Math.random() > 0.5 && { origin: '*' } } }, handler)
    app.get('/', { config: { cors: Math.random() > 0.5 ? policies.public : { ...policies.partner, maxAge: 5 } } }, handler)
    app.get('/', { config: { cors: {} as RouteCors } }, handler)
    app.get('/', { config: { cors: {} as CorsPolicy } }, handler)
  })

  test('what is readonly, frozen, or of an interface', () => {
    interface Settings { origin: string[], credentials: boolean }
    const origins = ['https://app.example.com', 'https://*.example.com'] as const
    app.get('/', { config: { cors: { origin: origins, allowedHeaders: ['X-Id'] as const } } }, handler)
    app.get('/', { config: { cors: { origin: '*', maxAge: 5 } as const } }, handler)
    app.get('/', { config: { cors: Object.freeze({ origin: Object.freeze(['https://app.example.com']) }) } }, handler)
    app.get('/', { config: { cors: {} as Settings } }, handler)
    app.get('/', { config: { cors: {} as Readonly<Settings> } }, handler)
  })

  test('values whose type is a parameter', () => {
    const byName = <Name extends 'public' | 'partner'>(name: Name) => app.get('/', { config: { cors: { extends: name, maxAge: 5 } } }, handler)
    const byOrigin = <Origin extends string>(origin: Origin) => app.get('/', { config: { cors: { origin: [origin], allowedHeaders: [origin] } } }, handler)
    // A whole policy of which nothing is known yet cannot be judged: it has to be said to be one.
    const byPolicy = <Policy extends CorsPolicy>(policy: Policy) => app.get('/', { config: { cors: policy as CorsPolicy } }, handler)
    expect(byName).type.toBeCallableWith('public')
    expect(byOrigin).type.toBeCallableWith('https://app.example.com')
    expect(byPolicy).type.toBeCallableWith({ origin: '*' })
  })
})

describe('config.cors stands', () => {
  test('in each way to declare a route', () => {
    app.route({ method: 'GET', url: '/', config: { cors: { origin: '*' } }, handler })
    app.put('/', { config: { cors: { origin: '*' } }, handler })
    app.get<{ Querystring: { all: string } }>('/', { config: { cors: { origin: '*' } } }, (request) => request.query.all)
    app.register(async (scope) => { scope.put('/', { config: { cors: { origin: '*' } } }, handler) })
    Fastify({ http2: true }).get('/', { config: { cors: { origin: '*' } } }, handler)
    const shorthand: RouteShorthandOptions = { config: { cors: { origin: '*' } } }
    app.get('/', shorthand, handler)
    app.get('/', { ...shorthand, config: { ...shorthand.config, cors: { extends: 'public' } } }, handler)
    const options: RouteOptions = { method: 'GET', url: '/', config: { cors: { extends: 'public' } }, handler }
    app.route(options)
    app.addHook('onRoute', (options) => { options.config = { ...options.config, cors: { origin: '*' } } })
  })

  test('beside what other plugins and the application have in a config', () => {
    app.get('/', { config: { cors: { origin: '*' }, role: 'admin' } }, (request) => {
      expect(request.routeOptions.config.role).type.toBe<string>()
    })
    app.get('/', { config: { role: 'admin' } }, handler)
    app.get('/', { config: {} }, handler)
    app.get('/', { config: {} as FastifyContextConfig }, handler)
    expect(<Config>(config: FastifyContextConfig & Config) => app.get('/', { config }, handler)).type.toBeCallableWith({ role: 'admin' })
  })

  test('with a type provider', () => {
    app.withTypeProvider<TypeBoxProvider>().put('/', { schema: { body: Type.Object({ id: Type.Integer() }) }, config: { cors: { extends: 'partner', maxAge: 5 } } }, (request) => {
      expect(request.body).type.toBe<{ id: number }>()
    })
    app.withTypeProvider<TypeBoxProvider>().put('/', {
      schema: { body: Type.Object({ id: Type.Integer() }) },
      // @ts-expect-error Type 'string[]' is not assignable to type 'NoSuchOption<"methods">
      config: { cors: { origin: '*', methods: ['PUT'] } }
    }, handler)
  })
})

describe('config.cors gives', () => {
  test('the parameters of a function their types', () => {
    app.get('/', {
      config: {
        cors: {
          origin: (origin, request) => {
            expect(origin).type.toBe<string>()
            expect(request).type.toBe<FastifyRequest>()
            return true
          },
          maxAge: 5
        }
      }
    }, handler)
  })

  test('a request its route\'s policy', () => {
    const read = (request: FastifyRequest, reply: FastifyReply) => {
      expect(request.routeOptions.config.cors).type.toBe<RouteCors | undefined>()
      reply.send('ok')
    }
    app.get('/', { config: { cors: { extends: 'public', maxAge: 5 } } }, read)
    app.get('/', { config: { cors: false } }, read)
    app.get('/', read)
    app.get('/', (request) => {
      expect(request.routeOptions.config.cors).type.toBe<RouteCors | undefined>()
    })
    app.get('/', { config: { role: 'admin' } }, (request) => {
      expect(request.routeOptions.config.cors).type.toBe<RouteCors | undefined>()
    })
    app.get('/', { config: { cors: { origin: '*', maxAge: 5 } } }, (request) => {
      expect(request.routeOptions.config.cors).type.toBeAssignableTo<RouteCors>()
      expect(request.routeOptions.config.cors.maxAge).type.toBe<number>()
    })
  })
})

describe('config.cors refuses', () => {
  test('what is neither false nor a policy', () => {
    // @ts-expect-error Type 'string' is not assignable to type 'MustBe<RouteCors>
    app.get('/', { config: { cors: 'public' } }, handler)
    // @ts-expect-error Type 'string' is not assignable to type 'MustBe<RouteCors>
    app.get('/', { config: { cors: '*' } }, handler)
    // @ts-expect-error Type 'true' is not assignable to type 'MustBe<RouteCors>
    app.get('/', { config: { cors: true } }, handler)
    // @ts-expect-error Type 'string[]' is not assignable to type 'MustBe<RouteCors>
    app.get('/', { config: { cors: ['https://app.example.com'] } }, handler)
    // @ts-expect-error Type '() => true' is not assignable to type 'MustBe<RouteCors>
    app.get('/', { config: { cors: () => true } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: 5 } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: null } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: {} as boolean } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: {} as string | CorsPolicy } }, handler)
  })

  test('a policy with neither an origin nor a name', () => {
    // @ts-expect-error Property 'origin' is missing in type '{}'
    app.get('/', { config: { cors: {} } }, handler)
    // @ts-expect-error Property 'origin' is missing in type '{ maxAge: number; }'
    app.get('/', { config: { cors: { maxAge: 5 } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: {} as { origin?: string, extends?: string } } }, handler)
  })

  test('fields that a policy does not have', () => {
    // @ts-expect-error Type 'string' is not assignable to type 'NoSuchOption<"orign">
    app.get('/', { config: { cors: { orign: '*' } } }, handler)
    // @ts-expect-error Type 'string[]' is not assignable to type 'NoSuchOption<"methods">
    app.get('/', { config: { cors: { origin: '*', methods: ['GET'] } } }, handler)
    // @ts-expect-error Type 'number' is not assignable to type 'NoSuchOption<"maxage">
    app.get('/', { config: { cors: { extends: 'public', maxage: 5 } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { origin: () => true, credential: true } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { ...policies.public, methods: ['GET'] } } }, handler)
    const elsewhere = { origin: '*', methods: ['GET'] }
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: elsewhere } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: Math.random() > 0.5 ? policies.public : elsewhere } }, handler)
  })

  test('a wrong type in every field', () => {
    // @ts-expect-error Type 'number' is not assignable to type 'MustBe<CorsOriginText | readonly (RegExp | CorsOriginText)[] | CorsOriginList | CorsOriginFunction>
    app.get('/', { config: { cors: { origin: 5 } } }, handler)
    // @ts-expect-error Type 'string' is not assignable to type 'MustBe<boolean | readonly (RegExp | CorsOriginText)[] | CorsOriginList>
    app.get('/', { config: { cors: { origin: '*', credentials: 'true' } } }, handler)
    // @ts-expect-error Type 'string' is not assignable to type 'MustBe<number>
    app.get('/', { config: { cors: { origin: '*', maxAge: '5' } } }, handler)
    // @ts-expect-error Type '201' is not assignable to type 'MustBe<204 | 200>
    app.get('/', { config: { cors: { origin: '*', optionsSuccessStatus: 201 } } }, handler)
    // @ts-expect-error Type 'number' is not assignable to type 'MustBe<string>
    app.get('/', { config: { cors: { extends: 5, maxAge: 5 } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { origin: true } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { origin: null } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { origin: {} } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { origin: /^https:/ } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { origin: ['https://app.example.com', 5] } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { origin: () => 5 } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { origin: (origin: number) => origin > 5 } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { extends: ['public'] } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { extends: 'public', credentials: 1 } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { extends: 'public', allowedHeaders: 'X-Request-Id' } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { extends: 'public', allowedHeaders: [5] } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { extends: 'public', exposedHeaders: 'ETag' } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { extends: 'public', exposedHeaders: true } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { extends: 'public', maxAge: {} as string | number } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { origin: '*', dangerouslyAllowInsecureOrigins: 'yes' } } }, handler)
    expect(app.get).type.not.toBeCallableWith('/', { config: { cors: { origin: '*', dangerouslyAllowPublicSuffixes: 1 } } }, handler)
  })

  test('a mistake wherever a route is declared', () => {
    expect(app.route).type.not.toBeCallableWith({ method: 'GET', url: '/', config: { cors: { orign: '*' } }, handler })
    expect(app.put).type.not.toBeCallableWith('/', { config: { cors: { origin: '*', methods: ['PUT'] } }, handler })
    expect(app.get<{ Querystring: { all: string } }>).type.not.toBeCallableWith('/', { config: { cors: { origin: '*', methods: ['GET'] } } }, handler)
    expect(Fastify({ http2: true }).get).type.not.toBeCallableWith('/', { config: { cors: { origin: '*', methods: ['GET'] } } }, handler)
    // @ts-expect-error Type 'string[]' is not assignable to type 'NoSuchOption<"methods">
    app.register(async (scope) => { scope.put('/', { config: { cors: { origin: '*', methods: ['PUT'] } } }, handler) })
    // @ts-expect-error 'methods' does not exist in type
    const shorthand: RouteShorthandOptions = { config: { cors: { origin: '*', methods: ['GET'] } } }
    app.get('/', shorthand, handler)
    expect<RouteShorthandOptions>().type.not.toBeAssignableFrom<{ config: { cors: { maxAge: 5 } } }>()
    expect<RouteOptions['config']>().type.not.toBeAssignableFrom<{ cors: 'public' }>()
  })
})
