// Hooks that many routes share. Fastify binds every hook of every route to the route's instance, which makes a function each time.

/** The same hook, which has no use for `this`, so that binding it gives the hook itself. */
export function unbound<Hook extends (...args: never[]) => unknown> (hook: Hook): Hook {
  return Object.assign(hook, { bind: () => hook })
}
