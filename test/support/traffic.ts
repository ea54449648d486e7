// Real traffic for tests: an application that listens on a port of this machine, requests that go over the wire, and what each kind of page is told there.
// Does not import the package, so that a test may choose when that is first imported.
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { EVIL, FOO } from './origins'
import { portOf } from './ports'

/** What the answer to every preflight varies with. */
export const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'

export interface Sent { headers?: Record<string, string>, body?: string | Buffer | undefined }

export interface Answer {
  readonly status: number
  /** By lower-case names. What came on several lines is joined with ` & `, so that a doubled header is not taken for a list. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** The status and the headers that concern CORS: every `Access-Control-*`, and Vary. */
export type Told = Readonly<Record<string, unknown>>

/** What a page of an allowed origin, a page of a refused one, and a client that sends no Origin are told. */
export interface ToldEach { readonly allowed: Told, readonly refused: Told, readonly absent: Told }

interface Teardown { teardown: (fn: () => Promise<void>) => void }

/** A listening application, closed at the end of the test. */
export class Traffic {
  readonly port: number

  private constructor (readonly app: FastifyInstance) {
    this.port = portOf(app.server)
  }

  static async to (t: Teardown, app: FastifyInstance): Promise<Traffic> {
    t.teardown(async () => { await app.close() })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return new Traffic(app)
  }

  get url (): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Sends one request on a connection of its own. */
  async send (method: string, path: string, origin?: string, { headers = {}, body }: Sent = {}): Promise<Answer> {
    const request = httpRequest({ host: '127.0.0.1', port: this.port, method, path, agent: false, headers: { ...(origin !== undefined && { origin }), ...headers } })
    request.end(body)
    const [response] = await once(request, 'response') as [IncomingMessage]
    const received: Record<string, string> = {}
    for (let index = 0; index < response.rawHeaders.length; index += 2) {
      const [name, value] = [(response.rawHeaders[index] as string).toLowerCase(), response.rawHeaders[index + 1] as string]
      received[name] = name in received ? `${received[name]} & ${value}` : value
    }
    return { status: response.statusCode as number, headers: received, body: Buffer.concat(await response.toArray()) }
  }

  /** Sends a preflight. */
  async preflight (method: string, path: string, origin: string = FOO, headers: Record<string, string> = {}): Promise<Answer> {
    return await this.send('OPTIONS', path, origin, { headers: { 'access-control-request-method': method, ...headers } })
  }

  /** What each kind of page is told about a request. */
  async told (method: string, path: string, sent?: Sent): Promise<ToldEach> {
    return {
      allowed: told(await this.send(method, path, FOO, sent)),
      refused: told(await this.send(method, path, EVIL, sent)),
      absent: told(await this.send(method, path, undefined, sent))
    }
  }

  /** What each kind of page is told before such a request; without an Origin it is an OPTIONS request like any other. */
  async toldBefore (method: string, path: string, headers: Record<string, string> = {}): Promise<ToldEach> {
    return await this.told('OPTIONS', path, { headers: { 'access-control-request-method': method, ...headers } })
  }
}

function concernsCors (name: string): boolean {
  return name === 'vary' || name.startsWith('access-control-')
}

export function told ({ status, headers }: Pick<Answer, 'status' | 'headers'>): Told {
  return { status, ...Object.fromEntries(Object.entries(headers).filter(([name]) => concernsCors(name))) }
}

/** A response that only FOO may read. `headers` are those of an allowed origin besides. */
export function onlyFoo (status: number, headers: Record<string, string> = {}, vary = 'Origin'): ToldEach {
  return { allowed: { status, vary, 'access-control-allow-origin': FOO, ...headers }, refused: { status, vary }, absent: { status, vary } }
}

/** A preflight that only FOO's is approved; `absent` is the status of an OPTIONS request without an Origin. */
export function onlyFooMay (methods: string, headers: Record<string, string> = {}, absent: Told = { status: 404 }): ToldEach {
  return {
    allowed: { status: 204, vary: PREFLIGHT_VARY, 'access-control-allow-origin': FOO, 'access-control-allow-methods': methods, ...headers },
    refused: { status: 403, vary: PREFLIGHT_VARY },
    absent
  }
}

/** The same for everyone, and nothing that concerns CORS. */
export function nothingTo (status: number, headers: Told = {}): ToldEach {
  return { allowed: { status, ...headers }, refused: { status, ...headers }, absent: { status, ...headers } }
}
