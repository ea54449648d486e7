// A model for the tests of which cookies a request of a page carries (RFC 6265bis): those of the host, if it is of the page's site or the
// cookie is for all sites.
import type { CredentialsMode } from './messages'

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

/** The names of the cookies that are sent with a request of a script or an element. `page` is the page's URL; an opaque origin has no site in common with anything. */
export function cookiesSent (cookies: readonly Cookie[], page: string, url: string, credentials: CredentialsMode, sameOrigin: boolean): string[] {
  if (credentials === 'omit' || (credentials === 'same-origin' && !sameOrigin)) return []
  const { hostname, protocol } = new URL(url)
  const sameSite = page !== 'null' && siteOf(page) === siteOf(url)
  return cookies
    .filter(({ host, secure, sameSite: restriction }) => host === hostname && (!secure || protocol === 'https:') && (sameSite || restriction === 'None'))
    .map(({ name }) => name)
    .sort()
}
