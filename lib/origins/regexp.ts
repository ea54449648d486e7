// Reads a RegExp of a policy. Accepts it if it matches whole origins, keeps no state, and can be matched in linear time; otherwise says why not, and
// what to write. entry.ts calls it; credentials.ts reads suggestions with it.
import type { CorsProblemReason } from '../messages/errors'
import { parseOriginEntry, type TupleOrigin } from './pattern'
import { correctionOf } from './regexp-correction'
import { isAnchored, type RegExpText } from './regexp-expression'
import { formsOfOrigins } from './regexp-forms'
import { compileRegExp, type OriginRegExp } from './regexp-re2'

/** Why a RegExp is refused as an entry. */
export interface RegExpRefusal {
  readonly kind: 'refused'
  readonly reason: Extract<CorsProblemReason, 'invalid' | 'unanchored-regexp' | 'unsafe-regexp'>
  readonly message: string
}

/** Reads a RegExp of a policy. */
export function parseOriginRegExp (regexp: RegExpText): OriginRegExp | RegExpRefusal {
  const result = checkRegExp(regexp)
  if (result.kind !== 'correctable') return result
  const { reason, message, parsed } = result
  const correction = correctionOf(parsed, readValidEntry) ?? GENERAL_CORRECTION
  return { kind: 'refused', reason, message: `${message}; write ${correction}` }
}

const GENERAL_CORRECTION = 'a RegExp from "^https:\\/\\/" to "$", or patterns such as "https://*.example.com"'

/** Why a RegExp is refused that could be parsed, so that a correction can be suggested. */
interface CorrectableRefusal {
  readonly kind: 'correctable'
  readonly reason: RegExpRefusal['reason']
  readonly message: string
  readonly parsed: OriginRegExp
}

function checkRegExp ({ source, flags }: RegExpText): OriginRegExp | RegExpRefusal | CorrectableRefusal {
  const unknown = flags.replace(/[dgimsuvy]/g, '')
  if (unknown !== '') {
    return { kind: 'refused', reason: 'unsafe-regexp', message: `the flags ${JSON.stringify(unknown)} are not supported; write it without them` }
  }
  try {
    // Without the flags that are refused, so that a correction does not have them.
    const parsed = compileRegExp({ source, flags: flags.replace(/[gmy]/g, '') })
    const { expression } = parsed
    const refuse = (reason: RegExpRefusal['reason'], message: string): CorrectableRefusal => ({ kind: 'correctable', reason, message, parsed })
    if (/[gy]/.test(flags)) return refuse('unsafe-regexp', 'the flags "g" and "y" make a RegExp remember its last match, so that every other request fails')
    if (flags.includes('m')) return refuse('unanchored-regexp', 'with the flag "m", "^" and "$" match at every line')
    if (!isAnchored(expression, 'start') || !isAnchored(expression, 'end')) {
      return refuse('unanchored-regexp', 'a RegExp must match the whole origin')
    }
    if (formsOfOrigins(expression)?.length === 0) {
      return refuse('invalid', 'this RegExp matches no origin: browsers write a scheme, a host in lower case and perhaps a port, and nothing more')
    }
    return parsed
  } catch (error) {
    // UnsupportedSyntax, or a RangeError for groups that are nested too deeply.
    return { kind: 'refused', reason: 'unsafe-regexp', message: (error as Error).message }
  }
}

/** Reads an entry. undefined if it is refused. Does not check the rules of credentials. */
export function readValidEntry (entry: string | RegExp): TupleOrigin | OriginRegExp | undefined {
  const result = typeof entry === 'string' ? parseOriginEntry(entry) : checkRegExp(entry)
  return result.kind === 'tuple' || result.kind === 'regexp' ? result : undefined
}
