// Sends the requests of an audit to the application, without a network.
import type { FastifyInstance, InjectOptions } from 'fastify'
import type { HeaderList } from '../browser/headers'
import type { ApplicationRecord, RecordedRoute } from './application-recorder'
import type { CorsExchange } from './types'

/** A response, with the request that it answers. */
export interface Answer {
  readonly status: number
  readonly headers: HeaderList
  /** The pattern of the route that the request matched; undefined for none. */
  readonly matched: string | undefined
  readonly reachedHandler: boolean
  readonly exchange: CorsExchange
}

/** Where the requests of a route go. */
export interface Target { readonly method: string, readonly url: string, readonly headers: Readonly<Record<string, string>> }

/** Values of parameters. The first for which the request reaches the route is taken. */
const PARAMETERS = ['1', 'a', '01', 'en', '2030-01-01', '1234', '00000000-0000-4000-8000-000000000000', 'a.json']

/** A parameter with its expression, a wildcard, or an escaped colon (find-my-way). */
const PARAMETER = /::|:\w+(?:\((?:[^()]|\([^()]*\))*\))?\??|\*/g

export class AuditRequests {
  count = 0
  answeredBeforeHandler = 0
  readonly #root: FastifyInstance
  readonly #record: ApplicationRecord

  constructor (root: FastifyInstance, record: ApplicationRecord) {
    this.#root = root
    this.#record = record
  }

  /** A request that reaches the route; undefined if none is found. */
  async targetOf ({ method, url: pattern, host, version }: RecordedRoute): Promise<Target | undefined> {
    const headers = { ...(typeof host === 'string' && { host }), ...(version !== undefined && { 'accept-version': version }) }
    for (const value of PARAMETERS) {
      const target = { method, url: pattern.replace(PARAMETER, (part) => part === '::' ? ':' : value), headers }
      if ((await this.send(target)).matched === pattern) return target
    }
    return undefined
  }

  /** Sends the request, from a page of this origin or from none. */
  async send ({ method, url, headers }: Target, origin?: string): Promise<Answer> {
    const sent = { ...headers, ...(origin !== undefined && { origin }) }
    // Each comes from another address of this machine, so that they do not share a rate limit.
    const number = ++this.count
    const remoteAddress = `127.${number >> 16 & 255}.${number >> 8 & 255}.${number & 255}`
    const response = await this.#root.inject({ method: method as NonNullable<InjectOptions['method']>, url, headers: sent, remoteAddress })
    const record = this.#record.requests.get(response.raw.req)
    const reachedHandler = record?.reachedHandler === true
    if (!reachedHandler && record?.url !== undefined && method !== 'OPTIONS') this.answeredBeforeHandler++
    const list = Object.entries(response.headers).flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, String(each)]))
    return {
      status: response.statusCode,
      headers: list,
      matched: record?.url,
      reachedHandler,
      exchange: { request: { method, url, headers: sent }, response: { statusCode: response.statusCode, headers: Object.fromEntries(list.filter(isShown)) } }
    }
  }

  /** Sends the preflight for this request. Browsers send no version, and no other header of the page. */
  async preflight ({ method, url, headers: { host } }: Target, origin: string, requestHeaders: readonly string[] = []): Promise<Answer> {
    const headers = {
      ...(host !== undefined && { host }),
      'access-control-request-method': method,
      ...(requestHeaders.length > 0 && { 'access-control-request-headers': requestHeaders.join(',') })
    }
    return await this.send({ method: 'OPTIONS', url, headers }, origin)
  }
}

/** The headers that say something about CORS. */
function isShown ([name]: readonly [string, string]): boolean {
  return name.startsWith('access-control-') || name === 'vary' || name === 'cache-control'
}
