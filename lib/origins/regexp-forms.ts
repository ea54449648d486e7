// Lists the forms of the strings that an expression matches: sequences of literal and variable parts. regexp.ts and credentials.ts check these forms, and
// regexp-correction.ts makes suggestions of them.
import { isSerialisedOrigin } from './pattern'
import type { Expression } from './regexp-expression'

/** Any string of these characters, possibly empty. */
export interface VariablePart { readonly characters: string }

/** Literal strings and variable parts, alternating. */
export type Form = ReadonlyArray<string | VariablePart>

/** Marks a variable part in a form that is written as a string. No origin has this character. */
export const VARIABLE_PART = '\0'

/** More forms than any real RegExp has. */
const MAX_FORMS = 5000

/** The most copies of a literal part: `w{3}` becomes `www`. */
const MAX_COPIES = 16

/** A repetition with more alternatives than these becomes one variable part. */
const MAX_REPEATED = 16

const EMPTY_FORM: Form = []

/** The forms of an expression: every string that it matches has one of them. undefined if there are too many. */
export function formsOf (expression: Expression): readonly Form[] | undefined {
  switch (expression.kind) {
    case 'assertion': return [EMPTY_FORM]
    case 'set': return formsOfSet(expression.characters)
    case 'choice': {
      const forms: Form[] = []
      for (const alternative of expression.alternatives) {
        const more = formsOf(alternative)
        if (more === undefined || forms.length + more.length > MAX_FORMS) return undefined
        forms.push(...more)
      }
      return forms
    }
    case 'sequence': {
      let forms: readonly Form[] | undefined = [EMPTY_FORM]
      for (const part of expression.parts) forms = forms && product(forms, formsOf(part))
      return forms
    }
    case 'repeat': return formsOfRepeat(expression)
  }
}

function formsOfSet (characters: string): readonly Form[] {
  if (characters === '') return []
  return characters.length === 1 ? [[characters]] : [[{ characters }]]
}

function formsOfRepeat ({ part, min, max }: Extract<Expression, { kind: 'repeat' }>): readonly Form[] | undefined {
  const forms = formsOf(part)
  if (max === 0) return [EMPTY_FORM]
  // The part matches no string.
  if (forms?.length === 0) return min > 0 ? [] : [EMPTY_FORM]
  const item = onlyItemOf(forms)
  if (typeof item === 'string' && min === max && max <= MAX_COPIES) return [[item.repeat(max)]]
  // `[a-z]?` becomes one variable part, as `[a-z]*` does. With two forms each, a few of them would exceed the limit.
  const isVariable = typeof item === 'object'
  if (max === 1 && !isVariable) return forms && (min === 1 ? forms : [EMPTY_FORM, ...forms])
  const characters = charactersOf(part)
  if (characters === '') return [EMPTY_FORM]
  const repetitions: Form = [{ characters }]
  if (forms === undefined || forms.length > MAX_REPEATED || isVariable) return [repetitions]
  // The last repetition is kept as it is: `([a-z]+\.)*example\.com` has a dot before the domain.
  const endings = forms.map((form) => join(repetitions, form))
  return min > 0 ? endings : [EMPTY_FORM, ...endings]
}

/** The literal string or the variable part that is all there is in these forms. undefined if there is more. */
function onlyItemOf (forms: readonly Form[] | undefined): Form[number] | undefined {
  const [form] = forms?.length === 1 ? forms : []
  return form?.length === 1 ? form[0] : undefined
}

/** Every form followed by every one of `more`. undefined if there are too many. */
function product (forms: readonly Form[], more: readonly Form[] | undefined): readonly Form[] | undefined {
  if (more === undefined || forms.length * more.length > MAX_FORMS) return undefined
  return forms.flatMap((form) => more.map((next) => join(form, next)))
}

/** A form followed by another one. Where they meet, two literal strings or two variable parts become one. */
function join (form: Form, next: Form): Form {
  const last = form.at(-1)
  const [first, ...rest] = next
  if (last === undefined) return next
  if (first === undefined) return form
  if (typeof last === 'string' && typeof first === 'string') return [...form.slice(0, -1), last + first, ...rest]
  if (typeof last === 'object' && typeof first === 'object') {
    return [...form.slice(0, -1), { characters: union([last.characters, first.characters]) }, ...rest]
  }
  return [...form, ...next]
}

/** All characters that an expression can match anywhere. */
export function charactersOf (expression: Expression): string {
  switch (expression.kind) {
    case 'assertion': return ''
    case 'set': return expression.characters
    case 'choice': return union(expression.alternatives.map(charactersOf))
    case 'sequence': return union(expression.parts.map(charactersOf))
    case 'repeat': return charactersOf(expression.part)
  }
}

function union (sets: readonly string[]): string {
  return [...new Set(sets.join(''))].join('')
}

/** A form as a string, with {@link VARIABLE_PART} for each variable part. */
export function textOf (form: Form): string {
  return form.map((item) => typeof item === 'string' ? item : VARIABLE_PART).join('')
}

/**
 * A string of this form, with `word` for each variable part. A part that cannot have this word gets one of its characters, and a port gets a digit.
 */
export function sampleOf (form: Form, word: string): string {
  let text = ''
  for (const item of form) text += typeof item === 'string' ? item : sampleOfPart(item, text.endsWith(':') ? '1' : word)
  return text
}

function sampleOfPart ({ characters }: VariablePart, word: string): string {
  return [...word].every((character) => characters.includes(character)) ? word : characters.charAt(0)
}

/** The forms of the origins that an expression matches. undefined if there are too many. */
export function formsOfOrigins (expression: Expression): readonly Form[] | undefined {
  return formsOf(expression)?.filter(canBeOrigin)
}

/** Matches the literal beginning of a form that can be an origin. */
const LITERAL_BEGINNING = /^(?:[a-z][a-z0-9+.-]*(?::(?:\/(?:\/[^/]*)?)?)?)?$/

/** Whether an origin can have this form. Returns true if that is unclear. */
function canBeOrigin (form: Form): boolean {
  const text = textOf(form)
  if (!text.includes(VARIABLE_PART)) return isSerialisedOrigin(text)
  if (text.includes('..')) return false
  const characters = form.map((item) => typeof item === 'string' ? item : item.characters).join('')
  return characters.includes(':') && characters.includes('/') && LITERAL_BEGINNING.test(text.slice(0, text.indexOf(VARIABLE_PART)))
}
