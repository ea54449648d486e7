// The header lists of a policy that has none: what the route's own schema says about the headers it takes and sends.
import { needsAllowing, needsExposing, uniqueNames } from '../http/headers'
import { takesBody } from '../http/methods'

/** The shared schemas of an instance, by `$id`. */
export type SharedSchemas = Readonly<Record<string, unknown>>

/** As much of Fastify's route schema as is read here. */
export interface RouteSchema {
  readonly headers?: unknown
  readonly response?: unknown
}

/** The request headers that a preflight for this route has to allow: those of its schema, and the body's type where it can have a body. */
export function derivedAllowedHeaders (method: string, schema: RouteSchema | undefined, shared: SharedSchemas): string[] {
  const names = takesBody(method) ? ['content-type'] : []
  const headers = jsonSchemaOf(schema?.headers, 'input')
  return uniqueNames([...names, ...propertiesOf(headers, rootBase(headers), shared)].filter(needsAllowing))
}

/** The response headers that a page has to be allowed to read: those that the route's response schemas declare in `headers`. */
export function derivedExposedHeaders (schema: RouteSchema | undefined, shared: SharedSchemas): string[] {
  const names: string[] = []
  for (const [headers, base] of responseHeaders(schema, shared)) {
    const read = jsonSchemaOf(headers, 'output')
    if (read !== headers) names.push(...propertiesOf(read, rootBase(read), shared))
    // Names with a schema each, as @fastify/swagger reads it, or a schema of them all.
    else if (isRecord(headers)) names.push(...(isSchema(headers) ? propertiesOf(headers, base, shared) : Object.keys(headers)))
  }
  return uniqueNames(names.filter(needsExposing))
}

/** The lists of a policy that the route's schema would say, if it could be read. */
export function underivableFields (schema: RouteSchema | undefined, shared: SharedSchemas): Array<'allowedHeaders' | 'exposedHeaders'> {
  return [
    ...(jsonSchemaOf(schema?.headers, 'input') === UNREADABLE ? ['allowedHeaders' as const] : []),
    ...(responseHeaders(schema, shared).some(([headers]) => jsonSchemaOf(headers, 'output') === UNREADABLE) ? ['exposedHeaders' as const] : [])
  ]
}

function responseHeaders (schema: RouteSchema | undefined, shared: SharedSchemas): Array<readonly [headers: unknown, base: ReferenceBase]> {
  const responses = Object.values(isRecord(schema?.response) ? schema.response : {})
  return responses.flatMap((response) => [...applicableSchemas(response, rootBase(response), shared)].map(([{ headers }, base]) => [headers, base] as const))
}

const UNREADABLE = Symbol('unreadable')

/** A schema of another library is read as the JSON Schema that it offers. Everything else is one, or nothing. */
function jsonSchemaOf (schema: unknown, direction: 'input' | 'output'): unknown {
  if (!isLibrarySchema(schema)) return schema
  for (const read of CONVERSIONS) {
    try {
      const found = read(schema, direction)
      if (isRecord(found) && isSchema(found)) return found
    } catch {
      // Some offer it and throw where they cannot say something in JSON Schema, such as a date.
    }
  }
  return UNREADABLE
}

/** Whether it is of another library: a Standard Schema (https://standardschema.dev), a function, or an object of a class that says nothing in JSON Schema. */
function isLibrarySchema (schema: unknown): schema is LibrarySchema {
  if (typeof schema === 'function') return true
  if (!isRecord(schema)) return false
  const prototype: unknown = Object.getPrototypeOf(schema)
  return '~standard' in schema || (prototype !== Object.prototype && prototype !== null && !isRecord(schema.properties) && typeof schema.$ref !== 'string' && !hasInPlaceApplicator(schema))
}

interface LibrarySchema {
  readonly '~standard'?: { readonly jsonSchema?: Record<'input' | 'output', (options: { target: string }) => unknown> }
  readonly toJSONSchema?: (options: { io: string, target: string, unrepresentable: string }) => unknown
  readonly shape?: unknown
  readonly properties?: unknown
}

/** How a schema of another library may say what it is, the best first. */
const CONVERSIONS: ReadonlyArray<(schema: LibrarySchema, direction: 'input' | 'output') => unknown> = [
  (schema, direction) => schema['~standard']?.jsonSchema?.[direction]({ target: 'draft-07' }),
  // Zod 4, also what JSON Schema cannot say.
  (schema, io) => schema.toJSONSchema?.({ io, target: 'draft-7', unrepresentable: 'any' }),
  // Objects of Zod that do neither: names are all that is wanted.
  ({ shape }) => isRecord(shape) && { properties: shape },
  // What is JSON Schema itself, and more.
  (schema) => isRecord(schema.properties) && schema
]

/** Keywords whose subschemas describe the same value as the schema they stand in. */
const IN_PLACE_APPLICATORS = ['allOf', 'anyOf', 'oneOf', 'if', 'then', 'else']

function isSchema (value: JsonObject): boolean {
  return typeof value.type === 'string' || typeof value.$ref === 'string' || isRecord(value.properties) || hasInPlaceApplicator(value)
}

function hasInPlaceApplicator (value: JsonObject): boolean {
  return IN_PLACE_APPLICATORS.some((keyword) => Object.hasOwn(value, keyword))
}

function propertiesOf (schema: unknown, base: ReferenceBase, shared: SharedSchemas): string[] {
  return [...applicableSchemas(schema, base, shared).keys()].flatMap(({ properties }) => isRecord(properties) ? Object.keys(properties) : [])
}

/** What the references of a schema are relative to. */
interface ReferenceBase {
  /** Where a fragment leads. */
  readonly document: unknown
  /** Where schemas are found by their `$id`, besides the shared ones: what the document is a part of. */
  readonly root: unknown
}

function rootBase (document: unknown): ReferenceBase {
  return { document, root: document }
}

/** Every schema that describes the same value as this one, with what its references are relative to: itself, and what it combines and refers to. */
function applicableSchemas (schema: unknown, base: ReferenceBase, shared: SharedSchemas, found: Map<JsonObject, ReferenceBase> = new Map()): Map<JsonObject, ReferenceBase> {
  if (!isRecord(schema) || found.has(schema)) return found
  found.set(schema, base)
  for (const keyword of IN_PLACE_APPLICATORS) {
    for (const subschema of [schema[keyword]].flat()) applicableSchemas(subschema, base, shared, found)
  }
  if (typeof schema.$ref === 'string') {
    const [id = '', fragment = ''] = schema.$ref.split('#', 2)
    const target = id === '' ? base : Object.hasOwn(shared, id) ? rootBase(shared[id]) : { ...base, document: schemaWithId(base.root, id) }
    applicableSchemas(resolveFragment(decodeFragment(fragment), target.document), target, shared, found)
  }
  return found
}

/** What a fragment leads to: a JSON pointer (RFC 6901), or the name of a schema (`$id: '#name'`). */
function resolveFragment (fragment: string, document: unknown): unknown {
  if (fragment !== '' && !fragment.startsWith('/')) return schemaWithId(document, `#${fragment}`)
  let value = document
  for (const token of fragment.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }
  return value
}

/** Without percent-encoding; a fragment that cannot be decoded leads nowhere. */
function decodeFragment (fragment: string): string {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return fragment
  }
}

/** The schema with this `$id` in a document. */
function schemaWithId (document: unknown, id: string, visited: Set<unknown> = new Set()): unknown {
  if (!isRecord(document) || visited.has(document)) return undefined
  if (document.$id === id) return document
  visited.add(document)
  for (const value of Object.values(document)) {
    const found = schemaWithId(value, id, visited)
    if (found !== undefined) return found
  }
  return undefined
}

type JsonObject = Readonly<Record<string, unknown>>

function isRecord (value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null
}
