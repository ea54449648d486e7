// From the options of @fastify/cors to a policy of this package.
import { isSetByBrowser } from '../http/headers'
import { originFieldOf } from './migrate-origin'
import type { CheckPolicy, MigratedPolicy, Translation, TranslationContext } from './migrate-translation'

type Options = Readonly<Record<string, unknown>>

/** Translates the options of a registration, or those of a route merged with them. */
export function translate (options: unknown, context: TranslationContext): Translation {
  const translation: Translation = { policy: undefined, registration: {}, toWrite: [], notes: [] }
  const delegator = typeof options === 'function' ? options : (options as Options)['delegator']
  if (typeof delegator === 'function') {
    const name = delegator.name === '' ? 'the delegator' : `the delegator ${delegator.name}`
    translation.toWrite.push(`${name} gives options for each request: write a policy for each route or scope, or an origin function, which gets the request`)
    return translation
  }
  const given = options as Options
  for (const name of ['hideOptionsRoute', 'logLevel'] as const) if (given[name] !== undefined) translation.registration[name] = given[name]
  translation.notes.push(...notesOn(given))
  const credentials = Boolean(given['credentials'])
  const origin = originFieldOf(given['origin'] ?? '*', credentials, context, translation)
  if (origin === false) return Object.assign(translation, { policy: false })
  translation.policy = {
    origin,
    ...(credentials && origin !== '*' && { credentials }),
    allowedHeaders: allowedHeadersOf(given['allowedHeaders']),
    ...exposedHeadersOf(given['exposedHeaders'], credentials, translation),
    ...maxAgeOf(given['maxAge'], translation),
    ...(given['optionsSuccessStatus'] === 200 && { optionsSuccessStatus: 200 as const })
  }
  return withoutRefusedNames(translation, translation.policy, context.check)
}

/** Without `allowedHeaders`, @fastify/cors allows whatever is asked for. `*` covers all names but `Authorization`. */
function allowedHeadersOf (value: unknown): unknown {
  if (value === undefined || value === null) return ['*', 'Authorization']
  const names = namesOf(value)
  return names.includes('*') ? '*' : names
}

function exposedHeadersOf (value: unknown, credentials: boolean, { notes }: Translation): { exposedHeaders?: unknown } {
  const names = namesOf(value ?? [])
  if (!names.includes('*')) return names.length === 0 ? {} : { exposedHeaders: names }
  if (!credentials) return { exposedHeaders: '*' }
  notes.push('exposedHeaders: "*" exposed nothing, because with credentials browsers read it as a name; list the names that pages read')
  return {}
}

function maxAgeOf (value: unknown, { notes }: Translation): { maxAge?: number } {
  if (value === undefined || value === null) return {}
  const seconds = Math.trunc(Number(value))
  const maxAge = Math.min(86400, Math.max(0, Number.isNaN(seconds) ? 0 : seconds))
  if (String(value) !== String(maxAge)) notes.push(`maxAge: ${maxAge}, because ${String(value)} is not from 0 to 86400`)
  return { maxAge }
}

/** A list as an array, or with commas. */
function namesOf (value: unknown): string[] {
  const texts = Array.isArray(value) ? value.map(String) : [String(value)]
  return texts.flatMap((text) => text.split(',')).map((text) => text.trim()).filter((text) => text !== '')
}

/** What is left out, by option. */
const LEFT_OUT: ReadonlyArray<readonly [name: string, applies: (value: unknown) => boolean, note: string]> = [
  ['methods', () => true, 'methods is left out: a preflight allows the methods that its URL has routes for; write cors: false on routes that stay closed'],
  ['preflight', (value) => value === false, 'preflight: false is left out: write cors: false on a route whose preflights go to your own OPTIONS route'],
  ['preflightContinue', Boolean, 'preflightContinue is left out: write cors: false on a route whose preflights go to your own OPTIONS route'],
  ['strictPreflight', (value) => value === false, 'strictPreflight is left out: an OPTIONS request that is no preflight goes to your own OPTIONS routes'],
  ['cacheControl', (value) => value !== undefined && value !== null, 'cacheControl is left out: browsers remember preflights by maxAge alone'],
  ['hook', (value) => value !== 'onRequest', 'hook is left out: preflights are answered in onRequest, after the hooks that were registered before the plugin'],
  ['optionsSuccessStatus', (value) => value !== 200 && value !== 204, 'optionsSuccessStatus is 204: it can be 204 or 200']
]

function notesOn (options: Options): string[] {
  return LEFT_OUT.filter(([name, applies]) => options[name] !== undefined && applies(options[name])).map(([, , note]) => note)
}

/** Leaves out names that no page can send or read, which lists of @fastify/cors often have. */
function withoutRefusedNames (translation: Translation, policy: MigratedPolicy, check: CheckPolicy): Translation {
  const pointers = check({ ...policy, origin: policy.origin ?? [] }).map(({ pointer }) => pointer)
  for (const field of ['allowedHeaders', 'exposedHeaders'] as const) {
    const names = policy[field]
    if (!Array.isArray(names)) continue
    const isRefused = (name: string, index: number): boolean =>
      pointers.includes(`/${field}/${index}`) || (field === 'allowedHeaders' && isSetByBrowser(name))
    if (!names.some(isRefused)) continue
    translation.notes.push(`${field} is without ${names.filter(isRefused).join(', ')}: no page can set or read that`)
    policy[field] = names.filter((name, index) => !isRefused(name, index))
  }
  return translation
}
