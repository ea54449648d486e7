// What the contract says about a response (README, "Actual responses" and "Preflights"), in the plainest words, and whether an observed one keeps to it.
import { FOO } from '../../support/origins'
import type { Observed } from './application'
import type { Ending, Hook, Policy } from './ending'

/** The most that a policy permits to an origin. */
function permission ({ origin, credentials }: Policy, asking: string | undefined): { origin: string, credentials: boolean } | undefined {
  switch (origin) {
    case 'any': return { origin: '*', credentials: false }
    case 'list': case 'sync': case 'async': case 'slow': return asking === FOO ? { origin: FOO, credentials } : undefined
    default: return undefined // it is false, or its function never says true
  }
}

/** Whether the answer is known as soon as it is asked for, so that nothing can come before it. */
function isImmediate ({ origin }: Policy): boolean {
  return origin !== 'async' && origin !== 'slow' && origin !== 'never'
}

/** Whether CORS has a say: 404s only have the default policy. */
function isGoverned ({ target, policy, origin }: Ending): boolean {
  if (policy.origin === false) return target === 'route' && !policy.isDefault
  return target === 'route' || (target === 'preflight' && origin !== undefined) || policy.isDefault
}

/**
 * Whether a hook of the application's called the not-found handler before the plugin's hooks, and one for responses failed then. Without a default policy, the
 * plugin has no say about the 404.
 */
function isUnseen ({ hooks, target, policy }: Ending, trace: readonly string[]): boolean {
  const runsBefore = ({ order, stage }: Hook): boolean => order === 'before' || ((target === 'route' || target === 'preflight') && (order === 'after' || stage === 'onSend'))
  const wasHandedOver = trace.some((entry) => / onRequest notFound/.test(entry)) && !policy.isDefault
  return wasHandedOver && hooks.some((hook) => hook.stage === 'onSend' && (hook.action === 'throws' || hook.action === 'once') && runsBefore(hook))
}

/** Whether a hook that was registered before the plugin answered or threw before the plugin's own hooks ran: its response is its own (SECURITY.md). */
function isBeforeUs (trace: readonly string[]): boolean {
  return trace.some((entry) => /^before onRequest (?:sends|throws|notFound|raw)/.test(entry))
}

/** What is wrong with the response; empty if nothing is. */
export function faults (ending: Ending, { headers, status, trace }: Observed): string[] {
  const { policy, origin, target } = ending
  if (headers === undefined || !isGoverned(ending) || isUnseen(ending, trace) || isBeforeUs(trace)) return []
  const isPreflight = target === 'preflight' || target === 'lost'
  // A preflight that no policy approves gets nothing from any. Without Origin it is none.
  const refuses = isPreflight && origin !== undefined && ((target === 'lost' && !policy.isDefault) || policy.origin === false)
  const allowed = refuses ? undefined : permission(policy, origin)
  const found: string[] = []
  const expect = (holds: boolean, text: string): void => { if (!holds) found.push(`${text} (status ${status})`) }

  const sent = headers['access-control-allow-origin']
  expect(sent === undefined || sent === allowed?.origin, `Access-Control-Allow-Origin is ${sent}, at most ${allowed?.origin}`)
  const withCredentials = headers['access-control-allow-credentials']
  expect(withCredentials === undefined || (sent !== undefined && allowed?.credentials === true && withCredentials === 'true'), `Access-Control-Allow-Credentials is ${withCredentials}`)
  const exposed = headers['access-control-expose-headers']
  // What a handler or a hook exposes is added where the policy leaves that to the route.
  const mayExpose = policy.exposes ? 'X-Exposed' : 'X-Secret'
  expect(exposed === undefined || (sent !== undefined && !isPreflight && exposed === mayExpose), `Access-Control-Expose-Headers is ${exposed}`)
  for (const name of ['access-control-allow-methods', 'access-control-allow-headers', 'access-control-max-age', 'access-control-allow-private-network']) {
    const value = headers[name]
    const answers = isPreflight && !refuses && origin !== undefined && sent !== undefined && name !== 'access-control-max-age' && value !== 'DELETE' && value !== 'X-Any' && value !== 'true'
    expect(value === undefined || answers, `${name} is ${String(value)}`)
  }

  // A preflight that a hook hands to the not-found handler, where a hook for responses fails, is a 404 like another: it varies as the default policy says.
  const isNotFound = trace.some((entry) => / onRequest notFound/.test(entry)) && trace.some((entry) => / onSend throws/.test(entry))
  const varies = isPreflight && !isNotFound && target === 'preflight' && policy.origin !== false && origin !== undefined
    ? ['origin', 'access-control-request-method', 'access-control-request-headers']
    : policy.origin !== false && policy.origin !== 'any' ? ['origin'] : []
  const listed = (headers.vary ?? '').split(',').map((name) => name.trim().toLowerCase())
  for (const name of varies) expect(listed.filter((other) => other === name).length === 1, `Vary is ${headers.vary}, without ${name} or with it twice`)

  // Where nothing has to be waited for, and no hook ends the request before the plugin is asked, what is permitted is there.
  const isAnswered = target !== 'preflight' || origin === undefined || !trace.some((entry) => / onRequest /.test(entry) && !entry.startsWith('after'))
  if (allowed !== undefined && isImmediate(policy) && isAnswered) {
    expect(sent === allowed.origin, `Access-Control-Allow-Origin is ${sent}, not ${allowed.origin}`)
    expect((withCredentials === 'true') === allowed.credentials, 'the permission for credentials is missing')
  }
  return found
}
