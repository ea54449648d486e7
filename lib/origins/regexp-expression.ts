// Parses a RegExp into an expression over the characters of origins. A RegExp is checked and matched by this expression, never by its source.
import type * as Regexpp from '@eslint-community/regexpp'
import type { AST } from '@eslint-community/regexpp'
import { ORIGIN_CHARACTERS } from './serialised'

/** What a RegExp matches among strings of the characters of origins. Groups and greediness do not change that, so they are left out. */
export type Expression =
  /** One of these characters, in the order of {@link ORIGIN_CHARACTERS}. An empty set matches nothing. */
  | { readonly kind: 'set', readonly characters: string }
  | { readonly kind: 'sequence', readonly parts: readonly Expression[] }
  | { readonly kind: 'choice', readonly alternatives: readonly Expression[] }
  | { readonly kind: 'repeat', readonly part: Expression, readonly min: number, readonly max: number }
  | { readonly kind: 'assertion', readonly at: 'start' | 'end' | 'word-boundary' | 'no-word-boundary' }

/** The parts of a RegExp that are read. */
export interface RegExpText { readonly source: string, readonly flags: string }

/** Thrown for a RegExp with syntax that needs backtracking, or that is not supported here. Says what is wrong, and what to write. */
export class UnsupportedSyntax extends Error {
  constructor (message: string, readonly instead = 'what is allowed as a RegExp without it, or a function (origin) => boolean that decides') {
    super(message)
  }
}

/** Reads a RegExp without the flags `g`, `m` and `y`. Throws {@link UnsupportedSyntax}. */
export function readExpression (regexp: RegExpText): Expression {
  const { alternatives } = parsePattern(regexp)
  return new Reader(regexp.flags, regexpp().visitRegExpAST).choice(alternatives)
}

/** The source of each top-level alternative of a RegExp, without anchors at its beginning and end. */
export function alternativesWithoutAnchors (regexp: RegExpText): readonly string[] {
  return parsePattern(regexp).alternatives.map(({ raw, elements }) =>
    raw.slice(isAnchor(elements[0], 'start') ? 1 : 0, isAnchor(elements.at(-1), 'end') ? -1 : undefined))
}

function isAnchor (element: AST.Element | undefined, kind: 'start' | 'end'): boolean {
  return element?.type === 'Assertion' && element.kind === kind
}

function parsePattern ({ source, flags }: RegExpText): AST.Pattern {
  const { RegExpParser } = regexpp()
  try {
    return new RegExpParser().parsePattern(source, 0, source.length, { unicode: flags.includes('u'), unicodeSets: flags.includes('v') })
  } catch {
    throw new UnsupportedSyntax('this RegExp has a syntax that is not supported')
  }
}

/** Loads the parser when it is first needed: most policies have no RegExp. */
function regexpp (): typeof Regexpp {
  return require('@eslint-community/regexpp') as typeof Regexpp
}

/** Turns the syntax tree of one RegExp into an expression. */
class Reader {
  readonly #flags: string
  readonly #visit: typeof Regexpp.visitRegExpAST
  readonly #sets = new Map<string, Expression>()

  constructor (flags: string, visit: typeof Regexpp.visitRegExpAST) {
    // Only these flags change which characters a class matches.
    this.#flags = flags.replace(/[^isuv]/g, '')
    this.#visit = visit
  }

  choice (alternatives: readonly AST.Alternative[]): Expression {
    const [first, ...more] = alternatives.map(({ elements }): Expression => {
      return { kind: 'sequence', parts: elements.map((element) => this.#element(element)) }
    })
    return more.length === 0 ? first as Expression : { kind: 'choice', alternatives: [first as Expression, ...more] }
  }

  #element (element: AST.Element): Expression {
    switch (element.type) {
      case 'Group':
        if (element.modifiers !== null) {
          throw new UnsupportedSyntax('flags inside a RegExp ("(?i:…)") are not supported', 'the flag behind it, or a RegExp for each part')
        }
        return this.choice(element.alternatives)
      case 'CapturingGroup': return this.choice(element.alternatives)
      case 'Quantifier': return { kind: 'repeat', part: this.#element(element.element), min: element.min, max: element.max }
      case 'Assertion': return this.#assertion(element)
      // Not its source: that may mean something else outside the RegExp.
      case 'Character': return this.#set(toEscape(element.value))
      case 'CharacterSet':
      case 'CharacterClass':
      case 'ExpressionCharacterClass':
        this.#refuseStrings(element)
        return this.#set(element.raw)
      case 'Backreference': throw new UnsupportedSyntax('a back-reference cannot be matched in linear time')
    }
  }

  #assertion (element: AST.Assertion): Expression {
    switch (element.kind) {
      case 'lookahead':
      case 'lookbehind': throw new UnsupportedSyntax(`a ${element.kind} cannot be matched in linear time`)
      case 'word': return { kind: 'assertion', at: element.negate ? 'no-word-boundary' : 'word-boundary' }
      default: return { kind: 'assertion', at: element.kind }
    }
  }

  /** Throws if the class can match several characters, which the flag `v` permits. */
  #refuseStrings (element: AST.CharacterSet | AST.CharacterClass | AST.ExpressionCharacterClass): void {
    const refuse = (): never => {
      throw new UnsupportedSyntax(
        'a class that matches strings of several characters ("\\q{…}", or a property of strings) is not supported',
        '"(?:ab|c)" instead of "[\\q{ab|c}]"')
    }
    this.#visit(element, {
      onClassStringDisjunctionEnter: refuse,
      onCharacterSetEnter: (set) => { if (set.kind === 'property' && set.strings) refuse() }
    })
  }

  /**
   * The set of characters that this source matches. The JavaScript engine itself tries each character, with the flags of the RegExp, so that no rule of
   * classes, escapes or case is repeated here.
   */
  #set (source: string): Expression {
    const known = this.#sets.get(source)
    if (known !== undefined) return known
    const regexp = new RegExp(`^${source}$`, this.#flags)
    const set: Expression = { kind: 'set', characters: [...ORIGIN_CHARACTERS].filter((character) => regexp.test(character)).join('') }
    this.#sets.set(source, set)
    return set
  }
}

/** A character as an escape that is valid with all flags. A surrogate pair becomes two escapes, which `u` and `v` read as one character. */
function toEscape (codePoint: number): string {
  return String.fromCodePoint(codePoint).split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
}

/** Whether every match starts (or ends) where the string does: in every alternative, an anchor comes before (or after) all characters. */
export function isAnchored (expression: Expression, at: 'start' | 'end'): boolean {
  switch (expression.kind) {
    case 'assertion': return expression.at === at
    case 'set': return false
    case 'choice': return expression.alternatives.every((alternative) => isAnchored(alternative, at))
    case 'repeat': return expression.min > 0 && isAnchored(expression.part, at)
    case 'sequence': {
      const parts = at === 'start' ? expression.parts : expression.parts.toReversed()
      const first = parts.find((part) => part.kind !== 'assertion' || part.at === at)
      return first !== undefined && isAnchored(first, at)
    }
  }
}
