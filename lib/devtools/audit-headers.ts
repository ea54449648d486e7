// The rule `invalid-combination`: CORS headers that browsers refuse, or read in another way than they were meant.
import { getHeader } from '../browser/headers'
import { isSerialisedOrigin } from '../origins/pattern'
import { quote } from '../messages/errors'
import type { Observation } from './audit-grants'
import type { Answer } from './audit-requests'
import type { Fault } from './audit-types'

type Check = (get: (name: string) => string | null) => readonly [message: string, advice: string] | undefined

const LITERAL = 'with credentials, browsers read "*" as a name'

const CHECKS: readonly Check[] = [
  (get) => {
    const value = get('allow-origin')
    if (value === null || value === '*' || value === 'null' || isSerialisedOrigin(value)) return undefined
    return [`Access-Control-Allow-Origin is ${quote(value)}, which is not one origin: browsers refuse it`,
      'send the one origin that asked, as browsers write it: without a slash at the end, a path or a second origin']
  },
  (get) => get('allow-origin') === '*' && get('allow-credentials') === 'true'
    ? ['Access-Control-Allow-Origin is "*" together with Access-Control-Allow-Credentials: browsers refuse it for requests with credentials',
        'list the origins that may send credentials, or leave credentials out']
    : undefined,
  (get) => ![null, 'true'].includes(get('allow-credentials'))
    ? [`Access-Control-Allow-Credentials is ${quote(get('allow-credentials'))}, which browsers read as false`, 'write "true", or leave the header out']
    : undefined,
  (get) => ['allow-headers', 'allow-methods', 'expose-headers'].some((name) => get('allow-credentials') === 'true' && isWildcard(get(name)))
    ? [`a list of headers or methods is "*" together with Access-Control-Allow-Credentials: ${LITERAL}`, 'list the names']
    : undefined,
  (get) => !/^\d+$/.test(get('max-age') ?? '0')
    ? [`Access-Control-Max-Age is ${quote(get('max-age'))}, which is not a number of seconds: browsers use 5`, 'write a number of seconds, such as 600']
    : undefined
]

function isWildcard (list: string | null): boolean {
  return list?.split(',').some((name) => name.trim() === '*') === true
}

/** One fault for each kind of mistake, with the first exchange that shows it. */
export function findInvalidCombinations ({ plain, trials }: Observation): Fault[] {
  const answers: readonly Answer[] = [plain, ...trials.flatMap(({ response, preflight }) => [response, preflight])]
  return CHECKS.flatMap((check) => {
    for (const { headers, exchange } of answers) {
      const found = check((name) => getHeader(headers, `access-control-${name}`))
      if (found !== undefined) return [{ rule: 'invalid-combination' as const, level: 'warning' as const, message: found[0], advice: found[1], exchange }]
    }
    return []
  })
}
