// The requests that the demonstration's pages offer to try: some for every kind of policy, and those of the three scenarios of MDN's article.

export interface Preset {
  readonly id: string
  readonly title: string
  readonly method: string
  readonly path: string
  /** As a page sets them, in this order. */
  readonly headers?: ReadonlyArray<readonly [name: string, value: string]>
  readonly credentials?: boolean
  readonly body?: string
}

export interface PresetGroup {
  readonly title: string
  readonly about: string
  readonly presets: readonly Preset[]
}

const SAVE: Omit<Preset, 'id' | 'title'> = { method: 'PUT', path: '/items/7', headers: [['Content-Type', 'application/json']], credentials: true, body: '{"name":"pencil"}' }
const GREETING: Omit<Preset, 'id' | 'title'> = { method: 'GET', path: '/resources/access-control-with-credentials/', credentials: true }

export const GROUPS: readonly PresetGroup[] = [
  {
    title: 'Named policies',
    about: 'A policy for everyone, one for a partner, one for a list of tenants, and none.',
    presets: [
      { id: 'partner', title: 'Partner', ...SAVE },
      { id: 'public', title: 'Public', method: 'GET', path: '/status' },
      { id: 'off', title: 'Off', method: 'GET', path: '/internal' },
      { id: 'tenants', title: 'Tenants', method: 'GET', path: '/orders' }
    ]
  },
  {
    title: 'Mistakes',
    about: 'What developers run into: explain says what to write.',
    presets: [
      { id: 'header', title: 'A header too many', ...SAVE, headers: [['Content-Type', 'application/json'], ['X-Request-Id', '1']] },
      { id: 'credentials', title: 'Cookies for “*”', method: 'GET', path: '/status', credentials: true },
      { id: 'method', title: 'A method without a route', method: 'DELETE', path: '/items/7' },
      { id: 'route', title: 'A wrong path', method: 'PUT', path: '/item/7' }
    ]
  },
  {
    title: 'MDN: simple requests',
    about: 'A plain GET is sent at once: any page could always make such a request, with an image or a form. The response says who may read it.',
    presets: [
      { id: 'everyone', title: 'Everyone’s data', method: 'GET', path: '/resources/public-data/' },
      { id: 'one-origin', title: 'One origin’s data', method: 'GET', path: '/resources/public-data/for-one-origin/' }
    ]
  },
  {
    title: 'MDN: preflighted requests',
    about: 'A POST of XML with a header of its own is something no form could send. The browser first asks, with an OPTIONS request, whether it may: the preflight.',
    presets: [
      {
        id: 'preflighted',
        title: 'POST with X-PINGOTHER',
        method: 'POST',
        path: '/resources/post-here/',
        headers: [['X-PINGOTHER', 'pingpong'], ['Content-Type', 'application/xml']],
        body: '<?xml version="1.0"?><person><name>Arun</name></person>'
      }
    ]
  },
  {
    title: 'MDN: requests with credentials',
    about: 'The page asks its browser to send cookies along. It can read the response only if that allows credentials, and names the page’s origin: “*” is not enough.',
    presets: [
      { id: 'credentialed', title: 'GET with cookies', ...GREETING },
      { id: 'credentialed-again', title: 'The same again', ...GREETING }
    ]
  }
]
