// What a conformance case is: requests that pages make one after the other, and for each of them what the policy of the route means.
import type { CredentialsMode, HeaderList } from '../../lib/browser/headers'
import type { Failure } from './browser'
import type { PageName, World } from './world'

/** What makes the request. */
export type Initiator = 'fetch' | 'xhr' | 'worker' | 'module' | 'script' | 'image' | 'font' | 'eventsource'

/** Only these let the page read more than that the response came. */
export const READERS: readonly Initiator[] = ['fetch', 'xhr', 'worker']

/** What the policy means for a request, said without any computing. */
export interface Meaning {
  readonly result: 'readable' | 'opaque' | 'blocked'
  /** How many preflights the page pays. */
  readonly preflights: number
  /** The handlers that run, as `METHOD /path`. */
  readonly runs: readonly string[]
  readonly failure?: Failure
  readonly status?: number
  /** Response headers that the page sees, and some that it does not see. */
  readonly sees?: readonly string[]
  readonly hides?: readonly string[]
  /** The cookies that the actual request carries. */
  readonly cookies?: readonly string[]
}

export interface Step {
  readonly from: PageName
  readonly by: Initiator
  /** Without the parameter that tells the cases apart. */
  readonly url: string
  readonly method: string
  readonly headers: HeaderList
  readonly credentials: CredentialsMode
  readonly mode: 'cors' | 'no-cors'
  /** XMLHttpRequest only: whether there is a listener on its upload. */
  readonly upload: boolean
  readonly body?: string | undefined
  readonly means: Meaning
}

export interface Case {
  readonly name: string
  readonly steps: readonly Step[]
}

/** The cases of one area, in some world. */
export type Area = (world: World) => Case[]

type StepOptions = Partial<Omit<Step, 'from' | 'url' | 'means'>>

export function step (from: PageName, url: string, means: Meaning, options: StepOptions = {}): Step {
  return { by: 'fetch', method: 'GET', headers: [], credentials: 'same-origin', mode: 'cors', upload: false, ...options, from, url, means }
}

type Details = Partial<Omit<Meaning, 'result' | 'preflights'>>

/** The page reads what the handlers answered. */
export function readable (runs: string | readonly string[], preflights = 0, details: Details = {}): Meaning {
  return { result: 'readable', preflights, runs: [runs].flat(), ...details }
}

/** The handlers ran all the same: the request needed no permission, but the answer does. */
export function unreadable (runs: string | readonly string[], details: Details = {}): Meaning {
  return { result: 'blocked', preflights: 0, runs: [runs].flat(), ...details }
}

/** The preflight kept the request away. */
export function notSent (details: Details & { preflights?: number } = {}): Meaning {
  return { result: 'blocked', preflights: 1, runs: [], ...details }
}

/** The URL of a request of a case: the parameter keeps the caches' entries of one case from those of another, and the servers' records apart. */
export function urlFor (url: string, id: number): string {
  const result = new URL(url)
  // Redirects lead to another URL of the same case.
  const to = result.searchParams.get('to')
  if (to !== null) result.searchParams.set('to', urlFor(to, id))
  result.searchParams.set('case', String(id))
  return result.href
}
