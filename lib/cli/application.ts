// The process in which the application is loaded and asked. Its standard output is the command's standard error, so whatever the application
// prints stays out of the answer, which is sent as a message.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { subscribe } from 'node:diagnostics_channel'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import '../application/observer'
import type { CorsQuestion } from '../explain/types'

/** What is sent: the answer, or why there is none. */
export interface Outcome { readonly corsAnswer?: unknown, readonly corsFailure?: string }

const instances: FastifyInstance[] = []

async function load (file: string): Promise<FastifyInstance> {
  let exported = await import(pathToFileURL(file).href) as { default?: unknown, options?: object }
  // A CommonJS module that TypeScript or Babel made of an ES module.
  if ((exported.default as { __esModule?: boolean } | undefined)?.__esModule === true) exported = exported.default as typeof exported
  const application = exported.default as (FastifyInstance & FastifyPluginAsync & { options?: object }) | undefined
  if (typeof application?.ready === 'function') return application
  if (typeof application !== 'function') throw new Error('its default export is neither a plugin nor a Fastify instance; export one of them')
  const options = exported.options ?? application.options ?? {}
  const fastify = createRequire(file)(require.resolve('fastify', { paths: [dirname(file), __dirname] })) as (options: object) => FastifyInstance
  const root = fastify(options)
  root.register(application, options)
  return root
}

async function answer (file: string, question: CorsQuestion | undefined): Promise<Outcome> {
  let root: FastifyInstance
  try {
    root = await load(file)
    await root.ready()
  } catch (error) {
    return { corsFailure: `the application does not load: ${error instanceof Error ? error.message : String(error)}` }
  }
  const owner = [root, ...instances].find((each) => (each === root || Object.prototype.isPrototypeOf.call(root, each)) && typeof each.cors?.explain === 'function')
  if (owner === undefined) return { corsFailure: 'fastify-cors-policy is not registered in the application; register it' }
  try {
    return { corsAnswer: question === undefined ? owner.cors.routes() : await owner.cors.explain(question) }
  } catch (error) {
    return { corsFailure: (error as Error).message }
  } finally {
    root.close().then(() => process.exit(), () => process.exit())
  }
}

if (require.main === module) {
  subscribe('fastify.initialization', (message) => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRegister', (instance) => { instances.push(instance) })
  })
  const [file, question] = JSON.parse(process.argv[2] as string) as [string, CorsQuestion | null]
  answer(file, question ?? undefined).then((outcome) => process.send?.(outcome, () => { if (outcome.corsFailure !== undefined) process.exit() }), () => process.exit(1))
}
