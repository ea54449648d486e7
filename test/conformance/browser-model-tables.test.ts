// Tests of the browser model of lib/browser/: its tables of methods and headers, against what the standard says of each.
import t from 'tap'
import { exposedHeaderNames, extractTokens, isForbiddenRequestHeader, isNonWildcardName, isSafelistedRequestHeader, readableHeaderNames, unsafeHeaderNames } from '../../lib/browser/headers'
import { isForbiddenMethod, SAFELISTED_METHODS, normalizeMethod } from '../../lib/http/methods'

t.test('safelisted, forbidden and normalized methods are those of the standard', async (t) => {
  t.strictSame(['GET', 'HEAD', 'POST', 'PUT', 'get', 'OPTIONS', 'QUERY'].filter((method) => SAFELISTED_METHODS.has(method)), ['GET', 'HEAD', 'POST'])
  t.strictSame(['CONNECT', 'trace', 'TrAcK', 'TRACER', 'GET'].filter(isForbiddenMethod), ['CONNECT', 'trace', 'TrAcK'])
  t.strictSame(['get', 'head', 'post', 'put', 'delete', 'options'].map(normalizeMethod), ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])
  t.strictSame(['patch', 'Patch', 'PATCH', 'query', 'unicorn'].map(normalizeMethod), ['patch', 'Patch', 'PATCH', 'query', 'unicorn'])
})

t.test('a page cannot set a forbidden request header', async (t) => {
  for (const name of ['Cookie', 'HOST', 'origin', 'Sec-Fetch-Mode', 'proxy-anything', 'Via', 'Access-Control-Request-Method', 'Set-Cookie']) t.ok(isForbiddenRequestHeader(name, 'a'), name)
  for (const name of ['User-Agent', 'Authorization', 'X-Sec-Own', 'Range', 'Accept', 'Cookies']) t.notOk(isForbiddenRequestHeader(name, 'a'), name)
  t.ok(isForbiddenRequestHeader('X-HTTP-Method-Override', 'GET, trace'))
  t.notOk(isForbiddenRequestHeader('X-HTTP-Method-Override', 'PUT'))
  t.notOk(isForbiddenRequestHeader('X-Other', 'TRACE'))
})

t.test('a page can read the safelisted and the exposed response headers', async (t) => {
  const safelisted = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma']
  const sent = (...names: string[]): Array<[string, string]> => names.map((name) => [name, '1'])
  const mixed = sent('ETag', 'X-A', 'x-a', 'Set-Cookie', 'set-cookie2', ...safelisted)
  t.strictSame(exposedHeaderNames(mixed, 'omit'), safelisted)
  t.strictSame(exposedHeaderNames([...mixed, ['Access-Control-Expose-Headers', 'etag, Set-Cookie']], 'include'), [...safelisted, 'etag'].sort(), 'never a cookie')
  t.strictSame(exposedHeaderNames([...sent('ETag'), ['Access-Control-Expose-Headers', 'ETag X-A']], 'omit'), [], 'what is no list names nothing')
  t.strictSame(readableHeaderNames(mixed), [...safelisted, 'etag', 'x-a'].sort())
})

t.test('a request header is safelisted by its name and its value', async (t) => {
  const long = 'a'.repeat(129)
  const safe: Array<[string, string]> = [
    ['Accept', '*/*'], ['accept', 'a\tb'], ['ACCEPT', ''], ['accept', 'a'.repeat(128)], ['accept-language', 'en-GB, en;q=0.5, *'], ['content-language', 'en'],
    ['content-type', 'text/plain'], ['content-type', ' TEXT/PLAIN ;charset=utf-8'], ['content-type', 'multipart/form-data;boundary=x'], ['content-type', 'application/x-www-form-urlencoded'],
    ['range', 'bytes=0-'], ['range', 'bytes=5-5'], ['range', 'bytes=10-200']
  ]
  const unsafe: Array<[string, string]> = [
    ['accept', '"'], ['accept', 'a\x01'], ['accept', '\x7f'], ['accept', long], ['accept', 'é'.repeat(129)], ['accept-language', '@'], ['accept-language', 'en_GB'], ['content-language', long], ['content-language', '\t'],
    ['content-type', 'application/json'], ['content-type', 'text/plain; a="b"'], ['content-type', ''], ['content-type', 'text'], ['content-type', 'text/plain, text/plain'],
    ['range', 'bytes=-1'], ['range', 'bytes=9-1'], ['range', 'bytes = 0-1'], ['range', 'bytes=0-1,3-4'], ['range', 'bytes 0-'], ['x-own', ''], ['authorization', 'a'], ['user-agent', 'a']
  ]
  for (const [name, value] of safe) t.ok(isSafelistedRequestHeader(name, value), `${name}: ${value.slice(0, 40)}`)
  for (const [name, value] of unsafe) t.notOk(isSafelistedRequestHeader(name, value), `${name}: ${value.slice(0, 40)}`)
})

t.test('the unsafe request-header names are lower-case, sorted, and named once', async (t) => {
  t.strictSame(unsafeHeaderNames([]), [])
  t.strictSame(unsafeHeaderNames([['X-B', '1'], ['x-a', '1'], ['Accept', 'a'], ['X-A', '2']]), ['x-a', 'x-b'], 'sorted, in lower case, each once')
  const eight = Array.from({ length: 8 }, () => ['Accept', 'a'.repeat(128)] as const)
  t.strictSame(unsafeHeaderNames(eight), [], '1,024 bytes together')
  t.strictSame(unsafeHeaderNames([...eight, ['Accept-Language', 'a']]), ['accept', 'accept-language'], 'and one more')
})

t.test('Authorization has to be named beside a wildcard, and lists are split at commas', async (t) => {
  t.ok(isNonWildcardName('AUTHORIZATION'))
  t.notOk(isNonWildcardName('accept'))
  t.equal(extractTokens(null), null)
  t.strictSame(extractTokens('PUT,\tPATCH ,, x'), ['PUT', 'PATCH', 'x'])
  t.strictSame(extractTokens(''), [])
  t.equal(extractTokens('PUT DELETE'), undefined)
})
