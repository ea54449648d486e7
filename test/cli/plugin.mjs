// An application as fastify-cli takes it, with options of the server.
const { default: cors } = await import(process.env.CORS_PACKAGE)
export const options = { routerOptions: { ignoreTrailingSlash: true } }
export default async function (app) {
  await app.register(cors)
  app.get('/status', { config: { cors: { origin: '*' } } }, async () => 'ok')
}
