// Suggests what to write instead of a refused RegExp. Tries out each suggestion first: it must be accepted, and match an origin that the RegExp was
// meant to match.
import { quote } from '../messages/errors'
import type { OriginPattern } from './pattern'
import { isPublicSuffix, isRegistrableDomain } from './public-suffix'
import { alternativesWithoutAnchors, isAnchored, type RegExpText } from './regexp-expression'
import { templatesOf, sampleOf, textOf, VARIABLE_PART, type Template } from './regexp-templates'
import { compileRegExp, type OriginRegExp } from './regexp-matcher'
import { isInsecure, isLoopback, isSerialisedOrigin } from './serialised'

/** Reads an entry. undefined if it is refused. */
type ReadValidEntry = (entry: string | RegExp) => OriginPattern | OriginRegExp | undefined

/** The entries to write instead of one RegExp. */
type Suggestion = ReadonlyArray<string | RegExp>

/** A longer suggestion would not help. */
const MAX_ENTRIES = 6

/** The entries to write instead. undefined without a valid suggestion. */
export function suggestionFor (regexp: OriginRegExp, read: ReadValidEntry): Suggestion | undefined {
  const intended = inLowerCase(regexp)
  for (const suggestion of suggestionsFor(intended)) {
    const valid = suggestion.filter((entry) => matchesIntent(entry, intended, read))
    // A quote that is truncated is not code.
    if (valid.length > 0 && valid.length <= MAX_ENTRIES && !valid.some((entry) => quote(entry).endsWith('…'))) return valid
  }
  return undefined
}

/** A RegExp with upper-case letters matches no origin, so it is read as one that ignores case. */
function inLowerCase (regexp: OriginRegExp): OriginRegExp {
  if (templatesOf(regexp.expression)?.length !== 0) return regexp
  const { source, flags } = regexp.regexp
  return compileRegExp({ source, flags: `${flags.replace('i', '')}i` })
}

/** Whether an entry is valid, and matches an origin that the RegExp matches as well, perhaps with http, without scheme, or with a trailing slash. */
function matchesIntent (entry: string | RegExp, { matches }: OriginRegExp, read: ReadValidEntry): boolean {
  const accepted = read(entry)
  return accepted !== undefined && samplesOf(accepted).some((origin) =>
    [origin, origin.replace(/^https:/, 'http:'), origin.replace(/^.*:\/\//, ''), `${origin}/`].some(matches))
}

function samplesOf (entry: OriginPattern | OriginRegExp): readonly string[] {
  if (entry.kind === 'origin') {
    const origin = entry.text.replace('*.', 'a.').replace(':*', '')
    return entry.anyPort ? [origin, `${origin}:1`] : [origin]
  }
  const samples = (templatesOf(entry.expression) as readonly Template[]).map((template) => sampleOf(template, 'a'))
  return samples.filter((sample) => isSerialisedOrigin(sample) && entry.matches(sample))
}

/** Suggestions, the best first. */
function * suggestionsFor ({ regexp, expression }: OriginRegExp): Iterable<Suggestion> {
  const templates = templatesOf(expression)
  if (templates === undefined) return
  const { source, flags } = regexp
  const anchors = { start: isAnchored(expression, 'start'), end: isAnchored(expression, 'end') }
  const patterns = (): Suggestion => withoutRepeats(templates.map((template) => patternsOf(template, anchors)))
  const everyTemplate = (matching: RegExp): boolean => templates.every((template) => matching.test(textOf(template)))
  const inner = withoutAnchors(regexp)
  const hasScheme = everyTemplate(SCHEME)
  if (!hasScheme) yield patterns()
  // With any port, as development servers have many.
  if (!anchors.end && everyTemplate(LOOPBACK_END)) yield [new RegExp(`^${inner}(?::\\d+)?$`, flags)]
  // With both anchors.
  yield [new RegExp(`^${inner}$`, flags)]
  // With a scheme. A name without a dot, such as null, is no host of a website.
  if (!hasScheme && everyTemplate(HAS_DOT) && !everyTemplate(BARE_SCHEME)) yield [new RegExp(`^https:\\/\\/${inner}$`, flags)]
  // With escaped dots.
  const dotted = source.replace(BARE_DOT, '\\.')
  if (dotted !== source) yield [new RegExp(dotted, flags)]
  // With https.
  const secured = source.replace(INSECURE_BEGINNING, '^https')
  if (secured !== source) yield [new RegExp(secured, flags)]
  if (hasScheme) yield patterns()
}

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//

/** Matches what was meant as a scheme. */
const BARE_SCHEME = /^[a-z][a-z0-9+.-]*:/

/** Matches a loopback origin without a port. */
const LOOPBACK_END = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])$/

/** The common ways to write http, or both schemes. */
const INSECURE_BEGINNING = /^\^(?:https\?|http\(s\)\?|http\(\?:s\)\?|http\[s\]\?|\((?:\?:)?https?\|https?\)|http)(?=:)/

/** Matches a template with a dot, or with a variable part that may contain one. */
const HAS_DOT = new RegExp(`[.${VARIABLE_PART}]`)

/** An unescaped dot before a letter was meant literally. */
const BARE_DOT = /(?<=[\w\])+*?])\.(?=\w)/g

/** The source of a RegExp without the anchors of its alternatives, as one term. */
function withoutAnchors (regexp: RegExpText): string {
  const alternatives = alternativesWithoutAnchors(regexp)
  return alternatives.length > 1 ? `(?:${alternatives.join('|')})` : alternatives.join('')
}

/** Captures a scheme with "://", the scheme alone, a variable part, a dot, a host, and a port. A slash at the end is left out. */
const PARTS = new RegExp(
  `^((?:(.*):)?//)?(${VARIABLE_PART}?)(\\.?)([^${VARIABLE_PART}:/]+|\\[[^${VARIABLE_PART}\\]]+\\])(?::(${VARIABLE_PART}|[0-9]+))?/?$`,
  's')

/** The patterns closest to a template: `https://*.example.com` for `.*\.example\.com`. */
function patternsOf (template: Template, anchors: { readonly start: boolean, readonly end: boolean }): string[] {
  const parts = PARTS.exec(textOf(template))
  if (parts === null) return []
  const [, beginning, scheme, varies, dot, host = '', port] = parts
  // A name without a dot is no host of a website, except for a loopback host.
  if (!host.includes('.') && !host.startsWith('[') && !isLoopback(host) && beginning === undefined && dot === '') return []
  // /example\.com$/ matches every text before the host.
  const isOpen = beginning === undefined && !anchors.start
  const anyPort = port === VARIABLE_PART || (port === undefined && isLoopback(host) && (beginning === undefined || !anchors.end))
  const hostAndPort = `${host}${anyPort ? ':*' : port === undefined ? '' : `:${port}`}`
  const hasSubdomains = dot !== '' || varies !== '' || (isOpen && (isRegistrableDomain(host) || isPublicSuffix(host)))
  const prefix = `${schemeFor(scheme, host)}://`
  return [...(dot === '' ? [`${prefix}${hostAndPort}`] : []), ...(hasSubdomains ? [`${prefix}*.${hostAndPort}`] : [])]
}

/** The scheme to suggest for a host: the one that was written, if it is a scheme and may send credentials. */
function schemeFor (written: string | undefined, host: string): string {
  if (written === undefined || !SCHEME.test(`${written}://`)) return isLoopback(host) ? 'http' : 'https'
  return isInsecure({ scheme: written, host }) ? 'https' : written
}

/** Removes duplicates, and patterns that another one includes. */
function withoutRepeats (patterns: ReadonlyArray<readonly string[]>): Suggestion {
  if (patterns.some((list) => list.length === 0)) return []
  const all = new Set(patterns.flat())
  return [...all].filter((pattern) => !all.has(`${pattern}:*`))
}
