// Conformance cases: the ways a response can end. An allowed page reads errors, streams and events; redirects are followed where every
// response on the way allows it (https://fetch.spec.whatwg.org/#http-redirect-fetch).
import { notSent, readable, step, unreadable, type Area, type Case, type Meaning, type Step } from '../case'
import type { PageName } from '../world'

const asQuery = (to: string): string => `to=${encodeURIComponent(to)}`

export const errors: Area = ({ apis: { api } }) => {
  const json = { headers: [['Content-Type', 'application/json'] as const], body: '{"a":1}' }
  const strange = { headers: [['Content-Type', 'application/x-strange'] as const], body: 'strange' }
  const table: Array<[status: number, method: string, path: string, preflights: number, runs: string[], options: Partial<Step>]> = [
    [304, 'GET', '/errors/304', 1, ['GET /errors/304'], { headers: [['If-None-Match', '"1"']] }],
    [400, 'GET', '/errors/400', 0, [], {}],
    [401, 'GET', '/errors/401', 0, [], {}],
    [401, 'PUT', '/errors/401', 1, [], {}],
    [404, 'GET', '/open/nothing', 0, [], {}],
    [404, 'POST', '/open/nothing', 0, [], { body: 'text' }],
    [413, 'POST', '/errors/413', 0, [], { body: 'too long' }],
    [413, 'PUT', '/errors/413', 1, [], json],
    [415, 'POST', '/errors/415', 1, [], strange],
    [415, 'PUT', '/errors/415', 1, [], strange],
    [500, 'GET', '/errors/500', 0, ['GET /errors/500'], {}],
    [500, 'PUT', '/errors/500', 1, ['PUT /errors/500'], {}]
  ]
  const cases: Case[] = table.flatMap(([status, method, path, preflights, runs, options]) => [{
    name: `errors: ${status} of ${method} ${path} is read by an allowed page`,
    steps: [step('app', `${api}${path}`, readable(runs, preflights, { status }), { method, ...options })]
  }, {
    name: `errors: ${status} of ${method} ${path} is not read by a refused page`,
    steps: [step('evil', `${api}${path}`, preflights === 0 ? unreadable(runs) : notSent(), { method, ...options })]
  }])
  return [...cases, {
    // The default policy of a scope is the policy of its 404s, and answers the preflights that announce them.
    name: 'errors: a preflight for what does not exist is approved for a page that the default policy allows',
    steps: [step('app', `${api}/open/nothing`, readable([], 1, { status: 404 }), { method: 'PUT' })]
  }, {
    name: 'errors: a preflight for what does not exist is not approved for a page that the default policy refuses',
    steps: [step('evil', `${api}/open/nothing`, notSent(), { method: 'PUT' })]
  }, {
    name: 'errors: a preflight for what does not exist is not approved without a default policy',
    steps: [step('app', `${api}/nothing`, notSent(), { method: 'PUT' })]
  }]
}

export const redirects: Area = ({ pages, apis: { api, other } }) => {
  const cases: Case[] = []
  const add = (name: string, from: PageName, url: string, means: Meaning, options: Partial<Step> = {}): void => {
    cases.push({ name: `redirects: ${name}`, steps: [step(from, url, means, options)] })
  }
  const redirect = (policy: string, to: string, status = 307): string => `${api}/redirect/${status}/${policy}?${asQuery(to)}`
  const from = (policy: string, method = 'GET', status = 307): string => `${method} /redirect/${status}/${policy}`
  const put = { method: 'PUT' }
  for (const status of [301, 302, 303, 307, 308]) {
    add(`${status} to an allowed route`, 'app', redirect('exact', `${api}/exact`, status), readable([from('exact', 'GET', status), 'GET /exact']))
    const method = status < 307 ? 'GET' : 'POST'
    add(`${status} of a POST`, 'app', redirect('exact', `${api}/exact`, status), readable([from('exact', 'POST', status), `${method} /exact`]), { method: 'POST', body: 'text' })
    const ofPut = status === 303 ? readable([from('exact', 'PUT', status), 'GET /exact'], 1) : readable([from('exact', 'PUT', status), 'PUT /exact'], 2)
    add(`${status} of a PUT, each URL with its own preflight`, 'app', redirect('exact', `${api}/exact`, status), ofPut, put)
    add(`${status} to a route that refuses`, 'app', redirect('exact', `${api}/none`, status), unreadable([from('exact', 'GET', status), 'GET /none']))
  }
  add('by a route that refuses, to one that allows', 'app', redirect('none', `${api}/exact`), unreadable(from('none')))
  add('by a route without a policy of PUT', 'app', redirect('none', `${api}/exact`), notSent(), put)
  add('of a PUT to a route that refuses it', 'app', redirect('exact', `${api}/none`), { result: 'blocked', preflights: 2, runs: [from('exact', 'PUT')] }, put)
  add('of a refused page', 'evil', redirect('exact', `${api}/everyone`), unreadable(from('exact')))
  // To another host, the origin becomes null.
  add('to another host that allows everyone', 'app', redirect('exact', `${other}/everyone`), readable([from('exact'), 'GET /everyone']))
  add('to another host that allows null', 'app', redirect('exact', `${other}/null-origin`), readable([from('exact'), 'GET /null-origin']))
  add('to another host that allows the page, but not null', 'app', redirect('exact', `${other}/exact`), unreadable([from('exact'), 'GET /exact'], { failure: 'no Access-Control-Allow-Origin' }))
  add('of a PUT to another host that allows everyone', 'app', redirect('exact', `${other}/everyone`), readable([from('exact', 'PUT'), 'PUT /everyone'], 2), put)
  add('of a PUT to another host that allows the page, but not null', 'app', redirect('exact', `${other}/exact`), { result: 'blocked', preflights: 2, runs: [from('exact', 'PUT')] }, put)
  add('back to the page\'s own origin, which says nothing', 'app', redirect('exact', `${pages.app}/redirect?${asQuery(`${api}/everyone`)}`), unreadable([from('exact'), 'GET /redirect']))
  // From the page's own origin, the origin stays.
  add('from the page\'s own origin to an allowed route', 'app', `${pages.app}/redirect?${asQuery(`${api}/exact`)}`, readable(['GET /redirect', 'GET /exact']))
  add('from the page\'s own origin to a route that refuses', 'evil', `${pages.evil}/redirect?${asQuery(`${api}/exact`)}`, unreadable(['GET /redirect', 'GET /exact']))
  add('to a URL with a user name', 'app', redirect('exact', `${api.replace('//', '//user:secret@')}/exact`), { result: 'blocked', preflights: 0, runs: [from('exact')], failure: 'redirect with credentials' })
  add('with authorization, to the same host', 'app', redirect('everyone', `${api}/authorization-listed`), { result: 'blocked', preflights: 1, runs: [] }, { headers: [['Authorization', 'Bearer 1']] })
  add('with credentials to a route that allows them', 'app', redirect('credentials', `${api}/credentials`), readable([from('credentials'), 'GET /credentials']), { credentials: 'include' })
  add('with credentials to a route that allows everyone', 'app', redirect('credentials', `${api}/everyone`), unreadable([from('credentials'), 'GET /everyone'], { failure: 'wildcard with credentials' }), { credentials: 'include' })
  add('to another host with credentials, whose origin is null', 'app', redirect('credentials', `${other}/credentials`), unreadable([from('credentials'), 'GET /credentials']), { credentials: 'include' })
  return cases
}

/** A page and a policy: whether the page reads what the policy heads. */
const READS: Array<[from: PageName, policy: string, reads: boolean]> = [
  ['app', 'everyone', true], ['evil', 'everyone', true], ['app', 'exact', true], ['evil', 'exact', false], ['app', 'none', false], ['sandboxed', 'null-origin', true], ['sandboxed', 'exact', false]
]

export const streams: Area = ({ apis: { api } }) => READS.flatMap(([from, policy, reads]) => [
  ...(['stream', 'web-stream'] as const).flatMap((path) => (['fetch', 'xhr'] as const).map((by): Case => ({
    name: `streams: ${path} of ${policy} by ${by} from ${from}`,
    steps: [step(from, `${api}/${path}/${policy}`, reads ? readable(`GET /${path}/${policy}`) : unreadable(`GET /${path}/${policy}`), { by })]
  }))),
  { name: `streams: PUT of ${policy} from ${from}`, steps: [step(from, `${api}/stream/${policy}`, reads ? readable(`PUT /stream/${policy}`, 1) : notSent(), { method: 'PUT' })] },
  { name: `streams: events of ${policy} from ${from}`, steps: [step(from, `${api}/events/${policy}`, reads ? readable(`GET /events/${policy}`) : unreadable(`GET /events/${policy}`), { by: 'eventsource' })] }
])

export const elements: Area = ({ apis: { api, site } }) => {
  const cases: Case[] = []
  const add = (name: string, from: PageName, url: string, means: Meaning, options: Partial<Step>): void => {
    cases.push({ name: `elements: ${name}`, steps: [step(from, url, means, options)] })
  }
  for (const [by, path] of [['module', 'script'], ['script', 'classic'], ['image', 'image'], ['font', 'font']] as const) {
    for (const [from, policy, reads] of READS) {
      const runs = `GET /assets/${path}/${policy}`
      add(`${by} of ${policy} from ${from}`, from, `${api}/assets/${path}/${policy}`, reads ? readable(runs) : unreadable(runs), { by })
    }
  }
  for (const [by, path] of [['script', 'classic'], ['image', 'image']] as const) {
    add(`${by} without CORS`, 'evil', `${api}/assets/${path}/exact`, { result: 'opaque', preflights: 0, runs: [`GET /assets/${path}/exact`] }, { by, mode: 'no-cors', credentials: 'include' })
    add(`${by} without CORS, of a route without a policy`, 'app', `${api}/assets/${path}/none`, { result: 'opaque', preflights: 0, runs: [`GET /assets/${path}/none`] }, { by, mode: 'no-cors', credentials: 'include' })
  }
  const included = { credentials: 'include' as const }
  for (const [by, path] of [['module', 'assets/script'], ['script', 'assets/classic'], ['image', 'assets/image'], ['eventsource', 'events']] as const) {
    const cookies = ['lax', 'strict']
    add(`${by} with credentials, allowed`, 'siteApp', `${site}/${path}/credentials`, readable(`GET /${path}/credentials`, 0, { cookies }), { by, ...included })
    add(`${by} with credentials, refused`, 'siteOther', `${site}/${path}/credentials`, unreadable(`GET /${path}/credentials`, { cookies }), { by, ...included })
    add(`${by} with credentials, of a route that allows everyone`, 'siteApp', `${site}/${path}/everyone`, unreadable(`GET /${path}/everyone`, { cookies }), { by, ...included })
  }
  for (const [from, policy, reads] of READS.filter(([from]) => from !== 'sandboxed')) {
    for (const by of ['xhr', 'worker'] as const) {
      add(`${by}, GET of ${policy} from ${from}`, from, `${api}/${policy}`, reads ? readable(`GET /${policy}`) : unreadable(`GET /${policy}`), { by })
      add(`${by}, PUT of ${policy} from ${from}`, from, `${api}/${policy}`, reads ? readable(`PUT /${policy}`, 1) : notSent(), { by, method: 'PUT' })
    }
  }
  return cases
}

export const caches: Area = ({ apis: { site, api } }) => {
  const cached = (from: PageName, policy: string, runs: string[], by: Step['by'] = 'fetch'): Step => step(from, `${site}/cached/${policy}`, readable(runs), { by })
  const image = (policy: string, means: Meaning, options: Partial<Step>): Step => step('app', `${api}/assets/image/${policy}`, means, options)
  const run = 'GET /assets/image/'
  return [
    { name: 'caches: one page reads a cached response again', steps: [cached('siteApp', 'list', ['GET /cached/list']), cached('siteApp', 'list', []), cached('siteApp', 'list', [])] },
    { name: 'caches: two allowed origins of one cache, both correct because of Vary', steps: [cached('siteApp', 'list', ['GET /cached/list']), cached('siteOther', 'list', ['GET /cached/list']), cached('siteOther', 'list', [])] },
    {
      name: 'caches: what an allowed origin cached is not read by a refused one',
      steps: [cached('siteApp', 'credentials', ['GET /cached/credentials']), step('siteOther', `${site}/cached/credentials`, unreadable('GET /cached/credentials'))]
    },
    {
      name: 'caches: what a refused origin cached does not shut an allowed one out',
      steps: [step('siteOther', `${site}/cached/credentials`, unreadable('GET /cached/credentials')), cached('siteApp', 'credentials', ['GET /cached/credentials'])]
    },
    { name: 'caches: one response for everyone', steps: [cached('siteApp', 'everyone', ['GET /cached/everyone']), cached('siteOther', 'everyone', [])] },
    {
      name: 'caches: without Vary, the second origin would be shut out',
      steps: [cached('siteApp', 'without-vary', ['GET /cached/without-vary']), step('siteOther', `${site}/cached/without-vary`, unreadable([], { failure: 'another origin' }))]
    },
    {
      name: 'caches: an image without CORS, then the same one with CORS',
      steps: [
        image('exact', { result: 'opaque', preflights: 0, runs: [`${run}exact`] }, { by: 'image', mode: 'no-cors', credentials: 'include' }),
        image('exact', readable(`${run}exact`), { by: 'fetch' })
      ]
    },
    {
      name: 'caches: an image with CORS, then the same one without',
      steps: [
        image('exact', readable(`${run}exact`), { by: 'fetch' }),
        image('exact', { result: 'opaque', preflights: 0, runs: [`${run}exact`] }, { by: 'image', mode: 'no-cors', credentials: 'include' })
      ]
    },
    {
      name: 'caches: an image for everyone, without CORS and then with it',
      steps: [
        image('everyone', { result: 'opaque', preflights: 0, runs: [`${run}everyone`] }, { by: 'image', mode: 'no-cors', credentials: 'include' }),
        image('everyone', readable([]), { by: 'fetch' })
      ]
    }
  ]
}
