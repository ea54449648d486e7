// The rules for origins that may send credentials: they are encrypted or loopback, and no stranger can have one. Checks one entry of a list.
import { quote, type CorsProblemReason } from '../messages/errors'
import type { OriginPattern } from './pattern'
import { isSerialisedOrigin, FILE_ORIGIN, IP_ADDRESS, isInsecure } from './serialised'
import { suffixAtOrBelow } from './public-suffix'
import { sampleOf, templatesOfOrigins, textOf, VARIABLE_PART, type Template } from './regexp-templates'
import type { OriginRegExp } from './regexp-matcher'

/** The fields of a policy that lift these rules. */
export interface CredentialSwitches {
  readonly dangerouslyAllowInsecureOrigins?: boolean
  readonly dangerouslyAllowPublicSuffixes?: boolean
}

/** Why an entry may not send credentials. */
export interface CredentialRisk {
  readonly reason: Extract<CorsProblemReason, 'null-origin' | 'insecure-with-credentials' | 'public-suffix'>
  /** What is wrong. */
  readonly message: string
  /** The field that lifts the rule. undefined if none does. */
  readonly liftedBy: keyof CredentialSwitches | undefined
}

/** The risks of an entry that the switches do not accept. `'null'` is not an origin, so it is not checked here. */
export function credentialRisks (entry: OriginPattern | OriginRegExp, switches: CredentialSwitches): CredentialRisk[] {
  const risks = entry.kind === 'origin' ? risksOfPattern(entry) : risksOfRegExp(entry)
  return risks.filter(({ liftedBy }) => liftedBy === undefined || switches[liftedBy] !== true)
}

function risksOfPattern ({ text, scheme, host, subdomains, ...rest }: OriginPattern): CredentialRisk[] {
  if (text === FILE_ORIGIN) return [FILES]
  if (host === '*') return [{ reason: 'public-suffix', message: `anyone can publish an extension or app of the scheme "${scheme}"`, liftedBy: undefined }]
  const suffix = subdomains ? suffixAtOrBelow(host.replace(/\.$/, '')) : undefined
  return [
    ...(isInsecure({ scheme, host, ...rest }) ? [insecure(quote(text))] : []),
    ...(suffix === undefined ? [] : [registrable(`a name below ${quote(suffix)}`)])
  ]
}

const FILES: CredentialRisk = {
  reason: 'null-origin',
  message: 'every file that a user opens has the origin "file://", downloads included',
  liftedBy: undefined
}

function insecure (origin: string): CredentialRisk {
  const message = `an attacker on the network can change pages of ${origin} and act with its users' credentials`
  return { reason: 'insecure-with-credentials', message, liftedBy: 'dangerouslyAllowInsecureOrigins' }
}

function registrable (name: string): CredentialRisk {
  return { reason: 'public-suffix', message: `anyone can register ${name} and act with your users' credentials`, liftedBy: 'dangerouslyAllowPublicSuffixes' }
}

function risksOfRegExp (entry: OriginRegExp): CredentialRisk[] {
  const templates = templatesOfOrigins(entry.expression)
  if (templates === undefined) return [unreadable('it has too many alternatives')]
  const risks = new Map<string, CredentialRisk>()
  for (const template of templates) {
    for (const risk of risksOfTemplate(entry, template)) if (!risks.has(risk.reason)) risks.set(risk.reason, risk)
  }
  return [...risks.values()]
}

function unreadable (why: string): CredentialRisk {
  return { reason: 'insecure-with-credentials', message: `it cannot be told which origins this RegExp matches: ${why}`, liftedBy: undefined }
}

/** Captures a literal scheme, and what follows it. */
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/s

/** The port of what follows the scheme: what follows the last colon, if that can be a port. */
const PORT = new RegExp(`:[0-9${VARIABLE_PART}]+$`)

/** Captures the domain after the first dot of a host's literal end. Everything before that dot may vary. */
const PARENT_DOMAIN = /^[a-z0-9_-]*\.([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?$/

/** An origin has "://" once, so what follows a literal one is host and port. */
function risksOfTemplate (entry: OriginRegExp, template: Template): CredentialRisk[] {
  const [, scheme, rest = ''] = SCHEME.exec(textOf(template)) ?? []
  if (scheme === undefined) return [unreadable('its scheme varies')]
  if (scheme === 'file') return [FILES]
  const host = rest.replace(PORT, '')
  const varies = host.includes(VARIABLE_PART)
  const end = host.slice(host.lastIndexOf(VARIABLE_PART) + 1)
  const example = exampleOrigin(entry, template)
  // A host that varies is loopback if its literal end is, as in ".localhost". The "x" is in place of what varies.
  const isUnencrypted = isInsecure({ scheme, host: varies ? `x${end}` : host })
  const [, domain] = PARENT_DOMAIN.exec(end) ?? []
  const isOpen = varies
    ? domain === undefined || IP_ADDRESS.test(domain) || suffixAtOrBelow(domain) !== undefined
    : !isSerialisedOrigin(`${scheme}://${host}`)
  return [
    ...(isUnencrypted ? [insecure(example ?? 'an origin that this RegExp matches')] : []),
    ...(isOpen ? [registrable(`a name that this RegExp matches${example === undefined ? '' : `, such as ${example},`}`)] : [])
  ]
}

/** An origin of this template that an attacker might have. */
function exampleOrigin ({ matches }: OriginRegExp, template: Template): string | undefined {
  const sample = sampleOf(template, 'evil')
  return isSerialisedOrigin(sample) && matches(sample) ? quote(sample) : undefined
}

/** What to write instead of an origin or a pattern with such risks: an entry, or words if only its author knows. */
export function withoutRisks (pattern: OriginPattern, switches: CredentialSwitches): readonly string[] | string {
  const { text, scheme, host } = pattern
  if (text === FILE_ORIGIN || host === '*') return 'the origins that may send credentials, such as "https://app.example.com"'
  const secure = text.replace(/^(?:http|ftp):/, 'https:').replace(/^ws:/, 'wss:').replace(/:443$/, '')
  if (!credentialRisks({ ...pattern, text: secure, scheme: 'https' }, switches).some(({ reason }) => reason === 'public-suffix')) return [secure]
  return `the origins that are yours, such as "${scheme === 'ws' || scheme === 'wss' ? 'wss' : 'https'}://your-app.${host}"`
}
