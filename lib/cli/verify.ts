// The command `verify`: compares what an application declares with what its deployment answers.
import type { CorsExplanation, CorsRoute } from '../devtools/types'
import { verifyDeployment, type Verification } from '../devtools/verify'
import { withApplication } from './child-process'
import type { Command, Output } from './command'
import { readUrl } from './explain'
import { networkServer } from './network'
import { coloured, markedLines } from './text'

export const verify: Command = {
  usage: ['verify <app> <https URL> [--param <name>=<value>] [--json]'],
  summary: 'compares every policy of an application with what its deployment answers; sends preflights, GET and HEAD only',
  options: ['param'],
  async run ({ positionals: [file, url, ...rest], values, timeout }, output) {
    if (file === undefined || url === undefined || rest.length > 0 || !/^https?:\/\//i.test(url)) {
      throw new Error('verify takes an application and the URL of its deployment; write verify app.js https://api.example.com')
    }
    const base = readUrl(url)
    if (base.pathname !== '/' || base.search !== '' || base.hash !== '' || base.username !== '' || base.password !== '') {
      throw new Error(`the deployment is the server alone; write verify ${file} ${base.origin}`)
    }
    const params = readParams(values.param ?? [])
    const result = await withApplication(file, timeout, async ({ ask }) => await verifyDeployment(await ask({ name: 'routes' }) as CorsRoute[], {
      base,
      params,
      ask: async (question) => await ask({ name: 'explain', question }) as CorsExplanation,
      server: networkServer(base, timeout),
      progress: (done, total) => output.progress(`${done} of ${total} answers`)
    }))
    if (result.compared === 0) {
      const reasons = result.skipped.map(({ method, url, why }) => `; ${method} ${url}: ${why}`)
      throw new Error(`nothing could be compared${reasons.join('')}`)
    }
    output.answer(result, () => verificationText(result, output))
    return result.differences.length === 0 ? 0 : 1
  }
}

function readParams (texts: readonly string[]): Map<string, string> {
  return new Map(texts.map((text) => {
    const [name = '', ...value] = text.split('=')
    if (name === '' || value.length === 0) throw new Error(`${JSON.stringify(text)} is not a parameter; write --param id=7`)
    return [name, value.join('=')]
  }))
}

function verificationText ({ compared, differences, skipped }: Verification, output: Output): string {
  const verdict = differences.length === 0 ? `${compared} answers agree with the policies` : `${differences.length} of ${compared} answers differ`
  return [
    ...differences.flatMap(({ reason, route, message }) => [
      `${coloured(reason, false, output)}\n`, markedLines(' ', route, output), markedLines(' ', message, output)
    ]),
    ...skipped.map(({ method, url, why }) => markedLines('-', `${method} ${url} was not compared: ${why}`, output)),
    `${coloured(verdict, differences.length === 0, output)}\n`
  ].join('')
}
