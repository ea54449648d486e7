// HTTP by hand: sends a request exactly as it is written, over a real socket, and reads what comes back as it was sent.
import { connect } from 'node:net'
import { once } from 'node:events'

export interface RawResponse {
  readonly statusLine: string
  /** Every line of the header as it was sent, by the lower-case name. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: string
}

/** Sends the lines of a request's head and its body to a port of this machine, each character as one byte. */
export async function send (port: number, lines: readonly string[], body = ''): Promise<RawResponse> {
  const socket = connect(port, '127.0.0.1')
  socket.setEncoding('latin1')
  let received = ''
  try {
    await once(socket, 'connect')
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1')
    for await (const chunk of socket) {
      received += chunk
      const response = parse(received)
      if (response !== undefined) return response
    }
    throw new Error(`the connection ended early, after: ${received}`)
  } finally {
    socket.destroy()
  }
}

/** The response, once all of it is there; one without a Content-Length has no body. */
function parse (received: string): RawResponse | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [statusLine = '', ...lines] = received.slice(0, end).split('\r\n')
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    headers.set(name, [...headers.get(name) ?? [], line.slice(colon + 1).trim()])
  }
  const body = received.slice(end + 4)
  return body.length < Number(headers.get('content-length')?.[0] ?? 0) ? undefined : { statusLine, headers, body }
}

/** Sends bytes as they are, and returns all that comes back until the server ends the connection. */
export async function exchange (port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  let received = ''
  socket.on('data', (data) => { received += String(data) })
  socket.end(text, 'latin1')
  await once(socket, 'end')
  return received
}

/** The one value of a header; undefined without the header, and an error where there are several. */
export function only ({ headers }: RawResponse, name: string): string | undefined {
  const values = headers.get(name.toLowerCase()) ?? []
  if (values.length > 1) throw new Error(`${name} was sent ${values.length} times`)
  return values[0]
}

/** All the `Access-Control-*` headers, by name. */
export function accessControl ({ headers }: RawResponse): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')).map(([name, values]) => [name, values.join(' | ')]))
}
