// The known differences between Chromium and the Fetch standard that the conformance cases meet, by name. Nothing else may differ.
import type { World } from '../conformance/world'
import type { Comparable } from './conformance-browser'

export interface KnownDifference {
  readonly reason: string
  /** The cases, and what Chromium makes of them instead of what the standard expects. */
  readonly cases: { readonly [name: string]: (standard: Comparable, world: World) => Comparable }
}

const hostOf = (origin: string): string => new URL(origin).host

/** The wildcard allows what the standard excepts from it, so that the request is sent and the answer read. */
const readByWildcard = ({ reached }: Comparable, { apis: { api }, pages: { app } }: World): Comparable => ({
  steps: [{ result: 'readable', status: 200, body: 'GET /any-headers', headerNames: ['cache-control', 'content-language', 'content-length', 'content-type'] }],
  reasons: [],
  reached: [...reached, `GET ${hostOf(api)}/any-headers, from ${app}, handled by GET /any-headers`]
})

export const KNOWN_DIFFERENCES: { readonly [name: string]: KnownDifference } = {
  'the wildcard covers Authorization': {
    reason: 'Chromium has announced, but not made, the change to https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name: it warns in the console, and sends the request. Policies that list Authorization beside the wildcard are right in both.',
    cases: {
      'request headers: any-headers, authorization': readByWildcard,
      'request headers: any-headers, authorization and another': readByWildcard
    }
  },
  'repeated headers are judged as one': {
    reason: 'Chromium joins the values of a header that a page appends twice before it looks whether each is longer than 128 bytes (https://fetch.spec.whatwg.org/#cors-safelisted-request-header), so it asks for permission where the standard does not.',
    cases: {
      'request headers: no-headers, two times accept, together over 128 bytes': (_standard, { apis: { api }, pages: { app } }) => ({
        steps: [{ result: 'blocked' }],
        reasons: ['HeaderDisallowedByPreflightResponse'],
        reached: [`OPTIONS ${hostOf(api)}/no-headers, from ${app}, asking for GET and accept, not handled`]
      })
    }
  },
  'one preflight is remembered for each URL': {
    reason: 'Chromium keeps the last answer to a preflight of an origin and URL, where the standard collects them (https://fetch.spec.whatwg.org/#concept-cache): two policies of one URL cost a page more preflights, and never fewer.',
    cases: {
      'preflights: one for each policy of one URL': ({ steps, reasons, reached }) => {
        const asking = (method: string): string => (reached.find((line) => line.includes('asking for PATCH')) as string).replace('PATCH', method)
        const [put, sentPut, patch, sentPatch, sentDelete, sentPatchAgain] = reached as [string, string, string, string, string, string]
        return { steps, reasons, reached: [put, sentPut, patch, sentPatch, asking('DELETE'), sentDelete, asking('PATCH'), sentPatchAgain] }
      }
    }
  }
}
