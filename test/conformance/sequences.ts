// Sequences of requests in which browsers remember preflights differently. docs/conformance.md has a table of how many each of them pays: this
// file reads it, and the tests count.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readable, step, type Case, type Step } from './case'
import type { World } from './world'

/** The sequences. Each request is allowed, so that only the number of preflights is in question. */
export function sequencesOf ({ apis: { api } }: World): Case[] {
  const request = (method: string, path: string, options: Partial<Step> = {}, route = path): Step => step('app', `${api}${path}`, readable(`${method} ${route}`), { method, ...options })
  const named = (name: string): Partial<Step> => ({ headers: [[name, '1']] })
  const included = { credentials: 'include' } as const
  const item = (method: string): Step => request(method, '/items/7', {}, '/items/:id')
  const times = (count: number, ...steps: readonly Step[]): Step[] => Array.from({ length: count }, () => steps).flat()
  return [
    { name: '`PUT`, `DELETE`, `PATCH` of one URL with one policy', steps: ['PUT', 'DELETE', 'PATCH'].map((method) => request(method, '/kept')) },
    { name: 'a `GET` with a listed header, then a `PUT`', steps: [request('GET', '/kept', named('X-One')), request('PUT', '/kept')] },
    { name: 'a `PUT`, then a `GET` with a listed header', steps: [request('PUT', '/kept'), request('GET', '/kept', named('X-One'))] },
    { name: 'five `PUT`s with one header and five with another, both listed', steps: [...times(5, request('PUT', '/kept', named('X-One'))), ...times(5, request('PUT', '/kept', named('X-Two')))] },
    { name: 'the same, with `allowedHeaders: \'*\'`', steps: [...times(5, request('PUT', '/kept-any-headers', named('X-One'))), ...times(5, request('PUT', '/kept-any-headers', named('X-Two')))] },
    { name: 'ten `PUT`s with `allowedHeaders: \'*\'`, each with another header', steps: Array.from({ length: 10 }, (_, index) => request('PUT', '/kept-any-headers', named(`X-Number-${index}`))) },
    { name: 'ten `PUT`s in turn, of two policies on one URL', steps: times(5, item('PUT'), item('PATCH')) },
    { name: 'a `PUT` with credentials, then one without', steps: [request('PUT', '/kept-credentials', included), request('PUT', '/kept-credentials')] },
    { name: 'a `PUT` without credentials, then one with', steps: [request('PUT', '/kept-credentials'), request('PUT', '/kept-credentials', included)] },
    { name: 'three `PUT`s with `maxAge: 600`', steps: times(3, request('PUT', '/kept')) },
    { name: 'three `PUT`s without `maxAge`, at once', steps: times(3, request('PUT', '/exact')) },
    { name: 'three `PUT`s with `maxAge: 0`', steps: times(3, request('PUT', '/not-kept')) }
  ]
}

/** The table of docs/conformance.md: sequence, and for each judge its number of preflights. */
export function documentedPreflights (): Map<string, { readonly [judge: string]: number }> {
  const lines = readFileSync(join(__dirname, '../../docs/conformance.md'), 'utf8').split('\n')
  const cells = (line: string): string[] => line.slice(2, -2).split(' | ')
  const head = lines.findIndex((line) => line.startsWith('| requests |'))
  const [, ...judges] = cells(lines[head] as string)
  const rows = lines.slice(head + 2)
  return new Map(rows.slice(0, rows.findIndex((line) => !line.startsWith('| '))).map((line) => {
    const [name = '', ...counts] = cells(line)
    return [name, Object.fromEntries(judges.map((judge, index) => [judge, Number(counts[index])]))]
  }))
}
