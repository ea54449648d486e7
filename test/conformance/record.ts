// The record that the servers of the conformance cases keep: what reached them, and which handler ran.
import type { FastifyInstance, FastifyRequest } from 'fastify'

interface Entry {
  readonly method: string
  readonly path: string
  readonly host: string
  readonly origin: string | undefined
  readonly cookie: string | undefined
  /** What a preflight asks for. */
  readonly asksMethod: string | undefined
  readonly asksHeaders: string | undefined
  readonly httpVersion: string
  /** Its status is known when it is answered. */
  readonly response: { readonly statusCode: number }
  /** The handler that ran, as `METHOD /path` of its route. */
  handler?: string
}

export class Record {
  readonly #entries = new Map<string, Entry[]>()
  readonly #byRequest = new WeakMap<object, Entry>()

  /** Records every request of the application from its first hook on: before the plugin's. */
  observe (app: FastifyInstance): void {
    app.addHook('onRequest', async ({ raw }, { raw: response }) => {
      const { pathname, searchParams } = new URL(String(raw.url), 'http://any.test')
      const id = searchParams.get('case')
      if (id === null) return
      const { headers } = raw
      const entry: Entry = {
        method: String(raw.method),
        path: pathname,
        host: String(headers.host ?? headers[':authority']),
        origin: headers.origin,
        cookie: headers.cookie,
        asksMethod: headers['access-control-request-method'],
        asksHeaders: headers['access-control-request-headers'],
        httpVersion: raw.httpVersion,
        response
      }
      this.#byRequest.set(raw, entry)
      this.#entries.set(id, [...this.of(id), entry])
    })
  }

  /** Called by handlers. */
  ran ({ raw, method, routeOptions }: FastifyRequest): void {
    const entry = this.#byRequest.get(raw)
    if (entry !== undefined) entry.handler = `${method} ${routeOptions.url}`
  }

  /** What reached the servers for a case, in order. */
  of (id: number | string): readonly Entry[] {
    return this.#entries.get(String(id)) ?? []
  }
}

export type { Entry }

export function isPreflight ({ asksMethod }: Entry): boolean {
  return asksMethod !== undefined
}

/** An entry on one line, to compare. The order of cookies is not a matter of CORS. */
export function describe ({ method, host, path, origin, cookie, asksMethod, asksHeaders, handler, response }: Entry): string {
  return [
    `${method} ${host}${path}`,
    origin !== undefined && `from ${origin}`,
    cookie !== undefined && `with ${cookie.split('; ').sort().join('; ')}`,
    asksMethod !== undefined && `asking for ${asksMethod}${asksHeaders === undefined ? '' : ` and ${asksHeaders}`}`,
    handler === undefined ? 'not handled' : `handled by ${handler}`,
    handler === undefined && asksMethod === undefined && `answered ${response.statusCode}`
  ].filter((part) => part !== false).join(', ')
}
