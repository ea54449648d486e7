// What belongs to a whole process: several copies of the package or of Fastify in it, applications that share a server, applications without the plugin,
// polluted prototypes. Where an error would end the process, a child process is watched.
import { execFile, type ExecFileException } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import ts from 'typescript'
import cors from '../../lib/index'
import { fastify } from '../support/features'
import { application, EVIL, FOO, ok, ONE, OTHER, preflight } from '../support'
import { logged } from '../support/log'
import { approved, readable, strategy } from '../support/routing'

const ROOT = join(__dirname, '..', '..')

/** The package compiled in a folder of its own, as npm installs it; made once. */
function packed (): string {
  const folder = mkdtempSync(join(tmpdir(), 'cors-policy-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  const { options } = ts.parseJsonConfigFileContent({ extends: './tsconfig.json', compilerOptions: { noEmit: false, noCheck: true, declaration: false, sourceMap: false, skipLibCheck: true, rootDir: 'lib', outDir: join(folder, 'dist') }, include: ['lib'] }, ts.sys, ROOT)
  const program = ts.createProgram(ts.sys.readDirectory(join(ROOT, 'lib'), ['.ts']), options)
  program.emit()
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
  return folder
}

const PACKAGE = packed()

/** A project with copies of packages, each in the `node_modules` of its own folder; all other packages are those of this repository. */
function project (t: Test, { copies, fastify = [] }: { copies: readonly string[], fastify?: readonly string[] }): string {
  const folder = mkdtempSync(join(tmpdir(), 'cors-project-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  for (const path of copies) {
    const target = join(folder, path, 'node_modules', 'fastify-cors-policy')
    mkdirSync(dirname(target), { recursive: true })
    cpSync(PACKAGE, target, { recursive: true })
  }
  for (const path of fastify) {
    const target = join(folder, path, 'node_modules', 'fastify')
    mkdirSync(dirname(target), { recursive: true })
    cpSync(join(ROOT, 'node_modules', 'fastify'), target, { recursive: true, filter: (source) => !source.includes('/test') && !source.includes('/docs') })
  }
  return folder
}

interface Ended { readonly code: number, readonly stdout: string, readonly stderr: string }

/** Runs a program in a process of its own. */
async function runs (folder: string, code: string, args: readonly string[] = []): Promise<Ended> {
  const file = join(folder, 'program.test.js')
  writeFileSync(file, code)
  // Neither tap's loader nor its coverage: these would run the sources.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TAP') && !name.startsWith('NODE_') && !name.startsWith('_TAPJS')))
  return await new Promise((resolve) => {
    execFile(process.execPath, [...args, file], { env, cwd: folder, timeout: 60_000 }, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr })
    })
  })
}

/** What the programs begin with: a function that says which origins a preflight and a response allow. */
const PROGRAM = `
  const asks = async (app, method = 'PUT', url = '/a') => {
    const allowed = []
    for (const origin of ['${FOO}', '${EVIL}']) {
      const answer = await app.inject({ method: 'OPTIONS', url, headers: { origin, 'access-control-request-method': method } })
      const response = await app.inject({ method, url, headers: { origin } })
      const asked = answer.statusCode < 300 && answer.headers['access-control-allow-origin'] === origin
      const read = response.headers['access-control-allow-origin'] === origin
      if (asked !== read) return 'preflight ' + asked + ', response ' + read
      if (asked) allowed.push(origin)
    }
    return allowed.join()
  }
  const ok = async () => 'ok'
  const ONE = { origin: '${FOO}' }
  const OTHER = { origin: '${EVIL}' }
  const print = (value) => console.log(JSON.stringify(value))
  process.on('unhandledRejection', (error) => { throw error })
`

t.test('two copies of the package work in one process, beside an application without either', async (t) => {
  const folder = project(t, { copies: ['one', 'two'] })
  const result = await runs(folder, `${PROGRAM}
    const one = require('./one/node_modules/fastify-cors-policy')
    const two = require('./two/node_modules/fastify-cors-policy')
    if (one === two) throw new Error('one copy only')
    const Fastify = require('fastify')
    const main = async () => {
      const bare = Fastify()
      bare.put('/a', ok)
      await bare.ready()
      print((await bare.inject({ method: 'PUT', url: '/a' })).body)
      for (const cors of [one, two]) {
        const app = Fastify()
        await app.register(cors)
        app.put('/a', { config: { cors: ONE } }, ok)
        app.put('/:x', { config: { cors: OTHER } }, ok)
        print([await asks(app), await asks(app, 'PUT', '/b')])
      }
    }
    main()
  `)
  t.strictSame(result, { code: 0, stdout: `"ok"\n["${FOO}","${EVIL}"]\n["${FOO}","${EVIL}"]\n`, stderr: '' })
})

t.test('a second copy in one application works, or fails with a coded error', async (t) => {
  const folder = project(t, { copies: ['one', 'two'] })
  for (const order of ['one, two', 'two, one']) {
    for (const nested of [false, true]) {
      const result = await runs(folder, `${PROGRAM}
        const one = require('./one/node_modules/fastify-cors-policy')
        const two = require('./two/node_modules/fastify-cors-policy')
        const Fastify = require('fastify')
        const main = async () => {
          const [first, second] = [${order}]
          const app = Fastify()
          const inside = async (scope) => {
            await scope.register(second)
            scope.put('/b', { config: { cors: OTHER } }, ok)
          }
          app.register(async (scope) => {
            await scope.register(first)
            scope.put('/a', { config: { cors: ONE } }, ok)
            if (${String(nested)}) scope.register(inside)
          })
          if (!${String(nested)}) app.register(inside)
          try {
            await app.ready()
          } catch (error) {
            print({ code: error.code ?? error.message })
            return
          }
          print([await asks(app), await asks(app, 'PUT', '/b')])
        }
        main()
      `)
      t.equal(result.code, 0, result.stderr)
      t.equal(result.stderr, '')
      t.ok(result.stdout === `["${FOO}","${EVIL}"]\n` || /^\{"code":"FST_\w+"\}\n$/.test(result.stdout), `${order}: ${result.stdout}`)
    }
  }
})

t.test('each copy that is loaded again works in a new application, as hot reload needs it', async (t) => {
  const folder = project(t, { copies: ['one'] })
  const result = await runs(folder, `${PROGRAM}
    const Fastify = require('fastify')
    const load = () => {
      for (const name of Object.keys(require.cache)) if (name.includes('fastify-cors-policy')) delete require.cache[name]
      return require('./one/node_modules/fastify-cors-policy')
    }
    const main = async () => {
      const seen = new Set()
      for (let again = 0; again < 4; again++) {
        const cors = load()
        seen.add(cors)
        const app = Fastify()
        await app.register(cors, again % 2 === 0 ? {} : { defaultPolicy: OTHER })
        app.put('/a', { config: { cors: ONE } }, ok)
        app.get('/b', ok)
        print([await asks(app), await asks(app, 'GET', '/b')])
        await app.close()
      }
      if (seen.size !== 4) throw new Error('loaded once')
    }
    main()
  `)
  t.strictSame(result, { code: 0, stdout: `["${FOO}",""]\n["${FOO}","${EVIL}"]\n["${FOO}",""]\n["${FOO}","${EVIL}"]\n`, stderr: '' })
})

t.test('an application keeps its policies after the module cache is cleared and the package loaded again', async (t) => {
  const folder = project(t, { copies: ['one'] })
  const result = await runs(folder, `${PROGRAM}
    const Fastify = require('fastify')
    const main = async () => {
      const first = require('./one/node_modules/fastify-cors-policy')
      const app = Fastify()
      await app.register(first)
      app.put('/a', { config: { cors: ONE } }, ok)
      for (const name of Object.keys(require.cache)) if (name.includes('fastify-cors-policy')) delete require.cache[name]
      require('./one/node_modules/fastify-cors-policy')
      const other = Fastify()
      other.put('/a', ok)
      await other.ready()
      app.put('/:x', { config: { cors: OTHER } }, ok)
      print([await asks(app), await asks(app, 'PUT', '/b'), await asks(other)])
    }
    main()
  `)
  t.strictSame(result, { code: 0, stdout: `["${FOO}","${EVIL}",""]\n`, stderr: '' })
})

t.test('applications keep their policies if all modules are loaded again between them, as jest -i and resetModules do', async (t) => {
  const folder = project(t, { copies: ['one'] })
  const result = await runs(folder, `${PROGRAM}
    const main = async () => {
      const apps = []
      for (let again = 0; again < 3; again++) {
        for (const name of Object.keys(require.cache)) delete require.cache[name]
        const cors = require('./one/node_modules/fastify-cors-policy')
        const Fastify = require('fastify')
        const app = Fastify()
        app.register(cors)
        app.put('/a', { config: { cors: again === 1 ? OTHER : ONE } }, ok)
        apps.push(app)
      }
      for (const app of apps) print(await asks(app))
    }
    main()
  `)
  t.strictSame(result, { code: 0, stdout: `"${FOO}"\n"${EVIL}"\n"${FOO}"\n`, stderr: '' })
})

t.test('each Fastify of a workspace works with each copy of the package', async (t) => {
  for (const fastify of [['one', 'two'], ['two']]) {
    const folder = project(t, { copies: ['one', 'two'], fastify })
    const result = await runs(folder, `${PROGRAM}
      const load = (path) => ({ cors: require(path + '/node_modules/fastify-cors-policy'), Fastify: require(require.resolve('fastify', { paths: [path] })) })
      const main = async () => {
        const [one, two] = [load(__dirname + '/one'), load(__dirname + '/two')]
        if (one.Fastify === two.Fastify || one.cors === two.cors) throw new Error('not two')
        for (const { Fastify } of [one, two]) {
          for (const { cors } of [one, two]) {
            const app = Fastify()
            await app.register(cors)
            app.put('/a', { config: { cors: ONE } }, ok)
            app.put('/:x', { config: { cors: OTHER } }, ok)
            print([await asks(app), await asks(app, 'PUT', '/b')])
          }
          const bare = Fastify()
          bare.get('/', ok)
          await bare.ready()
        }
      }
      main()
    `)
    t.strictSame(result, { code: 0, stdout: `["${FOO}","${EVIL}"]\n`.repeat(4), stderr: '' })
  }
})

t.test('test files that use different copies pass in one process', async (t) => {
  const folder = project(t, { copies: ['one', 'two'] })
  const file = (path: string, policy: string): string => `
    const test = require('node:test')
    const assert = require('node:assert')
    ${PROGRAM}
    const cors = require('./${path}/node_modules/fastify-cors-policy')
    const Fastify = require('fastify')
    test('${path}', async () => {
      for (let again = 0; again < 2; again++) {
        const app = Fastify()
        await app.register(cors)
        app.put('/a', { config: { cors: ${policy} } }, ok)
        assert.equal(await asks(app), ${policy}.origin)
        await app.close()
      }
    })
  `
  writeFileSync(join(folder, 'a.js'), file('one', 'ONE'))
  writeFileSync(join(folder, 'b.js'), file('two', 'OTHER'))
  writeFileSync(join(folder, 'c.js'), file('one', 'OTHER'))
  const result = await runs(folder, 'for (const name of [\'a\', \'b\', \'c\']) require(\'./\' + name + \'.js\')')
  t.equal(result.code, 0, result.stdout + result.stderr)
  t.match(result.stdout, /pass 3/)
  const isolation = await runs(folder, 'for (const name of [\'a\', \'b\', \'c\']) require(\'./\' + name + \'.js\')', ['--test'])
  t.equal(isolation.code, 0, isolation.stdout + isolation.stderr)
})

t.test('require and import load the same plugin', async (t) => {
  const folder = project(t, { copies: ['one'] })
  const result = await runs(folder, `${PROGRAM}
    const main = async () => {
      const cors = require('./one/node_modules/fastify-cors-policy')
      const imported = await import('./one/node_modules/fastify-cors-policy/dist/index.js')
      const Fastify = require('fastify')
      const app = Fastify()
      await app.register(imported.default)
      app.put('/a', { config: { cors: ONE } }, ok)
      print([imported.default === cors, await asks(app)])
    }
    main()
  `)
  t.strictSame(result, { code: 0, stdout: `[true,"${FOO}"]\n`, stderr: '' })
})

/** Applications of one server, each of which answers for a host of its own. */
function onOneServer (server: Server, options: object = {}): FastifyInstance {
  return Fastify({ ...options, serverFactory: (handler) => server.on('request', handler as never) })
}

t.test('two applications that share a server have their own policies, also if their registrations interleave', async (t) => {
  for (const order of ['together', 'the second first', 'routes before']) {
    const server = createServer()
    const [first, second] = [onOneServer(server), onOneServer(server)] as [FastifyInstance, FastifyInstance]
    t.teardown(async () => {
      await first.close()
      await second.close()
    })
    if (order === 'routes before') {
      first.register(cors)
      first.put('/early', { config: { cors: ONE } }, ok)
      second.register(cors, { defaultPolicy: OTHER })
      second.put('/early', ok)
    } else if (order === 'the second first') {
      await second.register(cors, { defaultPolicy: OTHER })
      await first.register(cors)
    } else {
      first.register(cors)
      second.register(cors, { defaultPolicy: OTHER })
    }
    first.put('/a', { config: { cors: ONE } }, ok)
    second.put('/a', ok)
    second.put('/:x', { config: { cors: OTHER } }, ok)
    first.put('/:x', { config: { cors: false } }, ok)
    await first.ready()
    await second.ready()
    for (const [app, url, origins] of [[first, '/a', [FOO]], [second, '/a', [EVIL]], [first, '/b', []], [second, '/b', [EVIL]]] as const) {
      t.strictSame(await readable(app, 'PUT', url), origins, `${order}: the response of ${url}`)
      t.strictSame(await approved(app, 'PUT', url), origins, `${order}: the preflight for ${url}`)
    }
    if (order === 'routes before') t.strictSame([await approved(first, 'PUT', '/early'), await approved(second, 'PUT', '/early')], [[FOO], [EVIL]])
  }
})

t.test('of two applications that share a server, the one without the plugin gets no header, constraint or log line of it', async (t) => {
  const server = createServer()
  const { logger, lines } = logged('info')
  const [first, second] = [onOneServer(server), onOneServer(server, { logger })] as [FastifyInstance, FastifyInstance]
  t.teardown(async () => {
    await first.close()
    await second.close()
  })
  first.register(cors, { defaultPolicy: ONE })
  second.put('/a', { config: { cors: 'its own meaning' as never } }, ok)
  first.put('/a', ok)
  await second.ready()
  await first.ready()
  t.strictSame([await approved(first, 'PUT', '/a'), await approved(second, 'PUT', '/a'), await readable(second, 'PUT', '/a')], [[FOO], [], []])
  t.strictSame(lines.filter((line) => JSON.stringify(line).includes('cors')), [])
  t.notOk(second.hasConstraintStrategy('corsPreflight'))
})

t.test('an application that never registers the plugin gets no hook, constraint, route or warning of it, whatever its config.cors means', async (t) => {
  const { logger, lines } = logged('trace')
  const app = Fastify({ logger })
  t.teardown(async () => { await app.close() })
  const meaning = { methods: ['GET'], origin: /x/g, nested: { deep: [1] } }
  const declared: unknown[] = []
  app.addHook('onRoute', ({ config, onRequest, onSend, onError }) => { declared.push(config?.cors, onRequest, onSend, onError) })
  app.get('/own', { exposeHeadRoute: false, config: { cors: meaning as never } }, async ({ routeOptions }) => (routeOptions.config as { cors?: unknown }).cors === meaning)
  app.get('/text', { exposeHeadRoute: false, config: { cors: 'public' as never } }, async ({ routeOptions }) => (routeOptions.config as { cors?: unknown }).cors)
  app.get('/undefined', { exposeHeadRoute: false, config: { cors: undefined as never } }, ok)
  app.register(async function child (scope) { scope.put('/true', { config: { cors: true as never } }, ok) })
  await app.ready()
  t.equal((await app.inject('/own')).body, 'true', 'the very object that the route was declared with')
  t.equal((await app.inject('/text')).body, 'public')
  t.ok(declared.every((value, index) => index % 4 === 0 || value === undefined), 'no hooks on its routes')
  t.strictSame(lines.filter((line) => /cors/i.test(JSON.stringify(line))), [], 'no warning')
  t.notOk(app.hasConstraintStrategy('corsPreflight'), 'no constraint that each request would be asked for')
  t.notOk(app.hasDecorator('cors'))
  t.strictSame([...Object.getOwnPropertyNames(app), ...Object.getOwnPropertySymbols(app).map(String)].filter((name) => /cors/i.test(name)), [])
  t.notMatch(app.printRoutes({ method: undefined as never, commonPrefix: false }), /OPTIONS/)
  t.notMatch(app.printPlugins(), /cors/i)
  const answer = await preflight(app, 'GET', '/own')
  t.equal(answer.statusCode, 404)
})

t.test('an application that never registers the plugin can have a constraint strategy named corsPreflight', async (t) => {
  const app = fastify({ routerOptions: { constraints: strategy('corsPreflight', { header: 'x-own' }) } as never })
  t.teardown(async () => { await app.close() })
  app.put('/a', { constraints: { corsPreflight: 'x' } as never, config: { cors: 'x' as never } }, ok)
  app.addHook('onRequest', async (_request, reply) => { reply.header('x-own', 'yes') })
  await app.ready()
  t.match(await app.inject({ method: 'PUT', url: '/a', headers: { 'x-own': 'x' } }), { statusCode: 200, headers: { 'x-own': 'yes' } })
})

t.test('a scope without the plugin beside one with it keeps its own meaning of config.cors', async (t) => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  app.register(async (scope) => {
    await scope.register(cors)
    scope.put('/a', { config: { cors: ONE } }, ok)
  })
  app.register(async (scope) => { scope.get('/own', { config: { cors: 'public' as never } }, async ({ routeOptions }) => (routeOptions.config as { cors?: unknown }).cors) })
  t.equal((await app.inject('/own')).body, 'public')
  t.strictSame(await approved(app, 'PUT', '/a'), [FOO])
})

t.test('printPlugins shows names for what the plugin registers, and no source text', async (t) => {
  const app = await application(t)
  app.register(async function child (scope) { await scope.register(cors, { defaultPolicy: ONE }) })
  await app.ready()
  const text = app.printPlugins()
  t.match(text, /fastify-cors-policy/)
  t.notMatch(text, /=>|\{|\(child\)|await/, 'no source text')
  for (const line of text.split('\n').filter((line) => line !== '')) t.match(line, /^[ │├└─┬]*[\w@/. -]+ [\d.]+ ms$/, line)
})

/** What is written into `Object.prototype`, as JavaScript. */
const POLLUTION = {
  credentials: 'true',
  origin: `'${EVIL}'`,
  maxAge: '86400',
  allowedHeaders: '[\'x-evil\']',
  exposedHeaders: '[\'x-evil\']',
  optionsSuccessStatus: '200',
  extends: '\'evil\'',
  policies: `{ evil: { origin: '${EVIL}' } }`,
  defaultPolicy: `{ origin: '${EVIL}' }`,
  cors: `{ origin: '${EVIL}' }`,
  config: `{ cors: { origin: '${EVIL}' } }`,
  constraints: '{}',
  host: '\'a.test\'',
  secret: '\'a\'',
  hideOptionsRoute: 'true',
  logLevel: '\'trace\'',
  enforceOrigin: 'true',
  dangerouslyAllowInsecureOrigins: 'true',
  dangerouslyAllowPublicSuffixes: 'true',
  kind: '\'any\'',
  any: 'true',
  matches: '() => true',
  names: '[\'x-evil\']',
  value: 'true',
  get: '() => true',
  enumerable: 'true',
  writable: 'true',
  configurable: 'true'
}

t.test('a polluted Object.prototype at boot permits nothing that the policies do not', async (t) => {
  const folder = project(t, { copies: ['one'] })
  const { code, stdout, stderr } = await runs(folder, `${PROGRAM}
    const cors = require('./one/node_modules/fastify-cors-policy')
    const Fastify = require('fastify')
    const own = (headers, name) => Object.hasOwn(headers, name) ? headers[name] : null
    const polluted = async (name, value) => {
      Object.prototype[name] = value
      let app
      try {
        app = Fastify()
        await app.register(cors, { policies: { named: { origin: '${FOO}' } } })
        app.put('/a', { config: { cors: { origin: '${FOO}' } } }, ok)
        app.put('/named', { config: { cors: { extends: 'named' } } }, ok)
        app.put('/nothing', ok)
        app.put('/off', { config: { cors: false } }, ok)
        app.put('/empty', { config: {} }, ok)
        await app.ready()
      } catch (error) {
        return 'refused: ' + error.message
      } finally {
        delete Object.prototype[name]
      }
      const answers = []
      for (const url of ['/a', '/named', '/nothing', '/off', '/empty']) {
        for (const origin of ['${FOO}', '${EVIL}']) {
          for (const method of ['OPTIONS', 'PUT']) {
            const { headers } = await app.inject({ method, url, headers: { origin, ...(method === 'OPTIONS' && { 'access-control-request-method': 'PUT' }) } })
            answers.push([method, url, origin, ...['allow-origin', 'allow-credentials', 'allow-headers', 'expose-headers', 'max-age'].map((header) => own(headers, 'access-control-' + header))])
          }
        }
      }
      await app.close()
      return answers
    }
    const main = async () => {
      const values = { ${Object.entries(POLLUTION).map(([name, value]) => `${name}: ${value}`).join(', ')} }
      const all = {}
      for (const [name, value] of Object.entries(values)) all[name] = await polluted(name, value)
      print(all)
    }
    main()
  `)
  t.equal(code, 0, stderr)
  const all = JSON.parse(stdout || '{}') as Record<string, string | Array<Array<string | null>>>
  t.strictSame(Object.keys(all), Object.keys(POLLUTION))
  let started = 0
  for (const [name, answers] of Object.entries(all)) {
    // An application that does not start gives no permission either.
    if (typeof answers === 'string') continue
    started++
    t.equal(answers.length, 20)
    for (const [method, url, origin, allowed, credentials, headers, exposed, age] of answers) {
      const mayRead = origin === FOO && ['/a', '/named'].includes(url as string)
      const where = `Object.prototype.${name}: ${method} ${url} from ${origin}`
      t.equal(allowed, mayRead ? FOO : null, where)
      t.strictSame([credentials, exposed, age], [null, null, null], where)
      t.ok(headers === null || headers === 'content-type', `${where}: ${headers}`)
    }
  }
  t.ok(started > 15, `most applications start: ${started}`)
})

t.test('too many or malformed requested header names are refused, and too long ones are never split, also if a route has a version', async (t) => {
  const app = await application(t)
  app.put('/a', { constraints: { version: '1.0.0' }, config: { cors: ONE } }, ok)
  app.put('/b', { config: { cors: OTHER } }, ok)
  await app.ready()
  for (const requestHeaders of ['accept-version,'.repeat(400), `x-${'a'.repeat(5_000)}, accept-version`, `${','.repeat(40)}accept-version`, 'a b, accept-version', `${','.repeat(60_000)}accept-version`]) {
    let splits = 0
    const { split, matchAll } = String.prototype
    const count = <Method extends (this: string, ...args: never[]) => unknown>(method: Method): Method => (function (this: string, ...args: never[]) {
      if (String(this) === requestHeaders) splits++
      return method.apply(this, args)
    }) as Method
    String.prototype.split = count(split as never) as never // eslint-disable-line no-extend-native
    String.prototype.matchAll = count(matchAll as never) as never // eslint-disable-line no-extend-native
    try {
      for (const url of ['/a', '/b']) {
        const answer = await preflight(app, 'PUT', url, { origin: url === '/a' ? FOO : EVIL, requestHeaders })
        t.equal(answer.statusCode, 403)
        t.equal(answer.headers['access-control-allow-origin'], undefined)
      }
    } finally {
      String.prototype.split = split // eslint-disable-line no-extend-native
      String.prototype.matchAll = matchAll // eslint-disable-line no-extend-native
    }
    if (requestHeaders.length > 4096) t.equal(splits, 0, 'and never split')
  }
})
