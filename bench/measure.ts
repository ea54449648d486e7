// One contestant at one workload, in this process: builds it, has its answers checked, and times it.
import { performance } from 'node:perf_hooks'
import { CONTESTANTS, type ContestantName, type Setup, type Subject } from './contestants'
import { received, StubRequest, StubResponse, type Answer, type Ending, type Sent } from './exchange'
import { fault, WORKLOADS, type Workload, type WorkloadName } from './workloads'

/** An answer that is not as it must be: nothing is timed then. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer'
}

/** Sends n requests, those of the list in turn; the promise is for those that answer later. */
type Round = (n: number) => void | Promise<void>

interface Driver {
  readonly send: (sent: Sent) => Promise<Answer | undefined>
  readonly round: Round
}

type Handle = (request: unknown, response: unknown) => unknown

/** Answers must be there when the call returns. */
function stubDriver (handle: Handle, requests: readonly Sent[]): Driver {
  const ending: Ending = { ended: 0, whenEnded: undefined }
  const mask = requests.length - 1
  return {
    send: async (sent) => {
      const response = new StubResponse(ending)
      handle(new StubRequest(sent), response)
      return response.answer()
    },
    round: (n) => {
      ending.ended = 0
      for (let index = 0; index < n; index++) handle(new StubRequest(requests[index & mask] as Sent), new StubResponse(ending))
      if (ending.ended !== n) throw new WrongAnswer(`${n - ending.ended} of ${n} responses were not complete`)
    }
  }
}

/** Waits for each answer before it sends the next request. */
function waitingDriver (handle: Handle, requests: readonly Sent[]): Driver {
  const ending: Ending = { ended: 0, whenEnded: undefined }
  const mask = requests.length - 1
  const exchange = async (sent: Sent): Promise<StubResponse> => await new Promise((resolve) => {
    const response = new StubResponse(ending)
    ending.whenEnded = () => { resolve(response) }
    handle(new StubRequest(sent), response)
  })
  return {
    send: async (sent) => (await exchange(sent)).answer(),
    round: async (n) => {
      ending.ended = 0
      for (let index = 0; index < n; index++) await exchange(requests[index & mask] as Sent)
      if (ending.ended !== n) throw new WrongAnswer(`${n - ending.ended} of ${n} responses were not complete`)
    }
  }
}

/** What sends requests to a server in this process. */
export function driver (kind: Workload['kind'], handle: Subject['handle'], sent: readonly Sent[]): Driver {
  const requests = sent.map(received)
  if ((requests.length & (requests.length - 1)) !== 0) throw new RangeError('requests are sent in turns of a power of two')
  return (kind === 'stub' ? stubDriver : waitingDriver)(handle as unknown as Handle, requests)
}

/** Throws if an answer to any of the workload's requests is not as it must be; gives the answer to the first. In process, also where HTTP is measured. */
export async function check (workload: Workload, contestant: ContestantName, subject: Subject, setup: Setup): Promise<Answer> {
  const requests = workload.requests(setup)
  const { send } = driver(workload.kind, subject.handle, requests.slice(0, 1))
  let first: Answer | undefined
  for (const sent of requests) {
    const answer = await send(received(sent))
    const expected = workload.expected === 'allowed' && sent.method === 'OPTIONS' ? 'preflight' : workload.expected
    const wrong = fault(sent, answer, expected, contestant === 'alone')
    if (wrong !== undefined) throw new WrongAnswer(`${contestant}, ${workload.title}: ${wrong}`)
    first ??= answer
  }
  return first as Answer
}

/** Nanoseconds per request, in the fastest of many batches. */
async function fastestBatch (round: Round, milliseconds: number): Promise<number> {
  const time = async (n: number): Promise<number> => {
    const start = performance.now()
    const settled = round(n)
    if (settled !== undefined) await settled
    return performance.now() - start
  }
  // Warm-up, which also finds how many requests make a batch of about 10 ms: short enough to be left alone by other processes, long enough
  // to pay for its garbage.
  let size = 100
  const warm = performance.now() + Math.max(200, milliseconds / 2)
  while (performance.now() < warm) {
    const taken = await time(size)
    size = Math.max(50, Math.round(Math.min(size * 2, size * 10 / taken)))
  }
  let best = Infinity
  const end = performance.now() + milliseconds
  do best = Math.min(best, await time(size) / size); while (performance.now() < end)
  return best * 1e6
}

export interface Measured {
  /** Nanoseconds of a request, in process; of a restart. */
  nanoseconds?: number
  /** Milliseconds of the processor until the server is ready: of the whole process, and from the first module that is loaded. */
  start?: number
  boot?: number
  /** Bytes in use on the heap once it is ready, and after the first requests and preflights. */
  heap?: number
  heapAfterPreflights?: number
  answer: Answer
}

/** Milliseconds of the processor that this process has used. Other work on the machine does not count. */
function processorTime (): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

function heapInUse (): number {
  if (globalThis.gc === undefined) throw new Error('run node with --expose-gc')
  for (let times = 0; times < 4; times++) globalThis.gc()
  return process.memoryUsage().heapUsed
}

function restarts (build: (setup: Setup) => Promise<Subject>, setup: Setup): Round {
  return async (n) => {
    for (let times = 0; times < n; times++) {
      const subject = await build(setup)
      await subject.close()
    }
  }
}

export async function measure (name: WorkloadName, contestant: ContestantName, milliseconds: number): Promise<Measured> {
  const workload: Workload = WORKLOADS[name]
  const setup = workload.setup()
  const before = processorTime()
  const build = CONTESTANTS[contestant].load()
  const subject = await build(setup)
  const after = processorTime()
  // Everywhere: a server that has been up for a while has none of its boot's garbage left, which would slow down every collection of the young.
  const heap = heapInUse()
  const answer = await check(workload, contestant, subject, setup)
  try {
    switch (workload.kind) {
      case 'start': return { start: after, answer }
      case 'boot': return { boot: after - before, heap, heapAfterPreflights: heapInUse(), answer }
      case 'restart': return { nanoseconds: await fastestBatch(restarts(build, setup), milliseconds), answer }
      default: return { nanoseconds: await fastestBatch(driver(workload.kind, subject.handle, workload.requests(setup)).round, milliseconds), answer }
    }
  } finally {
    await subject.close()
  }
}
