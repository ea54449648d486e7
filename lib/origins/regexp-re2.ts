// Compiles RegExps that are matched in linear time: writes their expressions in the syntax of RE2, and compiles that with re2js.
// regexp.ts and regexp-correction.ts call it when a policy is declared; matcher.ts calls the compiled RegExps for each request.
import type * as Re2js from 're2js'
import { MAX_ORIGIN_LENGTH } from './pattern'
import { readExpression, UnsupportedSyntax, type Expression, type RegExpText } from './regexp-expression'

/** Whether a RegExp matches a serialised origin. Exact for strings of at most {@link MAX_ORIGIN_LENGTH} characters, all of which origins can have. */
export type RegExpMatcher = (origin: string) => boolean

/** A RegExp that was read and compiled. */
export interface OriginRegExp {
  readonly kind: 'regexp'
  readonly regexp: RegExpText
  readonly expression: Expression
  readonly matches: RegExpMatcher
}

/** Reads and compiles a RegExp without the flags `g`, `m` and `y`. Throws {@link UnsupportedSyntax}. */
export function compileRegExp ({ source, flags }: RegExpText): OriginRegExp {
  const regexp: RegExpText = { source, flags }
  const expression = readExpression(regexp)
  return { kind: 'regexp', regexp, expression, matches: createRegExpMatcher(expression) }
}

/** Throws {@link UnsupportedSyntax} if the expression is larger than RE2 permits. */
function createRegExpMatcher (expression: Expression): RegExpMatcher {
  const { RE2JS } = re2js()
  try {
    const compiled = RE2JS.compile(inRe2Syntax(expression))
    return (origin) => compiled.test(origin)
  } catch {
    throw new UnsupportedSyntax(
      'its counted repetitions ("{1,63}") come to more than 1000 once nested ones are multiplied; write the outer ones as "+" or "*"')
  }
}

/** Loads re2js when it is first needed: most policies have no RegExp. */
function re2js (): typeof Re2js {
  return require('re2js') as typeof Re2js
}

const ASSERTIONS = { start: '\\A', end: '\\z', 'word-boundary': '\\b', 'no-word-boundary': '\\B' } as const

/** Matches nothing, as no origin has this character. */
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

/** A maximum that no origin can reach, as origins are shorter, is left out. */
function quantifier (min: number, max: number): string {
  return `{${min},${max >= MAX_ORIGIN_LENGTH ? '' : max}}`
}
