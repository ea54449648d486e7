// The process in which the application is loaded and asked; run.ts starts it. Its standard output is the command's standard error, so whatever
// the application prints stays out of the answer, which is sent as a message. It imports nothing of this package: the application answers with
// its own copy, which is loaded when the application loads it.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { CorsQuestion } from '../explain/types'

/** What it is sent: the application's file, and the question; without one, it answers with the routes. */
export interface Task { readonly file: string, readonly question?: CorsQuestion }

/** What it sends: the answer, or why there is none. */
export interface Outcome { readonly corsAnswer?: unknown, readonly corsFailure?: string }

/** Child instances of every application. The plugin may be registered in one of them alone. */
const children: FastifyInstance[] = []

function watch (message: unknown): void {
  (message as { fastify: FastifyInstance }).fastify.addHook('onRegister', (instance) => { children.push(instance) })
}

/** In an object, for an instance is a promise of its own being ready. */
async function load (file: string): Promise<{ root: FastifyInstance }> {
  let exported = await import(pathToFileURL(file).href) as { default?: unknown, options?: object }
  // A CommonJS module that TypeScript or Babel made of an ES module.
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

async function ask (root: FastifyInstance, question: CorsQuestion | undefined): Promise<Outcome> {
  const owner = [root, ...children].find((each) => (each === root || Object.prototype.isPrototypeOf.call(root, each)) && typeof each.cors?.explain === 'function')
  if (owner === undefined) return { corsFailure: 'fastify-cors-policy is not registered in the application; register it' }
  try {
    return { corsAnswer: question === undefined ? owner.cors.routes() : await owner.cors.explain(question) }
  } catch (error) {
    return { corsFailure: messageOf(error) }
  }
}

interface Answered { readonly outcome: Outcome, readonly root?: FastifyInstance }

/** Loads the application and asks it. Never rejects; the application is there where it was loaded, ready or not. */
export async function answer (task: Task): Promise<Answered> {
  subscribe('fastify.initialization', watch)
  const answered = await loadAndAsk(task)
  unsubscribe('fastify.initialization', watch)
  return answered
}

async function loadAndAsk ({ file, question }: Task): Promise<Answered> {
  let loaded: { root: FastifyInstance } | undefined
  try {
    loaded = await load(file)
    await loaded.root.ready()
    return { ...loaded, outcome: await ask(loaded.root, question) }
  } catch (error) {
    return { ...loaded, outcome: { corsFailure: `the application does not load: ${messageOf(error)}` } }
  }
}

/** Sends the outcome first, for closing may take long, and then closes what was loaded: run.ts waits for that, but not without an end. */
async function work (task: Task): Promise<void> {
  const { outcome, root } = await answer(task)
  await new Promise((resolve) => process.send?.(outcome, resolve))
  try {
    await root?.close()
  } finally {
    process.exit()
  }
}

/** Anything can be thrown. */
function messageOf (error: unknown): string {
  const { message, code } = (error ?? {}) as { message?: unknown, code?: unknown }
  const advice = typeof code === 'string' ? ADVICE[code] : undefined
  return `${typeof message === 'string' ? message : inspect(error)}${advice === undefined ? '' : `; ${advice}`}`
}

/** What to do about errors that come of loading an application where it is not meant to run. */
const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it listens as soon as it is loaded; export the application from a file that does not listen',
  ERR_UNKNOWN_FILE_EXTENSION: 'where it is TypeScript, use Node 22.6 or newer, or compile it'
}

if (require.main === module) {
  // Whoever asked is gone.
  process.once('disconnect', () => process.exit())
  // Not an argument: those the application may read.
  process.once('message', work)
}
