// The child process that loads the application and calls its app.cors; run.ts starts it. Its standard output is the command's standard error, so that
// what the application prints does not mix with the answer. The answer is sent as a message. This file imports nothing of this package but types:
// the application may have another copy of it, and answers with that.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { CorsQuestion } from '../devtools/types'

/** What run.ts sends: the application's file, and the question. Without a question, the answer is the list of routes. */
export interface Task { readonly file: string, readonly question?: CorsQuestion }

/** What is sent back: the answer, or why there is none. */
export interface TaskReply { readonly corsAnswer?: unknown, readonly corsFailure?: string }

/** The child instances of every application. The plugin may be registered in a child instance only. */
const children: FastifyInstance[] = []

function collectChildren (message: unknown): void {
  (message as { fastify: FastifyInstance }).fastify.addHook('onRegister', (instance) => { children.push(instance) })
}

/** Loads the application. Returns the instance in an object, because an instance is a thenable: `await` would wait until it is ready. */
async function loadApplication (file: string): Promise<{ root: FastifyInstance }> {
  let exported = await import(pathToFileURL(file).href) as { default?: unknown, options?: object }
  // A CommonJS module that TypeScript or Babel compiled from an ES module: its own exports are in `default`.
  if ((exported.default as { __esModule?: boolean } | undefined)?.__esModule === true) exported = exported.default as typeof exported
  const application = exported.default as (FastifyInstance & FastifyPluginAsync & { options?: object }) | undefined
  if (typeof application?.ready === 'function') return { root: application }
  if (typeof application !== 'function') throw new Error('its default export is neither a plugin nor a Fastify instance; export one of them')
  const options = exported.options ?? application.options ?? {}
  const fastify = createRequire(file)(require.resolve('fastify', { paths: [dirname(file), __dirname] })) as (options: object) => FastifyInstance
  const root = fastify(options)
  root.register(application, options)
  return { root }
}

async function askApplication (root: FastifyInstance, question: CorsQuestion | undefined): Promise<TaskReply> {
  // Fastify creates a child instance with its parent as the prototype.
  const instances = [root, ...children.filter((child) => Object.prototype.isPrototypeOf.call(root, child))]
  const owner = instances.find((each) => typeof each.cors?.explain === 'function')
  if (owner === undefined) return { corsFailure: 'fastify-cors-policy is not registered in the application; register it' }
  try {
    return { corsAnswer: question === undefined ? owner.cors.routes() : await owner.cors.explain(question) }
  } catch (error) {
    return { corsFailure: errorMessage(error) }
  }
}

interface TaskResult { readonly reply: TaskReply, readonly root?: FastifyInstance }

/** Loads the application and asks it. Never rejects. `root` is the application, if it was loaded, ready or not. */
export async function runTask (task: Task): Promise<TaskResult> {
  subscribe('fastify.initialization', collectChildren)
  const result = await loadAndAsk(task)
  unsubscribe('fastify.initialization', collectChildren)
  return result
}

async function loadAndAsk ({ file, question }: Task): Promise<TaskResult> {
  let loaded: { root: FastifyInstance } | undefined
  try {
    loaded = await loadApplication(file)
    await loaded.root.ready()
    return { ...loaded, reply: await askApplication(loaded.root, question) }
  } catch (error) {
    return { ...loaded, reply: { corsFailure: `the application does not load: ${errorMessage(error)}` } }
  }
}

/** Sends the reply, then closes the application. Closing may take long: run.ts waits for it, but only for a limited time. */
async function handleTask (task: Task): Promise<void> {
  const { reply, root } = await runTask(task)
  await new Promise((resolve) => process.send?.(reply, resolve))
  try {
    await root?.close()
  } finally {
    process.exit()
  }
}

/** The message of an error, or of anything else that was thrown, with advice where there is some. */
function errorMessage (error: unknown): string {
  const { message, code } = (error ?? {}) as { message?: unknown, code?: unknown }
  const advice = typeof code === 'string' ? ADVICE[code] : undefined
  return `${typeof message === 'string' ? message : inspect(error)}${advice === undefined ? '' : `; ${advice}`}`
}

/** Advice for errors that are typical of loading an application from a command, by error code. */
const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the application listens when it is loaded; export it from a file that does not call listen()',
  ERR_UNKNOWN_FILE_EXTENSION: 'for TypeScript, use Node 22.6 or newer, or compile the file'
}

if (require.main === module) {
  // The command has ended.
  process.once('disconnect', () => process.exit())
  // The task is a message and not an argument, because the application may read the arguments.
  process.once('message', handleTask)
}
