// Finds what the developer probably meant: an allowed origin or a routed path that differs from the one in the question in one detail.
import { OriginList } from '../origins/list'
import { parseOriginEntry, type OriginPattern } from '../origins/pattern'
import type { PolicyFields } from '../policy/fields'
import { isLoopback } from './hosts'
import type { RouteRegistry } from './route-registry'

/** An origin that the policy allows, and how it differs from the page's origin. */
export interface OriginSuggestion {
  readonly origin: string
  readonly difference: string
}

/** The most entries that are searched. */
const MAX_ENTRIES = 10_000

/** The allowed origin that is most similar to this one. */
export function suggestOrigin (origin: string, { origin: allowed, credentials }: PolicyFields): OriginSuggestion | undefined {
  const page = parseOriginEntry(origin)
  if (page.kind !== 'origin' || typeof allowed === 'function') return undefined
  const values = [...entriesOf(allowed), ...entriesOf(credentials)].slice(0, MAX_ENTRIES)
  const entries = values.flatMap((value) => typeof value === 'string' ? parseOriginEntry(value) : []).filter((entry) => entry.kind === 'origin')
  for (const { applies, suggest, difference } of SIMILARITIES) {
    const entry = entries.find((entry) => applies(page, entry))
    if (entry !== undefined) return { origin: suggest(page, entry), difference: difference(entry) }
  }
  return undefined
}

/** The entries of a policy's `origin` or `credentials`. */
export function entriesOf (value: unknown): readonly unknown[] {
  return value instanceof OriginList ? [...value] : [value].flat()
}

/** One way in which the origin of a page and an entry of a policy are similar. */
interface Similarity {
  readonly applies: (page: OriginPattern, entry: OriginPattern) => boolean
  /** The origin that the page needs, for the entry to match it. */
  readonly suggest: (page: OriginPattern, entry: OriginPattern) => string
  readonly difference: (entry: OriginPattern) => string
}

const WWW = /^www\./

/** The most likely mistake first. */
const SIMILARITIES: readonly Similarity[] = [
  {
    applies: (page, entry) => page.host.endsWith('.') && matchesHost({ ...page, host: page.host.slice(0, -1) }, entry) && page.scheme === entry.scheme,
    suggest: (page, { port, anyPort }) => serialize({ ...page, host: page.host.slice(0, -1), port: anyPort ? page.port : port }),
    difference: () => 'the same host without the dot at its end'
  },
  {
    applies: (page, entry) => matchesHost(page, entry) && page.scheme === entry.scheme && !matchesPort(page, entry),
    suggest: (page, { port }) => serialize({ ...page, port }),
    difference: () => 'the same host on another port'
  },
  {
    applies: (page, entry) => matchesHost(page, entry) && page.scheme !== entry.scheme,
    suggest: (page, { scheme, port, anyPort }) => serialize({ scheme, host: page.host, port: anyPort ? page.port : port }),
    difference: ({ scheme }) => `the same host over ${scheme}`
  },
  {
    applies: (page, entry) => !entry.subdomains && page.host.replace(WWW, '') === entry.host.replace(WWW, ''),
    suggest: (page, { scheme, host, port, anyPort }) => serialize({ scheme, host, port: anyPort ? page.port : port }),
    difference: ({ host }) => `the same host ${WWW.test(host) ? 'with' : 'without'} "www."`
  },
  {
    applies: (page, entry) => page.scheme === entry.scheme && page.host.endsWith('.') && matchesPort(page, entry) &&
      matchesHost({ ...page, host: page.host.slice(0, -1) }, entry),
    suggest: (page) => serialize({ ...page, host: page.host.slice(0, -1) }),
    difference: () => 'the same host without the dot, which makes it another origin'
  },
  {
    applies: (page, entry) => entry.subdomains && page.host === entry.host,
    suggest: (page, { scheme, host, port, anyPort }) => serialize({ scheme, host: `www.${host}`, port: anyPort ? page.port : port }),
    difference: () => 'a subdomain: the pattern does not match the host itself'
  },
  {
    applies: (page, entry) => page.scheme === entry.scheme && !entry.subdomains && isLoopback(page.host) && isLoopback(entry.host) && matchesPort(page, entry),
    suggest: (page, { scheme, host, port, anyPort }) => serialize({ scheme, host, port: anyPort ? page.port : port }),
    difference: () => 'the same machine by another name, which is another origin'
  }
]

function matchesHost (page: OriginPattern, { host, subdomains }: OriginPattern): boolean {
  return subdomains ? page.host.endsWith(`.${host}`) : page.host === host
}

function matchesPort (page: OriginPattern, { port, anyPort }: OriginPattern): boolean {
  return anyPort || page.port === port
}

function serialize ({ scheme, host, port }: Pick<OriginPattern, 'scheme' | 'host' | 'port'>): string {
  return `${scheme}://${host}${port === '' ? '' : `:${port}`}`
}

/** A routed path that is the question's without its first segments, which a proxy may remove. */
export function suggestPrefix (
  registry: RouteRegistry, method: string, path: string, host: string
): { readonly prefix: string, readonly path: string } | undefined {
  const segments = (path.split('?', 1)[0] as string).split('/').slice(1)
  for (let count = 1; count < Math.min(segments.length, 4); count++) {
    const prefix = `/${segments.slice(0, count).join('/')}`
    const rest = path.slice(prefix.length)
    const [first] = registry.match(method, rest, host)
    // A wildcard answers everything, so it says nothing of a prefix.
    if (first !== undefined && !first.url.includes('*')) return { prefix, path: rest }
  }
  return undefined
}

/** Whether a route matches the method in capitals. Browsers leave the case of `patch` as it is. */
export function suggestsUpperCase (registry: RouteRegistry, method: string, path: string, host: string): boolean {
  const upper = method.toUpperCase()
  return upper !== method && registry.match(upper, path, host).length > 0
}

/** The path with a trailing slash added or removed, if a route matches that. */
export function suggestPath (registry: RouteRegistry, method: string, path: string, host: string): string | undefined {
  const [pathname] = path.split('?', 1) as [string]
  const query = path.slice(pathname.length)
  const other = `${pathname.endsWith('/') ? pathname.slice(0, -1) : `${pathname}/`}${query}`
  return registry.match(method, other, host).length === 0 ? undefined : other
}
