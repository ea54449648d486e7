// Which regular expressions may decide about origins: anchored at both ends in every alternative, without state, and
// without a way to make them take exponential time.
import isSafe from 'safe-regex2'
import type { CorsProblemReason } from '../errors'

export interface RegExpRefusal {
  readonly reason: Extract<CorsProblemReason, 'unanchored-regexp' | 'unsafe-regexp'>
  readonly message: string
}

/** Why this RegExp cannot be used, or undefined if it can. */
export function whyNotRegExp (regexp: RegExp): RegExpRefusal | undefined {
  if (regexp.global || regexp.sticky) {
    return { reason: 'unsafe-regexp', message: 'the flags "g" and "y" make a RegExp remember its last match, so that every other request fails; leave them out' }
  }
  if (regexp.multiline || !isAnchored(regexp.source)) {
    return { reason: 'unanchored-regexp', message: `a RegExp must match the whole origin; write ${anchored(regexp)}` }
  }
  if (!isSafe(regexp)) {
    return { reason: 'unsafe-regexp', message: 'this RegExp can take exponential time on a hostile origin; write it without nested repetitions, or as a pattern such as "https://*.example.com"' }
  }
  return undefined
}

function anchored ({ source, flags }: RegExp): string {
  const inner = hasAlternatives(source) ? `(?:${source.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')})` : source.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')
  return `/^${inner}$/${flags.replace('m', '')}`
}

function hasAlternatives (source: string): boolean {
  return topLevelAlternatives(source).length > 1
}

/** Every alternative at the top level begins with `^` and ends with an unescaped `$`. */
function isAnchored (source: string): boolean {
  return topLevelAlternatives(source).every((alternative) => alternative.startsWith('^') && endsWithAnchor(alternative))
}

function endsWithAnchor (alternative: string): boolean {
  if (!alternative.endsWith('$') || alternative.length < 2) return false
  const backslashes = /\\*$/.exec(alternative.slice(0, -1))
  return backslashes === null || backslashes[0].length % 2 === 0
}

/** The source cut at the `|` that are in no group and no character class. */
function topLevelAlternatives (source: string): string[] {
  const alternatives: string[] = []
  let depth = 0
  let inClass = false
  let start = 0
  for (let i = 0; i < source.length; i++) {
    const char = source[i]
    if (char === '\\') i++
    else if (char === '[') inClass = true
    else if (char === ']') inClass = false
    else if (inClass) continue
    else if (char === '(') depth++
    else if (char === ')') depth--
    else if (char === '|' && depth === 0) {
      alternatives.push(source.slice(start, i))
      start = i + 1
    }
  }
  alternatives.push(source.slice(start))
  return alternatives
}
