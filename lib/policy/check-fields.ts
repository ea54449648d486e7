// Checks the fields of one declaration (a policy, or the plugin's options): copies them, checks each by its compiled schema, and says what to write
// instead of an unknown field or a wrong type.
import { childPointer, quote, type CorsProblem } from '../messages/errors'
import type * as ForeignOptions from '../messages/migration-hints'
import { nearestWord } from '../messages/nearest-word'
import { arrayFor } from '../origins/entry'
import { NOBODY } from '../origins/from-text'
import { OriginList } from '../origins/list'
import { checkHeaderList, isHeaderListField, namesAsCode } from './header-lists'
import { identityOf } from './key'
import { checks, ExtendingPolicySchema, PluginOptionsSchema, type ObjectSchema } from './compiled-schemas'

/** Whether a value is an object of fields. */
export function isRecord (value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RegExp) && !(value instanceof OriginList)
}

/** Copies the own fields of an object, with their arrays and RegExps: later changes by the caller must not change what was checked. */
export function copyRecord (value: unknown): Map<string, unknown> | undefined {
  return isRecord(value) ? new Map(Object.entries(value).map(([key, field]) => [key, copyField(field)])) : undefined
}

function copyField (field: unknown): unknown {
  if (!Array.isArray(field) || field === NOBODY) return field
  const copy: unknown[] = [...field]
  copy.forEach((element, index) => { if (element instanceof RegExp) copy[index] = new RegExp(element) })
  return Object.freeze(copy)
}

/** A key that equal declarations share. Functions are equal only to themselves. Undefined for a declaration with values that have no key, such as RegExps. */
export function declarationKey (value: unknown): string | undefined {
  if (!isRecord(value) || 'toJSON' in value) return undefined
  let functions = ''
  for (const [name, field] of Object.entries(value) as Array<[string, unknown]>) {
    // JSON leaves functions out.
    if (typeof field === 'function' && !('toJSON' in field)) functions += ` ${name}=${identityOf(field)}`
    else if (!isLiteral(field)) return undefined
  }
  return JSON.stringify(value) + functions
}

function isLiteral (field: unknown): boolean {
  return typeof field === 'string' || typeof field === 'number' || typeof field === 'boolean' ||
    (Array.isArray(field) && !('toJSON' in field) && field.every((element) => typeof element === 'string'))
}

/** Whether a value has the type that the schema of a field describes. */
type TypeCheck = (value: unknown) => boolean

let loadedForeignOptions: typeof ForeignOptions | undefined

/** Loads the module when a message or an origin function first needs it. */
function foreignOptions (): typeof ForeignOptions {
  loadedForeignOptions ??= require('../messages/migration-hints') as typeof ForeignOptions
  return loadedForeignOptions
}

/** What to write in each field, for messages. */
const EXPECTED: Readonly<Record<string, string>> = {
  origin: 'an origin such as "https://app.example.com", "*", an array of origins and RegExps, an originList, or a function',
  extends: 'the name of a policy',
  credentials: 'true, false, an array of the origins that may send them, or an originList',
  allowedHeaders: '"*" or an array of header names',
  exposedHeaders: '"*" or an array of header names',
  maxAge: 'a whole number of seconds from 0 to 86400',
  optionsSuccessStatus: '204 or 200',
  enforceOrigin: 'true, false or "report"',
  timingOrigin: 'true, "*" or an array of origins',
  resourcePolicy: '"same-origin", "same-site" or "cross-origin"',
  dangerouslyAllowInsecureOrigins: 'true or false',
  dangerouslyAllowPublicSuffixes: 'true or false',
  logLevel: 'the name of a log level',
  refusalLogLevel: 'the name of a log level',
  hosts: 'an array of hosts, such as ["api.example.com", "localhost:*"]',
  hideOptionsRoute: 'true or false'
}

/** Fields whose type is an integer: an integer that they do not accept is out of range. */
const WHOLE_NUMBERS: ReadonlySet<string> = new Set(['maxAge', 'optionsSuccessStatus'])

/** Fields that can be an array of origins. */
const ORIGIN_LISTS: ReadonlySet<string> = new Set(['origin', 'credentials', 'timingOrigin'])

/** Fields that are checked elsewhere, as policies. */
const CHECKED_AS_POLICIES: ReadonlySet<string> = new Set(['policies', 'defaultPolicy'])

/** Checks fields by their schema, and adds problems to `problems`. Returns the keys of the invalid fields. */
export function checkFields (
  schema: ObjectSchema, fields: ReadonlyMap<string, unknown>, pointer: string, problems: CorsProblem[]
): Set<string> {
  const { required } = schema
  const invalid = new Set<string>()
  const report = (key: string, problem: Pick<CorsProblem, 'reason' | 'message'>): void => {
    invalid.add(key)
    problems.push({ pointer: childPointer(pointer, key), value: fields.get(key), ...problem })
  }
  for (const [key, field] of fields) {
    if (!Object.hasOwn(schema.properties, key)) {
      report(key, { reason: 'unknown-property', message: unknownFieldMessage(key, field, schema) })
    } else if (!CHECKED_AS_POLICIES.has(key) && !hasRightType(key, field)) {
      // The schema of an extending policy requires `extends`, but without it the policy stands alone.
      const canBeLeftOut = key === 'extends' || !required.includes(key)
      report(key, typeProblem(key, fields, canBeLeftOut, pointer))
    } else if (isHeaderListField(key) && Array.isArray(field)) {
      for (const { index, ...problem } of checkHeaderList(key, field)) {
        invalid.add(key)
        problems.push({ pointer: childPointer(childPointer(pointer, key), index as number), value: problem.value, ...problem })
      }
    }
  }
  for (const key of required) {
    if (fields.has(key)) continue
    // { policy: 'partner' } was meant as { extends: 'partner' }: `origin` is not missing there.
    if ([...fields].some(([other, field]) => foreignOptions().isMeantAsExtends(other, field))) continue
    const message = `${quote(key)} is missing; write one, such as ${key}: "https://app.example.com", or extend a policy that has one`
    report(key, { reason: 'missing', message })
  }
  return invalid
}

/** The message for a field that does not exist. */
function unknownFieldMessage (key: string, value: unknown, schema: ObjectSchema): string {
  const isPluginOption = schema === PluginOptionsSchema
  if (isPluginOption && Object.hasOwn(ExtendingPolicySchema.properties, key)) {
    return `${quote(key)} belongs in a policy; write defaultPolicy: { ${key}: … } for the routes that declare none`
  }
  const known = Object.keys(schema.properties)
  if (!isPluginOption && !known.includes('extends')) known.unshift('extends')
  const instead = foreignOptions().replacementOf({ key, value, isPluginOption }) ?? suggestOption(key, known)
  return `there is no option ${quote(key)}; ${instead}`
}

function suggestOption (key: string, known: readonly string[]): string {
  const similar = nearestWord(key, known)
  return similar === undefined ? `the options are ${known.join(', ')}` : `did you mean ${quote(similar)}?`
}

/** Whether a field has the right type. Strings and the elements of arrays are checked in origin-rules.ts and header-lists.ts, which suggest corrections. */
function hasRightType (key: string, value: unknown): boolean {
  if (key === 'origin' && typeof value === 'string') return true
  if (key === 'origin' && typeof value === 'function' && foreignOptions().isCallbackStyle(value as () => unknown)) return false
  if ((ORIGIN_LISTS.has(key) || isHeaderListField(key) || key === 'hosts') && Array.isArray(value)) return true
  // The schema of an originList cannot tell it from an object with equal methods.
  return (checks[key] as TypeCheck)(value) && (!ORIGIN_LISTS.has(key) || typeof value !== 'object' || value instanceof OriginList)
}

function typeProblem (key: string, fields: ReadonlyMap<string, unknown>, canBeLeftOut: boolean, pointer: string): Pick<CorsProblem, 'reason' | 'message'> {
  const value = fields.get(key)
  return {
    reason: Number.isInteger(value) && WHOLE_NUMBERS.has(key) ? 'out-of-range' : 'type',
    message: `${quote(value)}${value === undefined ? ' (an unset variable?)' : ''} cannot be ${quote(key)}; ${suggestValue(key, fields, canBeLeftOut, pointer)}`
  }
}

function suggestValue (key: string, fields: ReadonlyMap<string, unknown>, canBeLeftOut: boolean, pointer: string): string {
  const value = fields.get(key)
  const hasCredentials = fields.get('credentials') === true || key === 'credentials'
  if (typeof value === 'string' && isHeaderListField(key)) return `write [${namesAsCode(value) ?? '"X-Request-Id"'}]`
  // A text in `origin` never comes here: it has the right type.
  const array = ORIGIN_LISTS.has(key) && (value instanceof RegExp || (typeof value === 'string' && value.includes('://')))
    ? arrayFor(value, hasCredentials && key !== 'timingOrigin' ? Object.fromEntries(fields) : undefined)
    : undefined
  if (array !== undefined) return `write ${array}`
  if (key === 'origin') {
    if (value === true && hasCredentials) return 'write the origins that may act with your users\' credentials, such as ["https://app.example.com"]'
    if (value === true) return 'write "*" for everyone, or list the origins that may read the response'
    if (value === undefined && !canBeLeftOut) return 'write an origin such as "https://app.example.com", or originsFrom(process.env.CORS_ORIGINS)'
    if (value === false) return `write ${howToTurnOff(pointer)}`
    if (typeof value === 'function') return 'its return value must decide, as it gets no callback; write (origin, request) => boolean, or an async function'
  }
  return `${value === undefined && canBeLeftOut ? 'leave it out, or ' : ''}write ${EXPECTED[key]}`
}

/** What to write at this place to turn CORS off. */
function howToTurnOff (pointer: string): string {
  if (pointer === '') return 'cors: false'
  return pointer === '/defaultPolicy' ? 'defaultPolicy: false' : 'cors: false on the routes, and leave this policy out'
}
