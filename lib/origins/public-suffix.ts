// Tells which hosts are public suffixes (https://publicsuffix.org). Anyone can register a subdomain of those, so a pattern of them is refused with
// credentials (credentials.ts), and corrections avoid them (regexp-correction.ts).

/** Top-level names that are reserved (https://www.iana.org/assignments/special-use-domain-names): nobody can register below them. */
const SPECIAL_USE: ReadonlySet<string> = new Set(['example', 'internal', 'invalid', 'local', 'localhost', 'test'])

/** Whether anyone can register names directly below this host: `com`, `co.uk`, `github.io`, and top-level names that the list does not have. */
export function isPublicSuffix (host: string): boolean {
  return suffixes()(host, { allowPrivateDomains: true }).publicSuffix === host && !SPECIAL_USE.has(host)
}

/** Whether this host is directly below a public suffix, such as `example.com` or `me.github.io`: a registrable domain. */
export function isRegistrableDomain (host: string): boolean {
  return suffixes()(host, { allowPrivateDomains: true }).domain === host
}

/**
 * Loads the list when it is first needed: it takes over a megabyte of heap, and most policies do not need it. It is a copy of the one file of `tldts` that is
 * needed (scripts/public-suffixes.mjs).
 */
function suffixes (): typeof import('tldts').parse {
  return (require('./tldts') as typeof import('tldts')).parse
}
