// The policies of the conformance cases. Routes of each are at `/<name>`: see application.ts.
import type { RouteCors } from '../../lib/index'
import type { World } from './world'

/** `undefined`: the route declares nothing, and there is no default policy. */
export function policiesOf ({ pages: { app, partner, siteApp, siteOther, secure, secureSite, secureEvil } }: World) {
  const port = new URL(app).port
  const insecure = { credentials: true, dangerouslyAllowInsecureOrigins: true } as const
  return {
    // Who.
    everyone: { origin: '*' },
    exact: { origin: app },
    list: { origin: [app, partner, siteApp, siteOther, secure] },
    pattern: { origin: `http://*.app.test:${port}` },
    'any-port': { origin: 'http://app.test:*' },
    regexp: { origin: [/^http:\/\/(?:app|partner)\.test:\d+$/] },
    function: { origin: async (origin: string) => new URL(origin).hostname === 'app.test' },
    'failing-function': { origin: () => { throw new Error('out of order') } },
    'null-origin': { origin: ['null'] },
    none: false,
    undeclared: undefined,
    enforced: { origin: [app, secure], enforceOrigin: true },
    // Credentials.
    credentials: { origin: [app, siteApp, secure, secureSite, secureEvil], ...insecure },
    'no-credentials': { origin: [app, siteApp, secure, secureSite, secureEvil] },
    'credentials-for-some': { origin: '*', credentials: [siteApp, secureSite], dangerouslyAllowInsecureOrigins: true },
    'credentials-for-few': { origin: [app, siteOther], credentials: [siteApp], dangerouslyAllowInsecureOrigins: true },
    'credentials-for-some-headers': { origin: '*', credentials: [siteApp], allowedHeaders: '*', exposedHeaders: ['ETag'], maxAge: 600, dangerouslyAllowInsecureOrigins: true },
    // Request headers.
    'no-headers': { origin: app, allowedHeaders: [] },
    'listed-headers': { origin: app, allowedHeaders: ['X-One', 'x-two', 'If-Match', 'If-None-Match'] },
    'many-headers': { origin: app, allowedHeaders: Array.from({ length: 100 }, (_, index) => `X-Number-${index}`) },
    'any-headers': { origin: app, allowedHeaders: '*' },
    'any-headers-and-authorization': { origin: app, allowedHeaders: ['*', 'Authorization'] },
    'authorization-listed': { origin: app, allowedHeaders: ['authorization'] },
    'any-headers-with-credentials': { origin: app, allowedHeaders: '*', ...insecure },
    'listed-headers-with-credentials': { origin: app, allowedHeaders: ['X-One'], ...insecure },
    'content-type': { origin: app, allowedHeaders: ['Content-Type'] },
    range: { origin: app, allowedHeaders: ['Range'] },
    // Response headers.
    'exposes-nothing': { origin: app, exposedHeaders: [] },
    'exposes-some': { origin: app, exposedHeaders: ['ETag', 'x-request-id'] },
    'exposes-some-with-credentials': { origin: app, exposedHeaders: ['ETag', 'x-request-id'], ...insecure },
    'exposes-all': { origin: app, exposedHeaders: '*' },
    'everyone-exposes-all': { origin: '*', exposedHeaders: '*' },
    // Preflights.
    kept: { origin: [app, partner], allowedHeaders: ['X-One', 'X-Two'], maxAge: 600 },
    'kept-for-a-day': { origin: app, maxAge: 86400 },
    'not-kept': { origin: app, allowedHeaders: ['X-One'], maxAge: 0 },
    'kept-any-headers': { origin: '*', allowedHeaders: '*', maxAge: 600 },
    'kept-credentials': { origin: app, allowedHeaders: ['X-One'], maxAge: 600, ...insecure },
    'status-200': { origin: app, optionsSuccessStatus: 200 }
  } satisfies { [name: string]: RouteCors | undefined }
}

export type PolicyName = keyof ReturnType<typeof policiesOf>
