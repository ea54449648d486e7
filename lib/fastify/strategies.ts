// Tells for which constraints an application has strategies of its own. Fastify says only whether there is a strategy or a route with a constraint.
import type { FastifyInstance } from 'fastify'

/** Whether the application defines the strategy of a constraint itself. For `host` and `version`, the router has strategies. */
export function hasOwnStrategy (root: FastifyInstance, name: string): boolean {
  if (name !== 'host' && name !== 'version') return true
  if (!root.hasConstraintStrategy(name)) return false
  try {
    // Refused in any case: the router says whether that is because of a strategy or of a route.
    root.addConstraintStrategy({ name, storage: () => ({ get: noop, set: noop }) as never, validate: noop, deriveConstraint: noop as never })
  } catch (err) {
    return !(err as Error).message.includes('already exists a route')
  }
  return true
}

const noop = Function.prototype as () => void

/** The names of the strategies that are options of the application. */
export function configuredStrategies (root: FastifyInstance): string[] {
  const { constraints, routerOptions } = root.initialConfig as { constraints?: Strategies, routerOptions?: { constraints?: Strategies } }
  return Object.values({ ...constraints, ...routerOptions?.constraints }).map(({ name }) => name)
}

type Strategies = Readonly<Record<string, { readonly name: string }>>
