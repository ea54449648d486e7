// The command `audit`: asks any application from origins that an attacker could use, and prints what is wrong.
import { relative, sep } from 'node:path'
import { sarifOf } from '../devtools/audit-sarif'
import type { AuditReport } from '../devtools/audit-types'
import { printable } from '../messages/errors'
import { auditText } from './audit-text'
import { withApplication } from './child-process'
import type { Command } from './command'

export const audit: Command = {
  usage: ['audit <app> [--origin <origin>] [--json | --sarif]'],
  summary: 'tries origins that an attacker could use on every route, whatever sets the CORS headers; no handler runs',
  options: ['origin', 'sarif'],
  async run ({ positionals: [file, ...rest], values, timeout }, output) {
    if (file === undefined) throw new Error('the application is missing; write audit app.js')
    if (rest.length > 0) throw new Error('audit takes the application alone; write audit app.js --origin https://app.example.com')
    if (values.sarif === true && values.json === true) throw new Error('the report is printed once; write --json or --sarif')
    const origins = readOrigins(values.origin)
    const report = await withApplication(file, timeout, async (application) =>
      await application.ask({ name: 'audit', origins }) as AuditReport, { record: true })
    if (report.routes === 0) throw new Error('no route was reached, so nothing was audited; export an application that has routes')
    const uri = relative(process.cwd(), file).split(sep).join('/')
    output.answer(report, () => values.sarif === true ? jsonText(sarifOf(report, uri)) : auditText(report, output))
    return report.findings.length === 0 ? 0 : 1
  }
}

/** The origins of `--origin`, as browsers write them. */
export function readOrigins (texts: readonly string[] = []): string[] {
  return texts.map((text) => {
    if (URL.canParse(text) && new URL(text).origin !== 'null') return new URL(text).origin
    throw new Error(`--origin ${printable(text)} is not the origin of a site; write --origin https://app.example.com`)
  })
}

/** JSON without characters that a terminal acts on: as escapes of JSON strings, they mean the same. */
function jsonText (value: object): string {
  return `${JSON.stringify(value, null, 2).split('\n').map(printable).join('\n')}\n`
}
