// Conformance cases: `enforceOrigin`. What a page of a refused origin sends is answered 403, and no handler runs; CORS alone only keeps such a page from reading.
import { notSent, readable, step, unreadable, type Area, type Case, type Initiator, type Meaning } from '../case'
import type { PageName } from '../world'

/** Sent without a preflight, answered 403, and so neither handled nor read. */
const refused: Meaning = { result: 'blocked', preflights: 0, runs: [], failure: 'no Access-Control-Allow-Origin' }

export const enforcement: Area = ({ apis }) => {
  const url = `${apis.api}/enforced`
  const secure = `${apis.secure}/enforced`
  const cases: Case[] = []
  const add = (name: string, from: PageName, method: string, means: Meaning, to = url, options = {}): void => {
    cases.push({ name: `enforcement: ${name}`, steps: [step(from, to, means, { method, ...options })] })
  }
  const text = { body: 'text' }
  for (const [from, to, over] of [['app', url, 'HTTP/1.1'], ['secure', secure, 'HTTP/2']] as const) {
    for (const method of ['GET', 'HEAD', 'POST']) add(`a ${method} over ${over} of an allowed page is handled`, from, method, readable(`${method} /enforced`), to)
    add(`a PUT over ${over} of an allowed page is handled`, from, 'PUT', readable('PUT /enforced', 1), to)
  }
  for (const [from, to, over] of [['evil', url, 'HTTP/1.1'], ['secureEvil', secure, 'HTTP/2']] as const) {
    for (const method of ['GET', 'HEAD', 'POST']) add(`a ${method} over ${over} of a refused page is not handled`, from, method, refused, to)
    add(`a PUT over ${over} of a refused page is not sent`, from, 'PUT', notSent(), to)
    // What a form sends (https://fetch.spec.whatwg.org/#origin-header): the page learns nothing of the answer.
    add(`a POST without CORS over ${over} of a refused page is not handled`, from, 'POST', { result: 'opaque', preflights: 0, runs: [] }, to, { mode: 'no-cors', ...text })
    // Without an Origin, nothing tells who sends it: no handler of a GET should change anything.
    add(`a GET without CORS over ${over} of a refused page has no origin, and is handled`, from, 'GET', { result: 'opaque', preflights: 0, runs: ['GET /enforced'] }, to, { mode: 'no-cors' })
  }
  for (const by of ['xhr', 'worker'] satisfies Initiator[]) add(`a GET by ${by} of a refused page is not handled`, 'evil', 'GET', refused, url, { by })
  add('a POST of a frame without an origin is not handled', 'sandboxed', 'POST', refused, url, text)
  add('without enforceOrigin, a POST of a refused page is handled', 'evil', 'POST', unreadable('POST /exact'), `${apis.api}/exact`, text)
  for (const method of ['GET', 'POST', 'PUT']) add(`a ${method} of the API's own page is handled`, 'self', method, readable(`${method} /enforced`))
  return cases
}
