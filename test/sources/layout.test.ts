// The layout of lib/ (DESIGN, "Layout"): data goes one way down. Reads every import of lib/, those of types included, and fails on one that
// leads upwards, between folders that must not know each other, or in a circle. The checks are tried on graphs made up for them, too.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import t from 'tap'
import ts from 'typescript'

const LIB = join(__dirname, '..', '..', 'lib')

/** From above to below; a part imports only from parts below its own line. A part is a folder of lib/, or a file beside the folders. */
const LAYERS: ReadonlyArray<readonly string[]> = [
  ['index'],
  ['plugin'],
  ['cli', 'inspector'],
  ['explain'],
  ['application'],
  ['preflight'],
  ['response'],
  ['declaration'],
  ['policy'],
  ['browser'],
  ['schema', 'errors', 'http']
]

/** Parts that must know even less of the others than their place allows. */
const ONLY: Readonly<Record<string, readonly string[]>> = { browser: ['http'], inspector: ['explain', 'errors'] }

/** Parts of which others take types only, for they are loaded when they are needed. */
const TYPES_OF: Readonly<Record<string, readonly string[]>> = { inspector: ['explain'] }

/** Parts that run without Fastify: they may take types of it, or not even those. */
const WITHOUT_FASTIFY: Readonly<Record<string, 'types' | 'nothing'>> = { policy: 'types', http: 'types', browser: 'nothing' }

interface Import { readonly to: string, readonly typesOnly: boolean }

/** What each file imports: files by their path in lib/ without extension, after `./`; everything else by its name. */
type Graph = ReadonlyMap<string, readonly Import[]>

/** What a program imports, in every way that TypeScript has. What is computed is an import of `?`. */
function importsIn (code: string): Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Node | undefined, typesOnly: boolean): void => {
    found.push({ to: specifier !== undefined && ts.isStringLiteralLike(specifier) ? specifier.text : '?', typesOnly })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isOfTypes(node.importClause))
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) add(node.moduleSpecifier, node.isTypeOnly || areTypes(node.exportClause))
    else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) add(node.moduleReference.expression, node.isTypeOnly)
    else if (ts.isImportTypeNode(node)) add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true)
    else if (ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name)) add(node.name, true)
    else if (ts.isCallExpression(node) && (node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require')) add(node.arguments[0], false)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('file.ts', code, ts.ScriptTarget.ES2023, true))
  return found
}

function isOfTypes (clause: ts.ImportClause | undefined): boolean {
  return clause !== undefined && (clause.isTypeOnly || (clause.name === undefined && areTypes(clause.namedBindings)))
}

function areTypes (names: ts.NamedImportBindings | ts.NamedExportBindings | undefined): boolean {
  return names !== undefined && (ts.isNamedImports(names) || ts.isNamedExports(names)) && names.elements.length > 0 && names.elements.every(({ isTypeOnly }) => isTypeOnly)
}

function graphOf (sources: ReadonlyMap<string, string>): Graph {
  return new Map([...sources].map(([file, code]) => [file, importsIn(code).map(({ to, ...rest }) => ({ to: to.startsWith('.') ? resolved(file, to) : to, ...rest }))]))
}

function resolved (file: string, to: string): string {
  const path = posix.join(posix.dirname(file), to).replace(/\.[jt]s$/, '')
  return `./${path === '.' ? 'index' : path}`
}

function partOf (file: string): string {
  return file.split('/')[0] as string
}

function rankOf (part: string): number {
  return LAYERS.findIndex((layer) => layer.includes(part))
}

/** Every import that the layout forbids. */
function forbidden (graph: Graph): string[] {
  return [...graph].flatMap(([file, imports]) => {
    const part = partOf(file)
    if (rankOf(part) === -1) return [`${file} has no place in the layout`]
    return imports.flatMap(({ to, typesOnly }) => {
      // The command line loads the application by its path.
      if (to === '?' && file === 'cli/application') return []
      const why = to.startsWith('./') ? whyNotFile(part, partOf(to.slice(2)), typesOnly) : whyNotPackage(part, to, typesOnly)
      return why === undefined ? [] : [`${file} imports ${to}: ${why}`]
    })
  })
}

function whyNotFile (part: string, other: string, typesOnly: boolean): string | undefined {
  if (part === other) return undefined
  if (rankOf(other) === -1) return 'which has no place in the layout'
  if (rankOf(other) <= rankOf(part)) return `${part} is not above ${other}`
  const only = ONLY[part]
  if (only !== undefined && !only.includes(other)) return `${part} imports nothing but ${only.join(', ')}`
  return typesOnly || TYPES_OF[part]?.includes(other) !== true ? undefined : `${part} takes types of ${other} only`
}

function whyNotPackage (part: string, name: string, typesOnly: boolean): string | undefined {
  if (name === '?') return 'which cannot be read'
  if (name === 'fastify-cors-policy' || name.startsWith('fastify-cors-policy/')) return 'which is this package itself'
  if (!/^(?:fastify$|fastify\/|fastify-|@fastify\/)/.test(name)) return undefined
  const limit = WITHOUT_FASTIFY[part]
  return limit === undefined || (limit === 'types' && typesOnly) ? undefined : `${part} takes ${limit} of Fastify`
}

/** Every way from a file back to itself that a search in depth comes upon: none, only if there is none. */
function circles (graph: Graph): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file)
    if (start !== -1) found.push([...path.slice(start), file].join(' -> '))
    if (start !== -1 || done.has(file)) return
    for (const { to } of graph.get(file) ?? []) if (to.startsWith('./')) walk(to.slice(2), [...path, file])
    done.add(file)
  }
  for (const file of graph.keys()) walk(file, [])
  return found
}

/** The graph of files with these imports, each a statement of its own. */
function madeUp (files: Record<string, string[]>): Graph {
  return graphOf(new Map(Object.entries(files).map(([file, lines]) => [file, lines.join('\n')])))
}

t.test('every import in lib/ leads down, and in no circle', async (t) => {
  const names = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const sources = new Map(names.map((name) => [name.replaceAll('\\', '/').replace(/\.ts$/, ''), readFileSync(join(LIB, name), 'utf8')]))
  const graph = graphOf(sources)
  const inner = [...graph.values()].flat().filter(({ to }) => to.startsWith('./'))
  t.ok(inner.length > graph.size, 'files import each other')
  t.strictSame(inner.filter(({ to }) => !graph.has(to.slice(2)) && !existsSync(join(LIB, `${to}.js`))), [], 'every import leads to a file of lib/')
  t.strictSame(forbidden(graph), [], 'no import leads upwards')
  t.strictSame(circles(graph), [], 'no imports lead in a circle')
})

t.test('an import is found in every form that TypeScript has', async (t) => {
  const FORMS: ReadonlyArray<readonly [code: string, imports: Import[]]> = [
    ["import x from 'a'", [{ to: 'a', typesOnly: false }]],
    ["import 'a'", [{ to: 'a', typesOnly: false }]],
    ["import * as x from 'a'", [{ to: 'a', typesOnly: false }]],
    ["import { x, type Y } from 'a'", [{ to: 'a', typesOnly: false }]],
    ["import x, { type Y } from 'a'", [{ to: 'a', typesOnly: false }]],
    ["import {} from 'a'", [{ to: 'a', typesOnly: false }]],
    ["import { type X, type Y } from 'a'", [{ to: 'a', typesOnly: true }]],
    ["import type { X } from 'a'", [{ to: 'a', typesOnly: true }]],
    ["import type X from 'a'", [{ to: 'a', typesOnly: true }]],
    ["import type * as x from 'a'", [{ to: 'a', typesOnly: true }]],
    ["import x = require('a')", [{ to: 'a', typesOnly: false }]],
    ["import type x = require('a')", [{ to: 'a', typesOnly: true }]],
    ["export * from 'a'", [{ to: 'a', typesOnly: false }]],
    ["export { x } from 'a'", [{ to: 'a', typesOnly: false }]],
    ["export type { X } from 'a'", [{ to: 'a', typesOnly: true }]],
    ["export { type X } from 'a'", [{ to: 'a', typesOnly: true }]],
    ["type X = import('a').X", [{ to: 'a', typesOnly: true }]],
    ["let x: { y: Array<typeof import('a')> }", [{ to: 'a', typesOnly: true }]],
    ["declare module 'a' { interface X {} }", [{ to: 'a', typesOnly: true }]],
    ["async function f () { await import('a') }", [{ to: 'a', typesOnly: false }]],
    ["const f = () => require('a')", [{ to: 'a', typesOnly: false }]],
    ['const f = (name) => require(name)', [{ to: '?', typesOnly: false }]],
    ['const f = (name) => import(`./${name}`)', [{ to: '?', typesOnly: false }]], // eslint-disable-line no-template-curly-in-string
    ["const x = 'a' // import y from 'b'", []],
    ["export const x = { require: 1 }; import y = x.require; f('a')", []]
  ]
  for (const [code, imports] of FORMS) t.strictSame(importsIn(code), imports, code)
})

t.test('a forbidden import is found', async (t) => {
  const REFUSED: ReadonlyArray<readonly [file: string, code: string, found: string]> = [
    ['schema', "import type { CorsPolicyNames } from './index'", 'schema imports ./index: schema is not above index'],
    ['policy/derived-headers', "import type { Route } from '../application/route'", 'policy/derived-headers imports ./application/route: policy is not above application'],
    ['origins/matcher', "type X = import('../../response/verdict').Verdict", 'origins/matcher imports ./response/verdict: policy is not above response'],
    ['response/verdict', "export const f = () => require('../preflight/answer')", 'response/verdict imports ./preflight/answer: response is not above preflight'],
    ['application/scope', "const f = () => import('../explain/explain')", 'application/scope imports ./explain/explain: application is not above explain'],
    ['errors', "import { x } from './http/headers'", 'errors imports ./http/headers: errors is not above http'],
    ['cli', "import { x } from './inspector/inspector'", 'cli imports ./inspector/inspector: cli is not above inspector'],
    ['devtools/explain', "import { x } from '..'", 'devtools/explain imports ./index: explain is not above index'],
    ['devtools/explain', "import { x } from '../index.js'", 'devtools/explain imports ./index: explain is not above index'],
    ['browser/check', "import { x } from '../schema'", 'browser/check imports ./schema: browser imports nothing but http'],
    ['browser/check', "import type { FastifyRequest } from 'fastify'", 'browser/check imports fastify: browser takes nothing of Fastify'],
    ['inspector/index', "import { x } from '../application/scope'", 'inspector/index imports ./application/scope: inspector imports nothing but explain, errors'],
    ['inspector/index', "import { x } from '../explain/explain'", 'inspector/index imports ./explain/explain: inspector takes types of explain only'],
    ['policy/policy', "import Fastify from 'fastify'", 'policy/policy imports fastify: policy takes types of Fastify'],
    ['http/headers', "import { fp, type X } from 'fastify-plugin'", 'http/headers imports fastify-plugin: http takes types of Fastify'],
    ['policy/policy', "import createError from '@fastify/error'", 'policy/policy imports @fastify/error: policy takes types of Fastify'],
    ['schema', "import type { CorsPolicyNames } from 'fastify-cors-policy'", 'schema imports fastify-cors-policy: which is this package itself'],
    ['plugin', 'const f = (name) => require(name)', 'plugin imports ?: which cannot be read'],
    ['index', "import x from './helpers'", 'index imports ./helpers: which has no place in the layout'],
    ['helpers', '', 'helpers has no place in the layout']
  ]
  for (const [file, code, found] of REFUSED) t.strictSame(forbidden(madeUp({ [file]: [code] })), [found], found)
  const allowed = madeUp({
    index: ["import { plugin } from './plugin'", "import type { X } from './schema'"],
    plugin: ["const f = () => import('./explain/explain')", "import Fastify from 'fastify'"],
    cli: ["import { x } from './explain/routes'", "import { y } from './application/scope'"],
    'inspector/index': ["import type { X } from '../explain/types'", "import { quote } from '../errors'"],
    'devtools/explain': ["import { x } from './routes'", "import { y } from '../browser/check'"],
    'policy/policy': ["import type { FastifyRequest } from 'fastify'", "import { x } from './origin/matcher'", "import { parse } from 'tldts'"],
    'origins/matcher': ["import { quote } from '../../errors'"],
    'browser/check': ["import { x } from '../http/headers'"],
    errors: ["import createError from '@fastify/error'"]
  })
  t.strictSame(forbidden(allowed), [], 'and nothing else is')
})

t.test('a circle of imports is found', async (t) => {
  const ROUND: ReadonlyArray<readonly [files: Record<string, string[]>, found: string[]]> = [
    [{ a: ["import './a'"] }, ['a -> a']],
    [{ a: ["import './b'"], b: ["import type { X } from './a'"] }, ['a -> b -> a']],
    [{ 'x/a': ["import './b'"], 'x/b': ["import '../y/c'"], 'y/c': ["type X = import('../x/a').X"] }, ['x/a -> x/b -> y/c -> x/a']],
    [{ start: ["import './a'"], a: ["import './b'", "import './c'"], b: [], c: ["import './a'"] }, ['a -> c -> a']],
    [{ a: ["import './b'"], b: ["import './a'"], c: ["import './d'"], d: ["import './c'"] }, ['a -> b -> a', 'c -> d -> c']],
    [{ a: ["import './b'", "import './c'"], b: ["import './c'"], c: ["import 'a'"] }, []]
  ]
  for (const [files, found] of ROUND) t.strictSame(circles(madeUp(files)), found, found.join(', ') || 'none where there is none')
})
