// Conformance cases: credentials (https://fetch.spec.whatwg.org/#cors-protocol-and-credentials) and the cookies of same-site and cross-site hosts.
import { notSent, readable, step, unreadable, type Area, type Case } from '../case'
import type { CredentialsMode, HeaderList } from '../../../lib/browser/headers'
import type { PolicyName } from '../policies'
import type { ApiName, PageName, World } from '../world'

const MODES: readonly CredentialsMode[] = ['omit', 'same-origin', 'include']

export const credentials: Area = ({ apis }) => {
  const cases: Case[] = []
  // The cookies that "include" adds. Sites have schemes: https and http are cross-site.
  const table: Array<[page: PageName, api: ApiName, cookies: string[]]> = [
    ['siteApp', 'site', ['lax', 'strict']],
    ['app', 'site', []],
    ['secureSite', 'secureSite', ['lax', 'none', 'secure-lax', 'strict']],
    ['secure', 'secureSite', ['none']],
    ['secureEvil', 'secureSite', ['none']],
    ['siteApp', 'secureSite', ['none']]
  ]
  for (const [page, api, cookies] of table) {
    const to = `${api} from ${page}`
    for (const mode of MODES) {
      const sent = mode === 'include' ? cookies : []
      cases.push({
        name: `credentials: ${mode}, allowed, GET ${to}`,
        steps: [step(page, `${apis[api]}/credentials`, readable('GET /credentials', 0, { cookies: sent }), { credentials: mode })]
      }, {
        name: `credentials: ${mode}, allowed, PUT ${to}`,
        steps: [step(page, `${apis[api]}/credentials`, readable('PUT /credentials', 1, { cookies: sent }), { credentials: mode, method: 'PUT' })]
      }, {
        name: `credentials: ${mode}, not allowed, GET ${to}`,
        steps: [step(page, `${apis[api]}/no-credentials`, mode === 'include'
          ? unreadable('GET /no-credentials', { cookies: sent, failure: 'credentials not allowed' })
          : readable('GET /no-credentials', 0, { cookies: [] }), { credentials: mode })]
      }, {
        name: `credentials: ${mode}, not allowed, PUT ${to}`,
        steps: [step(page, `${apis[api]}/no-credentials`, mode === 'include' ? notSent({ failure: 'preflight: credentials not allowed' }) : readable('PUT /no-credentials', 1), { credentials: mode, method: 'PUT' })]
      })
    }
  }
  for (const by of ['fetch', 'xhr', 'worker'] as const) {
    cases.push({
      name: `credentials: everyone, but not with credentials, by ${by}`,
      steps: [step('siteApp', `${apis.site}/everyone`, unreadable('GET /everyone', { cookies: ['lax', 'strict'], failure: 'wildcard with credentials' }), { by, credentials: 'include' })]
    }, {
      name: `credentials: everyone, but not with credentials, PUT by ${by}`,
      steps: [step('siteApp', `${apis.site}/everyone`, notSent({ failure: 'preflight: wildcard with credentials' }), { by, credentials: 'include', method: 'PUT' })]
    }, {
      name: `credentials: everyone without credentials, by ${by}`,
      steps: [step('siteApp', `${apis.site}/everyone`, readable('GET /everyone', 0, { cookies: [] }), { by })]
    }, {
      name: `credentials: allowed by ${by}`,
      steps: [step('siteApp', `${apis.site}/credentials`, readable('PATCH /credentials', 1, { cookies: ['lax', 'strict'] }), { by, credentials: 'include', method: 'PATCH' })]
    })
  }
  cases.push({
    name: 'credentials: a refused page sends its cookies all the same',
    steps: [step('siteOther', `${apis.site}/credentials`, unreadable('GET /credentials', { cookies: ['lax', 'strict'], failure: 'no Access-Control-Allow-Origin' }), { credentials: 'include' })]
  }, {
    name: 'credentials: a refused page sends no PUT, and so no cookies',
    steps: [step('siteOther', `${apis.site}/credentials`, notSent(), { credentials: 'include', method: 'PUT' })]
  }, {
    name: 'credentials: a sandboxed page is refused where credentials are allowed',
    steps: [step('sandboxed', `${apis.site}/credentials`, unreadable('GET /credentials', { cookies: [] }), { credentials: 'include' })]
  }, {
    name: 'credentials: null, but not with credentials',
    steps: [step('sandboxed', `${apis.site}/null-origin`, unreadable('GET /null-origin', { failure: 'credentials not allowed' }), { credentials: 'include' })]
  })
  return [...cases, ...someOrigins(apis)]
}

/** Everyone may read; the listed origins with credentials. */
function someOrigins (apis: World['apis']): Case[] {
  const cases: Case[] = []
  // Whether a page may send credentials, and whether it may read at all; and the cookies that it has.
  const table: Array<[policy: PolicyName, page: PageName, api: ApiName, mayUse: boolean, mayRead: boolean, cookies: string[]]> = [
    ['credentials-for-some', 'siteApp', 'site', true, true, ['lax', 'strict']],
    ['credentials-for-some', 'siteOther', 'site', false, true, ['lax', 'strict']],
    ['credentials-for-some', 'app', 'site', false, true, []],
    ['credentials-for-some', 'sandboxed', 'site', false, true, []],
    ['credentials-for-some', 'secureSite', 'secureSite', true, true, ['lax', 'none', 'secure-lax', 'strict']],
    ['credentials-for-some', 'secureEvil', 'secureSite', false, true, ['none']],
    ['credentials-for-few', 'siteApp', 'site', true, true, ['lax', 'strict']],
    ['credentials-for-few', 'siteOther', 'site', false, true, ['lax', 'strict']],
    ['credentials-for-few', 'partner', 'site', false, false, []]
  ]
  for (const [policy, page, api, mayUse, mayRead, cookies] of table) {
    const url = `${apis[api]}/${policy}`
    const failure = !mayRead ? 'no Access-Control-Allow-Origin' : policy === 'credentials-for-few' ? 'credentials not allowed' : 'wildcard with credentials'
    cases.push({
      name: `credentials: ${policy}, ${page} with credentials`,
      steps: [step(page, url, mayUse ? readable(`GET /${policy}`, 0, { cookies }) : unreadable(`GET /${policy}`, { cookies, failure }), { credentials: 'include' })]
    }, {
      name: `credentials: ${policy}, PUT by ${page} with credentials`,
      steps: [step(page, url, mayUse ? readable(`PUT /${policy}`, 1, { cookies }) : notSent({ failure: `preflight: ${failure}` }), { credentials: 'include', method: 'PUT' })]
    }, {
      name: `credentials: ${policy}, ${page} without credentials`,
      steps: [step(page, url, mayRead ? readable(`GET /${policy}`, 0, { cookies: [] }) : unreadable(`GET /${policy}`, { cookies: [], failure }), { credentials: 'omit' })]
    }, {
      name: `credentials: ${policy}, PUT by ${page} without credentials`,
      steps: [step(page, url, mayRead ? readable(`PUT /${policy}`, 1, { cookies: [] }) : notSent({ failure: `preflight: ${failure}` }), { credentials: 'omit', method: 'PUT' })]
    })
  }
  const url = `${apis.site}/credentials-for-some-headers`
  const headers: HeaderList = [['X-One', '1']]
  const authorized: HeaderList = [['Authorization', 'Bearer 1']]
  cases.push({
    name: 'credentials: any header of a listed origin, with credentials',
    steps: [step('siteApp', url, readable('GET /credentials-for-some-headers', 1, { cookies: ['lax', 'strict'], sees: ['etag'], hides: ['x-other'] }), { credentials: 'include', headers })]
  }, {
    name: 'credentials: Authorization of a listed origin, with credentials',
    steps: [step('siteApp', url, readable('GET /credentials-for-some-headers', 1), { credentials: 'include', headers: authorized })]
  }, {
    name: 'credentials: any header of another origin, without credentials',
    steps: [step('siteOther', url, readable('GET /credentials-for-some-headers', 1, { cookies: [], sees: ['etag'], hides: ['x-other'] }), { headers, credentials: 'omit' })]
  }, {
    name: 'credentials: what a listed origin may send is not what another may',
    steps: [
      step('siteApp', url, readable('PUT /credentials-for-some-headers', 1, { cookies: ['lax', 'strict'] }), { credentials: 'include', headers, method: 'PUT' }),
      step('siteOther', url, notSent({ failure: 'preflight: wildcard with credentials' }), { credentials: 'include', headers, method: 'PUT' })
    ]
  })
  return cases
}
