// What the developer probably meant: an origin or a URL that differs in one small thing from what would have been allowed.
import { OriginList } from '../policy/origin/list'
import { parseOriginEntry, type TupleOrigin } from '../policy/origin/pattern'
import type { PolicyFields } from '../policy/policy'
import type { RouteSource } from './source'

/** An origin that the policy allows, and how it differs from the page's. */
export interface NearOrigin {
  readonly origin: string
  readonly difference: string
}

/** More entries than that are not looked through. */
const LOOKED_AT = 10_000

/** The allowed origin that is nearest to this one. */
export function nearOrigin (origin: string, { origin: allowed, credentials }: PolicyFields): NearOrigin | undefined {
  const asked = parseOriginEntry(origin)
  if (asked.kind !== 'tuple' || typeof allowed === 'function') return undefined
  const entries = [...entriesOf(allowed), ...entriesOf(credentials)].slice(0, LOOKED_AT).flatMap((text) => typeof text === 'string' ? parseOriginEntry(text) : []).filter((entry) => entry.kind === 'tuple')
  for (const { is, origin: instead, difference } of NEAR) {
    const entry = entries.find((entry) => is(asked, entry))
    if (entry !== undefined) return { origin: instead(asked, entry), difference: difference(entry) }
  }
  return undefined
}

/** What stands in `origin` or `credentials`. */
export function entriesOf (value: unknown): readonly unknown[] {
  return value instanceof OriginList ? [...value] : [value].flat()
}

interface Near {
  readonly is: (asked: TupleOrigin, entry: TupleOrigin) => boolean
  /** The origin that the page would have to have. */
  readonly origin: (asked: TupleOrigin, entry: TupleOrigin) => string
  readonly difference: (entry: TupleOrigin) => string
}

const WWW = /^www\./

/** In the order in which they are looked for. */
const NEAR: readonly Near[] = [
  {
    is: (asked, entry) => fitsHost(asked, entry) && asked.scheme === entry.scheme && !fitsPort(asked, entry),
    origin: (asked, { port }) => textOf({ ...asked, port }),
    difference: () => 'the same host on another port'
  },
  {
    is: (asked, entry) => fitsHost(asked, entry) && asked.scheme !== entry.scheme,
    origin: (asked, { scheme, port, anyPort }) => textOf({ scheme, host: asked.host, port: anyPort ? asked.port : port }),
    difference: ({ scheme }) => `the same host over ${scheme}`
  },
  {
    is: (asked, entry) => !entry.subdomains && asked.host.replace(WWW, '') === entry.host.replace(WWW, ''),
    origin: (asked, { scheme, host, port, anyPort }) => textOf({ scheme, host, port: anyPort ? asked.port : port }),
    difference: ({ host }) => `the same host ${WWW.test(host) ? 'with' : 'without'} "www."`
  },
  {
    is: (asked, entry) => entry.subdomains && asked.host === entry.host,
    origin: (asked, { scheme, host, port, anyPort }) => textOf({ scheme, host: `www.${host}`, port: anyPort ? asked.port : port }),
    difference: () => 'a subdomain: the pattern does not match the host itself'
  }
]

function fitsHost (asked: TupleOrigin, { host, subdomains }: TupleOrigin): boolean {
  return subdomains ? asked.host.endsWith(`.${host}`) : asked.host === host
}

function fitsPort (asked: TupleOrigin, { port, anyPort }: TupleOrigin): boolean {
  return anyPort || asked.port === port
}

function textOf ({ scheme, host, port }: Pick<TupleOrigin, 'scheme' | 'host' | 'port'>): string {
  return `${scheme}://${host}${port === '' ? '' : `:${port}`}`
}

/** The path with a slash at its end, or without the one it has, where that leads to a route. */
export function nearPath (source: RouteSource, method: string, path: string, host: string): string | undefined {
  const end = `${path}?`.indexOf('?')
  const pathname = path.slice(0, end)
  const other = (pathname.endsWith('/') ? pathname.slice(0, -1) : `${pathname}/`) + path.slice(end)
  return source.reach(method, other, host, false).length === 0 ? undefined : other
}
