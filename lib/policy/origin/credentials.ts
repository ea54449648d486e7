// The rules for origins that may send credentials: what is wrong with one entry of a list, a text or a RegExp. A RegExp is judged as the
// patterns that it amounts to; what cannot be read as one is refused.
import { quote } from '../../errors'
import { IP_ADDRESS, isInsecure, isSerialisedOrigin, type TupleOrigin } from './pattern'
import { isPublicSuffix } from './public-suffix'
import { readValidEntry } from './regexp'
import { correctionOf } from './regexp-correction'
import { formsOfOrigins, sampleOf, textOf, VARIABLE_PART, type Form } from './regexp-forms'
import type { OriginRegExp } from './regexp-re2'

/** The fields of a policy that lift the rules. */
export interface CredentialSwitches {
  readonly dangerouslyAllowInsecureOrigins?: boolean
  readonly dangerouslyAllowPublicSuffixes?: boolean
}

/** What is wrong with an entry. */
export interface CredentialProblem {
  readonly reason: 'insecure-with-credentials' | 'public-suffix'
  readonly message: string
  /** The switch that lifts the rule. */
  readonly liftedBy: keyof CredentialSwitches
}

/** Checks one entry of a list whose origins may send credentials: one that is right without them. Returns what is wrong with it, if anything is. */
export function checkCredentialedEntry (entry: TupleOrigin | OriginRegExp, switches: CredentialSwitches): CredentialProblem[] {
  const { insecure, registrable } = risksOf(entry, switches)
  const found: CredentialProblem[] = []
  if (insecure !== undefined) {
    found.push({
      reason: 'insecure-with-credentials',
      message: `whoever sits on the network can change pages of ${insecure} and act with its users' credentials; write ${suggestSecureEntry(entry, switches)}, or set dangerouslyAllowInsecureOrigins: true`,
      liftedBy: 'dangerouslyAllowInsecureOrigins'
    })
  }
  if (registrable !== undefined) {
    found.push({
      reason: 'public-suffix',
      message: `anyone can register ${registrable} and act with your users' credentials; write ${suggestOwnedEntry(entry, switches)}, or set dangerouslyAllowPublicSuffixes: true`,
      liftedBy: 'dangerouslyAllowPublicSuffixes'
    })
  }
  return found
}

/** Whose pages can be changed on their way, and what strangers can register, in words. undefined where that is nobody's, and nothing. */
interface Risks {
  readonly insecure: string | undefined
  readonly registrable: string | undefined
}

/** The risks that no switch accepts. */
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
  if (forms === undefined) return { insecure: 'one of so many alternatives', registrable: 'one of so many alternatives' }
  const insecure = forms.find((form) => isInsecureForm(textOf(form)))
  const registrable = forms.find((form) => isRegistrableForm(textOf(form)))
  return {
    insecure: insecure && ((SCHEME.test(textOf(insecure)) ? exampleOrigin(entry, insecure) : undefined) ?? 'an origin that this RegExp matches'),
    registrable: registrable && ['a name that this RegExp matches', exampleOrigin(entry, registrable)].filter(Boolean).join(', such as ')
  }
}

/** An origin of this form that an attacker might have. */
function exampleOrigin ({ matches }: OriginRegExp, form: Form): string | undefined {
  const sample = sampleOf(form, 'evil')
  return isSerialisedOrigin(sample) && matches(sample) ? quote(sample) : undefined
}

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/s

/** Every origin has it, and has it once. */
const SEPARATOR = '://'

/** Whether an origin of this form can be insecure: its scheme is not literal, or it is one of those in plain text and the host is not this machine. */
function isInsecureForm (text: string): boolean {
  const [, scheme, rest = ''] = SCHEME.exec(text) ?? []
  if (scheme === undefined) return true
  const host = hostOf(rest)
  return isInsecure({ scheme, host: host.includes(VARIABLE_PART) ? `x${literalEnd(host)}` : host })
}

/** Whether strangers can have an origin of this form: its host varies, and is no name below a domain that someone owns. */
function isRegistrableForm (text: string): boolean {
  const host = hostOf(text.split(SEPARATOR).at(-1) as string)
  if (!host.includes(VARIABLE_PART)) return !isSerialisedOrigin(`https://${host}`)
  const [, domain] = PARENT_DOMAIN.exec(literalEnd(host)) ?? []
  return domain === undefined || IP_ADDRESS.test(domain) || isPublicSuffix(domain)
}

/** Without the port, if that is all that stands behind the last colon: an origin has no other colon behind its host. */
function hostOf (rest: string): string {
  return rest.replace(PORT, '')
}

const PORT = new RegExp(`:[0-9${VARIABLE_PART}]+$`)

/** What is literal at the end of a host. */
function literalEnd (host: string): string {
  return host.slice(host.lastIndexOf(VARIABLE_PART) + 1)
}

/** The domain behind the first dot of a host's literal end. In front of the dot, anything may vary. */
const PARENT_DOMAIN = /^[a-z0-9_-]*\.([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)$/

function suggestSecureEntry (entry: TupleOrigin | OriginRegExp, switches: CredentialSwitches): string {
  if (entry.kind === 'tuple') return quote(withSecureScheme(entry.text))
  return correctedRegExp(entry, switches) ?? 'a RegExp that begins with "^https:\\/\\/"'
}

function suggestOwnedEntry (entry: TupleOrigin | OriginRegExp, switches: CredentialSwitches): string {
  if (entry.kind === 'tuple') return 'the subdomains out'
  return correctedRegExp(entry, switches) ?? 'the origins out, or a RegExp that ends in a dot and a domain of your own, such as "\\.example\\.com$"'
}

function correctedRegExp (entry: OriginRegExp, switches: CredentialSwitches): string | undefined {
  return correctionOf(entry, (text) => {
    const read = readValidEntry(text)
    const { insecure, registrable } = read === undefined ? NO_RISKS : risksOf(read, switches)
    return insecure === undefined && registrable === undefined ? read : undefined
  })
}

const NO_RISKS: Risks = { insecure: undefined, registrable: undefined }

/** The encrypted form of an insecure origin. */
function withSecureScheme (text: string): string {
  return text.replace(/^(?:http|ftp):/, 'https:').replace(/^ws:/, 'wss:').replace(/:443$/, '')
}
