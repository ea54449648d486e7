// The package's export `originsFrom`: origins from a text that an operator writes, such as a variable of the environment.
import { corsPolicyError, quote, type CorsProblem } from '../messages/errors'
import { parseOriginEntry, suggestOrigin } from './pattern'

/** No origin at all: accepted as a list, as it is plainly what the operator wrote. */
export const NOBODY: readonly string[] = Object.freeze([])

/** Documented in index.ts. */
export function originsFrom (text: string | undefined): '*' | readonly string[] {
  if (text !== undefined && typeof text !== 'string') {
    const message = `${quote(text)} is not a text; write originsFrom(process.env.CORS_ORIGINS), or the array itself as origin`
    throw corsPolicyError('originsFrom', [{ pointer: '', reason: 'type', value: text, message }])
  }
  const values = valuesIn(text ?? '')
  const problems: CorsProblem[] = []
  const origins = values.map((value, index) => {
    const entry = typeof value === 'string' ? parseOriginEntry(value) : undefined
    const origin = typeof value === 'string' ? suggestOrigin(value) : undefined
    const isClear = entry !== undefined && (entry.kind !== 'refused' || entry.reason === 'not-canonical') && (value !== '*' || values.length === 1)
    if (isClear) return origin as string
    const message = value === '*'
      ? '"*" allows every origin and cannot be an entry of a list; write it alone'
      : `${quote(value)} is not an origin; write ${quote(origin ?? 'https://app.example.com')}`
    problems.push({ pointer: `/${index}`, reason: typeof value === 'string' ? 'invalid' : 'type', value, message })
    return ''
  })
  if (problems.length > 0) throw corsPolicyError('originsFrom', problems)
  if (origins[0] === '*') return '*'
  return origins.length === 0 ? NOBODY : [...new Set(origins)]
}

/** The values in a JSON array, or between commas and blanks. */
function valuesIn (text: string): readonly unknown[] {
  if (text.trim().startsWith('[')) {
    try {
      const values: unknown = JSON.parse(text)
      if (Array.isArray(values)) return values
    } catch {
      // It may be an address in brackets.
    }
  }
  return text.split(/[\s,]+/).filter((value) => value !== '')
}
