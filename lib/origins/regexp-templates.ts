// Lists the templates of the strings that an expression matches: sequences of literal and variable parts. All rules about RegExps are checked on these.
import { isSerialisedOrigin } from './serialised'
import type { Expression } from './regexp-expression'

/** Any string of these characters, possibly empty. */
export interface VariablePart { readonly characters: string }

/** Literal strings and variable parts, alternating. */
export type Template = ReadonlyArray<string | VariablePart>

/** Marks a variable part in a template that is written as a string. No origin has this character. */
export const VARIABLE_PART = '\0'

/** More templates than any real RegExp has. */
const MAX_TEMPLATES = 5000

/** The most copies of a literal part: `w{3}` becomes `www`. */
const MAX_COPIES = 16

/** A repetition with more alternatives than these becomes one variable part. */
const MAX_REPEATED = 16

const EMPTY_TEMPLATE: Template = []

/** The templates of an expression: every string that it matches has one of them. undefined if there are too many. */
export function templatesOf (expression: Expression): readonly Template[] | undefined {
  switch (expression.kind) {
    case 'assertion': return [EMPTY_TEMPLATE]
    case 'set': return templatesOfSet(expression.characters)
    case 'choice': {
      const templates: Template[] = []
      for (const alternative of expression.alternatives) {
        const more = templatesOf(alternative)
        if (more === undefined || templates.length + more.length > MAX_TEMPLATES) return undefined
        templates.push(...more)
      }
      return templates
    }
    case 'sequence': {
      let templates: readonly Template[] | undefined = [EMPTY_TEMPLATE]
      for (const part of expression.parts) templates = templates && product(templates, templatesOf(part))
      return templates
    }
    case 'repeat': return templatesOfRepeat(expression)
  }
}

function templatesOfSet (characters: string): readonly Template[] {
  if (characters === '') return []
  return characters.length === 1 ? [[characters]] : [[{ characters }]]
}

function templatesOfRepeat ({ part, min, max }: Extract<Expression, { kind: 'repeat' }>): readonly Template[] | undefined {
  const templates = templatesOf(part)
  if (max === 0) return [EMPTY_TEMPLATE]
  // The part matches no string.
  if (templates?.length === 0) return min > 0 ? [] : [EMPTY_TEMPLATE]
  const item = onlyItemOf(templates)
  if (typeof item === 'string' && min === max && max <= MAX_COPIES) return [[item.repeat(max)]]
  // `[a-z]?` becomes one variable part, as `[a-z]*` does. With two templates each, a few of them would exceed the limit.
  const isVariable = typeof item === 'object'
  if (max === 1 && !isVariable) return templates && (min === 1 ? templates : [EMPTY_TEMPLATE, ...templates])
  const characters = charactersOf(part)
  if (characters === '') return [EMPTY_TEMPLATE]
  const repetitions: Template = [{ characters }]
  if (templates === undefined || templates.length > MAX_REPEATED || isVariable) return [repetitions]
  // The last repetition is kept as it is: `([a-z]+\.)*example\.com` has a dot before the domain.
  const endings = templates.map((template) => join(repetitions, template))
  return min > 0 ? endings : [EMPTY_TEMPLATE, ...endings]
}

/** The literal string or the variable part that is all there is in these templates. undefined if there is more. */
function onlyItemOf (templates: readonly Template[] | undefined): Template[number] | undefined {
  const [template] = templates?.length === 1 ? templates : []
  return template?.length === 1 ? template[0] : undefined
}

/** Every template followed by every one of `more`. undefined if there are too many. */
function product (templates: readonly Template[], more: readonly Template[] | undefined): readonly Template[] | undefined {
  if (more === undefined || templates.length * more.length > MAX_TEMPLATES) return undefined
  return templates.flatMap((template) => more.map((next) => join(template, next)))
}

/** A template followed by another one. Where they meet, two literal strings or two variable parts become one. */
function join (template: Template, next: Template): Template {
  const last = template.at(-1)
  const [first, ...rest] = next
  if (last === undefined) return next
  if (first === undefined) return template
  if (typeof last === 'string' && typeof first === 'string') return [...template.slice(0, -1), last + first, ...rest]
  if (typeof last === 'object' && typeof first === 'object') {
    return [...template.slice(0, -1), { characters: union([last.characters, first.characters]) }, ...rest]
  }
  return [...template, ...next]
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

/** A template as a string, with {@link VARIABLE_PART} for each variable part. */
export function textOf (template: Template): string {
  return template.map((item) => typeof item === 'string' ? item : VARIABLE_PART).join('')
}

/**
 * A string of this template, with `word` for each variable part. A part that cannot have this word gets one of its characters, and a port gets a digit.
 */
export function sampleOf (template: Template, word: string): string {
  let text = ''
  for (const item of template) text += typeof item === 'string' ? item : sampleOfPart(item, text.endsWith(':') ? '1' : word)
  return text
}

function sampleOfPart ({ characters }: VariablePart, word: string): string {
  return [...word].every((character) => characters.includes(character)) ? word : characters.charAt(0)
}

/** The templates of the origins that an expression matches. undefined if there are too many. */
export function templatesOfOrigins (expression: Expression): readonly Template[] | undefined {
  return templatesOf(expression)?.filter(canBeOrigin)
}

/** Matches the literal beginning of a template that can be an origin. */
const LITERAL_BEGINNING = /^(?:[a-z][a-z0-9+.-]*(?::(?:\/(?:\/[^/]*)?)?)?)?$/

/** Whether an origin can have this template. Returns true if that is unclear. */
function canBeOrigin (template: Template): boolean {
  const text = textOf(template)
  if (!text.includes(VARIABLE_PART)) return isSerialisedOrigin(text)
  if (text.includes('..')) return false
  const characters = template.map((item) => typeof item === 'string' ? item : item.characters).join('')
  return characters.includes(':') && characters.includes('/') && LITERAL_BEGINNING.test(text.slice(0, text.indexOf(VARIABLE_PART)))
}
