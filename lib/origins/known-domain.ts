// Tells names of hosts from other names with dots, such as `module.exports` in source code.
import { isPublicSuffix, isTopLevelDomain } from './public-suffix'

/** Names for examples and tests (RFC 2606), which the list does not have. */
const RESERVED = /\.(?:example|test|invalid|localhost)$/

/** Whether the name is a domain below a top-level domain that exists, or one for examples. */
export function isKnownDomain (name: string): boolean {
  return (isTopLevelDomain(name.slice(name.lastIndexOf('.') + 1)) && !isPublicSuffix(name)) || RESERVED.test(name)
}
