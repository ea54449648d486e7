// The rules of an audit for one route: from what was asked to what is wrong.
import { getHeader } from '../browser/headers'
import { isLoopback } from '../origins/serialised'
import { quote } from '../messages/errors'
import { decisiveTrials, type Observation } from './audit-grants'
import { findInvalidCombinations } from './audit-headers'
import { findIgnoredPolicy } from './audit-route-policy'
import type { Fault } from './audit-types'

/** Every fault of a route. */
export function faultsOf (observation: Observation): Fault[] {
  return [...findOrigins(observation), ...findMissingVary(observation), ...findInvalidCombinations(observation), ...findIgnoredPolicy(observation)]
}

type DecisiveTrial = ReturnType<typeof decisiveTrials>[number]

/** Origins that should not be allowed. Where every origin is reflected, the others follow from that. */
function findOrigins (observation: Observation): Fault[] {
  const allowed = decisiveTrials(observation).filter(({ grant }) => grant === 'reading' || grant === 'credentials')
  const known = allowed.find(({ kind }) => kind === 'known')?.origin ?? 'https://app.example.com'
  const unrelated = allowed.filter(({ kind }) => kind === 'unrelated')
  if (unrelated.length > 0) {
    const advice = unrelated.some(({ grant }) => grant === 'credentials')
      ? `list the origins that may use the user's session: origin: [${quote(known)}]; for everyone else leave credentials out and write origin: "*"`
      : `write origin: "*" if every page may read this, else list the origins: origin: [${quote(known)}]`
    return faultOf('reflects-any-origin', unrelated, 'any origin is reflected', advice)
  }
  const isInsecure = ({ origin }: DecisiveTrial): boolean => origin.startsWith('http:') && !isLoopback(new URL(origin).hostname)
  return [
    ...faultOf('look-alike-allowed', allowed.filter(({ kind }) => kind === 'look-alike'), 'an origin that only looks like an allowed one is allowed',
      'compare whole origins: write each in full, or a pattern ("https://*.example.com") for all subdomains; anchor a RegExp at both ends, escape its dots'),
    ...faultOf('null-allowed', allowed.filter(({ kind }) => kind === 'null'), 'the origin "null" is allowed, which every site gets in a sandboxed frame',
      'leave "null" out of the origins, and refuse it in a function'),
    ...faultOf('insecure-origin-allowed', allowed.filter(isInsecure), 'an unencrypted origin is allowed, whose pages anyone on the network can change',
      'write "https://" origins alone; for development, http://localhost is enough')
  ]
}

function faultOf (rule: Fault['rule'], trials: readonly DecisiveTrial[], what: string, advice: string): Fault[] {
  const [first] = trials
  if (first === undefined) return []
  const withCredentials = trials.some(({ grant }) => grant === 'credentials')
  const origins = trials.map(({ origin }) => quote(origin)).join(', ')
  const message = `${what}, ${withCredentials ? 'with credentials' : 'without credentials'}: ${origins}`
  return [{ rule, level: withCredentials ? 'error' : 'warning', message, advice, exchange: first.answer.exchange }]
}

/** https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches */
function findMissingVary ({ plain, trials }: Observation): Fault[] {
  const responses = [plain, ...trials.map(({ response }) => response)]
  const allowed = new Set(responses.map(({ headers }) => getHeader(headers, 'access-control-allow-origin')))
  const without = responses.find(({ headers }) => !/(?:^|,)\s*(?:origin|\*)\s*(?:,|$)/i.test(getHeader(headers, 'vary') ?? ''))
  if (allowed.size === 1 || without === undefined) return []
  return [{
    rule: 'vary-missing',
    level: 'warning',
    message: 'Access-Control-Allow-Origin depends on the request\'s Origin, but Vary does not name it: a cache gives one page the answer for another',
    advice: 'send Vary: Origin with every response of the route, also where the origin is refused or missing',
    exchange: without.exchange
  }]
}
