// Finds out with which options Fastify's router runs. `initialConfig` is not enough: Fastify 5.5 to 5.12 shows defaults there where options are given in both
// places, and converts values that the router gets as they are. So the router is asked for URLs of a route that is known, written in several ways.
import type { FastifyInstance } from 'fastify'
import type { Constraints } from './router-entries'
import { addPath, createRouter, findParams, type Params, type RouterOptions } from './second-router'

/** A route of Fastify's router that only requests with these constraints reach. */
export interface KnownRoute {
  readonly method: string
  readonly path: string
  readonly constraints: Constraints
}

/**
 * The options under which a second router finds the known routes as Fastify's router does, for every way in which their URLs can be written. Undefined if
 * there are none.
 */
export function routerOptions (root: FastifyInstance, known: readonly KnownRoute[]): RouterOptions | undefined {
  const shown = shownOptions(root)
  const samples = SHAPES.flatMap((shape) => known.find(({ path }) => shape.test(path)) ?? []).map(sampleOf)
  return [...shown, ...alternatives(shown)].find((options) => samples.every((sample) => agree(root, sample, options)))
}

/** One known route of each shape is asked for: a static path with letters, one that ends in a parameter, one that ends in a wildcard. */
const SHAPES = [/^\/[^:*()]*[a-z][^:*()]*$/i, /^\/[^:*()]*:[^/:*().-]+$/, /^\/[^:*()]*\*$/]

/** What `initialConfig` shows: the options at its top level, and those of `routerOptions`. */
function shownOptions (root: FastifyInstance): RouterOptions[] {
  const { routerOptions: nested = {}, ...top } = root.initialConfig as Record<string, unknown> & { routerOptions?: Record<string, unknown> }
  return [nested, top].map((shown) => {
    const { caseSensitive, ignoreTrailingSlash, ignoreDuplicateSlashes, useSemicolonDelimiter, maxParamLength }: Record<string, unknown> = { ...top, ...shown }
    return {
      caseSensitive: caseSensitive !== false,
      ignoreTrailingSlash: ignoreTrailingSlash === true,
      ignoreDuplicateSlashes: ignoreDuplicateSlashes === true,
      useSemicolonDelimiter: useSemicolonDelimiter === true,
      maxParamLength: typeof maxParamLength === 'number' ? maxParamLength : DEFAULT_MAX_PARAM_LENGTH
    }
  })
}

const DEFAULT_MAX_PARAM_LENGTH = 100

/** Every combination of the options. */
function alternatives (shown: readonly RouterOptions[]): RouterOptions[] {
  const lengths = [...new Set([...shown.map(({ maxParamLength }) => maxParamLength), DEFAULT_MAX_PARAM_LENGTH])]
  return BOOLEANS.flatMap((caseSensitive) => BOOLEANS.flatMap((ignoreTrailingSlash) => BOOLEANS.flatMap((ignoreDuplicateSlashes) =>
    BOOLEANS.flatMap((useSemicolonDelimiter) => lengths.map((maxParamLength) =>
      ({ caseSensitive, ignoreTrailingSlash, ignoreDuplicateSlashes, useSemicolonDelimiter, maxParamLength }))))))
}

const BOOLEANS = [true, false] as const

/** A URL of a known route. */
interface Sample {
  readonly route: KnownRoute
  readonly url: string
  /** Whether it ends in a parameter, whose length is limited. */
  readonly hasParam: boolean
}

function sampleOf (route: KnownRoute): Sample {
  const url = route.path.replace(/:.*|\*$/, 'x')
  return { route, url, hasParam: route.path.includes(':') }
}

/** Whether both routers find the same parameters for a URL, however it is written. */
function agree (root: FastifyInstance, { route, url, hasParam }: Sample, options: RouterOptions): boolean {
  const second = createRouter(options)
  addPath(second, route.path, options, {}, null)
  const ask = (way: string): ReturnType<FastifyInstance['findRoute']> | null =>
    root.findRoute({ method: route.method as never, url: way, constraints: route.constraints as never })
  const found = ask(url)
  if (found === null) return false
  const { maxParamLength } = options
  const long = hasParam ? [url + 'x'.repeat(maxParamLength - 1), url + 'x'.repeat(maxParamLength)] : []
  return [...waysToWrite(url), ...long].every((way) => {
    const other = ask(way)
    // For a parameter that is too long, also one of another route, Fastify's router finds another handler.
    return haveSameParams(other?.handler === found.handler ? other.params : null, findParams(second, way))
  })
}

/** The ways to write a URL that the options of the router tell apart. */
function waysToWrite (url: string): string[] {
  return [url, url.toUpperCase(), url.toLowerCase(), `${url}/`, `/${url}`, `${url}//`, url.replaceAll('/', '//'), `${url};x=y`]
}

/** Whether two routers found the same parameters, or none of them found a route. */
export function haveSameParams (one: Params | null, other: Params | null): boolean {
  if (one === null || other === null) return one === other
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
}
