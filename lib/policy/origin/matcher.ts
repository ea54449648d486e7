// Whether a request's Origin is one that a policy lists, at a cost that does not grow with the list.
import { isSerialisedOrigin, type TupleOrigin } from './pattern'
import type { RegExpMatcher } from './regexp-re2'

/** Whether this value of an Origin header is allowed. Knows nothing of `'*'`, which needs no matching. */
export type OriginMatcher = (origin: string) => boolean

export interface OriginList {
  readonly entries: readonly TupleOrigin[]
  readonly nullOrigin: boolean
  readonly regexps: readonly RegExpMatcher[]
}

/** The cheapest matcher that decides about this list: chosen once, so that a request pays only for what the list has. */
export function createMatcher ({ entries, nullOrigin, regexps }: OriginList): OriginMatcher {
  const exact = new Set(entries.filter((entry) => !isPattern(entry)).map((entry) => entry.text))
  if (nullOrigin) exact.add('null')
  const patterns = entries.filter(isPattern)
  if (patterns.length === 0 && regexps.length === 0) return exactMatcher(exact)
  const matchesPattern = patternMatcher(patterns)
  return remembering((origin) => exact.has(origin) ||
    (isSerialisedOrigin(origin) && (matchesPattern(origin) || regexps.some((matches) => matches(origin)))))
}

/** The same, but the last answer is given again without looking: every request asks twice, at its beginning and at its end. */
function remembering (matcher: OriginMatcher): OriginMatcher {
  let last = ''
  let answer = false
  return (origin) => {
    if (origin !== last) {
      answer = matcher(origin)
      last = origin
    }
    return answer
  }
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

/** What is allowed of one scheme. */
interface SchemeTable {
  /** Such as `https://`. */
  readonly prefix: string
  /** `example.com` for that host (on any port), `.example.com` for its subdomains. */
  readonly hosts: Map<string, Ports>
  hasWholeHosts: boolean
  /** By how many labels such a name has: whether there are any. */
  readonly depths: boolean[]
}

/**
 * Looks up the host, and what follows each of its dots from the right: at most as many look-ups as the deepest pattern has labels, however many
 * patterns there are. Takes serialised origins only, which have a scheme, and labels before and after each dot.
 */
function patternMatcher (patterns: readonly TupleOrigin[]): OriginMatcher {
  const tables = new Map<string, SchemeTable>()
  for (const { scheme, host, port, subdomains, anyPort } of patterns) {
    const table = tables.get(scheme) ?? { prefix: `${scheme}://`, hosts: new Map(), hasWholeHosts: false, depths: [] }
    tables.set(scheme, table)
    const key = subdomains ? `.${host}` : host
    const ports = table.hosts.get(key) ?? new Set()
    table.hosts.set(key, anyPort || ports === 'any' ? 'any' : ports.add(port))
    if (subdomains) table.depths[host.split('.').length] = true
    else table.hasWholeHosts = true
  }
  const list = [...tables.values()]
  return (origin) => {
    for (const table of list) {
      if (origin.startsWith(table.prefix)) return allows(table, origin)
    }
    return false
  }
}

function allows ({ prefix, hosts, hasWholeHosts, depths }: SchemeTable, origin: string): boolean {
  const start = prefix.length
  const colon = origin.indexOf(':', origin.indexOf(']', start) + 1 || start)
  const end = colon === -1 ? origin.length : colon
  const port = colon === -1 ? '' : origin.slice(colon + 1)
  if (hasWholeHosts && covers(hosts.get(origin.slice(start, end)), port)) return true
  let dot = end
  for (let labels = 1; labels < depths.length; labels++) {
    dot = origin.lastIndexOf('.', dot - 1)
    if (dot < start) return false
    if (depths[labels] === true && covers(hosts.get(origin.slice(dot, end)), port)) return true
  }
  return false
}

function covers (ports: Ports | undefined, port: string): boolean {
  return ports !== undefined && (ports === 'any' || ports.has(port))
}
