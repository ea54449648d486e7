// The schemas as they are compiled when the package is built (scripts/compile-schemas.mjs): the same schemas, checks that agree with TypeBox on every value, and
// files that are what lib/ would be compiled to now, the copied public suffix list among them. It tests dist/ as well, so build first (npm test does).
import { Value } from '@sinclair/typebox/value'
import type { TSchema } from '@sinclair/typebox'
import fc from 'fast-check'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { originList } from '../../lib/index'
import * as definitions from '../../lib/schemas'
import * as compiled from '../../lib/policy/compiled-schemas'

interface Suffixes { readonly publicSuffixes: () => string }
interface Compile { readonly compiled: () => string, readonly policiesFile: () => string }

const ROOT = join(__dirname, '..', '..')
const SCHEMAS = ['StandalonePolicySchema', 'ExtendingPolicySchema', 'PluginOptionsSchema'] as const

/** The fields of all schemas, with the schema of each; those of policies in the options are checked as policies, not by a schema. */
const FIELDS: ReadonlyArray<readonly [name: string, schema: TSchema]> = SCHEMAS
  .flatMap((name) => Object.entries<TSchema>(definitions[name].properties))
  .filter(([name]) => name !== 'policies' && name !== 'defaultPolicy')

t.test('the built files are those of the present sources', async (t) => {
  const compile = await import(join(ROOT, 'scripts', 'compile-schemas.mjs')) as Compile
  t.equal(readFileSync(join(ROOT, 'lib', 'policy', 'compiled-schemas.ts'), 'utf8'), compile.compiled(), 'lib/policy/compiled-schemas.ts; else run: npm run generate')
  t.equal(compile.compiled(), compile.compiled(), 'which is the same each time')
  t.equal(readFileSync(join(ROOT, 'policies.schema.json'), 'utf8'), compile.policiesFile(), 'policies.schema.json')
  const { publicSuffixes } = await import(join(ROOT, 'scripts', 'public-suffixes.mjs')) as Suffixes
  const suffixes = publicSuffixes()
  for (const folder of ['lib', 'dist']) t.equal(readFileSync(join(ROOT, folder, 'origins', 'tldts.js'), 'utf8'), suffixes, `${folder}/origins/tldts.js, of the tldts that is installed; else run: npm run build`)
  t.match(suffixes, /^\/\*! The rules of tldts \d.*\n \* .*publicsuffix\.org.* Mozilla Public License 2\.0 .*\*\/\nmodule\.exports = "/, 'which begins with where it is from, and its licence')
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(join(ROOT, 'tsconfig.build.json'), ts.sys.readFile).config, ts.sys, ROOT)
  const sources = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  t.ok(sources.length > 50)
  const compiled = new Map(sources.map((file) => {
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, 'lib', file), 'utf8'), { compilerOptions: options, fileName: join(ROOT, 'lib', file) })
    return [file.replace(/\.ts$/, '.js'), outputText]
  }))
  const built = readdirSync(join(ROOT, 'dist'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'))
  const isCopied = (file: string): boolean => existsSync(join(ROOT, 'lib', file)) && readFileSync(join(ROOT, 'lib', file), 'utf8') === readFileSync(join(ROOT, 'dist', file), 'utf8')
  t.strictSame(built.filter((file) => readFileSync(join(ROOT, 'dist', file), 'utf8') !== compiled.get(file) && !isCopied(file)), [], 'dist/; else run: npm run build')
  t.strictSame([...compiled.keys()].filter((file) => file.endsWith('.js') && !built.includes(file)), [], 'which has all of them')
  const required = built.flatMap((file) => [...readFileSync(join(ROOT, 'dist', file), 'utf8').matchAll(/\brequire\(["'](\.[^"']+)["']\)/g)].map(([, path]) => join(dirname(file), `${path}.js`)))
  t.ok(required.includes('devtools/index.js') && required.includes('messages/migration-hints.js'), 'those that are loaded later among them')
  t.strictSame(required.filter((file) => !built.includes(file)), [], 'and nothing is required that is not there')
})

t.test('a compiled schema has the fields of the schema that it is compiled from', async (t) => {
  for (const name of SCHEMAS) {
    t.strictSame(Object.keys(compiled[name].properties), Object.keys(definitions[name].properties), name)
    t.strictSame(compiled[name].required, definitions[name].required ?? [], `${name}: those that it requires`)
  }
})

const method = (): boolean => true

/** Right for some field, or almost. */
const NEAR: readonly unknown[] = [
  true, false, 0, 1, 200, 204, 600, 86400, 86401, -1, -0, 0.5, NaN, Infinity, 5n, '', 'a', '*', 'null', 'report', 'same-site', 'https://a.example', 'https://a.example/', 'https://*.a.example', 'HTTPS://A', 'X-Id', 'X Id',
  'x'.repeat(256), 'x'.repeat(257), undefined, null, Symbol('a'), method, async () => true, class {}, /^https:\/\/a\.example$/u, new Date(), new Map(), new Uint8Array(1), Object.create(null),
  originList([]), originList(['https://a.example']), { size: 0, has: method, add: method, delete: method, replace: method }, { size: 0.5, has: method, add: method, delete: method, replace: method },
  { source: 'a', flags: '', lastIndex: 0, exec: method, test: method }, { source: 'a', flags: '', lastIndex: 0, exec: method }, { source: 'a', flags: '', lastIndex: '0', exec: method, test: method }, new Proxy([], {})
]
const near = fc.constantFrom(...NEAR)
const value = fc.oneof(
  near,
  fc.array(near, { maxLength: 3 }),
  fc.string(),
  fc.integer({ min: -2, max: 86_403 }),
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withNullPrototype: true, withSparseArray: true, withTypedArray: true }),
  fc.constantFrom('size', 'has', 'add', 'delete', 'replace').chain((key) => near.map((other) => ({ size: 0, has: method, add: method, delete: method, replace: method, [key]: other })))
)

t.test('a compiled check agrees with TypeBox', async (t) => {
  t.strictSame(Object.keys(compiled.checks).sort(), [...new Set(FIELDS.map(([name]) => name))].sort(), 'there is one of each field')
  for (const [name, schema] of FIELDS) {
    const check = compiled.checks[name] as (value: unknown) => boolean
    let right = 0
    fc.assert(fc.property(value, (value) => {
      const expected = Value.Check(schema, value)
      if (expected) right++
      return check(value) === expected
    }), { numRuns: 2000, seed: 15, examples: NEAR.flatMap((value) => [[value], [[value]]] as Array<[unknown]>) })
    t.ok(right > 0 && right < 2000, `${name}: ${right} of 2000 are right`)
  }
})
