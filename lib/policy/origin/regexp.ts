// Which regular expressions may decide about origins: anchored at both ends in every alternative, without state, and
// without a way to make them take exponential time.
import isSafe from 'safe-regex2'
import { quote, type CorsProblemReason } from '../../errors'

export interface RegExpRefusal {
  readonly reason: Extract<CorsProblemReason, 'unanchored-regexp' | 'unsafe-regexp'>
  readonly message: string
}

/** Why this RegExp cannot be used, or undefined if it can. */
export function whyNotRegExp (regexp: RegExp): RegExpRefusal | undefined {
  if (regexp.global || regexp.sticky) {
    return { reason: 'unsafe-regexp', message: `the flags "g" and "y" make a RegExp remember its last match, so that every other request fails; write ${quote(new RegExp(regexp.source, regexp.flags.replace(/[gy]/g, '')))}` }
  }
  const { alternatives, repeatsAlternatives } = read(regexp)
  if (regexp.multiline || !alternatives.every(isAnchored)) {
    return { reason: 'unanchored-regexp', message: `a RegExp must match the whole origin; write ${quote(anchored(alternatives, regexp.flags))}` }
  }
  if (repeatsAlternatives || !isSafe(regexp)) {
    return { reason: 'unsafe-regexp', message: 'a hostile origin may make this RegExp take exponential time; repeat no group that has repetitions or alternatives in it (for an optional port, write "(|:\\d+)" instead of "(:\\d+)?"), or write patterns such as "https://*.example.com:*"' }
  }
  return undefined
}

const FIRST_ANCHOR = /^\^/

/** A dollar sign at the end, not escaped: before it stands an even number of backslashes. */
const LAST_ANCHOR = /(?<=(?:^|[^\\])(?:\\\\)*)\$$/

function isAnchored (alternative: string): boolean {
  return FIRST_ANCHOR.test(alternative) && LAST_ANCHOR.test(alternative)
}

function anchored (alternatives: readonly string[], flags: string): RegExp {
  const inner = alternatives.map((alternative) => alternative.replace(FIRST_ANCHOR, '').replace(LAST_ANCHOR, '')).join('|')
  return new RegExp(`^${alternatives.length > 1 ? `(?:${inner})` : inner}$`, flags.replace('m', ''))
}

interface Reading {
  /** The source cut at the `|` that are in no group and no character class. */
  readonly alternatives: readonly string[]
  /** Whether a group with a `|` in it is repeated: where two alternatives can match the same text, each repetition doubles the ways to match. */
  readonly repeatsAlternatives: boolean
}

function read ({ source }: RegExp): Reading {
  const alternatives: string[] = []
  /** Of each open group, whether there is a `|` in it. */
  const groups: boolean[] = []
  let inClass = false
  let start = 0
  let repeatsAlternatives = false
  for (let i = 0; i < source.length; i++) {
    const char = source[i]
    if (char === '\\') i++
    else if (char === '[') inClass = true
    else if (char === ']') inClass = false
    else if (inClass) continue
    else if (char === '(') groups.push(false)
    else if (char === ')') {
      const hasAlternatives = groups.pop() === true
      if (hasAlternatives && groups.length > 0) groups[groups.length - 1] = true
      repeatsAlternatives ||= hasAlternatives && REPETITION.test(source.slice(i + 1))
    } else if (char === '|' && groups.length > 0) {
      groups[groups.length - 1] = true
    } else if (char === '|') {
      alternatives.push(source.slice(start, i))
      start = i + 1
    }
  }
  alternatives.push(source.slice(start))
  return { alternatives, repeatsAlternatives }
}

/** More than once: `?` at most allows a group to be missing. */
const REPETITION = /^[*+{]/
