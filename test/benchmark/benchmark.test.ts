// The benchmark in bench/ does not rot: every contestant's answers are what they are asserted to be before anything is timed, the control's are not, and what
// stands in for node's responses behaves like them. Nothing is timed here. The contestants import the package by its name, so they use dist/: build first.
import { readFileSync } from 'node:fs'
import { ServerResponse } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { chart } from '../../bench/chart'
import { CONTESTANTS, type ContestantName } from '../../bench/contestants'
import { nodeAnswer, nodeRequest, nodeResponse, StubResponse, type Answer, type Sent } from '../../bench/exchange'
import { check, driver } from '../../bench/measure'
import { tables, withFigures } from '../../bench/report'
import { added, best, BESIDE, boundOf, met, paired, TARGETS, type Findings, type Results } from '../../bench/findings'
import { fault, WORKLOADS, type Workload, type WorkloadName } from '../../bench/workloads'

const ROOT = join(__dirname, '..', '..')

async function answered (name: WorkloadName, contestant: ContestantName): Promise<Answer> {
  const workload: Workload = WORKLOADS[name]
  const setup = workload.setup()
  const subject = await CONTESTANTS[contestant].load()(setup)
  try {
    return await check(workload, contestant, subject, setup)
  } finally {
    await subject.close()
  }
}

/** Those with ten times as many routes as another, and nothing else that is different, take a test too long. */
const TOO_LARGE: readonly WorkloadName[] = ['routes-10000']

for (const name of (Object.keys(WORKLOADS) as WorkloadName[]).filter((name) => !TOO_LARGE.includes(name))) {
  t.test(`the contestants of the workload ${name} answer as they must, and the control does not pass`, async (t) => {
    for (const contestant of WORKLOADS[name].contestants) {
      await t.resolves(answered(name, contestant), contestant)
    }
    await t.rejects(answered(name, 'nothing'), { name: 'WrongAnswer' }, 'the control does not pass')
  })
}

t.test('this plugin refuses the hostile preflight', async (t) => {
  const { status, headers } = await answered('preflight-hostile', 'ours')
  t.equal(status, 403)
  t.strictSame(Object.keys(headers).filter((header) => header.startsWith('access-control-')), [])
})

t.test('an answer that is late, or wrong in one thing, is not timed', async (t) => {
  const late = driver('stub', ((_request: unknown, response: StubResponse) => { setImmediate(() => response.end('ok')) }) as never, [{ method: 'GET', url: '/', headers: {} }])
  t.throws(() => late.round(10), { name: 'WrongAnswer' })
  const sent: Sent = { method: 'OPTIONS', url: '/', headers: { origin: 'https://a.example', 'access-control-request-method': 'PUT' } }
  const right: Answer = {
    status: 204,
    headers: {
      vary: 'Origin',
      'access-control-allow-origin': 'https://a.example',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'content-type'
    },
    body: ''
  }
  t.equal(fault(sent, right, 'preflight', false), undefined)
  for (const header of Object.keys(right.headers)) t.type(fault(sent, { ...right, headers: { ...right.headers, [header]: 'x' } }, 'preflight', false), 'string', header)
  t.type(fault(sent, { ...right, status: 404 }, 'preflight', false), 'string', 'the status')
  t.type(fault(sent, right, 'preflight-refused', false), 'string', 'what should have been refused')
  t.type(fault(sent, right, 'preflight', true), 'string', 'a framework alone that does CORS')
  t.type(fault(sent, undefined, 'preflight', false), 'string', 'nothing')
  t.type(fault({ ...sent, method: 'GET' }, right, 'allowed', false), 'string', 'a body')
})

t.test('the stub of a response behaves like node\'s', (t) => {
  const ending = { ended: 0, whenEnded: undefined }
  const request = nodeRequest({ method: 'GET', url: '/', headers: {} })
  const stub = new StubResponse(ending)
  const node = nodeResponse(request, ending)
  // Node adds these itself.
  node.sendDate = false
  node.shouldKeepAlive = false
  node.removeHeader('connection')
  type Common = Pick<ServerResponse, 'setHeader' | 'getHeader' | 'hasHeader' | 'removeHeader' | 'getHeaders' | 'getHeaderNames' | 'writeHead' | 'end' | 'headersSent' | 'writableEnded' | 'statusCode'>
  const steps: Array<(response: Common) => unknown> = [
    (response) => [response.getHeader('x'), response.hasHeader('x'), { ...response.getHeaders() }, response.getHeaderNames()],
    (response) => { response.removeHeader('x') },
    (response) => response.setHeader('X-One', 1) === response,
    (response) => response.setHeader('x-many', ['a', 'b']) === response,
    (response) => [response.getHeader('x-ONE'), response.hasHeader('X-one'), response.getHeader('X-Many'), response.hasHeader('other')],
    (response) => [{ ...response.getHeaders() }, response.getHeaderNames()],
    (response) => response.setHeader('x-one', '2') && response.getHeader('X-One'),
    (response) => { response.removeHeader('X-MANY') },
    (response) => [response.hasHeader('x-many'), response.getHeaderNames(), response.headersSent, response.writableEnded],
    (response) => { response.setHeader('x', undefined as never) },
    (response) => { response.setHeader('', 'value') },
    (response) => response.writeHead(201, { 'X-Two': '2', 'x-one': '3' }) === response,
    (response) => [response.headersSent, response.statusCode],
    (response) => { response.setHeader('x', 'late') },
    (response) => { response.removeHeader('x') },
    (response) => { response.writeHead(200) },
    (response) => response.end('body') === response,
    (response) => [response.writableEnded, response.headersSent]
  ]
  for (const [index, step] of steps.entries()) {
    const [one, other] = [stub as unknown as Common, node].map((response) => {
      try {
        return step(response)
      } catch {
        return 'throws'
      }
    })
    t.strictSame(one, other, `step ${index}: ${step.toString()}`)
  }
  t.equal(ending.ended, 2)
  const written = nodeAnswer(node)
  t.equal(stub.answer()?.status, written?.status)
  t.match(written?.headers, stub.answer()?.headers)
  t.end()
})

/** The same figures for everybody over HTTP, unless they are given. */
function served (microsecondsOfServer: Partial<Record<ContestantName, number[]>>): Findings {
  const findings = Object.fromEntries(Object.keys(CONTESTANTS).map((name) => [name, { measured: { microsecondsOfServer: microsecondsOfServer[name as ContestantName] ?? [100] } }]))
  return Object.fromEntries(Object.keys(WORKLOADS).map((name) => [name, findings]))
}

t.test('targets are judged by the best of all turns, those of a version of Node by its own bound', (t) => {
  const [first, second] = TARGETS as [typeof TARGETS[number], typeof TARGETS[number]]
  const fast = served({ alone: [300, 200], ours: [210, 500], theirs: [220, 220] })
  t.equal(best(fast, 'http-actual', 'alone', 'microsecondsOfServer'), 200)
  t.equal(first.value(fast), 1.05)
  t.equal(met(first, fast, '24.1.0'), true)
  t.equal(met(second, fast, '24.1.0'), true)
  t.equal(paired(fast, ['http-actual', 'ours'], ['http-actual', 'alone']), 2.5)
  const slow = served({ alone: [200], ours: [213], theirs: [219] })
  t.equal(met(first, slow, '20.1.0'), false)
  t.equal(met(second, slow, '20.1.0'), false)
  t.equal(met(first, {}, '20.1.0'), undefined)
  t.ok(Number.isNaN(added({}, 'actual-allowed', 'ours')))
  const boot = TARGETS.find(({ what }) => what.startsWith('boot')) as typeof first
  t.strictSame([boundOf(boot, '20.20.2'), boundOf(boot, '24.21.0'), boundOf(first, '20.20.2')], [1.42, 1.35, 1.06])
  t.end()
})

t.test('the figures that are published are those of results.json', (t) => {
  const found = JSON.parse(readFileSync(join(ROOT, 'bench', 'results.json'), 'utf8')) as Results
  const document = readFileSync(join(ROOT, 'docs', 'performance.md'), 'utf8')
  t.equal(withFigures(document, found), document)
  t.equal(tables(found), readFileSync(join(ROOT, 'bench', 'results.md'), 'utf8'))
  t.equal(chart(found), readFileSync(join(ROOT, 'bench', 'results.svg'), 'utf8'))
  const nodes = Object.keys(found.findings)
  t.strictSame(nodes.map((node) => node.split('.')[0]), ['20', '24'])
  for (const [index, node] of nodes.entries()) {
    const findings = found.findings[node] as Findings
    for (const name of Object.keys(WORKLOADS) as WorkloadName[]) {
      if (index > 0 && ['stub', 'await'].includes(WORKLOADS[name].kind)) continue
      t.strictSame(Object.keys(findings[name] ?? {}).sort(), ['nothing', ...WORKLOADS[name].contestants].sort(), `${name}: of all contestants`)
      t.type(findings[name]?.nothing?.wrong, 'string', `${name}: the control did not pass`)
    }
    for (const target of TARGETS) t.type(met(target, findings, node), 'boolean', target.what)
    if (index === 0) for (const { what, value } of BESIDE) t.ok(value(findings) > 0, what)
  }
  t.end()
})
