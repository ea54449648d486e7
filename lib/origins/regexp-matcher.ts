// Compiles RegExps to automata that follow all alternatives at once (Thompson's construction). They take at most half a millisecond for any origin: they never
// backtrack, nor build states while they match, as re2js does; and what could take longer is refused. bench/regexps.ts measures it.
import { MAX_ORIGIN_LENGTH, ORIGIN_CHARACTERS } from './serialised'
import { isAnchored, readExpression, UnsupportedSyntax, type Expression, type RegExpText } from './regexp-expression'

/** A RegExp that was read and compiled. */
export interface OriginRegExp {
  readonly kind: 'regexp'
  readonly regexp: RegExpText
  readonly expression: Expression
  /** Whether the RegExp matches a serialised origin. */
  readonly matches: (origin: string) => boolean
}

/** Reads and compiles a RegExp without the flags `g`, `m` and `y`. Throws {@link UnsupportedSyntax}. */
export function compileRegExp ({ source, flags }: RegExpText): OriginRegExp {
  const regexp: RegExpText = { source, flags }
  const expression = readExpression(regexp)
  if (isAnchored(expression, 'start') && isAnchored(expression, 'end')) {
    const automaton = automatonOf(new Compiler().compile(expression))
    if (stepsOfAllTexts(automaton) > MAX_STEPS && stepsOfAnyText(automaton) > MAX_STEPS) throw tooLarge()
    return { kind: 'regexp', regexp, expression, matches: (origin) => matches(automaton, origin) }
  }
  // It is refused, and its correction is tried on a few texts: how long that takes does not matter. It matches a text in which it finds a match.
  const automaton = automatonOf(new Compiler().compile({ kind: 'sequence', parts: [ANYTHING, expression, ANYTHING] }))
  return { kind: 'regexp', regexp, expression, matches: (origin) => matches(automaton, origin) }
}

const ANYTHING: Expression = { kind: 'repeat', part: { kind: 'set', characters: ORIGIN_CHARACTERS }, min: 0, max: Infinity }

/** What it costs to reach a state, in steps. A step takes about a nanosecond: it looks at one way to a state. */
const REACHED = 4

/** The most steps for one origin. */
const MAX_STEPS = 160_000

/** The most steps that are tried out to find the most for one origin. */
const MAX_TRIED_STEPS = 5_000_000

/** The most states, and the most ways between them, so that their memory is bounded, too. */
const MAX_SIZE = 100_000

/** Thrown for an expression that exceeds these bounds. */
function tooLarge (): UnsupportedSyntax {
  return new UnsupportedSyntax(
    'this RegExp takes too long to match', '"+" or "*" in place of its counted repetitions ("{1,63}"), or origins in place of its alternatives')
}

type Assertion = Extract<Expression, { kind: 'assertion' }>['at']

/** A state of an expression. The end has no next state. */
interface State {
  /** The characters that lead on. undefined if none is needed. */
  readonly characters?: string | undefined
  readonly assertion?: Assertion | undefined
  readonly next: State[]
}

class Compiler {
  #states = 0

  /** The first state of an expression. The states of each part are made after those that follow it. */
  compile (expression: Expression, after: State = { next: [] }): State {
    switch (expression.kind) {
      case 'set': return this.#state([after], expression.characters)
      case 'assertion': return this.#state([after], undefined, expression.at)
      case 'sequence': return expression.parts.reduceRight((next, part) => this.compile(part, next), after)
      case 'choice': return this.#state(expression.alternatives.map((alternative) => this.compile(alternative, after)))
      case 'repeat': return this.#repeat(expression, after)
    }
  }

  #repeat ({ part, min, max }: Extract<Expression, { kind: 'repeat' }>, after: State): State {
    let next = after
    if (max >= MAX_ORIGIN_LENGTH) {
      next = this.#state([after])
      next.next.unshift(this.compile(part, next))
    } else {
      for (let times = min; times < max; times++) next = this.#state([this.compile(part, next), after])
    }
    for (let times = 0; times < min; times++) next = this.compile(part, next)
    return next
  }

  #state (next: State[], characters?: string, assertion?: Assertion): State {
    if (++this.#states > MAX_SIZE) throw tooLarge()
    return { characters, assertion, next }
  }
}

/** The states that need a character or have an assertion, the start (0) and the end, by number. All others are left out: what follows them is direct. */
interface Automaton {
  /** Where the numbers of the states after each state begin in `next`. */
  readonly begins: Uint32Array
  readonly next: Uint32Array
  /** For each character, whether it leads to each state; the code 128 is the end of the text. */
  readonly accepts: Uint8Array
  readonly assertions: ReadonlyArray<Assertion | undefined>
  /** When each state was last reached: `time` is counted on with every character, so that nothing has to be reset. */
  readonly reachedAt: Float64Array
  time: number
  steps: number
}

const CODES = 129
const END_OF_TEXT = 128

function automatonOf (start: State): Automaton {
  const numbers = new Map<State, number>([[{ next: [start] }, 0]])
  const begins = [0]
  const next: number[] = []
  // The map grows while its states are read.
  for (const state of numbers.keys()) {
    for (const other of directlyAfter(state)) {
      if (!numbers.has(other)) numbers.set(other, numbers.size)
      next.push(numbers.get(other) as number)
    }
    if (next.length > MAX_SIZE) throw tooLarge()
    begins.push(next.length)
  }
  const states = [...numbers.keys()]
  const accepts = new Uint8Array(states.length * CODES)
  for (const [number, { characters, assertion }] of states.entries()) {
    const codes = assertion === undefined ? [...characters ?? ''].map((character) => character.charCodeAt(0)) : Array.from({ length: CODES }, (_, code) => code)
    for (const code of assertion === undefined && characters === undefined ? [END_OF_TEXT] : codes) accepts[code * states.length + number] = 1
  }
  return {
    begins: Uint32Array.from(begins),
    next: Uint32Array.from(next),
    accepts,
    assertions: states.map(({ assertion }) => assertion),
    reachedAt: new Float64Array(states.length),
    time: 0,
    steps: 0
  }
}

/** The states that need a character or have an assertion, or the end, after a state. */
function directlyAfter (state: State): Set<State> {
  const found = new Set<State>()
  const visited = new Set<State>()
  const open = [...state.next]
  for (let other = open.pop(); other !== undefined; other = open.pop()) {
    if (visited.has(other)) continue
    visited.add(other)
    if (other.characters !== undefined || other.assertion !== undefined || other.next.length === 0) found.add(other)
    else for (const more of other.next) open.push(more)
  }
  return found
}

/** In place of a character: every character at once. */
const ANY_CODE = -1

/** The states that a character leads to. Without a text, every assertion holds. `reached` grows by the states with assertions that hold here. */
function read (automaton: Automaton, reached: number[], code: number, text?: string, index = 0): number[] {
  const { begins, next, accepts, assertions, reachedAt } = automaton
  const time = ++automaton.time
  const row = code * reachedAt.length
  const following: number[] = []
  for (let at = 0; at < reached.length; at++) {
    const state = reached[at] as number
    const end = begins[state + 1] as number
    automaton.steps += end - (begins[state] as number) + 1
    for (let way = begins[state] as number; way < end; way++) {
      const other = next[way] as number
      if ((code !== ANY_CODE && accepts[row + other] !== 1) || reachedAt[other] === time) continue
      reachedAt[other] = time
      automaton.steps += REACHED
      const assertion = assertions[other]
      if (assertion === undefined) following.push(other)
      else if (text === undefined || holds(assertion, text, index)) reached.push(other)
    }
  }
  return following
}

function matches (automaton: Automaton, text: string): boolean {
  let reached = [0]
  for (let index = 0; index < text.length && reached.length > 0; index++) reached = read(automaton, reached, text.charCodeAt(index), text, index)
  return read(automaton, reached, END_OF_TEXT, text, text.length).length > 0
}

/** An upper bound of the steps for any text: those for all texts at once. */
function stepsOfAllTexts (automaton: Automaton): number {
  automaton.steps = 0
  let reached = [0]
  for (let index = 0; index <= MAX_ORIGIN_LENGTH; index++) reached = read(automaton, reached, ANY_CODE)
  return automaton.steps
}

/** Another upper bound: the most steps for one character, times the length. Infinity if there are too many sets of states that a text can lead to. */
function stepsOfAnyText (automaton: Automaton): number {
  const sets = new Map([['', [0]]])
  let most = 0
  let tried = 0
  // The map grows while its sets are read.
  for (const reached of sets.values()) {
    for (const character of ORIGIN_CHARACTERS) {
      automaton.steps = 0
      const following = read(automaton, [...reached], character.charCodeAt(0))
      most = Math.max(most, automaton.steps)
      tried += automaton.steps
      if (tried > MAX_TRIED_STEPS) return Infinity
      sets.set(following.sort((a, b) => a - b).join(), following)
    }
  }
  return most * (MAX_ORIGIN_LENGTH + 1)
}

const WORD = /\w/

function holds (assertion: Assertion, text: string, index: number): boolean {
  if (assertion === 'start') return index === 0
  if (assertion === 'end') return index === text.length
  const isBoundary = WORD.test(text.charAt(index - 1)) !== WORD.test(text.charAt(index))
  return isBoundary === (assertion === 'word-boundary')
}
