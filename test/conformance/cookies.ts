// A model for the tests of which cookies a request of a page carries (RFC 6265bis): those of the host, if it is of the page's site or the
// cookie is for all sites.
import type { CredentialsMode } from '../../lib/browser/headers'

export interface Cookie {
  readonly name: string
  readonly host: string
  readonly sameSite: 'Strict' | 'Lax' | 'None'
  readonly secure: boolean
}

/** Scheme and registrable domain (https://html.spec.whatwg.org/#obtain-a-site). All of the tests' hosts are `….name.test`. */
export function siteOf (url: string): string {
  const { protocol, hostname } = new URL(url)
  return `${protocol}//${hostname.split('.').slice(-2).join('.')}`
}

/** What decides about the cookies of a request: the page's origin (an opaque one has no site in common with anything), and whether the request stays within it. */
export interface Sending { readonly origin: string, readonly url: string, readonly credentials: CredentialsMode, readonly isSameOrigin: boolean }

/** The names of the cookies that are sent with a request of a script or an element. */
export function cookiesSent (cookies: readonly Cookie[], { origin, url, credentials, isSameOrigin }: Sending): string[] {
  if (credentials === 'omit' || (credentials === 'same-origin' && !isSameOrigin)) return []
  const { hostname, protocol } = new URL(url)
  const sameSite = origin !== 'null' && siteOf(origin) === siteOf(url)
  return cookies
    .filter(({ host, secure, sameSite: restriction }) => host === hostname && (!secure || protocol === 'https:') && (sameSite || restriction === 'None'))
    .map(({ name }) => name)
    .sort()
}

/** The same as a header's value. */
export function cookieHeader (cookies: readonly Cookie[], sending: Sending): string | undefined {
  const names = cookiesSent(cookies, sending)
  return names.length === 0 ? undefined : names.map((name) => `${name}=1`).join('; ')
}
