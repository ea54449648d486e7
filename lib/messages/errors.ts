// The problems of a declaration, and the error that lists them.
// Every value from outside passes through `quote` or `printable` before it is part of a message or a log.
import type { default as CreateError, FastifyError } from '@fastify/error'

/**
 * Why a value was refused. A closed set: a program may switch over it, and a new reason is a breaking change.
 *
 * | reason | what is wrong |
 * |---|---|
 * | `type` | the value has the wrong type |
 * | `unknown-property` | there is no such option |
 * | `missing` | a required field is missing |
 * | `invalid` | the value has the right type, but is not valid here (not an origin, not a header name, …) |
 * | `not-canonical` | an origin that is not written as browsers serialise it; the message gives that form |
 * | `null-origin` | `'null'`, or the origin of files, together with `credentials` |
 * | `wildcard-with-credentials` | `'*'` together with `credentials`, where browsers would ignore it |
 * | `insecure-with-credentials` | an unencrypted origin together with `credentials` |
 * | `public-suffix` | an origin on a domain where anyone can register a name, together with `credentials` |
 * | `unanchored-regexp` | a RegExp that can match a part of an origin |
 * | `unsafe-regexp` | a RegExp that keeps state, or that cannot be matched in linear time |
 * | `forbidden` | a header name that browsers do not let a page send or read |
 * | `out-of-range` | a number outside its range |
 * | `unknown-policy` | no declared policy has this name |
 * | `cyclic-extends` | policies that extend each other in a cycle |
 * | `conflict` | two declarations that contradict each other |
 */
export type CorsProblemReason =
  | 'type' | 'unknown-property' | 'missing' | 'invalid' | 'not-canonical' | 'null-origin'
  | 'wildcard-with-credentials' | 'insecure-with-credentials' | 'public-suffix' | 'unanchored-regexp'
  | 'unsafe-regexp' | 'forbidden' | 'out-of-range' | 'unknown-policy' | 'cyclic-extends' | 'conflict'

/** One problem of a declaration. */
export interface CorsProblem {
  /** JSON pointer (RFC 6901) into `config.cors` (`/origin/1`) or into the plugin's options (`/policies/partner/origin/1`). `''` is the whole value. */
  readonly pointer: string
  /** Why the value was refused. */
  readonly reason: CorsProblemReason
  /** The refused value, to which `pointer` leads; undefined if a field is missing. */
  readonly value: unknown
  /** What is wrong with it and what to write instead, in one sentence. */
  readonly message: string
}

/**
 * Thrown for every mistake in the plugin's options, in a route's `config.cors`, and in the arguments of `definePolicies` and `originList`.
 * It is thrown where the mistake is, and lists all problems at once. `code` is `'FST_ERR_CORS_INVALID_POLICY'`.
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
  /** All problems: at least one. */
  readonly problems: readonly CorsProblem[]
}

let InvalidPolicyError: ReturnType<typeof createErrorClass> | undefined

/** Loads the package with the first problem: applications without mistakes start sooner. */
function createErrorClass () {
  const createError = require('@fastify/error') as typeof CreateError
  return createError<[string]>('FST_ERR_CORS_INVALID_POLICY', '%s', 500, TypeError)
}

/** Creates the error for these problems. `subject` says what has them: `config.cors of PUT /items/:id`, `the plugin's options`. */
export function corsPolicyError (subject: string, problems: readonly CorsProblem[]): CorsPolicyError {
  const lines = problems.map(({ pointer, reason, message }) => `\n  ${pointer === '' ? '' : `${printable(pointer)}: `}${message} [${reason}]`)
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  InvalidPolicyError ??= createErrorClass()
  const error = new InvalidPolicyError(`${printable(subject)}: ${count}${lines.join('')}`)
  return Object.assign(error, { problems: Object.freeze(problems.map((problem) => Object.freeze(problem))) }) as unknown as CorsPolicyError
}

/** The longest part of a value that a message shows, in characters. */
const QUOTE_LIMIT = 120

/** A value in a form that is safe in a message or a log: short, on one line, without control or direction characters. */
export function quote (value: unknown): string {
  try {
    return printable(truncate(describe(value)))
  } catch {
    // A getter or a trap of it throws.
    return 'a value that cannot be shown'
  }
}

function describe (value: unknown): string {
  switch (typeof value) {
    case 'string': return JSON.stringify(value.slice(0, QUOTE_LIMIT))
    case 'function': return value.name === '' ? 'a function' : `the function ${String(value.name)}`
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

/**
 * Escapes every character that a terminal would act on, or not show, and so could hide or forge part of a log line: control, format and direction characters,
 * line separators, lone surrogates.
 */
export function printable (text: string): string {
  // The RegExp is created here because Unicode classes take 0.1 ms, and most applications never come here.
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escapeUnits)
}

function escapeUnits (char: string): string {
  return char.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
}

/** The JSON pointer of a child: `childPointer('/origin', 1)` is `/origin/1` (RFC 6901, section 3). */
export function childPointer (pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
