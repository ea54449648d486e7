// Reads a RegExp of a list. Accepts it if it matches whole origins, keeps no state, and can be matched in bounded time; otherwise says why not, and
// what to write.
import { parseOriginEntry, type OriginPattern, type OriginRefusal } from './pattern'
import { suggestionFor } from './regexp-correction'
import { isAnchored, type RegExpText, type UnsupportedSyntax } from './regexp-expression'
import { compileRegExp, type OriginRegExp } from './regexp-matcher'
import { templatesOfOrigins } from './regexp-templates'

/** Whether a list accepts an entry: with credentials, not all valid entries are accepted. */
type IsAcceptable = (entry: OriginPattern | OriginRegExp) => boolean

/** Reads a RegExp. What is suggested in its place is acceptable. */
export function parseOriginRegExp (regexp: RegExpText, isAcceptable: IsAcceptable): OriginRegExp | OriginRefusal {
  const result = check(regexp)
  if (result.kind !== 'correctable') return result
  const { reason, message, parsed } = result
  return { kind: 'refused', reason, message, instead: correctionOf(parsed, isAcceptable) ?? GENERAL_CORRECTION }
}

const GENERAL_CORRECTION = 'a RegExp from "^https:\\/\\/" to a dot and a domain of your own, such as /^https:\\/\\/[a-z0-9-]+\\.example\\.com$/'

/** Acceptable entries that match what a RegExp was meant to match. undefined if that is unclear. */
export function correctionOf (regexp: OriginRegExp, isAcceptable: IsAcceptable): ReadonlyArray<string | RegExp> | undefined {
  return suggestionFor(regexp, (entry) => {
    const result = typeof entry === 'string' ? parseOriginEntry(entry) : check(entry)
    return (result.kind === 'origin' || result.kind === 'regexp') && isAcceptable(result) ? result : undefined
  })
}

/** Why a RegExp is refused that could be parsed, so that a correction can be suggested. */
interface CorrectableRefusal extends Pick<OriginRefusal, 'reason' | 'message'> {
  readonly kind: 'correctable'
  readonly parsed: OriginRegExp
}

function check ({ source, flags }: RegExpText): OriginRegExp | OriginRefusal | CorrectableRefusal {
  const unknown = flags.replace(/[dgimsuvy]/g, '')
  if (unknown !== '') {
    return { kind: 'refused', reason: 'unsafe-regexp', message: `the flags ${JSON.stringify(unknown)} are not supported`, instead: 'it without them' }
  }
  try {
    // Without the flags that are refused, so that a correction does not have them.
    const parsed = compileRegExp({ source, flags: flags.replace(/[gmy]/g, '') })
    const { expression } = parsed
    const refuse = (reason: OriginRefusal['reason'], message: string): CorrectableRefusal => ({ kind: 'correctable', reason, message, parsed })
    if (/[gy]/.test(flags)) return refuse('unsafe-regexp', 'the flags "g" and "y" make a RegExp remember its last match, so that every other request fails')
    if (flags.includes('m')) return refuse('unanchored-regexp', 'with the flag "m", "^" and "$" match at every line')
    if (!isAnchored(expression, 'start') || !isAnchored(expression, 'end')) {
      return refuse('unanchored-regexp', 'a RegExp must match the whole origin')
    }
    if (templatesOfOrigins(expression)?.length === 0) {
      return refuse('invalid', 'this RegExp matches no origin: browsers write a scheme, a host in lower case and perhaps a port, and nothing more')
    }
    return parsed
  } catch (error) {
    const { message, instead } = error as UnsupportedSyntax
    return { kind: 'refused', reason: 'unsafe-regexp', message, instead }
  }
}
