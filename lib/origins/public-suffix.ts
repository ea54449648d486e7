// The public suffix list (https://publicsuffix.org): tells below which hosts strangers can register names.

/** Top-level names that are reserved (https://www.iana.org/assignments/special-use-domain-names): nobody can register below them. */
const SPECIAL_USE: ReadonlySet<string> = new Set(['example', 'internal', 'invalid', 'local', 'localhost', 'test'])

interface Suffixes {
  /** The rules as the list writes them: `co.uk`, `*.ck`, `!www.ck`. */
  readonly rules: ReadonlySet<string>
  /** The shortest public suffix below each host that has one. */
  readonly below: ReadonlyMap<string, string>
}

let loaded: Suffixes | undefined

/** Loads the list when it is first needed: it takes over a megabyte of heap, and most policies do not need it. scripts/public-suffixes.mjs writes it. */
function suffixes (): Suffixes {
  loaded ??= indexOf(require('./tldts') as readonly string[])
  return loaded
}

function indexOf (list: readonly string[]): Suffixes {
  const below = new Map<string, string>()
  for (const rule of list) {
    if (rule.startsWith('!')) continue
    // Names that a wildcard rule makes suffixes are directly below its host.
    const suffix = rule.replace('*.', '')
    let host = rule
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.')) {
      host = host.slice(dot + 1)
      const known = below.get(host)
      if (known === undefined || suffix.length < known.length) below.set(host, suffix)
    }
  }
  return { rules: new Set(list), below }
}

/** Whether strangers can register names directly below this host: `com`, `co.uk`, `github.io`, and top-level names that the list does not have. */
export function isPublicSuffix (host: string): boolean {
  const { rules } = suffixes()
  if (rules.has(host)) return true
  if (rules.has(`!${host}`) || SPECIAL_USE.has(host) || host.startsWith('[')) return false
  const dot = host.indexOf('.')
  return dot === -1 || rules.has(`*${host.slice(dot)}`)
}

/** Whether the list has this name as a top-level domain. */
export function isTopLevelDomain (name: string): boolean {
  const { rules } = suffixes()
  return rules.has(name) || rules.has(`*.${name}`)
}

/** A public suffix that is this host or lies below it: `s3.amazonaws.com` for `amazonaws.com`. undefined if strangers can register no name below it. */
export function suffixAtOrBelow (host: string): string | undefined {
  return isPublicSuffix(host) ? host : suffixes().below.get(host)
}

/** Whether this host is directly below a public suffix or a reserved name, such as `example.com` or `me.github.io`: a registrable domain. */
export function isRegistrableDomain (host: string): boolean {
  const [, parent] = /^[^.]+\.(.+)$/.exec(host) ?? []
  return parent !== undefined && !isPublicSuffix(host) && (suffixes().rules.has(`!${host}`) || SPECIAL_USE.has(parent) || isPublicSuffix(parent))
}

/** Names for examples and tests (RFC 2606), which the list does not have. */
const RESERVED = /\.(?:example|test|invalid|localhost)$/

/** Whether the name is a domain below a suffix of the list, or one for examples. Source code has other names with dots, such as `module.exports`. */
export function isKnownDomain (name: string): boolean {
  if (RESERVED.test(name)) return true
  const { rules } = suffixes()
  const labels = name.split('.')
  const hosts = labels.map((_, index) => labels.slice(index).join('.'))
  // Without a rule, the list takes every top-level name for a suffix.
  const isListed = (host: string): boolean => isPublicSuffix(host) && (host.includes('.') || rules.has(host))
  return !isPublicSuffix(name) && hosts.some((host) => isListed(host) || rules.has(`!${host}`))
}
