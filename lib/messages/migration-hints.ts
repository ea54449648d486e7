// Options that this plugin does not have, and what to write instead: options of other CORS plugins (above all @fastify/cors), and options
// written in the wrong place.
import { quote } from './errors'

/** An option that this plugin does not have at this place. */
interface ForeignOption {
  readonly key: string
  readonly value: unknown
  /** Whether it is written among the plugin's options. Otherwise it is written in a policy. */
  readonly isPluginOption: boolean
}

/** Says what to write instead of an option. */
type Replacement = (option: ForeignOption) => string

const PREFLIGHTS_ARE_ANSWERED = 'leave it out: a preflight of a route that has a policy is answered before any handler runs'
const USE_OWN_OPTIONS_ROUTE = 'write cors: false on a route whose preflights go to your own OPTIONS route'

/** By option name. */
const REPLACEMENTS: ReadonlyMap<string, Replacement> = new Map<string, Replacement>([
  // options of @fastify/cors
  ['methods', () => 'leave it out: a preflight allows the methods that the URL has routes for'],
  ['delegator', () => 'leave it out: give each route its policy in config.cors, or decide in a policy\'s function: ' +
    'origin: (origin, request) => boolean'],
  ['hook', () => 'leave it out: preflights are answered and headers are set in onRequest'],
  ['preflight', ({ value }) => value === false ? `leave it out, and ${USE_OWN_OPTIONS_ROUTE}` : PREFLIGHTS_ARE_ANSWERED],
  ['preflightContinue', ({ value }) => value === true ? `leave it out, and ${USE_OWN_OPTIONS_ROUTE}` : PREFLIGHTS_ARE_ANSWERED],
  ['strictPreflight', () => 'leave it out: an OPTIONS request without Origin or Access-Control-Request-Method is no preflight, ' +
    'and goes to your own OPTIONS route'],
  ['cacheControl', () => 'leave it out, and write maxAge: 600, for how many seconds a browser may cache a preflight response'],
  ['hideOptionsRoute', moveToRegister],
  ['logLevel', moveToRegister],
  // options of this plugin, written in a policy
  ['policies', moveToRegister],
  ['defaultPolicy', moveToRegister],
  // other names for `extends`
  ['extend', useExtends],
  ['policy', useExtends],
  // options of other plugins and frameworks
  ['origins', useField('origin')],
  ['headers', useField('allowedHeaders')],
  ['exposeHeaders', useField('exposedHeaders')],
  ['allowCredentials', useField('credentials')],
  ['supportsCredentials', useField('credentials')]
])

/** What to write instead of an option that does not exist; undefined for an option that no plugin is known to have. */
export function replacementOf (option: ForeignOption): string | undefined {
  return REPLACEMENTS.get(option.key)?.(option)
}

function moveToRegister ({ key, value }: ForeignOption): string {
  return `it belongs where the plugin is registered; write app.register(cors, { ${key}: ${isPlain(value) ? quote(value) : '…'} })`
}

function useExtends ({ value, isPluginOption }: ForeignOption): string {
  return `write ${isPluginOption ? 'defaultPolicy' : 'extends'}: ${typeof value === 'string' ? quote(value) : '"a name"'}`
}

function isPlain (value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean'
}

function useField (name: string): Replacement {
  return ({ isPluginOption }) => isPluginOption
    ? `write defaultPolicy: { ${name}: … } for the routes that declare none`
    : `did you mean ${quote(name)}?`
}

/** Whether this field has another name for `extends`, and a value that `extends` can have. */
export function isMeantAsExtends (key: string, value: unknown): boolean {
  return REPLACEMENTS.get(key) === useExtends && typeof value === 'string'
}

const COMMENTS = /\/\*[^]*?\*\/|\/\/[^\n]*/g

/** The source of a function with two parameters; captures the name of the second. */
const TWO_PARAMETERS = /^(?:async\b\s*)?(?:function\b\s*)?(?:[\w$]+\s*)?\(\s*[\w$]+[^,()]*,\s*([\w$]+)/

const CALLBACK = /^_?(?:cb|callback|done|next)$/i

/** Whether a function calls back with its decision, as those of @fastify/cors do. This plugin passes no callback, so it would never decide. */
export function isCallbackStyle (decide: (...parameters: never[]) => unknown): boolean {
  const source = Function.prototype.toString.call(decide)
  if (!source.includes(',')) return false // it has at most one parameter
  const [, second = ''] = TWO_PARAMETERS.exec(source.replace(COMMENTS, '')) ?? []
  return CALLBACK.test(second)
}
