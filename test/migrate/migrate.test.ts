// Small applications with @fastify/cors, made like those that people run: what migrate prints for them, that it runs, and which answers change.
import t from 'tap'
import fastifyCors from '@fastify/cors'
import Fastify, { type FastifyInstance } from 'fastify'
import cors from '../../lib/index'
import { ApplicationRecorder, type ApplicationRecord, type Replacements } from '../../lib/devtools/application-recorder'
import { answersTo } from '../../lib/devtools/migrate-answers'
import { changesBetween } from '../../lib/devtools/migrate-changes'
import { beforeMigration, migrationReplacements } from '../../lib/devtools/migrate'
import type { Migration } from '../../lib/devtools/migrate-types'
import { ok } from '../support'

const APP = 'https://app.example.com'
interface Test { teardown (fn: () => Promise<void>): void }
type Make = (app: FastifyInstance) => unknown
interface Clients { readonly origins?: string[], readonly headers?: Array<[string, string]> }

async function load (t: Test, make: Make, replacements?: Replacements): Promise<{ app: FastifyInstance, record: ApplicationRecord }> {
  const recorder = new ApplicationRecorder(replacements)
  const app = Fastify()
  recorder.stop()
  t.teardown(async () => { await app.close() })
  await make(app)
  await app.ready()
  return { app, record: recorder.of(app) as ApplicationRecord }
}

/** As the command does it, in one process. */
async function migrate (t: Test, make: Make, { origins = [], headers = [] }: Clients = {}): Promise<Migration> {
  const old = await load(t, make)
  const { questions, answers, ...before } = await beforeMigration(old.app, old.record, cors as never, { origins, source: '' }, headers)
  const { app, record } = await load(t, make, migrationReplacements(cors as never, origins))
  const after = await answersTo(app, record, questions)
  for (const { code, toWrite } of before.registrations) if (toWrite.length === 0) await runs(t, code)
  return { ...before, changes: changesBetween(questions, answers, after), compared: questions.length }
}

/** The printed program text registers the plugin. */
async function runs (t: Test, code: string): Promise<void> {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await new AsyncFunction('app', 'cors', code)(app, cors)
  await app.ready()
}

/** One line for each change: `wider PUT /a: blocked (…) -> allowed …`. */
function lines ({ changes }: Migration): string[] {
  return changes.map(({ kind, routes, was, becomes }) => `${kind} ${routes.join(', ')}: ${was} -> ${becomes}`)
}

t.test('writes that methods kept closed become allowed, which is said first, with how to keep them closed', async (t) => {
  const migration = await migrate(t, (app) => {
    app.register(fastifyCors, { origin: APP })
    app.get('/items', ok)
    app.put('/items/:id', ok)
    app.delete('/items/:id', ok)
  })
  t.equal(migration.registrations[0]?.code, `await app.register(cors, {
  policies: {
    app: {
      origin: '${APP}',
      allowedHeaders: ['*', 'Authorization']
    }
  },
  defaultPolicy: 'app'
})`)
  t.match(migration.changes[0], {
    kind: 'wider',
    routes: ['PUT /items/:id'],
    origins: [APP],
    was: 'blocked (method not allowed)',
    becomes: 'allowed without credentials',
    advice: 'to keep PUT closed, write config: { cors: false } for the route'
  })
  t.equal(lines(migration)[1], 'wider DELETE /items/:id: blocked (method not allowed) -> allowed without credentials')
  t.match(migration.registrations[0]?.location, /^test\/migrate\/migrate\.test\.ts:\d+:\d+$/)
})

t.test('headers that were reflected stay allowed, those of real clients included', async (t) => {
  const migration = await migrate(t, (app) => {
    app.register(fastifyCors, { origin: [APP, 'https://b.example.org'], methods: ['GET', 'POST'], credentials: true })
    app.get('/a', ok)
    app.post('/a', ok)
  }, { headers: [['x-tenant', 'one'], ['x-trace-id', '1']] })
  t.same(migration.changes.filter(({ kind }) => kind !== 'status'), [])
  t.match(migration.registrations[0]?.code, "allowedHeaders: ['*', 'Authorization']")
  t.ok(migration.compared > 20)
})

t.test('lists with commas become arrays, and nothing that was exposed or allowed is lost', async (t) => {
  const migration = await migrate(t, (app) => {
    app.register(fastifyCors, { origin: [APP], methods: 'GET, POST', allowedHeaders: 'Content-Type, Authorization,X-Id, Accept-Encoding', exposedHeaders: 'ETag, X-Total', maxAge: 600, optionsSuccessStatus: 200 })
    app.get('/a', ok)
    app.post('/a', ok)
  }, { headers: [['x-id', '1'], ['x-other', '1']] })
  const [{ code = '', notes = [] } = {}] = migration.registrations
  t.match(code, "allowedHeaders: ['Content-Type', 'Authorization', 'X-Id']")
  t.match(code, "exposedHeaders: ['ETag', 'X-Total']")
  t.match(code, 'maxAge: 600')
  t.match(code, 'optionsSuccessStatus: 200')
  t.ok(notes.some((note) => note.startsWith('methods is left out')))
  t.same(migration.changes.filter(({ kind }) => kind !== 'status'), [])
})

t.test('RegExps are anchored, as patterns where they can be, and what they let in by mistake becomes blocked', async (t) => {
  const migration = await migrate(t, (app) => {
    app.register(fastifyCors, { origin: [/example\.com$/, /^https:\/\/b\.example\.org/, /localhost/], credentials: true, methods: ['GET'] })
    app.get('/a', ok)
  })
  t.match(migration.registrations[0]?.code, "origin: ['https://example.com', 'https://*.example.com', /^https:\\/\\/b\\.example\\.org$/, 'http://localhost:*']")
  t.same(migration.registrations[0]?.toWrite, [])
  const narrower = migration.changes.filter(({ kind }) => kind === 'narrower').flatMap(({ origins }) => origins)
  t.ok(narrower.includes('https://attackerexample.com'))
  t.ok(narrower.includes('https://b.example.org.attacker.example'))
  t.ok(narrower.includes('http://example.com'))
  t.same(migration.changes.filter(({ kind }) => kind === 'wider'), [])
})

t.test('a RegExp that nothing safe takes the place of is named', async (t) => {
  const { registrations: [{ code, toWrite } = { code: '', toWrite: [] }], notCompared } = await migrate(t, (app) => {
    app.register(fastifyCors, { origin: /^https:\/\/(?!evil)\w+\.vercel\.app$/, credentials: true })
    app.get('/a', ok)
  })
  t.match(code, 'origin: allowedOrigins /* to be written */')
  t.match(toWrite, [/vercel.*lookahead/])
  t.same(notCompared, ['GET /a'])
})

t.test('functions are asked in both ways, and named as what stays to be written', async (t) => {
  const decisions: Record<string, unknown> = { [APP]: true, 'https://b.example.org': 'https://b.example.org', 'https://c.example.org': [/c\.example\.org$/], 'https://d.example.org': '*' }
  function isTenant (origin: string | undefined, done: (error: Error | null, allowed: never) => void): void {
    done(null, (decisions[origin as string] ?? false) as never)
  }
  for (const origin of [isTenant, async (origin: string | undefined) => (decisions[origin as string] ?? false) as never]) {
    const migration = await migrate(t, (app) => {
      app.register(fastifyCors, { origin, methods: ['GET', 'PUT'], credentials: true })
      app.put('/a', ok)
    }, { origins: Object.keys(decisions) })
    t.match(migration.registrations[0]?.code, `origin: ${origin === isTenant ? 'isTenant' : 'isAllowed'} /* to be written */`)
    t.match(migration.registrations[0]?.toWrite, [/\(origin, request\) => boolean/])
    t.same(lines(migration).filter((line) => !line.startsWith('status')), [
      // `*` with credentials is refused by browsers; here the function allows the origin by its name.
      'wider PUT /a: allowed without credentials -> allowed with credentials'
    ])
  }
})

t.test('a function that fails allows nobody', async (t) => {
  const migration = await migrate(t, (app) => {
    app.register(fastifyCors, { origin: (_origin, done) => { done(new Error('no database'), false) } })
    app.get('/a', ok)
  }, { origins: [APP] })
  t.same(migration.changes.map(({ kind, was, becomes }) => [kind, was, becomes]).find(([, was]) => was === 'status 500'), ['status', 'status 500', 'status 200'])
})

t.test('a delegator is named, and its routes are not compared', async (t) => {
  for (const options of [{ delegator: async () => ({ origin: APP }) }, () => (_request: unknown, done: (error: null, options: object) => void) => { done(null, { origin: APP }) }]) {
    const migration = await migrate(t, (app) => {
      app.register(fastifyCors, options as never)
      app.get('/a', ok)
      app.get('/b', { config: { cors: { origin: APP } } }, ok)
    })
    t.match(migration.registrations[0]?.code, /^\/\/ to be written: the delegator/)
    t.match(migration.registrations[0]?.toWrite, [/policy for each route or scope/])
    t.same(migration.notCompared, ['GET /a', 'GET /b'])
    t.match(migration.routes, [{ code: `config: { cors: { origin: '${APP}', allowedHeaders: ['*', 'Authorization'] } }` }])
  }
})

t.test('origins that are reflected with credentials have to be listed; --origin puts them in', async (t) => {
  const make: Make = (app) => {
    app.register(fastifyCors, { origin: true, credentials: true, methods: ['GET', 'PUT'] })
    app.put('/a', ok)
  }
  const without = await migrate(t, make)
  t.match(without.registrations[0]?.toWrite, [/list your origins; --origin/])
  t.same(without.notCompared, ['PUT /a'])
  const { registrations, changes } = await migrate(t, make, { origins: [APP] })
  t.match(registrations[0]?.code, `origin: ['${APP}']`)
  t.same(registrations[0]?.toWrite, [])
  t.notOk(changes.some(({ kind, origins }) => kind !== 'status' && origins.includes(APP)))
  t.ok(changes.some(({ kind, origins }) => kind === 'narrower' && origins.includes('https://attacker.example')))
})

t.test('without credentials, a reflected origin becomes a wildcard', async (t) => {
  for (const options of [{ origin: true }, { origin: [true, APP] }, {}, { origin: '*', credentials: true }, { origin: [APP, '*'] }]) {
    const { registrations, changes } = await migrate(t, (app) => {
      app.register(fastifyCors, { ...options, methods: ['GET', 'PUT'], exposedHeaders: '*' } as never)
      app.put('/a', ok)
    })
    t.match(registrations[0]?.code, "origin: '*'")
    t.notMatch(registrations[0]?.code, 'credentials')
    t.same(changes.filter(({ kind }) => kind === 'wider'), [], JSON.stringify(options))
  }
})

t.test('routes with a config.cors extend the policy of their registration', async (t) => {
  const migration = await migrate(t, (app) => {
    app.register(fastifyCors, { origin: APP, credentials: true, exposedHeaders: 'ETag', methods: ['GET', 'PUT'] })
    app.put('/partner', { config: { cors: { origin: 'https://partner.example.org' } } }, ok)
    app.get('/public', { config: { cors: { origin: '*' } } }, ok)
    app.put('/off', { config: { cors: false } }, ok)
    app.put('/none', { config: { cors: { origin: false } as never } }, ok)
    app.put('/same', { config: { cors: { methods: ['PUT'] } as never } }, ok)
  })
  t.same(migration.routes.map(({ method, url, code }) => `${method} ${url} ${code}`), [
    "PUT /partner config: { cors: { extends: 'app', origin: 'https://partner.example.org' } }",
    "GET /public config: { cors: { extends: 'app', credentials: false, origin: '*' } }",
    'PUT /off config: { cors: false }',
    'PUT /none config: { cors: false }',
    "PUT /same config: { cors: { extends: 'app' } }"
  ])
  t.same(lines(migration).filter((line) => line.startsWith('wider')), [
    'wider PUT /partner: blocked (preflight: another origin) -> allowed with credentials',
    'wider GET /public: blocked (preflight: another origin) -> allowed without credentials'
  ], 'the preflights use the policies of their routes')
})

t.test('each scope has its registration', async (t) => {
  const migration = await migrate(t, (app) => {
    app.register(async (scope) => {
      await scope.register(fastifyCors, { origin: APP })
      scope.get('/', ok)
    }, { prefix: '/one' })
    app.register(async (scope) => {
      await scope.register(import('@fastify/cors'), { origin: false, hideOptionsRoute: false, logLevel: 'silent', hook: 'preHandler' })
      scope.get('/', { config: { cors: { origin: APP } } }, ok)
    }, { prefix: '/two' })
    app.get('/three', ok)
  })
  t.same(migration.registrations.length, 2)
  t.match(migration.registrations[1]?.code, "defaultPolicy: false,\n  hideOptionsRoute: false,\n  logLevel: 'silent'")
  t.match(migration.registrations[1]?.notes, [/^hook is left out/])
  t.notOk(lines(migration).some((line) => line.includes('/three')))
})

t.test('what cannot be taken over is said', async (t) => {
  const { registrations: [{ code, notes } = { code: '', notes: [] }] } = await migrate(t, (app) => {
    app.register(fastifyCors, { origin: `${APP}/`, credentials: true, exposedHeaders: '*', maxAge: 100000, cacheControl: 60, preflight: false, preflightContinue: true, strictPreflight: false, optionsSuccessStatus: 202 })
    app.get('/a', ok)
  })
  t.match(code, `origin: '${APP}'`)
  t.match(code, 'maxAge: 86400')
  for (const name of ['exposedHeaders', 'maxAge', 'cacheControl', 'preflight: false', 'preflightContinue', 'strictPreflight', 'optionsSuccessStatus', `${APP}/ becomes`]) {
    t.ok(notes.some((note) => note.startsWith(name)), name)
  }
})

t.test('an application without @fastify/cors is refused', async (t) => {
  await t.rejects(migrate(t, (app) => { app.get('/a', ok) }), /does not register @fastify\/cors/)
})
