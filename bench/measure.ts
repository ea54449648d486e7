// One contestant at one workload, in this process: builds it, has its answers checked, and times it.
import { performance } from 'node:perf_hooks'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { CONTESTANTS, type ContestantName, type Setup, type Subject } from './contestants'
import { nodeAnswer, nodeRequest, nodeResponse, received, StubRequest, StubResponse, type Answer, type Ending, type Sent } from './exchange'
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
function stubDriver (subject: Subject, requests: readonly Sent[]): Driver {
  const handle = subject.handle as unknown as Handle
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
function waitingDriver (requests: readonly Sent[], exchange: (sent: Sent, ending: Ending) => { settled: unknown, answer: () => Answer | undefined }): Driver {
  const ending: Ending = { ended: 0, whenEnded: undefined }
  const mask = requests.length - 1
  const once = (sent: Sent, resolve: () => void): (() => Answer | undefined) => {
    ending.whenEnded = resolve
    return exchange(sent, ending).answer
  }
  return {
    send: async (sent) => {
      let answer: (() => Answer | undefined) | undefined
      await new Promise<void>((resolve) => { answer = once(sent, resolve) })
      return answer?.()
    },
    round: async (n) => {
      ending.ended = 0
      for (let index = 0; index < n; index++) {
        const sent = requests[index & mask] as Sent
        await new Promise<void>((resolve) => { once(sent, resolve) })
      }
      if (ending.ended !== n) throw new WrongAnswer(`${n - ending.ended} of ${n} responses were not complete`)
    }
  }
}

function webDriver (subject: Subject, requests: readonly Sent[]): Driver {
  const ask = subject.fetch as NonNullable<Subject['fetch']>
  const asRequest = ({ method, url, headers }: Sent): Request => new Request(`http://api.example.com${url}`, { method, headers })
  const prepared = requests.map(asRequest)
  const mask = requests.length - 1
  return {
    send: async (sent) => {
      const response = await ask(asRequest(sent))
      return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
    },
    round: async (n) => {
      for (let index = 0; index < n; index++) {
        const response = await ask(prepared[index & mask] as Request)
        if (response.status === 0) throw new WrongAnswer('no response')
      }
    }
  }
}

/** What sends requests to a server in this process. */
export function driver (kind: Workload['kind'], subject: Subject, sent: readonly Sent[]): Driver {
  const requests = sent.map(received)
  if ((requests.length & (requests.length - 1)) !== 0) throw new RangeError('requests are sent in turns of a power of two')
  if (subject.fetch !== undefined) return webDriver(subject, requests)
  const handle = subject.handle as unknown as Handle
  if (kind === 'node') {
    return waitingDriver(requests, (one, ending) => {
      const request: IncomingMessage = nodeRequest(one)
      const response: ServerResponse = nodeResponse(request, ending)
      return { settled: handle(request, response), answer: () => nodeAnswer(response) }
    })
  }
  if (kind === 'await' || kind === 'restart') {
    return waitingDriver(requests, (one, ending) => {
      const response = new StubResponse(ending)
      return { settled: handle(new StubRequest(one), response), answer: () => response.answer() }
    })
  }
  return stubDriver(subject, requests)
}

/** Whether a contestant is a framework without CORS. */
export function isAlone (contestant: ContestantName): boolean {
  return CONTESTANTS[contestant].title.endsWith(' alone')
}

/** Throws if an answer to any of the workload's requests is not as it must be; gives the answer to the first. */
export async function check (workload: Workload, contestant: ContestantName, subject: Subject, setup: Setup): Promise<Answer> {
  const requests = workload.requests(setup)
  // Nothing is listening yet where HTTP is measured: what answers is the same.
  const { send } = driver(workload.kind, subject, requests.slice(0, 1))
  let first: Answer | undefined
  for (const sent of requests) {
    const answer = await send(received(sent))
    const expected = workload.expected === 'allowed' && sent.method === 'OPTIONS' ? 'preflight' : workload.expected
    const wrong = fault(sent, answer, expected, isAlone(contestant))
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
  /** Nanoseconds per request. */
  nanoseconds?: number
  /** Milliseconds until the server is ready: with the loading of modules, and without. */
  boot?: number
  build?: number
  /** Bytes in use on the heap once it is ready: all of them, and those that were not there before. */
  heap?: number
  heapAdded?: number
  /** Bytes in use after the first requests and preflights. */
  heapAfterPreflights?: number
  answer: Answer
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
      await subject.close?.()
    }
  }
}

export async function measure (name: WorkloadName, contestant: ContestantName, milliseconds: number): Promise<Measured> {
  const workload: Workload = WORKLOADS[name]
  const setup = workload.setup()
  const isBoot = workload.kind === 'boot'
  const before = isBoot ? heapInUse() : 0
  const start = performance.now()
  const build = CONTESTANTS[contestant].load()
  const loaded = performance.now()
  const subject = await build(setup)
  const end = performance.now()
  // Everywhere: a server that has been up for a while has none of its boot's garbage left, which would slow down every collection of the young.
  const heap = heapInUse()
  const answer = await check(workload, contestant, subject, setup)
  try {
    if (isBoot) return { boot: end - start, build: end - loaded, heap, heapAdded: heap - before, heapAfterPreflights: heapInUse(), answer }
    if (workload.kind === 'restart') return { nanoseconds: await fastestBatch(restarts(build, setup), milliseconds), answer }
    return { nanoseconds: await fastestBatch(driver(workload.kind, subject, workload.requests(setup)).round, milliseconds), answer }
  } finally {
    await subject.close?.()
  }
}
