// The same project with the plugin and its inspector.
import Fastify from 'fastify'
import cors from 'fastify-cors-policy'
import inspector from 'fastify-cors-policy/inspector'

export const app = Fastify()
app.register(cors, { policies: { open: { origin: '*' } } })
app.register(inspector, { prefix: '/_cors' })
