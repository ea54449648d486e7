// Writes policies.schema.json: the plain JSON Schema of a file of named policies, for `"$schema"` in an editor (npm run build).
// It is what the schema of policies says about JSON, without the forms that only a program can write, such as RegExps.
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const { PoliciesSchema } = createRequire(import.meta.url)('../dist/schema.js')

/** A JSON Schema without the alternatives that accept nothing. */
function pruned (schema) {
  if (Array.isArray(schema)) return schema.map(pruned)
  if (typeof schema !== 'object' || schema === null) return schema
  const { anyOf, ...rest } = Object.fromEntries(Object.entries(schema).map(([keyword, value]) => [keyword, pruned(value)]))
  const alternatives = anyOf?.filter(({ not }) => not === undefined)
  return alternatives?.length === 1 ? { ...alternatives[0], ...rest } : { ...rest, ...(alternatives && { anyOf: alternatives }) }
}

const file = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Policies of fastify-cors-policy',
  ...pruned(JSON.parse(JSON.stringify(PoliciesSchema)))
}

writeFileSync(new URL('../policies.schema.json', import.meta.url), `${JSON.stringify(file, null, 2)}\n`)
