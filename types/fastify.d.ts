// What the package adds to Fastify's own types: `app.cors`, and `config.cors`, so that an editor completes and checks a route's policy.
import type { CorsDecoration, CorsPolicy, RouteCors } from 'fastify-cors-policy'
import type { FastifyContextConfig } from 'fastify'

// Fastify declares `config?: FastifyContextConfig & ContextConfig` and infers ContextConfig from what is written there. Whatever is written
// is therefore a part of the expected type, and nothing could be unknown in it. But in an intersection, `this` is the whole of it: from
// there, what was written can be had back, and judged. Where nothing is inferred (`const options: RouteShorthandOptions = …`), `this` is
// FastifyContextConfig alone, and `cors` is a RouteCors like any other.

/** The type of `cors` in a config: what is right in place of what was written there. */
type CorsIn<Config> = Config extends FastifyContextConfig & infer Written
  ? 'cors' extends keyof Written ? Right<Written[keyof Written & 'cors']> : RouteCors
  : RouteCors

/** For each of several possible values, what is right in its place; fields that one does not have are refused in all. */
type Right<Given, Unknown extends PropertyKey = Exclude<NamesIn<Given>, keyof CorsPolicy>> =
  Given extends readonly unknown[] | ((...args: never) => unknown) ? MustBe<RouteCors>
    : Given extends object ? PolicyLike<Given> & { [Name in Unknown]?: NoSuchOption<Name> }
      : Given extends false | undefined ? false
        : MustBe<RouteCors>

type NamesIn<Given> = Given extends object ? keyof Given : never

/**
 * One form of a policy, not their union, for an editor shows no documentation of fields that are in more than one type. A field with a wrong
 * value gets a type of its own: the intersection of, say, `boolean` and the `string` that was written would make all of it `never`.
 */
type PolicyLike<Given, Form = FormOf<Given>> = {
  [Name in keyof Form]: Name extends keyof Given ? { right: Form[Name], wrong: MustBe<Exclude<Form[Name], undefined>> }[Verdict<Given[Name], Form[Name]>] : Form[Name]
}

type FormOf<Given> = Has<Given, 'extends'> extends true
  ? Has<Given, 'origin'> extends true ? Extract<CorsPolicy, { extends: {}, origin: {} }> : Exclude<Extract<CorsPolicy, { extends: {} }>, { origin: {} }>
  : Exclude<CorsPolicy, { extends: {} }>

type Has<Given, Name extends string> = Name extends keyof Given ? {} extends Pick<Given, Name> ? false : true : false

/** Objects are left to the compiler. No intersection with them is `never`, and functions get the types of their parameters from what is expected. */
type Verdict<Value, Wanted> = Value extends object | Wanted | undefined ? 'right' : 'wrong'

// Nothing is of these types. Their names are there to be read in the compiler's messages.
declare const refused: unique symbol
interface MustBe<Expected> { readonly [refused]: Expected }
interface NoSuchOption<Name> { readonly [refused]: Name }

declare module 'fastify' {
  interface FastifyInstance {
    /** What the policies of this instance say: `explain`, `routes` and `allows`. There once fastify-cors-policy is registered. */
    readonly cors: CorsDecoration
  }

  interface FastifyContextConfig {
    /**
     * Who may call this route from a browser: a policy, or `false` for no page of another origin. Left out: the `defaultPolicy` of the
     * route's scope.
     *
     * @example { cors: { origin: 'https://app.example.com', credentials: true } }
     */
    cors?: CorsIn<this>
  }
}
