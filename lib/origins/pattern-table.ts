// Matches origins against a set of patterns. The cost does not grow with the number of patterns, nor does the cost of adding or deleting one.
// Used by matcher.ts.
import type { TupleOrigin } from './pattern'

/** The allowed ports of a host. `any` and `named` are separate, so that deleting a pattern of one leaves the other. */
interface Ports {
  /** Whether a pattern allows every port. */
  any: boolean
  /** The ports of patterns with a number; `''` is the default port. */
  readonly named: Set<string>
}

/** The patterns of one scheme. */
interface SchemeTable {
  /** For example `https://`. */
  readonly prefix: string
  /** Ports by name: `example.com` is that host, `.example.com` are its subdomains. */
  readonly hosts: Map<string, Ports>
  /** The number of names that are whole hosts. */
  wholeHosts: number
  /** How many names are subdomains of a host with so many labels: the index is the number of labels. The last element is never 0. */
  readonly subdomainsByDepth: number[]
}

/** A set of patterns. */
export class PatternTable {
  readonly #tables = new Map<string, SchemeTable>()
  /** The same tables as an array: iterating over it allocates nothing. */
  #list: SchemeTable[] = []

  get isEmpty (): boolean {
    return this.#list.length === 0
  }

  /** Adds a pattern, which must not be in the table. */
  add (pattern: TupleOrigin): void {
    let table = this.#tables.get(pattern.scheme)
    if (table === undefined) {
      table = { prefix: `${pattern.scheme}://`, hosts: new Map(), wholeHosts: 0, subdomainsByDepth: [] }
      this.#tables.set(pattern.scheme, table)
      this.#list = [...this.#tables.values()]
    }
    const name = nameOf(pattern)
    let ports = table.hosts.get(name)
    if (ports === undefined) {
      ports = { any: false, named: new Set() }
      table.hosts.set(name, ports)
      countName(table, pattern, 1)
    }
    if (pattern.anyPort) ports.any = true
    else ports.named.add(pattern.port)
  }

  /** Deletes a pattern, which must be in the table. */
  delete (pattern: TupleOrigin): void {
    const table = this.#tables.get(pattern.scheme) as SchemeTable
    const name = nameOf(pattern)
    const ports = table.hosts.get(name) as Ports
    if (pattern.anyPort) ports.any = false
    else ports.named.delete(pattern.port)
    if (ports.any || ports.named.size > 0) return
    table.hosts.delete(name)
    countName(table, pattern, -1)
    if (table.hosts.size > 0) return
    this.#tables.delete(pattern.scheme)
    this.#list = [...this.#tables.values()]
  }

  /** Whether a pattern matches this origin, which must be a serialised origin (see isSerialisedOrigin). */
  matches (origin: string): boolean {
    for (const table of this.#list) {
      if (origin.startsWith(table.prefix)) return matchesHost(table, origin)
    }
    return false
  }
}

/** The key of a pattern in {@link SchemeTable.hosts}. */
function nameOf ({ host, subdomains }: TupleOrigin): string {
  return subdomains ? `.${host}` : host
}

/** Counts one name more or less. */
function countName (table: SchemeTable, { host, subdomains }: TupleOrigin, difference: 1 | -1): void {
  if (!subdomains) {
    table.wholeHosts += difference
    return
  }
  const { subdomainsByDepth: depths } = table
  const labels = host.split('.').length
  while (depths.length <= labels) depths.push(0)
  depths[labels] = (depths[labels] as number) + difference
  while (depths.at(-1) === 0) depths.pop()
}

/** Looks up the host, and the parent domain after each of its dots, from the right: at most as many look-ups as the deepest pattern has labels. */
function matchesHost ({ prefix, hosts, wholeHosts, subdomainsByDepth: depths }: SchemeTable, origin: string): boolean {
  const start = prefix.length
  const colon = origin.indexOf(':', origin.indexOf(']', start) + 1 || start)
  const end = colon === -1 ? origin.length : colon
  const port = colon === -1 ? '' : origin.slice(colon + 1)
  if (wholeHosts > 0 && hasPort(hosts.get(origin.slice(start, end)), port)) return true
  let dot = end
  for (let labels = 1; labels < depths.length; labels++) {
    dot = origin.lastIndexOf('.', dot - 1)
    if (dot < start) return false
    if (depths[labels] !== 0 && hasPort(hosts.get(origin.slice(dot, end)), port)) return true
  }
  return false
}

function hasPort (ports: Ports | undefined, port: string): boolean {
  return ports !== undefined && (ports.any || ports.named.has(port))
}
