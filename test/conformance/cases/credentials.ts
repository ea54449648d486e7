// Conformance cases: credentials (https://fetch.spec.whatwg.org/#cors-protocol-and-credentials) and the cookies of same-site and cross-site hosts.
import { notSent, readable, step, unreadable, type Area, type Case } from '../case'
import type { CredentialsMode } from '../../fetch-model/messages'
import type { ApiName, PageName } from '../world'

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
  return cases
}
