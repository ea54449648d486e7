// What went over the wire between browsers and the demonstration's API: a log of the latest exchanges, and their text.
import { STATUS_CODES, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import onHeaders from 'on-headers'

export type Header = readonly [name: string, value: string]

export interface Exchange {
  /** Counts up from 1. */
  readonly number: number
  /** The request's Origin. */
  readonly origin: string | undefined
  readonly request: { readonly method: string, readonly url: string, readonly version: string, readonly headers: readonly Header[] }
  readonly response: { readonly status: number, readonly headers: readonly Header[] }
}

/** More than both pages can make between two looks at the log. */
const KEPT = 200

const sentHeaders = new WeakMap<ServerResponse, OutgoingHttpHeaders>()

/** An onRequest hook: keeps the headers of the response. The plugin writes its own last of all, so the hook is added before the plugin. */
export async function keepSentHeaders (_request: FastifyRequest, { raw }: FastifyReply): Promise<void> {
  onHeaders(raw, () => { sentHeaders.set(raw, raw.getHeaders()) })
}

export class ExchangeLog {
  #count = 0
  #exchanges: Exchange[] = []

  /** Called when the response has been sent. */
  record (request: FastifyRequest, reply: FastifyReply): Exchange {
    const { method = '', url = '', httpVersion, rawHeaders } = request.raw
    const exchange: Exchange = {
      number: ++this.#count,
      origin: request.headers.origin,
      request: { method, url, version: httpVersion, headers: pairs(rawHeaders) },
      response: { status: reply.statusCode, headers: Object.entries(sentHeaders.get(reply.raw) ?? {}).flatMap(([name, value]) => [value].flat().map((each): Header => [name, String(each)])) }
    }
    this.#exchanges = [...this.#exchanges.slice(1 - KEPT), exchange]
    return exchange
  }

  /** The number of the latest exchange, 0 before the first. */
  get latest (): number {
    return this.#count
  }

  /** The exchanges that followed that number, for one path and from one origin. */
  since (number: number, path: string, origin: string): Exchange[] {
    return this.#exchanges.filter((each) => each.number > number && each.request.url === path && each.origin === origin)
  }
}

function pairs (rawHeaders: readonly string[]): Header[] {
  return rawHeaders.flatMap((name, index) => index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : [])
}

/** The lines of both messages' heads, but for those that Node adds to a response on its way out (Date, Connection, Keep-Alive). */
export function asText ({ request, response }: Exchange): string {
  return [
    `${request.method} ${request.url} HTTP/${request.version}`,
    ...lines(request.headers),
    '',
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`,
    ...lines(response.headers)
  ].map(printable).join('\n')
}

function lines (headers: readonly Header[]): string[] {
  return headers.map(([name, value]) => `${name}: ${value}`)
}

/** Nothing that was sent to the API can control the terminal it is printed on. */
export function printable (text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
