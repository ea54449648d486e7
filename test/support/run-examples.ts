// Compiles and runs the programs of a Markdown file as they are written there: each block of a language is one.
import { Console } from 'node:console'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Writable } from 'node:stream'
import ts from 'typescript'
import Fastify, { type FastifyInstance } from 'fastify'
import * as browser from '../../lib/browser/index'
import inspector from '../../lib/inspector/index'
import cors from '../../lib/index'

const ROOT = join(__dirname, '..', '..')
process.env.PORT = '0'

/** A Markdown file of this repository. */
export class Examples {
  readonly text: string
  /** Every block of the language. */
  readonly blocks: readonly string[]
  /** Those that start a server. */
  readonly programs: readonly string[]
  readonly #name: string

  constructor (path: string, language: 'ts' | 'js' = 'ts') {
    this.#name = basename(path, '.md')
    this.text = readFileSync(join(ROOT, path), 'utf8')
    this.blocks = [...this.text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, code]) => code as string)
    this.programs = this.blocks.filter((code) => code.includes('listen('))
  }

  /** The one program below a heading. */
  under (heading: string): string {
    const section = this.text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
    const [program, ...others] = this.programs.filter((code) => section.includes(code))
    if (program === undefined || others.length > 0) throw new Error(`not one program under "${heading}"`)
    return program
  }

  /** What the compiler says about the blocks, by the rules of this repository. */
  compileErrors (): string[] {
    const files = new Map(this.blocks.map((code, index) => [join(ROOT, `${this.#name}-${index}.mts`), code.includes('import') ? code : `export {}\n${code}`]))
    const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file))
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, ROOT)
    options.experimentalDecorators = true // as in a project of NestJS
    options.paths = { ...options.paths, fastify: [join(ROOT, 'node_modules/fastify')] } // NestJS brings another version here; in a project of its users, both are one
    const host = ts.createCompilerHost(options)
    const { getSourceFile, fileExists, readFile } = host
    host.fileExists = (file) => files.has(file) || fileExists(file)
    host.readFile = (file) => files.get(file) ?? readFile(file)
    host.getSourceFile = (file, ...rest) => {
      const code = files.get(file)
      return code === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, code, ts.ScriptTarget.ES2022)
    }
    const program = ts.createProgram([...files.keys()], options, host)
    return [...files.keys()].flatMap((file) => {
      const source = program.getSourceFile(file)
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(({ messageText }) => `${basename(file)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
    })
  }
}

/** Runs a program, and returns the application it made; all it made are closed at the end of the test. Where it says port 3000, any free one is taken. `replaced` are modules that it gets in place of those of these names. */
export async function run (t: { teardown: (fn: () => Promise<void>) => void }, code: string, printTo = console, replaced: Record<string, unknown> = {}): Promise<FastifyInstance> {
  const apps: FastifyInstance[] = []
  const make = (options: object): FastifyInstance => {
    const app = Fastify(options)
    apps.push(app)
    t.teardown(async () => { await app.close() })
    return app
  }
  // As with the packages themselves, `require` returns a function, whose `default` an import gets.
  const modules: Record<string, unknown> = { fastify: Object.assign(make, { default: make, __esModule: true }), 'fastify-cors-policy': cors, 'fastify-cors-policy/inspector': inspector, 'fastify-cors-policy/browser': browser, ...replaced }
  const { outputText } = ts.transpileModule(code.replace('{ port: 3000 }', '{ port: 0 }'), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, experimentalDecorators: true, emitDecoratorMetadata: true }
  })
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor

  await new AsyncFunction('require', 'exports', 'console', outputText)((name: string) => modules[name] ?? require(name), {}, printTo)
  return apps[0] as FastifyInstance
}

/** Runs a program, and returns what it prints. */
export async function printed (t: Parameters<typeof run>[0], code: string): Promise<string> {
  let text = ''
  const stdout = new Writable({ write (chunk, _encoding, done) { text += String(chunk); done() } })
  await run(t, code, new Console({ stdout }))
  return text
}
