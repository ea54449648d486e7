// Checks, extends and compiles the lists of header names of a policy.
import { quote } from '../messages/errors'
import { isHeaderName, isSetByBrowser, uniqueNames, whyNotReadable, whyNotSendable } from '../http/headers'
import type { HeaderList } from './compiled-policy'
import type { FieldProblem } from './fields'

/** Stands for what would be there without the field: the list of the policy that is extended, else the headers derived from the route. */
const INHERITED = '...'

/** The fields that are lists of header names, each with the reason why a name is refused, and the names that may stand beside `'*'`. */
const LISTS = {
  allowedHeaders: {
    whyForbidden: whyNotSendable,
    besideWildcard: /^(?:\*|\.\.\.|authorization)$/i,
    // https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
    mixed: '"*" allows every header except Authorization, the only name that can be combined with it; write "*", or ["*", "Authorization"]'
  },
  exposedHeaders: {
    whyForbidden: whyNotReadable,
    besideWildcard: /^(?:\*|\.\.\.)$/,
    mixed: '"*" exposes every header and cannot be combined with names; write the names without it, or exposedHeaders: "*" for every header'
  }
} as const

export type HeaderListField = keyof typeof LISTS

export function isHeaderListField (field: string): field is HeaderListField {
  return Object.hasOwn(LISTS, field)
}

/** The problems of the elements of a list. */
export function checkHeaderList (field: HeaderListField, list: readonly unknown[]): FieldProblem[] {
  const { whyForbidden, besideWildcard, mixed } = LISTS[field]
  const isMixed = list.some((name) => typeof name === 'string' && !besideWildcard.test(name))
  return list.flatMap((name, index) => {
    const problem = name === '*' ? isMixed && { reason: 'invalid' as const, message: mixed } : name !== INHERITED && checkName(name, whyForbidden)
    return problem ? [{ ...problem, index, value: name }] : []
  })
}

function checkName (name: unknown, whyForbidden: (name: string) => string | undefined): FieldProblem | undefined {
  if (typeof name !== 'string') return { reason: 'type', message: `${quote(name)} is not the name of a header; write a text such as "X-Request-Id"` }
  if (name.includes('*') && isHeaderName(name)) {
    const example = quote(name.replaceAll('*', 'name'))
    return { reason: 'invalid', message: `${quote(name)}: browsers read "*" in a name literally; write the names, such as ${example}` }
  }
  if (!isHeaderName(name)) {
    const names = namesAsCode(name) ?? '"X-Request-Id"'
    return { reason: 'invalid', message: `${quote(name)} is not the name of a header; write one name for each element, such as ${names}` }
  }
  const why = whyForbidden(name)
  return why === undefined ? undefined : { reason: 'forbidden', message: `${quote(name)}: ${why}; leave it out` }
}

/** The names in a text that are separated by commas or blanks, as code. undefined if one of them is none. */
export function namesAsCode (text: string): string | undefined {
  const names = text.split(/[\s,]+/).filter((name) => name !== '')
  return names.length > 0 && names.every((name) => isHeaderName(name) && !name.includes('*')) ? names.map(quote).join(', ') : undefined
}

/** A list in which `'...'` is replaced by the list that is inherited. Without one, `'...'` stays: it is what is derived from the route. */
export function extendHeaderList (list: unknown, inherited: unknown): unknown {
  if (!Array.isArray(list) || !list.includes(INHERITED) || inherited === undefined) return list
  const names = [...list.filter((name) => name !== INHERITED), ...[inherited].flat()] as string[]
  return names.includes('*') ? names.filter((name) => /^(?:\*|authorization)$/i.test(name)) : names
}

/** Whether a list is or contains `'*'`. */
export function hasWildcard (list: unknown): boolean {
  return list === '*' || (Array.isArray(list) && list.includes('*'))
}

export function compileHeaderList (field: HeaderListField, value: '*' | readonly string[]): HeaderList {
  const names = [value].flat().filter((name) => name !== '*' && name !== INHERITED)
  const isLeftOut = (name: string): boolean => field === 'allowedHeaders' && isSetByBrowser(name)
  return Object.freeze({
    any: hasWildcard(value),
    names: uniqueNames(names.filter((name) => !isLeftOut(name))),
    addsDerived: value.includes(INHERITED),
    leftOut: uniqueNames(names.filter(isLeftOut))
  })
}
