// Parses the question of app.cors.explain: checks it, reports all of its problems at once, and turns it into the request of a page.
// explain.ts uses it; allows.ts uses its error.
import createError from '@fastify/error'
import type { PageRequest } from '../browser/fetch'
import { nearestWord } from '../messages/nearest-word'
import { childPointer, printable, quote, type CorsProblem } from '../messages/errors'
import { isToken } from '../http/headers'
import { isSerialisedOrigin, parseOriginEntry } from '../origins/pattern'
import type { CorsQuestion, CorsQuestionError } from './types'

const InvalidQuestionError = createError<[string]>('FST_ERR_CORS_INVALID_QUESTION', '%s', 400, TypeError)

/** The error for these problems. `subject` is the function that was called, such as `app.cors.explain`. */
export function questionError (subject: string, problems: readonly CorsProblem[]): CorsQuestionError {
  const lines = problems.map(({ pointer, message, reason }) => {
    return `\n  ${pointer === '' ? '' : `${printable(pointer.slice(0, 120))}: `}${message} [${reason}]`
  })
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  const error = new InvalidQuestionError(`${subject}: ${count}${lines.join('')}`)
  return Object.assign(error, { problems: Object.freeze(problems.map((problem) => Object.freeze(problem))) }) as unknown as CorsQuestionError
}

/** The origin of the API where the question has only a path. No page has this origin, so the request is always cross-origin. */
const UNKNOWN_ORIGIN = 'http://unknown.invalid'

/** The host that `inject` sends where none is given. */
const DEFAULT_HOST = 'localhost:80'

/** The question, parsed. */
export interface ParsedQuestion {
  readonly page: Required<PageRequest>
  /** The response headers that the page reads. */
  readonly reads: readonly string[]
  /** Path and query of the URL. */
  readonly path: string
  /** The host of the URL, or one of the application's. */
  readonly host: string
  /** Whether the question has an absolute URL, which names the host. */
  readonly hasHost: boolean
}

/**
 * `ownHost` is a host of the application, for questions whose URL is a path.
 *
 * @throws CorsQuestionError with all problems of the question
 */
export function parseQuestion (question: CorsQuestion, ownHost = DEFAULT_HOST): ParsedQuestion {
  const problems: CorsProblem[] = []
  const report = (pointer: string, value: unknown, reason: CorsProblem['reason'], message: string): void => {
    problems.push({ pointer, reason, value, message: `${quote(value)} ${message}` })
  }
  if (typeof question !== 'object' || question === null || Array.isArray(question)) {
    report('', question, 'type', 'is not a question; write { origin: "https://app.example.com", method: "PUT", url: "/items/7" }')
    throw questionError(SUBJECT, problems)
  }
  for (const [name, value] of Object.entries(question)) {
    if (!Object.hasOwn(CHECKS, name)) {
      const message = `a question has no ${quote(name)}; ${suggestName(name)}`
      problems.push({ pointer: childPointer('', name), reason: 'unknown-property', value, message })
    } else if (value !== undefined) {
      CHECKS[name as keyof typeof CHECKS](value, report)
    }
  }
  for (const [name, example] of [['origin', 'https://app.example.com'], ['url', '/items/7']] as const) {
    if (question[name] !== undefined) continue
    const message = `${quote(name)} is missing; write one, such as ${name}: ${quote(example)}`
    problems.push({ pointer: childPointer('', name), reason: 'missing', value: undefined, message })
  }
  if (problems.length > 0) throw questionError(SUBJECT, problems)
  const { origin, method = 'GET', url, headers = {}, credentials = false, useCorsPreflight = false, reads = [] } = question
  const parsed = new URL(url, UNKNOWN_ORIGIN)
  const hasHost = parsed.origin !== UNKNOWN_ORIGIN
  return {
    page: {
      origin,
      url: parsed.href.replace(/#.*/s, ''),
      method,
      headers: Object.entries(headers).flatMap(([name, value]) => [value].flat().map((each): readonly [string, string] => [name, each])),
      credentials: credentials ? 'include' : 'same-origin',
      useCorsPreflight
    },
    reads,
    path: parsed.pathname + parsed.search,
    host: hasHost ? parsed.host : ownHost,
    hasHost
  }
}

const SUBJECT = 'app.cors.explain'

/** What to write instead of a name that questions do not have. */
function suggestName (name: string): string {
  const similar = nearestWord(name, Object.keys(CHECKS))
  return similar === undefined ? `it has ${Object.keys(CHECKS).join(', ')}` : `did you mean ${quote(similar)}?`
}

/** Longer than any method in use. */
const MAX_METHOD_LENGTH = 64

type Report = (pointer: string, value: unknown, reason: CorsProblem['reason'], message: string) => void

/** The checks of the values, by name. A value that is left out is not checked. */
const CHECKS: { readonly [Name in keyof CorsQuestion]-?: (value: unknown, report: Report) => void } = {
  origin (value, report) {
    if (typeof value !== 'string') return report('/origin', value, 'type', 'is not an origin; write a text such as "https://app.example.com", or "null"')
    // Browsers accept some origins that no policy can allow, such as those with an over-long host. A question about them is valid.
    if (value === 'null' || isSerialisedOrigin(value) || (!value.includes('*') && URL.canParse(value) && new URL(value).origin === value)) return
    const entry = parseOriginEntry(value)
    if (entry.kind === 'refused') report('/origin', value, entry.reason, `is not the origin of a page: ${entry.message}`)
    else report('/origin', value, 'invalid', 'is not the origin of one page; write one origin, such as "https://app.example.com"')
  },
  url (value, report) {
    if (typeof value !== 'string') return report('/url', value, 'type', 'is not a URL; write a path such as "/items/7", or a whole URL')
    const invalid = (message: string): void => report('/url', value, 'invalid', message)
    if (!/^(?:\/|https?:\/\/)/i.test(value)) {
      return invalid('is neither a path nor a URL of HTTP; write "/items/7" or "https://api.example.com/items/7"')
    }
    if (!URL.canParse(value, UNKNOWN_ORIGIN)) return invalid('is not a URL; write "/items/7" or "https://api.example.com/items/7"')
    const { username, password, origin } = new URL(value, UNKNOWN_ORIGIN)
    if (username !== '' || password !== '') {
      invalid('has a user name or a password, which fetch() rejects; leave out "@" and everything before it')
    } else if (value.startsWith('/') && origin !== UNKNOWN_ORIGIN) {
      invalid('begins with two slashes, which browsers read as another host; write one, or the whole URL')
    }
  },
  method (value, report) {
    if (typeof value !== 'string') return report('/method', value, 'type', 'is not a method; write a text such as "PUT"')
    if (isToken(value) && value.length <= MAX_METHOD_LENGTH) return
    report('/method', value, 'invalid', 'is not a method; write one of at most 64 letters, without spaces, such as "PUT"')
  },
  headers (value, report) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return report('/headers', value, 'type', 'is not an object of headers; write { "x-request-id": "1" }')
    }
    for (const [name, texts] of Object.entries(value)) {
      const pointer = childPointer('/headers', name)
      if (!isToken(name)) report(pointer, name, 'invalid', 'is not the name of a header; write one without spaces and colons, such as "x-request-id"')
      for (const text of [texts].flat()) {
        if (typeof text !== 'string') report(pointer, text, 'type', 'is not the value of a header; write a text, or an array of texts')
        else if (!VALUE.test(text)) report(pointer, text, 'invalid', 'cannot be the value of a header; leave out line breaks and characters outside ISO-8859-1')
      }
    }
  },
  reads (value, report) {
    if (!Array.isArray(value)) return report('/reads', value, 'type', 'is not a list of response headers; write ["ETag"]')
    for (const [index, name] of value.entries()) {
      if (typeof name !== 'string' || !isToken(name)) report(`/reads/${index}`, name, 'invalid', 'is not the name of a header; write one such as "ETag"')
    }
  },
  credentials: (value, report) => checkBoolean('/credentials', value, report),
  useCorsPreflight: (value, report) => checkBoolean('/useCorsPreflight', value, report)
}

/** https://fetch.spec.whatwg.org/#header-value. A page can set the characters U+0000 to U+00FF, which are sent as bytes. */
const VALUE = /^[^\0\n\r\u0100-\uffff]*$/

function checkBoolean (pointer: string, value: unknown, report: Report): void {
  if (typeof value !== 'boolean') report(pointer, value, 'type', 'is neither true nor false; write one of them')
}
