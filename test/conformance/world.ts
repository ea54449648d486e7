// The places that the conformance cases know: pages and APIs by name, each an origin of its own. All of them are this machine; the ports
// are made up where no browser runs.

export interface Ports {
  readonly pages: number
  readonly otherPages: number
  readonly securePages: number
  readonly api: number
  readonly secureApi: number
}

export const IMAGINED: Ports = { pages: 8001, otherPages: 8002, securePages: 8003, api: 8004, secureApi: 8005 }

function places ({ pages, otherPages, securePages, api, secureApi }: Ports) {
  return {
    pages: {
      app: `http://app.test:${pages}`,
      partner: `http://partner.test:${pages}`,
      /** Below app.test, one label and two. */
      sub: `http://a.app.test:${pages}`,
      deep: `http://b.a.app.test:${pages}`,
      evil: `http://evil.test:${pages}`,
      /** Ends like app.test, and begins like it. */
      lookalike: `http://evilapp.test:${pages}`,
      suffixed: `http://app.test.evil.test:${pages}`,
      otherPort: `http://app.test:${otherPages}`,
      siteApp: `http://app.site.test:${pages}`,
      siteOther: `http://other.site.test:${pages}`,
      secure: `https://app.test:${securePages}`,
      secureSite: `https://app.site.test:${securePages}`,
      secureEvil: `https://evil.test:${securePages}`,
      /** A page of the API's own origin. */
      self: `http://api.test:${api}`,
      /** A sandboxed frame, in a page of `app`. */
      sandboxed: 'null'
    },
    apis: {
      api: `http://api.test:${api}`,
      other: `http://other.test:${api}`,
      site: `http://api.site.test:${api}`,
      /** HTTP/2. */
      secure: `https://api.test:${secureApi}`,
      secureSite: `https://api.site.test:${secureApi}`
    }
  }
}

export type World = ReturnType<typeof places>
export type PageName = keyof World['pages']
export type ApiName = keyof World['apis']

export function world (ports: Ports): World {
  return places(ports)
}
