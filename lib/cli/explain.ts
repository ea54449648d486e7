// The command `explain`: prints what app.cors.explain() answers to a question.
import type { CorsExplanation } from '../devtools/types'
import { withApplication } from './child-process'
import type { Command } from './command'
import { readHeaders, single } from './options'
import { explanationText } from './text'

export const explain: Command = {
  usage: ['explain <app> [method] <url> --origin <origin> [options]'],
  summary: 'asks whether a page may make this request, and if not, why, and what to write',
  options: ['origin', 'header', 'credentials'],
  async run ({ positionals: [file, ...rest], values, timeout }, output) {
    if (file === undefined) throw new Error('the application is missing; write explain app.js')
    if (rest.length < 1 || rest.length > 2) throw new Error('explain takes a method and a URL; write explain app.js PUT /items/7')
    const origin = single(values, 'origin', 'the origin of the page is missing; write --origin https://app.example.com')
    const [method, url] = rest.length === 1 ? ['GET', rest[0] as string] : rest as [string, string]
    const question = { origin, method, url, headers: readHeaders(values.header), credentials: values.credentials === true }
    const answer = await withApplication(file, timeout, async (application) => await application.ask({ name: 'explain', question }) as CorsExplanation)
    output.answer(answer, () => explanationText(answer, output))
    return answer.allowed ? 0 : 1
  }
}
