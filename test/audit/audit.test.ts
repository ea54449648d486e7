// The audit finds every planted fault, names its routes, and finds nothing in an application without faults. No handler runs.
import t from 'tap'
import { audit } from '../../lib/devtools/audit'
import { clean, planted, ran, recorded, SCOPES } from './planted'

const NOTHING = { origins: [], source: '' }

t.test('every planted fault is found, and no other', async (t) => {
  const { app, record } = await recorded(t, planted)
  const report = await audit(app, record, { origins: [], source: '' })
  t.comment(`${report.requests} requests, ${report.findings.length} findings`)
  let count = 0
  for (const [name, { expected }] of Object.entries(SCOPES)) {
    const found = report.findings.filter(({ rule, routes }) => rule !== 'unrouted-approved' && routes.some(({ url }) => url.startsWith(`/${name}/`)))
    t.same(found.map(({ level, rule }) => `${level} ${rule}`).sort(), expected, name)
    count += expected.length
  }
  t.comment(`${count} faults planted below prefixes`)
  const unrouted = report.findings.filter(({ rule }) => rule === 'unrouted-approved')
  t.equal(unrouted.length, 1)
  t.ok(unrouted[0]?.routes.some(({ method, url }) => method === 'DELETE' && url === '/unrouted/items/:id'))
  t.same(ran, [], 'no handler ran')
})

t.test('an application without faults', async (t) => {
  const { app, record } = await recorded(t, clean)
  const report = await audit(app, record, NOTHING)
  t.same(report.findings, [])
  t.same(report.unreached, [])
  t.same(ran, [], 'no handler ran')
})
