// Program text: registrations, and the config of routes.
import { printable } from '../messages/errors'
import { functionNames } from './migrate-origin'
import type { MigratedPolicy, Translation } from './migrate-translation'

/** The registration that has this policy as its default. */
export function registrationCode (name: string, { policy, registration, toWrite }: Translation): string {
  const rest = Object.entries(registration).map(([key, value]) => `  ${key}: ${codeOf(value)}`)
  if (policy === undefined) return `// to be written: ${printable(toWrite.join('; '))}`
  if (policy === false) return objectCall(['  defaultPolicy: false', ...rest])
  const fields = fieldsOf(policy).map(([key, value]) => `      ${key}: ${codeOf(value)}`)
  return objectCall([`  policies: {\n    ${name}: {\n${fields.join(',\n')}\n    }\n  }`, `  defaultPolicy: ${codeOf(name)}`, ...rest])
}

function objectCall (members: readonly string[]): string {
  return `await app.register(cors, {\n${members.join(',\n')}\n})`
}

/** The config of a route: what differs from the policy of its registration. */
export function routeCode (own: object | false): string {
  if (own === false) return 'config: { cors: false }'
  return `config: { cors: { ${Object.entries(own).map(([key, value]) => `${key}: ${codeOf(value)}`).join(', ')} } }`
}

/** The fields, without those that have no value. */
function fieldsOf ({ origin, ...rest }: MigratedPolicy): Array<[string, unknown]> {
  return Object.entries({ origin: origin ?? TO_DECIDE, ...rest }).filter(([, value]) => value !== undefined)
}

/** Stands for origins that a person has to decide. As code, it fails loudly. */
const TO_DECIDE = (): never => { throw new Error('not to be called') }
functionNames.set(TO_DECIDE, 'allowedOrigins')

/** A value as JavaScript. */
export function codeOf (value: unknown): string {
  if (typeof value === 'string') return `'${printable(JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'"))}'`
  if (Array.isArray(value)) return `[${value.map(codeOf).join(', ')}]`
  if (typeof value === 'function') return `${functionNames.get(value) ?? 'isAllowed'} /* to be written */`
  return printable(String(value))
}
