// The command `explain`: prints what app.cors.explain() answers to a question, or what a deployed server makes of it.
import { explainDeployment } from '../devtools/deployment'
import type { CorsExplanation, CorsQuestion } from '../devtools/types'
import { withApplication } from './child-process'
import type { Command } from './command'
import { networkServer } from './network'
import { readHeaders, single } from './options'
import { explanationText } from './text'

export const explain: Command = {
  usage: ['explain <app> [method] <url> --origin <origin> [options]', 'explain <https URL> [method] --origin <origin> [options]'],
  summary: 'asks an application, or the deployed server itself, whether a page may make this request, and if not, why, and what to write',
  options: ['origin', 'header', 'credentials', 'reads', 'send'],
  async run ({ positionals: [target, ...rest], values, timeout }, output) {
    if (target === undefined) throw new Error('the application is missing; write explain app.js, or explain https://api.example.com/items/7')
    const isLive = /^https?:\/\//i.test(target)
    if (isLive ? rest.length > 1 : rest.length < 1 || rest.length > 2) {
      throw new Error(`explain takes a method and a URL; write explain ${isLive ? 'https://api.example.com/items/7 PUT' : 'app.js PUT /items/7'}`)
    }
    if (!isLive && values.send === true) throw new Error('an application is asked without sending the request; leave out --send')
    const origin = single(values, 'origin', 'the origin of the page is missing; write --origin https://app.example.com')
    const url = isLive ? target : rest.at(-1) as string
    const method = (isLive ? rest[0] : rest.length === 1 ? undefined : rest[0]) ?? 'GET'
    const question: CorsQuestion = {
      origin,
      method,
      url,
      headers: readHeaders(values.header),
      credentials: values.credentials === true,
      ...(values.reads !== undefined && { reads: values.reads })
    }
    const answer = isLive
      ? await explainDeployment(networkServer(readUrl(url), timeout), question, values.send === true)
      : await withApplication(target, timeout, async (application) => await application.ask({ name: 'explain', question }) as CorsExplanation)
    output.answer(answer, () => explanationText(answer, output))
    return answer.allowed ? 0 : 1
  }
}

/** The URL of a server that the user names. */
export function readUrl (text: string): URL {
  if (!URL.canParse(text)) throw new Error(`${JSON.stringify(text)} is not a URL; write one such as https://api.example.com/items/7`)
  return new URL(text)
}
