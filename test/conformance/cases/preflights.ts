// Conformance cases: how many preflights a page pays (https://fetch.spec.whatwg.org/#concept-cache), and policies side by side.
import { notSent, readable, step, unreadable, type Area, type Case, type Step } from '../case'
import type { PageName } from '../world'

export const preflights: Area = ({ apis }) => {
  const { api } = apis
  const cases: Case[] = []
  const add = (name: string, ...steps: Step[]): void => { cases.push({ name: `preflights: ${name}`, steps }) }
  /** A request that is allowed, and how many preflights it takes. */
  const ok = (method: string, path: string, count: number, options = {}, from: PageName = 'app', runs = `${method} ${path}`): Step => {
    return step(from, `${api}${path}`, readable(runs, count), { method, ...options })
  }
  const one = { headers: [['X-One', '1'] as const] }
  const both = { headers: [['X-One', '1'] as const, ['X-Two', '2'] as const] }
  const three = { headers: [['X-Three', '3'] as const] }
  const withCredentials = { credentials: 'include' as const }

  add('one for a PUT that is repeated', ok('PUT', '/kept', 1), ok('PUT', '/kept', 0), ok('PUT', '/kept', 0))
  add('one for PUT, DELETE, PATCH and PURGE of one URL with one policy', ok('PUT', '/kept', 1), ok('DELETE', '/kept', 0), ok('PATCH', '/kept', 0), ok('PURGE', '/kept', 0))
  add('one for every header that the policy lists', ok('PUT', '/kept', 1), ok('PUT', '/kept', 0, one), ok('GET', '/kept', 0, both))
  add('one for a GET with a header, which serves a PUT', ok('GET', '/kept', 1, one), ok('PUT', '/kept', 0))
  add('one for each of two requests, if maxAge is 0', ok('PUT', '/not-kept', 1), ok('PUT', '/not-kept', 1), ok('PUT', '/not-kept', 1))
  add('one for several requests at once, if maxAge is left out', ok('PUT', '/exact', 1), ok('DELETE', '/exact', 0))
  add('one, if maxAge is more than browsers accept', ok('PUT', '/kept-for-a-day', 1), ok('PUT', '/kept-for-a-day', 0))
  add('any header, once the wildcard is known', ok('PUT', '/kept-any-headers', 1), ok('PUT', '/kept-any-headers', 0, one), ok('DELETE', '/kept-any-headers', 0, three))
  add('another one for a header that was not allowed', ok('PUT', '/kept', 1), step('app', `${api}/kept`, notSent({ failure: 'header not allowed' }), { method: 'PUT', ...three }))
  add('another one after a failure', step('app', `${api}/kept`, notSent({ failure: 'header not allowed' }), { method: 'PUT', ...three }), ok('PUT', '/kept', 1), ok('DELETE', '/kept', 0))
  add('a failure forgets what was allowed', ok('PUT', '/kept', 1), step('app', `${api}/kept`, notSent(), { method: 'PUT', ...three }), ok('PUT', '/kept', 1))
  add('another one for another URL', ok('PUT', '/kept', 1), ok('PUT', '/kept?other', 1, {}, 'app', 'PUT /kept'))
  add('another one for another method of no known policy', ok('PUT', '/kept', 1), step('app', `${api}/kept`, notSent(), { method: 'REPORT' }))
  add('another one for another host', ok('PUT', '/kept', 1), step('app', `${apis.other}/kept`, readable('PUT /kept', 1), { method: 'PUT' }))
  add('another one with credentials', ok('PUT', '/kept-credentials', 1), ok('PUT', '/kept-credentials', 1, withCredentials))
  add('with credentials, one that serves requests without them', ok('PUT', '/kept-credentials', 1, withCredentials), ok('PUT', '/kept-credentials', 0), ok('PUT', '/kept-credentials', 0, withCredentials))
  add('with credentials, one for the listed header', ok('GET', '/kept-credentials', 1, { ...one, ...withCredentials }), ok('DELETE', '/kept-credentials', 0, { ...one, ...withCredentials }))
  add('one for each origin', ok('PUT', '/kept', 1), ok('PUT', '/kept', 1, {}, 'partner'), ok('PUT', '/kept', 0))
  add('one for XMLHttpRequest, which serves fetch', ok('PUT', '/kept', 1, { by: 'xhr' }), ok('PUT', '/kept', 0))
  add('one for a worker, which serves its page', ok('PUT', '/kept', 1, { by: 'worker' }), ok('DELETE', '/kept', 0))
  add('one for an upload that is listened to', ok('POST', '/kept', 1, { by: 'xhr', upload: true, body: 'text' }), ok('POST', '/kept', 0, { by: 'xhr', upload: true, body: 'text' }))
  add('none for an upload that is not', ok('POST', '/kept', 0, { by: 'xhr', body: 'text' }))
  add('an upload that is listened to, from a refused page', step('evil', `${api}/kept`, notSent(), { by: 'xhr', method: 'POST', upload: true, body: 'text' }))
  add('none for what is refused without one', step('evil', `${api}/kept`, unreadable('GET /kept')), step('evil', `${api}/kept`, notSent(), { method: 'PUT' }), step('evil', `${api}/kept`, notSent(), { method: 'PUT' }))
  add('over HTTP/2', step('secure', `${apis.secure}/credentials`, readable('PUT /credentials', 1), { method: 'PUT', ...withCredentials }), step('secure', `${apis.secure}/credentials`, readable('DELETE /credentials', 0), { method: 'DELETE', ...withCredentials }))

  // One URL, several policies: none of them speaks for another.
  const item = '/items/:id'
  const items = (method: string, count: number, from: PageName = 'app'): Step => step(from, `${api}/items/7`, readable(`${method} ${item}`, count), { method })
  add('one for each policy of one URL', items('PUT', 1), items('PATCH', 1), items('DELETE', 0), items('PATCH', 0))
  add('the policy of GET is not that of PUT', step('evil', `${api}/items/7`, readable(`GET ${item}`)), step('evil', `${api}/items/7`, notSent(), { method: 'PUT' }))
  add('the policy of PUT is not that of PATCH', items('PUT', 1, 'partner'), step('partner', `${api}/items/7`, notSent(), { method: 'PATCH' }))
  add('a method without a policy is approved by none', step('app', `${api}/items/7`, unreadable(`POST ${item}`), { method: 'POST' }), step('app', `${api}/items/7`, notSent(), { method: 'POST', ...one }))
  // The standard keeps the names of headers for the URL, not for the method they were allowed with. The answer stays unreadable.
  add('headers that one policy of a URL allowed are sent to another, unread', items('PUT', 1), step('app', `${api}/items/7`, unreadable(`POST ${item}`), { method: 'POST', ...one }))
  add('a parameter does not speak for a URL of its own', step('evil', `${api}/items/special`, readable('PUT /items/special', 1), { method: 'PUT' }), step('evil', `${api}/items/7`, notSent(), { method: 'PUT' }))
  add('what the URL of its own does not have, the parameter has', step('partner', `${api}/items/special`, readable(`DELETE ${item}`, 1), { method: 'DELETE' }), step('partner', `${api}/items/special`, readable('PUT /items/special', 1), { method: 'PUT' }))
  add('the parameter does not speak for a URL without a policy, once it has answered there', step('app', `${api}/items/closed`, readable(`DELETE ${item}`, 1), { method: 'DELETE' }), step('app', `${api}/items/closed`, notSent(), { method: 'PUT' }))
  add('a wildcard', step('app', `${api}/files/a/b`, readable('PUT /files/*', 1), { method: 'PUT' }))
  add('a wildcard does not speak for a URL without a policy', step('app', `${api}/files/private`, notSent(), { method: 'PUT' }), step('app', `${api}/files/private`, unreadable('GET /files/private')))
  add('a route that does not exist', step('app', `${api}/nowhere`, notSent(), { method: 'PUT' }), step('app', `${api}/nowhere`, unreadable([])))
  return cases
}
