// Lists of header names, read and written: Access-Control-Request-Headers, Vary, and which names have a place in a policy.
import fc from 'fast-check'
import t from 'tap'
import {
  isHeaderName, isListOfNames, MAX_EMPTY_ELEMENTS, MAX_REQUEST_HEADERS_LENGTH, namesIn, needsAllowing, needsExposing, isSetByBrowser, uniqueNames, whyNotReadable, whyNotSendable
} from '../../lib/http/headers'
import { canBePreflighted, takesBody } from '../../lib/http/methods'
import { Vary, VARY_ORIGIN, VARY_PREFLIGHT, type HeaderValue } from '../../lib/http/vary'

const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/** Every character of the first two Unicode rows that cannot stand in a token, and some from further on. */
const OTHER_CHARACTERS = [...Array.from({ length: 512 }, (_, code) => String.fromCharCode(code)).filter((char) => !TOKEN_CHARACTERS.includes(char)), '\u2028', '\ufeff', '\u3000', '\ud83d', '😀']

/** The names that a preflight's request is read as; undefined where it is refused. */
function requestedNames (value: string | undefined): string[] | undefined {
  return isListOfNames(value) ? namesIn(value) : undefined
}

function isToken (text: string): boolean {
  return text !== '' && [...text].every((char) => TOKEN_CHARACTERS.includes(char))
}

/** Both cases of every letter. */
function casings (name: string): string[] {
  return [name, name.toUpperCase(), name.toLowerCase(), [...name].map((char, i) => i % 2 === 0 ? char.toUpperCase() : char.toLowerCase()).join('')]
}

t.test('a header name is a token of at most 256 characters', async (t) => {
  for (const name of ['a', 'X-Request-Id', 'content-type', '__proto__', '*', '1', TOKEN_CHARACTERS, 'a'.repeat(256)]) t.equal(isHeaderName(name), true, name)
  for (const name of ['', ' ', 'a b', ' a', 'a ', 'a:', 'a,b', 'a\n', 'a\r\nb: c', 'a/b', '"a"', '(a)', 'é', 'a'.repeat(257)]) t.equal(isHeaderName(name), false, JSON.stringify(name))
  t.strictSame(OTHER_CHARACTERS.filter((char) => isHeaderName(`a${char}b`)), [], 'no other character')
})

t.test('requested headers are read into their names', async (t) => {
  const READ: ReadonlyArray<readonly [string | undefined, readonly string[]]> = [
    [undefined, []],
    ['', []],
    ['content-type', ['content-type']],
    ['content-type,x-a', ['content-type', 'x-a']],
    ['content-type, x-a', ['content-type', 'x-a']],
    [' \t content-type \t ,\t\tx-a\t', ['content-type', 'x-a']],
    ['X-A, x-a', ['X-A', 'x-a']],
    ['*', ['*']],
    ['__proto__,constructor', ['__proto__', 'constructor']],
    [',', []],
    [' ', []],
    [',x-a,,x-b,', ['x-a', 'x-b']],
    [TOKEN_CHARACTERS, [TOKEN_CHARACTERS]],
    ['a'.repeat(MAX_REQUEST_HEADERS_LENGTH), ['a'.repeat(MAX_REQUEST_HEADERS_LENGTH)]],
    [`${' '.repeat(MAX_REQUEST_HEADERS_LENGTH - 1)}a`, ['a']],
    ['a,'.repeat(2047), Array.from({ length: 2047 }, () => 'a')],
    [`${','.repeat(MAX_EMPTY_ELEMENTS)}a`, ['a']],
    [','.repeat(MAX_EMPTY_ELEMENTS - 1), []]
  ]
  for (const [value, names] of READ) t.strictSame(requestedNames(value), names, JSON.stringify(value?.slice(0, 60)))
})

t.test('requested headers are refused as a whole if anything in them is malformed', async (t) => {
  t.equal(MAX_REQUEST_HEADERS_LENGTH, 4096)
  t.equal(MAX_EMPTY_ELEMENTS, 16)
  const REFUSED = [
    'content type', 'x-a x-b', 'x-a;x-b', 'x-a:', 'x-a: b', 'x-a\tx-b', 'x-a,x b,x-c', '"x-a"', 'x-a\r\nset-cookie: a=b', 'x-a\n', '\nx-a', '\u00a0x-a', 'x-a\u000b', 'x-a,\u0000', '\u2003', '\ufeffx-a', 'é', 'x-😀', 'x-\u017f',
    'a'.repeat(MAX_REQUEST_HEADERS_LENGTH + 1), `${' '.repeat(MAX_REQUEST_HEADERS_LENGTH)}a`, 'a,'.repeat(8192), ' '.repeat(100_000), `${','.repeat(MAX_EMPTY_ELEMENTS + 1)}a`, ' ,'.repeat(MAX_EMPTY_ELEMENTS), ','.repeat(4096)
  ]
  for (const value of REFUSED) t.equal(requestedNames(value), undefined, JSON.stringify(value.slice(0, 60)))
  t.strictSame(OTHER_CHARACTERS.filter((char) => !' \t,'.includes(char) && requestedNames(`x-a${char}`) !== undefined), [], 'no other character, behind')
  t.strictSame(OTHER_CHARACTERS.filter((char) => !' \t,'.includes(char) && requestedNames(`${char}x-a`) !== undefined), [], 'no other character, before')
})

/** The list as its grammar has it: one character after the other. */
function readNaively (value: string): string[] | undefined {
  if (value.length > 4096) return undefined
  if (value === '') return []
  const names: string[] = []
  let empty = 0
  for (const element of value.split(',')) {
    const chars = [...element]
    while (chars[0] === ' ' || chars[0] === '\t') chars.shift()
    while (chars.at(-1) === ' ' || chars.at(-1) === '\t') chars.pop()
    if (chars.length === 0) empty++
    else names.push(chars.join(''))
  }
  return empty <= 16 && names.every(isToken) ? names : undefined
}

t.test('any text of requested headers is read as a naive reading of the grammar reads it', async (t) => {
  const piece = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('x-a', 'X-A', 'content-type', ',', ',', ', ', ' , ', '\t', ' ', ',,,,,', '*') },
    { weight: 1, arbitrary: fc.constantFrom('\n', '\u000b', '\u00a0', ':', ';', 'é', '"') },
    { weight: 1, arbitrary: fc.constantFrom('a'.repeat(2000), ' '.repeat(2000)) }
  )
  const value = fc.oneof(fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join('')), fc.string({ unit: 'binary-ascii' }))
  const seen = { read: 0, refused: 0 }
  fc.assert(fc.property(value, (value) => {
    const expected = readNaively(value)
    seen[expected === undefined ? 'refused' : 'read']++
    return JSON.stringify(requestedNames(value)) === JSON.stringify(expected)
  }), { numRuns: 10_000 })
  t.ok(seen.read > 1000 && seen.refused > 1000, `${seen.read} read, ${seen.refused} refused`)
})

t.test('a header that no page can send is recognized in upper and lower case', async (t) => {
  // https://fetch.spec.whatwg.org/#forbidden-request-header, in its order
  const FORBIDDEN = [
    'Accept-Charset', 'Accept-Encoding', 'Access-Control-Request-Headers', 'Access-Control-Request-Method', 'Connection', 'Content-Length', 'Cookie', 'Cookie2', 'Date', 'DNT', 'Expect', 'Host', 'Keep-Alive', 'Origin', 'Referer', 'Set-Cookie',
    'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Via',
    'Proxy-', 'Proxy-Authorization', 'Proxy-Anything', 'Sec-', 'Sec-Fetch-Site', 'Sec-CH-UA', 'Sec-Anything', 'Access-Control-Request-Private-Network'
  ]
  for (const name of FORBIDDEN) {
    for (const casing of casings(name)) {
      const isMisleading = /^(?:cookie|set-cookie|access-control-)/i.test(name)
      t.equal(isSetByBrowser(casing), !isMisleading, `${casing} is left out of a list`)
      t.equal(whyNotSendable(casing) === undefined, !isMisleading, casing)
      t.equal(needsAllowing(casing), false, `${casing} of a schema is left out`)
    }
  }
  for (const name of ['Access-Control-Allow-Origin', 'Access-Control-Allow-Credentials', 'Access-Control-Allow-Methods', 'Access-Control-Allow-Headers', 'Access-Control-Expose-Headers', 'Access-Control-Max-Age', 'Access-Control-Allow-Private-Network', 'Vary']) {
    for (const casing of casings(name)) {
      t.match(whyNotSendable(casing), 'CORS sets this header itself', casing)
      t.equal(needsAllowing(casing), false, `${casing} of a schema is left out`)
    }
  }
  for (const name of ['Authorization', 'Content-Type', 'Range', 'X-Request-Id', 'If-None-Match', 'User-Agent', 'X-HTTP-Method-Override', 'Proxy', 'Proxying', 'X-Proxy-A', 'Sec', 'Second', 'X-Sec-A', 'Cookie3', 'DNTX', 'Accept', 'Cache-Control', 'ETag', '*']) {
    for (const casing of casings(name)) t.strictSame([whyNotSendable(casing), isSetByBrowser(casing)], [undefined, false], casing)
  }
})

t.test('a header that no page can read is recognized in upper and lower case', async (t) => {
  // https://fetch.spec.whatwg.org/#forbidden-response-header-name
  for (const casing of ['Set-Cookie', 'Set-Cookie2'].flatMap(casings)) {
    t.match(whyNotReadable(casing), 'no page can read this header', casing)
    t.equal(needsExposing(casing), false, `${casing} of a schema is left out`)
  }
  for (const name of ['Origin', 'Cookie', 'Access-Control-Request-Method', 'Access-Control-Request-Headers', 'Access-Control-Request-Private-Network', 'Access-Control-Allow-Methods', 'Access-Control-Allow-Headers', 'Access-Control-Allow-Private-Network', 'Access-Control-Max-Age']) {
    for (const casing of casings(name)) {
      t.match(whyNotReadable(casing), 'it belongs to requests and preflights', casing)
      t.equal(needsExposing(casing), false, `${casing} of a schema is left out`)
    }
  }
  for (const name of ['ETag', 'Link', 'Location', 'Content-Length', 'Retry-After', 'X-Set-Cookie', 'Set-Cookie3', 'Access-Control-Allow-Origin', 'Access-Control-Expose-Headers', 'Vary', 'WWW-Authenticate', '*']) {
    for (const casing of casings(name)) t.equal(whyNotReadable(casing), undefined, casing)
  }
})

t.test('the header names of a schema that need permission are kept', async (t) => {
  // https://fetch.spec.whatwg.org/#cors-safelisted-request-header: for these names, whatever their value is
  for (const name of ['Accept', 'Accept-Language', 'Content-Language'].flatMap(casings)) t.equal(needsAllowing(name), false, name)
  for (const name of ['*', '', 'a b', 'é']) {
    t.equal(needsAllowing(name), false, `request: ${name}`)
    t.equal(needsExposing(name), false, `response: ${name}`)
  }
  for (const name of ['Content-Type', 'Range', 'Authorization', 'If-Match', 'X-Request-Id', '__proto__', 'constructor'].flatMap(casings)) t.equal(needsAllowing(name), true, name)
  // https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
  for (const name of ['Cache-Control', 'Content-Language', 'Content-Length', 'Content-Type', 'Expires', 'Last-Modified', 'Pragma'].flatMap(casings)) t.equal(needsExposing(name), false, name)
  for (const name of ['ETag', 'Link', 'Location', 'X-RateLimit-Limit', '__proto__', 'constructor'].flatMap(casings)) t.equal(needsExposing(name), true, name)
})

t.test('header names are kept once, as and where they first occur', async (t) => {
  t.strictSame(uniqueNames([]), [])
  t.strictSame(uniqueNames(['b', 'A', 'B', 'a', 'c', '__proto__', '__PROTO__']), ['b', 'A', 'c', '__proto__'])
  fc.assert(fc.property(fc.array(fc.constantFrom('a', 'A', 'b', 'B', 'aa', 'aA', '*')), (names) => {
    const expected = names.filter((name, i) => names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) === i)
    return uniqueNames(names).join() === expected.join()
  }))
})

t.test('Vary keeps the names that it has, and adds its own', async (t) => {
  const MERGED: ReadonlyArray<readonly [HeaderValue, readonly string[], string]> = [
    [undefined, ['Origin'], 'Origin'],
    ['', ['Origin'], 'Origin'],
    [[], ['Origin'], 'Origin'],
    [[''], ['Origin'], 'Origin'],
    [' , ,', ['Origin'], 'Origin'],
    ['Origin', ['Origin'], 'Origin'],
    ['origin', ['Origin'], 'origin'],
    ['Accept-Encoding', ['Origin'], 'Accept-Encoding, Origin'],
    ['Accept-Encoding,ORIGIN , Cookie', ['Origin'], 'Accept-Encoding, ORIGIN, Cookie'],
    [['Accept', 'Cookie, accept'], ['Origin'], 'Accept, Cookie, Origin'],
    ['Accept, accept, ACCEPT', ['Origin'], 'Accept, Origin'],
    ['Origins', ['Origin'], 'Origins, Origin'],
    ['*', ['Origin'], '*'],
    ['Accept, *', ['Origin'], '*'],
    [['*'], ['Origin'], '*'],
    ['Accept', ['*'], '*'],
    ['Access-Control-Request-Method', ['Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers'], 'Access-Control-Request-Method, Origin, Access-Control-Request-Headers'],
    [1, ['Origin'], '1, Origin']
  ]
  for (const [current, names, expected] of MERGED) t.equal(new Vary(...names).mergedWith(current), expected, `${JSON.stringify(current)} and ${names.join()}`)
})

t.test('Vary has its own names alone if there are no others', async (t) => {
  t.equal(VARY_ORIGIN.value, 'Origin')
  t.equal(VARY_PREFLIGHT.value, 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
  for (const vary of [VARY_ORIGIN, VARY_PREFLIGHT]) t.equal(vary.mergedWith(vary.value), vary.value)
})

t.test('Vary has every name once, in order, whatever it had', async (t) => {
  const name = fc.constantFrom('Origin', 'origin', 'ORIGIN', 'Accept', 'accept', 'Accept-Encoding', 'Cookie', 'X-A')
  const text = fc.array(fc.oneof({ weight: 20, arbitrary: name }, { weight: 3, arbitrary: fc.constantFrom('', ' ', '\t') }, { weight: 1, arbitrary: fc.constant('*') })).chain((names) =>
    fc.constantFrom(',', ', ', ' , ', ',\t').map((comma) => names.join(comma)))
  const current = fc.oneof(text, fc.array(text), fc.constant(undefined))
  const added = fc.uniqueArray(fc.constantFrom('Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers'), { minLength: 1 })
  fc.assert(fc.property(current, added, (current, added) => {
    const all = [...[current ?? []].flat().flatMap((text) => text.split(',')).map((name) => name.trim()).filter((name) => name.length > 0), ...added]
    const expected: string[] = []
    for (const name of all) if (!expected.some((other) => other.toLowerCase() === name.toLowerCase())) expected.push(name)
    const vary = new Vary(...added)
    const merged = vary.mergedWith(current)
    if (merged !== (all.includes('*') ? '*' : expected.join(', '))) return false
    return vary.mergedWith(merged) === merged
  }), { numRuns: 5000 })
  t.pass('5,000 values')
})

t.test('CONNECT, TRACE and TRACK cannot be preflighted, and GET and HEAD take no body', async (t) => {
  // https://fetch.spec.whatwg.org/#forbidden-method
  for (const method of ['CONNECT', 'TRACE', 'TRACK']) t.equal(canBePreflighted(method), false, method)
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'PROPFIND']) t.equal(canBePreflighted(method), true, method)
  for (const method of ['GET', 'HEAD']) t.equal(takesBody(method), false, method)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'PROPFIND']) t.equal(takesBody(method), true, method)
})
