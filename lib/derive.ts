// The header lists of a policy that has none: what the route's own schema says about the headers it takes and sends.
import { needsAllowing, needsExposing, uniqueNames } from './http/headers'
import { takesBody } from './http/methods'

/** The shared schemas of an instance, by `$id`. */
export type SharedSchemas = Readonly<Record<string, unknown>>

/** As much of Fastify's route schema as is read here. */
export interface RouteSchema {
  readonly headers?: unknown
  readonly response?: unknown
}

/** The request headers that a preflight for this route has to allow: those of its schema, and the body's type where it can have a body. */
export function derivedRequestHeaders (method: string, schema: RouteSchema | undefined, shared: SharedSchemas): string[] {
  const names = new Set<string>(takesBody(method) ? ['content-type'] : [])
  collectProperties(schema?.headers, schema?.headers, shared, names, new Set())
  return uniqueNames([...names].filter(needsAllowing))
}

/** The response headers that a page has to be allowed to read: those that the route's response schemas declare in `headers`. */
export function derivedExposedHeaders (schema: RouteSchema | undefined, shared: SharedSchemas): string[] {
  const names = new Set<string>()
  for (const response of Object.values(isRecord(schema?.response) ? schema.response : {})) {
    const { target, base } = dereference(response, response, shared)
    const headers = isRecord(target) ? target.headers : undefined
    if (!isRecord(headers)) continue
    // A schema of an object, or simply header names with a schema each, as @fastify/swagger reads it.
    if (isRecord(headers.properties) || typeof headers.$ref === 'string') collectProperties(headers, base, shared, names, new Set())
    else Object.keys(headers).forEach((name) => names.add(name))
  }
  return uniqueNames([...names].filter(needsExposing))
}

/** Keywords whose subschemas describe the same object as the schema they stand in. */
const IN_PLACE = ['allOf', 'anyOf', 'oneOf', 'if', 'then', 'else']

function collectProperties (schema: unknown, base: unknown, shared: SharedSchemas, names: Set<string>, visited: Set<unknown>): void {
  const resolved = dereference(schema, base, shared)
  const { target } = resolved
  if (!isRecord(target) || visited.has(target)) return
  visited.add(target)
  if (isRecord(target.properties)) Object.keys(target.properties).forEach((name) => names.add(name))
  for (const keyword of IN_PLACE) {
    for (const subschema of [target[keyword]].flat()) collectProperties(subschema, resolved.base, shared, names, visited)
  }
}

interface Resolved { readonly target: unknown, readonly base: unknown }

/** Follows `$ref` to a shared schema (`id#/definitions/x`) or within its own document (`#/definitions/x`), at most as often as no sane schema does. */
function dereference (schema: unknown, base: unknown, shared: SharedSchemas): Resolved {
  let resolved: Resolved = { target: schema, base }
  for (let hops = 0; hops < 32; hops++) {
    const { target } = resolved
    if (!isRecord(target) || typeof target.$ref !== 'string') return resolved
    const [id = '', fragment = ''] = target.$ref.split('#', 2)
    const document = id === '' ? resolved.base : Object.hasOwn(shared, id) ? shared[id] : undefined
    resolved = { target: pointed(document, fragment), base: document }
  }
  return { target: undefined, base: undefined }
}

/** What a JSON pointer (RFC 6901) leads to. */
function pointed (document: unknown, pointer: string): unknown {
  let value = document
  for (const token of pointer.split('/').slice(1)) {
    const key = decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~')
    value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }
  return value
}

function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
