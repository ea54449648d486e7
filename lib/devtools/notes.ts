// The `notes` of an explanation: what no server can decide, said where it applies to the question.
import { isLoopback, isLoopbackOrPrivate, siteOf } from './hosts'
import type { ParsedQuestion } from './question'

/** What became of the request. */
export interface Outcome {
  readonly isPreflighted: boolean
  /** The status of the last answer. Undefined where nothing was sent. */
  readonly status: number | undefined
}

/** A note, and where it applies. */
interface Note { readonly text: string, readonly applies: (question: ParsedQuestion, outcome: Outcome) => boolean }

const NOTES: readonly Note[] = [
  {
    // https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-samesite-attribute
    text: 'cookies are sent from another site only if they were set with SameSite=None; Secure, and if the browser does not block third-party cookies',
    applies: ({ page, hasHost }) => page.credentials === 'include' && hasHost && siteOf(page.origin) !== siteOf(page.url)
  },
  {
    // https://wicg.github.io/local-network-access/
    text: 'the API has a loopback or private address: a page of the public network needs the permission of the user, and Chromium reports a refusal as a ' +
      'CORS error (Local Network Access)',
    applies: ({ page, hasHost }) => hasHost && isLoopbackOrPrivate(new URL(page.url).hostname) && isPublicPage(page.origin)
  },
  {
    // https://w3c.github.io/beacon/#sec-processing-model
    text: 'navigator.sendBeacon always sends credentials: with a body of JSON it needs a policy with credentials: true',
    applies: ({ page }) => page.method.toUpperCase() === 'POST' && page.credentials !== 'include' && hasJsonBody(page.headers)
  },
  {
    // https://fetch.spec.whatwg.org/#cors-preflight-fetch: the redirect mode of a preflight is "error".
    text: 'if a server redirects this URL to https, the preflight fails, because browsers follow no redirect for a preflight: request the https URL',
    applies: ({ page, hasHost }, { isPreflighted }) => isPreflighted && hasHost && page.url.startsWith('http:') && !isLoopback(new URL(page.url).hostname)
  },
  {
    text: 'the console of WebKit shows the status of a refused preflight, and not the CORS header that is missing',
    applies: (_question, { isPreflighted, status = 0 }) => isPreflighted && status > 299
  }
]

/** The notes for a question. */
export function notesFor (question: ParsedQuestion, outcome: Outcome): string[] {
  return NOTES.filter(({ applies }) => applies(question, outcome)).map(({ text }) => text)
}

function isPublicPage (origin: string): boolean {
  return /^https?:/.test(origin) && !isLoopbackOrPrivate(new URL(origin).hostname)
}

function hasJsonBody (headers: ParsedQuestion['page']['headers']): boolean {
  return headers.some(([name, value]) => name.toLowerCase() === 'content-type' && /^application\/(?:.*\+)?json\b/i.test(value))
}
