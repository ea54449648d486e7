// The hosts of an application (the option `hosts`): validates them, and matches the Host of a request against them.
import type { RawRequest } from '../http/preflight-request'
import { quote, type CorsProblem } from '../messages/errors'
import { parseOriginEntry, suggestOrigin } from './pattern'
import { PatternTable } from './pattern-table'
import { isLoopback, parseOrigin, type OriginParts } from './serialised'

/** Whether a request with this `Host` (or `:authority`) is for this application. */
export type HostMatcher = (host: string) => boolean

/** The default ports. A host without a port means the one of its scheme, which is not known here; only names keep rebound pages out. */
const DEFAULT_PORT = /(?<!:\d*):(?:80|443)$/

/** Hosts are matched as the hosts of origins. */
const SCHEME = 'https://'

/** Compiles hosts, and adds problems to `problems`. */
export function compileHosts (hosts: readonly unknown[], pointer: string, problems: CorsProblem[]): HostMatcher {
  const table = new PatternTable()
  if (hosts.length === 0) {
    const message = 'an empty array refuses every request; write the hosts, such as ["localhost:*"], or leave it out'
    problems.push({ pointer, reason: 'invalid', value: hosts, message })
  }
  hosts.forEach((value, index) => {
    const pattern = typeof value === 'string' && !DEFAULT_PORT.test(value) ? parseOriginEntry(SCHEME + value) : undefined
    if (pattern?.kind === 'origin') return table.add(pattern)
    const reason = typeof value !== 'string' ? 'type' : pattern?.kind === 'refused' && pattern.reason === 'invalid' ? 'invalid' : 'not-canonical'
    problems.push({ pointer: `${pointer}/${index}`, reason, value, message: `${quote(value)} is not a host as browsers send it; write ${suggestHost(value)}` })
  })
  return (host) => {
    const origin = parseHost(host)
    return origin !== undefined && table.matches(origin)
  }
}

function parseHost (host: string): OriginParts | undefined {
  return parseOrigin(SCHEME + host.toLowerCase().replace(DEFAULT_PORT, ''))
}

/** Whether a `Host` is a name or an address that is always this machine. */
export function isLoopbackHost (host: string): boolean {
  const origin = parseHost(host)
  return origin !== undefined && isLoopback(origin.host)
}

/** The host of an absolute target, which counts in place of `Host` (https://www.rfc-editor.org/rfc/rfc9112#name-absolute-form). */
const ABSOLUTE_TARGET = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i

/**
 * All hosts that a request names: `Host`, `:authority` and that of an absolute target. A server in front may have read another of them than this one does, so
 * each has to match. A request that names none has the host `''`, which never matches.
 */
export function hostsNamedBy ({ url = '', headers }: Pick<RawRequest, 'url' | 'headers'>): readonly string[] {
  const named = [headers.host, headers[':authority'], ABSOLUTE_TARGET.exec(url)?.[1]].filter((host) => host !== undefined) as string[]
  return named.length === 0 ? [''] : named
}

function suggestHost (value: unknown): string {
  const text = typeof value === 'string' ? value.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').replace(/\/.*/, '').replace(DEFAULT_PORT, '') : ''
  const origin = suggestOrigin(SCHEME + text)
  return quote(origin?.replace(SCHEME, '') ?? 'api.example.com')
}
