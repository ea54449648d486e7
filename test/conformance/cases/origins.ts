// Conformance cases: allowed and refused origins, patterns, and `null` (https://fetch.spec.whatwg.org/#cors-check).
import { notSent, readable, step, unreadable, type Area, type Case } from '../case'
import type { PolicyName } from '../policies'
import type { PageName } from '../world'

const PAGES: readonly PageName[] = ['app', 'partner', 'sub', 'deep', 'evil', 'lookalike', 'suffixed', 'otherPort', 'sandboxed']

/** Which pages each policy allows. */
const ALLOWED: { readonly [policy in PolicyName]?: readonly PageName[] } = {
  everyone: PAGES,
  exact: ['app'],
  list: ['app', 'partner'],
  pattern: ['sub', 'deep'],
  'any-port': ['app', 'otherPort'],
  regexp: ['app', 'partner', 'otherPort'],
  function: ['app', 'otherPort'],
  'failing-function': [],
  'null-origin': ['sandboxed'],
  none: [],
  undeclared: []
}

export const origins: Area = ({ pages, apis }) => {
  const cases: Case[] = []
  for (const [policy, allowed] of Object.entries(ALLOWED)) {
    for (const page of PAGES) {
      const is = allowed.includes(page)
      const verb = is ? 'allows' : 'refuses'
      const failure = 'no Access-Control-Allow-Origin' as const
      cases.push({
        name: `origins: ${policy} ${verb} a GET from ${page}`,
        steps: [step(page, `${apis.api}/${policy}`, is ? readable(`GET /${policy}`, 0, { status: 200 }) : unreadable(`GET /${policy}`, { failure }))]
      }, {
        name: `origins: ${policy} ${verb} a PUT from ${page}`,
        steps: [step(page, `${apis.api}/${policy}`, is ? readable(`PUT /${policy}`, 1, { status: 200 }) : notSent({ failure: `preflight: ${failure}` }), { method: 'PUT' })]
      })
    }
  }
  // Scheme and HTTP/2: the same host, another origin.
  const secure: Array<[PolicyName, PageName, boolean]> = [
    ['list', 'secure', true], ['list', 'secureEvil', false], ['exact', 'secure', false], ['everyone', 'secureEvil', true], ['none', 'secure', false],
    ['list', 'app', true], ['exact', 'app', true], ['exact', 'evil', false], ['any-port', 'secure', false]
  ]
  for (const [policy, page, is] of secure) {
    const verb = is ? 'allows' : 'refuses'
    const url = `${apis.secure}/${policy}`
    cases.push({
      name: `origins: ${policy} ${verb} a GET over HTTP/2 from ${page}`,
      steps: [step(page, url, is ? readable(`GET /${policy}`) : unreadable(`GET /${policy}`))]
    }, {
      name: `origins: ${policy} ${verb} a DELETE over HTTP/2 from ${page}`,
      steps: [step(page, url, is ? readable(`DELETE /${policy}`, 1) : notSent(), { method: 'DELETE' })]
    })
  }
  // A page of the API's own origin needs nobody's permission.
  for (const policy of ['none', 'exact', 'undeclared'] as const) {
    for (const method of ['GET', 'PUT', 'PURGE']) {
      cases.push({
        name: `origins: ${policy} does not concern a ${method} of the API's own page`,
        steps: [step('self', `${pages.self}/${policy}`, readable(`${method} /${policy}`, 0, { sees: ['etag', 'x-other'] }), { method })]
      })
    }
  }
  return cases
}
