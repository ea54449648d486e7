// The code of a route and of its policy, cut out of the files that declare them: what the pages show is what runs.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder examples/, also when this runs compiled: what tsc writes has the .ts files only. */
export const EXAMPLES = join(dirname(require.resolve('fastify-cors-policy/package.json')), 'examples')

const lines = ['demonstration/api.ts', 'mdn.ts'].flatMap((file) => [...readFileSync(join(EXAMPLES, file), 'utf8').split('\n'), ''])
const paragraphs = lines.join('\n').split(/\n{2,}/)

/** The policy that the route has or extends, and the declaration of the route. */
export function codeOf ({ method, url, policy }: { method: string, url: string, policy: string | null }): string {
  const named = lines.filter((line) => line.startsWith(`    ${policy}: {`)).map((line) => line.replace(/,$/, ''))
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase()
  const route = paragraphs.find((text) => text.includes(`app.${verb}('${url}'`) || (text.includes('app.route(') && text.includes(`url: '${url}'`) && text.includes(`'${method}'`)))
  return [...named, route ?? ''].map(withoutIndent).join('\n\n').trim()
}

/** Without the indent of its first line; what stands further left is no part of it. */
function withoutIndent (text: string): string {
  const [indent] = /^ */.exec(text) as RegExpExecArray
  return text.split('\n').filter((line) => line.startsWith(indent)).map((line) => line.slice(indent.length)).join('\n')
}
