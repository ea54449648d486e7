// Sends the requests of the browser model to a deployed server, over HTTP/1.1, or HTTP/2 where TLS negotiates it. One host, one request for each connection,
// no redirects, no bodies: the headers of a response are all that CORS is about, so the connection is closed when they have come.
import { request as requestOverHttp } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Server, WireRequest, WireResponse } from '../browser/fetch'
import { quote } from '../messages/errors'

/**
 * A server that asks the origin of a URL.
 *
 * @param base the URL that the user named; requests to another origin are refused
 * @param timeout the time limit of a request, in seconds
 * @throws Error (as a rejection) with the cause, in one line
 */
export function networkServer (base: URL, timeout: number): Server {
  return async (request) => {
    const url = new URL(request.url)
    if (url.origin !== base.origin) throw new Error(`${quote(url.origin)} is not the server that was named, so nothing is sent to it`)
    try {
      return await send(url, request, timeout)
    } catch (error) {
      throw new Error(`${base.origin} does not answer ${request.method} ${quote(url.pathname + url.search)}: ${causeOf(error)}`)
    }
  }
}

function causeOf (error: unknown): string {
  const { message, code, errors } = error as { message: string, code?: string, errors?: ReadonlyArray<{ message: string }> }
  // An AggregateError of several addresses has no message of its own.
  const text = message === '' ? String(errors?.[0]?.message ?? code) : message
  return text.replaceAll(/\s*\n\s*/g, ' ').trim()
}

async function send (url: URL, request: WireRequest, timeout: number): Promise<WireResponse> {
  let timer: NodeJS.Timeout | undefined
  let socket: Socket | undefined
  try {
    return await new Promise<WireResponse>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${timeout} seconds`)), timeout * 1000)
      const connection = socket = connect(url)
      connection.once('error', reject)
      connection.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        const overHttp2 = (connection as Partial<TLSSocket>).alpnProtocol === 'h2'
        ;(overHttp2 ? sendHttp2 : sendHttp1)(url, request, connection, resolve, reject)
      })
    })
  } finally {
    clearTimeout(timer)
    socket?.destroy()
  }
}

function connect ({ protocol, hostname, port }: URL): Socket {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (protocol === 'http:') return connectTcp({ host, port: Number(port || 80) })
  // A server name is never an address (RFC 6066, section 3).
  return connectTls({ host, port: Number(port || 443), ALPNProtocols: ['h2', 'http/1.1'], ...(isIP(host) === 0 && { servername: host }) })
}

type Sender = (url: URL, request: WireRequest, socket: Socket, resolve: (response: WireResponse) => void, reject: (error: unknown) => void) => void

const sendHttp1: Sender = ({ host, pathname, search }, { method, headers }, socket, resolve, reject) => {
  const options = { method, path: pathname + search, headers: ['host', host, ...headers.flat(), 'connection', 'close'], createConnection: () => socket }
  const sent = requestOverHttp(options as object, (response) => resolve({ status: response.statusCode as number, headers: pairs(response.rawHeaders) }))
  sent.once('error', reject)
  sent.end()
}

const sendHttp2: Sender = ({ origin, host, pathname, search }, { method, headers }, socket, resolve, reject) => {
  const session = connectHttp2(origin, { createConnection: () => socket as TLSSocket })
  session.once('error', reject)
  const listed: Record<string, string[]> = {}
  for (const [name, value] of headers) (listed[name.toLowerCase()] ??= []).push(value)
  // A body that is announced stays open.
  const endStream = listed['content-length'] === undefined
  const stream = session.request({ ':method': method, ':path': pathname + search, ':scheme': 'https', ':authority': host, ...listed }, { endStream })
  stream.once('error', reject)
  stream.once('response', (received, _flags, raw?: string[]) => resolve({
    status: received[':status'] as number,
    headers: pairs(raw as string[]).filter(([name]) => !name.startsWith(':'))
  }))
}

/** Node's list of names and values, in pairs: the values of a repeated name stay apart. */
function pairs (raw: readonly string[]): Array<[string, string]> {
  return raw.flatMap((name, index): Array<[string, string]> => index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1] as string]] : [])
}
