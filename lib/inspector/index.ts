// The inspector, for development: a page that lists the routes with their policies, and calls app.cors.explain. It is a Fastify plugin, the default
// export of `fastify-cors-policy/inspector`.
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { CorsDecoration, CorsQuestion, CorsQuestionError } from '../devtools/types'
import { printable } from '../messages/errors'
import { CONTENTS } from './files'
import { guard } from './guard'
import { checkInspectorOptions } from './options'

/**
 * Serves the inspector below its prefix: at `/_cors/` for `{ prefix: '/_cors' }`. The page lists every route, those without a
 * policy included. Its form explains whether browsers allow a request, and if not, what to write. It is for development: everybody who reaches it can read
 * all policies.
 *
 * Register it after fastify-cors-policy.
 *
 * @throws CorsPolicyError where its options are invalid, where `app.cors` does not exist, and with `NODE_ENV=production`
 * @example
 * await app.register(cors, { policies })
 * if (process.env.NODE_ENV !== 'production') await app.register(inspector, { prefix: '/_cors' })
 */
async function inspector (instance: FastifyInstance, options: inspector.InspectorOptions): Promise<void> {
  const matchesHost = checkInspectorOptions(options, instance.hasDecorator('cors'))
  const ownRoutes = new Set<string>()
  // For a prefixed "/", Fastify declares two routes but calls the hook once.
  instance.addHook('onRoute', ({ method, url, routePath }) => {
    for (const each of [url, ...(routePath === '' ? [`${url}/`] : [])]) ownRoutes.add(`${String(method)} ${each}`)
  })
  instance.addHook('onRequest', guard(matchesHost))
  // The application's parsers and error handlers must not see the inspector's requests. A body of another type, such as text/plain, is not read at all:
  // every page can send that without a preflight.
  instance.removeAllContentTypeParsers()
  instance.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: MAX_QUESTION_LENGTH }, instance.getDefaultJsonParser('error', 'error'))
  instance.setErrorHandler<ClientError>((error, request, reply) => {
    const statusCode = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 500
    if (statusCode === 500) request.log.error(error)
    return reply.code(statusCode).type(JSON_TYPE).send(JSON.stringify(statusCode === 500 ? INTERNAL_ERROR : errorBody(error)))
  })

  const config = { cors: false } as const
  const cors = (instance as { cors: CorsDecoration }).cors
  const lastSegment = instance.prefix.split('/').findLast((segment) => segment !== '')
  // The page's links are relative, so that it works below any prefix and behind a proxy that adds one. They need the trailing slash.
  instance.get('/', { config }, (request, reply) => {
    const [path] = request.originalUrl.split(/[?;]/) as [string]
    return path.endsWith('/') ? reply.type('text/html; charset=utf-8').send(CONTENTS['page.html']) : reply.redirect(`./${lastSegment}/`)
  })
  for (const [path, type] of FILES) instance.get(`/${path}`, { config }, (_, reply) => reply.type(type).send(CONTENTS[path]))
  instance.get('/routes', { config }, (_, reply) => {
    return reply.type(JSON_TYPE).send(JSON.stringify(cors.routes().filter(({ method, url }) => !ownRoutes.has(`${method} ${url}`))))
  })
  instance.post('/explain', { config }, async (request, reply) => {
    return await reply.type(JSON_TYPE).send(JSON.stringify(await cors.explain(request.body as CorsQuestion)))
  })
}

/** The files of the page, with their types. */
const FILES = [
  ['page.css', 'text/css; charset=utf-8'],
  ['page.js', 'text/javascript; charset=utf-8'],
  ['icon.svg', 'image/svg+xml']
] as const

const JSON_TYPE = 'application/json; charset=utf-8'

/** In bytes. A question with the longest URL and headers that servers usually accept is shorter. */
const MAX_QUESTION_LENGTH = 65_536

type ClientError = Partial<CorsQuestionError> & Error

const INTERNAL_ERROR = { message: 'the request failed; the log has the error' }

/** The response body for an error. It has no `value` of a problem: the message quotes it already. */
function errorBody ({ code, message, problems = [] }: ClientError): object {
  return { code, message: printable(message), problems: problems.map(({ pointer, reason, message }) => ({ pointer: printable(pointer), reason, message })) }
}

fp(inspector, { name: 'fastify-cors-policy-inspector', fastify: '5.x', encapsulate: true })

declare namespace inspector {
  export { inspector, inspector as default }

  /** The options of the inspector, besides Fastify's own options of `register`. */
  export interface InspectorOptions {
    /**
     * The path below which it is served, without a slash at the end.
     *
     * @defaultValue the prefix of the instance
     * @example '/_cors'
     */
    prefix?: string
    /**
     * Hosts that it answers besides `localhost`, `*.localhost`, `127.0.0.0/8` and `[::1]`, written as in the option `hosts` of the plugin. A host without a
     * port means every port. Any other `Host` is answered 403: an attacker's domain can resolve to this machine (DNS rebinding).
     *
     * @defaultValue none
     * @example ['dev.example.com']
     */
    hosts?: readonly string[]
    /**
     * Allows registering it with `NODE_ENV=production`. Everybody who reaches it can read all policies.
     *
     * @defaultValue `false`
     */
    dangerouslyInProduction?: boolean
  }
}

// Node reads the text of a CommonJS module to find the names that an ES module can import. It finds this assignment.
module.exports.inspector = inspector
Object.assign(inspector, module.exports, { default: inspector })

export = inspector
