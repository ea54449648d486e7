// Matches RegExps in linear time: writes their expressions in the syntax of RE2 and compiles them with re2js.
import type * as Re2js from 're2js'
import { MAX_ORIGIN_LENGTH } from './pattern'
import { readExpression, UnsupportedSyntax, type Expression, type RegExpText } from './regexp-expression'

/** Whether a serialised origin, or a part of it where the RegExp is not anchored, is matched. Exact for texts of at most {@link MAX_ORIGIN_LENGTH} characters that origins can have. */
export type RegExpMatcher = (origin: string) => boolean

/** A RegExp that was read. */
export interface OriginRegExp {
  readonly kind: 'regexp'
  readonly regexp: RegExpText
  readonly expression: Expression
  readonly matches: RegExpMatcher
}

/** Reads and compiles a RegExp whose flags have neither `m` nor state. Throws {@link UnsupportedSyntax}. */
export function compileRegExp ({ source, flags }: RegExpText): OriginRegExp {
  const regexp: RegExpText = { source, flags }
  const expression = readExpression(regexp)
  return { kind: 'regexp', regexp, expression, matches: createRegExpMatcher(expression) }
}

/** Throws {@link UnsupportedSyntax} where the expression is larger than RE2 permits. */
function createRegExpMatcher (expression: Expression): RegExpMatcher {
  const { RE2JS } = re2js()
  try {
    const compiled = RE2JS.compile(inRe2Syntax(expression))
    return (origin) => compiled.test(origin)
  } catch {
    throw new UnsupportedSyntax('its repetitions with numbers ("{1,63}"), multiplied where one stands in another, come to more than 1000; write the outer ones as "+" or "*"')
  }
}

/** Loaded when first needed: most policies have no RegExp. */
function re2js (): typeof Re2js {
  return require('re2js') as typeof Re2js
}

const ASSERTIONS = { start: '\\A', end: '\\z', 'word-boundary': '\\b', 'no-word-boundary': '\\B' } as const

/** A character that no origin has. */
const UNMATCHABLE = '!'

function inRe2Syntax (expression: Expression): string {
  switch (expression.kind) {
    case 'set': return setInRe2Syntax(expression.characters)
    case 'assertion': return ASSERTIONS[expression.at]
    case 'sequence': return expression.parts.map(inRe2Syntax).join('')
    case 'choice': return `(?:${expression.alternatives.map(inRe2Syntax).join('|')})`
    case 'repeat': return `(?:${inRe2Syntax(expression.part)})${quantifier(expression.min, expression.max)}`
  }
}

function setInRe2Syntax (characters: string): string {
  if (characters === '') return UNMATCHABLE
  const escaped = characters.replace(/[-+.[\]]/g, '\\$&')
  return characters.length === 1 ? escaped : `[${escaped}]`
}

/** What is repeated more often than an origin has characters is repeated as often as one likes. */
function quantifier (min: number, max: number): string {
  return `{${min},${max >= MAX_ORIGIN_LENGTH ? '' : max}}`
}
