// Who takes part: Fastify alone, three ways to do CORS in it, and a plugin that does nothing. Each loads only what it needs, when it is built: a process
// measures one of them.
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { AddressInfo } from 'node:net'
import type { CorsOriginFunction } from 'fastify-cors-policy'

/** Routes that every contestant is given. */
export interface RouteSetup {
  readonly url: string
  readonly methods: readonly string[]
  /** Exact origins, or patterns such as `https://*.example.com`. */
  readonly origins: readonly string[]
}

/** What every contestant is given to build. */
export interface Setup {
  readonly routes: readonly RouteSetup[]
  /** Where ours has its policy: on each route, or named for all of them. */
  readonly declared: 'route' | 'name'
  /** Whether a function decides about origins, later. */
  readonly asynchronous: boolean
}

/** A server that was built. */
export interface Subject {
  /** Takes node's request and response, or what stands for them. */
  readonly handle: (request: never, response: never) => unknown
  /** The port. */
  readonly listen: () => Promise<number>
  readonly close: () => Promise<unknown>
}

export interface Contestant {
  readonly title: string
  readonly package: string
  /** Loads all modules and gives what builds the server, so that the two can be timed apart. */
  readonly load: () => (setup: Setup) => Promise<Subject>
}

const BODY = 'ok'

/** The policy's other settings, the same for all. */
const PREFLIGHT = { allowedHeaders: ['content-type'], maxAge: 600 } as const

/** The first route's policy, where a contestant knows one only. */
function onlyOrigins ({ routes }: Setup): readonly string[] {
  return routes[0]?.origins ?? []
}

/** A RegExp for those that take no patterns. */
function asRegExp (origin: string): string | RegExp {
  if (!origin.includes('*')) return origin
  return new RegExp(`^${origin.replace(/[.]/g, '\\.').replace('*\\.', '(?:[^./:@]+\\.)+')}$`)
}

function later (origins: readonly string[]): (origin: string | undefined) => Promise<boolean> {
  const set = new Set<string | undefined>(origins)
  return async (origin) => set.has(origin)
}

function addRoutes (app: FastifyInstance, { routes }: Setup, config?: (route: RouteSetup) => RouteOptions['config'], everyOptions = false): void {
  const handler = (_request: FastifyRequest, reply: FastifyReply): void => { reply.send(BODY) }
  const noContent = (_request: FastifyRequest, reply: FastifyReply): void => { reply.code(204).send() }
  for (const route of routes) {
    const own = config === undefined ? {} : { config: config(route) as object }
    for (const method of route.methods) app.route({ method, url: route.url, handler, ...own })
    if (everyOptions) app.route({ method: 'OPTIONS', url: route.url, handler: noContent })
  }
}

async function ready (app: FastifyInstance): Promise<Subject> {
  await app.ready()
  return {
    handle: app.routing as never,
    listen: async () => {
      await app.listen({ port: 0, host: '127.0.0.1' })
      return (app.server.address() as AddressInfo).port
    },
    close: () => app.close()
  }
}

// With require(), and late: a process loads its own contestant only, and its loading can be timed.
const loadFastify = (): typeof import('fastify') => require('fastify') as typeof import('fastify')

/** Hooks and OPTIONS routes for one policy, as somebody writes them who knows what CORS needs and that there is one policy only. */
function handWritten (app: FastifyInstance, setup: Setup): void {
  const allowed = new Set(onlyOrigins(setup))
  const ask = later(onlyOrigins(setup))
  const methods = [...new Set(setup.routes.flatMap((route) => route.methods))].join(', ')

  function allow (reply: FastifyReply, origin: string): void {
    reply.header('access-control-allow-origin', origin)
    reply.header('access-control-allow-credentials', 'true')
  }

  if (setup.asynchronous) {
    app.addHook('onRequest', async (request, reply) => {
      const { origin } = request.headers
      reply.header('vary', 'Origin')
      if (origin !== undefined && await ask(origin)) allow(reply, origin)
    })
  } else {
    app.addHook('onRequest', (request, reply, done) => {
      const { origin } = request.headers
      reply.header('vary', 'Origin')
      if (origin !== undefined && allowed.has(origin)) allow(reply, origin)
      done()
    })
  }
  app.addHook('onSend', (_request, reply, _payload, done) => {
    const vary = reply.getHeader('vary')
    if (vary === undefined) reply.header('vary', 'Origin')
    else if (vary !== 'Origin' && !/(?:^|,)\s*origin\s*(?:,|$)/i.test(String(vary))) reply.header('vary', `${String(vary)}, Origin`)
    done()
  })
  for (const { url } of setup.routes) {
    app.options(url, (_request, reply) => {
      reply.header('vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
      if (!reply.hasHeader('access-control-allow-origin')) return reply.code(403).send()
      reply.header('access-control-allow-methods', methods)
      reply.header('access-control-allow-headers', 'content-type')
      reply.header('access-control-max-age', '600')
      return reply.code(204).send()
    })
  }
}

function ours (): (setup: Setup) => Promise<Subject> {
  const cors = require('fastify-cors-policy') as typeof import('fastify-cors-policy')
  const Fastify = loadFastify()
  return async (setup) => {
    const app = Fastify()
    const asked = new Map<readonly string[], CorsOriginFunction>()
    const policy = (origins: readonly string[]): import('fastify-cors-policy').CorsPolicy => {
      if (setup.asynchronous && !asked.has(origins)) asked.set(origins, later(origins))
      return { ...PREFLIGHT, origin: asked.get(origins) ?? origins, credentials: true }
    }
    await app.register(cors, setup.declared === 'route' ? {} : { policies: { partner: policy(onlyOrigins(setup)) } })
    addRoutes(app, setup, setup.declared === 'route' ? ({ origins }) => ({ cors: policy(origins) }) : () => ({ cors: { extends: 'partner' } }))
    return await ready(app)
  }
}

/** The settings that several packages take under the same names. */
function commonSettings (setup: Setup): { origin: Array<string | RegExp>, credentials: true, methods: string[], allowedHeaders: string[], maxAge: number } {
  return {
    origin: onlyOrigins(setup).map(asRegExp),
    credentials: true,
    methods: [...new Set(setup.routes.flatMap(({ methods }) => methods))],
    allowedHeaders: [...PREFLIGHT.allowedHeaders],
    maxAge: PREFLIGHT.maxAge
  }
}

export const CONTESTANTS = {
  alone: {
    title: 'Fastify alone',
    package: 'fastify',
    load: () => {
      const Fastify = loadFastify()
      return async (setup) => {
        const app = Fastify()
        addRoutes(app, setup, undefined, setup.routes.length < 3)
        return await ready(app)
      }
    }
  },
  hand: {
    title: 'hand-written hooks',
    package: 'fastify',
    load: () => {
      const Fastify = loadFastify()
      return async (setup) => {
        const app = Fastify()
        handWritten(app, setup)
        addRoutes(app, setup)
        return await ready(app)
      }
    }
  },
  theirs: {
    title: '@fastify/cors',
    package: '@fastify/cors',
    load: () => {
      const cors = require('@fastify/cors') as typeof import('@fastify/cors')
      const Fastify = loadFastify()
      return async (setup) => {
        const app = Fastify()
        const settings = commonSettings(setup)
        await app.register(cors, setup.asynchronous ? { ...settings, origin: later(onlyOrigins(setup)) } : settings)
        const oneForAll = setup.routes.every(({ origins }) => origins === onlyOrigins(setup))
        addRoutes(app, setup, oneForAll ? undefined : ({ origins }) => ({ cors: { origin: origins.map(asRegExp) } }) as never)
        return await ready(app)
      }
    }
  },
  ours: { title: 'fastify-cors-policy', package: 'fastify-cors-policy', load: ours },
  nothing: {
    title: 'a plugin that does nothing',
    package: 'fastify',
    load: () => {
      const Fastify = loadFastify()
      return async (setup) => {
        const app = Fastify()
        await app.register(async () => {})
        addRoutes(app, setup)
        return await ready(app)
      }
    }
  }
} as const satisfies Record<string, Contestant>

export type ContestantName = keyof typeof CONTESTANTS
