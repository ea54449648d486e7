// A client of WebSockets, for servers on a real port.
import { WebSocket } from 'ws'

/** The first message of a WebSocket, the status with which its upgrade was refused, or the error. */
export async function greeting (url: string, origin: string | undefined, headers: Record<string, string> = {}): Promise<unknown> {
  const socket = new WebSocket(url, { headers, ...(origin !== undefined && { origin }) })
  try {
    return await new Promise((resolve) => {
      socket.once('message', (message) => { resolve(String(message)) })
      socket.once('unexpected-response', (_request, response) => { resolve(response.statusCode) })
      socket.once('error', resolve)
    })
  } finally {
    socket.on('error', () => {}) // of one that was never open
    socket.terminate()
  }
}
