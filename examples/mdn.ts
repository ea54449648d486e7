// The API of MDN's article on CORS: the routes that its three scenarios call, as a plugin of their own. The demonstration (npm start) has it too.
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import cors from 'fastify-cors-policy'

export interface ScenarioOptions {
  /** Who may call everything but the data that is public for all. */
  allowedOrigin: string | string[]
}

/** The article's bar.other. */
export async function buildApi (options: ScenarioOptions): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true })
  await app.register(cors)
  await app.register(scenarios, options)
  return app
}

export async function scenarios (app: FastifyInstance, { allowedOrigin }: ScenarioOptions): Promise<void> {
  // A simple request, for everyone.
  app.get('/resources/public-data/', { config: { cors: { origin: '*' } } }, sendData)

  // The same, for one origin only.
  app.get('/resources/public-data/for-one-origin/', { config: { cors: { origin: allowedOrigin } } }, sendData)

  app.addContentTypeParser(['application/xml', 'text/xml'], { parseAs: 'string' }, (_request, body, done) => done(null, body))

  // Preflighted requests. The preflight names the methods of the route, and the headers of
  // the policy; OPTIONS requests that are no preflights go to the handler, as the others do.
  app.route({
    method: ['POST', 'GET', 'OPTIONS'],
    url: '/resources/post-here/',
    exposeHeadRoute: false,
    config: {
      cors: {
        origin: allowedOrigin,
        allowedHeaders: ['X-PINGOTHER', 'Content-Type'],
        maxAge: 86400,
        optionsSuccessStatus: 200
      }
    },
    handler: async (request, reply) => {
      reply.type('text/plain')
      return request.method === 'POST' ? `Received ${String(request.body).length} characters of XML.\n` : 'Send me XML by POST.\n'
    }
  })

  // Requests with credentials. For pages of other sites, the cookie would also need
  // SameSite=None and Secure.
  app.get('/resources/access-control-with-credentials/', {
    config: { cors: { origin: allowedOrigin, credentials: true } }
  }, greet)
}

async function sendData (_request: FastifyRequest, reply: FastifyReply): Promise<string> {
  reply.type('application/xml')
  return '<?xml version="1.0"?><data>Some public data</data>\n'
}

/** Counts the accesses of a browser in a cookie. */
async function greet (request: FastifyRequest, reply: FastifyReply): Promise<string> {
  const [, accesses = '0'] = /(?:^|; *)pageAccess=(\d{1,9})(?:;|$)/.exec(request.headers.cookie ?? '') ?? []
  const access = Number(accesses) + 1
  const tomorrow = new Date(Date.now() + 86_400_000)
  reply.headers({ 'cache-control': 'no-cache', pragma: 'no-cache' })
  reply.header('set-cookie', `pageAccess=${access}; expires=${tomorrow.toUTCString()}; HttpOnly; SameSite=Lax`)
  reply.type('text/plain')
  return access === 1 ? 'I have not met you before.\n' : `I know you: this is access number ${access}.\n`
}
