// RegExps that the documentation and the tests of CORS implementations show, and others that people write, with what becomes of them here.
// Facts only: which expression is shown where; the verdicts are ours.
/* eslint no-empty-character-class: off -- a class that matches nothing is one of the cases */
import type { CorsProblemReason } from '../../../lib/index'

export interface ShownRegExp {
  /** Where it is shown, or what it is an example of. */
  readonly from: string
  readonly regexp: RegExp
  /** Why it is refused without credentials; undefined where it is permitted. */
  readonly refused?: CorsProblemReason
  /** Why it is refused with credentials, where it is permitted without. */
  readonly credentialed?: readonly CorsProblemReason[]
  /** Origins that its author plainly meant to allow: allowed by it where it is permitted, and by its correction where it is refused and corrected. */
  readonly meant: readonly string[]
  /** Origins that its author did not mean. Never allowed by a correction. */
  readonly notMeant?: readonly string[]
  /** It cannot be read into scheme, host and port, so no switch lifts the refusal with credentials. */
  readonly unreadable?: true
  /** The correction is advice in words. */
  readonly inWords?: true
}

const REGISTRABLE = ['public-suffix'] as const
const INSECURE = ['insecure-with-credentials'] as const
const BOTH = ['insecure-with-credentials', 'public-suffix'] as const

export const SHOWN_REGEXPS: readonly ShownRegExp[] = [
  // express (cors 2.8, README)
  { from: 'express', regexp: /example\.com$/, refused: 'unanchored-regexp', meant: ['https://example.com', 'https://a.example.com'], notMeant: ['https://evilexample.com', 'http://example.com'] },
  { from: 'express', regexp: /\.example2\.com$/, refused: 'unanchored-regexp', meant: ['https://a.example2.com', 'https://a.b.example2.com'], notMeant: ['https://example2.com'] },
  // @fastify/cors 11 (README)
  { from: '@fastify/cors', regexp: /^https:\/\/([a-z0-9-]+\.)*example\.com$/, meant: ['https://example.com', 'https://a.b.example.com'], notMeant: ['https://evilexample.com', 'https://example.com.evil.com'] },
  { from: '@fastify/cors', regexp: /^https:\/\/([a-z0-9-]+\.)+example2\.com$/, meant: ['https://a.example2.com'], notMeant: ['https://example2.com'] },
  // Hono (csrf middleware; its cors takes a function that tests one)
  { from: 'hono', regexp: /https:\/\/(\w+\.)?myapp\.example\.com$/, refused: 'unanchored-regexp', meant: ['https://myapp.example.com', 'https://a.myapp.example.com'], notMeant: ['https://evilmyapp.example.com', 'http://myapp.example.com'] },
  { from: 'hono', regexp: /^https:\/\/.*\.example\.com$/, meant: ['https://a.example.com'] },
  // h3 (tests of its CORS utilities)
  { from: 'h3', regexp: /example/, refused: 'unanchored-regexp', meant: [], inWords: true },
  { from: 'h3', regexp: /^https:\/\/example\.com$/, meant: ['https://example.com'] },
  { from: 'h3', regexp: /\.com$/, refused: 'unanchored-regexp', meant: ['https://a.com'] },
  // rack-cors (README, with Ruby's \A and \z as ^ and $; older versions had none)
  { from: 'rack', regexp: /^http:\/\/192\.168\.0\.\d{1,3}(:\d+)?$/, credentialed: BOTH, meant: ['http://192.168.0.7', 'http://192.168.0.7:3000'] },
  { from: 'rack', regexp: /http:\/\/192\.168\.0\.\d{1,3}(:\d+)?/, refused: 'unanchored-regexp', meant: ['http://192.168.0.7', 'http://192.168.0.7:3000'], notMeant: ['http://192.168.0.7.evil.com'] },
  { from: 'rack', regexp: /^https?:\/\/(www\.)?example\.com$/, credentialed: INSECURE, meant: ['https://example.com', 'https://www.example.com'] },
  // flask-cors (tests and documentation)
  { from: 'flask', regexp: /http?:\/\/\w*\.?example\.com:?\d*\/?.*/, refused: 'unanchored-regexp', meant: ['http://a.example.com'], notMeant: [] },
  { from: 'flask', regexp: /.*.example.com/, refused: 'unanchored-regexp', meant: ['https://a.example.com'] },
  { from: 'flask', regexp: /.*.otherexample.com/, refused: 'unanchored-regexp', meant: ['https://a.otherexample.com'] },
  { from: 'flask', regexp: /^https?:\/\/(.+\.)?example\.com$/, credentialed: INSECURE, meant: ['https://example.com', 'https://a.b.example.com'] },
  // FastAPI and Starlette (allow_origin_regex, matched whole)
  { from: 'starlette', regexp: /^https:\/\/.*\.example\.org$/, meant: ['https://a.example.org'] },
  { from: 'starlette', regexp: /^https:\/\/.*$/, credentialed: REGISTRABLE, meant: ['https://a.example'], inWords: true },
  // the two of the issue that were refused as exponential, and the one that was not
  { from: 'common', regexp: /^https:\/\/([a-z0-9-]+\.)?example\.com$/, meant: ['https://example.com', 'https://a.example.com'], notMeant: ['https://a.b.example.com'] },
  { from: 'common', regexp: /^https?:\/\/localhost(:\d+)?$/, meant: ['http://localhost', 'https://localhost', 'http://localhost:3000'], notMeant: ['http://localhost.evil.com'] },
  { from: 'common', regexp: /^https:\/\/(.*)-(.*)-(.*)-(.*)\.example\.com$/, meant: ['https://a-b-c-d.example.com'] },
  // this machine
  { from: 'common', regexp: /localhost/, refused: 'unanchored-regexp', meant: ['http://localhost', 'http://localhost:3000'], notMeant: ['http://localhost.evil.com'] },
  { from: 'common', regexp: /^http:\/\/localhost/, refused: 'unanchored-regexp', meant: ['http://localhost', 'http://localhost:3000'], notMeant: ['http://localhost.evil.com'] },
  { from: 'common', regexp: /localhost:\d+$/, refused: 'unanchored-regexp', meant: ['http://localhost:3000'] },
  { from: 'common', regexp: /^http:\/\/localhost:\d+$/, meant: ['http://localhost:3000'] },
  { from: 'common', regexp: /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/, meant: ['http://localhost:3000', 'http://127.0.0.1', 'http://[::1]:80'.replace(':80', ':81')] },
  { from: 'common', regexp: /^http:\/\/[a-z0-9]([a-z0-9-]{1,48}[a-z0-9])?\.localhost(?::\d+)?$/i, meant: ['http://tenant.localhost:3000'] },
  { from: 'common', regexp: /^http:\/\/127\.0\.0\.\d+$/, credentialed: BOTH, meant: ['http://127.0.0.1'] },
  // schemes
  { from: 'common', regexp: /^http:\/\/a\.example$/, credentialed: INSECURE, meant: ['http://a.example'] },
  { from: 'common', regexp: /^(?:http|https):\/\/.*\.example\.com$/, credentialed: INSECURE, meant: ['https://a.example.com'] },
  { from: 'common', regexp: /^http(s)?:\/\/.*\.example\.com(:[0-9]+)?$/, credentialed: INSECURE, meant: ['https://a.example.com', 'https://a.example.com:8443'] },
  { from: 'common', regexp: /^.*:\/\/example\.com$/, credentialed: INSECURE, unreadable: true, meant: ['https://example.com'] },
  { from: 'common', regexp: /^\w+:\/\/example\.com$/, credentialed: INSECURE, unreadable: true, meant: ['https://example.com'] },
  { from: 'common', regexp: /^[a-z]+:\/\/(?:[a-z]+\.)*example\.com$/, credentialed: INSECURE, unreadable: true, meant: ['https://example.com'] },
  { from: 'common', regexp: /^wss?:\/\/example\.com$/, credentialed: INSECURE, meant: ['wss://example.com'] },
  { from: 'common', regexp: /^capacitor:\/\/localhost$/, meant: ['capacitor://localhost'] },
  { from: 'common', regexp: /^chrome-extension:\/\/[a-p]{32}$/, credentialed: REGISTRABLE, meant: [`chrome-extension://${'a'.repeat(32)}`], inWords: true },
  // no literal "://": every https site, once the switch for http is set
  { from: 'common', regexp: /^https:.*$/, credentialed: INSECURE, unreadable: true, meant: ['https://a.example'], inWords: true },
  { from: 'common', regexp: /^https?:.*$/, credentialed: INSECURE, unreadable: true, meant: ['https://a.example'], inWords: true },
  { from: 'common', regexp: /^(?:http|https):.+$/, credentialed: INSECURE, unreadable: true, meant: ['https://a.example'], inWords: true },
  { from: 'common', regexp: /^https:[\w./-]+$/, credentialed: INSECURE, unreadable: true, meant: ['https://a.example'], inWords: true },
  { from: 'common', regexp: /^(?:file|https):\/\/(?:app\.example\.com)?$/, credentialed: ['null-origin'], unreadable: true, meant: ['file://', 'https://app.example.com'], inWords: true },
  // above public suffixes
  { from: 'common', regexp: /^https:\/\/.*\.amazonaws\.com$/, credentialed: REGISTRABLE, meant: ['https://a.s3.amazonaws.com'], inWords: true },
  { from: 'common', regexp: /^https:\/\/[a-z]+\.windows\.net$/, credentialed: REGISTRABLE, meant: ['https://a.windows.net'], inWords: true },
  // ends
  { from: 'common', regexp: /^.*$/, credentialed: INSECURE, unreadable: true, meant: ['https://a.example'], inWords: true },
  { from: 'common', regexp: /^[^]*$/, credentialed: INSECURE, unreadable: true, meant: ['https://a.example'], inWords: true },
  { from: 'common', regexp: /^https:\/\/.*example\.com$/, credentialed: REGISTRABLE, meant: ['https://example.com', 'https://a.example.com'] },
  { from: 'common', regexp: /^https:\/\/[\w.-]*example\.com$/, credentialed: REGISTRABLE, meant: ['https://example.com', 'https://a.example.com'] },
  { from: 'common', regexp: /^https:\/\/.*.example\.com$/, credentialed: REGISTRABLE, meant: ['https://a.example.com'] },
  { from: 'common', regexp: /^https:\/\/app.example.com$/, credentialed: REGISTRABLE, meant: ['https://app.example.com'] },
  { from: 'common', regexp: /^https:\/\/.+\.com$/, credentialed: REGISTRABLE, meant: ['https://a.com'], inWords: true },
  { from: 'common', regexp: /^https:\/\/example\.(?:com|org|co\.uk)$/, meant: ['https://example.co.uk'] },
  { from: 'common', regexp: /^https:\/\/.*\.example\.(?:com|co\.uk)$/, meant: ['https://a.example.co.uk'] },
  { from: 'common', regexp: /^https:\/\/.*\.(?:example\.com|co\.uk)$/, credentialed: REGISTRABLE, meant: ['https://a.example.com'] },
  { from: 'common', regexp: /^https:\/\/example\.[a-z]+$/, credentialed: REGISTRABLE, meant: ['https://example.com'], inWords: true },
  { from: 'common', regexp: /^https:\/\/example\.com\d*$/, credentialed: REGISTRABLE, meant: ['https://example.com'], inWords: true },
  { from: 'common', regexp: /^https:\/\/(?:a|b|c)\.com$/, meant: ['https://b.com'] },
  { from: 'common', regexp: /^https:\/\/[abc]\.com$/, credentialed: REGISTRABLE, meant: ['https://b.com'], inWords: true },
  { from: 'common', regexp: /^https:\/\/[a-z0-9-]+\.github\.io$/, credentialed: REGISTRABLE, meant: ['https://a.github.io'], inWords: true },
  { from: 'common', regexp: /^https:\/\/my-app-[a-z0-9]+-team\.vercel\.app$/, credentialed: REGISTRABLE, meant: ['https://my-app-1-team.vercel.app'], inWords: true },
  { from: 'common', regexp: /^https:\/\/deploy-preview-\d+--my-site\.netlify\.app$/, credentialed: REGISTRABLE, meant: ['https://deploy-preview-1--my-site.netlify.app'], inWords: true },
  { from: 'common', regexp: /^https:\/\/me\.github\.io$/, meant: ['https://me.github.io'] },
  { from: 'common', regexp: /^https:\/\/[a-z]+\.me\.github\.io$/, meant: ['https://a.me.github.io'] },
  { from: 'common', regexp: /^https:\/\/pr-[0-9]+-app\.example\.com$/, meant: ['https://pr-1-app.example.com'] },
  { from: 'common', regexp: /^https:\/\/(?:www\.|(?:[a-z]+\.){0,2})example\.com$/, meant: ['https://www.example.com', 'https://example.com'] },
  { from: 'common', regexp: /^https:\/\/w{3}\.example\.com$/, meant: ['https://www.example.com'] },
  { from: 'common', regexp: /^https:\/\/a{20}\.example\.com$/, meant: [`https://${'a'.repeat(20)}.example.com`] },
  { from: 'common', regexp: /^https:\/\/.*\.EXAMPLE\.com$/i, meant: ['https://a.example.com'] },
  { from: 'common', regexp: /^https:\/\/.*\.example\.com$/iu, meant: ['https://a.example.com'] },
  // ports
  { from: 'common', regexp: /^https:\/\/.*\.example\.com(?::\d+)?$/, meant: ['https://a.example.com:8443'] },
  { from: 'common', regexp: /^https:\/\/.*\.example\.com:?\d*$/, credentialed: REGISTRABLE, meant: ['https://a.example.com:8443'], inWords: true },
  { from: 'common', regexp: /^https:\/\/.*\.example\.com:.*$/, meant: ['https://a.example.com:8443'] },
  { from: 'common', regexp: /^https:\/\/.*\.example\.com:8[0-9]{3}$/, meant: ['https://a.example.com:8443'] },
  { from: 'common', regexp: /^https:\/\/.*:8443$/, credentialed: REGISTRABLE, meant: ['https://a.example:8443'], inWords: true },
  { from: 'common', regexp: /^https:\/\/.*\.com:8443$/, credentialed: REGISTRABLE, meant: ['https://a.com:8443'], inWords: true },
  // addresses
  { from: 'common', regexp: /^https:\/\/192\.0\.2\.1(?::\d+)?$/, meant: ['https://192.0.2.1:8443'] },
  { from: 'common', regexp: /^https:\/\/.*\.0\.2\.1$/, credentialed: REGISTRABLE, meant: ['https://192.0.2.1'], inWords: true },
  { from: 'common', regexp: /^https:\/\/10\.\d+\.\d+\.\d+$/, credentialed: REGISTRABLE, meant: ['https://10.0.0.1'], inWords: true },
  { from: 'common', regexp: /^https:\/\/\[2001:db8::[0-9a-f]+\]$/, credentialed: REGISTRABLE, meant: ['https://[2001:db8::1]'], inWords: true },
  { from: 'common', regexp: /^https:\/\/\[2001:db8::1\](?::\d+)?$/, meant: ['https://[2001:db8::1]:8443'] },
  { from: 'common', regexp: /^https:\/\/\[.*$/, credentialed: REGISTRABLE, meant: ['https://[2001:db8::1]'], inWords: true },
  { from: 'common', regexp: /^https:\/\/\[::\d*$/, credentialed: REGISTRABLE, meant: [], inWords: true },
  // anchors
  { from: 'common', regexp: /^https:\/\/a\.example$|^https:\/\/b\.example$/, meant: ['https://b.example'] },
  { from: 'common', regexp: /(?:^https:\/\/a\.example$)/, meant: ['https://a.example'] },
  { from: 'common', regexp: /^(?:https:\/\/a\.example$|https:\/\/b\.example$)/, meant: ['https://b.example'] },
  { from: 'common', regexp: /(?:^https:\/\/a\.example$){1}/, meant: ['https://a.example'] },
  { from: 'common', regexp: /^https:\/\/\ba{0}(?:\B)*(?:\b[a-z]){1,2}(?:[]|a)?\.example\.com$/, meant: ['https://b.example.com'] },
  { from: 'common', regexp: /^https:\/\/(?:[]{2}|b)[]*\.example$/, meant: ['https://b.example'] },
  { from: 'common', regexp: /^https:\/\/a\.example|https:\/\/b\.example$/, refused: 'unanchored-regexp', meant: ['https://a.example', 'https://b.example'], notMeant: ['https://a.example.evil.com'] },
  { from: 'common', regexp: /(^|\.)example\.com$/, refused: 'unanchored-regexp', meant: ['https://example.com', 'https://a.example.com'], notMeant: ['https://evilexample.com'] },
  { from: 'common', regexp: /^https:\/\/example\.com\$/, refused: 'unanchored-regexp', meant: [], inWords: true },
  { from: 'common', regexp: /\^https:\/\/example\.com$/, refused: 'unanchored-regexp', meant: [], inWords: true },
  { from: 'common', regexp: /^https:\/\/example\.com[$]/, refused: 'unanchored-regexp', meant: [], inWords: true },
  { from: 'common', regexp: /^https:\/\/a\.example(?:$)?/, refused: 'unanchored-regexp', meant: ['https://a.example'], notMeant: ['https://a.example.evil.com'] },
  { from: 'common', regexp: /^https:\/\/example\.com$/m, refused: 'unanchored-regexp', meant: ['https://example.com'] },
  { from: 'common', regexp: /^https:\/\/example\.com$/g, refused: 'unsafe-regexp', meant: ['https://example.com'] },
  { from: 'common', regexp: /example\.com/gi, refused: 'unsafe-regexp', meant: ['https://example.com', 'https://a.example.com'], notMeant: ['https://example.com.evil.com'] },
  { from: 'common', regexp: /^https:\/\/example\.com$/y, refused: 'unsafe-regexp', meant: ['https://example.com'] },
  { from: 'common', regexp: /\.example\.com$|\.example\.org$/, refused: 'unanchored-regexp', meant: ['https://a.example.com', 'https://a.example.org'] },
  { from: 'common', regexp: /vercel\.app$/, refused: 'unanchored-regexp', meant: ['https://vercel.app', 'https://a.vercel.app'], notMeant: ['https://evilvercel.app'] },
  { from: 'common', regexp: /\/\/localhost:3000$/, refused: 'unanchored-regexp', meant: ['http://localhost:3000'] },
  { from: 'common', regexp: /https:\/\/.*/, refused: 'unanchored-regexp', meant: ['https://a.example'] },
  // what matches no origin
  { from: 'common', regexp: /^example\.com$/, refused: 'invalid', meant: ['https://example.com'], notMeant: ['https://a.example.com'] },
  { from: 'common', regexp: /^(?:www\.)?example\.com$/, refused: 'invalid', meant: ['https://example.com', 'https://www.example.com'] },
  { from: 'common', regexp: /^[a-z]+\.example\.com$/, refused: 'invalid', meant: ['https://a.example.com'] },
  { from: 'common', regexp: /^https:\/\/example\.com\/$/, refused: 'invalid', meant: ['https://example.com'] },
  { from: 'common', regexp: /^https:\/\/Example\.com$/, refused: 'invalid', meant: ['https://example.com'] },
  { from: 'common', regexp: /^https:\/\/[A-Z]+\.example\.com$/, refused: 'invalid', meant: ['https://abc.example.com'] },
  { from: 'common', regexp: /^null$/, refused: 'invalid', meant: [], inWords: true },
  { from: 'common', regexp: /^$/, refused: 'invalid', meant: [], inWords: true },
  { from: 'common', regexp: /^https:\/\/[]$/, refused: 'invalid', meant: [], inWords: true },
  { from: 'common', regexp: /^https:\/\/bücher\.example$/, refused: 'invalid', meant: [], inWords: true },
  // what RE2 cannot do
  { from: 'common', regexp: /^(?!.*evil)https:\/\/.*\.example\.com$/, refused: 'unsafe-regexp', meant: [], inWords: true },
  { from: 'common', regexp: /^https:\/\/(?=[a-z])[a-z0-9]+\.example\.com$/, refused: 'unsafe-regexp', meant: [], inWords: true },
  { from: 'common', regexp: /^https:\/\/[a-z]+(?<!evil)\.example\.com$/, refused: 'unsafe-regexp', meant: [], inWords: true },
  { from: 'common', regexp: /^https:\/\/([a-z]+)-\1\.example\.com$/, refused: 'unsafe-regexp', meant: [], inWords: true },
  { from: 'common', regexp: /^https:\/\/(?<name>[a-z]+)-\k<name>\.example\.com$/, refused: 'unsafe-regexp', meant: [], inWords: true },
  { from: 'common', regexp: /^https:\/\/(?:[a-z0-9-]{1,63}\.){1,127}example\.com$/, meant: [], inWords: true },
  { from: 'common', regexp: /^https:\/\/(?:[a-z0-9-]{1,63}\.){1,9}example\.com$/, meant: ['https://a.b.example.com'] },
  // exponential for whoever backtracks
  { from: 'hostile', regexp: /^https:\/\/([a-z]+)+\.example\.com$/, meant: ['https://a.example.com'] },
  { from: 'hostile', regexp: /^https:\/\/(a|a)*\.example\.com$/, meant: ['https://aaa.example.com'] },
  { from: 'hostile', regexp: /^https:\/\/(?:[a-z]|[a-z0-9])+\.example\.com$/, meant: ['https://a1.example.com'] },
  { from: 'hostile', regexp: /^https:\/\/(.*)*(.*)*\.example\.com$/, meant: ['https://a.example.com'] },
  { from: 'hostile', regexp: /^https:\/\/((a*)*)*\.example\.com$/, meant: ['https://aa.example.com'] },
  { from: 'hostile', regexp: /^https:\/\/(?:\w+\.?)+\.example\.com$/, meant: ['https://a.b.example.com'] },
  { from: 'hostile', regexp: /^https:\/\/(?:a?){30}a{30}\.example\.com$/, meant: [`https://${'a'.repeat(30)}.example.com`] }
]
