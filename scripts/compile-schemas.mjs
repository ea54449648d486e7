// Compiles the TypeBox schemas of lib/schemas.ts, because loading TypeBox takes too long at run time (npm run generate).
// It writes two files, if their content changes:
// - compiled-schemas.ts: the names of the fields of each schema, and a check of each field as plain code;
// - policies.schema.json: the plain JSON Schema of a file of named policies, for `"$schema"` in such a file.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import ts from 'typescript'
import { writeIfChanged } from './write-if-changed.mjs'

const SOURCE = new URL('../lib/schemas.ts', import.meta.url)
const COMPILED = new URL('../lib/policy/compiled-schemas.ts', import.meta.url)
const POLICIES_FILE = new URL('../policies.schema.json', import.meta.url)

/** The schemas whose fields are checked one by one, by the name that they have in compiled-schemas.ts. */
const CHECKED_BY_FIELD = ['StandalonePolicySchema', 'ExtendingPolicySchema', 'PluginOptionsSchema']

/** The exports of lib/schemas.ts. It imports only TypeBox at run time, so it can be run on its own. */
export function definitions () {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 }
  const { outputText } = ts.transpileModule(readFileSync(SOURCE, 'utf8'), { compilerOptions })
  const exports = {}
  new Function('require', 'exports', outputText)(createRequire(SOURCE), exports) // eslint-disable-line no-new-func -- the code is this package's own
  return exports
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
  const names = CHECKED_BY_FIELD.map((name) => {
    const { properties, required = [] } = defined[name]
    const fields = Object.keys(properties).map((field) => `${JSON.stringify(field)}: {}`)
    return `export const ${name}: ObjectSchema = { properties: { ${fields.join(', ')} }, required: ${JSON.stringify(required)} }`
  })
  const checks = [...checksOf(CHECKED_BY_FIELD.map((name) => defined[name]))].map(([name, code]) => `  ${name}: (() => {\n${code}\n  })()`)
  return [
    '// @ts-nocheck: the checks are plain JavaScript of TypeBox. Written by scripts/compile-schemas.mjs from lib/schemas.ts; change that, and run: npm run generate',
    '/** The fields of an object. Their types are what `checks` says. */',
    'export interface ObjectSchema { readonly properties: Readonly<Record<string, object>>, readonly required: readonly string[] }',
    ...names,
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeIfChanged(COMPILED, compiled())
  writeIfChanged(POLICIES_FILE, policiesFile())
}
