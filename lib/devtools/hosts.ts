// What a browser knows of a host without asking anybody: its site, and whether its address is loopback or private.
import { isRegistrableDomain } from '../origins/public-suffix'

/** The site of a URL: scheme and registrable domain (https://html.spec.whatwg.org/#obtain-a-site). An opaque origin has none in common with any. */
export function siteOf (url: string): string {
  if (!URL.canParse(url)) return url
  const { protocol, hostname } = new URL(url)
  const labels = hostname.split('.')
  const domain = labels.map((_, index) => labels.slice(index).join('.')).find(isRegistrableDomain)
  return `${protocol}//${domain ?? hostname}`
}

/** https://wicg.github.io/local-network-access/#non-public-ip-address-blocks, in the form in which a URL has addresses. */
const NOT_PUBLIC = /^(?:127\.|10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|\[::1\]$|\[f[cd]|\[fe[89ab])/

/** Whether a host is a loopback name, or an address that is loopback, private or link-local. */
export function isLoopbackOrPrivate (hostname: string): boolean {
  return isLoopback(hostname) || NOT_PUBLIC.test(hostname) || hostname.endsWith('.local')
}

/** https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy */
export function isLoopback (hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || /^(?:127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}
