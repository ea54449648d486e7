// Conformance cases: request headers, and which of them need permission (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
import type { HeaderList } from '../../../lib/browser/headers'
import { notSent, readable, step, type Area, type Case, type Meaning } from '../case'
import type { PolicyName } from '../policies'

const long = (length: number): string => 'a'.repeat(length)

export const requestHeaders: Area = ({ apis }) => {
  const cases: Case[] = []
  const add = (policy: PolicyName, name: string, headers: HeaderList, means: Meaning, options = {}): void => {
    cases.push({ name: `request headers: ${policy}, ${name}`, steps: [step('app', `${apis.api}/${policy}`, means, { headers, ...options })] })
  }
  const safe = (policy: PolicyName): Meaning => readable(`GET /${policy}`)
  const asked = (policy: PolicyName, method = 'GET'): Meaning => readable(`${method} /${policy}`, 1)
  const refused = notSent({ failure: 'header not allowed' })
  const post = { method: 'POST', body: 'a=1' }

  const safelisted: Array<[name: string, headers: HeaderList]> = [
    ['accept', [['Accept', 'application/json, text/*;q=0.8']]],
    ['accept of 128 bytes', [['Accept', long(128)]]],
    ['accept-language', [['Accept-Language', 'en-GB,en;q=0.8']]],
    ['content-language', [['Content-Language', 'da']]],
    ['a range', [['Range', 'bytes=0-99']]],
    ['a range without an end', [['Range', 'bytes=1-']]],
    ['several safelisted', [['Accept', 'a/b'], ['Accept-Language', 'en'], ['Content-Language', 'en']]],
    ['forbidden ones, which are left out', [['Cookie', 'a=1'], ['Host', 'evil.test'], ['Origin', 'http://evil.test'], ['Sec-Own', '1'], ['Proxy-Own', '1'], ['Date', 'now']]],
    ['a method override that is forbidden', [['X-HTTP-Method-Override', 'TRACE']]]
  ]
  for (const [name, headers] of safelisted) add('no-headers', name, headers, safe('no-headers'))

  const unsafe: Array<[name: string, headers: HeaderList]> = [
    ['accept of 129 bytes', [['Accept', long(129)]]],
    ['accept with an unsafe byte', [['Accept', 'text/html(1)']]],
    ['accept with a brace', [['Accept', '{"a":1}']]],
    ['accept-language with an unsafe byte', [['Accept-Language', 'en@uk']]],
    ['accept-language of 129 bytes', [['Accept-Language', long(129)]]],
    ['content-language with an unsafe byte', [['Content-Language', 'en_GB']]],
    ['a range of the end', [['Range', 'bytes=-100']]],
    ['two ranges', [['Range', 'bytes=0-1,5-6']]],
    ['a range in another unit', [['Range', 'lines=0-1']]],
    ['a range that ends before it starts', [['Range', 'bytes=9-1']]],
    ['nine times accept, together over 1,024 bytes', Array.from({ length: 9 }, () => ['Accept', long(120)] as const)],
    ['a header of its own', [['X-Own', '1']]],
    ['an empty header of its own', [['X-Own', '']]],
    ['authorization', [['Authorization', 'Bearer 1']]],
    ['if-none-match', [['If-None-Match', '"1"']]],
    ['last-event-id', [['Last-Event-ID', '1']]],
    ['dnt-like name', [['X-DNT', '1']]],
    ['one allowed by nobody beside safelisted ones', [['Accept', 'a/b'], ['X-Own', '1']]],
    ['a method override that is not forbidden', [['X-HTTP-Method-Override', 'PUT']]]
  ]
  for (const [name, headers] of unsafe) {
    add('no-headers', name, headers, refused)
    if (name !== 'authorization') add('any-headers', name, headers, asked('any-headers'))
  }
  add('no-headers', 'two times accept, together over 128 bytes', [['Accept', long(100)], ['Accept', long(100)]], safe('no-headers'))

  // Content-Type: three types are safelisted, with parameters too.
  for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=b', 'text/plain', 'Text/Plain;charset=utf-8']) {
    add('no-headers', `content-type ${type}`, [['Content-Type', type]], readable('POST /no-headers'), post)
  }
  for (const type of ['application/json', 'text/plain; a="b"', `text/plain; a=${long(117)}`]) {
    const name = `content-type ${type.length > 40 ? 'of over 128 bytes' : type}`
    add('no-headers', name, [['Content-Type', type]], refused, post)
    add('content-type', name, [['Content-Type', type]], asked('content-type', 'POST'), post)
  }
  add('exact', 'content-type application/json, as the method takes a body', [['Content-Type', 'application/json']], asked('exact', 'POST'), post)
  add('exact', 'content-type application/json with DELETE', [['Content-Type', 'application/json']], asked('exact', 'DELETE'), { ...post, method: 'DELETE' })
  add('exact', 'content-type application/json with GET', [['Content-Type', 'application/json']], refused)

  // Lists of names.
  add('listed-headers', 'one listed', [['X-One', '1']], asked('listed-headers'))
  add('listed-headers', 'in another case', [['x-ONE', '1'], ['X-Two', '2']], asked('listed-headers'))
  add('listed-headers', 'if-match', [['If-Match', '"1"']], asked('listed-headers'))
  add('listed-headers', 'one listed and one not', [['X-One', '1'], ['X-Three', '3']], refused)
  add('listed-headers', 'a name that begins like a listed one', [['X-One-Two', '1']], refused)
  add('listed-headers', 'with PUT', [['X-One', '1']], asked('listed-headers', 'PUT'), { method: 'PUT' })
  add('listed-headers', 'not listed, with PUT', [['X-Three', '1']], refused, { method: 'PUT' })
  add('range', 'a range of the end, listed', [['Range', 'bytes=-100']], asked('range'))
  const many = Array.from({ length: 100 }, (_, index) => [`X-Number-${index}`, String(index)] as const)
  add('many-headers', 'a hundred', many, asked('many-headers'))
  add('many-headers', 'a hundred and one', [...many, ['X-Number-100', '1']], refused)
  add('any-headers', 'a hundred', many, asked('any-headers'))
  add('any-headers-with-credentials', 'a hundred', many, asked('any-headers-with-credentials'), { credentials: 'include' })
  const tooMany = Array.from({ length: 100 }, (_, index) => [`X-${long(40)}-${index}`, String(index)] as const)
  add('any-headers', 'more than 4,096 characters of names', tooMany, notSent({ failure: 'preflight: no Access-Control-Allow-Origin' }))
  cases.push({
    name: 'request headers: derived from the route\'s schema',
    steps: [step('app', `${apis.api}/derived`, readable('GET /derived', 1, { sees: ['x-request-id'], hides: ['x-other'] }), { headers: [['X-One', '1']] })]
  }, {
    name: 'request headers: not in the route\'s schema',
    steps: [step('app', `${apis.api}/derived`, refused, { headers: [['X-Two', '1']] })]
  })

  // Authorization, and the wildcard, which does not cover it (https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name).
  const authorization: HeaderList = [['Authorization', 'Bearer 1']]
  add('any-headers', 'authorization', authorization, refused)
  add('any-headers', 'authorization and another', [...authorization, ['X-One', '1']], refused)
  add('any-headers-and-authorization', 'authorization', authorization, asked('any-headers-and-authorization'))
  add('any-headers-and-authorization', 'authorization and another', [...authorization, ['X-One', '1']], asked('any-headers-and-authorization'))
  add('authorization-listed', 'authorization', authorization, asked('authorization-listed'))
  add('authorization-listed', 'another', [['X-One', '1']], refused)
  add('listed-headers', 'authorization', authorization, refused)
  for (const credentials of ['include', 'same-origin'] as const) {
    add('any-headers-with-credentials', `authorization, credentials ${credentials}`, authorization, asked('any-headers-with-credentials'), { credentials })
    add('any-headers-with-credentials', `another, credentials ${credentials}`, [['X-One', '1']], asked('any-headers-with-credentials'), { credentials })
    add('listed-headers-with-credentials', `listed, credentials ${credentials}`, [['X-One', '1']], asked('listed-headers-with-credentials'), { credentials })
    add('listed-headers-with-credentials', `not listed, credentials ${credentials}`, [['X-Two', '1']], refused, { credentials })
  }
  return cases
}
