// Conformance cases: every method that a page can send (https://fetch.spec.whatwg.org/#concept-method).
import { reads } from '../../support/features'
import { notSent, readable, step, unreadable, type Area, type Case, type Meaning } from '../case'

export const methods: Area = ({ apis }) => {
  const url = `${apis.api}/exact`
  const cases: Case[] = []
  const add = (name: string, method: string, means: Meaning, to = url, from: 'app' | 'evil' = 'app', options = {}): void => {
    cases.push({ name: `methods: ${name}`, steps: [step(from, to, means, { method, ...options })] })
  }
  for (const method of ['GET', 'HEAD', 'POST']) {
    add(`${method} needs no preflight`, method, readable(`${method} /exact`))
    add(`${method} from a refused origin is not read`, method, unreadable(`${method} /exact`), url, 'evil')
  }
  for (const method of ['PUT', 'PATCH', 'DELETE', 'QUERY', 'PROPFIND', 'PURGE'].filter(reads)) {
    // Fastify refuses a QUERY that has no type: no handler would run.
    const options = method === 'QUERY' ? { body: 'text' } : {}
    add(`${method} needs a preflight`, method, readable(`${method} /exact`, 1), url, 'app', options)
    add(`${method} from a refused origin is not sent`, method, notSent(), url, 'evil')
    add(`${method} over HTTP/2`, method, readable(`${method} /exact`, 1), `${apis.secure}/exact`, 'app', options)
    add(`${method} with a body`, method, readable(`${method} /exact`, 1), url, 'app', { body: 'text' })
  }
  for (const method of ['get', 'head', 'post']) add(`${method} is normalised`, method, readable(`${method.toUpperCase()} /exact`))
  for (const method of ['put', 'delete', 'Put', 'dElEtE']) add(`${method} is normalised before its preflight`, method, readable(`${method.toUpperCase()} /exact`, 1))
  // Methods are case-sensitive, and these are not normalised: no route has them.
  for (const method of ['patch', 'Patch', 'query', 'propfind']) add(`${method} is not normalised, and no route has it`, method, notSent())
  for (const method of ['LINK', 'MKCOL', 'REPORT']) add(`${method} is not sent where no route has it`, method, notSent())
  for (const method of ['CHICKEN', 'X-CUSTOM', '*']) add(`${method}, which Node does not know, is not sent`, method, notSent())
  for (const method of ['TRACE', 'track', 'CONNECT']) add(`${method} is forbidden`, method, { result: 'blocked', preflights: 0, runs: [], failure: 'forbidden method' })
  add('OPTIONS of the user is reached after a preflight', 'OPTIONS', readable('OPTIONS /own-options', 1), `${apis.api}/own-options`)
  add('OPTIONS is not sent where no route has it', 'OPTIONS', notSent())
  add('PUT beside the user\'s OPTIONS route', 'PUT', readable('PUT /own-options', 1), `${apis.api}/own-options`)
  add('PUT beside the user\'s OPTIONS route from a refused origin', 'PUT', notSent(), `${apis.api}/own-options`, 'evil')
  add('PUT with a preflight answered by 200', 'PUT', readable('PUT /status-200', 1), `${apis.api}/status-200`)
  return cases
}
