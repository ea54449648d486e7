// The command `routes`: prints what app.cors.routes() returns, as a table.
import type { CorsRoute } from '../devtools/types'
import { withApplication } from './child-process'
import type { Command } from './command'
import { routesText } from './text'

export const routes: Command = {
  usage: ['routes <app> [--json]'],
  summary: 'prints every route and its policy',
  options: [],
  async run ({ positionals: [file, ...rest], timeout }, output) {
    if (file === undefined) throw new Error('the application is missing; write routes app.js')
    if (rest.length > 0) throw new Error('routes takes the application alone; write routes app.js')
    const answer = await withApplication(file, timeout, async (application) => await application.ask({ name: 'routes' }) as CorsRoute[])
    output.answer(answer, () => routesText(answer, output.width))
    return 0
  }
}
