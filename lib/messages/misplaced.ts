// Says where a policy belongs that a route's options have in the wrong place: it would be ignored, and nobody would notice.
import { childPointer, quote, type CorsProblem } from './errors'

/** Keys of `config` that were plainly meant as `cors`: a letter too few or too many, or two that changed places. */
const NEAR_MISS = /^(?:crs|cor|cos|cros|cosr|ocrs|corss|coors|corrs|ccors)$/i

/** The problems of a route's options whose policy is not in `config.cors`. Other keys of `config` are the application's own. */
export function misplacedPolicies (options: object): CorsProblem[] {
  const problems: CorsProblem[] = []
  const report = (pointer: string, key: string, value: unknown): void => {
    const message = `${quote(key)} is ignored here; write config: { cors: ${isPolicy(value) ? '{ … }' : quote(value)} }`
    problems.push({ pointer, reason: 'unknown-property', value, message })
  }
  // A polluted prototype is no declaration.
  const { cors, config } = Object.fromEntries(Object.entries(options)) as { readonly cors?: unknown, readonly config?: unknown }
  if (Object.hasOwn(options, 'cors') && cors !== undefined) report('/cors', 'cors', cors)
  for (const [key, value] of Object.entries(typeof config === 'object' && config !== null ? config : {})) {
    const isMeant = key !== 'cors' && (key.toLowerCase() === 'cors' || (NEAR_MISS.test(key) && (value === false || isPolicy(value))))
    if (isMeant) report(childPointer('/config', key), key, value)
  }
  return problems
}

function isPolicy (value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
