// An application as fastify-cli takes it, for the command line in other runtimes (scripts/test-runtimes.mjs).
import cors from 'fastify-cors-policy'

export default async function (app) {
  await app.register(cors, { policies: { partner: { origin: ['https://app.example.com', /^https:\/\/pr-\d+\.example\.com$/], credentials: true } } })
  app.put('/items/:id', { config: { cors: { extends: 'partner' } } }, async () => 'ok')
  app.get('/status', { config: { cors: { origin: '*' } } }, async () => 'ok')
}
