// What the demonstration's page does: the requests of MDN's three scenarios, in the order in which it makes them.

export interface Attempt {
  readonly id: string
  readonly title: string
  readonly path: string
  /** The second argument of the page's `fetch()`. */
  readonly init: {
    readonly method: string
    readonly headers: Readonly<Record<string, string>>
    readonly credentials: 'omit' | 'include'
    readonly body?: string
  }
}

export interface Scenario {
  readonly title: string
  readonly about: string
  readonly attempts: readonly Attempt[]
}

const GET = { method: 'GET', headers: {}, credentials: 'omit' } as const

const CREDENTIALED = { path: '/resources/access-control-with-credentials/', init: { ...GET, credentials: 'include' } } as const

export const SCENARIOS: readonly Scenario[] = [
  {
    title: 'Simple requests',
    about: 'A plain GET is sent at once: any page could always make such a request, with an image or a form. The response says who may read it.',
    attempts: [
      { id: 'everyone', title: 'A simple request for everyone’s data', path: '/resources/public-data/', init: GET },
      { id: 'one-origin', title: 'A simple request for one origin’s data', path: '/resources/public-data/for-one-origin/', init: GET }
    ]
  },
  {
    title: 'Preflighted requests',
    about: 'A POST of XML with a header of its own is something no form could send. The browser first asks, with an OPTIONS request, whether it may: the preflight.',
    attempts: [
      {
        id: 'preflighted',
        title: 'A preflighted POST with X-PINGOTHER',
        path: '/resources/post-here/',
        init: {
          method: 'POST',
          headers: { 'X-PINGOTHER': 'pingpong', 'Content-Type': 'application/xml' },
          credentials: 'omit',
          body: '<?xml version="1.0"?><person><name>Arun</name></person>'
        }
      }
    ]
  },
  {
    title: 'Requests with credentials',
    about: 'The page asks its browser to send cookies along. It can read the response only if that allows credentials, and names the page’s origin: “*” is not enough.',
    attempts: [
      { id: 'credentialed', title: 'A request with credentials, answered with a cookie', ...CREDENTIALED },
      { id: 'credentialed-again', title: 'The same again, with that cookie', ...CREDENTIALED }
    ]
  }
]
