// Where the engines are known to differ from the Fetch standard, in the conformance cases that meet it, by name. Nothing else may differ, and
// what no longer differs has to go: conformance.test.ts checks both.
import type { World } from '../conformance/world'
import type { Comparable } from './conformance-browser'
import type { EngineName } from './engine'
import { ENGINE_REASONS } from './reasons'

/** What an engine makes of a case, given what the standard expects. */
type Change = (standard: Comparable, world: World, engine: EngineName) => Comparable

export interface KnownDifference {
  readonly engines: readonly EngineName[]
  /** The clause of the standard that they do not follow, or that leaves it to them. */
  readonly clause: string
  readonly reason: string
  readonly cases: { readonly [name: string]: Change }
}

const hostOf = (origin: string): string => new URL(origin).host

/** Changes what reached the servers, and nothing that the page sees. */
const reaching = (change: (reached: readonly string[], world: World) => readonly string[]): Change =>
  ({ reached, ...seen }, world) => ({ ...seen, reached: change(reached, world) })

/** Repeats the only preflight of a list in front of another of its lines, with another method and headers. */
const preflightBefore = (index: number, asking: string): Change => reaching((reached) => {
  const preflight = reached.find((line) => line.startsWith('OPTIONS ')) as string
  return reached.toSpliced(index, 0, preflight.replace(/asking for .*(?=, not handled)/, `asking for ${asking}`))
})

const withoutPreflight = (index: number): Change => reaching((reached) => reached.toSpliced(index, 1))

const reads = (route: string): Comparable['steps'] =>
  [{ result: 'readable', status: 200, body: `GET ${route}`, headerNames: ['cache-control', 'content-language', 'content-length', 'content-type'] }]

/** The wildcard allows what the standard excepts from it, so that the request is sent and the response read. */
const readByWildcard: Change = ({ reached }, { apis: { api }, pages: { app } }) => ({
  steps: reads('/any-headers'),
  reasons: [],
  reached: [...reached, `GET ${hostOf(api)}/any-headers, from ${app}, handled by GET /any-headers`]
})

const withAllCookies: Change = reaching((reached) => reached.map((line) => line.replace('with none=1', 'with lax=1; none=1; secure-lax=1; strict=1')))

/** An element's request without CORS has no Origin. */
const withoutOrigin: Change = reaching((reached) => reached.map((line) => line.replace(/, from [^,]+/, '')))
const readWithoutOrigin: Change = (standard, world, engine) => ({ ...withoutOrigin(standard, world, engine), steps: [{ result: 'readable' }], reasons: [] })

const announcedByThePage: Change = reaching((reached, { pages: { app } }) => reached.map((line) => line.startsWith('OPTIONS ') ? line.replace('from null', `from ${app}`) : line))

export const KNOWN_DIFFERENCES: { readonly [name: string]: KnownDifference } = {
  'the wildcard covers Authorization': {
    engines: ['Chromium', 'Firefox', 'WebKit'],
    clause: 'https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name',
    reason: 'The exception of Authorization from the wildcard is younger than the engines\' code. Chromium and Firefox warn in the console that they will follow. A policy that lists Authorization beside the wildcard is right in all.',
    cases: {
      'request headers: any-headers, authorization': readByWildcard,
      'request headers: any-headers, authorization and another': readByWildcard
    }
  },
  'repeated headers are judged as one': {
    engines: ['Chromium', 'WebKit'],
    clause: 'https://fetch.spec.whatwg.org/#cors-safelisted-request-header',
    reason: 'The values of a header that a page appends twice are joined before their length is compared with 128 bytes, so that a preflight is sent where the standard needs none.',
    cases: {
      'request headers: no-headers, two times accept, together over 128 bytes': (_standard, { apis: { api }, pages: { app } }, engine) => ({
        steps: [{ result: 'blocked' }],
        reasons: [ENGINE_REASONS[engine]['header not allowed'] as Comparable['reasons'][number]],
        reached: [`OPTIONS ${hostOf(api)}/no-headers, from ${app}, asking for GET and accept, not handled`]
      })
    }
  },
  'safelisted headers are not summed': {
    engines: ['Firefox'],
    clause: 'https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names',
    reason: 'Safelisted headers that are longer than 1,024 bytes together need no preflight in Firefox.',
    cases: {
      'request headers: no-headers, nine times accept, together over 1,024 bytes': (_standard, { apis: { api }, pages: { app } }) => ({
        steps: reads('/no-headers'),
        reasons: [],
        reached: [`GET ${hostOf(api)}/no-headers, from ${app}, handled by GET /no-headers`]
      }),
      'request headers: any-headers, nine times accept, together over 1,024 bytes': withoutPreflight(0)
    }
  },
  'one preflight is remembered for each URL': {
    engines: ['Chromium', 'WebKit'],
    clause: 'https://fetch.spec.whatwg.org/#concept-cache',
    reason: 'The last answer to a preflight of an origin and URL replaces the one before, where the standard collects them. Two policies of one URL cost a page more preflights, and never fewer.',
    cases: {
      'preflights: one for each policy of one URL': (standard, world, engine) => preflightBefore(6, 'PATCH')(preflightBefore(4, 'DELETE')(standard, world, engine), world, engine)
    }
  },
  'the wildcard is not remembered': {
    engines: ['Firefox'],
    clause: 'https://fetch.spec.whatwg.org/#concept-cache-match-header',
    reason: 'Firefox remembers the names in Access-Control-Allow-Headers, and * is none of them: each request with another header takes another preflight.',
    cases: {
      'preflights: any header, once the wildcard is known': (standard, world, engine) => preflightBefore(4, 'DELETE and x-three')(preflightBefore(2, 'PUT and x-one')(standard, world, engine), world, engine)
    }
  },
  'preflights with credentials serve no others': {
    engines: ['Firefox'],
    clause: 'https://fetch.spec.whatwg.org/#concept-cache-match',
    reason: 'Firefox keeps preflights of requests with credentials apart from those of requests without, where in the standard the first serve the second as well.',
    cases: { 'preflights: with credentials, one that serves requests without them': preflightBefore(2, 'PUT') }
  },
  'a failed preflight is remembered': {
    engines: ['WebKit'],
    clause: 'https://fetch.spec.whatwg.org/#cors-preflight-fetch',
    reason: 'WebKit remembers what a preflight allowed also if it did not allow what was asked for, where the standard clears what it remembers. A page pays fewer preflights, and none of what was refused is sent.',
    cases: {
      'preflights: another one after a failure': withoutPreflight(1),
      'preflights: a failure forgets what was allowed': withoutPreflight(3)
    }
  },
  'a redirect to GET takes another preflight': {
    engines: ['Firefox', 'WebKit'],
    clause: 'https://fetch.spec.whatwg.org/#http-redirect-fetch',
    reason: 'A request that had a preflight has another one after each redirect, also where status 303 made it a GET, which needs none.',
    cases: {
      'redirects: 303 of a PUT, each URL with its own preflight': reaching((reached, { apis: { api }, pages: { app } }) =>
        reached.toSpliced(2, 0, `OPTIONS ${hostOf(api)}/exact, from ${app}, asking for GET, not handled`))
    }
  },
  'after a redirect, the preflight names the page': {
    engines: ['Firefox'],
    clause: 'https://fetch.spec.whatwg.org/#serializing-a-request-origin',
    reason: 'After a redirect from one host of an API to another, Firefox announces the request with the page\'s origin and then sends it with the origin null. The request is sent if the page is allowed, and the response is read only if null is.',
    cases: {
      'redirects: of a PUT to another host that allows everyone': announcedByThePage,
      'redirects: of a PUT to another host that allows the page, but not null': (standard, world, engine) => {
        const { reached, ...seen } = announcedByThePage(standard, world, engine)
        return { ...seen, reached: [...reached, `PUT ${hostOf(world.apis.other)}/exact, from null, handled by PUT /exact`] }
      }
    }
  },
  'sites have no scheme': {
    engines: ['Firefox', 'WebKit'],
    clause: 'https://html.spec.whatwg.org/#same-site',
    reason: 'http and https pages of one registrable domain are one site: SameSite=Lax and Strict cookies go from the first to the second.',
    cases: {
      'credentials: include, allowed, GET secureSite from siteApp': withAllCookies,
      'credentials: include, allowed, PUT secureSite from siteApp': withAllCookies,
      'credentials: include, not allowed, GET secureSite from siteApp': withAllCookies
    }
  },
  'responses to requests without credentials are cached apart': {
    engines: ['Firefox'],
    clause: 'https://fetch.spec.whatwg.org/#determine-the-http-cache-partition',
    reason: 'Firefox has an HTTP cache for requests without credentials: a response that an element loaded with them is loaded once more without. It never reads what it may not.',
    cases: {
      'caches: an image for everyone, without CORS and then with it': reaching((reached, { pages: { app } }) => [...reached, (reached[0] as string).replace(', handled', `, from ${app}, handled`)])
    }
  },
  'fonts load without CORS': {
    engines: ['WebKit'],
    clause: 'https://drafts.csswg.org/css-fonts/#font-fetching-requirements',
    reason: 'WebKit loads fonts as it loads images, without an Origin: no policy keeps a page from using a font.',
    cases: {
      'elements: font of everyone from app': withoutOrigin,
      'elements: font of everyone from evil': withoutOrigin,
      'elements: font of exact from app': withoutOrigin,
      'elements: font of exact from evil': readWithoutOrigin,
      'elements: font of none from app': readWithoutOrigin,
      'elements: font of null-origin from sandboxed': withoutOrigin,
      'elements: font of exact from sandboxed': readWithoutOrigin
    }
  }
}

/** Blocked requests of which explain does not name what the engine names, by case. */
export const UNFITTING_REASONS: ReadonlyArray<{ readonly engines: readonly EngineName[], readonly reason: string, readonly cases: readonly string[] }> = [
  {
    engines: ['Chromium', 'WebKit'],
    reason: 'Explain follows the standard, in which the request needs no permission: see "repeated headers are judged as one".',
    cases: ['request headers: no-headers, two times accept, together over 128 bytes']
  }
]

/** The cases in which explain's reason does not fit that of an engine. */
export function unfittingOf (engine: EngineName): string[] {
  return UNFITTING_REASONS.filter(({ engines }) => engines.includes(engine)).flatMap(({ cases }) => cases).sort()
}

/** What an engine makes of each case in which it differs. */
export function differencesOf (engine: EngineName): Map<string, Change> {
  return new Map(Object.values(KNOWN_DIFFERENCES).filter(({ engines }) => engines.includes(engine)).flatMap(({ cases }) => Object.entries(cases)))
}
