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
import { withColdStarts, type ColdStarts } from '../../bench/cold-start-report'
import { tables, withTargets } from '../../bench/report'
import { added, best, BESIDE, met, TARGETS, type Results } from '../../bench/findings'
import { fault, WORKLOADS, type Workload, type WorkloadName } from '../../bench/workloads'

const ROOT = join(__dirname, '..', '..')

/** What is wrong with answers of others, and is no fault of the benchmark: they are not timed at this. */
const KNOWN_FAULTS: Readonly<Record<string, RegExp>> = {
  'hapiCors at node-preflight': /Vary is undefined$/
}

async function answered (name: WorkloadName, contestant: ContestantName): Promise<Answer> {
  const workload: Workload = WORKLOADS[name]
  const setup = workload.setup()
  const subject = await CONTESTANTS[contestant].load()(setup)
  try {
    return await check(workload, contestant, subject, setup)
  } finally {
    await subject.close?.()
  }
}

/** Those with ten times as many routes as another, and nothing else that is different, take a test too long. */
const TOO_LARGE: readonly WorkloadName[] = ['routes-10000', 'routes-10000-spread']

for (const name of (Object.keys(WORKLOADS) as WorkloadName[]).filter((name) => !TOO_LARGE.includes(name))) {
  t.test(`the contestants of the workload ${name} answer as they are known to, and the control does not pass`, async (t) => {
    for (const contestant of WORKLOADS[name].contestants) {
      const known = KNOWN_FAULTS[`${contestant} at ${name}`]
      if (known === undefined) await t.resolves(answered(name, contestant), contestant)
      else await t.rejects(answered(name, contestant), { message: known }, `${contestant}: its fault is known`)
    }
    await t.rejects(answered(name, 'nothing'), { name: 'WrongAnswer' }, 'the control does not pass')
  })
}

t.test('this plugin refuses the hostile preflight', async (t) => {
  for (const contestant of ['ours', 'oursDefault'] as const) {
    const { status, headers } = await answered('preflight-hostile', contestant)
    t.equal(status, 403)
    t.strictSame(Object.keys(headers).filter((header) => header.startsWith('access-control-')), [])
  }
})

t.test('an answer that is late, or wrong in one thing, is not timed', async (t) => {
  const late = driver('stub', { handle: ((_request: unknown, response: StubResponse) => { setImmediate(() => response.end('ok')) }) as never }, [{ method: 'GET', url: '/', headers: {} }])
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

/** The same figure for everybody, unless it is given. */
function results (nanoseconds: Partial<Record<ContestantName, number[]>>): Results {
  const findings = Object.fromEntries(Object.keys(CONTESTANTS).map((name) => [name, { measured: { nanoseconds: nanoseconds[name as ContestantName] ?? [100] } }]))
  const workloads = Object.fromEntries(Object.keys(WORKLOADS).map((name) => [name, findings]))
  return { date: '2000-01-01T00:00:00Z', machine: { processor: '', cores: 1, memory: '', system: '', node: '' }, versions: {}, method: { processes: 1, milliseconds: 1 }, workloads }
}

t.test('targets are judged by the best of all processes', (t) => {
  const [first, second] = TARGETS as [typeof TARGETS[number], typeof TARGETS[number]]
  const fast = results({ alone: [300, 200], hand: [300, 900], ours: [314, 500], theirs: [600] })
  t.equal(best(fast, 'actual-allowed', 'alone'), 200)
  t.equal(added(fast, 'actual-allowed', 'ours'), 114)
  t.equal(first.value(fast), 1.14)
  t.equal(met(first, fast), true)
  t.equal(met(second, fast), true)
  const slow = results({ alone: [200], hand: [300], ours: [316], theirs: [400] })
  t.equal(met(first, slow), false)
  t.equal(met(second, slow), false)
  t.equal(met(first, { ...slow, workloads: {} }), undefined)
  t.end()
})

t.test('the figures that are published are those of results.json and cold-start.json', (t) => {
  const found = JSON.parse(readFileSync(join(ROOT, 'bench', 'results.json'), 'utf8')) as Results
  const document = readFileSync(join(ROOT, 'docs', 'performance.md'), 'utf8')
  t.equal(withTargets(document, found), document)
  t.equal(withColdStarts(document, JSON.parse(readFileSync(join(ROOT, 'bench', 'cold-start.json'), 'utf8')) as ColdStarts), document)
  t.equal(tables(found), readFileSync(join(ROOT, 'bench', 'results.md'), 'utf8'))
  t.equal(chart(found), readFileSync(join(ROOT, 'bench', 'results.svg'), 'utf8'))
  t.strictSame(Object.keys(found.workloads), Object.keys(WORKLOADS), 'of all workloads')
  for (const name of Object.keys(WORKLOADS) as WorkloadName[]) {
    t.strictSame(Object.keys(found.workloads[name] ?? {}), ['nothing', ...WORKLOADS[name].contestants], `${name}: of all contestants`)
    t.type(found.workloads[name]?.nothing?.wrong, 'string', `${name}: the control did not pass`)
  }
  for (const target of TARGETS) t.type(met(target, found), 'boolean', target.what)
  for (const { what, value } of BESIDE) t.ok(value(found) > 0, what)
  t.end()
})
