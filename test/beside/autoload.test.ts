// Loaded by @fastify/autoload, from a directory of plugins. A file of its own: as in such an application, nothing has imported the package before Fastify() is called.
import { join } from 'node:path'
import t from 'tap'
import autoload from '@fastify/autoload'
import Fastify from 'fastify'
import { logged } from '../support/log'
import { FOO } from '../support/origins'
import { nothingTo, onlyFoo, onlyFooMay, Traffic } from '../support/traffic'

const LIBRARY = join(__dirname, '..', '..', 'lib', 'index')

const root = t.testdir({
  plugins: {
    'cors.js': `
      const fp = require('fastify-plugin')
      const cors = require(${JSON.stringify(LIBRARY)})
      module.exports = fp(async (app, options) => {
        await app.register(cors, { policies: { one: { origin: options.origin } } })
      }, { name: 'cors' })`,
    // Loaded after it in spite of its name, so that preflights are answered before this refuses them.
    'authentication.js': `
      const fp = require('fastify-plugin')
      module.exports = fp(async (app) => {
        app.addHook('onRequest', async (request, reply) => { if (request.headers.authorization === undefined) await reply.code(401).send('no') })
      }, { dependencies: ['cors'] })`
  },
  routes: {
    'root.js': 'module.exports = async (app) => { app.get("/", { config: { cors: { extends: "one" } } }, async () => "root") }',
    items: {
      'index.js': `
        module.exports = async (app) => {
          app.put("/:id", { config: { cors: { extends: "one", allowedHeaders: ["Authorization"] } } }, async () => "saved")
          app.get("/:id", async () => "closed")
        }`,
      _tenant: { 'index.js': 'module.exports = async (app) => { app.get("/orders", { config: { cors: { extends: "one" } } }, async () => "orders") }' }
    }
  }
})

for (const [name, directories] of [
  ['plugins before routes, and the package is imported late', ['plugins', 'routes']],
  ['routes before plugins, and the package is imported early', ['routes', 'plugins']]
] as const) {
  t.test(`routes have their policies where @fastify/autoload loads ${name}`, async (t) => {
    t.equal(Object.keys(require.cache).some((file) => file.startsWith(LIBRARY)), directories[0] === 'routes', 'whether the package is imported already')
    const { logger, messages } = logged()
    const app = Fastify({ logger })
    for (const directory of directories) app.register(autoload, { dir: join(root, directory), options: { origin: FOO }, routeParams: true })
    const traffic = await Traffic.to(t, app)
    t.same(messages, [], 'no route was missed')
    const authorization = { headers: { authorization: 'some' } }
    for (const path of ['/', '/items/acme/orders']) {
      t.same(await traffic.told('GET', path, authorization), onlyFoo(200), path)
      t.same(await traffic.told('GET', path), onlyFoo(401), path)
      t.same(await traffic.toldBefore('GET', path), onlyFooMay('GET, HEAD', {}, { status: 401 }), path)
    }
    t.same(await traffic.told('PUT', '/items/1', authorization), onlyFoo(200))
    t.same(await traffic.toldBefore('PUT', '/items/1'), onlyFooMay('PUT', { 'access-control-allow-headers': 'Authorization' }, { status: 401 }))
    t.same(await traffic.told('GET', '/items/1', authorization), nothingTo(200))
    t.same(await traffic.toldBefore('GET', '/items/1', authorization.headers), nothingTo(404))
  })
}
