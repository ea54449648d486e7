// The public suffix list that the package has a copy of (scripts/public-suffixes.mjs). It tests dist/, so build first (npm test does).
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'tldts'

const { isPublicSuffix, isRegistrableDomain } = require(join(__dirname, '..', '..', 'dist', 'policy', 'origin', 'public-suffix.js')) as typeof import('../../lib/origins/public-suffix')

const SUFFIXES = [
  'com', 'org', 'dev', 'uk', 'co.uk', 'jp', 'co.jp', 'com.au', 'ac.nz', 'xn--p1ai', 'xn--fiqs8s', 'arpa', 'onion',
  'ck', 'a.ck', 'kawasaki.jp', 'a.kawasaki.jp', // of wildcard rules
  'github.io', 'gitlab.io', 'appspot.com', 'herokuapp.com', 'vercel.app', 'netlify.app', 'pages.dev', 'workers.dev', 'blogspot.com', 's3.amazonaws.com', 'cloudfront.net', 'azurewebsites.net', // of hosting companies
  'unknown' // of no rule
]
const DOMAINS = ['www.ck', 'city.kawasaki.jp'] // of exceptions to a rule
const RESERVED = ['example', 'internal', 'invalid', 'local', 'localhost', 'test']
const ADDRESSES = ['127.0.0.1', '192.0.2.1', '[::1]', '[2001:db8::1]']

t.test('the built package knows the public suffixes that tldts knows', async (t) => {
  const hosts = [...SUFFIXES, ...DOMAINS, ...RESERVED].flatMap((host) => [host, `me.${host}`, `www.me.${host}`])
  for (const host of [...hosts, ...ADDRESSES]) {
    const { publicSuffix, domain } = parse(host, { allowPrivateDomains: true })
    t.equal(isPublicSuffix(host), publicSuffix === host && !RESERVED.includes(host), `${host} as a suffix`)
    t.equal(isRegistrableDomain(host), domain === host, `${host} as a domain`)
  }
  t.ok(SUFFIXES.filter(isPublicSuffix).length > SUFFIXES.length - 3, 'most suffixes are still in the list')
  t.strictSame([...DOMAINS, ...RESERVED, ...ADDRESSES].filter(isPublicSuffix), [], 'what nobody can register a name below is none')
})
