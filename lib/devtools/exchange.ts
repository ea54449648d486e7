// An exchange of the browser model as plain JSON, for answers.
import type { WireExchange } from '../browser/fetch'
import { getHeader, type HeaderList } from '../browser/headers'
import type { ParsedQuestion } from './question'
import type { CorsExchange } from './types'

/** The status of the response to the request itself where it is never sent. */
export const NOT_SENT = 0

/** The most of a header that an answer shows, in characters. */
const MAX_VALUE_LENGTH = 512

/** An exchange as plain JSON. What a long question or a long answer has in its headers and its URL is cut. */
export function toCorsExchange ({ request, response: { status, headers } }: WireExchange, { page, path, hasHost }: ParsedQuestion): CorsExchange {
  return {
    request: { method: request.method, url: cut(hasHost ? page.url : path), headers: toRecord(request.headers) },
    response: { statusCode: status === NOT_SENT ? null : status, headers: toRecord(headers) }
  }
}

/** Combines the values of a repeated header into one list. */
function toRecord (list: HeaderList): Record<string, string> {
  const names = new Set(list.map(([name]) => name.toLowerCase()))
  return Object.fromEntries([...names].map((name) => [cut(name), cut(getHeader(list, name) as string)]))
}

function cut (text: string): string {
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text
}
