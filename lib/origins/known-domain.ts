// Tells names of hosts from other names with dots, such as `module.exports` in source code.
import type { parse } from 'tldts'

/** Names for examples and tests (RFC 2606), which the list does not have. */
const RESERVED = /\.(?:example|test|invalid|localhost)$/

/** Whether the name is a domain below a top-level domain that exists, or one for examples. */
export function isKnownDomain (name: string): boolean {
  const { domain, isIcann, isPrivate } = (require('./tldts') as { parse: typeof parse }).parse(name, { allowPrivateDomains: true })
  return (domain !== null && (isIcann === true || isPrivate === true)) || RESERVED.test(name)
}
