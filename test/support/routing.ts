// What the tests of routing share: the origins that a preflight is approved for, and those that the responses to the request itself allow.
import type { FastifyInstance } from 'fastify'
import { accessControl, approves, EVIL, FOO, preflight, request } from './index'

const SAFELISTED = ['GET', 'HEAD', 'POST']

/** The origins whose preflight for a method is approved: it is named, or needs no name. */
export async function approved (app: FastifyInstance, method: string, url: string, headers: Record<string, string> = {}, requestHeaders?: string): Promise<string[]> {
  const origins: string[] = []
  for (const origin of [FOO, EVIL]) {
    const answer = await preflight(app, method, url, { origin, headers, ...(requestHeaders !== undefined && { requestHeaders }) })
    const isAllowed = answer.statusCode < 300 && answer.headers['access-control-allow-origin'] === origin
    if (isAllowed && (approves(answer, method) || SAFELISTED.includes(method))) origins.push(origin)
  }
  return origins
}

/** The origins that may read the response to the request itself. */
export async function readable (app: FastifyInstance, method: string, url: string, headers: Record<string, string> = {}): Promise<string[]> {
  const origins: string[] = []
  for (const origin of [FOO, EVIL]) if (accessControl(await request(app, method, url, origin, { headers }))['access-control-allow-origin'] === origin) origins.push(origin)
  return origins
}

/** The methods that the preflight's answer names. */
export async function named (app: FastifyInstance, method: string, url: string, origin: string = FOO, headers: Record<string, string> = {}): Promise<string[]> {
  const answer = await preflight(app, method, url, { origin, headers })
  return String(answer.headers['access-control-allow-methods'] ?? '').split(', ').filter((name) => name !== '')
}

/** The origin that both a preflight and the response to the request that it announces allow: a list where it is none or several, a sentence where they disagree. */
export async function verdicts (app: FastifyInstance, method: string, url: string, headers: Record<string, string> = {}): Promise<unknown> {
  const answers = []
  for (const origin of [FOO, EVIL]) {
    const asked = approves(await preflight(app, method, url, { origin, headers }), method)
    const actual = accessControl(await request(app, method, url, origin, { headers: { ...headers, ...(method === 'QUERY' && { 'content-type': 'application/json' }) } }))['access-control-allow-origin'] === origin
    if (asked !== actual) return `preflight ${asked}, request ${actual} for ${origin}`
    if (asked) answers.push(origin)
  }
  return answers.length === 1 ? answers[0] : answers
}

/** A constraint of an application's own, which looks at a header. */
export function strategy (name: string, { header = `x-${name}`, mustMatchWhenDerived = false, derive }: { header?: string, mustMatchWhenDerived?: boolean, derive?: (request: { headers: Record<string, string | undefined> }) => string | undefined } = {}): Record<string, never> {
  return {
    [name]: {
      name,
      mustMatchWhenDerived,
      validate: () => {},
      storage: () => {
        const handlers = new Map<unknown, unknown>()
        return { get: (value: unknown) => handlers.get(value) ?? null, set: (value: unknown, handler: unknown) => { handlers.set(value, handler) } }
      },
      deriveConstraint: derive ?? ((request: { headers: Record<string, string | undefined> }) => request.headers[header])
    } as never
  }
}
