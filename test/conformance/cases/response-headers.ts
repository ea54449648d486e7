// Conformance cases: which response headers a page sees (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name).
import { readable, step, unreadable, type Area } from '../case'
import type { PolicyName } from '../policies'

export const responseHeaders: Area = ({ apis }) => {
  const always = ['content-type', 'content-language', 'cache-control', 'content-length']
  const table: Array<[policy: PolicyName, sees: string[], hides: string[]]> = [
    ['exact', always, ['etag', 'x-request-id', 'x-other']],
    ['exposes-nothing', always, ['etag', 'x-request-id', 'x-other']],
    ['exposes-some', [...always, 'etag', 'x-request-id'], ['x-other']],
    ['exposes-some-with-credentials', [...always, 'etag', 'x-request-id'], ['x-other']],
    ['exposes-all', [...always, 'etag', 'x-request-id', 'x-other', 'vary'], []],
    ['everyone-exposes-all', [...always, 'etag', 'x-request-id', 'x-other'], []]
  ]
  return [
    ...table.flatMap(([policy, sees, hides]) => (['GET', 'PUT'] as const).flatMap((method) => (['fetch', 'xhr'] as const).map((by) => ({
      name: `response headers: ${policy}, ${method} by ${by}`,
      steps: [step('app', `${apis.api}/${policy}`, readable(`${method} /${policy}`, method === 'PUT' ? 1 : 0, { sees, hides: [...hides, 'set-cookie'] }), { by, method })]
    })))),
    {
      name: 'response headers: exposes-some-with-credentials, with credentials',
      steps: [step('app', `${apis.api}/exposes-some-with-credentials`, readable('GET /exposes-some-with-credentials', 0, { sees: ['etag'], hides: ['x-other'] }), { credentials: 'include' })]
    },
    {
      name: 'response headers: exposes-all to a page that sends credentials, which needs more',
      steps: [step('app', `${apis.api}/exposes-all`, unreadable('GET /exposes-all', { failure: 'credentials not allowed' }), { credentials: 'include' })]
    },
    {
      name: 'response headers: exposes-some to a page that it refuses',
      steps: [step('evil', `${apis.api}/exposes-some`, unreadable('GET /exposes-some'))]
    },
    {
      name: 'response headers: derived from the route\'s response schema',
      steps: [step('app', `${apis.api}/derived`, readable('GET /derived', 0, { sees: ['x-request-id'], hides: ['etag', 'x-other'] }))]
    }
  ]
}
