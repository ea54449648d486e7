// docs/api.md against the types of the built package (npm run build): every export is documented, every documented name exists, and signatures, types,
// defaults, ranges, error codes and reasons agree. Its programs run and print what it shows. The checks are tried on a wrong page, too.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { COMMANDS } from '../../lib/cli/commands'
import { helpText } from '../../lib/cli/help'
import cors from '../../lib/index'
import { StandalonePolicySchema } from '../../lib/schemas'
import { Examples, printed } from '../support/run-examples'

const ROOT = join(__dirname, '../..')
const MODULES = { 'fastify-cors-policy': 'dist/index.d.ts', 'fastify-cors-policy/inspector': 'dist/inspector/index.d.ts', 'fastify-cors-policy/schemas': 'dist/schemas.d.ts', 'fastify-cors-policy/browser': 'dist/browser/index.d.ts' } as const

type ModuleName = keyof typeof MODULES

/** A row of a table of options, which have defaults, or of fields, which have none. */
interface Row { readonly name: string, readonly isOptional: boolean, readonly type: string, readonly defaultValue: string | undefined, readonly meaning: string }

/** What the page says below a heading that has names. */
interface Entry { readonly module: ModuleName, readonly names: readonly string[], readonly text: string, readonly signature: string | undefined, readonly type: string | undefined, readonly rows: readonly Row[] }

function entriesIn (page: string): Entry[] {
  return page.split(/^## /m).slice(1).flatMap((part) => {
    const [, path = 'fastify-cors-policy'] = /^`(.+?)`/.exec(part) ?? []
    const module = path in MODULES ? path as ModuleName : 'fastify-cors-policy'
    return part.split(/^### /m).slice(1).map((text): Entry => ({
      module,
      names: [...(text.split('\n')[0] as string).matchAll(/`([^`]+)`/g)].map(([, name]) => name as string),
      text,
      signature: /^Signature: `(.+)`$/m.exec(text)?.[1],
      type: /^Type: `(.+)`$/m.exec(text)?.[1],
      rows: rowsIn(text)
    }))
  })
}

function cellsIn (line: string): string[] {
  return line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replaceAll('\\|', '|'))
}

function rowsIn (text: string): Row[] {
  const table = /^\| (option|field) \| type \|.*\n\|[-|]+\|\n((?:\|.*\n)*)/m.exec(text)
  if (table === null) return []
  return (table[2] as string).trim().split('\n').map((line) => {
    const [name = '', type = '', ...rest] = cellsIn(line)
    const [defaultValue, meaning = ''] = table[1] === 'option' ? rest : [undefined, ...rest]
    return { name: name.replace(/^`|\??`$/g, ''), isOptional: name.endsWith('?`'), type: type.replace(/^`|`$/g, ''), defaultValue, meaning }
  })
}

/** Files are the same for every program. */
const parsed = new Map<string, ts.SourceFile | undefined>()

/** A program that imports the built package, with this text as its module. */
function compiled (text: string): { program: ts.Program, source: ts.SourceFile } {
  const file = join(ROOT, 'api-types.mts')
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path))
  const paths = Object.fromEntries(Object.entries(MODULES).map(([name, path]) => [name, [`./${path}`]]))
  const { options } = ts.parseJsonConfigFileContent({ ...config, compilerOptions: { ...config.compilerOptions, paths }, include: [], files: [] }, ts.sys, ROOT)
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (path) => path === file || fileExists(path)
  host.readFile = (path) => path === file ? text : readFile(path)
  host.getSourceFile = (path, ...rest) => {
    if (path === file) return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, ...rest))
    return parsed.get(path)
  }
  const program = ts.createProgram([file], options, host)
  return { program, source: program.getSourceFile(file) as ts.SourceFile }
}

const HEAD = `
import type { FastifyInstance, FastifyRequest, LogLevel } from 'fastify'
import plugin, * as main from 'fastify-cors-policy'
import inspectorPlugin from 'fastify-cors-policy/inspector'
import type {} from 'fastify-cors-policy/schemas'
import type { ${Object.keys(typeNames()).join(', ')} } from 'fastify-cors-policy'
import type { InspectorOptions } from 'fastify-cors-policy/inspector'
import * as browser from 'fastify-cors-policy/browser'
import type { ${namesOfTypes('fastify-cors-policy/browser').join(', ')} } from 'fastify-cors-policy/browser'
type Member<Type, Name> = Type extends unknown ? Name extends keyof Type ? Exclude<Type[Name], undefined> : never : never
// A plugin is a function with the other exports as its properties.
type Called<Type> = Type extends (...args: infer Parameters) => infer Result ? (...args: Parameters) => Result : never
type Mutual<One, Other> = [One] extends [Other] ? [Other] extends [One] ? true : false : false
// Of methods, the compiler compares the parameters in one direction only.
type Same<One, Other> = Mutual<One, Other> extends true ? [One, Other] extends [(...args: infer These) => unknown, (...args: infer Those) => unknown] ? Mutual<These, Those> : true : false
`

interface Documented { readonly name: string, readonly type: ts.Type, readonly properties: readonly ts.Symbol[] }

/** What a module exports, by name; of each, the properties that this package declares. */
function exportsOf ({ program, source }: ReturnType<typeof compiled>, module: ModuleName): Map<string, Documented> {
  const checker = program.getTypeChecker()
  const file = program.getSourceFile(join(ROOT, MODULES[module])) ?? program.getSourceFiles().find(({ fileName }) => fileName.endsWith(MODULES[module]))
  const symbol = checker.getSymbolAtLocation(file as ts.SourceFile) as ts.Symbol
  return new Map(checker.getExportsOfModule(symbol).map((exported) => {
    const target = (exported.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(exported) : exported
    const isType = (target.flags & ts.SymbolFlags.Type) !== 0
    const type = isType ? checker.getDeclaredTypeOfSymbol(target) : checker.getTypeOfSymbolAtLocation(target, source)
    const hasMembers = isType && !exported.name.endsWith('Schema') && (type.isUnion() ? type.types : [type]).every((form) => form.getCallSignatures().length === 0 && (form.flags & OBJECT) !== 0)
    const properties = hasMembers ? checker.getPropertiesOfType(type).filter(({ name, declarations = [] }) => !name.includes('#private') && declarations.every((each) => isOwn(each.getSourceFile().fileName))) : []
    return [exported.name, { name: exported.name, type, properties }]
  }))
}

const OBJECT = ts.TypeFlags.Object | ts.TypeFlags.Intersection

/** Errors have members of Fastify's and of the language as well. */
function isOwn (fileName: string): boolean {
  return fileName.startsWith(join(ROOT, 'dist').replaceAll('\\', '/'))
}

/** The names of the types, so that documented types can use them. */
function typeNames (): Record<string, true> {
  const text = readFileSync(join(ROOT, MODULES['fastify-cors-policy']), 'utf8')
  return Object.fromEntries([...text.matchAll(/\btype (Cors\w+)[,; ]|export (?:type|interface) (Cors\w+|RouteCors)\b/g)].map(([, one, other]) => [(one ?? other) as string, true as const]).filter(([name]) => !(name as string).endsWith('Schema')))
}

/** The types that an entry exports by name. */
function namesOfTypes (module: ModuleName): string[] {
  const text = readFileSync(join(ROOT, MODULES[module]), 'utf8')
  return [...text.matchAll(/^export (?:type )?\{(.*?)\} from/gms)].flatMap(([, names]) => [...(names as string).matchAll(/\b[A-Z]\w+/g)].map(String))
}

/** What an export is called where documented types are compared with it. */
function typeOf (name: string, module: ModuleName): string {
  if (module === 'fastify-cors-policy/browser') return /^[a-z]/.test(name) ? `typeof browser.${name}` : name
  if (module !== 'fastify-cors-policy') return name === 'InspectorOptions' ? name : 'typeof inspectorPlugin'
  return name === 'default' || name === 'corsPolicy' ? 'typeof plugin' : /^[a-z]/.test(name) ? `typeof main.${name}` : name
}

/** Everything in which the page and the built package differ. */
function differences (page: string): string[] {
  const entries = entriesIn(page)
  const found: string[] = []
  const checks: Array<readonly [subject: string, code: string]> = []
  const check = (subject: string, code: string): void => { checks.push([subject, code.replaceAll('\n', ' ')]) }
  for (const { module, names: [name = ''], signature, type, rows } of entries) {
    const target = name.startsWith('app.cors.') ? `CorsDecoration['${name.slice('app.cors.'.length)}']` : typeOf(name, module)
    const number = checks.length
    if (signature !== undefined) {
      const documented = signature.replace(/^\w+/, `signature${number}`)
      const call = /^<|^\(/.test(signature.replace(/^\w+/, '')) ? documented : `signature${number}(): never`
      check(`the signature of ${name}`, `declare function ${call}; export const same${number}: Same<${name === 'default' ? `Called<${target}>` : target}, typeof signature${number}> = true`)
    }
    if (type !== undefined) check(`the type of ${name}`, `export const same${number}: Same<${target}, ${type}> = true`)
    for (const row of rows) {
      const member = row.name === '[Symbol.iterator]' ? 'typeof Symbol.iterator' : `'${row.name}'`
      check(`the type of ${row.name} of ${name}`, `export const same${checks.length}: Same<Member<${target}, ${member}>, ${row.type}> = true`)
    }
  }
  const result = compiled(`${HEAD}${checks.map(([, code]) => code).join('\n')}\n`)
  const { program, source } = result
  const first = HEAD.split('\n').length - 1
  const lines = new Map<number, string>()
  for (const { start = 0, messageText } of [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]) {
    const line = source.getLineAndCharacterOfPosition(start).line - first
    if (!lines.has(line)) lines.set(line, ts.flattenDiagnosticMessageText(messageText, ' '))
  }
  for (const [line, message] of lines) found.push(line < 0 ? `the test itself: ${message}` : (checks[line] as typeof checks[number])[0])

  const checker = program.getTypeChecker()
  for (const module of Object.keys(MODULES) as ModuleName[]) {
    const exported = exportsOf(result, module)
    const ours = entries.filter((entry) => entry.module === module)
    const documented = ours.flatMap(({ names }) => names).filter((name) => !name.startsWith('app.cors.'))
    for (const name of exported.keys()) if (!documented.includes(name)) found.push(`${name} of ${module} is not documented`)
    for (const name of documented) if (!exported.has(name)) found.push(`${name} of ${module} does not exist`)
    for (const name of documented) if (documented.filter((other) => other === name).length > 1) found.push(`${name} of ${module} is documented twice`)
    for (const { names: [name = ''], rows, type, signature, text } of ours) {
      const target = exported.get(name)
      const properties = target?.properties ?? []
      if ((/^[a-z]/.test(name)) && signature === undefined) found.push(`${name} has no signature`)
      if (signature !== undefined && !text.includes('\n```ts\n')) found.push(`${name} has no example`)
      if (target !== undefined && properties.length === 0 && type === undefined && !/^[a-z]|(?:Reason|Schema|Names)$/.test(name)) found.push(`${name} has no type`)
      if (name === 'CorsDecoration') {
        const methods = entries.flatMap(({ names }) => names).filter((each) => each.startsWith('app.cors.')).map((each) => each.slice('app.cors.'.length))
        found.push(...missing(properties.map((property) => property.name), methods, 'app.cors'))
        continue
      }
      const nameOf = (property: ts.Symbol): string => property.name.startsWith('__@iterator') ? '[Symbol.iterator]' : property.name
      found.push(...missing(properties.map(nameOf), rows.map((row) => row.name), name))
      for (const property of properties) {
        const row = rows.find((each) => each.name === nameOf(property))
        if (row === undefined) continue
        const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0
        const tag = property.getJsDocTags(checker).find((each) => each.name === 'defaultValue')
        const defaultValue = tag === undefined ? undefined : ts.displayPartsToString(tag.text)
        if (row.defaultValue === undefined ? row.isOptional !== isOptional : !isOptional && row.defaultValue !== 'required') found.push(`${row.name} of ${name} is ${isOptional ? 'optional' : 'required'}`)
        if (row.defaultValue !== undefined && isOptional && (row.defaultValue === '' || row.defaultValue === 'required')) found.push(`${row.name} of ${name} has no default`)
        if (defaultValue !== undefined && row.defaultValue !== undefined && !row.defaultValue.startsWith('required without') && row.defaultValue !== defaultValue) found.push(`the default of ${row.name} of ${name} is ${defaultValue}`)
      }
      for (const tag of thrownBy(target, checker)) if (!text.includes(`\`${tag}\``)) found.push(`${name} throws ${tag}`)
    }
  }
  for (const { names: [name = ''], text } of entries) if (!/[Ss]ince \d+\.\d+\.\d+/.test(text)) found.push(`since when is there ${name}?`)
  return found
}

function missing (real: readonly string[], documented: readonly string[], of: string): string[] {
  return [
    ...real.filter((name) => !documented.includes(name)).map((name) => `${name} of ${of} is not documented`),
    ...documented.filter((name) => !real.includes(name)).map((name) => `${name} of ${of} does not exist`)
  ]
}

/** The errors that the documentation of an export, or of its methods, says are thrown. */
function thrownBy (target: Documented | undefined, checker: ts.TypeChecker): string[] {
  if (target === undefined) return []
  const own = target.type.getCallSignatures().flatMap((signature) => signature.getJsDocTags())
  const methods = target.properties.flatMap((property) => property.getJsDocTags(checker))
  return [...own, ...methods].filter(({ name }) => name === 'throws').map(({ text }) => ts.displayPartsToString(text).split(' ')[0] as string)
}

const examples = new Examples('docs/api.md')
const page = examples.text

t.test('every export of the built package is documented as its types say', { timeout: 100_000 }, async (t) => {
  t.strictSame(differences(page), [])
})

t.test('every mistake in a wrong page is found', { timeout: 100_000 }, async (t) => {
  type Changes = ReadonlyArray<readonly [from: string, to: string, found: string]>
  const renamed: Changes = [
    ['### `originList`', '### `originLists`', 'originList of fastify-cors-policy is not documented'],
    ['### `CorsExchange`', '### `CorsExchanges`', 'CorsExchanges of fastify-cors-policy does not exist'],
    ['### `CorsRefusal`', '### `CorsProblem`', 'CorsProblem of fastify-cors-policy is documented twice'],
    ['### `app.cors.allows`', '### `app.cors.permits`', 'allows of app.cors is not documented'],
    ['```ts\nimport { definePolicies } from', '```js\nimport { definePolicies } from', 'definePolicies has no example']
  ]
  const changed: Changes = [
    ['Signature: `originList(entries: Iterable<string | RegExp>)', 'Signature: `originList(entries: string)', 'the signature of originList'],
    ['Signature: `routes(): CorsRoute[]`', 'Signature: `routes(): CorsRoute`', 'the signature of app.cors.routes'],
    ['Type: `false | CorsPolicy`', 'Type: `CorsPolicy`', 'the type of RouteCors'],
    ['| `maxAge` | `number \\| null` |', '| `maxAge` | `number` |', 'the type of maxAge of CorsRoute'],
    ['| `dangerouslyAllowPublicSuffixes` | `boolean` | `false` |', '| `dangerouslyAllowPublicSuffixes` | `boolean` | `true` |', 'the default of dangerouslyAllowPublicSuffixes of CorsPolicy is `false`'],
    ['| `useCorsPreflight` |', '| `usePreflight` |', 'useCorsPreflight of CorsQuestion is not documented'],
    ['Signature: `explain(question: CorsQuestion): Promise<CorsExplanation>`', '', 'app.cors.explain has no signature'],
    ['Type: `(origin: string, request: FastifyRequest) => boolean | Promise<boolean>`', '', 'CorsOriginFunction has no type'],
    ['| `has` | `(origin: string) => boolean` |', '| `has` | `(origin: string \\| RegExp) => boolean` |', 'the type of has of CorsOriginList'],
    ['| `host?` |', '| `host` |', 'host of CorsRoute is optional'],
    ['Errors: `CorsPolicyError`, thrown by `add`, `delete` and `replace`.', '', 'CorsOriginList throws CorsPolicyError'],
    ['One request and its response. Since 0.2.0.', 'One request and its response.', 'since when is there CorsExchange?']
  ]
  for (const changes of [renamed, changed]) {
    let wrong = page
    for (const [from, to] of changes) {
      t.ok(wrong.includes(from), from)
      wrong = wrong.replace(from, to)
    }
    const found = differences(wrong)
    for (const [, , each] of changes) t.ok(found.includes(each), each)
  }
})

t.test('every "since" in docs/api.md names a version of the changelog', async (t) => {
  const versions = [...readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8').matchAll(/^## \[(\d[^\]]*)\]/gm)].map(([, version]) => version as string)
  const named = new Set([...page.matchAll(/[Ss]ince (\d+\.\d+\.\d+)/g)].map(([, version]) => version as string))
  t.ok(named.size > 0)
  for (const version of named) t.ok(versions.includes(version), version)
})

t.test('every name that can be imported at run time is an export, and every path of the package has a heading', async (t) => {
  const names = entriesIn(page).filter(({ module }) => module === 'fastify-cors-policy').flatMap((entry) => entry.names)
  // fastify-plugin adds a name of its own.
  for (const name of Object.keys(cors).filter((each) => each !== 'fastifyCorsPolicy')) t.ok(names.includes(name), name)
  const { exports, bin, name } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { exports: Record<string, string>, bin: string, name: string }
  for (const path of Object.keys(exports)) t.match(page, `\`${name}${path.slice(1)}\``, path)
  t.equal(typeof bin, 'string', 'one command, with the name of the package')
  t.match(page, `\`\`\`console\n$ npx ${name} --help\n${helpText(COMMANDS)}\`\`\`\n`, 'its help')
})

t.test('definePolicies takes the file of policies in docs/api.md', async (t) => {
  const [, json = ''] = /^```json\n([^]*?)^```$/m.exec(page) ?? []
  const { $schema, ...policies } = JSON.parse(json) as { $schema: string }
  t.match($schema, 'fastify-cors-policy/policies.schema.json')
  t.strictSame(cors.definePolicies(JSON.parse(json) as never), policies)
})

t.test('docs/api.md gives numbers the range and the default that the schema gives them', async (t) => {
  const standalone: { properties: Record<string, { type?: string, minimum?: number, maximum?: number, default?: unknown }> } = StandalonePolicySchema
  const rows = entriesIn(page).find(({ names }) => names.includes('CorsPolicy'))?.rows as readonly Row[]
  const integers = Object.entries(standalone.properties).filter(([, { type }]) => type === 'integer')
  t.strictSame(integers.map(([name]) => name), ['maxAge'])
  for (const [name, { minimum, maximum }] of integers) t.match(rows.find((row) => row.name === name)?.meaning, `seconds, an integer from ${minimum} to ${maximum}`)
  for (const [name, { default: value }] of Object.entries(standalone.properties)) if (value !== undefined) t.equal(rows.find((row) => row.name === name)?.defaultValue, `\`${String(value)}\``)
})

t.test('docs/api.md has the error codes and statuses of lib/, and no others', async (t) => {
  const sources = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).map((file) => readFileSync(join(ROOT, 'lib', file), 'utf8'))
  const created = sources.flatMap((code) => [...code.matchAll(/createError(?:<[^(]*>)?\(\s*'(FST_ERR_CORS_\w+)',\s*'[^']*'(?: \+\s*'[^']*')*(?:, (\d+))?/g)].map(([, code, status = '500']) => [code, status]))
  const documented = [...page.matchAll(/^\| `(FST_ERR_CORS_\w+)` \| (\d+) \|/gm)].map(([, code, status]) => [code, status])
  t.ok(created.length >= 5)
  t.strictSame(documented.sort(), created.sort())
  t.equal(new Set(sources.flatMap((code) => [...code.matchAll(/FST_ERR_CORS_\w+/g)].map(String))).size, created.length, 'no other is named')
})

t.test('docs/api.md has the reasons of CorsProblemReason, and no others', async (t) => {
  const result = compiled("import type { CorsProblemReason } from 'fastify-cors-policy'\nexport type Reason = CorsProblemReason\n")
  const type = exportsOf(result, 'fastify-cors-policy').get('CorsProblemReason')?.type as ts.UnionType
  const section = entriesIn(page).find(({ names }) => names.includes('CorsProblemReason'))?.text as string
  t.strictSame([...section.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, reason]) => reason).sort(), type.types.map((each) => (each as ts.StringLiteralType).value).sort())
})

t.test('the programs of docs/api.md compile, and print what it shows', { timeout: 100_000 }, async (t) => {
  t.strictSame(examples.compileErrors(), [])
  const programs = [...page.matchAll(/^```ts\n([^]*?)^```\n\n(?:```text\n([^]*?)^```$)?/gm)].filter(([, code]) => code?.includes('import'))
  t.ok(programs.length >= 9, `${programs.length} programs`)
  for (const [, code = '', output] of programs) {
    t.ok(output, `a program and its output: ${code.split('\n').at(-2)}`)
    t.equal(await printed(t, code), output)
  }
})
