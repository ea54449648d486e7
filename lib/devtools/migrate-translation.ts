// What the translation of options of @fastify/cors works with.
import type { FastifyInstance } from 'fastify'
import type { CorsProblem } from '../messages/errors'

/** The problems of a policy: pointers begin with its fields, `/origin/0`. */
export type CheckPolicy = (policy: object) => readonly CorsProblem[]

/** The fields of a policy that come from options of @fastify/cors. */
export interface MigratedPolicy {
  /** Undefined where a person has to decide. */
  origin: unknown
  credentials?: boolean
  allowedHeaders?: unknown
  exposedHeaders?: unknown
  maxAge?: number
  optionsSuccessStatus?: 200 | 204
}

/** What becomes of options. */
export interface Translation {
  /** `false` where CORS is off. Undefined for a delegator. */
  policy: MigratedPolicy | false | undefined
  /** Options of the registration. */
  readonly registration: { hideOptionsRoute?: unknown, logLevel?: unknown }
  readonly toWrite: string[]
  readonly notes: string[]
}

/** What the translation needs besides the options. */
export interface TranslationContext {
  readonly check: CheckPolicy
  /** Origins that the user names with `--origin`. They take the place of `origin: true` with credentials. */
  readonly origins: readonly string[]
  readonly instance: FastifyInstance
}

/** Whether the translation can take the place of the options, so that answers can be compared. */
export function isComplete ({ policy }: Pick<Translation, 'policy'>): boolean {
  return policy === false || policy?.origin !== undefined
}
