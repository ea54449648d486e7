// Whether a request's Origin is one that a policy lists, at a cost that does not grow with the list.
import { isSerialisedOrigin, type TupleOrigin } from './pattern'

/** Whether this value of an Origin header is allowed. Knows nothing of `'*'`, which needs no matching. */
export type OriginMatcher = (origin: string) => boolean

export interface OriginList {
  readonly entries: readonly TupleOrigin[]
  readonly nullOrigin: boolean
  readonly regexps: readonly RegExp[]
}

/** The cheapest matcher that decides about this list: chosen once, so that a request pays only for what the list has. */
export function createMatcher ({ entries, nullOrigin, regexps }: OriginList): OriginMatcher {
  const exact = new Set(entries.filter((entry) => !isPattern(entry)).map((entry) => entry.text))
  if (nullOrigin) exact.add('null')
  const patterns = entries.filter(isPattern)
  if (patterns.length === 0 && regexps.length === 0) return exactMatcher(exact)
  const matchesPattern = patternMatcher(patterns)
  return (origin) => exact.has(origin) ||
    (isSerialisedOrigin(origin) && (matchesPattern(origin) || regexps.some((regexp) => regexp.test(origin))))
}

function isPattern (entry: TupleOrigin): boolean {
  return entry.subdomains || entry.anyPort
}

function exactMatcher (exact: ReadonlySet<string>): OriginMatcher {
  const [only] = exact
  return exact.size === 1 ? (origin) => origin === only : (origin) => exact.has(origin)
}

/** The ports that a host is allowed on: every one, or these (`''` is the default). */
type Ports = 'any' | Set<string>

/** Of one scheme: `.example.com` (subdomains) and `example.com` (that host, on any port) with their ports. */
interface SchemeTable {
  readonly hosts: Map<string, Ports>
  depth: number
}

/**
 * Looks up the host, and what follows each of its dots from the right: as many look-ups as the deepest pattern has labels, however many
 * patterns there are. Takes serialised origins only, which have a scheme, and labels before and after each dot.
 */
function patternMatcher (patterns: readonly TupleOrigin[]): OriginMatcher {
  const tables = new Map<string, SchemeTable>()
  for (const { scheme, host, port, subdomains, anyPort } of patterns) {
    const table = tables.get(scheme) ?? { hosts: new Map(), depth: 0 }
    tables.set(scheme, table)
    const key = subdomains ? `.${host}` : host
    const ports = table.hosts.get(key) ?? new Set()
    table.hosts.set(key, anyPort || ports === 'any' ? 'any' : ports.add(port))
    if (subdomains) table.depth = Math.max(table.depth, host.split('.').length)
  }
  return (origin) => {
    const schemeEnd = origin.indexOf('://')
    const table = tables.get(origin.slice(0, schemeEnd))
    if (table === undefined) return false
    const hostStart = schemeEnd + 3
    const colon = origin.indexOf(':', origin.indexOf(']', hostStart) + 1 || hostStart)
    const hostEnd = colon === -1 ? origin.length : colon
    const host = origin.slice(hostStart, hostEnd)
    const port = origin.slice(hostEnd + 1)
    if (covers(table.hosts.get(host), port)) return true
    let dot = host.length
    for (let label = 0; label < table.depth; label++) {
      dot = host.lastIndexOf('.', dot - 1)
      if (dot === -1) return false
      if (covers(table.hosts.get(host.slice(dot)), port)) return true
    }
    return false
  }
}

function covers (ports: Ports | undefined, port: string): boolean {
  return ports !== undefined && (ports === 'any' || ports.has(port))
}
