// The rules for origins that may send credentials: they are encrypted or loopback, and nobody else can register one. Checks one entry of a list.
// A RegExp is checked by the forms of the origins that it matches (regexp-forms.ts). entry.ts calls it.
import { quote } from '../messages/errors'
import { IP_ADDRESS, isInsecure, isSerialisedOrigin, type TupleOrigin } from './pattern'
import { isPublicSuffix } from './public-suffix'
import { readValidEntry } from './regexp'
import { correctionOf } from './regexp-correction'
import { formsOfOrigins, sampleOf, textOf, VARIABLE_PART, type Form } from './regexp-forms'
import type { OriginRegExp } from './regexp-re2'

/** The fields of a policy that lift these rules. */
export interface CredentialSwitches {
  readonly dangerouslyAllowInsecureOrigins?: boolean
  readonly dangerouslyAllowPublicSuffixes?: boolean
}

/** A problem of an entry. */
export interface CredentialProblem {
  readonly reason: 'insecure-with-credentials' | 'public-suffix'
  readonly message: string
}

/** Checks one entry, valid otherwise, of a list whose origins may send credentials. Returns its problems. */
export function checkCredentialedEntry (entry: TupleOrigin | OriginRegExp, switches: CredentialSwitches): CredentialProblem[] {
  const { insecure, registrable } = risksOf(entry, switches)
  const found: CredentialProblem[] = []
  if (insecure !== undefined) {
    found.push({
      reason: 'insecure-with-credentials',
      message: `an attacker on the network can change pages of ${insecure} and act with its users' credentials; ` +
        `write ${suggestSecureEntry(entry, switches)}, or set dangerouslyAllowInsecureOrigins: true`
    })
  }
  if (registrable !== undefined) {
    found.push({
      reason: 'public-suffix',
      message: `anyone can register ${registrable} and act with your users' credentials; ` +
        `write ${suggestOwnedEntry(entry, switches)}, or set dangerouslyAllowPublicSuffixes: true`
    })
  }
  return found
}

/** The risks of an entry, as parts of messages. undefined if there is no such risk. */
interface Risks {
  /** An origin whose pages an attacker on the network can change. */
  readonly insecure: string | undefined
  /** A name that anyone can register. */
  readonly registrable: string | undefined
}

/** The risks that the switches do not accept. */
function risksOf (entry: TupleOrigin | OriginRegExp, switches: CredentialSwitches): Risks {
  const { insecure, registrable } = entry.kind === 'tuple' ? risksOfText(entry) : risksOfRegExp(entry)
  return {
    insecure: switches.dangerouslyAllowInsecureOrigins === true ? undefined : insecure,
    registrable: switches.dangerouslyAllowPublicSuffixes === true ? undefined : registrable
  }
}

function risksOfText (entry: TupleOrigin): Risks {
  return {
    insecure: isInsecure(entry) ? quote(entry.text) : undefined,
    registrable: entry.subdomains && isPublicSuffix(entry.host) ? `a name below ${quote(entry.host)}` : undefined
  }
}

function risksOfRegExp (entry: OriginRegExp): Risks {
  const forms = formsOfOrigins(entry.expression)
  if (forms === undefined) return { insecure: TOO_MANY_FORMS, registrable: TOO_MANY_FORMS }
  const insecure = forms.find((form) => isInsecureForm(textOf(form)))
  const registrable = forms.find((form) => isRegistrableForm(textOf(form)))
  return {
    insecure: insecure && describeInsecure(entry, insecure),
    registrable: registrable && describeRegistrable(entry, registrable)
  }
}

const TOO_MANY_FORMS = 'one of the many alternatives of this RegExp'

/** An example, if the scheme is literal: the example of a scheme that varies would have a scheme that does not exist. */
function describeInsecure (entry: OriginRegExp, form: Form): string {
  const example = SCHEME.test(textOf(form)) ? exampleOrigin(entry, form) : undefined
  return example ?? 'an origin that this RegExp matches'
}

function describeRegistrable (entry: OriginRegExp, form: Form): string {
  const example = exampleOrigin(entry, form)
  return `a name that this RegExp matches${example === undefined ? '' : `, such as ${example}`}`
}

/** An origin of this form that an attacker might have. */
function exampleOrigin ({ matches }: OriginRegExp, form: Form): string | undefined {
  const sample = sampleOf(form, 'evil')
  return isSerialisedOrigin(sample) && matches(sample) ? quote(sample) : undefined
}

/** Captures a literal scheme, and what follows it. */
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/s

/** Between scheme and host. Every origin contains it exactly once. */
const SEPARATOR = '://'

/** Whether an origin of this form can be insecure: its scheme is not literal, or it is not encrypted and the host is not loopback. */
function isInsecureForm (text: string): boolean {
  const [, scheme, rest = ''] = SCHEME.exec(text) ?? []
  if (scheme === undefined) return true
  const host = hostOf(rest)
  // A host that varies is loopback if its literal end is, as in ".localhost". The "x" is in place of what varies.
  return isInsecure({ scheme, host: host.includes(VARIABLE_PART) ? `x${literalEnd(host)}` : host })
}

/** Whether anyone can register an origin of this form: its host varies, and not only below a domain that someone owns. */
function isRegistrableForm (text: string): boolean {
  const host = hostOf(text.split(SEPARATOR).at(-1) as string)
  if (!host.includes(VARIABLE_PART)) return !isSerialisedOrigin(`https://${host}`)
  const [, domain] = PARENT_DOMAIN.exec(literalEnd(host)) ?? []
  return domain === undefined || IP_ADDRESS.test(domain) || isPublicSuffix(domain)
}

/** The host of what follows the scheme: without the port, which is what follows the last colon, if that can be a port. */
function hostOf (rest: string): string {
  return rest.replace(PORT, '')
}

const PORT = new RegExp(`:[0-9${VARIABLE_PART}]+$`)

/** What follows the last variable part of a host. */
function literalEnd (host: string): string {
  return host.slice(host.lastIndexOf(VARIABLE_PART) + 1)
}

/** Captures the domain after the first dot of a host's literal end. Everything before that dot may vary. */
const PARENT_DOMAIN = /^[a-z0-9_-]*\.([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)$/

/** An entry to write instead of one that is insecure. */
function suggestSecureEntry (entry: TupleOrigin | OriginRegExp, switches: CredentialSwitches): string {
  if (entry.kind === 'tuple') return quote(withSecureScheme(entry.text))
  return correctedRegExp(entry, switches) ?? 'a RegExp that begins with "^https:\\/\\/"'
}

/** An entry to write instead of one that anyone can register. Completes a sentence that begins with "write". */
function suggestOwnedEntry (entry: TupleOrigin | OriginRegExp, switches: CredentialSwitches): string {
  if (entry.kind === 'tuple') return 'the subdomains out'
  return correctedRegExp(entry, switches) ?? 'the origins out, or a RegExp that ends in a dot and a domain of your own, such as "\\.example\\.com$"'
}

/** A correction that has no risk except those that the switches accept. */
function correctedRegExp (entry: OriginRegExp, switches: CredentialSwitches): string | undefined {
  return correctionOf(entry, (text) => {
    const read = readValidEntry(text)
    const { insecure, registrable } = read === undefined ? NO_RISKS : risksOf(read, switches)
    return insecure === undefined && registrable === undefined ? read : undefined
  })
}

const NO_RISKS: Risks = { insecure: undefined, registrable: undefined }

/** The same origin with an encrypted scheme. */
function withSecureScheme (text: string): string {
  return text.replace(/^(?:http|ftp):/, 'https:').replace(/^ws:/, 'wss:').replace(/:443$/, '')
}
