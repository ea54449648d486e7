// What is wrong with a declaration, and the one coded error that says so. Every other file of lib/ reports problems
// through the types of this one; the message is written here, so that values from outside are always quoted safely.
import createError, { type FastifyError } from '@fastify/error'

/**
 * Why a value was refused. A closed set: a program may switch over it, and a new reason is a breaking change.
 *
 * | reason | what is wrong |
 * |---|---|
 * | `type` | a value of another type belongs here |
 * | `unknown-property` | there is no such option |
 * | `missing` | a required field is not there |
 * | `invalid` | the text cannot mean what belongs here (not an origin, not a header name, …) |
 * | `not-canonical` | an origin that no browser writes this way; the message gives the form they write |
 * | `null-origin` | `'null'` together with `credentials` |
 * | `wildcard-with-credentials` | `'*'` together with `credentials`, where browsers would ignore it |
 * | `insecure-with-credentials` | an unencrypted origin together with `credentials` |
 * | `public-suffix` | a subdomain pattern that strangers can register a name under, together with `credentials` |
 * | `unanchored-regexp` | a RegExp that can match a part of an origin |
 * | `unsafe-regexp` | a RegExp that keeps state, or that cannot be matched in linear time |
 * | `forbidden` | a header name that browsers do not let a page send or read |
 * | `out-of-range` | a number outside its range |
 * | `unknown-policy` | a policy name that nobody declared |
 * | `cyclic-extends` | policies that extend each other in a circle |
 * | `conflict` | two declarations of which only one can be true |
 */
export type CorsProblemReason =
  | 'type' | 'unknown-property' | 'missing' | 'invalid' | 'not-canonical' | 'null-origin'
  | 'wildcard-with-credentials' | 'insecure-with-credentials' | 'public-suffix' | 'unanchored-regexp'
  | 'unsafe-regexp' | 'forbidden' | 'out-of-range' | 'unknown-policy' | 'cyclic-extends' | 'conflict'

/** One thing that is wrong with a declaration. */
export interface CorsProblem {
  /** JSON pointer (RFC 6901) to the value: into `config.cors` (`/origin/1`), or into the plugin's options (`/policies/partner/origin/1`). `''` is the whole value. */
  readonly pointer: string
  /** Why the value was refused. */
  readonly reason: CorsProblemReason
  /** The value that was refused: what `pointer` leads to, and undefined where something is missing. */
  readonly value: unknown
  /** What is wrong with it and what to write instead, in one sentence. */
  readonly message: string
}

/**
 * Thrown for every mistake in the plugin's options, in a route's `config.cors` and by `definePolicies`: where the mistake was made,
 * and with all of its problems at once. `code` is `'FST_ERR_CORS_INVALID_POLICY'`.
 *
 * @example
 * try {
 *   app.get('/', { config: { cors: { origin: 'example.com' } } }, handler)
 * } catch (error) {
 *   for (const problem of (error as CorsPolicyError).problems) console.error(problem.pointer, problem.reason)
 * }
 */
export interface CorsPolicyError extends FastifyError {
  readonly code: 'FST_ERR_CORS_INVALID_POLICY'
  /** Everything that is wrong. Never empty. */
  readonly problems: readonly CorsProblem[]
}

const InvalidPolicyError = createError<[string]>('FST_ERR_CORS_INVALID_POLICY', '%s', 500, TypeError)

/** The error for these problems. `subject` is whose they are: `config.cors of PUT /items/:id`, `the plugin's options`. */
export function corsPolicyError (subject: string, problems: readonly CorsProblem[]): CorsPolicyError {
  const lines = problems.map(({ pointer, reason, message }) => `\n  ${pointer === '' ? '' : `${printable(pointer)}: `}${message} [${reason}]`)
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  const error = new InvalidPolicyError(`${printable(subject)}: ${count}${lines.join('')}`)
  return Object.assign(error, { problems: Object.freeze(problems.map((problem) => Object.freeze(problem))) }) as unknown as CorsPolicyError
}

const QUOTE_LIMIT = 120

/** A value as it may stand in a message or a log: short, on one line, and without control or direction characters. */
export function quote (value: unknown): string {
  return printable(truncate(describe(value)))
}

function describe (value: unknown): string {
  switch (typeof value) {
    case 'string': return JSON.stringify(value.slice(0, QUOTE_LIMIT))
    case 'function': return value.name === '' ? 'a function' : `the function ${value.name}`
    case 'object': return describeObject(value)
    default: return String(value)
  }
}

function describeObject (value: object | null): string {
  if (value === null) return 'null'
  if (value instanceof RegExp) return RegExp.prototype.toString.call(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}

function truncate (text: string): string {
  return text.length > QUOTE_LIMIT ? `${text.slice(0, QUOTE_LIMIT)}…` : text
}

/** Controls, invisible and direction characters, line separators, halves of characters: a log line must show what it says. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** The text with every character that a terminal would act on, or not show, written as an escape. */
export function printable (text: string): string {
  return text.replace(UNPRINTABLE, (char) => char.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''))
}

/** The pointer one step further in: `child('/origin', 1)` is `/origin/1` (RFC 6901, section 3). */
export function childPointer (pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
