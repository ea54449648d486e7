// What a deployed server's answers say about why a browser blocks a request: the reason, a message and advice, from the exchanges alone.
import { refusedHeaderNames } from '../browser/checks'
import type { Failure, PageRequest, WireExchange, WireResponse } from '../browser/fetch'
import { getHeader, type HeaderList } from '../browser/headers'
import { quote } from '../messages/errors'
import type { CorsExplanationReason } from './types'

/** Why a browser blocks a request to a deployed server. */
export interface DeploymentVerdict {
  readonly reason: CorsExplanationReason
  readonly message: string
  readonly advice: string
}

type Page = Required<PageRequest>

/** The verdict on a request that the browser model says is blocked. */
export function deploymentVerdict (page: Page, failure: Failure, exchanges: readonly WireExchange[]): DeploymentVerdict {
  if (failure === 'forbidden method') {
    return {
      reason: 'forbidden-method',
      message: `no page can use the method ${page.method}: browsers forbid it`,
      advice: `use another method than ${page.method}, such as POST`
    }
  }
  const { request, response } = exchanges.at(-1) as WireExchange
  const isPreflight = getHeader(request.headers, 'access-control-request-method') !== null
  const duplicate = duplicateHeader(response.headers)
  if (duplicate !== undefined) return duplicate
  return isPreflight ? verdictOnPreflight(page, failure, response) : verdictOnResponse(page, failure, request.method, response)
}

/** The headers that have one value each. A browser joins two of them with a comma, and the result matches nothing. */
const SINGLE_HEADERS = ['access-control-allow-origin', 'access-control-allow-credentials']

/** The header that two parts of a deployment set, and its values. */
export function duplicatedHeader (headers: HeaderList): { readonly name: string, readonly values: readonly string[] } | undefined {
  for (const name of SINGLE_HEADERS) {
    const values = headers.filter(([each]) => each.toLowerCase() === name).flatMap(([, value]) => value.split(',').map((each) => each.trim()))
    if (values.length > 1) return { name, values }
  }
  return undefined
}

function duplicateHeader (headers: HeaderList): DeploymentVerdict | undefined {
  const duplicated = duplicatedHeader(headers)
  if (duplicated === undefined) return undefined
  const name = properName(duplicated.name)
  return {
    reason: 'duplicate-header',
    message: `the response has ${name} more than once: ${duplicated.values.map(quote).join(' and ')}; browsers accept one value only`,
    advice: `let one of the two set the header: leave it to the application, and remove ${name} from ${proxyName(headers)}`
  }
}

function verdictOnPreflight (page: Page, failure: Failure, response: WireResponse): DeploymentVerdict {
  const { status, headers } = response
  if (failure === 'preflight: redirect') {
    return {
      reason: 'preflight-redirected',
      message: `the preflight is answered with a redirect, ${status} to ${quote(getHeader(headers, 'location') ?? '')}; browsers follow none for a preflight`,
      advice: 'request the URL that the redirect leads to, or answer OPTIONS at this URL'
    }
  }
  if (status > 299 && !isCorsAnswer(headers)) {
    const answeredBy = answererOf(headers)
    return {
      reason: 'preflight-refused',
      message: `the preflight is answered with ${status}${answeredBy === undefined ? '' : ` by ${answeredBy}`}, before anything that knows CORS`,
      advice: status === 405 || status === 404
        ? 'pass OPTIONS on to the application, or declare the route there with a policy'
        : 'let OPTIONS pass without authentication: preflights carry no credentials'
    }
  }
  switch (failure) {
    case 'method not allowed':
      return methodVerdict(page, `the preflight allows the methods ${quote(getHeader(headers, 'access-control-allow-methods') ?? '')}, not ${page.method}`)
    case 'header not allowed': {
      const names = refusedHeaderNames(page, headers)
      return headerVerdict(names, `the preflight does not allow the header${names.length === 1 ? '' : 's'} ${names.map(quote).join(', ')}`)
    }
    case 'preflight: unreadable list':
      return methodVerdict(page, 'the preflight answers with a list of methods or headers that is none: browsers then allow nothing')
    default: return originVerdict(page, failure, headers, 'the preflight')
  }
}

function methodVerdict ({ method }: Page, message: string): DeploymentVerdict {
  return { reason: 'method-not-routed', message, advice: `declare a route for ${method} at this URL, with a policy that allows the page` }
}

function headerVerdict (names: readonly string[], message: string): DeploymentVerdict {
  return { reason: 'header-not-allowed', message, advice: `add ${names.map((name) => JSON.stringify(name)).join(', ')} to allowedHeaders of the policy` }
}

function verdictOnResponse (page: Page, failure: Failure, method: string, { status, headers }: WireResponse): DeploymentVerdict {
  if (failure === 'no Access-Control-Allow-Origin' && status >= 300) {
    const answeredBy = answererOf(headers)
    const location = getHeader(headers, 'location')
    return {
      reason: 'error-without-headers',
      message: `${method} is answered with ${status}${location === null ? '' : ` to ${quote(location)}`} without CORS headers` +
        `${answeredBy === undefined ? '' : `, by ${answeredBy}`}: the page sees no status, only a network error`,
      advice: location === null
        ? 'find what answers with this status before the application does, and let the application answer, or set the headers there too'
        : 'request the URL that the redirect leads to'
    }
  }
  return originVerdict(page, failure, headers, 'the response')
}

function originVerdict ({ origin, credentials }: Page, failure: Failure, headers: HeaderList, what: string): DeploymentVerdict {
  const allowed = getHeader(headers, 'access-control-allow-origin')
  if (allowed === null && !isCorsAnswer(headers)) {
    return {
      reason: 'no-policy',
      message: `${what} has no CORS headers at all`,
      advice: 'declare a policy on the route, and see that the proxy passes its headers on'
    }
  }
  const isAboutCredentials = /credentials/.test(failure)
  if (isAboutCredentials && credentials === 'include') {
    return {
      reason: 'credentials-not-allowed',
      message: allowed === '*'
        ? `${what} allows every origin with "*", which browsers do not accept for a request with credentials`
        : `${what} allows ${quote(origin)}, but not with credentials`,
      advice: 'write credentials: true in the policy of the route, or send the request without credentials'
    }
  }
  const instead = allowed === null ? '' : `; it allows ${quote(allowed)}`
  return {
    reason: origin === 'null' ? 'null-origin' : 'origin-not-allowed',
    message: `${what} does not allow the origin ${quote(origin)}${instead}`,
    advice: origin === 'null'
      ? 'give the page an origin of its own (a sandboxed frame: with allow-same-origin)'
      : 'add the origin to the policy of the route, if it may read the response'
  }
}

/** Whether something that knows CORS made the response: it allows an origin, or says that it looks at it. */
function isCorsAnswer (headers: HeaderList): boolean {
  return getHeader(headers, 'access-control-allow-origin') !== null || /(?:^|[\s,])origin(?:$|[\s,])/i.test(getHeader(headers, 'vary') ?? '')
}

/** Who says that it answered. */
export function answererOf (headers: HeaderList): string | undefined {
  const names = ['server', 'via'].flatMap((name) => getHeader(headers, name) ?? [])
  return names.length === 0 ? undefined : names.map(quote).join(', ')
}

function proxyName (headers: HeaderList): string {
  return answererOf(headers) ?? 'the proxy'
}

/** A header's name as the standard spells it. */
function properName (name: string): string {
  return name.replaceAll(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase())
}
