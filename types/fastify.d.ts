// What the package adds to Fastify's own types: `config.cors`, so that an editor completes and checks a route's policy.
import type { RouteCors } from 'fastify-cors-policy'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Who may call this route from a browser: a policy, or `false` for no page of another origin. Left out: the `defaultPolicy` of the
     * route's scope.
     *
     * @example { cors: { origin: 'https://app.example.com', credentials: true } }
     */
    cors?: RouteCors
  }
}
