// What the plugin relies on, and neither Fastify nor Node documents. Each fact is probed when an application is ready: in a Fastify or a Node that differs, the
// application fails to start, instead of answering preflights wrongly or not at all.
import createError from '@fastify/error'
import { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { rootOf } from './instances'
import type { RouterEntry } from './router-entries'

const UnsupportedFastifyError = createError(
  'FST_ERR_CORS_UNSUPPORTED_FASTIFY',
  'fastify-cors-policy cannot work here: %s. Write "fastify": "^5.0.0" in the dependencies of your package.json, update fastify-cors-policy, or report ' +
  'this with the versions of both and of Node'
)

/** The error that ends the start of an application. `fact` says what is different here. */
export function unsupported (fact: string): Error {
  return new UnsupportedFastifyError(fact)
}

/** Throws unless the router hands out each route with its `config` and its instance, which is below the root. */
export function probeContexts (root: FastifyInstance, entries: readonly RouterEntry[]): void {
  const known = new Set<unknown>([root])
  for (const { method, path, context } of entries) {
    if (typeof context?.config !== 'object' || context.config === null) throw unsupported(`the router keeps no config of ${method} ${JSON.stringify(path)}`)
    const { server } = context
    if (known.has(server)) continue
    if (typeof server !== 'object' || server === null || rootOf(server) !== root) throw unsupported('the prototype of a child instance is not its parent')
    known.add(server)
  }
}

/** Throws unless the router hands out as many routes as it has accepted. */
export function probeCount (accepted: number, entries: readonly RouterEntry[]): void {
  if (entries.length >= accepted) return
  throw unsupported('printRoutes() does not hand out the routes that are registered, or an onRoute hook replaced the constraints of a generated OPTIONS ' +
    'route: write { ...options.constraints, … } there')
}

/** Whether Node writes the head of a response by calling the `writeHead` of that response, also where a function replaces it. */
let callsWriteHead: boolean | undefined

/** Throws unless a response writes its head by its own `writeHead`. */
export function probeWriteHead (): void {
  callsWriteHead ??= writesByItsOwnWriteHead()
  if (!callsWriteHead) throw unsupported('a response does not call its writeHead, which the plugin replaces to correct its headers')
}

function writesByItsOwnWriteHead (): boolean {
  const response = new ServerResponse(new IncomingMessage(null as never))
  let called = false
  response.writeHead = (statusCode: number) => {
    called = true
    return ServerResponse.prototype.writeHead.call(response, statusCode)
  }
  response.end()
  return called
}
