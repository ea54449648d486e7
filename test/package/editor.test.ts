// What an editor shows to users of the package: asks TypeScript's language service, which editors ask too, for completions, hover texts and
// errors in an ESM and a CommonJS file of a project that has the packed package, and has declared its policies' names.
// It tests dist/, so build first (npm test and npm run test:package do).
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { ExtendingPolicySchema, PluginOptionsSchema, StandalonePolicySchema } from '../../lib/schemas'
import { installPackage } from './installed'

const NAMES = ['public', 'partner']
const FIELDS = Object.keys({ ...StandalonePolicySchema.properties, ...ExtendingPolicySchema.properties })
const REQUIRED: string[] = [...StandalonePolicySchema.required ?? [], ...ExtendingPolicySchema.required ?? []]
const OPTIONS = Object.keys(PluginOptionsSchema.properties)

// '|' is the cursor.
const COMPLETIONS: Array<[code: string, offered: string[]]> = [
  ["app.get('/', { config: { | } }, handler)", ['cors']],
  // The fields of a policy: no methods, which other CORS plugins have, and nothing that strings or booleans have.
  ["app.get('/', { config: { cors: { | } } }, handler)", FIELDS],
  ["app.get('/', { config: { cors: { origin: '*', | } } }, handler)", without('origin')],
  ["app.get('/', { config: { cors: { extends: 'public', maxAge: 5, | } } }, handler)", without('extends', 'maxAge')],
  ["app.get('/', { config: { cors: { extends: 'public', origin: '*', | } } }, handler)", without('extends', 'origin')],
  ["app.route({ method: 'GET', url: '/', config: { cors: { | } }, handler })", FIELDS],
  ["app.register(async (scope) => { scope.put('/', { config: { cors: { | } } }, handler) })", FIELDS],
  ['export const shorthand: RouteShorthandOptions = { config: { cors: { | } } }', FIELDS],
  ['export const route = { | } satisfies RouteCors', FIELDS],
  ['definePolicies({ any: { | } })', FIELDS],
  ['app.register(cors, { policies: { any: { | } } })', FIELDS],
  ['app.register(cors, { defaultPolicy: { | } })', FIELDS],
  // The names of policies.
  ["app.get('/', { config: { cors: { extends: '|' } } }, handler)", NAMES],
  ["app.get('/', { config: { cors: { extends: 'p|', maxAge: 5 } } }, handler)", NAMES],
  ["app.route({ method: 'GET', url: '/', config: { cors: { extends: '|', origin: '*' } }, handler })", NAMES],
  ["definePolicies({ any: { extends: '|' } })", NAMES],
  ["app.register(cors, { defaultPolicy: '|' })", NAMES],
  ['app.get(\'/\', { config: { cors: policies.| } }, handler)', NAMES],
  // The values with a meaning of their own.
  ["app.get('/', { config: { cors: { origin: '|' } } }, handler)", ['*', 'null']],
  ["app.get('/', { config: { cors: { origin: ['|'] } } }, handler)", ['*', 'null']],
  ["app.get('/', { config: { cors: { origin: '*', allowedHeaders: '|' } } }, handler)", ['*']],
  ["definePolicies({ any: { origin: '|' } })", ['*', 'null']],
  // The plugin's options.
  ['export const options: CorsPluginOptions = { | }', OPTIONS]
]

/** A value for every field and option. */
const VALUES: Record<string, string> = {
  extends: "'partner'",
  origin: "['https://app.example.com', /^https:\\/\\/[a-z]+\\.example\\.com$/]",
  credentials: 'true',
  allowedHeaders: "['X-Request-Id']",
  exposedHeaders: "['ETag']",
  maxAge: '600',
  optionsSuccessStatus: '200',
  enforceOrigin: "'report'",
  timingOrigin: 'true',
  resourcePolicy: "'same-site'",
  hosts: "['localhost:*']",
  refusalLogLevel: "'info'",
  dangerouslyAllowInsecureOrigins: 'true',
  dangerouslyAllowPublicSuffixes: 'true',
  policies: 'policies',
  defaultPolicy: "'public'",
  logLevel: "'warn'",
  hideOptionsRoute: 'false'
}

const RIGHT: Array<[code: string, schema: ObjectSchema]> = [
  [`app.get('/1', { config: { cors: ${literal(FIELDS)} } }, handler)`, ExtendingPolicySchema],
  [`app.get('/2', { config: { cors: ${literal(without('extends'))} } }, handler)`, StandalonePolicySchema],
  [`app.get('/3', { config: { cors: ${literal(without('origin'))} } }, handler)`, ExtendingPolicySchema],
  [`app.route({ method: 'PUT', url: '/4', config: { cors: ${literal(FIELDS)} }, handler })`, ExtendingPolicySchema],
  [`app.register(async (scope) => { scope.put('/5', { config: { cors: ${literal(without('extends'))} } }, handler) })`, StandalonePolicySchema],
  [`export const shorthand: RouteShorthandOptions = { config: { cors: ${literal(without('extends'))} } }`, StandalonePolicySchema],
  [`export const route = ${literal(without('origin'))} satisfies RouteCors`, ExtendingPolicySchema],
  [`definePolicies({ any: ${literal(without('extends'))} })`, StandalonePolicySchema],
  [`app.register(cors, { policies: { any: ${literal(FIELDS)} } })`, ExtendingPolicySchema],
  [`app.register(cors, ${literal(OPTIONS)})`, PluginOptionsSchema],
  [`export const options: CorsPluginOptions = ${literal(OPTIONS)}`, PluginOptionsSchema]
]

// Between '«' and '»' is what gets an error, and nothing else does.
const WRONG = [
  "app.get('/', { config: { «cors»: true } }, handler)",
  "app.get('/', { config: { «cors»: 'public' } }, handler)",
  "app.get('/', { config: { «cors»: {} } }, handler)",
  "app.get('/', { config: { «cors»: { maxAge: 5 } } }, handler)",
  "app.get('/', { config: { cors: { origin: '*', «methods»: ['GET'] } } }, handler)",
  "app.get('/', { config: { cors: { origin: '*', «credential»: true } } }, handler)",
  "app.get('/', { config: { cors: { extends: 'public', «maxAge»: '5' } } }, handler)",
  "app.get('/', { config: { cors: { «extends»: 'pubic', maxAge: 5 } } }, handler)",
  "app.route({ method: 'GET', url: '/', config: { cors: { «extends»: 'pubic' } }, handler })",
  "definePolicies({ any: { «extends»: 'pubic' } })",
  "definePolicies({ any: { origin: '*', «methods»: ['GET'] } })",
  "app.register(cors, { «defaultPolicy»: 'pubic' })"
]

const TYPES = `
import type { RegisterOptions, RouteShorthandOptions } from 'fastify'
import type { CorsPluginOptions, RouteCors } from 'fastify-cors-policy'`

const BEGINNING = `
const { definePolicies } = cors
const policies = definePolicies({ ${NAMES.map((name) => `${name}: { origin: '*' }`).join(', ')} })
const app = Fastify()
const handler = () => 'ok'
`

const KINDS = {
  'an ESM file': ['mts', `import Fastify from 'fastify'\nimport cors from 'fastify-cors-policy'${TYPES}${BEGINNING}`],
  'a CommonJS file': ['cts', `import Fastify = require('fastify')\nimport cors = require('fastify-cors-policy')${TYPES}${BEGINNING}`]
} as const

const DECLARED_NAMES = `
import 'fastify-cors-policy'
declare module 'fastify-cors-policy' {
  interface CorsPolicyNames { ${NAMES.map((name) => `${name}: true`).join(', ')} }
}`

interface FieldSchema { description?: string, minimum?: number, maximum?: number, default?: unknown }
interface ObjectSchema { properties: Record<string, FieldSchema> }

function without (...names: string[]): string[] {
  return FIELDS.filter((field) => !names.includes(field))
}

function literal (fields: string[]): string {
  return `{ ${fields.map((field) => `${field}: ${VALUES[field]}`).join(', ')} }`
}

function createService (directory: string, files: ReadonlyMap<string, string>): ts.LanguageService {
  const { sys } = ts
  const read = (file: string) => files.get(file) ?? sys.readFile(file)
  return ts.createLanguageService({
    getCompilationSettings: () => ({ module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, lib: ['lib.es2023.d.ts'], types: ['node'], strict: true, skipLibCheck: true }),
    getScriptFileNames: () => [...files.keys()],
    getScriptVersion: () => '1',
    getScriptSnapshot: (file) => {
      const text = read(file)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => directory,
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    fileExists: (file) => files.has(file) || sys.fileExists(file),
    readFile: read,
    directoryExists: (path) => sys.directoryExists(path),
    getDirectories: (path) => sys.getDirectories(path),
    readDirectory: (...args) => sys.readDirectory(...args),
    ...sys.realpath !== undefined && { realpath: sys.realpath }
  })
}

/** Without what only the layout of a text adds to it. */
function plain (text: string): string {
  return text.replaceAll('`', '').replace(/\s+/g, ' ')
}

t.test('an editor knows the packed package from its types', async (t) => {
  const { consumer } = await installPackage(t, ['@types/node'])
  const files = new Map([[join(consumer, 'names.d.ts'), DECLARED_NAMES]])
  // One program for everything: what is asked for below is in files of their own, which do not know each other.
  const service = createService(consumer, files)
  for (const [extension, beginning] of Object.values(KINDS)) {
    for (const [index, [code]] of COMPLETIONS.entries()) files.set(join(consumer, `typing-${index}.${extension}`), beginning + code.replace('|', ''))
    files.set(join(consumer, `register.${extension}`), `${beginning}app.register(cors, {  })\nexport const register: RegisterOptions = {  }`)
    files.set(join(consumer, `right.${extension}`), beginning + RIGHT.map(([code]) => code).join('\n'))
    files.set(join(consumer, `wrong.${extension}`), beginning + WRONG.join('\n').replace(/[«»]/g, ''))
  }

  t.strictSame(Object.keys(VALUES).sort(), [...new Set([...FIELDS, ...OPTIONS])].sort(), 'no field or option is left out here')

  for (const [kind, [extension, beginning]] of Object.entries(KINDS)) {
    const completions = (file: string, position: number): string[] => {
      const { entries } = service.getCompletionsAtPosition(join(consumer, `${file}.${extension}`), position, {}) ?? { entries: [] }
      return entries.map(({ name }) => name)
    }

    t.test(`an editor completes fields, names and values in ${kind}`, async (t) => {
      for (const [index, [code, offered]] of COMPLETIONS.entries()) {
        const names = completions(`typing-${index}`, beginning.length + code.indexOf('|'))
        // TypeScript also offers an empty text where there is one: Fastify infers the type of a config from it.
        t.strictSame(names.filter((name) => name !== '').sort(), offered.toSorted(), code)
      }
    })

    t.test(`an editor documents what it completes in ${kind}`, async (t) => {
      for (const [index, [code, offered]] of COMPLETIONS.entries()) {
        const { properties }: ObjectSchema = offered === OPTIONS ? PluginOptionsSchema : ExtendingPolicySchema
        for (const [name, { description }] of Object.entries(properties).filter(([name]) => offered.includes(name))) {
          const details = service.getCompletionEntryDetails(join(consumer, `typing-${index}.${extension}`), beginning.length + code.indexOf('|'), name, {}, undefined, {}, undefined)
          const documentation = plain(ts.displayPartsToString(details?.documentation))
          t.ok(description !== undefined && documentation.includes(plain(description)), `${name} in ${code}: ${documentation}`)
        }
      }
    })

    t.test(`an editor completes the plugin's options beside those of Fastify in ${kind}`, async (t) => {
      const text = files.get(join(consumer, `register.${extension}`)) as string
      const fastifys = completions('register', text.lastIndexOf('{') + 1)
      t.ok(fastifys.includes('prefix'), 'Fastify has options of its own for register')
      t.strictSame(completions('register', text.indexOf('{  }') + 1).sort(), [...new Set([...OPTIONS, ...fastifys])].sort(), 'those, and the plugin\'s')
    })

    t.test(`an editor documents every field and option in ${kind}`, async (t) => {
      const file = join(consumer, `right.${extension}`)
      const text = files.get(file) as string
      for (const [code, schema] of RIGHT) {
        const start = text.indexOf(code)
        const fields = Object.entries(schema.properties).filter(([field]) => code.includes(` ${field}: ${VALUES[field]}`))
        t.ok(fields.length > 1, code)
        for (const [field, { description, minimum, maximum, default: byDefault }] of fields) {
          const info = service.getQuickInfoAtPosition(file, start + code.indexOf(` ${field}: ${VALUES[field]}`) + 1)
          const documentation = plain(ts.displayPartsToString(info?.documentation))
          const said = plain(info?.tags?.filter(({ name }) => name === 'defaultValue').map((tag) => ts.displayPartsToString(tag.text)).join(' ') ?? '')
          t.ok(description !== undefined && documentation.includes(plain(description)), `${field}: ${documentation}`)
          if (minimum !== undefined) t.ok(documentation.includes(`${minimum} to ${maximum}`), `${field} has a range`)
          if (!REQUIRED.includes(field)) t.not(said, '', `${field} has a default`)
          if (byDefault !== undefined) t.ok(said.includes(String(byDefault)), `${field} has that default: ${said}`)
        }
      }
    })

    t.test(`an editor finds no error in right policies and options in ${kind}`, async (t) => {
      const file = join(consumer, `right.${extension}`)
      const problems = [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)]
      t.strictSame(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')), [])
    })

    t.test(`an editor underlines what is wrong, and nothing else, in ${kind}`, async (t) => {
      const file = join(consumer, `wrong.${extension}`)
      const text = files.get(file) as string
      const complaints = service.getSemanticDiagnostics(file).map(({ start = 0, length = 0 }) => {
        const line = text.slice(text.lastIndexOf('\n', start) + 1, start)
        return `${line}«${text.slice(start, start + length)}»${text.slice(start + length).split('\n')[0]}`
      })
      t.strictSame(complaints, WRONG)
    })
  }
})
