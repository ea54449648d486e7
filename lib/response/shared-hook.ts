// Marks a hook that many routes share. Fastify calls `bind` on every hook of every route, which would create a new function for each route. Whatever adds a
// hook calls it: response.ts, preflight/generated-route.ts and plugin.ts.

/** Returns the hook itself, with a `bind` that returns the hook as well. The hook must not use `this`. */
export function sharedHook<Hook extends (...args: never[]) => unknown> (hook: Hook): Hook {
  hook.bind = returnThis
  return hook
}

function returnThis<Hook> (this: Hook): Hook {
  return this
}
