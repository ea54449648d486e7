// A preflight and the request it announces agree, whatever the routes: random route tables, random requests, both sent and compared.
import t from 'tap'
import fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import cors from '../../lib/index'
import { accessControl, approves, EVIL, FOO, ok, preflight, request } from '../support'

const METHODS = ['GET', 'PUT', 'DELETE'] as const
const POLICIES = [{ origin: FOO }, { origin: EVIL }, { origin: [FOO, EVIL] }, false, undefined] as const

const segment = fc.constantFrom('a', 'b', 'ab', ':id', ':name', ':id(^\\d+$)', ':id(^[a-z]$)', ':id.json', ':id-:name', '')
const url = fc.tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '', '/*')).map(([segments, end]) => `/${segments.join('/')}${end}`)

const route = fc.record({
  url,
  methods: fc.uniqueArray(fc.constantFrom(...METHODS), { minLength: 1 }),
  policy: fc.constantFrom(...POLICIES),
  host: fc.constantFrom(undefined, undefined, undefined, 'a.test', /^[ab]\.test$/),
  place: fc.constantFrom('in', 'in', 'out', 'before')
})

const path = fc.array(fc.constantFrom('a', 'b', 'ab', '1', '12', 'x', 'x.json', '1.json', 'a-b', '1-2', ''), { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
const asked = fc.record({ path, method: fc.constantFrom(...METHODS), host: fc.constantFrom('a.test', 'b.test', 'c.test') })

type Route = typeof route extends fc.Arbitrary<infer Value> ? Value : never

/** A version that a route needs. */
interface Versioned { version?: string | undefined }

/** Declares a route, method by method. What Fastify refuses as declared already, or we as a conflict, is left out: then the table is not what it seems. */
function declare (app: FastifyInstance, { url, methods, policy, host, version }: Route & Versioned): boolean {
  let complete = true
  for (const method of methods) {
    try {
      app.route({ method, url, exposeHeadRoute: false, constraints: { ...(host !== undefined && { host }), ...(version !== undefined && { version }) }, config: policy === undefined ? {} : { cors: policy }, handler: ok })
    } catch (error) {
      const { code, problems } = error as { code: string, problems?: cors.CorsProblem[] }
      if (code !== 'FST_ERR_DUPLICATED_ROUTE' && problems?.some(({ reason }) => reason === 'conflict') !== true) throw error
      complete = false
    }
  }
  return complete
}

async function build (routes: Array<Route & Versioned>, options: cors.CorsPluginOptions): Promise<{ app: FastifyInstance | undefined, complete: boolean }> {
  const app = Fastify()
  const declared: boolean[] = []
  const at = (place: string): Array<Route & Versioned> => routes.filter((each) => each.place === place)
  for (const each of at('before')) declared.push(declare(app, each))
  await app.register(async (scope) => {
    await scope.register(cors, options)
    for (const each of at('in')) declared.push(declare(scope, each))
  })
  for (const each of at('out')) declared.push(declare(app, { ...each, policy: undefined }))
  try {
    await app.ready()
  } catch (error) {
    // Routes of one URL may be spelled differently, so that their conflict shows only now.
    if ((error as cors.CorsPolicyError).problems[0]?.reason !== 'conflict') throw error
    return { app: undefined, complete: false }
  }
  return { app, complete: declared.every(Boolean) }
}

t.test('in random route tables, a preflight and its request agree', async (t) => {
  let approved = 0
  let refused = 0
  await fc.assert(fc.asyncProperty(
    fc.array(route, { minLength: 1, maxLength: 12 }), fc.array(asked, { minLength: 5, maxLength: 15 }), fc.constantFrom({}, { defaultPolicy: { origin: FOO } }),
    async (routes, requests, options) => {
      const { app, complete } = await build(routes, options)
      if (app === undefined) throw new Error('there are no conflicts without versions')
      for (const { path, method, host } of requests) {
        for (const origin of [FOO, EVIL]) {
          const actual = await request(app, method, path, origin, { headers: { host } })
          const allowed = actual.statusCode === 200 && accessControl(actual)['access-control-allow-origin'] === origin
          const answer = approves(await preflight(app, method, path, { origin, headers: { host } }), method)
          if (answer) approved++
          else refused++
          // An application that goes on after a refused declaration may have too little approved, but never too much.
          if (complete ? answer !== allowed : answer && !allowed) throw new Error(`${method} ${path} on ${host} from ${origin}: preflight ${String(answer)}, request ${String(allowed)}\n${app.printRoutes()}`)
        }
      }
      await app.close()
    }
  ), { numRuns: 300, seed: 1 })
  t.ok(approved > 100, 'the tables do lead to approvals')
  t.ok(refused > 100, 'and to refusals')
})

t.test('in random route tables with versions, a preflight and its request agree', async (t) => {
  const version = fc.constantFrom(undefined, undefined, '1.0.0', '2.0.0')
  const routes = fc.array(fc.tuple(route, version).map(([each, version]) => ({ ...each, version })), { minLength: 1, maxLength: 12 })
  const requests = fc.array(fc.tuple(asked, fc.constantFrom(undefined, '1.x', '2.x')).map(([each, version]) => ({ ...each, version })), { minLength: 5, maxLength: 15 })
  const seen = { approved: 0, versioned: 0, refused: 0 }
  await fc.assert(fc.asyncProperty(routes, requests, fc.constantFrom({}, { defaultPolicy: { origin: FOO } }), async (routes, requests, options) => {
    const { app } = await build(routes, options)
    if (app === undefined) return
    for (const { path, method, host, version } of requests) {
      for (const origin of [FOO, EVIL]) {
        const actual = await request(app, method, path, origin, { headers: { host, ...(version !== undefined && { 'accept-version': version }) } })
        const answer = approves(await preflight(app, method, path, { origin, headers: { host }, ...(version !== undefined && { requestHeaders: 'accept-version' }) }), method)
        seen[!answer ? 'refused' : version === undefined ? 'approved' : 'versioned']++
        // Which version it will be, a preflight cannot say, so that too little may be approved; and what reaches no route at all does no harm.
        const allowed = actual.statusCode === 404 || accessControl(actual)['access-control-allow-origin'] === origin
        if (answer && !allowed) throw new Error(`${method} ${path} ${version} on ${host} from ${origin} is approved, and reaches a route that refuses it\n${app.printRoutes()}`)
      }
    }
    await app.close()
  }), { numRuns: 300, seed: 1 })
  t.ok(Object.values(seen).every((count) => count > 50), JSON.stringify(seen))
})
