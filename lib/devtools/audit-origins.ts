// The origins that an audit tries: those that the application may know, and those that an attacker could use in their place.
import type { FastifyInstance } from 'fastify'
import { isLoopback } from '../origins/serialised'
import { isKnownDomain, isRegistrableDomain } from '../origins/public-suffix'
import type { ApplicationRecord } from './application-recorder'
import type { OriginKind } from './audit-types'

/** An origin to try. */
export interface Attempt { readonly origin: string, readonly kind: OriginKind }

/** A site that no application knows. `.example` is reserved (RFC 2606), so it is nobody's. */
export const ATTACKER = 'attacker.example'

/** The most origins from which others are derived. A list of hundreds is matched in the same way. */
export const MAX_KNOWN_ORIGINS = 8

const ORIGIN = /\bhttps?:\/\/[a-z0-9][a-z0-9.-]*(?::\d{1,5})?/gi
/** A name in quotes or in a RegExp: `'.example.com'`, `/\.example\.com$/`. */
const NAME = /(?<![\w@-])\.?((?:[a-z0-9-]+\.)+[a-z][a-z0-9-]+)(?![\w(-])/gi

/** The origins, and the origins of the names, in a text: source code, or the options of a plugin. In the order of the text. */
export function originsIn (text: string): string[] {
  const plain = text.replaceAll('\\', '')
  const written = [...plain.matchAll(ORIGIN)].map(([origin]) => origin)
  const names = [...plain.replace(ORIGIN, '').matchAll(NAME)].map(([, name]) => (name as string).toLowerCase())
  const hosts = names.filter(isKnownDomain).map((name) => `https://${name}`)
  return [...new Set([...written, ...hosts].filter((origin) => URL.canParse(origin)).map((origin) => new URL(origin).origin))]
}

/** The registrable domain of a host, `example.com` of `app.example.com`; undefined for IP addresses, and for suffixes. */
function registrableDomain (host: string): string | undefined {
  const labels = host.split('.')
  return labels.map((_, index) => labels.slice(index).join('.')).find(isRegistrableDomain)
}

/** The text of options, for {@link originsIn}: strings, RegExps and functions in them. */
export function textOf (value: unknown, depth = 5): string {
  if (typeof value === 'string') return `'${value}' `
  if (typeof value === 'function' || value instanceof RegExp) return `${String(value)} `
  if (typeof value !== 'object' || value === null || depth === 0) return ''
  return Object.values(value).map((each) => textOf(each, depth - 1)).join('')
}

/** What helps to find the origins that an application knows. */
export interface OriginSources {
  /** Origins that the user names: `--origin`. */
  readonly origins: readonly string[]
  /** The source code of the application. */
  readonly source: string
}

/** The origins that an application may know: those that are named, those in its options and policies, and those in its source code. */
export function knownOrigins (root: FastifyInstance, record: ApplicationRecord, { origins, source }: OriginSources): string[] {
  const options = [record.registrations.map(({ options }) => options), record.routes.map(({ cors }) => cors)]
  const declared = root.hasDecorator('cors') ? root.cors.routes() : []
  return [...new Set([...origins, ...originsIn(textOf(options)), ...originsIn(textOf(declared)), ...originsIn(source)])]
}

/** All origins to try. An origin is tried once, as the first kind that it has. */
export function attemptsFor (known: readonly string[]): Attempt[] {
  const attempts = new Map<string, OriginKind>()
  const add = (kind: OriginKind, origin: string): void => {
    if (URL.canParse(origin) && !attempts.has(new URL(origin).origin)) attempts.set(new URL(origin).origin, kind)
  }
  for (const origin of known) add('known', origin)
  add('unrelated', `https://${ATTACKER}`)
  for (const origin of known) addDerived(new URL(origin), add)
  return [...[...attempts].map(([origin, kind]) => ({ origin, kind })), { origin: 'null', kind: 'null' }]
}

function addDerived ({ protocol, hostname, port }: URL, add: (kind: OriginKind, origin: string) => void): void {
  const at = (host: string, itsPort = port): string => `${protocol}//${host}${itsPort === '' ? '' : `:${itsPort}`}`
  // Behind, and where an unescaped dot of a RegExp matches any character.
  add('look-alike', at(`${hostname}.${ATTACKER}`))
  add('another port', at(hostname, port === '8443' ? '8444' : '8443'))
  if (isLoopback(hostname)) return
  if (protocol === 'https:') add('http for https', `http://${hostname}${port === '' ? '' : `:${port}`}`)
  const domain = registrableDomain(hostname)
  if (domain === undefined) return
  add('look-alike', at(`${domain}.${ATTACKER}`))
  add('look-alike', at(`attacker${domain}`))
  add('look-alike', at(`attacker-${domain}`))
  for (const [index, character] of [...hostname].entries()) {
    const changed = `${hostname.slice(0, index)}x${hostname.slice(index + 1)}`
    const changedDomain = character === '.' ? registrableDomain(changed) : undefined
    if (changedDomain !== undefined && changedDomain !== domain) add('look-alike', at(changed))
  }
  add('sibling subdomain', at(`attacker.${domain}`))
  if (protocol === 'https:') add('http for https', `http://attacker.${domain}`)
}
