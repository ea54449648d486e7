// What migrate answers: plain JSON.

/** The registration that takes the place of one of @fastify/cors. */
export interface MigratedRegistration {
  /** Where @fastify/cors is registered, `app.js:8:11`; null where a package does it. */
  readonly location: string | null
  /** The program text. */
  readonly code: string
  /** What a person has to write or decide. Empty where `code` is complete. */
  readonly toWrite: readonly string[]
  /** What was left out or changed, and why. */
  readonly notes: readonly string[]
}

/** A route that had a `config.cors`. */
export interface MigratedRoute {
  readonly method: string
  readonly url: string
  readonly location: string | null
  /** What to write for it: `config: { cors: false }`. */
  readonly code: string
  readonly toWrite: readonly string[]
}

/** `wider`: more is allowed. `narrower`: less is. `status`: a status differs, or a 404 can be read. */
export type ChangeKind = 'wider' | 'narrower' | 'status'

/** Answers that change, for some routes and origins in the same way. */
export interface AnswerChange {
  readonly kind: ChangeKind
  /** `PUT /items/:id`. */
  readonly routes: readonly string[]
  readonly origins: readonly string[]
  /** The request headers for which it changes: names in one text. `''` for a request without headers. */
  readonly headers: readonly string[]
  readonly was: string
  readonly becomes: string
  /** How to keep what becomes wider closed; null elsewhere. */
  readonly advice: string | null
}

/** The answer of migrate. */
export interface Migration {
  readonly registrations: readonly MigratedRegistration[]
  readonly routes: readonly MigratedRoute[]
  /** Wider first, then narrower, then statuses. */
  readonly changes: readonly AnswerChange[]
  /** Routes whose answers were not compared, because their registration has to be written first. */
  readonly notCompared: readonly string[]
  /** The number of requests that were compared. */
  readonly compared: number
}
