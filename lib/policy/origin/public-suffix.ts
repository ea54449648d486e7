// Which hosts are public suffixes, so that a pattern of their subdomains lets in whoever registers one there.
import type { parse as parseHost } from 'tldts'

/** Names that no registry hands out (https://www.iana.org/assignments/special-use-domain-names): nobody can register below them. */
const SPECIAL_USE: ReadonlySet<string> = new Set(['example', 'internal', 'invalid', 'local', 'localhost', 'test'])

/** Whether strangers can register names directly below this host: `com`, `co.uk`, `github.io`, and top-level names the list does not know yet. */
export function isPublicSuffix (host: string): boolean {
  return suffixes()(host, { allowPrivateDomains: true }).publicSuffix === host && !SPECIAL_USE.has(host)
}

/** Whether this is what one registers: a name directly below a public suffix, such as `example.com` or `me.github.io`. */
export function isRegistrableDomain (host: string): boolean {
  return suffixes()(host, { allowPrivateDomains: true }).domain === host
}

/** Loaded when first needed: the list is over a megabyte of heap, and most policies have no such pattern. */
function suffixes (): typeof parseHost {
  return (require('tldts') as typeof import('tldts')).parse
}
