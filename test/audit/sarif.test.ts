// The SARIF log of an audit, against the schema of SARIF 2.1.0.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Ajv from 'ajv'
import t from 'tap'
import { audit } from '../../lib/devtools/audit'
import { sarifOf } from '../../lib/devtools/audit-sarif'
import type { AuditReport } from '../../lib/devtools/audit-types'
import { clean, planted, recorded } from './planted'

const { $schema: draft, id, ...schema } = JSON.parse(readFileSync(join(__dirname, '../../node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8'))
// The schema is of draft 4, and has nothing that later drafts read in another way. Of the formats, `uri` is checked here.
const ajv = new Ajv({ strict: false, unicodeRegExp: false, formats: { uri: (text: string) => URL.canParse(text), 'uri-reference': (text: string) => URL.canParse(text, 'file:///'), 'date-time': true } })
const validate = ajv.compile(schema)

interface Result { ruleId: string, level: string, locations: Array<{ physicalLocation: { artifactLocation: { uri: string }, region: { startLine: number } }, logicalLocations: Array<{ fullyQualifiedName: string }> }> }

async function logOf (report: AuditReport): Promise<Result[]> {
  const log = sarifOf(report, 'app.js') as { runs: Array<{ results: Result[] }> }
  t.ok(validate(log), JSON.stringify(validate.errors))
  return log.runs[0]?.results ?? []
}

t.test('the log of planted faults is valid, and has a result for each route of each finding, where the route is declared', async (t) => {
  const { app, record } = await recorded(t, planted)
  const report = await audit(app, record, { origins: [], source: '' })
  const results = await logOf(report)
  t.equal(results.length, report.findings.reduce((sum, { routes }) => sum + routes.length, 0))
  const reflected = results.find(({ ruleId, level }) => ruleId === 'reflects-any-origin' && level === 'error')
  t.match(reflected?.locations, [{ physicalLocation: { artifactLocation: { uri: 'test/audit/planted.ts' } }, logicalLocations: [{ fullyQualifiedName: 'PUT /reflects/items/:id' }] }])
  const line = readFileSync(join(__dirname, 'planted.ts'), 'utf8').split('\n')[(reflected?.locations[0]?.physicalLocation.region.startLine ?? 0) - 1]
  t.match(line, "scope.put('/items/:id'")
  const unrouted = results.find(({ ruleId }) => ruleId === 'unrouted-approved')
  t.match(unrouted?.locations, [{ physicalLocation: { artifactLocation: { uri: 'app.js' }, region: { startLine: 1 } } }], 'what no line declares is in the application\'s file')
})

t.test('the log of an application without faults is valid, and has no results', async (t) => {
  const { app, record } = await recorded(t, clean)
  t.same(await logOf(await audit(app, record, { origins: [], source: '' })), [])
})

t.test('the schema refuses what is no SARIF', async (t) => {
  t.notOk(validate({ version: '2.1.0', runs: [{ results: [{ level: 'bad', message: {} }] }] }))
})
