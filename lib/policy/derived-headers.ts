// Derives `allowedHeaders` and `exposedHeaders` from a route's schemas, for a policy that leaves them out.
import { needsAllowing, needsExposing, uniqueNames } from '../http/headers'
import { takesBody } from '../http/methods'

/** The shared schemas of an instance (`addSchema`), by `$id`. */
export type SharedSchemas = Readonly<Record<string, unknown>>

/** The parts of Fastify's route schema that are read here. */
export interface RouteSchema {
  readonly headers?: unknown
  readonly response?: unknown
}

/** The request headers that a preflight of this route allows: those of `schema.headers`, and `content-type` if the method takes a body. */
export function derivedAllowedHeaders (method: string, schema: RouteSchema | undefined, shared: SharedSchemas): string[] {
  const names = takesBody(method) ? ['content-type'] : []
  const headers = jsonSchemaOf(schema?.headers, 'input')
  return uniqueNames([...names, ...propertiesOf(headers, rootBase(headers), shared)].filter(needsAllowing))
}

/** The response headers that a page may read: those that the route's response schemas declare in `headers`. */
export function derivedExposedHeaders (schema: RouteSchema | undefined, shared: SharedSchemas): string[] {
  const names: string[] = []
  for (const [headers, base] of responseHeaders(schema, shared)) {
    const converted = jsonSchemaOf(headers, 'output')
    if (converted !== headers) names.push(...propertiesOf(converted, rootBase(converted), shared))
    // Either one schema for each name, as @fastify/swagger reads them, or one schema of an object with all names.
    else if (isRecord(headers)) names.push(...(isSchema(headers) ? propertiesOf(headers, base, shared) : Object.keys(headers)))
  }
  return uniqueNames(names.filter(needsExposing))
}

/** The fields that cannot be derived, as the route's schema of them cannot be converted to JSON Schema. */
export function underivableFields (schema: RouteSchema | undefined, shared: SharedSchemas): Array<'allowedHeaders' | 'exposedHeaders'> {
  const fields: ReturnType<typeof underivableFields> = []
  if (jsonSchemaOf(schema?.headers, 'input') === UNREADABLE) fields.push('allowedHeaders')
  if (responseHeaders(schema, shared).some(([headers]) => jsonSchemaOf(headers, 'output') === UNREADABLE)) fields.push('exposedHeaders')
  return fields
}

/** The `headers` of each response schema, with what their references are resolved against. */
function responseHeaders (schema: RouteSchema | undefined, shared: SharedSchemas): Array<readonly [headers: unknown, base: ReferenceBase]> {
  const responses = Object.values(isRecord(schema?.response) ? schema.response : {})
  return responses.flatMap((response) => [...applicableSchemas(response, rootBase(response), shared)].map(([{ headers }, base]) => [headers, base] as const))
}

const UNREADABLE = Symbol('unreadable')

/** The schema as JSON Schema. A schema of another library is converted, or is UNREADABLE if it cannot be. */
function jsonSchemaOf (schema: unknown, direction: 'input' | 'output'): unknown {
  if (!isLibrarySchema(schema)) return schema
  for (const convert of CONVERSIONS) {
    try {
      const converted = convert(schema, direction)
      if (isRecord(converted) && isSchema(converted)) return converted
    } catch {
      // Some libraries throw for a part that JSON Schema cannot represent, such as a date.
    }
  }
  return UNREADABLE
}

/**
 * Whether another library made this schema: a Standard Schema (https://standardschema.dev), a function, or an instance of a class without the keywords of
 * JSON Schema.
 */
function isLibrarySchema (schema: unknown): schema is LibrarySchema {
  if (typeof schema === 'function') return true
  if (!isRecord(schema)) return false
  if ('~standard' in schema) return true
  const prototype: unknown = Object.getPrototypeOf(schema)
  if (prototype === Object.prototype || prototype === null) return false
  // Not isSchema: an instance of a library may have a `type` that is not the keyword.
  return !isRecord(schema.properties) && typeof schema.$ref !== 'string' && !hasInPlaceApplicator(schema)
}

interface LibrarySchema {
  readonly '~standard'?: { readonly jsonSchema?: Record<'input' | 'output', (options: { target: string }) => unknown> }
  readonly toJSONSchema?: (options: { io: string, target: string, unrepresentable: string }) => unknown
  readonly shape?: unknown
  readonly properties?: unknown
}

/** Ways to convert a schema of another library to JSON Schema, the best first. */
const CONVERSIONS: ReadonlyArray<(schema: LibrarySchema, direction: 'input' | 'output') => unknown> = [
  (schema, direction) => schema['~standard']?.jsonSchema?.[direction]({ target: 'draft-07' }),
  // Zod 4, which accepts what JSON Schema cannot represent as any value.
  (schema, direction) => schema.toJSONSchema?.({ io: direction, target: 'draft-7', unrepresentable: 'any' }),
  // Older objects of Zod: only the names of the properties are needed.
  ({ shape }) => isRecord(shape) && { properties: shape },
  // Instances of a class that have the keywords of JSON Schema.
  (schema) => isRecord(schema.properties) && schema
]

/** Keywords whose subschemas apply to the same value as the schema that has them (JSON Schema: in-place applicators). */
const IN_PLACE_APPLICATORS = ['allOf', 'anyOf', 'oneOf', 'if', 'then', 'else']

/** Whether this object has keywords of JSON Schema. */
function isSchema (value: JsonObject): boolean {
  return typeof value.type === 'string' || typeof value.$ref === 'string' || isRecord(value.properties) || hasInPlaceApplicator(value)
}

function hasInPlaceApplicator (value: JsonObject): boolean {
  return IN_PLACE_APPLICATORS.some((keyword) => Object.hasOwn(value, keyword))
}

/** The names of the properties that a schema of an object declares. */
function propertiesOf (schema: unknown, base: ReferenceBase, shared: SharedSchemas): string[] {
  return [...applicableSchemas(schema, base, shared).keys()].flatMap(({ properties }) => isRecord(properties) ? Object.keys(properties) : [])
}

/** What the references (`$ref`) of a schema are resolved against. */
interface ReferenceBase {
  /** The document of a reference that has only a fragment. */
  readonly document: unknown
  /** The document in which schemas are found by `$id`, besides the shared schemas. */
  readonly root: unknown
}

function rootBase (document: unknown): ReferenceBase {
  return { document, root: document }
}

/** All schemas that apply to the same value as this one (itself, its in-place subschemas, and those they refer to), each with its base. */
function applicableSchemas (
  schema: unknown, base: ReferenceBase, shared: SharedSchemas, found: Map<JsonObject, ReferenceBase> = new Map()
): Map<JsonObject, ReferenceBase> {
  if (!isRecord(schema) || found.has(schema)) return found
  found.set(schema, base)
  for (const keyword of IN_PLACE_APPLICATORS) {
    for (const subschema of [schema[keyword]].flat()) applicableSchemas(subschema, base, shared, found)
  }
  if (typeof schema.$ref === 'string') {
    const [id = '', fragment = ''] = schema.$ref.split('#', 2)
    const target = baseWithId(id, base, shared)
    applicableSchemas(resolveFragment(decodeFragment(fragment), target.document), target, shared, found)
  }
  return found
}

/** The base of a reference to this `$id`: the same document, a shared schema, or a schema of the same root. */
function baseWithId (id: string, base: ReferenceBase, shared: SharedSchemas): ReferenceBase {
  if (id === '') return base
  return Object.hasOwn(shared, id) ? rootBase(shared[id]) : { ...base, document: schemaWithId(base.root, id) }
}

/** The value that a fragment identifies: by JSON pointer (RFC 6901), or by the name of a schema (`$id: '#name'`). */
function resolveFragment (fragment: string, document: unknown): unknown {
  if (fragment !== '' && !fragment.startsWith('/')) return schemaWithId(document, `#${fragment}`)
  let value = document
  for (const token of fragment.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }
  return value
}

/** Decodes percent-encoding. A fragment that cannot be decoded stays as it is, and identifies nothing. */
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
