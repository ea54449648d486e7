// Matches origins against a set of patterns. The cost does not grow with the number of patterns, nor does the cost of adding or deleting one.
import type { OriginPattern } from './pattern'
import type { OriginParts } from './serialised'

const ANY_PORT = '*'

/** A set of patterns. */
export class PatternTable {
  /** The allowed ports of each host, by scheme and host: `https://example.com` is that host, `https://.example.com` are its subdomains. */
  readonly #ports = new Map<string, Set<string>>()

  get isEmpty (): boolean {
    return this.#ports.size === 0
  }

  add (pattern: OriginPattern): void {
    const name = nameOf(pattern)
    const ports = this.#ports.get(name)
    if (ports === undefined) this.#ports.set(name, new Set([portOf(pattern)]))
    else ports.add(portOf(pattern))
  }

  /** Deletes a pattern, which must be in the table. */
  delete (pattern: OriginPattern): void {
    const name = nameOf(pattern)
    const ports = this.#ports.get(name) as Set<string>
    ports.delete(portOf(pattern))
    if (ports.size === 0) this.#ports.delete(name)
  }

  /** Whether a pattern matches this origin. */
  matches ({ scheme, host, port }: OriginParts): boolean {
    if (this.#allows(`${scheme}://${host}`, port) || this.#allows(`${scheme}://*`, port)) return true
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      if (this.#allows(`${scheme}://${host.slice(dot)}`, port)) return true
    }
    return false
  }

  #allows (name: string, port: string): boolean {
    const ports = this.#ports.get(name)
    return ports !== undefined && (ports.has(ANY_PORT) || ports.has(port))
  }
}

function nameOf ({ scheme, host, subdomains }: OriginPattern): string {
  return `${scheme}://${subdomains ? '.' : ''}${host}`
}

function portOf ({ port, anyPort }: OriginPattern): string {
  return anyPort ? ANY_PORT : port
}
