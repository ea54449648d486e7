// Requests and responses without a network: minimal ones, so that the clock sees frameworks and plugins and little else, and node's own
// for the frameworks that need them.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

/** A request as a client would send it. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** What a server answered. */
export interface Answer {
  readonly status: number
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What the loops of the measurement need to know of a response, and nothing that differs between contestants. */
export interface Ending {
  ended: number
  whenEnded: (() => void) | undefined
}

/** Text as a parser of HTTP makes it: a string of its own, which shares no pointer with what was declared. */
function fresh (text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** The same request, of strings of its own. Headers are added one by one, as node does it. */
export function received ({ method, url, headers }: Sent): Sent {
  const own: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) own[name] = fresh(value)
  return { method, url: fresh(url), headers: own }
}

const SOCKET = new Socket()

/** What Fastify reads of a request. */
export class StubRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly httpVersion = '1.1'
  readonly httpVersionMajor = 1
  readonly httpVersionMinor = 1
  readonly socket = SOCKET
  readonly aborted = false
  readonly readableEnded = true

  constructor ({ method, url, headers }: Sent) {
    this.method = method
    this.url = url
    this.headers = headers
  }

  on (): this { return this }
  once (): this { return this }
  removeListener (): this { return this }
  resume (): this { return this }
}

type Value = string | number | readonly string[]

/**
 * A response that keeps its headers as node's does: by lower-case name, in an object that is made when the first is set. What is given to writeHead()
 * goes where it would be written, and is looked at when the answer is read; so the clock leaves out what node does to write it.
 */
export class StubResponse {
  statusCode = 200
  statusMessage = ''
  headersSent = false
  writableEnded = false
  finished = false
  destroyed = false
  readonly socket = null
  #headers: Record<string, [name: string, value: Value]> | null = null
  #written: Readonly<Record<string, Value | undefined>> | undefined
  #body = ''
  readonly #ending: Ending

  constructor (ending: Ending) {
    this.#ending = ending
  }

  setHeader (name: string, value: Value): this {
    if (this.headersSent) throw new Error('Cannot set headers after they are sent to the client')
    if (typeof name !== 'string' || name === '') throw new TypeError('Header name must be a valid HTTP token')
    if (value === undefined) throw new TypeError(`Invalid value "undefined" for header "${name}"`)
    this.#headers ??= Object.create(null) as Record<string, [string, Value]>
    this.#headers[name.toLowerCase()] = [name, value]
    return this
  }

  getHeader (name: string): Value | undefined {
    return this.#headers === null ? undefined : this.#headers[name.toLowerCase()]?.[1]
  }

  hasHeader (name: string): boolean {
    return this.#headers !== null && this.#headers[name.toLowerCase()] !== undefined
  }

  removeHeader (name: string): void {
    if (this.headersSent) throw new Error('Cannot remove headers after they are sent to the client')
    if (this.#headers !== null) delete this.#headers[name.toLowerCase()]
  }

  getHeaders (): Record<string, Value> {
    const headers = Object.create(null) as Record<string, Value>
    if (this.#headers !== null) for (const name of Object.keys(this.#headers)) headers[name] = (this.#headers[name] as [string, Value])[1]
    return headers
  }

  getHeaderNames (): string[] {
    return this.#headers === null ? [] : Object.keys(this.#headers)
  }

  writeHead (status: number, headers?: Readonly<Record<string, Value | undefined>>): this {
    if (this.headersSent) throw new Error('Cannot write headers after they are sent to the client')
    this.statusCode = status
    this.headersSent = true
    this.#written = headers
    return this
  }

  write (chunk: string | Buffer): boolean {
    if (!this.headersSent) this.writeHead(this.statusCode)
    this.#body += String(chunk)
    return true
  }

  end (chunk?: string | Buffer | null): this {
    if (this.writableEnded) return this
    if (!this.headersSent) this.writeHead(this.statusCode)
    if (chunk !== undefined && chunk !== null) this.#body = this.#body === '' ? chunk as string : this.#body + String(chunk)
    this.writableEnded = true
    this.finished = true
    this.#ending.ended++
    this.#ending.whenEnded?.()
    return this
  }

  on (): this { return this }
  once (): this { return this }
  off (): this { return this }
  removeListener (): this { return this }
  emit (): boolean { return false }
  destroy (): this { return this }

  answer (): Answer | undefined {
    if (!this.writableEnded) return undefined
    const headers: Record<string, string> = {}
    for (const [name, value] of [...Object.entries(this.getHeaders()), ...Object.entries(this.#written ?? {})]) {
      if (value === undefined) throw new TypeError(`Invalid value "undefined" for header "${name}"`)
      headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : String(value)
    }
    return { status: this.statusCode, headers, body: String(this.#body) }
  }
}

/** node's own request, of which everything was received. */
export function nodeRequest ({ method, url, headers }: Sent): IncomingMessage {
  const request = new IncomingMessage(SOCKET)
  request.method = method
  request.url = url
  request.httpVersion = '1.1'
  request.httpVersionMajor = 1
  request.httpVersionMinor = 1
  request.headers = headers
  request.complete = true
  request.push(null)
  return request
}

const endOfNode: (...values: unknown[]) => ServerResponse = ServerResponse.prototype.end as never

/** node's own response, which has no socket and so keeps what it would write. */
export function nodeResponse (request: IncomingMessage, ending: Ending): ServerResponse {
  const response = new ServerResponse(request)
  // Its own property: some frameworks put another prototype below.
  response.end = function (this: ServerResponse, ...values: unknown[]): ServerResponse {
    const result = endOfNode.apply(this, values)
    ending.ended++
    ending.whenEnded?.()
    return result
  } as never
  return response
}

/** Reads what node would have written. */
export function nodeAnswer (response: ServerResponse): Answer | undefined {
  if (!response.writableEnded) return undefined
  const { outputData } = response as unknown as { outputData: Array<{ data: string | Buffer }> }
  const text = outputData.map(({ data }) => String(data)).join('')
  const end = text.indexOf('\r\n\r\n')
  const [, ...lines] = text.slice(0, end).split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const [, name, value] = /^([^:]+): ?(.*)$/.exec(line) as unknown as [string, string, string]
    const key = name.toLowerCase()
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`
  }
  return { status: response.statusCode, headers, body: text.slice(end + 4) }
}
