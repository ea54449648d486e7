// Which requests the inspector answers: those of its own page, on this machine. Any other page that a developer has open may send requests here too.
import { isIPv4 } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { quote } from '../errors'

/** No code and no style but the inspector's own files, no text that is read as HTML, no request to another origin, no frame around it. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'",
  "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"
].join('; ')

/** For every response of the inspector. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff'
}

/** The hook that turns requests away, and sets the headers of every response. */
export function guard (hosts: ReadonlySet<string>): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined> {
  return async (request, reply) => {
    reply.headers(HEADERS)
    const why = whyRefused(request, hosts)
    if (why === undefined) return undefined
    request.log.warn(`fastify-cors-policy/inspector answered 403: ${why}`)
    return await reply.code(403).type('text/plain; charset=utf-8').send('Forbidden')
  }
}

function whyRefused ({ method, headers }: FastifyRequest, hosts: ReadonlySet<string>): string | undefined {
  // What the browser asked for: Host, or :authority in HTTP/2; not X-Forwarded-Host, which anybody may send.
  const given = [headers.host, headers[':authority']].flat().filter((host) => host !== undefined)
  if (given.length === 0) return 'the request names no host'
  const stranger = given.find((host) => !isAllowed(host, hosts))
  if (stranger !== undefined) return `the host ${quote(stranger)} is neither loopback nor one of the option "hosts"; if it leads to you, add its name there`
  if (method === 'GET' || method === 'HEAD') return undefined
  // Fetch metadata is not sent to every host that is not https: the content type alone already takes a preflight, which nothing here approves.
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return `the request comes from a page of another origin (Sec-Fetch-Site: ${quote(site)})`
  return isJson(headers['content-type']) ? undefined : 'the content type is not application/json'
}

/** A host and an optional port, https://www.rfc-editor.org/rfc/rfc9110#name-host-and-authority */
const HOST = /^(\[[\da-f:.]+\]|[^:[\]]+)(?::\d{1,5})?$/

function isAllowed (host: string, hosts: ReadonlySet<string>): boolean {
  const name = HOST.exec(host.toLowerCase())?.[1]
  return name !== undefined && (isLoopback(name) || hosts.has(name))
}

/** Names that browsers never ask DNS for, and addresses of this machine. https://w3c.github.io/webappsec-secure-contexts/#is-origin-trustworthy */
function isLoopback (name: string): boolean {
  return /^(?:[\w-]+\.)*localhost$/.test(name) || name === '[::1]' || (name.startsWith('127.') && isIPv4(name))
}

function isJson (type: string | undefined): boolean {
  return type !== undefined && /^application\/json[\t ]*(?:;|$)/i.test(type)
}
