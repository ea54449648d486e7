// An application whose default export is an instance; it prints, and keeps a timer.
const Fastify = require('fastify')
const cors = require(process.env.CORS_PACKAGE)
const app = Fastify({ logger: true })
console.log('hello')
setInterval(() => {}, 1000)
app.register(cors, { policies: { partner: { origin: 'https://app.example.com' } } })
app.after(() => { app.put('/items/:id', { config: { cors: { extends: 'partner' } } }, async () => 'saved') })
module.exports = app
