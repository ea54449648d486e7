// The child process that loads the application and calls its app.cors. Its standard output is the command's standard error, so that what the application
// prints does not mix with the answer. Tasks and answers are messages. `app.cors` is the application's: it may
// have another copy of this package. What audits and migrates is loaded from here, when it is needed.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { HeaderList } from '../browser/headers'
import type { ApplicationRecord, ApplicationRecorder } from '../devtools/application-recorder'
import type { PageQuestion } from '../devtools/migrate-answers'
import type { CorsPackage } from '../devtools/migrate'
import type { CorsQuestion } from '../devtools/types'

/** What the application is asked. A task is one entry here and in {@link TASKS}. */
export type Task =
  | { readonly name: 'routes' }
  | { readonly name: 'explain', readonly question: CorsQuestion }
  | { readonly name: 'audit', readonly origins: readonly string[] }
  | { readonly name: 'beforeMigration', readonly origins: readonly string[], readonly headers: HeaderList }
  | { readonly name: 'afterMigration', readonly questions: readonly PageQuestion[] }

/** How the application is loaded: its handlers do not run (`record`), and this package takes the place of @fastify/cors (`migrate`). */
export type Loading = { readonly record: true, readonly migrate?: { readonly origins: readonly string[] } }

/** What the command sends: the file to load first, then any number of tasks, each after the answer to the one before. */
export type ToApplication = { readonly load: string, readonly loading?: Loading } | { readonly task: Task } | { readonly close: true }

/** What is sent back: the answer, or why there is none. */
export interface TaskReply { readonly corsAnswer?: unknown, readonly corsFailure?: string }

const TASKS: { readonly [Name in Task['name']]: (root: FastifyInstance, task: Extract<Task, { name: Name }>) => unknown } = {
  routes: (root) => withCors(root).cors.routes(),
  explain: async (root, { question }) => await withCors(root).cors.explain(question),
  async audit (root, { origins }) {
    const { audit } = require('../devtools/audit') as typeof import('../devtools/audit')
    return await audit(root, recordOf(root), { origins, source: sourceCode() })
  },
  async beforeMigration (root, { origins, headers }) {
    const { beforeMigration } = require('../devtools/migrate') as typeof import('../devtools/migrate')
    return await beforeMigration(root, recordOf(root), corsPackage(), { origins, source: sourceCode() }, headers)
  },
  async afterMigration (root, { questions }) {
    const { answersTo } = require('../devtools/migrate-answers') as typeof import('../devtools/migrate-answers')
    return await answersTo(root, recordOf(root), questions)
  }
}

let recorder: ApplicationRecorder | undefined

/** Records what is loaded from now on. */
function startRecorder ({ migrate }: Loading): void {
  const { ApplicationRecorder: Recorder } = require('../devtools/application-recorder') as typeof import('../devtools/application-recorder')
  const { migrationReplacements } = require('../devtools/migrate') as typeof import('../devtools/migrate')
  recorder = new Recorder(migrate === undefined ? {} : migrationReplacements(corsPackage(), migrate.origins))
}

function recordOf (root: FastifyInstance): ApplicationRecord {
  const record = recorder?.of(root)
  if (record === undefined) throw new Error('this application uses a Fastify that does not tell when it is created; use Fastify 5')
  return record
}

/** This copy of the package: the application may have none yet. */
function corsPackage (): CorsPackage {
  return require(join(__dirname, '..', 'index')) as CorsPackage
}

/** The source code of the application's file. */
function sourceCode (): string {
  return readFileSync(file, 'utf8')
}

/** Every application that is created while this process observes. */
const roots: FastifyInstance[] = []

/** Called with the first application that listens. */
let onListen: (root: FastifyInstance) => void = () => {}

function observe (message: unknown): void {
  const { fastify } = message as { fastify: FastifyInstance }
  roots.push(fastify)
  const listen = fastify.listen as (options: object, callback?: unknown) => unknown
  // A program that listens gets a free port of this machine alone: its own may be taken, by the program itself.
  fastify.listen = function (this: FastifyInstance, options?: unknown, callback?: unknown) {
    onListen(fastify)
    return listen.call(this, { port: 0, host: '127.0.0.1' }, typeof options === 'function' ? options : callback)
  } as never
}

/** Loads the application. Returns the instance in an object, because an instance is a thenable: `await` would wait until it is ready. */
async function loadApplication (file: string): Promise<{ root: FastifyInstance }> {
  const listening = new Promise<{ root: FastifyInstance }>((resolve) => { onListen = (root) => resolve({ root }) })
  let exported = await import(pathToFileURL(file).href) as { default?: unknown, options?: object }
  // A CommonJS module that TypeScript or Babel compiled from an ES module: its own exports are in `default`.
  if ((exported.default as { __esModule?: boolean } | undefined)?.__esModule === true) exported = exported.default as typeof exported
  const application = exported.default as (FastifyInstance & FastifyPluginAsync & { options?: object }) | undefined
  if (typeof application?.ready === 'function') return { root: application }
  if (typeof application !== 'function') {
    const channel = require.main === module ? process.channel : undefined
    channel?.unref()
    return await Promise.race([listening, nothingLeftToDo()]).finally(() => channel?.ref())
  }
  const options = exported.options ?? application.options ?? {}
  const fastify = createRequire(file)(require.resolve('fastify', { paths: [dirname(file), __dirname] })) as (options: object) => FastifyInstance
  const root = fastify(options)
  root.register(application, options)
  return { root }
}

/** Rejects once the program has nothing left to do: it will not listen any more. The channel of messages would keep the process alive. */
async function nothingLeftToDo (): Promise<never> {
  await once(process, 'beforeExit')
  throw new Error('its default export is neither a plugin nor a Fastify instance, and it does not listen; export one of them')
}

/** Every instance of an application has `app.cors` once the plugin is registered in it. */
function withCors (root: FastifyInstance): FastifyInstance {
  if (typeof root.cors?.explain !== 'function') throw new Error('fastify-cors-policy is not registered in the application; register it')
  return root
}

/** What Node shall print after the answer. */
let uncaught: { readonly error: unknown } | undefined

let loaded: { readonly root: FastifyInstance } | undefined
/** The application's file. */
let file = ''

/** Does what a message asks for. Never rejects. */
export async function answerTo (message: Exclude<ToApplication, { close: true }>): Promise<TaskReply> {
  if ('load' in message) {
    file = message.load
    subscribe('fastify.initialization', observe)
    if (message.loading !== undefined) startRecorder(message.loading)
    try {
      loaded = await loadApplication(message.load)
      await loaded.root.ready()
      return { corsAnswer: null }
    } catch (error) {
      rethrowForItsPlace(error)
      return { corsFailure: `the application does not load: ${textOf(error, true)}` }
    } finally {
      unsubscribe('fastify.initialization', observe)
      recorder?.stop()
    }
  }
  try {
    const { task } = message
    const { root } = loaded as { root: FastifyInstance }
    return { corsAnswer: await (TASKS[task.name] as (root: FastifyInstance, task: Task) => unknown)(root, task) }
  } catch (error) {
    return { corsFailure: textOf(error, false) }
  }
}

/** Closes whatever the program has created, loaded or not. */
export async function closeAll (): Promise<void> {
  loaded = undefined
  await Promise.allSettled(roots.splice(0).map(async (root) => { await root.close() }))
}

/** What to say of an error, or of anything else that was thrown: its message, advice where there is some, and where it comes from. */
function textOf (error: unknown, withStack: boolean): string {
  const { message, code, stack } = (error ?? {}) as { message?: unknown, code?: unknown, stack?: unknown }
  if (typeof message !== 'string') return inspect(error)
  const advice = typeof code === 'string' ? ADVICE[code] : undefined
  const text = advice === undefined ? message : `${message}; ${advice}`
  if (!withStack || advice !== undefined || typeof stack !== 'string') return text
  // Frames of Node and of this file say nothing about the application.
  const frames = stack.split('\n').filter((line) => /^ {4}at /.test(line) && !line.includes('node:internal') && !line.includes(__filename))
  const place = hasPlace(stack) ? [stack.slice(0, stack.indexOf('\n\n'))] : []
  return [text, ...place, ...frames].join('\n')
}

/** Whether a stack begins with the line of a syntax error, as it does for CommonJS modules. */
function hasPlace (stack: string): boolean {
  return /^[^\n]+:\d+\n[^]*?\n\n/.test(stack)
}

/** Node prints the file and the line of a syntax error in an ES module, and has them nowhere in the error. So it prints this one after the answer. */
function rethrowForItsPlace (error: unknown): void {
  if (!(error instanceof SyntaxError) || hasPlace(String(error.stack))) return
  uncaught = { error }
}

/** Advice for errors that are typical of loading an application from a command, by error code. */
const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the application listens when it is loaded; export it from a file that does not listen',
  ERR_UNKNOWN_FILE_EXTENSION: 'for TypeScript, use Node 22.6 or newer, or compile the file'
}

async function handle (message: ToApplication): Promise<void> {
  if ('close' in message) {
    await closeAll()
    process.exit()
  }
  const reply = await answerTo(message)
  await new Promise((resolve) => process.send?.(reply, resolve))
  if (uncaught !== undefined) throw uncaught.error
}

if (require.main === module) {
  // The command has ended.
  process.once('disconnect', () => process.exit())
  // Messages and not arguments, because the application may read the arguments.
  process.on('message', handle)
}
