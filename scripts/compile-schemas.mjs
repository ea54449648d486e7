// Compiles the TypeBox schemas of l../lib/schemas.ts, as loading TypeBox takes too long at run time. `npm run build` calls it (npm run schemas).
// It writes two files, if their content changes:
// - compiled-schemas.ts: the schemas as plain data, which still are TypeBox schemas, and a check of each field as plain code;
// - policies.schema.json: the plain JSON Schema of a file of named policies, for `"$schema"` in such a file.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import ts from 'typescript'

const SOURCE = new URL('../lib/schemas.ts', import.meta.url)
const COMPILED = new URL('../lib/policy/compiled-schemas.ts', import.meta.url)
const POLICIES_FILE = new URL('../policies.schema.json', import.meta.url)

/** The schemas that a running application checks with, or exports. */
const RUNTIME_SCHEMAS = ['StandalonePolicySchema', 'ExtendingPolicySchema', 'CorsPolicySchema', 'RouteCorsSchema', 'CorsPluginOptionsSchema']

/** The schemas whose fields are checked one by one. */
const CHECKED_BY_FIELD = ['StandalonePolicySchema', 'ExtendingPolicySchema', 'CorsPluginOptionsSchema']

/** The exports of l../lib/schemas.ts. It imports only TypeBox at run time, so it can be run on its own. */
export function definitions () {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 }
  const { outputText } = ts.transpileModule(readFileSync(SOURCE, 'utf8'), { compilerOptions })
  const exports = {}
  new Function('require', 'exports', outputText)(createRequire(SOURCE), exports) // eslint-disable-line no-new-func -- the code is this package's own
  return exports
}

/** Writes values as code. A value that is used more than once becomes a constant, so that it stays one value. */
class Writer {
  declarations = []
  #uses = new Map()
  #constants = new Map()

  constructor (values) {
    for (const value of values) this.#count(value)
  }

  #count (value) {
    if (typeof value !== 'object' || value === null) return
    const uses = (this.#uses.get(value) ?? 0) + 1
    this.#uses.set(value, uses)
    if (uses === 1) for (const key of Reflect.ownKeys(value)) this.#count(value[key])
  }

  write (value) {
    if (typeof value !== 'object' || value === null) return literal(value)
    if (this.#uses.get(value) === 1) return this.#writeObject(value)
    if (!this.#constants.has(value)) {
      const code = this.#writeObject(value)
      this.#constants.set(value, `shared${this.#constants.size}`)
      this.declarations.push(`const ${this.#constants.get(value)} = ${code}`)
    }
    return this.#constants.get(value)
  }

  #writeObject (value) {
    if (Array.isArray(value)) return `[${value.map((element) => this.write(element)).join(', ')}]`
    return `{ ${Reflect.ownKeys(value).map((key) => this.#writeProperty(key, value[key])).join(', ')} }`
  }

  #writeProperty (key, value) {
    // The only function of a schema. Its result never changes.
    if (key === 'toJSON' && typeof value === 'function') return `toJSON: () => (${literal(value())})`
    if (typeof key === 'symbol') return `[Symbol.for(${literal(Symbol.keyFor(key))})]: ${this.write(value)}`
    return `${/^[A-Za-z]\w*$/.test(key) ? key : literal(key)}: ${this.write(value)}`
  }
}

/** Writes a value as JSON. Throws for a value that JSON would silently lose. */
function literal (value) {
  const text = JSON.stringify(value)
  if (text === undefined || !isSame(JSON.parse(text), value)) throw new TypeError(`a schema holds ${String(value)}, which cannot be written`)
  return text
}

function isSame (one, other) {
  if (typeof one !== 'object' || one === null) return one === other
  return Object.keys(one).length === Reflect.ownKeys(other).length && Object.keys(one).every((key) => isSame(one[key], other[key]))
}

/** Fields that contain policies. check-policies.ts checks them. */
const CHECKED_AS_POLICIES = ['policies', 'defaultPolicy']

/** The code of each field's check, by name. A field that several schemas have must have the same type in all of them. */
function checksOf (schemas) {
  const checks = new Map()
  for (const [name, schema] of schemas.flatMap(({ properties }) => Object.entries(properties))) {
    if (CHECKED_AS_POLICIES.includes(name)) continue
    const code = TypeCompiler.Code(schema)
    if ((checks.get(name) ?? code) !== code) throw new TypeError(`the field ${name} has two types`)
    checks.set(name, code)
  }
  return checks
}

/** The text of compiled-schemas.ts. */
export function compiled () {
  const defined = definitions()
  const schemas = RUNTIME_SCHEMAS.map((name) => defined[name])
  const writer = new Writer(schemas)
  const constants = RUNTIME_SCHEMAS.map((name, index) => `export const ${name}: typeof definitions.${name} = ${writer.write(schemas[index])}`)
  const checks = [...checksOf(CHECKED_BY_FIELD.map((name) => defined[name]))].map(([name, code]) => `  ${name}: (() => {\n${code}\n  })()`)
  return [
    '// @ts-nocheck: the checks are plain JavaScript of TypeBox. Written by scripts/compile-schemas.mjs from l../lib/schemas.ts; change that, and run: npm run schemas',
    "import type * as definitions from '../schemas'",
    ...writer.declarations,
    ...constants,
    '/** Whether a value is of the type of the field with this name. */',
    `export const checks: Readonly<Record<string, (value: unknown) => boolean>> = {\n${checks.join(',\n')}\n}`
  ].join('\n') + '\n'
}

/** Removes the alternatives of a JSON Schema that accept nothing: values that JSON cannot represent, such as RegExps. */
function withoutNonJsonForms (schema) {
  if (Array.isArray(schema)) return schema.map(withoutNonJsonForms)
  if (typeof schema !== 'object' || schema === null) return schema
  const { anyOf, ...rest } = Object.fromEntries(Object.entries(schema).map(([keyword, value]) => [keyword, withoutNonJsonForms(value)]))
  const alternatives = anyOf?.filter(({ not }) => not === undefined)
  return alternatives?.length === 1 ? { ...alternatives[0], ...rest } : { ...rest, ...(alternatives && { anyOf: alternatives }) }
}

/** The text of policies.schema.json. */
export function policiesFile () {
  const file = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Policies of fastify-cors-policy',
    ...withoutNonJsonForms(JSON.parse(JSON.stringify(definitions().PoliciesSchema)))
  }
  return `${JSON.stringify(file, null, 2)}\n`
}

/** An unchanged file keeps its modification time, so that it does not look newer than the build. */
function writeIfChanged (file, text) {
  let present
  try {
    present = readFileSync(file, 'utf8')
  } catch {
    // not there yet
  }
  if (present !== text) writeFileSync(file, text)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeIfChanged(COMPILED, compiled())
  writeIfChanged(POLICIES_FILE, policiesFile())
}
