// The inspector, for development: a page that lists the routes with their policies, and asks app.cors.explain. The default export of
// `fastify-cors-policy/inspector`, a plugin for `register`.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { CorsDecoration, CorsQuestion, CorsQuestionError } from '../explain/types'
import { printable } from '../errors'
import { guard } from './guard'
import { checkInspectorOptions } from './options'

/**
 * Serves the inspector below its prefix: `/_cors/` for `{ prefix: '/_cors' }`. The page lists every route that CORS concerns, and says of a request
 * that a page would make whether browsers allow it, and if not, what to write. For development: it shows all policies to whoever reaches it.
 *
 * Register it where `app.cors` is: on an instance that has fastify-cors-policy, or on one below it.
 *
 * @throws CorsPolicyError when its options are wrong, when `app.cors` is not there, and with `NODE_ENV=production`
 * @example
 * await app.register(cors, { policies })
 * if (process.env.NODE_ENV !== 'production') await app.register(inspector, { prefix: '/_cors' })
 */
async function inspector (instance: FastifyInstance, options: inspector.InspectorOptions): Promise<void> {
  const hosts = checkInspectorOptions(options, instance.hasDecorator('cors'))
  const files = await Promise.all(FILES.map(async ([path, type]) => [path, type, await readFile(join(__dirname, path))] as const))
  const own = new Set<string>()
  // Called once for a prefixed "/", of which Fastify makes two routes.
  instance.addHook('onRoute', ({ method, url, routePath }) => {
    for (const each of [url, ...(routePath === '' ? [`${url}/`] : [])]) own.add(`${String(method)} ${each}`)
  })
  instance.addHook('onRequest', guard(hosts))
  // Of the application's parsers and handlers none reads or answers what is the inspector's: text/plain, which any page may send, is not read at all.
  instance.removeAllContentTypeParsers()
  instance.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: MAX_QUESTION_LENGTH }, instance.getDefaultJsonParser('error', 'error'))
  instance.setErrorHandler<ClientError>((error, request, reply) => {
    const statusCode = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 500
    if (statusCode === 500) request.log.error(error)
    return reply.code(statusCode).type(JSON_TYPE).send(JSON.stringify(statusCode === 500 ? FAILURE : described(error)))
  })

  const config = { cors: false } as const
  const cors = (instance as { cors: CorsDecoration }).cors
  const [[, pageType, page], ...others] = files as [typeof files[number], ...typeof files]
  const lastSegment = instance.prefix.split('/').findLast((segment) => segment !== '')
  // Its links are relative, so that it works below any prefix, and behind a proxy that adds one: they need the slash at the end.
  instance.get('/', { config }, (request, reply) => {
    const [path] = request.originalUrl.split(/[?;]/) as [string]
    return path.endsWith('/') ? reply.type(pageType).send(page) : reply.redirect(`./${lastSegment}/`)
  })
  for (const [path, type, content] of others) instance.get(`/${path}`, { config }, (_, reply) => reply.type(type).send(content))
  instance.get('/routes', { config }, (_, reply) => {
    return reply.type(JSON_TYPE).send(JSON.stringify(cors.routes().filter(({ method, url }) => !own.has(`${method} ${url}`))))
  })
  instance.post('/explain', { config }, async (request, reply) => {
    return await reply.type(JSON_TYPE).send(JSON.stringify(await cors.explain(request.body as CorsQuestion)))
  })
}

/** The files beside this one, the page first. */
const FILES = [
  ['page.html', 'text/html; charset=utf-8'],
  ['page.css', 'text/css; charset=utf-8'],
  ['page.js', 'text/javascript; charset=utf-8'],
  ['icon.svg', 'image/svg+xml']
] as const

const JSON_TYPE = 'application/json; charset=utf-8'

/** In bytes. A browser's own limits for a request are below it. */
const MAX_QUESTION_LENGTH = 65_536

type ClientError = Partial<CorsQuestionError> & Error

const FAILURE = { message: 'the question could not be answered; the log says why' }

/** An error as the page shows it: without the values of its problems, which the messages quote. */
function described ({ code, message, problems = [] }: ClientError): object {
  return { code, message: printable(message), problems: problems.map(({ pointer, reason, message }) => ({ pointer: printable(pointer), reason, message })) }
}

fp(inspector, { name: 'fastify-cors-policy-inspector', fastify: '5.x', encapsulate: true })

declare namespace inspector {
  export { inspector, inspector as default }

  /** The options of the inspector, beside Fastify's own for `register`. */
  export interface InspectorOptions {
    /**
     * The path that it is served below, as for any plugin.
     *
     * @example '/_cors'
     */
    prefix?: string
    /**
     * Names of hosts that it answers besides `localhost`, `*.localhost`, `127.0.0.0/8` and `[::1]`; any port. Every other `Host` is answered 403, for
     * it may be a name of a stranger that leads to this machine (DNS rebinding).
     *
     * @defaultValue none
     * @example ['dev.example.com']
     */
    hosts?: readonly string[]
    /**
     * Lets it be registered with `NODE_ENV=production`, where everybody who reaches it sees all policies.
     *
     * @defaultValue `false`
     */
    dangerouslyInProduction?: boolean
  }
}

// Node finds the names of a CommonJS module's exports by reading its text: written so, they can be imported by name.
module.exports.inspector = inspector
Object.assign(inspector, module.exports, { default: inspector })

export = inspector
