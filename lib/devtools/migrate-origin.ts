// The option `origin` of @fastify/cors, as the field `origin` of a policy.
import { migrateEntry } from './migrate-entries'
import type { Translation, TranslationContext } from './migrate-translation'

/** The field. False where CORS is off, undefined where a person has to decide; the reason is then in `toWrite`. */
export function originFieldOf (origin: unknown, credentials: boolean, context: TranslationContext, translation: Translation): unknown {
  const { toWrite, notes } = translation
  if (origin === false) return false
  if (typeof origin === 'function') return originFunction(origin as OriginFunction, context, toWrite)
  const list = [origin].flat()
  if (list.includes('*')) {
    if (credentials) notes.push('credentials is left out: with origin: "*", browsers refuse responses to requests with credentials')
    return '*'
  }
  if (list.includes(true)) return reflected(credentials, context, translation)
  return originList(list, credentials, context, translation)
}

/** `origin: true` answers every origin with its own name. */
function reflected (credentials: boolean, { origins, check }: TranslationContext, { toWrite, notes }: Translation): unknown {
  if (!credentials) {
    notes.push('origin: true becomes "*": every origin may read, and none is reflected')
    return '*'
  }
  if (origins.length === 0) {
    toWrite.push('origin: true with credentials lets every site act as your users: list your origins; --origin https://app.example.com puts them in')
    return undefined
  }
  notes.push('origin: true with credentials becomes the origins that --origin names')
  return origins.flatMap((origin) => migrateEntry(origin, true, check).entries)
}

function originList (list: readonly unknown[], credentials: boolean, { check }: TranslationContext, { toWrite, notes }: Translation): unknown {
  const entries: Array<string | RegExp> = []
  for (const entry of list) {
    if (typeof entry !== 'string' && !(entry instanceof RegExp)) continue
    const migrated = migrateEntry(entry, credentials, check)
    entries.push(...migrated.entries)
    if (migrated.note !== undefined) notes.push(migrated.note)
    if (migrated.problem !== undefined) toWrite.push(`origin: ${migrated.problem}`)
  }
  const [first, ...others] = entries
  if (first === undefined) return undefined
  return others.length === 0 && typeof first === 'string' ? first : entries
}

type Callback = (error: Error | null, allowed: unknown) => void
type OriginFunction = (this: unknown, origin: string | undefined, callback: Callback) => Promise<unknown> | undefined

/** The names of functions that stand for those that have to be written. */
export const functionNames = new WeakMap<object, string>()

/** A function that asks the other one, so that its answers can be compared before it is written anew. */
function originFunction (decide: OriginFunction, { instance }: TranslationContext, toWrite: string[]): unknown {
  const name = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(decide.name) && decide.name !== 'origin' ? decide.name : 'isAllowed'
  toWrite.push(`the function ${name}: write it as (origin, request) => boolean or a promise of one, without a callback. Where it gives a string, write ` +
    'allowed === origin; for an array, allowed.includes(origin); for a RegExp, allowed.test(origin), anchored at both ends. It is not called without an Origin')
  const asked = async (origin: string): Promise<boolean> => {
    const allowed = await new Promise((resolve, reject) => {
      decide.call(instance, origin, (error, result) => { error === null || error === undefined ? resolve(result) : reject(error) })?.then(resolve, reject)
    })
    return isAllowed(allowed, origin)
  }
  functionNames.set(asked, name)
  return asked
}

/** How @fastify/cors reads the answer of a function. */
function isAllowed (allowed: unknown, origin: string): boolean {
  if (Array.isArray(allowed)) return allowed.some((each) => each === '*' || isAllowed(each, origin))
  if (typeof allowed === 'string') return allowed === '*' || allowed === origin
  if (allowed instanceof RegExp) return new RegExp(allowed.source, allowed.flags.replace(/[gy]/g, '')).test(origin)
  return Boolean(allowed)
}
